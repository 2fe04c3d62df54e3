//! The environment of a process: what the hub gives, and what of the plugin's wishes is
//! passed on.
//!
//! A variable can make another program of a program: `OPENSSL_CONF` names a library to
//! load, `HOME` a folder with settings, and there are as many such names as programs. So
//! nothing is passed but what says how texts look, with values that name no file, and what
//! the grant of the program names.

use cordon_base::grants::exec::{is_name, loads_code};

/// Where programs look for programs.
pub const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// Texts of programs are for programs here: no translations, UTF-8.
const LANG: &str = "C.UTF-8";

/// Names that are passed on from every plugin, beside those that begin with `LC_`.
const HARMLESS: [&str; 6] = ["COLUMNS", "LANGUAGE", "LINES", "NO_COLOR", "TERM", "TZ"];

/// What every plugin finds in its own environment and passes without a thought.
const EVERYBODYS: [&str; 7] = ["HOME", "LANG", "LOGNAME", "PATH", "PWD", "TMPDIR", "USER"];

/// Longest value of a variable that no grant names.
const LONGEST: usize = 64;

/// Names that are told of when they are not passed.
const TOLD: usize = 8;

/// The environment of one process.
#[derive(Debug, PartialEq, Eq)]
pub struct Environment {
    /// What the process gets.
    pub passed: Vec<(String, String)>,
    /// Some of the names that it does not get although the plugin wants it to, and that a
    /// grant could name.
    pub withheld: Vec<String>,
}

impl Environment {
    /// `PATH`, `LANG`, and of what the plugin asked for the harmless and the `granted`.
    #[must_use]
    pub fn new(asked: Vec<(String, String)>, granted: &[String]) -> Self {
        let mut passed = vec![
            ("PATH".to_owned(), PATH.to_owned()),
            ("LANG".to_owned(), LANG.to_owned()),
        ];
        let mut withheld = Vec::new();
        for (name, value) in asked {
            if granted.contains(&name) && !value.contains('\0') || is_harmless(&name, &value) {
                passed.push((name, value));
            } else if is_name(&name)
                && !loads_code(&name)
                && !EVERYBODYS.contains(&name.as_str())
                && withheld.len() < TOLD
            {
                withheld.push(name);
            }
        }
        Self { passed, withheld }
    }
}

fn is_harmless(name: &str, value: &str) -> bool {
    let known = is_name(name) && (name.starts_with("LC_") || HARMLESS.contains(&name));
    // A zone is a path below the system's zones: "Europe/Berlin".
    let zone = name == "TZ";
    let plain = |byte: u8| {
        byte.is_ascii_alphanumeric() || b"_-+.,@:".contains(&byte) || zone && b"/<>".contains(&byte)
    };
    let leads_elsewhere = value.starts_with(['/', ':']) || value.contains("..");
    known && value.len() <= LONGEST && value.bytes().all(plain) && !leads_elsewhere
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(asked: &[(&str, &str)], granted: &[&str]) -> Environment {
        let asked = asked
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let granted: Vec<_> = granted.iter().map(|name| (*name).to_owned()).collect();
        Environment::new(asked.collect(), &granted)
    }

    fn passed(asked: &[(&str, &str)], granted: &[&str]) -> Vec<String> {
        let all = of(asked, granted).passed;
        all.into_iter().skip(2).map(|(name, _)| name).collect()
    }

    #[test]
    fn how_texts_look_is_passed_on() {
        let asked = [
            ("TZ", "Europe/Berlin"),
            ("LC_ALL", "de_DE.UTF-8@euro"),
            ("TERM", "xterm-256color"),
        ];
        assert_eq!(passed(&asked, &[]), ["TZ", "LC_ALL", "TERM"]);
        assert_eq!(passed(&[("TZ", "<+03>-3")], &[]), ["TZ"]);
    }

    #[test]
    fn what_names_a_file_is_not() {
        for asked in [
            ("TZ", "/data/zone"),
            ("TZ", ":/data/zone"),
            ("TZ", "../../data/zone"),
            ("LC_ALL", "/data/locale"),
            ("LC_MESSAGES", "../x"),
            ("TERM", "../../data/t"),
            ("LANGUAGE", "a/b"),
        ] {
            assert!(passed(&[asked], &[]).is_empty(), "{asked:?}");
        }
    }

    #[test]
    fn nothing_else_is_passed_but_what_the_grant_names() {
        let asked = [
            ("OPENSSL_CONF", "openssl.cnf"),
            ("LD_PRELOAD", "/x.so"),
            ("HOME", "/data"),
            ("CURL_HOME", "/data"),
            ("PATH", "/data"),
            ("http_proxy", "x"),
            ("", "x"),
            ("A=B", "x"),
            ("BASH_FUNC_x%%", "() { x; }"),
        ];
        assert!(passed(&asked, &[]).is_empty());
        assert_eq!(
            passed(&asked, &["HOME", "http_proxy"]),
            ["HOME", "http_proxy"]
        );
    }

    #[test]
    fn what_is_withheld_is_told_but_for_what_everybody_has() {
        let asked = [
            ("OPENSSL_CONF", "x"),
            ("HOME", "/data"),
            ("A\n", "x"),
            ("LD_PRELOAD", "x"),
        ];
        assert_eq!(of(&asked, &[]).withheld, ["OPENSSL_CONF"]);
        let many: Vec<_> = (0..50).map(|n| (format!("A{n}"), String::new())).collect();
        assert_eq!(Environment::new(many, &[]).withheld.len(), TOLD);
    }
}

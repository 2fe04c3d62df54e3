//! The environment of a process: what the hub gives, and what of the plugin's
//! wishes is passed on.

/// Where programs look for programs.
pub const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// Texts of programs are for programs here: no translations, UTF-8.
const LANG: &str = "C.UTF-8";

/// Beginnings of names that make the loader, the C library, a shell or a
/// language run something else than the granted program.
const REFUSED_PREFIXES: [&str; 14] = [
    "LD_", "DYLD_", "GLIBC_", "MALLOC_", "GCONV_", "BASH_", "PYTHON", "PERL", "RUBY", "NODE_",
    "JAVA_", "_JAVA_", "GIT_", "DOTNET_",
];

/// Whole names of the same kind.
const REFUSED: [&str; 24] = [
    "PATH",
    "LANG",
    "IFS",
    "ENV",
    "SHELLOPTS",
    "BASHOPTS",
    "CDPATH",
    "GLOBIGNORE",
    "PS4",
    "PROMPT_COMMAND",
    "NLSPATH",
    "LOCPATH",
    "LOCALDOMAIN",
    "RES_OPTIONS",
    "HOSTALIASES",
    "TMPDIR",
    "TZDIR",
    "RESOLV_HOST_CONF",
    "EDITOR",
    "VISUAL",
    "PAGER",
    "SHELL",
    "BROWSER",
    "CLASSPATH",
];

/// The variables that a process gets: `PATH`, `LANG`, and those that the plugin
/// asked for and that cannot turn the granted program into another one.
pub fn clean(asked: Vec<(String, String)>) -> Vec<(String, String)> {
    let mut clean = vec![
        ("PATH".to_owned(), PATH.to_owned()),
        ("LANG".to_owned(), LANG.to_owned()),
    ];
    clean.extend(
        asked
            .into_iter()
            .filter(|(name, value)| passes(name, value)),
    );
    clean
}

fn passes(name: &str, value: &str) -> bool {
    let word = name
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    let upper = name.to_ascii_uppercase();
    let refused = REFUSED.contains(&upper.as_str())
        || REFUSED_PREFIXES
            .iter()
            .any(|prefix| upper.starts_with(prefix));
    !name.is_empty() && word && !refused && !value.contains('\0')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(asked: &[&str]) -> Vec<String> {
        let asked = asked
            .iter()
            .map(|name| ((*name).to_owned(), "x".to_owned()));
        let kept = clean(asked.collect());
        kept.into_iter().skip(2).map(|(name, _)| name).collect()
    }

    #[test]
    fn plain_variables_are_passed_on() {
        assert_eq!(names(&["HOME", "TZ", "LC_ALL"]), ["HOME", "TZ", "LC_ALL"]);
    }

    #[test]
    fn what_makes_another_program_of_it_is_dropped() {
        let asked = [
            "LD_PRELOAD",
            "ld_audit",
            "PATH",
            "BASH_ENV",
            "PYTHONPATH",
            "",
            "A=B",
            "BASH_FUNC_x%%",
        ];
        assert!(names(&asked).is_empty());
    }
}

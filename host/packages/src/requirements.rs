//! Requirements files of plugins: plain requirements and nothing else.
//!
//! The file comes with the plugin, and pip runs on the operator's machine with the
//! operator's rights. Options (`--index-url`, `-e`), addresses and paths would let the plugin
//! choose what is fetched, or run a build script; they are refused with their line.

use std::path::Path;

use super::{PackagesError, normal_name};
use cordon_base::bounds::REQUIREMENTS_BYTES;
use cordon_base::regular_file::RegularFile;

/// Most lines of a file.
const MAX_LINES: usize = 2000;

/// One requirement: `name[extras] specifier ; marker`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Requirement {
    /// Name as compared.
    pub name: String,
    /// What pip gets: without a comment, with its `--hash` options.
    pub text: String,
}

/// Reads a requirements file.
///
/// # Errors
///
/// [`PackagesError::Requirement`] with the line that is not understood.
pub fn read(path: &Path) -> Result<Vec<Requirement>, PackagesError> {
    let file = path.display().to_string();
    let bytes = RegularFile::open(path)
        .and_then(|opened| opened.whole(REQUIREMENTS_BYTES))
        .map_err(|error| PackagesError::io(format!("cannot read {file}"), error))?;
    let text = String::from_utf8_lossy(&bytes);
    parse(text.trim_start_matches('\u{feff}'), &file)
}

/// Parses the text of one.
///
/// # Errors
///
/// As [`read`].
pub fn parse(text: &str, file: &str) -> Result<Vec<Requirement>, PackagesError> {
    let mut found = Vec::new();
    let mut pending = String::new();
    for (index, line) in text.lines().enumerate() {
        let number = index.saturating_add(1);
        if number > MAX_LINES {
            return Err(wrong(file, number, "there are more than 2000 lines"));
        }
        if let Some(start) = line.strip_suffix('\\') {
            pending.push_str(start);
            pending.push(' ');
            continue;
        }
        pending.push_str(line);
        let whole = std::mem::take(&mut pending);
        let requirement = without_comment(&whole);
        if !requirement.is_empty() {
            found.push(one(requirement).map_err(|reason| wrong(file, number, &reason))?);
        }
    }
    Ok(found)
}

fn wrong(file: &str, line: usize, reason: &str) -> PackagesError {
    PackagesError::Requirement {
        file: file.to_owned(),
        line,
        reason: reason.to_owned(),
    }
}

/// A comment begins the line or follows white space.
fn without_comment(line: &str) -> &str {
    let mut before = ' ';
    for (at, letter) in line.char_indices() {
        if letter == '#' && before.is_whitespace() {
            return line.get(..at).unwrap_or(line).trim();
        }
        before = letter;
    }
    line.trim()
}

fn one(text: &str) -> Result<Requirement, String> {
    let (requirement, hashes) = split_hashes(text)?;
    if requirement.starts_with('-') {
        return Err(format!(
            "`{requirement}` is an option; a plugin's file may name packages only, options belong to pip's own configuration"
        ));
    }
    let letters = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let end = requirement
        .find(|c| !letters(c))
        .unwrap_or(requirement.len());
    let (name, rest) = requirement.split_at(end);
    let named = name.starts_with(|c: char| c.is_ascii_alphanumeric())
        && name.ends_with(|c: char| c.is_ascii_alphanumeric());
    let rest = rest.trim_start();
    let follows = rest.is_empty() || rest.starts_with(['[', '<', '>', '=', '!', '~', ';', '(']);
    let specifier = rest.split(';').next().unwrap_or_default();
    let plain = specifier
        .chars()
        .all(|c| letters(c) || c.is_whitespace() || "[]<>=!~,()*+".contains(c));
    let control = requirement.chars().any(char::is_control);
    if !named || !follows || !plain || control || is_file(name) && rest.is_empty() {
        return Err(format!(
            "`{requirement}` is not of the form `name`, `name>=1.2` or `name==1.2; marker`; addresses and paths are not taken"
        ));
    }
    Ok(Requirement {
        name: normal_name(name),
        text: [requirement, &hashes].join(" ").trim().to_owned(),
    })
}

/// pip takes a name that ends like an archive for a file.
fn is_file(name: &str) -> bool {
    [
        ".whl", ".zip", ".tar.gz", ".tgz", ".tar", ".tar.bz2", ".tar.xz",
    ]
    .iter()
    .any(|end| name.to_ascii_lowercase().ends_with(end))
}

/// Cuts off the `--hash=sha256:...` options.
fn split_hashes(text: &str) -> Result<(&str, String), String> {
    let Some(at) = text.find(" --") else {
        return Ok((text, String::new()));
    };
    let (requirement, options) = text.split_at(at);
    let mut hashes = Vec::new();
    for option in options.split_whitespace() {
        let digits = option.strip_prefix("--hash=sha256:").unwrap_or_default();
        if digits.len() != 64 || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(format!(
                "`{option}` is not understood; `--hash=sha256:...` is the only option that may follow a requirement"
            ));
        }
        hashes.push(option);
    }
    Ok((requirement.trim(), hashes.join(" ")))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn names(text: &str) -> Vec<String> {
        let found = parse(text, "r.txt").unwrap();
        found.into_iter().map(|it| it.text).collect()
    }

    #[test]
    fn plain_requirements_are_taken() {
        let text = "# comment\nrequests\nPyYAML >= 5.1, <7  # why\n\nhttpx[http2]==0.27.* ; python_version > '3'\na~=1.0\nb (>=2)\n";
        assert_eq!(
            names(text),
            [
                "requests",
                "PyYAML >= 5.1, <7",
                "httpx[http2]==0.27.* ; python_version > '3'",
                "a~=1.0",
                "b (>=2)"
            ]
        );
        assert_eq!(parse("Foo_Bar", "r").unwrap()[0].name, "foo-bar");
    }

    #[test]
    fn hashes_stay_with_their_requirement() {
        let hash = format!("--hash=sha256:{}", "0".repeat(64));
        assert_eq!(
            names(&format!("a==1 \\\n  {hash} \\\n  {hash}\nb")),
            [format!("a==1 {hash} {hash}"), "b".to_owned()]
        );
    }

    #[test]
    fn what_would_let_the_plugin_choose_the_source_is_refused_with_its_line() {
        for line in [
            "--index-url http://x/",
            "-e .",
            "-r other.txt",
            "./folder",
            "/abs/x.whl",
            "x.whl",
            "x-1.0.tar.gz",
            "git+https://x/y",
            "https://x/y.whl",
            "a @ https://x/y.whl",
            "a@file:///x",
            "a --config-settings=x",
            "a==1 --hash=md5:0",
            "a b",
            "C:\\x",
            "$(x)",
            "a\u{7}",
        ] {
            let error = parse(&format!("ok\n{line}"), "r.txt")
                .expect_err(line)
                .to_string();
            assert!(error.starts_with("r.txt, line 2: "), "{error}");
        }
    }

    #[test]
    fn a_file_without_end_is_refused() {
        assert!(parse(&"a\n".repeat(2001), "r").is_err());
    }

    proptest::proptest! {
        #[test]
        fn nothing_but_requirements_gets_through(text in "[ -~\\n]{0,60}") {
            if let Ok(found) = parse(&text, "r") {
                for requirement in found {
                    proptest::prop_assert!(!requirement.text.starts_with('-'));
                    let before = requirement.text.split([';', ' ']).next().unwrap_or_default().to_owned();
                    proptest::prop_assert!(!before.contains('/') && !before.contains(':'));
                }
            }
        }
    }
}

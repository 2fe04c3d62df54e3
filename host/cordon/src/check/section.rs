//! The grants that a plugin will need, as a section for `cordon.toml`.
//!
//! What is in the plugin's text is written out; what only its settings know is a comment
//! with the line to fill in. Nothing is granted that the operator does not paste.

use std::fmt::Write;
use std::path::Path;

use super::finding::{Finding, Topic, Verdict};
use super::print::plain;
use cordon_packages::place::Framework;

/// The lines for the plugin's section; empty when nothing needs a grant.
#[must_use]
pub fn grants(findings: &[Finding], framework: Framework) -> String {
    let mut text = String::new();
    list(
        &mut text,
        findings,
        Topic::Network,
        "network",
        "HOST:PORT",
        quoted,
    );
    list(
        &mut text,
        findings,
        Topic::Listen,
        "listen",
        "8080",
        str::to_owned,
    );
    list(
        &mut text,
        findings,
        Topic::Exec,
        "exec",
        "/path/of/program",
        |it| quoted(&program(it)),
    );
    list(
        &mut text,
        findings,
        Topic::Serial,
        "serial",
        "/dev/ttyUSB0",
        quoted,
    );
    list(&mut text, findings, Topic::Icmp, "icmp", "HOST", quoted);
    let mut folder = String::new();
    if let Some(finding) = of(findings, Topic::PluginFolder).next() {
        let comment = comment(finding);
        let _ = writeln!(folder, "# {comment}\nplugin-folder = \"copy-on-write\"");
    }
    if text.is_empty() {
        return folder;
    }
    // A key of the section itself goes before its table of grants.
    let gap = if folder.is_empty() { "" } else { "\n" };
    format!("{folder}{gap}[{}.grants]\n{text}", name(framework))
}

/// What the sections of such plugins are called in `cordon.toml`.
#[must_use]
pub fn name(framework: Framework) -> &'static str {
    match framework {
        Framework::Domoticz => "hardware",
        Framework::Indigo => "indigo",
    }
}

fn of(findings: &[Finding], topic: Topic) -> impl Iterator<Item = &Finding> {
    findings
        .iter()
        .filter(move |it| it.topic == topic && it.verdict == Verdict::Grant)
}

/// One grant: an entry per line for what is known, a comment for what is not.
fn list(
    text: &mut String,
    findings: &[Finding],
    topic: Topic,
    word: &str,
    example: &str,
    entry: impl Fn(&str) -> String,
) {
    let known: Vec<_> = of(findings, topic)
        .filter(|it| !it.subject.is_empty())
        .collect();
    for finding in of(findings, topic).filter(|it| it.subject.is_empty()) {
        let _ = writeln!(text, "# {}; fill in:", comment(finding));
        let example = if topic == Topic::Listen {
            example.to_owned()
        } else {
            quoted(example)
        };
        let _ = writeln!(text, "# {word} = [{example}]");
    }
    if known.is_empty() {
        return;
    }
    let _ = writeln!(text, "{word} = [");
    for finding in known {
        let _ = writeln!(
            text,
            "    {}, # {}",
            entry(&finding.subject),
            comment(finding)
        );
    }
    text.push_str("]\n");
}

/// Where it stands, for a comment: one line without anything that could end it.
fn comment(finding: &Finding) -> String {
    let detail = plain(&finding.detail);
    if finding.file.is_empty() {
        return detail;
    }
    format!("{}:{}: {detail}", plain(&finding.file), finding.line)
}

/// A TOML string.
fn quoted(text: &str) -> String {
    toml::Value::String(plain(text)).to_string()
}

/// The path of a program on this machine, where it can be found.
fn program(name: &str) -> String {
    if name.starts_with('/') {
        return name.to_owned();
    }
    let file = name.rsplit('/').next().unwrap_or(name);
    ["/usr/bin", "/bin", "/usr/sbin", "/sbin", "/usr/local/bin"]
        .iter()
        .map(|folder| Path::new(folder).join(file))
        .find(|path| path.is_file())
        .map_or_else(
            || format!("/path/of/{file}"),
            |path| path.display().to_string(),
        )
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn finding(topic: Topic, subject: &str, verdict: Verdict) -> Finding {
        Finding {
            topic,
            subject: subject.to_owned(),
            verdict,
            detail: "detail\n[hub]".to_owned(),
            file: "plugin.py".to_owned(),
            line: 7,
        }
    }

    #[test]
    fn nothing_needed_is_no_section() {
        let note = finding(Topic::Icmp, "", Verdict::Note);
        assert_eq!(grants(&[note], Framework::Domoticz), "");
    }

    #[test]
    fn the_section_is_valid_toml_whatever_the_plugin_has_in_its_text() {
        let findings = [
            finding(Topic::Network, "a\"b\n]:80", Verdict::Grant),
            finding(Topic::Network, "", Verdict::Grant),
            finding(Topic::Listen, "8080", Verdict::Grant),
            finding(Topic::Exec, "sh", Verdict::Grant),
            finding(Topic::Serial, "", Verdict::Grant),
            finding(Topic::PluginFolder, "", Verdict::Grant),
        ];
        let text = grants(&findings, Framework::Domoticz);
        let pasted = format!("[[hardware]]\nname = \"A\"\nplugin = \"a\"\n{text}");
        let value: toml::Table = toml::from_str(&pasted).unwrap();
        let section = value["hardware"][0].as_table().unwrap();
        let grants = section["grants"].as_table().unwrap();
        let names: std::collections::BTreeSet<_> = grants.keys().map(String::as_str).collect();
        assert_eq!(names, ["exec", "listen", "network"].into_iter().collect());
        assert_eq!(grants["listen"][0].as_integer(), Some(8080));
        assert_eq!(section["plugin-folder"].as_str(), Some("copy-on-write"));
        let folder = finding(Topic::PluginFolder, "", Verdict::Grant);
        assert!(!super::grants(&[folder], Framework::Indigo).contains("[indigo"));
        let listen = finding(Topic::Listen, "8080", Verdict::Grant);
        assert!(super::grants(&[listen], Framework::Indigo).starts_with("[indigo.grants]"));
        assert!(text.contains("# serial = [\"/dev/ttyUSB0\"]"), "{text}");
        assert!(value.get("hub").is_none());
    }
}

//! Reports for people and for programs.

use std::fmt::Write;

use serde_json::{Value, json as value};

use super::finding::{Report, Topic, Verdict};
use super::{framework_word, section};

/// The form of the JSON. Fields may be added to it; one that is changed or taken away
/// raises the number.
const SCHEMA: u32 = 1;

/// The widest column of names in a table; longer ones push their line to the right.
const WIDEST_NAME: usize = 60;

/// Text of a plugin without characters that a terminal would act on.
#[must_use]
pub fn plain(text: &str) -> String {
    text.chars()
        .map(|c| {
            if c.is_control() || is_hidden(c) {
                ' '
            } else {
                c
            }
        })
        .collect()
}

/// Marks that reorder or hide the text after them.
fn is_hidden(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

/// One report, in full.
#[must_use]
pub fn text(report: &Report) -> String {
    let mut text = format!(
        "{} ({}): {}\n",
        plain(&report.name),
        framework_word(report.framework),
        report.verdict.words()
    );
    // Members that exist are many and all alike.
    let there = report
        .findings
        .iter()
        .filter(|it| it.topic == Topic::Api && it.verdict == Verdict::Ok)
        .map(|it| plain(&it.subject))
        .collect::<Vec<_>>();
    for finding in &report.findings {
        if finding.topic == Topic::Api && finding.verdict == Verdict::Ok {
            continue;
        }
        let place = match (finding.file.as_str(), finding.line) {
            ("", _) => String::new(),
            (file, 0) => format!(" ({})", plain(file)),
            (file, line) => format!(" ({}:{line})", plain(file)),
        };
        let _ = writeln!(
            text,
            "  {:<14} {:<13} {:<28} {}{place}",
            finding.verdict.words(),
            finding.topic.word(),
            plain(&finding.subject),
            plain(&finding.detail),
        );
    }
    if !there.is_empty() {
        let _ = writeln!(text, "  {:<14} {:<13} {}", "ok", "api", there.join(" "));
    }
    if !report.install.is_empty() {
        let _ = writeln!(
            text,
            "\nto install what is missing:\n\n{}",
            plain(&report.install)
        );
    }
    if !report.grants.is_empty() {
        let _ = write!(
            text,
            "\nfor its [[{}]] section in cordon.toml:\n\n{}",
            section::name(report.framework),
            report.grants
        );
    }
    text
}

/// Many reports, a line each.
#[must_use]
pub fn table(reports: &[Report]) -> String {
    let names = reports.iter().map(|it| plain(&it.name).chars().count());
    let width = names.max().unwrap_or(0).clamp(6, WIDEST_NAME);
    let mut text = format!(
        "{:<width$} {:<9} {:<14} {:<24} {}\n",
        "plugin", "for", "verdict", "grants", "what stands in the way"
    );
    for report in reports {
        let grants = topics(report, Verdict::Grant).join(" ");
        let first = report
            .findings
            .iter()
            .filter(|it| it.verdict == report.verdict)
            .filter(|it| it.verdict == Verdict::Mistake || it.verdict >= Verdict::Missing)
            .map(|it| {
                format!(
                    "{} {}: {}",
                    it.topic.word(),
                    plain(&it.subject),
                    plain(&it.detail)
                )
            })
            .next()
            .unwrap_or_default();
        let _ = writeln!(
            text,
            "{:<width$} {:<9} {:<14} {:<24} {first}",
            plain(&report.name),
            framework_word(report.framework),
            report.verdict.words(),
            grants,
        );
    }
    let unread = reports.iter().filter(|it| it.verdict == Verdict::Unread);
    for report in unread {
        let _ = writeln!(text, "{} cannot be read", plain(&report.name));
    }
    let count = |verdict| reports.iter().filter(|it| it.verdict == verdict).count();
    let _ = writeln!(
        text,
        "{} plugins: {} ok, {} have a mistake, {} need a grant, {} miss a package, {} will not work",
        reports.len(),
        count(Verdict::Ok),
        count(Verdict::Mistake),
        count(Verdict::Grant),
        count(Verdict::Missing),
        count(Verdict::Fails),
    );
    text
}

fn topics(report: &Report, verdict: Verdict) -> Vec<&'static str> {
    let mut topics: Vec<_> = report
        .findings
        .iter()
        .filter(|it| it.verdict == verdict && it.topic != Topic::Plugin)
        .map(|it| it.topic.word())
        .collect();
    topics.dedup();
    topics
}

/// All reports as JSON.
#[must_use]
pub fn json(reports: &[Report]) -> Value {
    let plugins: Vec<_> = reports.iter().map(plugin).collect();
    value!({ "schema": SCHEMA, "plugins": plugins })
}

fn plugin(report: &Report) -> Value {
    let findings: Vec<_> = report
        .findings
        .iter()
        .map(|it| {
            value!({
                "topic": it.topic.word(),
                "subject": it.subject,
                "verdict": it.verdict.word(),
                "detail": it.detail,
                "file": it.file,
                "line": it.line,
            })
        })
        .collect();
    value!({
        "path": report.path.display().to_string(),
        "name": report.name,
        "framework": framework_word(report.framework),
        "verdict": report.verdict.word(),
        "grants": report.grants,
        "install": report.install,
        "findings": findings,
    })
}

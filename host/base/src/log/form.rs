//! A record as a line of the console, of the journal or of a file.

use jiff::Timestamp;
use serde::Serialize;

use super::level::Level;
use super::record::Record;
use super::visible::{Newlines, visible};

/// Begins the further lines of a record on a terminal, so that none of them looks like a record of
/// its own.
const MARK: &str = "\n    | ";

/// The form of lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// One line for each record; newlines in it are escaped.
    Plain,
    /// For a terminal: levels have colours, and further lines of a record are marked.
    Colour,
    /// For systemd's journal: the priority before the line, and no time, which the journal has.
    Journal,
    /// A JSON object for each record.
    Json,
}

/// A record in JSON.
#[derive(Serialize)]
struct Object<'a> {
    time: String,
    level: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    instance: Option<&'a str>,
    text: &'a str,
}

impl Form {
    /// A record without the newline at its end.
    pub(super) fn line(self, record: &Record) -> String {
        match self {
            Self::Plain => escaped(&record.line()),
            Self::Colour => {
                let line = record.line().replace('\n', MARK);
                match record.level.color() {
                    Some(color) => format!("\u{1b}[{color}m{line}\u{1b}[0m"),
                    None => line,
                }
            }
            Self::Journal => journal(record.level, &escaped(&record.message())),
            Self::Json => {
                let instance = record.hardware.as_deref();
                json(record.time, record.level, instance, &record.text)
            }
        }
    }

    /// A line about the output itself.
    pub(super) fn note(self, text: &str) -> String {
        match self {
            Self::Plain | Self::Colour => text.to_owned(),
            Self::Journal => journal(Level::Warning, text),
            Self::Json => json(Timestamp::now(), Level::Warning, None, text),
        }
    }
}

fn escaped(text: &str) -> String {
    visible(text, Newlines::Escape, usize::MAX).into_owned()
}

fn journal(level: Level, text: &str) -> String {
    format!("<{}>{text}", level.priority())
}

fn json(time: Timestamp, level: Level, instance: Option<&str>, text: &str) -> String {
    let object = Object {
        time: time.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string(),
        level: level.word(),
        instance,
        text,
    };
    // Texts and names become JSON without fail.
    serde_json::to_string(&object).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::super::record::By;
    use super::*;

    fn line(form: Form, by: By<'_>, level: Level, text: &str) -> String {
        form.line(&Record::new(Timestamp::UNIX_EPOCH, by, level, text))
    }

    #[test]
    fn the_journal_gets_priorities_and_no_times() {
        for (level, expected) in [
            (Level::Error, "<3>Error: HW: a\\nb"),
            (Level::Warning, "<4>Warning: HW: a\\nb"),
            (Level::Status, "<5>Status: HW: a\\nb"),
            (Level::Normal, "<6>HW: a\\nb"),
            (Level::Debug, "<7>Debug: HW: a\\nb"),
        ] {
            assert_eq!(
                line(Form::Journal, By::Plugin("HW"), level, "a\nb"),
                expected
            );
        }
        assert_eq!(Form::Journal.note("(lost)"), "<4>(lost)");
    }

    #[test]
    fn json_is_one_line_for_each_record() {
        let text = line(Form::Json, By::Plugin("H\"W"), Level::Error, "a\nb\u{1b}");
        assert_eq!(
            text,
            "{\"time\":\"1970-01-01T00:00:00.000Z\",\"level\":\"error\",\"instance\":\"H\\\"W\",\
             \"text\":\"a\\nb\\\\x1b\"}"
        );
        let text = line(Form::Json, By::Hub, Level::Status, "ready");
        assert!(
            text.ends_with("\"level\":\"status\",\"text\":\"ready\"}"),
            "{text}"
        );
    }

    #[test]
    fn only_the_form_for_terminals_drives_a_terminal() {
        for form in [Form::Plain, Form::Journal, Form::Json] {
            let text = line(form, By::Plugin("HW"), Level::Error, "a\u{1b}[2J\nb");
            assert!(!text.contains(['\u{1b}', '\n']), "{text}");
        }
        let text = line(Form::Colour, By::Plugin("HW"), Level::Error, "a\nb");
        assert!(
            text.starts_with("\u{1b}[31m") && text.contains("a\n    | b"),
            "{text}"
        );
    }
}

//! `cordon logs`: the last lines of the log, and those that come.

use std::process::ExitCode;

use clap::Args;
use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::{HubPlace, Unanswered, printed, words};
use cordon_control::client::LogQuery;
use cordon_control::entry::{LogEntry, LogLevel, LogLine};

/// Arguments of `cordon logs`.
#[derive(Args)]
pub struct Logs {
    /// Only lines of this instance.
    instance: Option<String>,
    /// Goes on with the lines that come.
    #[arg(short, long)]
    follow: bool,
    /// How many lines of the past, 10000 at most.
    #[arg(short = 'n', long, value_name = "NUMBER", default_value_t = 100)]
    lines: usize,
    /// Only lines that are at least as grave: debug, normal, status, warning or error.
    #[arg(long, default_value = "debug")]
    level: LogLevel,
    /// A JSON object in each line.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    place: HubPlace,
}

impl Logs {
    /// Prints lines, with `--follow` until the hub ends.
    ///
    /// # Errors
    /// [`Unanswered`], also when a hub that is followed ends.
    pub fn act(self) -> Result<ExitCode, Unanswered> {
        let hub = self.place.hub()?;
        let query = LogQuery {
            instance: self.instance,
            level: self.level,
            lines: self.lines,
            follow: self.follow,
        };
        let lines = hub.heard(hub.client.log(&query))?;
        for entry in lines {
            let entry = hub.heard(entry)?;
            let text = match self.json {
                true => json(&entry)?,
                false => text(&entry, TimeZone::system()),
            };
            // Nobody reads on, as behind `head`.
            if !printed(&text)? {
                return Ok(ExitCode::SUCCESS);
            }
        }
        match self.follow {
            true => Err(Unanswered("the hub has ended".to_owned())),
            false => Ok(ExitCode::SUCCESS),
        }
    }
}

fn json(entry: &LogEntry) -> Result<String, Unanswered> {
    let text = serde_json::to_string(entry).map_err(|error| Unanswered(error.to_string()))?;
    Ok(format!("{text}\n"))
}

/// An entry as the hub's own console shows it. The further lines of a text are set in, so that none
/// looks like a line of the log.
fn text(entry: &LogEntry, zone: TimeZone) -> String {
    let line = match entry {
        LogEntry::Line(line) => line,
        LogEntry::Missed { missed } => {
            let count = words::count(*missed, "line is", "lines are");
            return format!("({count} missing here)\n");
        }
    };
    let LogLine {
        time,
        level,
        instance,
        text,
    } = line;
    let time = i64::try_from(*time).unwrap_or(i64::MAX);
    let time = Timestamp::from_millisecond(time).unwrap_or(Timestamp::MAX);
    let time = time.to_zoned(zone).strftime("%Y-%m-%d %H:%M:%S%.3f");
    let marker = match level {
        LogLevel::Normal => "",
        LogLevel::Debug => "Debug: ",
        LogLevel::Status => "Status: ",
        LogLevel::Warning => "Warning: ",
        LogLevel::Error => "Error: ",
    };
    let name = match instance {
        Some(name) => format!("{}: ", words::shown(name)),
        None => String::new(),
    };
    let mut lines = text.split('\n').map(words::shown);
    let first = lines.next().unwrap_or_default();
    let mut shown = format!("{time}  {marker}{name}{first}\n");
    for line in lines {
        shown.push_str(&format!("    {line}\n"));
    }
    shown
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn line(level: LogLevel, instance: Option<&str>, text: &str) -> LogEntry {
        LogEntry::Line(LogLine {
            time: 1_700_000_000_123,
            level,
            instance: instance.map(str::to_owned),
            text: text.to_owned(),
        })
    }

    #[test]
    fn no_text_looks_like_a_line_of_somebody_else() {
        let entry = line(LogLevel::Error, Some("A\x1b[2J"), "one\n2023 Status: two\r");
        assert_eq!(
            text(&entry, TimeZone::UTC),
            "2023-11-14 22:13:20.123  Error: A\\x1b[2J: one\n    2023 Status: two\\r\n"
        );
        let entry = line(LogLevel::Normal, None, "news");
        assert_eq!(
            text(&entry, TimeZone::UTC),
            "2023-11-14 22:13:20.123  news\n"
        );
        let gap = LogEntry::Missed { missed: 1 };
        assert_eq!(text(&gap, TimeZone::UTC), "(1 line is missing here)\n");
        assert_eq!(json(&gap).unwrap(), "{\"missed\":1}\n");
    }
}

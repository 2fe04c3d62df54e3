//! The hub's messages about itself, within a rate.
//!
//! Errors and warnings of the hub's own crates go into the event log, where the operator looks, as
//! soon as there is one. Everything else is on standard error, and so is all that is said before.
//! A full disk or an unreachable peer makes the same message come up at every try. Each place in
//! the source may write a few at once and one in ten seconds after that; the next one that is
//! written says how many were left out.

use std::collections::HashMap;
use std::fmt::{Debug, Write as _};
use std::io::{Stderr, Write};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use tracing::callsite::Identifier;
use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing::{Event, Metadata, Subscriber};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::{Context, SubscriberExt};
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer, fmt};

use super::LAST;
use cordon_base::error::EngineError;
use cordon_base::log::{EventLog, Level, one_line};

/// Messages of one place that may follow each other, and the time after which there may be
/// one more.
const BURST: u32 = 5;
const PERIOD: Duration = Duration::from_secs(10);

/// The event log of this process, once there is one.
static LOG: OnceLock<EventLog> = OnceLock::new();

/// Starts the diagnostics of this process.
pub(super) fn start() {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| "warn".into());
    let shown = fmt::layer()
        .with_writer(Paced::new(&LOG))
        // A message is one line that holds nothing but itself.
        .with_ansi(false)
        .log_internal_errors(false)
        .with_filter(filter);
    let told = ToLog::new(&LOG).with_filter(LevelFilter::WARN);
    tracing_subscriber::registry().with(shown).with(told).init();
}

/// From here on errors and warnings of the hub go into this log. Only the first log counts.
pub(super) fn tell(log: &EventLog) {
    let _ = LOG.set(log.clone());
}

/// Puts the reason for the end of the program into the log: it may have a file, and whoever reads
/// that sees no standard error.
pub(super) fn last_words(error: &EngineError) {
    if let Some(log) = LOG.get() {
        log.record(None, Level::Error, format!("the program ends: {error}"));
        log.flush_echo(LAST);
    }
}

/// Whether a message is one of the hub's own that the operator has to see.
fn is_told(message: &Metadata<'_>) -> bool {
    *message.level() <= tracing::Level::WARN && message.target().starts_with("cordon")
}

/// The pace of each place in the source.
#[derive(Default)]
struct Places(Mutex<HashMap<Identifier, Place>>);

impl Places {
    /// The number of messages of the same place that were left out before this one; `None` when
    /// this one is left out as well.
    fn take(&self, message: &Metadata<'_>) -> Option<u64> {
        let now = Instant::now();
        let mut places = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let place = places.entry(message.callsite());
        place.or_insert_with(|| Place::new(now)).take(now)
    }
}

/// The messages that a place in the source may still write.
struct Place {
    left: u32,
    filled: Instant,
    left_out: u64,
}

impl Place {
    fn new(now: Instant) -> Self {
        Self {
            left: BURST,
            filled: now,
            left_out: 0,
        }
    }

    /// The number of messages that were left out before this one; `None` when this one is
    /// left out as well.
    fn take(&mut self, now: Instant) -> Option<u64> {
        let periods = now.duration_since(self.filled).as_nanos() / PERIOD.as_nanos().max(1);
        if periods > 0 {
            let more = u32::try_from(periods).unwrap_or(u32::MAX);
            self.left = self.left.saturating_add(more).min(BURST);
            self.filled = now;
        }
        match self.left.checked_sub(1) {
            Some(left) => {
                self.left = left;
                Some(std::mem::take(&mut self.left_out))
            }
            None => {
                self.left_out = self.left_out.saturating_add(1);
                None
            }
        }
    }
}

/// Puts messages into the event log.
struct ToLog {
    log: &'static OnceLock<EventLog>,
    places: Places,
}

impl ToLog {
    fn new(log: &'static OnceLock<EventLog>) -> Self {
        Self {
            log,
            places: Places::default(),
        }
    }
}

impl<S: Subscriber> Layer<S> for ToLog {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let message = event.metadata();
        let Some(log) = self.log.get().filter(|_| is_told(message)) else {
            return;
        };
        let Some(left_out) = self.places.take(message) else {
            return;
        };
        let mut words = Words::default();
        event.record(&mut words);
        let mut text = words.sentence();
        if left_out > 0 {
            // Writing to a string does not fail.
            let _ = write!(text, " ({left_out} messages like this one were left out)");
        }
        let level = match *message.level() {
            tracing::Level::ERROR => Level::Error,
            _ => Level::Warning,
        };
        log.record(None, level, text);
    }
}

/// The parts of a message.
#[derive(Default)]
struct Words {
    message: String,
    error: String,
    /// Other fields with their names.
    fields: String,
}

impl Words {
    fn put(&mut self, field: &Field, value: std::fmt::Arguments<'_>) {
        let (into, name) = match field.name() {
            "message" => (&mut self.message, None),
            "error" | "failure" => (&mut self.error, None),
            name => (&mut self.fields, Some(name)),
        };
        let _ = match name {
            None => write!(into, "{value}"),
            Some(name) if into.is_empty() => write!(into, "{name} {value}"),
            Some(name) => write!(into, ", {name} {value}"),
        };
    }

    /// The message with its fields in parentheses and the error at its end.
    fn sentence(self) -> String {
        let mut text = self.message;
        if !self.fields.is_empty() {
            let _ = write!(text, " ({})", self.fields);
        }
        if !self.error.is_empty() {
            let _ = write!(text, ": {}", self.error);
        }
        text
    }
}

impl Visit for Words {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.put(field, format_args!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.put(field, format_args!("{value}"));
    }
}

/// Standard error, for each place in the source within its rate.
struct Paced {
    log: &'static OnceLock<EventLog>,
    places: Places,
}

impl Paced {
    fn new(log: &'static OnceLock<EventLog>) -> Self {
        Self {
            log,
            places: Places::default(),
        }
    }
}

/// Where one message goes.
enum Paper {
    Shown(Stderr),
    LeftOut,
}

impl Write for Paper {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        match self {
            // A standard error that takes nothing is no reason to end: a failure to write could
            // only be reported there.
            Self::Shown(output) => {
                let text = String::from_utf8_lossy(bytes);
                let line = one_line(text.trim_end_matches('\n'));
                let _ = writeln!(output, "{line}");
                Ok(bytes.len())
            }
            Self::LeftOut => Ok(bytes.len()),
        }
    }

    fn flush(&mut self) -> std::io::Result<()> {
        match self {
            Self::Shown(output) => {
                let _ = output.flush();
                Ok(())
            }
            Self::LeftOut => Ok(()),
        }
    }
}

impl<'a> MakeWriter<'a> for Paced {
    type Writer = Paper;

    fn make_writer(&'a self) -> Paper {
        Paper::Shown(std::io::stderr())
    }

    fn make_writer_for(&'a self, message: &Metadata<'_>) -> Paper {
        if is_told(message) && self.log.get().is_some() {
            return Paper::LeftOut;
        }
        let mut output = std::io::stderr();
        match self.places.take(message) {
            None => return Paper::LeftOut,
            Some(0) => {}
            Some(count) => {
                // There is nobody to be told when this fails.
                let _ = writeln!(output, "({count} messages like the next one were left out)");
            }
        }
        Paper::Shown(output)
    }
}

#[cfg(test)]
mod tests {
    use cordon_base::log::LogCapacity;

    use super::*;

    #[test]
    fn a_message_that_comes_up_at_every_try_is_written_now_and_then() {
        let start = Instant::now();
        let mut place = Place::new(start);
        let (mut shown, mut counted) = (0, 0);
        for tenth in 0..1000_u32 {
            let now = start + Duration::from_millis(100) * tenth;
            if let Some(left_out) = place.take(now) {
                shown += 1;
                counted += left_out;
            }
        }
        // A hundred seconds.
        assert!((10..=15).contains(&shown), "{shown}");
        assert_eq!(counted + place.left_out + shown, 1000);
    }

    #[test]
    fn errors_and_warnings_of_the_hub_are_in_the_event_log() {
        static LOG: OnceLock<EventLog> = OnceLock::new();
        let log = EventLog::new(LogCapacity::default());
        let layer = ToLog::new(&LOG).with_filter(LevelFilter::WARN);
        let subscriber = tracing_subscriber::registry().with(layer);
        tracing::subscriber::with_default(subscriber, || {
            tracing::error!("before there is a log");
            assert!(LOG.set(log.clone()).is_ok());
            let error = std::io::Error::from(std::io::ErrorKind::StorageFull);
            tracing::error!(target: "cordon_store::worker", %error, "the store could not commit");
            tracing::warn!(target: "cordon::hub", folder = %"/a\nb", hardware = 3, "a folder stays");
            tracing::info!(target: "cordon_base", "not for the log");
            tracing::error!(target: "wasmtime", "somebody else's");
            for number in 0..100 {
                tracing::error!(target: "cordon_web", number, "again and again");
            }
        });
        let lines = log.tail(None, 100);
        let lines: Vec<_> = lines.iter().map(|it| it.message()).collect();
        let mut expected = vec![
            "Error: the store could not commit: no storage space".to_owned(),
            "Warning: a folder stays (folder /a\\nb, hardware 3)".to_owned(),
        ];
        let again = (0..BURST).map(|number| format!("Error: again and again (number {number})"));
        expected.extend(again);
        assert_eq!(lines, expected);
    }
}

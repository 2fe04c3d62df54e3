//! What the hub tells about itself on its standard error: within a rate.
//!
//! A full disk or an unreachable peer makes the same message come up at every try. Each
//! place in the source may write a few at once and one in ten seconds after that; the next
//! one that is written says how many were left out.

use std::collections::HashMap;
use std::io::{Stderr, Write};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use tracing::Metadata;
use tracing::callsite::Identifier;
use tracing_subscriber::fmt::MakeWriter;

use cordon_base::log::one_line;

/// Messages of one place that may follow each other, and the time after which there may be
/// one more.
const BURST: u32 = 5;
const PERIOD: Duration = Duration::from_secs(10);

/// Starts the diagnostics of this process.
pub(super) fn start() {
    tracing_subscriber::fmt()
        .with_env_filter(
            tracing_subscriber::EnvFilter::try_from_default_env().unwrap_or_else(|_| "warn".into()),
        )
        .with_writer(Paced::default())
        // A message is one line that holds nothing but itself.
        .with_ansi(false)
        .log_internal_errors(false)
        .init();
}

/// Standard error, for each place in the source within its rate.
#[derive(Default)]
struct Paced {
    places: Mutex<HashMap<Identifier, Place>>,
}

/// What a place in the source may still write.
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

/// Where one message goes.
enum Paper {
    Shown(Stderr),
    LeftOut,
}

impl Write for Paper {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        match self {
            // A standard error that takes nothing is no reason to end: what could not be
            // written would be complained of there.
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
        let now = Instant::now();
        let left_out = {
            let mut places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
            let place = places.entry(message.callsite());
            place.or_insert_with(|| Place::new(now)).take(now)
        };
        let mut output = std::io::stderr();
        match left_out {
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
}

//! The log of one plugin instance: bounded in lines per second and in line length.
//!
//! Whatever reaches the event log on a plugin's behalf goes through here: its own
//! lines, and what the hub has to say to its author. The hub's own lines are not
//! counted against the plugin, but they are few: they follow from its calls, so
//! each kind is told once per second at most.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::error::{Denied, LimitHit};
use crate::limits::Limits;
use crate::log::{EventLog, Level};

/// Time over which lines are averaged: the burst that is free.
const WINDOW: Duration = Duration::from_secs(10);

/// How often the same kind of refusal is told.
const REFUSAL_PERIOD: Duration = Duration::from_secs(1);

/// Writes to the event log in the name of one instance. Cheap to clone.
#[derive(Clone)]
pub struct PluginLog {
    inner: Arc<Inner>,
}

struct Inner {
    events: EventLog,
    name: String,
    lines_per_second: u64,
    line_bytes: u64,
    levels: u32,
    budget: Mutex<Budget>,
}

struct Budget {
    tokens: f64,
    filled: Instant,
    /// Lines dropped since the last that passed, and when that began.
    dropped: u64,
    dropping_since: Instant,
    told: HashMap<&'static str, Instant>,
}

/// Lines that were dropped, and over how long.
struct Gap {
    lines: u64,
    time: Duration,
}

impl PluginLog {
    /// A log for the hardware with this name.
    #[must_use]
    pub fn new(events: EventLog, name: &str, limits: &Limits) -> Self {
        Self::with_levels(events, name, limits, u32::MAX)
    }

    /// The same, for lines whose level is in this mask only (rule 177).
    #[must_use]
    pub fn with_levels(events: EventLog, name: &str, limits: &Limits, levels: u32) -> Self {
        let budget = Budget {
            tokens: burst(limits.log_lines),
            filled: Instant::now(),
            dropped: 0,
            dropping_since: Instant::now(),
            told: HashMap::new(),
        };
        Self {
            inner: Arc::new(Inner {
                events,
                name: name.to_owned(),
                lines_per_second: limits.log_lines,
                line_bytes: limits.log_line_bytes,
                levels,
                budget: Mutex::new(budget),
            }),
        }
    }

    /// A record from the plugin; the hardware's name is in parentheses when `core`.
    pub fn plugin(&self, core: bool, level: Level, text: &str) {
        // The mask is that of the hardware; what has no prefix is not filtered.
        if !core && bit(level) & self.inner.levels == 0 {
            return;
        }
        let Some(gap) = self.take_token() else {
            return;
        };
        if gap.lines > 0 {
            let limit = self.inner.lines_per_second;
            let per_second = gap.lines / gap.time.as_secs().max(1);
            let hit = Limits::hit(
                "log-lines-per-second",
                limit.saturating_add(per_second),
                limit,
            );
            self.hub(Level::Error, &format!("{} lines dropped: {hit}", gap.lines));
        }
        let text = self.cut(text);
        let name = &self.inner.name;
        if core {
            // Rule 18 wants no prefix; a line of a plugin must still not pass for
            // one of the hub's own.
            self.inner
                .events
                .record(None, level, format!("({name}) {text}"));
        } else {
            self.inner.events.record(Some(name), level, text);
        }
    }

    /// The name that its records have.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.inner.name
    }

    /// A line of the hub about this instance.
    pub fn hub(&self, level: Level, text: &str) {
        self.inner
            .events
            .record(Some(&self.inner.name), level, text);
    }

    /// Tells the author of a limit; the same one at most once per second.
    pub fn limit(&self, hit: &LimitHit) {
        if self.due(hit.which) {
            self.hub(Level::Error, &hit.to_string());
        }
    }

    /// Tells the author of a refusal; one per second at most, because it follows from
    /// what the plugin does. Each is in the exception that the plugin sees as well.
    pub fn denied(&self, denied: &Denied) {
        if self.due("denied") {
            self.hub(Level::Error, &denied.to_string());
        }
    }

    /// Tells the author that the hub has no stack for another thread, once per second at
    /// most.
    pub fn out_of_stacks(&self) {
        if self.due("stacks") {
            let line = "a thread was not started: threads of all plugins together have taken \
                        the stacks that the hub has for them; raise `instances` under [hub]";
            self.hub(Level::Error, line);
        }
    }

    fn due(&self, kind: &'static str) -> bool {
        let mut budget = self.budget();
        let now = Instant::now();
        match budget.told.get(kind) {
            Some(told) if now.duration_since(*told) < REFUSAL_PERIOD => false,
            _ => {
                budget.told.insert(kind, now);
                true
            }
        }
    }

    fn budget(&self) -> std::sync::MutexGuard<'_, Budget> {
        self.inner
            .budget
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// `None`: the line is dropped. Else what was dropped since the last.
    fn take_token(&self) -> Option<Gap> {
        let mut budget = self.budget();
        let now = Instant::now();
        #[allow(clippy::cast_precision_loss, reason = "a rate is far below 2^52")]
        let rate = self.inner.lines_per_second as f64;
        let earned = now.duration_since(budget.filled).as_secs_f64() * rate;
        budget.filled = now;
        budget.tokens = (budget.tokens + earned).min(burst(self.inner.lines_per_second));
        // After a drop the log stays shut until a second's worth is there, so
        // that the number of dropped lines is told once per second at most.
        let needed = if budget.dropped > 0 {
            rate.max(1.0)
        } else {
            1.0
        };
        if budget.tokens < needed {
            if budget.dropped == 0 {
                budget.dropping_since = now;
            }
            budget.dropped += 1;
            return None;
        }
        budget.tokens -= 1.0;
        Some(Gap {
            lines: std::mem::take(&mut budget.dropped),
            time: now.duration_since(budget.dropping_since),
        })
    }

    fn cut<'a>(&self, text: &'a str) -> &'a str {
        let limit = usize::try_from(self.inner.line_bytes).unwrap_or(usize::MAX);
        if text.len() <= limit {
            return text;
        }
        let used = u64::try_from(text.len()).unwrap_or(u64::MAX);
        self.limit(&Limits::hit("log-line-bytes", used, self.inner.line_bytes));
        let end = (0..=limit)
            .rev()
            .find(|end| text.is_char_boundary(*end))
            .unwrap_or(0);
        text.get(..end).unwrap_or_default()
    }
}

/// The bit of a level in the mask of a hardware, where debug lines are normal ones.
fn bit(level: Level) -> u32 {
    match level {
        Level::Debug => Level::Normal.mask(),
        level => level.mask(),
    }
}

#[allow(clippy::cast_precision_loss, reason = "a rate is far below 2^52")]
fn burst(lines_per_second: u64) -> f64 {
    lines_per_second as f64 * WINDOW.as_secs_f64()
}

//! The log of one plugin instance: bounded in lines per second and in line length.
//!
//! Every line that reaches the event log on a plugin's behalf goes through here: its own lines, and
//! the hub's lines for its author. Both are within the instance's rate, each with a bucket of its
//! own: a plugin that floods its log does not hide the hub's lines about it, and the lines that it
//! makes the hub write flood nothing either. Dropped lines are counted and their number is told,
//! also when nothing more is written.

use std::collections::HashMap;
use std::panic::Location;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};

use crate::error::{Denied, LimitHit};
use crate::hint::Origin;
use crate::limits::Limits;
use crate::log::{EventLog, Level};
use crate::notes::Notes;

/// Time over which lines are averaged: the burst that is free.
const WINDOW: Duration = Duration::from_secs(10);

/// How often the same kind of refusal is told.
const REFUSAL_PERIOD: Duration = Duration::from_secs(1);

/// Lines of one kind, those of one place in the hub's source, that may follow each other
/// at once; then there is one per second.
const SAME_KIND: f64 = 5.0;

/// Lines per second that the hub may write about an instance when its own rate is higher.
const HUB_LINES: u64 = 10;

/// Writes to the event log in the name of one instance. Cheap to clone.
#[derive(Clone)]
pub struct PluginLog {
    inner: Arc<Inner>,
}

struct Inner {
    events: EventLog,
    name: String,
    origin: Origin,
    lines_per_second: u64,
    line_bytes: u64,
    levels: u32,
    budget: Mutex<Budget>,
    notes: Notes,
}

struct Budget {
    /// For the plugin's own lines.
    own: Bucket,
    /// For lines of the hub about it, together and by their kind.
    hub: Bucket,
    kinds: HashMap<&'static Location<'static>, Bucket>,
    told: HashMap<&'static str, Instant>,
    /// Lines of the hub that were left out and not yet mentioned.
    left_out: u64,
    /// Own lines dropped since the last that passed, and when the dropping began.
    dropped: u64,
    dropping_since: Instant,
    /// Whether a task will tell of the dropped lines.
    reminded: bool,
}

/// Lines that may be written now, and how fast they come back.
struct Bucket {
    tokens: f64,
    per_second: f64,
    most: f64,
    filled: Instant,
}

impl Bucket {
    fn new(per_second: f64, most: f64) -> Self {
        Self {
            tokens: most,
            per_second,
            most,
            filled: Instant::now(),
        }
    }

    /// Takes a line out if there are at least `needed`.
    fn take(&mut self, needed: f64) -> bool {
        let now = Instant::now();
        let earned = now.duration_since(self.filled).as_secs_f64() * self.per_second;
        self.filled = now;
        self.tokens = (self.tokens + earned).min(self.most);
        let enough = self.tokens >= needed;
        if enough {
            self.tokens -= 1.0;
        }
        enough
    }
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
        Self::with_levels(events, name, limits, u32::MAX, Origin::default())
    }

    /// A log for the hardware with this name that writes only lines whose level is in this mask
    /// (rule 177), for an instance that comes from there.
    #[must_use]
    pub fn with_levels(
        events: EventLog,
        name: &str,
        limits: &Limits,
        levels: u32,
        origin: Origin,
    ) -> Self {
        let bucket = |rate: u64| Bucket::new(rate_of(rate), burst(rate));
        let budget = Budget {
            own: bucket(limits.log_lines),
            hub: bucket(limits.log_lines.min(HUB_LINES)),
            kinds: HashMap::new(),
            told: HashMap::new(),
            left_out: 0,
            dropped: 0,
            dropping_since: Instant::now(),
            reminded: false,
        };
        Self {
            inner: Arc::new(Inner {
                events,
                name: name.to_owned(),
                origin,
                lines_per_second: limits.log_lines,
                line_bytes: limits.log_line_bytes,
                levels,
                budget: Mutex::new(budget),
                notes: Notes::default(),
            }),
        }
    }

    /// A record from the plugin; the hardware's name is in parentheses when `core`.
    pub fn plugin(&self, core: bool, level: Level, text: &str) {
        if level == Level::Error {
            self.inner.notes.error(text);
        }
        // The mask is that of the hardware; a line without prefix is not filtered.
        if !core && bit(level) & self.inner.levels == 0 {
            return;
        }
        let Some(gap) = self.take_token() else {
            self.remind_later();
            return;
        };
        self.inner.tell(&gap);
        let text = self.cut(text);
        let name = &self.inner.name;
        if core {
            self.inner.events.record_core(name, level, text);
        } else {
            self.inner.events.record(Some(name), level, text);
        }
    }

    /// The last error of the plugin, and the wishes that it was refused.
    #[must_use]
    pub fn notes(&self) -> &Notes {
        &self.inner.notes
    }

    /// The name that its records have.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.inner.name
    }

    /// Where the instance comes from: the hints in lines about it follow from that.
    #[must_use]
    pub fn origin(&self) -> &Origin {
        &self.inner.origin
    }

    /// A line of the hub about this instance.
    ///
    /// Lines are kept within the instance's rate, because most of them follow from the plugin's
    /// acts: of lines from the same place in the source one per second after the first few, and no
    /// more in all than the plugin itself may write, or ten per second. Lines left out are counted
    /// and their number is told.
    #[track_caller]
    pub fn hub(&self, level: Level, text: &str) {
        let kind = Location::caller();
        let passes = {
            let mut budget = self.budget();
            let of_kind = budget
                .kinds
                .entry(kind)
                .or_insert_with(|| Bucket::new(1.0, SAME_KIND));
            of_kind.take(1.0) && budget.hub_line()
        };
        self.about(passes, level, text);
    }

    /// Tells the author of a limit, with the remedy; each limit at most once per second.
    pub fn limit(&self, hit: &LimitHit) {
        self.inner.notes.limit(hit);
        self.refusal(hit.which, || self.origin().limit(hit));
    }

    /// Tells the author of a refusal; one per second at most, because refusals follow from the
    /// plugin's acts. Each is in the exception that the plugin sees as well.
    pub fn denied(&self, denied: &Denied) {
        self.inner.notes.denied(denied);
        self.refusal("denied", || denied.to_string());
    }

    fn refusal(&self, kind: &'static str, words: impl FnOnce() -> String) {
        let passes = {
            let mut budget = self.budget();
            if !budget.due(kind) {
                return;
            }
            budget.hub_line()
        };
        if passes {
            self.about(true, Level::Error, &words());
        } else {
            self.about(false, Level::Error, "");
        }
    }

    /// Tells the author that the hub has no stack for another thread, once per second at
    /// most.
    pub fn out_of_stacks(&self) {
        let line = "a thread was not started: threads of all plugins together have taken \
                    the stacks that the hub has for them; raise `instances` under [hub]";
        self.refusal("stacks", || line.to_owned());
    }

    /// Writes a line of the hub, or counts it.
    fn about(&self, passes: bool, level: Level, text: &str) {
        if passes {
            self.inner
                .events
                .record_about(&self.inner.name, level, text);
            return;
        }
        {
            let mut budget = self.budget();
            budget.left_out = budget.left_out.saturating_add(1);
        }
        self.remind_later();
    }

    fn budget(&self) -> std::sync::MutexGuard<'_, Budget> {
        self.inner.budget()
    }

    /// `None`: the line is dropped. Else the lines dropped since the last one that passed.
    fn take_token(&self) -> Option<Gap> {
        let mut budget = self.budget();
        let passes = budget.own_line(self.inner.lines_per_second);
        if !passes {
            if budget.dropped == 0 {
                budget.dropping_since = Instant::now();
            }
            budget.dropped = budget.dropped.saturating_add(1);
            return None;
        }
        Some(budget.gap())
    }

    /// Makes sure that dropped lines are told of, whatever the plugin does next. Without a runtime,
    /// as in a test, its next line tells.
    fn remind_later(&self) {
        let Ok(runtime) = tokio::runtime::Handle::try_current() else {
            return;
        };
        if std::mem::replace(&mut self.budget().reminded, true) {
            return;
        }
        runtime.spawn(remind(Arc::downgrade(&self.inner)));
    }

    fn cut<'a>(&self, text: &'a str) -> &'a str {
        let limit = usize::try_from(self.inner.line_bytes).unwrap_or(usize::MAX);
        if text.len() <= limit {
            return text;
        }
        let used = u64::try_from(text.len()).unwrap_or(u64::MAX);
        self.limit(&Limits::hit("log-line-bytes", used, self.inner.line_bytes));
        text.get(..text.floor_char_boundary(limit))
            .unwrap_or_default()
    }
}

impl Budget {
    /// After a drop the log stays shut until a second's worth is there, so that the number
    /// of dropped lines is told once per second at most.
    fn own_line(&mut self, lines_per_second: u64) -> bool {
        let needed = match self.dropped {
            0 => 1.0,
            _ => rate_of(lines_per_second).max(1.0),
        };
        self.own.take(needed)
    }

    fn hub_line(&mut self) -> bool {
        self.hub.take(1.0)
    }

    fn gap(&mut self) -> Gap {
        Gap {
            lines: std::mem::take(&mut self.dropped),
            time: self.dropping_since.elapsed(),
        }
    }

    fn due(&mut self, kind: &'static str) -> bool {
        let now = Instant::now();
        match self.told.get(kind) {
            Some(told) if now.duration_since(*told) < REFUSAL_PERIOD => false,
            _ => {
                self.told.insert(kind, now);
                true
            }
        }
    }
}

impl Inner {
    fn budget(&self) -> std::sync::MutexGuard<'_, Budget> {
        self.budget.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells of dropped lines. At most once per second, so it passes always.
    fn tell(&self, gap: &Gap) {
        if gap.lines == 0 {
            return;
        }
        let limit = self.lines_per_second;
        let per_second = gap.lines / gap.time.as_secs().max(1);
        let used = limit.saturating_add(per_second);
        let hit = Limits::hit("log-lines-per-second", used, limit);
        let text = format!("{} lines dropped: {}", gap.lines, self.origin.limit(&hit));
        self.events.record_about(&self.name, Level::Error, &text);
    }
}

/// Tells of dropped lines as soon as there is room for it, unless a line of the plugin has done so.
async fn remind(log: Weak<Inner>) {
    loop {
        tokio::time::sleep(REFUSAL_PERIOD).await;
        let Some(log) = log.upgrade() else {
            return;
        };
        let (gap, left_out, done) = {
            let mut budget = log.budget();
            let tell = budget.dropped > 0 && budget.own_line(log.lines_per_second);
            let gap = tell.then(|| budget.gap());
            let tell = budget.left_out > 0 && budget.hub_line();
            let left_out = if tell {
                std::mem::take(&mut budget.left_out)
            } else {
                0
            };
            let done = budget.dropped == 0 && budget.left_out == 0;
            budget.reminded = !done;
            (gap, left_out, done)
        };
        if let Some(gap) = gap {
            log.tell(&gap);
        }
        if left_out > 0 {
            let text = format!("{left_out} lines of the hub about this plugin were left out");
            log.events.record_about(&log.name, Level::Error, &text);
        }
        if done {
            return;
        }
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
fn rate_of(lines_per_second: u64) -> f64 {
    lines_per_second as f64
}

fn burst(lines_per_second: u64) -> f64 {
    rate_of(lines_per_second) * WINDOW.as_secs_f64()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]
mod tests {
    use super::*;
    use crate::log::LogCapacity;

    fn log(lines: u64) -> (EventLog, PluginLog) {
        let events = EventLog::new(LogCapacity::default());
        let limits = Limits {
            log_lines: lines,
            ..Limits::default()
        };
        let log = PluginLog::new(events.clone(), "HW", &limits);
        (events, log)
    }

    fn texts(events: &EventLog) -> Vec<String> {
        let all = events.tail(None, usize::MAX);
        all.iter().map(|record| record.message()).collect()
    }

    #[tokio::test]
    async fn dropped_lines_are_told_when_the_plugin_falls_silent() {
        let (events, log) = log(2);
        for _ in 0..1000 {
            log.plugin(false, Level::Normal, "x");
        }
        assert_eq!(texts(&events).len(), 20);
        tokio::time::sleep(Duration::from_millis(2500)).await;
        let last = texts(&events).pop().unwrap();
        assert!(
            last.starts_with("Error: HW: 980 lines dropped: limit log-lines-per-second: "),
            "{last}"
        );
        assert!(!log.budget().reminded);
    }

    #[tokio::test]
    async fn lines_of_the_hub_are_within_a_rate_and_what_is_left_out_is_told() {
        let (events, log) = log(50);
        for n in 0..100_000 {
            log.hub(Level::Error, &format!("line {n}"));
        }
        assert!(texts(&events).len() <= 6, "{:?}", texts(&events));
        // Another kind of line has its own pace.
        log.hub(Level::Error, "something else");
        assert!(texts(&events).pop().unwrap().ends_with("something else"));
        tokio::time::sleep(Duration::from_secs(2)).await;
        let last = texts(&events).pop().unwrap();
        assert!(
            last.ends_with("lines of the hub about this plugin were left out"),
            "{last}"
        );
    }

    #[test]
    fn a_flood_of_its_own_lines_hides_nothing_that_the_hub_says() {
        let (events, log) = log(1);
        for _ in 0..100 {
            log.plugin(false, Level::Normal, "x");
        }
        log.hub(Level::Error, "parked");
        assert_eq!(texts(&events).pop().unwrap(), "Error: HW: parked");
    }

    #[test]
    fn what_the_hub_quotes_is_one_line() {
        let (events, log) = log(1);
        log.hub(
            Level::Error,
            "it said: a\n2026-01-01 00:00:00.000  Status: ready",
        );
        log.plugin(true, Level::Status, "core\nlog");
        let lines = texts(&events);
        assert!(!lines[0].contains('\n'), "{lines:?}");
        assert_eq!(lines[1], "Status: (HW) core\nlog");
        let core = events.tail(None, 1);
        assert_eq!(core[0].hardware.as_deref(), Some("HW"));
    }
}

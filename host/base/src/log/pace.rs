//! How many lines the hub itself may write.

use std::time::Instant;

/// Lines that may be written now, and how fast they come back; what was left out is
/// counted.
#[derive(Debug)]
pub(super) struct Pace {
    left: f64,
    most: f64,
    per_second: f64,
    filled: Instant,
    left_out: u64,
}

impl Pace {
    pub(super) fn new(most: u32, per_second: u32) -> Self {
        Self {
            left: most.into(),
            most: most.into(),
            per_second: per_second.into(),
            filled: Instant::now(),
            left_out: 0,
        }
    }

    /// Whether a line may be written; if not it is counted.
    pub(super) fn take(&mut self) -> bool {
        let passes = self.is_open();
        if passes {
            self.left -= 1.0;
        } else {
            self.left_out = self.left_out.saturating_add(1);
        }
        passes
    }

    /// The number of lines that were left out, as soon as there is room to tell; once.
    pub(super) fn left_out(&mut self) -> Option<u64> {
        let tells = self.left_out > 0 && self.is_open();
        tells.then(|| {
            self.left -= 1.0;
            std::mem::take(&mut self.left_out)
        })
    }

    /// After a loss nothing passes until a second's worth is there, so that losses are told
    /// once per second at most.
    fn is_open(&mut self) -> bool {
        let now = Instant::now();
        let earned = now.duration_since(self.filled).as_secs_f64() * self.per_second;
        self.filled = now;
        self.left = (self.left + earned).min(self.most);
        let needed = if self.left_out > 0 {
            self.per_second
        } else {
            1.0
        };
        self.left >= needed
    }
}

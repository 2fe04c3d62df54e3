//! What waits for its time.

/// Delayed actions.
#[derive(Default)]
pub struct Timers {}

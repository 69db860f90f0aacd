//! How much is measured.

use std::time::Duration;

/// The size of a run.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// How often each side has its turn.
    pub rounds: usize,
    /// Calls in each turn.
    pub calls: usize,
    /// Times that a card changes hands, a wait is cancelled, a card is inserted.
    pub events: usize,
    /// The same for pcscd, where one takes a tenth of a second.
    pub slow_events: usize,
    /// How long clients loop for fairness, and how long each attack lasts.
    pub loops: Duration,
    /// How long nothing may happen.
    pub idle: Duration,
    /// How long the daemon has to come to rest before.
    pub settle: Duration,
    /// The most readers and contexts in one daemon.
    pub crowd: (usize, usize),
    /// Starts and stops.
    pub starts: usize,
}

impl Plan {
    /// What docs/performance.md is made of: some minutes.
    #[must_use]
    pub const fn full() -> Self {
        Self {
            rounds: 15,
            calls: 2_000,
            events: 1_000,
            slow_events: 40,
            loops: Duration::from_secs(3),
            idle: Duration::from_secs(30),
            settle: Duration::from_secs(7),
            crowd: (1_000, 10_000),
            starts: 15,
        }
    }

    /// Enough to see that everything is measured: half a minute.
    #[must_use]
    pub const fn quick() -> Self {
        Self {
            rounds: 3,
            calls: 100,
            events: 30,
            slow_events: 4,
            loops: Duration::from_millis(300),
            idle: Duration::from_millis(500),
            settle: Duration::from_millis(200),
            crowd: (20, 200),
            starts: 3,
        }
    }
}

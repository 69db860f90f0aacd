//! On what was measured.

use std::fs;

use serde::{Deserialize, Serialize};

/// The machine, as it says itself.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Machine {
    /// The processor's name.
    pub processor: String,
    /// How many processors there are.
    pub processors: usize,
    /// The kernel's release.
    pub kernel: String,
    /// The distribution.
    pub system: String,
    /// How many processes wanted to run during the last minute, on average, before the run.
    pub load_before: f64,
    /// The same after it. The run itself keeps one to two processors busy.
    pub load_after: f64,
}

impl Machine {
    /// This one, now.
    #[must_use]
    pub fn here() -> Self {
        let read = |file: &str| fs::read_to_string(file).unwrap_or_default();
        let field = |text: &str, name: &str, between: char| {
            let line = text.lines().find(|line| line.starts_with(name));
            let value = line.and_then(|line| line.split_once(between));
            value.map_or("unknown", |(_, value)| value.trim().trim_matches('"')).to_owned()
        };
        Self {
            processor: field(&read("/proc/cpuinfo"), "model name", ':'),
            processors: std::thread::available_parallelism().map_or(1, usize::from),
            kernel: read("/proc/sys/kernel/osrelease").trim().to_owned(),
            system: field(&read("/etc/os-release"), "PRETTY_NAME", '='),
            load_before: load(),
            load_after: 0.0,
        }
    }

    /// Whether others used so much of it that absolute times mean little.
    #[must_use]
    pub fn was_busy(&self) -> bool {
        self.load_before > 0.5
    }
}

/// The load of the last minute.
#[must_use]
pub fn load() -> f64 {
    let text = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split(' ').next().and_then(|load| load.parse().ok()).unwrap_or(0.0)
}

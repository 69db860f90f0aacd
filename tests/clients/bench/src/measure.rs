//! The measurements, one file each.

mod attacks;
mod calls;
mod crowd;
mod flat;
mod idle;
mod life;
mod path;
mod turns;
mod waking;

use crate::plan::Plan;
use crate::report::{Figure, Table};

/// What one measurement found.
#[derive(Debug, Default)]
pub struct Found {
    /// Against bars.
    pub figures: Vec<Figure>,
    /// Beside them.
    pub tables: Vec<Table>,
}

/// What there is to measure with.
#[derive(Clone, Copy, Debug)]
pub struct Means {
    /// How much of everything.
    pub plan: Plan,
    /// Whether Debian's pcscd can be run: it is installed, and we are root.
    pub pcscd: bool,
    /// Whether other users can be played.
    pub root: bool,
}

/// A measurement.
pub struct Measurement {
    /// For `--only`.
    pub name: &'static str,
    /// What is measured.
    pub what: &'static str,
    /// Does it.
    pub run: fn(&Means) -> Found,
}

/// All of them.
pub const MEASUREMENTS: &[Measurement] = &[
    Measurement { name: "path", what: "SCardTransmit beside a bare ping-pong", run: path::run },
    Measurement { name: "calls", what: "every call beside pcscd", run: calls::run },
    Measurement { name: "flat", what: "calls about one reader among many", run: flat::run },
    Measurement { name: "turns", what: "one card, many who want it", run: turns::run },
    Measurement {
        name: "waking",
        what: "from an event to those who wait for it",
        run: waking::run,
    },
    Measurement { name: "attacks", what: "one user attacks, another one works", run: attacks::run },
    Measurement { name: "idle", what: "nothing happens", run: idle::run },
    Measurement { name: "crowd", what: "many readers and contexts in one daemon", run: crowd::run },
    Measurement { name: "life", what: "start, stop, memory", run: life::run },
];

/// Why a side is not there.
const NO_PCSCD: &str = "needs Debian's pcscd and vpcd, and root";
const NO_ROOT: &str = "needs root, to be two users";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_measurement_has_a_name_of_its_own() {
        for (index, one) in MEASUREMENTS.iter().enumerate() {
            assert!(MEASUREMENTS[..index].iter().all(|other| other.name != one.name));
        }
    }
}

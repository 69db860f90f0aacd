//! What is due, and when. A core with nothing in here asks to be left alone.

use alloc::collections::BTreeSet;

use scard_types::Millis;

use crate::event::ReaderId;
use crate::queue::{Place, TicketKey};
use crate::status_change::WaitId;

/// What is to be done when its time has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Timer {
    /// A parked request has waited as long as it wants to.
    Patience(ReaderId, Place),
    /// A ticket lapses.
    Ticket(ReaderId, TicketKey),
    /// A wait for a status change ends.
    Wait(WaitId),
    /// A card that nobody uses loses its power.
    Rest(ReaderId),
    /// A transaction may have been held without use for as long as that is allowed.
    Idle(ReaderId),
}

/// All deadlines, in order.
#[derive(Default)]
pub(crate) struct Timers(BTreeSet<(Millis, Timer)>);

impl Timers {
    pub(crate) fn set(&mut self, at: Millis, timer: Timer) {
        self.0.insert((at, timer));
    }

    pub(crate) fn clear(&mut self, at: Millis, timer: Timer) {
        self.0.remove(&(at, timer));
    }

    /// The next deadline.
    pub(crate) fn next(&self) -> Option<Millis> {
        self.0.first().map(|(at, _)| *at)
    }

    /// Takes the earliest timer that is due.
    pub(crate) fn take_due(&mut self, now: Millis) -> Option<Timer> {
        if self.next()? > now {
            return None;
        }
        self.0.pop_first().map(|(_, timer)| timer)
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }
}

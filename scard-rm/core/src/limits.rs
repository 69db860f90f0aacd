//! What the resource manager grants to its users, and how long it waits.

use scard_types::Millis;

use crate::cache::CacheLimits;

/// How many of one kind of thing there may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quota {
    /// For one user. Root is not held to it, only to `total`.
    pub per_user: u32,
    /// For all users together.
    pub total: u32,
    /// The part of `total` that only root may use, so that an administrator always gets in.
    pub root_reserve: u32,
}

impl Quota {
    /// A quota from its three numbers.
    #[must_use]
    pub const fn new(per_user: u32, total: u32, root_reserve: u32) -> Self {
        Self { per_user, total, root_reserve }
    }
}

/// The limits of one resource manager.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Connections.
    pub connections: Quota,
    /// Contexts.
    pub contexts: Quota,
    /// Card handles.
    pub handles: Quota,
    /// Waits for a status change and registrations for one.
    pub waits: Quota,
    /// Requests that stand in the queue of a reader.
    pub parked: Quota,
    /// Unanswered requests of one connection; one more and the connection is closed.
    pub requests_per_connection: usize,
    /// Readers named in one wait for a status change.
    pub readers_per_wait: usize,
    /// How many slots the reader table has at least. Programs on the pcsc-lite wire break when it shrinks, also over
    /// a restart: the daemon keeps [`crate::Core::table_slots`] and gives it back here.
    pub table_slots: usize,
    /// How many resource managers there were before this one in the same place. Each begins to count events somewhere
    /// else, so that a program that knows the number of an earlier one sees a change.
    pub starts_before: u32,
    /// How long a card that nobody uses keeps its power.
    pub grace: Millis,
    /// How long a transaction may be held without use before it is ended and the card reset; 0 is for ever, and `None`
    /// is what contexts of that character are used to. A reader may have a limit of its own.
    pub idle_transaction: Option<Millis>,
    /// Who may change the system's entries of the database, beside root: the daemon's own user.
    pub administrator: u32,
    /// What the card cache keeps.
    pub cache: CacheLimits,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: Quota::new(512, 4_096, 64),
            contexts: Quota::new(1_024, 16_384, 128),
            handles: Quota::new(1_024, 16_384, 128),
            waits: Quota::new(1_024, 16_384, 128),
            parked: Quota::new(512, 8_192, 64),
            requests_per_connection: 256,
            readers_per_wait: 2_048,
            table_slots: 0,
            starts_before: 0,
            grace: Millis(5_000),
            idle_transaction: None,
            administrator: 0,
            cache: CacheLimits::default(),
        }
    }
}

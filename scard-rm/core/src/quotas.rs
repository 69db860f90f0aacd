//! Who has how much: a count per user and kind, held against the limits. No user's use lessens another's share.

use alloc::collections::BTreeMap;

use crate::limits::{Limits, Quota};

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Connection,
    Context,
    Handle,
    Wait,
    Parked,
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
struct Counts {
    connections: u32,
    contexts: u32,
    handles: u32,
    waits: u32,
    parked: u32,
}

impl Counts {
    const fn of(&mut self, kind: Kind) -> &mut u32 {
        match kind {
            Kind::Connection => &mut self.connections,
            Kind::Context => &mut self.contexts,
            Kind::Handle => &mut self.handles,
            Kind::Wait => &mut self.waits,
            Kind::Parked => &mut self.parked,
        }
    }
}

/// The books.
#[derive(Default)]
pub(crate) struct Quotas {
    users: BTreeMap<u32, Counts>,
    all: Counts,
}

/// The user whom nobody but the total limits.
pub(crate) const ROOT: u32 = 0;

impl Quotas {
    /// Whether `uid` may have one more.
    pub(crate) fn has_room(&self, limits: &Limits, uid: u32, kind: Kind) -> bool {
        let Quota { per_user, total, root_reserve } = limit(limits, kind);
        let all = *self.all.clone().of(kind);
        if uid == ROOT {
            return all < total;
        }
        let own = self.users.get(&uid).copied().map_or(0, |mut counts| *counts.of(kind));
        own < per_user && all < total.saturating_sub(root_reserve)
    }

    /// Counts one more, if there is room.
    pub(crate) fn take(&mut self, limits: &Limits, uid: u32, kind: Kind) -> bool {
        let room = self.has_room(limits, uid, kind);
        if room {
            *self.users.entry(uid).or_default().of(kind) += 1;
            *self.all.of(kind) += 1;
        }
        room
    }

    /// Counts one less. A user with nothing leaves no trace.
    pub(crate) fn give_back(&mut self, uid: u32, kind: Kind) {
        let Some(counts) = self.users.get_mut(&uid) else { return };
        let own = counts.of(kind);
        *own = own.saturating_sub(1);
        if *counts == Counts::default() {
            self.users.remove(&uid);
        }
        let all = self.all.of(kind);
        *all = all.saturating_sub(1);
    }

    /// How many of a kind there are.
    pub(crate) fn count(&self, kind: Kind) -> usize {
        usize::try_from(*self.all.clone().of(kind)).unwrap_or(usize::MAX)
    }

    /// How many users have anything.
    pub(crate) fn users(&self) -> usize {
        self.users.len()
    }
}

const fn limit(limits: &Limits, kind: Kind) -> Quota {
    match kind {
        Kind::Connection => limits.connections,
        Kind::Context => limits.contexts,
        Kind::Handle => limits.handles,
        Kind::Wait => limits.waits,
        Kind::Parked => limits.parked,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn small() -> Limits {
        Limits { contexts: Quota::new(2, 5, 1), ..Limits::default() }
    }

    #[test]
    fn one_user_cannot_take_the_share_of_another() {
        let (limits, mut quotas) = (small(), Quotas::default());
        let mut take = |uid| quotas.take(&limits, uid, Kind::Context);
        assert_eq!([take(7), take(7), take(7)], [true, true, false]);
        assert_eq!([take(8), take(8)], [true, true]);
    }

    #[test]
    fn the_reserve_is_for_root_alone() {
        let (limits, mut quotas) = (small(), Quotas::default());
        let mut take = |uid| quotas.take(&limits, uid, Kind::Context);
        assert_eq!([take(7), take(7), take(8), take(8)], [true; 4]);
        assert_eq!([take(9), take(0), take(0)], [false, true, false]);
    }

    #[test]
    fn what_is_given_back_can_be_taken_again_and_leaves_no_trace() {
        let (limits, mut quotas) = (small(), Quotas::default());
        assert!(quotas.take(&limits, 7, Kind::Context));
        assert!(quotas.take(&limits, 7, Kind::Handle));
        quotas.give_back(7, Kind::Context);
        assert_eq!(quotas.users(), 1);
        quotas.give_back(7, Kind::Handle);
        assert_eq!((quotas.users(), quotas.count(Kind::Context)), (0, 0));
        quotas.give_back(7, Kind::Handle);
        assert_eq!(quotas.count(Kind::Handle), 0);
    }
}

//! What has to hold after every step, and when all have gone.

use scard_core::{Action, Event, RequestId};
use scard_types::Millis;
use scard_types::call::{Answer, Call, ReaderDescription, Reply, Sharing};

use super::{OBSERVER, PLACES, World};

impl World {
    pub(super) fn check(&mut self) {
        let census = self.core.census();
        let seats = || self.seats.iter().flatten();
        let mine = [census.clients, census.contexts, census.handles];
        assert_eq!(census.counted[..3], mine, "the books are wrong: {census:?}");
        assert_eq!(census.counted[3], census.waits + census.watchers, "{census:?}");
        assert_eq!(census.counted[4], census.parked, "{census:?}");
        assert_eq!(census.clients, 1 + seats().count(), "{census:?}");
        assert_eq!(census.readers, self.readers.len(), "{census:?}");
        let contexts: usize = seats().map(|seat| seat.contexts.len()).sum();
        assert_eq!(census.contexts, contexts, "{census:?}");
        // A handle may be closed a moment before its owner is told.
        let handles: usize = seats().map(|seat| seat.handles.len()).sum();
        assert!(census.handles <= handles, "{census:?}");
        let open: usize = seats().map(|seat| seat.open.len()).sum();
        assert!(census.waits + census.parked <= open, "{open} wait for an answer: {census:?}");

        for ReaderDescription { entry, holders, .. } in self.look() {
            let inside = holders.iter().filter(|holder| holder.in_transaction).count();
            assert!(inside <= 1, "{inside} are in a transaction");
            let alone = entry.sharing != Sharing::Exclusive || holders.len() == 1;
            assert!(alone, "exclusive among {}", holders.len());
            let known = self.readers.values().any(|reader| reader.name == entry.name.as_str());
            assert!(known, "{} was invented", entry.name);
        }
    }

    /// Numbers that are given out are nobody else's.
    pub(super) fn check_numbers(&self, at: usize, reply: &Reply) {
        for (seat, other) in self.seats.iter().enumerate() {
            let Some(other) = other else { continue };
            let taken = match reply {
                Ok(Answer::Context(context)) => other.contexts.contains(context),
                Ok(Answer::Connected { card, .. }) => other.handles.contains_key(card),
                _ => false,
            };
            assert!(!taken, "seat {at} is given a number of seat {seat}");
        }
    }

    /// The readers, through the eyes of the observer.
    fn look(&mut self) -> Vec<ReaderDescription> {
        let (client, request, call) = (OBSERVER, RequestId(1), Call::DescribeReaders);
        let mut actions = Vec::new();
        self.core.handle(Millis(self.now), Event::Request { client, request, call }, &mut actions);
        match actions.pop() {
            Some(Action::Reply {
                client: OBSERVER, reply: Ok(Answer::Described(readers)), ..
            }) if actions.is_empty() => readers,
            other => panic!("the observer is told {other:?} after {actions:?}"),
        }
    }

    /// Everybody goes, the slots finish, time passes; then nothing is left.
    pub(super) fn end(&mut self) {
        for at in 0..self.seats.len() {
            self.die(at);
            self.settle();
            self.check();
        }
        for _ in 0..8 {
            for place in 0..PLACES {
                self.finish(place, None);
            }
            self.settle();
        }
        self.pass(60_000);
        for place in 0..PLACES {
            self.finish(place, None);
        }
        self.settle();
        let census = self.core.census();
        let left = census.contexts + census.handles + census.waits + census.watchers;
        let left = left + census.subscribers + census.parked + census.tickets + census.timers;
        assert!(left == 0 && census.users == 1, "something is left: {census:?}");
        assert_eq!(self.core.deadline(), None, "a deadline that nobody asked for");
        let at_work = self.readers.values().filter(|reader| reader.work.is_some()).count();
        assert_eq!(at_work, 0, "a slot works for nobody");
    }
}

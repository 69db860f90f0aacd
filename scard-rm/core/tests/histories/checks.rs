//! What has to hold after every step, and when all have gone.

use scard_types::CardState;
use scard_types::call::{ReaderDescription, ReaderEntry, Sharing};
use scard_types::status_change::{CHANGED, compare, is_pnp_reader};

use crate::model::{Asked, Check, ensure};
use crate::world::World;

/// How long some calls may be kept waiting.
const PATIENCE_MS: u64 = 100;

impl World {
    /// After every step.
    pub(crate) fn check(&self, before: &[ReaderDescription]) -> Check {
        self.check_census()?;
        ensure!(self.seen.len() == self.model.readers.len(), "readers were lost or invented");
        for (id, reader) in &self.model.readers {
            let seen = self.seen.iter().find(|seen| seen.entry.name.as_str() == reader.name);
            let seen = seen.ok_or(format!("{} is not in the table", reader.name))?;
            self.check_reader(*id, seen).map_err(|text| format!("{}: {text}", reader.name))?;
        }
        self.check_waits()?;
        self.check_watchers(before)?;
        let due = self.core.deadline().is_some_and(|at| at.0 <= self.now);
        ensure!(!due, "a deadline has passed and nobody did anything");
        Ok(())
    }

    fn check_census(&self) -> Check {
        let census = self.core.census();
        let seats = || self.seats.iter().flatten();
        let counts = [census.clients, census.contexts, census.handles];
        ensure!(census.counted[..3] == counts, "the books are wrong: {census:?}");
        ensure!(
            census.counted[3] == census.waits + census.watchers + census.tracers,
            "waits: {census:?}"
        );
        ensure!(census.counted[4] == census.parked, "parked: {census:?}");
        ensure!(census.clients == seats().count() + 1, "clients: {census:?}");
        ensure!(census.contexts == self.model.contexts.len(), "contexts: {census:?}");
        let closing: usize = self.model.readers.keys().map(|id| self.closing_at(*id)).sum();
        let handles = self.model.handles.len();
        let possible = handles - closing..=handles;
        ensure!(possible.contains(&census.handles), "{handles} handles: {census:?}");
        let waits = seats()
            .flat_map(|seat| seat.pending.values())
            .filter(|pending| matches!(pending.asked, Asked::StatusChange { .. }))
            .count();
        ensure!(census.waits == waits, "{waits} wait: {census:?}");
        let watching = seats().filter(|seat| seat.watching).count();
        ensure!(census.watchers == watching, "{watching} watch: {census:?}");
        let subscribed = seats().filter(|seat| seat.replica.is_some()).count();
        ensure!(census.subscribers == subscribed, "{subscribed} subscribed: {census:?}");
        Ok(())
    }

    fn check_reader(&self, id: u64, seen: &ReaderDescription) -> Check {
        let Some(reader) = self.model.readers.get(&id) else { return Ok(()) };
        let entry = &seen.entry;
        let unpublished = reader.present && entry.state == CardState::Absent;
        let counted = reader.events - u32::from(unpublished);
        ensure!(entry.event_counter == counted, "{counted} events, not {}", entry.event_counter);
        ensure!(reader.present || entry.state == CardState::Absent, "a card that is not there");
        let idle = reader.work.is_none();
        ensure!(!(idle && unpublished), "a card was lost");
        ensure!(!(idle && reader.reset_expected), "the card of a dead holder was not reset");

        let inside = seen.holders.iter().filter(|holder| holder.in_transaction).count();
        ensure!(inside <= 1, "{inside} are in a transaction");
        let alone = entry.sharing != Sharing::Exclusive || seen.holders.len() == 1;
        ensure!(alone, "exclusive among {}", seen.holders.len());
        let handles = self.model.handles_of(id).count();
        let possible = handles - self.closing_at(id)..=handles;
        ensure!(possible.contains(&seen.holders.len()), "{} of {handles}", seen.holders.len());

        let holder = reader.lock.map(|lock| lock.0);
        let implicit = u32::from(reader.exclusive.is_some());
        let explicit = reader.lock.is_some_and(|lock| lock.1 > implicit);
        let leaving =
            self.pending_at(id).any(|(_, p)| p.asked.card() == holder && p.asked.disposes());
        ensure!(leaving || explicit == (inside == 1), "the transaction is not who holds it");

        if let Some(limit) = self.model.idle_limit_of(reader).filter(|_| idle) {
            ensure!(self.now < reader.used + limit, "idle since {}, not ended", reader.used);
        }

        for (_, pending) in self.pending_at(id) {
            let card = pending.asked.card();
            let blocked = holder.is_some() && holder != card;
            if idle {
                ensure!(blocked, "{pending:?} waits for nothing");
                ensure!(card.is_some() || reader.exclusive.is_none(), "{pending:?} waits for ever");
            }
            let hasty = matches!(
                pending.asked,
                Asked::Transmit { .. } | Asked::Status { .. } | Asked::Reconnect { .. }
            );
            let since = pending.since.max(reader.locked_since);
            if blocked && hasty && !leaving {
                ensure!(self.now <= since + PATIENCE_MS, "{pending:?} was not sent back");
            }
            let never = matches!(pending.asked, Asked::Control { .. } | Asked::GetAttribute { .. });
            ensure!(!(blocked && never && idle), "{pending:?} was kept waiting");
        }
        Ok(())
    }

    /// Whoever waits knows how things are: what differs from it would have been told.
    fn check_waits(&self) -> Check {
        for seat in self.seats.iter().flatten() {
            for pending in seat.pending.values() {
                let Asked::StatusChange { known, timeout_ms, .. } = &pending.asked else {
                    continue;
                };
                for known in known {
                    let entry =
                        self.seen.iter().find(|seen| seen.entry.name.as_str() == known.name);
                    let changed = if is_pnp_reader(&known.name) {
                        self.model.reader_events != pending.reader_events
                    } else {
                        let seen = compare(known.current_state, entry.map(|seen| &seen.entry));
                        seen.event_state & CHANGED != 0
                    };
                    ensure!(!changed, "{pending:?} was not told of {known:?}");
                }
                let over =
                    timeout_ms.is_some_and(|span| self.now >= pending.since + u64::from(span));
                ensure!(!over, "{pending:?} is over");
            }
        }
        Ok(())
    }

    fn check_watchers(&self, before: &[ReaderDescription]) -> Check {
        let public = |readers: &[ReaderDescription]| -> Vec<_> {
            readers.iter().map(|reader| published(&reader.entry)).collect()
        };
        let now = public(&self.seen);
        let changed = now != public(before);
        for seat in self.seats.iter().flatten() {
            ensure!(!(changed && seat.watching), "client {} was not told", seat.client);
            let Some(replica) = &seat.replica else { continue };
            let mut replica: Vec<_> = replica.values().map(published).collect();
            let mut now = now.clone();
            replica.sort_by(|a, b| a.name.cmp(&b.name));
            now.sort_by(|a, b| a.name.cmp(&b.name));
            ensure!(replica == now, "a subscriber believes {replica:?}, it is {now:?}");
        }
        Ok(())
    }

    /// When everybody has gone: nothing is left, nothing runs.
    pub(crate) fn check_quiet(&self) -> Check {
        let census = self.core.census();
        let left = census.contexts + census.handles + census.waits + census.watchers;
        let left = left
            + census.subscribers
            + census.tracers
            + census.parked
            + census.tickets
            + census.timers;
        ensure!(left == 0 && census.users == 1, "something is left: {census:?}");
        ensure!(self.core.deadline().is_none(), "a deadline that nobody asked for");
        for reader in self.model.readers.values() {
            ensure!(reader.work.is_none(), "{} still works", reader.name);
            ensure!(!reader.powered, "the card in {} still has power", reader.name);
        }
        Ok(())
    }
}

/// An entry without what is not told of: the protocol.
fn published(entry: &ReaderEntry) -> ReaderEntry {
    let state = match entry.state {
        CardState::Specific => CardState::Negotiable,
        other => other,
    };
    ReaderEntry { protocol: None, state, ..entry.clone() }
}

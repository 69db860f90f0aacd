//! Transactions, and the queue of those who want to come to the card.
//!
//! One handle at a time is in a transaction; the others stand in the reader's queue in the order they came. Nobody
//! polls: what ends a transaction serves the next in line.

use scard_types::call::{Answer, CardHandle};
use scard_types::{Disposition, Millis, ScardCode};

use crate::Core;
use crate::dispositions::Goal;
use crate::event::ReaderId;
use crate::queue::{Asker, Op, Place, TicketKey, Waiting, Who};
use crate::quotas::Kind;
use crate::requests::{Outcome, Whereabouts};
use crate::rules;
use crate::timers::Timer;

/// A transaction. An exclusive handle is in one of depth 1 by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Lock {
    pub(crate) holder: CardHandle,
    pub(crate) depth: u32,
    /// When its holder last did anything with the card.
    pub(crate) used: Millis,
    /// When it is next looked at whether it is idle for too long.
    pub(crate) idle_at: Option<Millis>,
}

impl Lock {
    const fn new(holder: CardHandle, now: Millis) -> Self {
        Self { holder, depth: 1, used: now, idle_at: None }
    }
}

impl Core {
    /// Puts a request into the queue of its reader and serves it if its turn has come.
    pub(crate) fn line_up(&mut self, id: ReaderId, mut waiting: Waiting) -> Outcome {
        let Some(client) = self.clients.get_mut(&waiting.asker.client) else {
            return Outcome::Later;
        };
        let Some(reader) = self.readers.get_mut(&id) else {
            return Outcome::Now(Err(ScardCode::ReaderUnavailable.into()));
        };
        let asking = rules::Asking {
            wire: client.wire,
            has_other_handles: client.handles > u32::from(waiting.handle.is_some()),
        };
        let uid = client.peer.uid;
        let asker = waiting.asker;
        waiting.patience = rules::patience(asking, waiting.op.kind());
        let handle = waiting.handle;
        let held_up = reader.lock.is_some_and(|lock| handle != Some(lock.holder));
        if held_up && waiting.patience == Some(Millis(0)) {
            return Outcome::refused(self.sharing_violation(id, asker.client, handle));
        }
        let patience = waiting.patience;
        let key = waiting.ticket_key();
        let (place, ticket) = reader.queue.join(waiting);
        client.requests.insert(asker.request, Whereabouts::Parked(id, place));
        if let Some(lapses) = ticket {
            self.timers.clear(lapses, Timer::Ticket(id, key));
            self.ticket_lapsed(id, key);
        }
        self.pump(id);

        let Some(reader) = self.readers.get_mut(&id) else { return Outcome::Later };
        let held_up = reader.lock.is_some_and(|lock| handle != Some(lock.holder));
        let Some(waiting) = reader.queue.get_mut(place) else { return Outcome::Later };
        if !self.quotas.take(&self.limits, uid, Kind::Parked) {
            self.unpark(id, place);
            return Outcome::Now(Err(ScardCode::NoMemory.into()));
        }
        waiting.counted = true;
        match patience {
            Some(patience) if held_up && waiting.deadline.is_none() => {
                self.hurry(id, place, patience);
            }
            Some(_) | None => {}
        }
        Outcome::Later
    }

    /// Takes a request out of the queue; its answer is still owed.
    pub(crate) fn unpark(&mut self, id: ReaderId, place: Place) -> Option<Waiting> {
        let waiting = self.readers.get_mut(&id)?.queue.leave(place)?;
        if let Some(at) = waiting.deadline {
            self.timers.clear(at, Timer::Patience(id, place));
        }
        if let Some(client) = self.clients.get_mut(&waiting.asker.client) {
            if waiting.counted && !cfg!(scard_fault = "quota_leak") {
                self.quotas.give_back(client.peer.uid, Kind::Parked);
            }
            client.requests.insert(waiting.asker.request, Whereabouts::Here);
        }
        Some(waiting)
    }

    /// Answers a parked request with a code.
    pub(crate) fn refuse_parked(&mut self, id: ReaderId, place: Place, code: ScardCode) {
        if let Some(waiting) = self.unpark(id, place) {
            self.reply(waiting.asker, Err(code.into()));
        }
    }

    fn hurry(&mut self, id: ReaderId, place: Place, patience: Millis) {
        let Some(reader) = self.readers.get_mut(&id) else { return };
        let deadline = self.now + patience;
        reader.queue.hurry(place, deadline);
        self.timers.set(deadline, Timer::Patience(id, place));
    }

    /// A handle enters a transaction, or a further level of it. The time of those who are in a hurry begins to run.
    pub(crate) fn enter(&mut self, id: ReaderId, card: CardHandle) {
        let Some(reader) = self.readers.get_mut(&id) else { return };
        match &mut reader.lock {
            Some(lock) if lock.holder == card => {
                lock.depth = lock.depth.saturating_add(1);
                return;
            }
            _ => reader.lock = Some(Lock::new(card, self.now)),
        }
        for place in reader.queue.unhurried_strangers(card) {
            let patience = self
                .readers
                .get(&id)
                .and_then(|reader| reader.queue.get(place))
                .and_then(|waiting| waiting.patience);
            match patience {
                Some(Millis(0)) => self.refuse_violator(id, place),
                Some(_) if cfg!(scard_fault = "endless_patience") => {}
                Some(patience) => self.hurry(id, place, patience),
                None => {}
            }
        }
        self.watch_idleness(id);
    }

    /// A handle leaves one level of its transaction.
    pub(crate) fn leave(&mut self, id: ReaderId, card: CardHandle) {
        let Some(reader) = self.readers.get_mut(&id) else { return };
        let Some(lock) = reader.lock.as_mut().filter(|lock| lock.holder == card) else { return };
        lock.depth -= 1;
        if lock.depth == 0 {
            self.unlock(id);
        }
    }

    /// The card is gone, and every transaction with it; what an exclusive handle has by itself stays.
    pub(crate) fn drop_transaction(&mut self, id: ReaderId) {
        self.unlock(id);
        let Some(reader) = self.readers.get_mut(&id) else { return };
        reader.lock = reader.exclusive.map(|holder| Lock::new(holder, self.now));
    }

    /// `SCardBeginTransaction` when its turn has come.
    pub(crate) fn begin(&mut self, id: ReaderId, waiting: &Waiting) {
        if let Some(card) = waiting.handle {
            self.enter(id, card);
            self.reply(waiting.asker, Ok(Answer::Done));
        }
    }

    /// Whether `card` is in a transaction that it may end, and if not, what it is told.
    ///
    /// DIFFERS: outside of a transaction pcscd resets the card all the same before it says that there was none.
    pub(crate) fn may_end(
        &mut self,
        id: ReaderId,
        asker: Asker,
        card: CardHandle,
    ) -> Result<(), ScardCode> {
        let reader = self.readers.get(&id).ok_or(ScardCode::ReaderUnavailable)?;
        let implicit = u32::from(reader.exclusive == Some(card));
        match reader.lock {
            Some(lock) if lock.holder == card && lock.depth > implicit => Ok(()),
            Some(lock) if lock.holder != card => {
                match rules::end_of_a_foreign_transaction(self.character_of(card)) {
                    ScardCode::SharingViolation => {
                        Err(self.sharing_violation(id, asker.client, Some(card)))
                    }
                    code => Err(code),
                }
            }
            Some(_) | None => Err(ScardCode::NotTransacted),
        }
    }

    /// `SCardEndTransaction` without anything to be done to the card: at once, whatever the slot does.
    pub(crate) fn end_and_leave(&mut self, id: ReaderId, asker: Asker, card: CardHandle) {
        if let Err(code) = self.may_end(id, asker, card) {
            return self.reply(asker, Err(code.into()));
        }
        self.leave(id, card);
        self.reply(asker, Ok(Answer::Done));
        if !cfg!(scard_fault = "lost_wake_up") {
            self.pump(id);
        }
    }

    /// `SCardEndTransaction` with something to be done, when the slot is free. It is done even if further levels
    /// remain, and every handle is marked, the caller's too.
    pub(crate) fn end_and_dispose(
        &mut self,
        id: ReaderId,
        waiting: &Waiting,
        disposition: Disposition,
    ) {
        let Some(card) = waiting.handle else { return };
        if let Err(code) = self.may_end(id, waiting.asker, card) {
            return self.reply(waiting.asker, Err(code.into()));
        }
        self.leave(id, card);
        self.dispose(id, waiting.asker, disposition, Goal::Stay(card));
    }

    /// A parked request has waited as long as it wants to. One that nobody holds up any more waits on for the slot; a
    /// disconnect closes its handle and leaves the card to the one in the transaction.
    ///
    /// DIFFERS: in pcscd a disconnect with reset waits for ever, even for its own program.
    pub(crate) fn patience_ended(&mut self, id: ReaderId, place: Place) {
        let Some(reader) = self.readers.get_mut(&id) else { return };
        let Some(waiting) = reader.queue.get(place) else { return };
        let held_up = reader.lock.is_some_and(|lock| waiting.handle != Some(lock.holder));
        if !held_up && !matches!(waiting.op, Op::Status) {
            return reader.queue.calm(place);
        }
        let Some(waiting) = self.unpark(id, place) else { return };
        match waiting.op {
            Op::Status if !held_up => self.serve(id, waiting),
            Op::Disconnect { .. } => self.disconnect_and_leave(id, &waiting),
            _ => self.send_back(id, place, &waiting),
        }
    }

    /// The client is told to try again, and finds its place when it does.
    fn send_back(&mut self, id: ReaderId, place: Place, waiting: &Waiting) {
        let key = waiting.ticket_key();
        if rules::keeps_a_ticket(key.kind) {
            let lapses = self.now + rules::TICKET;
            if let Some(reader) = self.readers.get_mut(&id) {
                if let Some(old) = reader.queue.keep(key, place, lapses) {
                    self.timers.clear(old, Timer::Ticket(id, key));
                }
                self.timers.set(lapses, Timer::Ticket(id, key));
            }
            if let Who::Context(context) = key.who {
                if let Some(context) = self.contexts.get_mut(&context) {
                    context.connect_tickets.insert(id);
                }
            }
        }
        let code = self.sharing_violation(id, waiting.asker.client, waiting.handle);
        self.reply(waiting.asker, Err(code.into()));
    }

    /// A ticket was used, or not in time.
    pub(crate) fn ticket_lapsed(&mut self, id: ReaderId, key: TicketKey) {
        if let Some(reader) = self.readers.get_mut(&id) {
            reader.queue.forget(key);
        }
        if let Who::Context(context) = key.who {
            if let Some(context) = self.contexts.get_mut(&context) {
                context.connect_tickets.remove(&id);
            }
        }
    }

    pub(crate) fn forget_tickets(&mut self, id: ReaderId, who: Who) {
        let Some(reader) = self.readers.get_mut(&id) else { return };
        for key in reader.queue.tickets_of(who) {
            if let Some(lapses) = reader.queue.forget(key) {
                self.timers.clear(lapses, Timer::Ticket(id, key));
            }
        }
    }
}

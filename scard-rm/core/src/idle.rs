//! Transactions that are held and not used: where a limit is set, they end.
//!
//! Use is a call of the holder, from its arrival to its answer. A handle that is exclusive is spared: nobody waits for
//! it, for all others are refused at once.

use scard_types::Millis;
use scard_types::call::CardHandle;

use crate::Core;
use crate::event::{Action, ReaderId};
use crate::handles::Mark;
use crate::limits::Limits;
use crate::rules;
use crate::timers::Timer;

impl Core {
    /// The holder of the transaction, if `card` is that, does something.
    pub(crate) fn used(&mut self, id: ReaderId, card: CardHandle) {
        let Some(reader) = self.readers.get_mut(&id) else { return };
        if let Some(lock) = reader.lock.as_mut().filter(|lock| lock.holder == card) {
            lock.used = self.now;
        }
    }

    /// Sees to it that the transaction, if there is one with a limit, is looked at when the limit may be reached.
    pub(crate) fn watch_idleness(&mut self, id: ReaderId) {
        let Some(limit) = self.idle_limit(id) else { return };
        let Some(reader) = self.readers.get_mut(&id) else { return };
        let Some(lock) = reader.lock.as_mut().filter(|lock| lock.idle_at.is_none()) else { return };
        let at = (lock.used + limit).max(self.now);
        lock.idle_at = Some(at);
        self.timers.set(at, Timer::Idle(id));
    }

    /// Nobody is in a transaction any more.
    pub(crate) fn unlock(&mut self, id: ReaderId) {
        let lock = self.readers.get_mut(&id).and_then(|reader| reader.lock.take());
        if let Some(at) = lock.and_then(|lock| lock.idle_at) {
            self.timers.clear(at, Timer::Idle(id));
        }
    }

    /// The time has come to look. One that was used meanwhile, or is at this moment, has its full time again.
    pub(crate) fn idle_limit_reached(&mut self, id: ReaderId) {
        let limit = self.idle_limit(id);
        let now = self.now;
        let Some(reader) = self.readers.get_mut(&id) else { return };
        let Some(lock) = &mut reader.lock else { return };
        lock.idle_at = None;
        let Some(limit) = limit else { return };
        if reader.work.is_some() {
            lock.used = now;
        }
        let ignores_use = cfg!(scard_fault = "use_not_seen");
        if lock.used + limit > now && !ignores_use {
            return self.watch_idleness(id);
        }
        self.end_idle_transaction(id);
    }

    /// As if the holder had died, but he lives and is told: the card is reset, every handle of it is marked.
    fn end_idle_transaction(&mut self, id: ReaderId) {
        let Some(reader) = self.readers.get_mut(&id) else { return };
        let Some(lock) = reader.lock else { return };
        reader.reset_due = !cfg!(scard_fault = "no_reset_after_idleness");
        let holder = self.handles.get(&lock.holder).map(|handle| handle.client);
        self.out.extend(holder.map(|holder| Action::IdleTransactionEnded { reader: id, holder }));
        self.unlock(id);
        self.mark_handles(id, Mark::Reset, None);
        self.pump(id);
    }

    /// A reader has a limit of its own.
    pub(crate) fn reader_limited(&mut self, id: ReaderId, limit: Option<Millis>) {
        if let Some(reader) = self.readers.get_mut(&id) {
            reader.idle_transaction = limit;
        }
        self.watch_idleness_anew(id);
    }

    /// The limits of all are others.
    pub(crate) fn limits_changed(&mut self, limits: Limits) {
        self.limits = limits;
        let readers: alloc::vec::Vec<_> = self.readers.keys().copied().collect();
        for id in readers {
            self.watch_idleness_anew(id);
        }
    }

    /// What has been idle for too long by the new limit ends at once.
    fn watch_idleness_anew(&mut self, id: ReaderId) {
        let lock = self.readers.get_mut(&id).and_then(|reader| reader.lock.as_mut());
        if let Some(at) = lock.and_then(|lock| lock.idle_at.take()) {
            self.timers.clear(at, Timer::Idle(id));
        }
        self.watch_idleness(id);
        self.ring_timers();
    }

    fn idle_limit(&self, id: ReaderId) -> Option<Millis> {
        let reader = self.readers.get(&id)?;
        let lock = reader.lock.filter(|_| reader.exclusive.is_none())?;
        let configured = reader.idle_transaction.or(self.limits.idle_transaction);
        rules::idle_limit(self.character_of(lock.holder), configured)
    }
}

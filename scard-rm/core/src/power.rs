//! Cards that come and go, their power, and the work of a slot.

use scard_types::{Atr, CardEvent, SecretBytes, SlotError, SlotState};

use crate::Core;
use crate::connect::Attaching;
use crate::dispositions::Disposing;
use crate::event::{Action, JobId, ReaderId, Work, WorkDone};
use crate::exchange::Exchange;
use crate::handles::Mark;
use crate::queue::Asker;
use crate::timers::Timer;

/// Work that a slot has now.
pub(crate) struct UnderWay {
    pub(crate) job: JobId,
    /// Which card it was given for, see [`crate::readers::Reader::card`].
    card: u64,
    pub(crate) task: Task,
}

/// What the work is part of.
pub(crate) enum Task {
    /// A new card is asked for its answer to reset.
    Identify,
    /// A reset that nobody waits for: the holder of a transaction died.
    Clean,
    /// An unused card loses its power.
    Rest,
    /// Connect and reconnect.
    Attach(Attaching),
    /// What a disconnect or the end of a transaction does to the card.
    Dispose(Disposing),
    /// A command, a control code or an attribute.
    Exchange(Exchange),
}

impl Task {
    /// Who waits for it.
    pub(crate) const fn asker(&self) -> Option<Asker> {
        match self {
            Self::Identify | Self::Clean | Self::Rest => None,
            Self::Attach(attaching) => Some(attaching.asker),
            Self::Dispose(disposing) => Some(disposing.asker),
            Self::Exchange(exchange) => Some(exchange.asker),
        }
    }
}

impl WorkDone {
    /// The result of work that gives an answer to reset.
    pub(crate) fn powered(self) -> Result<Atr, SlotError> {
        match self {
            Self::Powered(result) => result,
            Self::Done(Err(error)) | Self::Bytes(Err(error)) => Err(error),
            Self::Done(Ok(())) | Self::Bytes(Ok(_)) => Err(SlotError::BadAnswer),
        }
    }

    /// The result of work without an answer.
    pub(crate) fn done(self) -> Result<(), SlotError> {
        match self {
            Self::Done(result) => result,
            Self::Powered(Err(error)) | Self::Bytes(Err(error)) => Err(error),
            Self::Powered(Ok(_)) | Self::Bytes(Ok(_)) => Err(SlotError::BadAnswer),
        }
    }

    /// The result of work that gives bytes.
    pub(crate) fn bytes(self) -> Result<SecretBytes, SlotError> {
        match self {
            Self::Bytes(result) => result,
            Self::Powered(Err(error)) | Self::Done(Err(error)) => Err(error),
            Self::Powered(Ok(_)) | Self::Done(Ok(())) => Err(SlotError::BadAnswer),
        }
    }
}

impl Core {
    pub(crate) fn card_event(&mut self, id: ReaderId, event: CardEvent) {
        let Some(reader) = self.readers.get(&id) else { return };
        let occupied = reader.arriving || reader.state.has_card();
        let lost_in_the_rush =
            cfg!(scard_fault = "fast_reinsertion") && reader.work.is_some() && !occupied;
        match (event, occupied) {
            (CardEvent::Inserted, true) | (CardEvent::Removed, false) => return,
            (CardEvent::Inserted | CardEvent::Replaced, false) if lost_in_the_rush => return,
            (CardEvent::Inserted | CardEvent::Replaced, false) => self.card_inserted(id),
            (CardEvent::Removed, true) => self.card_removed(id),
            (CardEvent::Replaced, true) => {
                self.card_removed(id);
                self.card_inserted(id);
            }
        }
        self.pump(id);
    }

    /// Published when the answer to reset is known, see [`Core::card_identified`].
    ///
    /// DIFFERS: pcscd publishes at once, and its library sleeps until the answer is there.
    fn card_inserted(&mut self, id: ReaderId) {
        if let Some(reader) = self.readers.get_mut(&id) {
            reader.arriving = true;
            reader.card += 1;
        }
    }

    /// The card takes with it what was negotiated, the transaction and the trust of every handle.
    ///
    /// DIFFERS: pcscd also drops the lock of an exclusive handle; here it stays as long as the handle is exclusive.
    fn card_removed(&mut self, id: ReaderId) {
        let Some(reader) = self.readers.get_mut(&id) else { return };
        // A card that went before anybody was told of it has come all the same.
        reader.events += if reader.arriving { 2 } else { 1 };
        if cfg!(scard_fault = "removal_not_counted") {
            reader.events -= 1;
        }
        reader.arriving = false;
        reader.card += 1;
        reader.state = SlotState::Empty;
        reader.protocol = None;
        reader.reset_due = false;
        self.changed.insert(id);
        self.mark_handles(id, Mark::Removed, None);
        self.drop_transaction(id);
    }

    fn card_identified(&mut self, id: ReaderId, result: Result<Atr, SlotError>) {
        let Some(reader) = self.readers.get_mut(&id) else { return };
        reader.arriving = false;
        reader.events += 1;
        self.card_answered(id, result);
    }

    /// What power on and reset brought.
    pub(crate) fn card_answered(&mut self, id: ReaderId, result: Result<Atr, SlotError>) {
        let Some(reader) = self.readers.get_mut(&id) else { return };
        let state = match result {
            Ok(atr) => SlotState::Present { atr, powered: true },
            Err(_) => SlotState::Mute,
        };
        let looks_the_same = match (&reader.state, &state) {
            (SlotState::Present { atr: old, .. }, SlotState::Present { atr, .. }) => old == atr,
            (old, new) => old == new,
        };
        reader.state = state;
        reader.protocol = None;
        if !looks_the_same {
            self.changed.insert(id);
        }
    }

    /// Nothing that a program sees changes, but for the protocol, which has to be negotiated again.
    pub(crate) fn card_powered_off(&mut self, id: ReaderId) {
        let Some(reader) = self.readers.get_mut(&id) else { return };
        reader.protocol = None;
        if let SlotState::Present { powered, .. } = &mut reader.state {
            *powered = false;
        }
    }

    /// Gives work to an idle slot.
    pub(crate) fn start(&mut self, id: ReaderId, work: Work, task: Task) {
        let Some(reader) = self.readers.get_mut(&id) else { return };
        self.last_job += 1;
        let job = JobId(self.last_job);
        reader.work = Some(UnderWay { job, card: reader.card, task });
        self.out.push(Action::Work { reader: id, job, work });
    }

    /// The result of a job that the slot does not have is nobody's.
    pub(crate) fn work_done(&mut self, id: ReaderId, job: JobId, done: WorkDone) {
        let Some(reader) = self.readers.get_mut(&id) else { return };
        let expected = reader.work.as_ref().is_some_and(|work| work.job == job);
        if !expected && !cfg!(scard_fault = "stale_result") {
            return;
        }
        let Some(work) = reader.work.take() else { return };
        // While a handle is in a transaction, the slot works for nobody else.
        if let Some(lock) = &mut reader.lock {
            lock.used = self.now;
        }
        let same_card = work.card == reader.card;
        match work.task {
            Task::Identify if same_card => self.card_identified(id, done.powered()),
            Task::Clean if same_card => self.card_answered(id, done.powered()),
            Task::Rest if same_card => self.card_powered_off(id),
            Task::Identify | Task::Clean | Task::Rest => {}
            Task::Attach(attaching) => self.attach_goes_on(id, attaching, done, same_card),
            Task::Dispose(disposing) => self.disposing_goes_on(id, disposing, done, same_card),
            Task::Exchange(exchange) => self.exchange_done(exchange, done, same_card),
        }
        self.pump(id);
    }

    /// Does what can be done at this reader now: first what the card needs, then the queue in its order.
    pub(crate) fn pump(&mut self, id: ReaderId) {
        loop {
            let Some(reader) = self.readers.get_mut(&id) else { return };
            if reader.work.is_some() {
                return;
            }
            if reader.arriving {
                return self.start(id, Work::PowerOn, Task::Identify);
            }
            if core::mem::take(&mut reader.reset_due) {
                if reader.is_powered() {
                    return self.start(id, Work::WarmReset, Task::Clean);
                }
                reader.protocol = None;
            }
            let holder = reader.lock.map(|lock| lock.holder);
            let holder = holder.filter(|_| !cfg!(scard_fault = "double_grant"));
            let Some(place) = reader.queue.first(holder) else { break };
            if cfg!(scard_fault = "ticket_holds_card") && reader.queue.ticket_count() > 0 {
                break;
            }
            let Some(waiting) = self.unpark(id, place) else { break };
            self.serve(id, waiting);
        }
        self.plan_rest(id);
    }

    /// An unused card keeps its power for the grace period, from the moment it fell idle.
    fn plan_rest(&mut self, id: ReaderId) {
        let Some(reader) = self.readers.get_mut(&id) else { return };
        let unused = reader.handles.is_empty() && reader.is_powered();
        match (unused, reader.rest_at) {
            (true, None) if !cfg!(scard_fault = "power_forgotten") => {
                let at = self.now + self.limits.grace;
                reader.rest_at = Some(at);
                self.timers.set(at, Timer::Rest(id));
            }
            (false, Some(at)) if !cfg!(scard_fault = "grace_with_handle") => {
                reader.rest_at = None;
                self.timers.clear(at, Timer::Rest(id));
            }
            _ => {}
        }
    }

    /// The grace period is over. A slot at work is busy with somebody who comes; the period begins again after him.
    pub(crate) fn rest(&mut self, id: ReaderId) {
        let Some(reader) = self.readers.get_mut(&id) else { return };
        reader.rest_at = None;
        let unused = reader.handles.is_empty() && reader.is_powered();
        if reader.work.is_none() && (unused || cfg!(scard_fault = "grace_with_handle")) {
            self.start(id, Work::PowerOff, Task::Rest);
        }
    }
}

//! What happens to a card when a handle leaves it: `SCardDisconnect` and `SCardEndTransaction` with more than
//! `SCARD_LEAVE_CARD`.

use scard_types::call::{Answer, CardHandle};
use scard_types::{Disposition, ScardCode, SlotError};

use crate::Core;
use crate::event::{ReaderId, Work, WorkDone};
use crate::handles::Mark;
use crate::power::Task;
use crate::queue::{Asker, Waiting};

/// A disposition that is being carried out.
#[derive(Clone, Copy)]
pub(crate) struct Disposing {
    pub(crate) asker: Asker,
    goal: Goal,
    step: Step,
}

/// What the slot does.
#[derive(Clone, Copy)]
enum Step {
    /// Warm reset, or power off and on.
    Reset,
    /// Eject; power off follows if the card is still there.
    Eject,
    PowerOff,
}

/// What becomes of the handle.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Goal {
    /// It stays, after the end of a transaction, and wants a card with power.
    Stay(CardHandle),
    /// It is closed already.
    Leave,
}

impl Disposing {
    /// Whether its handle is closed already: then nothing can go wrong for the caller any more.
    pub(crate) const fn is_farewell(&self) -> bool {
        matches!(self.goal, Goal::Leave)
    }
}

impl Core {
    /// `SCardDisconnect` that does nothing to the card: at once, whatever the slot does.
    pub(crate) fn disconnect_and_leave(&mut self, id: ReaderId, waiting: &Waiting) {
        if let Some(card) = waiting.handle {
            self.close_handle(card);
            self.reply(waiting.asker, Ok(Answer::Done));
            self.pump(id);
        }
    }

    /// `SCardDisconnect` when the slot is free and nobody else is in a transaction.
    ///
    /// DIFFERS: a handle whose card was removed does nothing to the card that is in the slot now; pcscd resets it.
    pub(crate) fn disconnect_and_dispose(
        &mut self,
        id: ReaderId,
        waiting: &Waiting,
        disposition: Disposition,
    ) {
        let Some(card) = waiting.handle else { return };
        let lost = self.handles.get(&card).is_some_and(|handle| handle.mark == Some(Mark::Removed));
        if !lost {
            self.mark_for(id, disposition, Some(card));
        }
        self.close_handle(card);
        if lost {
            return self.reply(waiting.asker, Ok(Answer::Done));
        }
        self.dispose_quietly(id, waiting.asker, disposition, Goal::Leave);
    }

    /// Marks every handle of the reader, then does it.
    pub(crate) fn dispose(
        &mut self,
        id: ReaderId,
        asker: Asker,
        disposition: Disposition,
        goal: Goal,
    ) {
        self.mark_for(id, disposition, None);
        self.dispose_quietly(id, asker, disposition, goal);
    }

    fn mark_for(&mut self, id: ReaderId, disposition: Disposition, except: Option<CardHandle>) {
        if disposition != Disposition::Leave {
            self.mark_handles(id, Mark::Reset, except);
        }
    }

    /// DIFFERS: where no card is, the end of a transaction succeeds; pcscd says that one was removed.
    /// DIFFERS: a card that is ejected loses its power, and every handle knows; pcscd does nothing where a reader has no
    /// motor.
    fn dispose_quietly(
        &mut self,
        id: ReaderId,
        asker: Asker,
        disposition: Disposition,
        goal: Goal,
    ) {
        let powered = self.readers.get(&id).is_some_and(crate::readers::Reader::is_powered);
        let has_card = self.readers.get(&id).is_some_and(|reader| reader.state.has_card());
        let (work, step) = match (disposition, goal) {
            (Disposition::Reset, _) if powered => (Work::WarmReset, Step::Reset),
            (Disposition::Unpower, Goal::Stay(_)) if powered => (Work::PowerOn, Step::Reset),
            (Disposition::Unpower, Goal::Leave) if powered => (Work::PowerOff, Step::PowerOff),
            (Disposition::Eject, _) if has_card => (Work::Eject, Step::Eject),
            (Disposition::Reset | Disposition::Unpower, _) => {
                self.card_powered_off(id);
                return self.reply(asker, Ok(Answer::Done));
            }
            _ => return self.reply(asker, Ok(Answer::Done)),
        };
        self.start(id, work, Task::Dispose(Disposing { asker, goal, step }));
    }

    /// A slot that fails at it is no failure of the caller, who is on his way out; a card that went meanwhile is.
    pub(crate) fn disposing_goes_on(
        &mut self,
        id: ReaderId,
        disposing: Disposing,
        done: WorkDone,
        same_card: bool,
    ) {
        let Disposing { asker, goal, step } = disposing;
        if same_card {
            match step {
                Step::Reset => self.card_answered(id, done.powered()),
                Step::PowerOff => self.card_powered_off(id),
                Step::Eject if done.done() != Err(SlotError::ReaderGone) => {
                    let next = Task::Dispose(Disposing { asker, goal, step: Step::PowerOff });
                    return self.start(id, Work::PowerOff, next);
                }
                Step::Eject => {}
            }
        }
        let handle = match goal {
            Goal::Stay(card) => self.handles.get(&card),
            Goal::Leave => None,
        };
        let lost = handle.is_some_and(|handle| handle.mark == Some(Mark::Removed));
        let reply = if lost { Err(ScardCode::RemovedCard.into()) } else { Ok(Answer::Done) };
        self.reply(asker, reply);
    }
}

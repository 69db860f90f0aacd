//! `SCardConnect` and `SCardReconnect`: a card gets power and a protocol, a handle gets its share.

use alloc::vec::Vec;

use scard_types::call::{Answer, CardHandle, ContextId, Reply};
use scard_types::{Disposition, Protocol, Protocols, ScardCode, ShareMode, SlotError, SlotState};

use crate::Core;
use crate::event::{ReaderId, Work, WorkDone};
use crate::handles::Mark;
use crate::power::Task;
use crate::protocols;
use crate::queue::{Asker, Op, Place, Waiting};
use crate::quotas::Kind;
use crate::readers::Reader;
use crate::requests::Outcome;

/// A card on its way to a handle.
#[derive(Clone, Copy)]
pub(crate) struct Attaching {
    pub(crate) asker: Asker,
    goal: Goal,
    share: ShareMode,
    protocols: Protocols,
    step: Step,
}

#[derive(Clone, Copy)]
enum Goal {
    /// A new handle of this context.
    Open(ContextId),
    /// The handle that there is.
    Reopen(CardHandle),
}

#[derive(Clone, Copy)]
enum Step {
    /// Nothing has been done yet.
    Look,
    Power,
    Protocol(Protocol),
}

impl Core {
    /// `SCardConnect`, up to the queue.
    pub(crate) fn connect(
        &mut self,
        asker: Asker,
        context: ContextId,
        reader: &str,
        share: ShareMode,
        protocols: Protocols,
    ) -> Outcome {
        if !self.owns_context(asker.client, context) {
            return Outcome::refused(ScardCode::InvalidHandle);
        }
        if share != ShareMode::Direct && protocols.is_empty() {
            return Outcome::refused(ScardCode::ProtocolMismatch);
        }
        let Some(id) = self.reader_of(asker.client, reader) else {
            return Outcome::refused(ScardCode::UnknownReader);
        };
        if self.readers.get(&id).is_some_and(|reader| reader.exclusive.is_some()) {
            return Outcome::refused(self.sharing_violation(id, asker.client, None));
        }
        let op = Op::Connect { share, protocols };
        self.line_up(id, Waiting::new(asker, context, None, op))
    }

    /// `SCardConnect` when its turn has come. One that is refused has not touched the card.
    ///
    /// DIFFERS: pcscd powers the card and agrees on a protocol with it before it looks at the share mode.
    pub(crate) fn connect_now(
        &mut self,
        id: ReaderId,
        waiting: &Waiting,
        share: ShareMode,
        protocols: Protocols,
    ) {
        let asker = waiting.asker;
        let goal = Goal::Open(waiting.context);
        let refusal = match self.readers.get(&id) {
            None => Some(ScardCode::ReaderUnavailable),
            Some(reader) if share != ShareMode::Direct && !reader.state.has_card() => {
                Some(ScardCode::NoSmartcard)
            }
            Some(reader) if refuses_protocol(reader, share, protocols, Disposition::Leave) => {
                Some(ScardCode::ProtocolMismatch)
            }
            Some(_) => self.share_refused(id, asker, goal, share),
        };
        if let Some(code) = refusal {
            return self.reply(asker, Err(code.into()));
        }
        self.attach(id, Attaching { asker, goal, share, protocols, step: Step::Look });
    }

    /// `SCardReconnect` when its turn has come. One that is refused has disturbed nobody.
    ///
    /// DIFFERS: pcscd resets the card before it looks at protocol and share mode.
    pub(crate) fn reconnect_now(
        &mut self,
        id: ReaderId,
        waiting: &Waiting,
        share: ShareMode,
        protocols: Protocols,
        initialization: Disposition,
    ) {
        let (asker, Some(card)) = (waiting.asker, waiting.handle) else { return };
        let goal = Goal::Reopen(card);
        let Some(reader) = self.readers.get(&id) else { return };
        let refusal = if !reader.state.has_card() {
            Some(ScardCode::NoSmartcard)
        } else if refuses_protocol(reader, share, protocols, initialization) {
            Some(ScardCode::ProtocolMismatch)
        } else {
            self.share_refused(id, asker, goal, share)
        };
        if let Some(code) = refusal {
            return self.reply(asker, Err(code.into()));
        }
        let Some(reader) = self.readers.get(&id) else { return };
        let work = match initialization {
            Disposition::Leave => None,
            Disposition::Reset if reader.is_powered() => Some(Work::WarmReset),
            Disposition::Reset | Disposition::Unpower | Disposition::Eject => Some(Work::PowerOn),
        };
        let attaching = Attaching { asker, goal, share, protocols, step: Step::Look };
        match work {
            None => self.attach(id, attaching),
            Some(work) => {
                self.mark_handles(id, Mark::Reset, None);
                let step = Step::Power;
                self.start(id, work, Task::Attach(Attaching { step, ..attaching }));
            }
        }
    }

    /// Takes the next step: power, then protocol, then the handle. Raw needs no agreement: whoever asks for it gets it,
    /// a direct handle too, and everybody else has it then.
    ///
    /// DIFFERS: pcscd's reconnect gives no power to a card without, and whoever connects later is told that it has none.
    fn attach(&mut self, id: ReaderId, attaching: Attaching) {
        let Some(reader) = self.readers.get_mut(&id) else { return };
        if attaching.share == ShareMode::Direct {
            if attaching.protocols.raw {
                reader.protocol = Some(Protocol::Raw);
            }
            return self.attached(id, &attaching);
        }
        if !matches!(reader.state, SlotState::Present { powered: true, .. }) {
            let step = Step::Power;
            return self.start(id, Work::PowerOn, Task::Attach(Attaching { step, ..attaching }));
        }
        match reader.protocol {
            _ if attaching.protocols.raw => {
                reader.protocol = Some(Protocol::Raw);
                self.attached(id, &attaching);
            }
            Some(protocol) if attaching.protocols.contains(protocol) => {
                self.attached(id, &attaching);
            }
            Some(_) => self.reply(attaching.asker, Err(ScardCode::ProtocolMismatch.into())),
            None => match protocols::choose(&reader.state, attaching.protocols) {
                None => self.reply(attaching.asker, Err(ScardCode::ProtocolMismatch.into())),
                Some(protocol) => self.negotiate(id, attaching, protocol),
            },
        }
    }

    fn negotiate(&mut self, id: ReaderId, attaching: Attaching, protocol: Protocol) {
        let step = Step::Protocol(protocol);
        let task = Task::Attach(Attaching { step, ..attaching });
        self.start(id, Work::SetProtocol(protocol), task);
    }

    /// The slot has done a step. A card that changed meanwhile is not the one that was asked for.
    pub(crate) fn attach_goes_on(
        &mut self,
        id: ReaderId,
        attaching: Attaching,
        done: WorkDone,
        same_card: bool,
    ) {
        if !same_card {
            return self.reply(attaching.asker, Err(ScardCode::NoSmartcard.into()));
        }
        match attaching.step {
            Step::Look => {}
            Step::Power => {
                let result = done.powered();
                self.card_answered(id, result);
                match result {
                    Ok(_) if !self.is_owed(attaching.asker) => {}
                    Ok(_) => self.attach(id, attaching),
                    Err(error) => {
                        let code = power_refusal(attaching.goal, error);
                        self.reply(attaching.asker, Err(code.into()));
                    }
                }
            }
            Step::Protocol(protocol) => self.negotiated(id, attaching, protocol, done.done()),
        }
    }

    /// A card or reader that cannot negotiate is taken at its default, as pcscd does.
    fn negotiated(
        &mut self,
        id: ReaderId,
        attaching: Attaching,
        protocol: Protocol,
        result: Result<(), SlotError>,
    ) {
        let Some(reader) = self.readers.get_mut(&id) else { return };
        let accepted = |wanted: &Protocol| attaching.protocols.contains(*wanted);
        let default = protocols::offered(&reader.state).first().copied().filter(accepted);
        let refusal = match result {
            Ok(()) => {
                reader.protocol = Some(protocol);
                return self.attached(id, &attaching);
            }
            Err(SlotError::NotSupported) if default.is_some() => {
                reader.protocol = default;
                return self.attached(id, &attaching);
            }
            Err(SlotError::NotSupported) => ScardCode::ProtocolMismatch,
            Err(_) if !self.is_owed(attaching.asker) => return,
            Err(SlotError::ProtocolRefused) => match default.filter(|default| *default != protocol)
            {
                Some(default) => return self.negotiate(id, attaching, default),
                None => ScardCode::UnresponsiveCard,
            },
            Err(SlotError::NoCard) => ScardCode::NoSmartcard,
            Err(SlotError::ReaderGone) => ScardCode::ReaderUnavailable,
            Err(_) => ScardCode::UnresponsiveCard,
        };
        self.reply(attaching.asker, Err(refusal.into()));
    }

    /// The card is ready; the handle is opened or changed, if its owner is still there.
    fn attached(&mut self, id: ReaderId, attaching: &Attaching) {
        let Attaching { asker, goal, share, .. } = *attaching;
        if !self.is_owed(asker) {
            return;
        }
        let code = match goal {
            Goal::Open(context) if !self.contexts.contains_key(&context) => {
                Some(ScardCode::InvalidHandle)
            }
            Goal::Reopen(card) if !self.handles.contains_key(&card) => {
                Some(ScardCode::InvalidHandle)
            }
            Goal::Open(_) | Goal::Reopen(_) => self.share_refused(id, asker, goal, share),
        };
        let reply = match (code, goal) {
            (Some(code), _) => Err(code.into()),
            (None, Goal::Open(context)) => self.opened(id, asker, context, share),
            (None, Goal::Reopen(card)) => Ok(self.reopened(id, card, share)),
        };
        self.reply(asker, reply);
    }

    fn opened(
        &mut self,
        id: ReaderId,
        asker: Asker,
        context: ContextId,
        share: ShareMode,
    ) -> Reply {
        let uid = self.clients.get(&asker.client).map(|client| client.peer.uid);
        if !uid.is_some_and(|uid| self.quotas.take(&self.limits, uid, Kind::Handle)) {
            return Err(ScardCode::NoMemory.into());
        }
        let card = self
            .open_handle(id, asker.client, context, share)
            .ok_or(ScardCode::ReaderUnavailable)?;
        Ok(Answer::Connected { card, protocol: self.readers.get(&id).and_then(|r| r.protocol) })
    }

    /// DIFFERS: in pcscd a handle that was exclusive stays in its transaction, and nobody else gets to the card.
    fn reopened(&mut self, id: ReaderId, card: CardHandle, share: ShareMode) -> Answer {
        let was_exclusive = self.readers.get(&id).is_some_and(|r| r.exclusive == Some(card));
        match (was_exclusive, share == ShareMode::Exclusive) {
            (false, true) => self.make_exclusive(id, card),
            (true, false) => {
                if let Some(reader) = self.readers.get_mut(&id) {
                    reader.exclusive = None;
                }
                self.leave(id, card);
                self.watch_idleness(id);
            }
            (true, true) | (false, false) => {}
        }
        if let Some(handle) = self.handles.get_mut(&card) {
            handle.share = share;
            handle.mark = None;
        }
        self.changed.insert(id);
        Answer::Reconnected { protocol: self.readers.get(&id).and_then(|r| r.protocol) }
    }

    /// An exclusive handle is in a transaction by itself, which it cannot end. Nobody waits for its end: who wants to
    /// connect is refused at once.
    ///
    /// DIFFERS: in pcscd one who has been waiting goes on waiting.
    pub(crate) fn make_exclusive(&mut self, id: ReaderId, card: CardHandle) {
        if let Some(reader) = self.readers.get_mut(&id) {
            reader.exclusive = Some(card);
        }
        self.enter(id, card);
        let Some(reader) = self.readers.get(&id) else { return };
        let connecting = |place: &Place| {
            reader.queue.get(*place).is_some_and(|waiting| waiting.handle.is_none())
        };
        let refused: Vec<_> = reader.queue.places().filter(connecting).collect();
        for place in refused {
            self.refuse_violator(id, place);
        }
    }

    /// Why a share mode cannot be had, if it cannot.
    fn share_refused(
        &mut self,
        id: ReaderId,
        asker: Asker,
        goal: Goal,
        share: ShareMode,
    ) -> Option<ScardCode> {
        let reader = self.readers.get(&id)?;
        let own = match goal {
            Goal::Open(_) => None,
            Goal::Reopen(card) => Some(card),
        };
        let taken = reader.exclusive.is_some() && reader.exclusive != own;
        let crowded =
            share == ShareMode::Exclusive && reader.handles.values().any(|card| Some(*card) != own);
        (taken || crowded).then(|| self.sharing_violation(id, asker.client, own))
    }
}

/// Whether a card that is there cannot be had with these protocols: what was agreed holds until the next reset.
fn refuses_protocol(
    reader: &Reader,
    share: ShareMode,
    accepted: Protocols,
    initialization: Disposition,
) -> bool {
    if share == ShareMode::Direct || accepted.raw {
        return false;
    }
    match reader.protocol {
        Some(protocol) if initialization == Disposition::Leave => !accepted.contains(protocol),
        _ => reader.state.atr().is_some() && protocols::choose(&reader.state, accepted).is_none(),
    }
}

/// A new handle is told that the card has no power, an old one that it does not respond, as in pcscd.
const fn power_refusal(goal: Goal, error: SlotError) -> ScardCode {
    match (error, goal) {
        (SlotError::NoCard, _) => ScardCode::NoSmartcard,
        (SlotError::ReaderGone, _) => ScardCode::ReaderUnavailable,
        (_, Goal::Open(_)) => ScardCode::UnpoweredCard,
        (_, Goal::Reopen(_)) => ScardCode::UnresponsiveCard,
    }
}

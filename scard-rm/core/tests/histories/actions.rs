//! What the observer makes of every single action: whether it may be, and what is known since.

use std::collections::BTreeMap;

use scard_core::{Action, JobId, Push, Wire, Work};
use scard_types::call::{Answer, CardHandle, ReaderEvent, Reply};
use scard_types::status_change::CHANGED;
use scard_types::{Disposition, ScardCode, ShareMode};

use crate::model::{Asked, Check, Handle, Mark, Pending, ensure};
use crate::world::{Explanation, World, reader_of};

/// How soon a stock client tries again, and how long its place is kept.
const RETRY_MS: u64 = 100;
const TICKET_MS: u64 = 500;
/// How long some calls may be kept waiting.
const PATIENCE_MS: u64 = 100;

impl World {
    pub(crate) fn on_action(&mut self, action: Action) -> Check {
        match action {
            Action::Reply { client, request, reply } => {
                let seat = self.seat_of(client.0).ok_or(format!("{client:?} is nobody"))?;
                let sitting = self.seats[seat].as_mut().ok_or("an empty seat")?;
                let pending = sitting.pending.remove(&request.0);
                let pending = pending.ok_or(format!("{client:?} did not ask {request:?}"))?;
                self.on_reply(seat, &pending, &reply)
                    .map_err(|text| format!("{text}\n  answer: {reply:?}\n  to: {pending:?}"))
            }
            Action::Push { client, push } => {
                let seat = self.seat_of(client.0).ok_or(format!("{client:?} is nobody"))?;
                self.on_push(seat, push)
            }
            Action::Work { reader, job, work } => self.on_work(reader.0, job, work),
            Action::Drop { client, .. } => {
                let seat = self.seat_of(client.0).ok_or(format!("{client:?} is nobody"))?;
                let uid = self.seats[seat].take().map_or(0, |seat| seat.uid);
                let quota = self.limits.connections;
                let all = 1 + self.seats.iter().flatten().count();
                let own = self.seats.iter().flatten().filter(|seat| seat.uid == uid).count();
                ensure!(full(uid, own, all, quota), "a client was dropped with {own} of {all}");
                Ok(())
            }
            Action::SharingViolation { reader, refused, holder, share, in_transaction } => {
                self.explained.insert(refused.0);
                let explanation = Explanation { reader, holder: holder.0, share, in_transaction };
                if !self.is_so(&explanation) {
                    self.explanations.push(explanation);
                }
                Ok(())
            }
            Action::IdleTransactionEnded { reader, holder } => {
                let lock = self.model.readers.get(&reader.0).and_then(|reader| reader.lock);
                let owner = lock.and_then(|(card, _)| self.model.handles.get(&card));
                let ours = owner.is_some_and(|handle| handle.client == holder.0);
                ensure!(ours, "{holder:?} is in no transaction of {reader:?}");
                self.model.end_idle(reader.0, self.now)
            }
            _ => Ok(()),
        }
    }

    /// Whether a violation was explained by who really holds the card.
    pub(crate) fn is_so(&self, explanation: &Explanation) -> bool {
        let Explanation { reader, holder, share, in_transaction } = *explanation;
        let Some(slot) = self.model.readers.get(&reader.0) else { return false };
        let implicit = u32::from(slot.exclusive.is_some());
        let inside = |card| slot.lock.is_some_and(|(of, depth)| of == card && depth > implicit);
        // The end of a transaction that does something to the card is over for the core before it is answered.
        let leaving = |card| {
            self.pending_at(reader.0)
                .any(|(_, p)| p.asked.card() == Some(card) && p.asked.disposes())
        };
        self.model.handles.iter().any(|(card, handle)| {
            handle.reader == reader.0
                && handle.client == holder
                && handle.share == share
                && (inside(*card) == in_transaction || leaving(*card))
        })
    }

    pub(crate) fn seat_of(&self, client: u64) -> Option<usize> {
        let sits = |seat: &Option<_>| {
            seat.as_ref().is_some_and(|seat: &crate::model::Seat| seat.client == client)
        };
        self.seats.iter().position(sits)
    }

    fn on_reply(&mut self, seat: usize, pending: &Pending, reply: &Reply) -> Check {
        if pending.foreign {
            let code = reply.as_ref().err().map(|refusal| refusal.code);
            ensure!(code == Some(ScardCode::InvalidHandle), "a foreign number was taken");
            return Ok(());
        }
        ensure!(fits(pending, reply), "an answer of another kind");
        if pending.asked.looks_at_marks() {
            self.check_mark(&pending.asked, reply)?;
        }
        match reply {
            Ok(answer) => self.on_success(seat, pending, answer),
            Err(refusal) => self.on_refusal(seat, pending, refusal.code),
        }
    }

    /// The answer to a call that looks at marks shows the mark, the whole mark and nothing but the mark.
    fn check_mark(&mut self, asked: &Asked, reply: &Reply) -> Check {
        let Some(card) = asked.card() else { return Ok(()) };
        let code = reply.as_ref().err().map(|refusal| refusal.code);
        if matches!(code, Some(ScardCode::InvalidHandle | ScardCode::ReaderUnavailable)) {
            return Ok(());
        }
        let resetting = self.is_resetting(card);
        let Some(handle) = self.model.handles.get_mut(&card) else { return Ok(()) };
        let expected = match (handle.mark, code) {
            // Its own reset marks the caller too.
            (Mark::Reset, None) if asked.disposes() => return Ok(()),
            (Mark::Removed, code) => code == Some(ScardCode::RemovedCard),
            (Mark::Reset, code) => code == Some(ScardCode::ResetCard),
            (_, Some(ScardCode::RemovedCard)) => false,
            (Mark::None, Some(ScardCode::ResetCard)) => resetting,
            (Mark::None | Mark::Perhaps, _) => true,
        };
        ensure!(expected, "the mark is {:?}", handle.mark);
        handle.mark = match code {
            Some(ScardCode::RemovedCard) => Mark::Removed,
            Some(ScardCode::ResetCard) => Mark::Reset,
            _ => handle.mark,
        };
        Ok(())
    }

    /// Whether somebody's request to reset the card of this handle has no answer yet.
    fn is_resetting(&self, card: CardHandle) -> bool {
        let Some(reader) = self.model.handles.get(&card).map(|handle| handle.reader) else {
            return false;
        };
        self.pending_at(reader).any(|(_, pending)| pending.asked.disposes())
    }

    /// Requests that stand at a reader, or are with it.
    pub(crate) fn pending_at(&self, reader: u64) -> impl Iterator<Item = (u64, &Pending)> + '_ {
        self.seats
            .iter()
            .flatten()
            .flat_map(|seat| seat.pending.values().map(|pending| (seat.client, pending)))
            .filter(move |(_, pending)| {
                !pending.foreign && reader_of(&self.model, &pending.asked) == Some(reader)
            })
    }

    fn on_success(&mut self, seat: usize, pending: &Pending, answer: &Answer) -> Check {
        let Some(sitting) = self.seats[seat].as_mut() else { return Ok(()) };
        let (client, uid, now) = (sitting.client, sitting.uid, self.now);
        match (&pending.asked, answer) {
            (Asked::Establish { windows }, Answer::Context(context)) => {
                if *windows {
                    self.model.windows.insert(*context);
                }
                let own = self.contexts_of(uid);
                ensure!(
                    !full(uid, own, self.model.contexts.len(), self.limits.contexts),
                    "too many"
                );
                let taken = self.model.contexts.insert(*context, client);
                ensure!(taken.is_none(), "a context number was given twice");
                self.seats[seat].as_mut().ok_or("gone")?.contexts.insert(*context);
            }
            (Asked::Connect { context, reader, share, .. }, Answer::Connected { card, .. }) => {
                ensure!(self.model.contexts.contains_key(context), "the context is gone");
                let (own, all) = (self.handles_of(Some(uid)), self.handles_of(None));
                ensure!(!full(uid, own, all, self.limits.handles), "{own} of {all} are enough");
                self.opened(*card, *reader, *share)?;
                let handle = Handle {
                    client,
                    context: *context,
                    reader: *reader,
                    share: *share,
                    mark: Mark::None,
                    ticket: None,
                };
                let taken = self.model.handles.insert(*card, handle);
                ensure!(taken.is_none(), "a handle number was given twice");
                if *share == ShareMode::Exclusive {
                    self.model.enter(*card, now)?;
                }
            }
            (Asked::Reconnect { card, share, .. }, _) => {
                self.reconnected(pending, *card, *share)?;
            }
            (Asked::Begin { card }, _) => {
                self.check_order(*card, pending)?;
                self.model.enter(*card, now)?;
            }
            (Asked::End { card, disposition }, _) => {
                self.model.leave(*card);
                if *disposition != Disposition::Leave {
                    self.model.reset_by(*card, true);
                }
            }
            (Asked::Disconnect { card, .. }, _) => {
                let lost = self.model.handles.get(card).is_some_and(|h| h.mark == Mark::Removed);
                let lapsed = now >= pending.since + PATIENCE_MS
                    && self.seats[seat].as_ref().is_some_and(|s| s.wire == Wire::PcscLite);
                match (pending.asked.disposes(), lost, lapsed) {
                    (true, false, false) => self.model.reset_by(*card, false),
                    (true, false, true) => self.model.perhaps_reset_by(*card),
                    _ if self.is_resetting(*card) => self.model.perhaps_reset_by(*card),
                    _ => {}
                }
                self.model.close(*card);
            }
            (Asked::Transmit { .. }, Answer::Transmitted { response: bytes, .. })
            | (Asked::Control { .. }, Answer::Controlled(bytes)) => {
                let echo = pending.serial.to_be_bytes();
                ensure!(bytes.expose().starts_with(&echo), "another's answer");
            }
            (Asked::StatusChange { timeout_ms, .. }, Answer::StatusChange { changed, readers }) => {
                let any = readers.iter().any(|seen| seen.event_state & CHANGED != 0);
                ensure!(any == *changed, "changed is {changed}");
                let due = timeout_ms.is_some_and(|span| now >= pending.since + u64::from(span));
                ensure!(*changed || due, "nothing changed and the time is not over");
            }
            (Asked::Watch, _) => sitting.watching = true,
            (Asked::StopWatching, Answer::Stopped { was_watching }) => {
                ensure!(*was_watching == sitting.watching, "watching is {}", sitting.watching);
                sitting.watching = false;
            }
            (Asked::Subscribe, _) => sitting.replica = Some(BTreeMap::new()),
            _ => {}
        }
        Ok(())
    }

    fn opened(&mut self, card: CardHandle, reader: u64, share: ShareMode) -> Check {
        let others = self.open_at(reader, None);
        let Some(reader) = self.model.readers.get_mut(&reader) else {
            return Err("a handle of a reader that is gone".into());
        };
        ensure!(reader.exclusive.is_none(), "somebody has the card for himself");
        let held = reader.lock.is_some();
        ensure!(!held, "a connect got in while somebody is in a transaction");
        if share == ShareMode::Exclusive {
            ensure!(others == 0, "exclusive beside {others} others");
            reader.exclusive = Some(card);
        }
        Ok(())
    }

    fn reconnected(&mut self, pending: &Pending, card: CardHandle, share: ShareMode) -> Check {
        let now = self.now;
        let Some(handle) = self.model.handles.get(&card) else { return Err("no handle".into()) };
        let id = handle.reader;
        let others = self.open_at(id, Some(card));
        if pending.asked.disposes() {
            self.model.reset_by(card, false);
        }
        let Some(reader) = self.model.readers.get_mut(&id) else { return Err("no reader".into()) };
        let was = reader.exclusive == Some(card);
        match (was, share == ShareMode::Exclusive) {
            (false, true) => {
                ensure!(others == 0, "exclusive beside {others} others");
                reader.exclusive = Some(card);
                self.model.enter(card, now)?;
            }
            (true, false) => {
                reader.exclusive = None;
                self.model.leave(card);
            }
            _ => {}
        }
        if let Some(handle) = self.model.handles.get_mut(&card) {
            handle.share = share;
            handle.mark = Mark::None;
        }
        Ok(())
    }

    /// Nobody who came earlier and still waits is passed over.
    fn check_order(&self, card: CardHandle, granted: &Pending) -> Check {
        let Some(id) = self.model.handles.get(&card).map(|handle| handle.reader) else {
            return Err("a transaction without a handle".into());
        };
        if self.model.readers.get(&id).is_some_and(|reader| reader.lock.is_some()) {
            return Ok(());
        }
        for (_, other) in self.pending_at(id) {
            let earlier = matches!(other.asked, Asked::Begin { .. }) && other.place < granted.place;
            ensure!(!earlier, "{other:?} came earlier");
        }
        Ok(())
    }

    fn on_refusal(&mut self, seat: usize, pending: &Pending, code: ScardCode) -> Check {
        let Some(sitting) = self.seats[seat].as_mut() else { return Ok(()) };
        let (uid, stock) = (sitting.uid, sitting.wire == Wire::PcscLite);
        let explained = self.explained.contains(&sitting.client);
        ensure!(code != ScardCode::SharingViolation || explained, "nobody is said to hold it");
        match (&pending.asked, code) {
            (Asked::Establish { .. }, code) => {
                let (own, all) = (self.contexts_of(uid), self.model.contexts.len());
                ensure!(
                    code == ScardCode::NoMemory && full(uid, own, all, self.limits.contexts),
                    "refused with {own} of {all}"
                );
            }
            (Asked::Begin { card }, ScardCode::SharingViolation) => {
                ensure!(stock, "a client of the native wire is never sent back from a transaction");
                ensure!(self.now >= pending.since + PATIENCE_MS, "sent back too early");
                sitting.retry = Some((self.now + RETRY_MS, pending.asked.clone()));
                if let Some(handle) = self.model.handles.get_mut(card) {
                    handle.ticket = Some((pending.place, self.now + TICKET_MS));
                }
            }
            (
                Asked::Transmit { .. } | Asked::Status { .. } | Asked::Reconnect { .. },
                ScardCode::SharingViolation,
            ) if stock => sitting.retry = Some((self.now + RETRY_MS, pending.asked.clone())),
            (Asked::Reconnect { card, .. }, code) if pending.asked.disposes() => {
                if code == ScardCode::UnresponsiveCard {
                    self.model.reset_by(*card, true);
                } else {
                    self.model.perhaps_reset_by(*card);
                }
            }
            (Asked::StatusChange { context, .. }, ScardCode::Cancelled) => {
                ensure!(self.cancelled.contains(context), "nobody cancelled");
            }
            (Asked::Cancel { .. } | Asked::Release { .. } | Asked::Subscribe, code) => {
                return Err(format!("refused: {code:?}"));
            }
            _ => {}
        }
        Ok(())
    }

    fn on_push(&mut self, seat: usize, push: Push) -> Check {
        let Some(sitting) = self.seats[seat].as_mut() else { return Ok(()) };
        let event = match push {
            Push::WatchFired(result) => {
                ensure!(sitting.watching, "told of a change without a registration");
                sitting.watching = false;
                let cancelled =
                    self.cancelled.iter().any(|context| sitting.contexts.contains(context));
                ensure!(result.is_ok() || cancelled, "nobody cancelled the registration");
                return Ok(());
            }
            Push::Reader(event) => event,
            other => return Err(format!("{other:?}")),
        };
        let Some(replica) = &mut sitting.replica else {
            return Err(format!("a push to one who did not subscribe: {event:?}"));
        };
        let in_order = match event {
            ReaderEvent::ReaderArrived(entry) => {
                replica.insert(entry.name.as_str().into(), entry).is_none()
            }
            ReaderEvent::StateChanged(entry) => {
                replica.insert(entry.name.as_str().into(), entry).is_some()
            }
            ReaderEvent::ReaderGone(name) => replica.remove(name.as_str()).is_some(),
            ReaderEvent::Caught => !core::mem::replace(&mut sitting.caught, true),
            _ => false,
        };
        ensure!(in_order, "a push that does not follow from those before it");
        Ok(())
    }

    fn on_work(&mut self, id: u64, job: JobId, work: Work) -> Check {
        let Some(reader) = self.model.readers.get(&id) else {
            return Err(format!("{work:?} for a reader that is gone"));
        };
        ensure!(reader.work.is_none(), "{work:?} for a slot at work");
        let holder = reader.lock.map(|lock| lock.0);
        if reader.reset_expected {
            let resets = matches!(work, Work::WarmReset);
            ensure!(resets, "{work:?} before the reset of a card whose holder died");
        }
        let bytes = match &work {
            Work::Transmit { command: bytes, .. } | Work::Control { input: bytes, .. } => {
                Some(bytes.expose())
            }
            Work::SetAttribute { value, .. } => Some(&value[..]),
            _ => None,
        };
        if let Some(bytes) = bytes {
            let whose = self.pending_at(id).find(|(_, p)| p.serial.to_be_bytes() == bytes);
            let Some(card) = whose.and_then(|(_, pending)| pending.asked.card()) else {
                return Err(format!("{work:?} for nobody"));
            };
            ensure!(
                holder.is_none_or(|holder| holder == card),
                "{work:?} in a transaction of {holder:?}"
            );
            let mark = self.model.handles.get(&card).map(|handle| handle.mark);
            let marked = matches!(mark, Some(Mark::Reset | Mark::Removed));
            ensure!(
                !marked || matches!(work, Work::Control { .. }),
                "{work:?} for a marked handle"
            );
        } else if let Some(holder) = holder {
            let of_holder = self.pending_at(id).any(|(_, p)| p.asked.card() == Some(holder));
            let identifying = !reader.identified && matches!(work, Work::PowerOn);
            ensure!(of_holder || identifying, "{work:?} in a transaction of {holder:?}");
        }
        let open = self.open_at(id, None);
        if matches!(work, Work::PowerOff) && open > 0 && !reader.ejecting {
            let wanted = self.pending_at(id).any(|(_, pending)| pending.asked.disposes());
            ensure!(wanted, "power off with {open} handles open");
        }
        if let Some(reader) = self.model.readers.get_mut(&id) {
            reader.reset_expected = false;
            reader.ejecting = matches!(work, Work::Eject);
            reader.work_for = reader.events;
            reader.work = Some((job, work));
        }
        Ok(())
    }

    /// Whether a handle may be closed already, though the answer to its disconnect is not there yet.
    fn is_closing(&self, reader: u64, card: CardHandle) -> bool {
        self.pending_at(reader).any(|(_, pending)| {
            matches!(pending.asked, Asked::Disconnect { .. }) && pending.asked.card() == Some(card)
        })
    }

    pub(crate) fn closing_at(&self, reader: u64) -> usize {
        self.model.handles_of(reader).filter(|card| self.is_closing(reader, *card)).count()
    }

    /// Handles that are certainly open, but for one.
    fn open_at(&self, reader: u64, except: Option<CardHandle>) -> usize {
        let counts = |card: &CardHandle| Some(*card) != except && !self.is_closing(reader, *card);
        self.model.handles_of(reader).filter(counts).count()
    }

    fn contexts_of(&self, uid: u32) -> usize {
        self.seats.iter().flatten().filter(|s| s.uid == uid).map(|s| s.contexts.len()).sum()
    }

    /// Handles of a user, or of all, that are certainly open.
    fn handles_of(&self, uid: Option<u32>) -> usize {
        let uid_of =
            |client| self.seats.iter().flatten().find(|s| s.client == client).map(|s| s.uid);
        let counts = |(card, handle): &(&CardHandle, &Handle)| {
            (uid.is_none() || uid_of(handle.client) == uid)
                && !self.is_closing(handle.reader, **card)
        };
        self.model.handles.iter().filter(counts).count()
    }
}

/// Whether a user may have no more.
fn full(uid: u32, own: usize, all: usize, quota: scard_core::Quota) -> bool {
    let (own, all) = (u32::try_from(own).unwrap(), u32::try_from(all).unwrap());
    if uid == 0 {
        all >= quota.total
    } else {
        own >= quota.per_user || all >= quota.total - quota.root_reserve
    }
}

/// Whether an answer is of the kind that the question has.
fn fits(pending: &Pending, reply: &Reply) -> bool {
    let Ok(answer) = reply else { return true };
    match &pending.asked {
        Asked::Establish { .. } => matches!(answer, Answer::Context(_)),
        Asked::Connect { .. } => matches!(answer, Answer::Connected { .. }),
        Asked::Reconnect { .. } => matches!(answer, Answer::Reconnected { .. }),
        Asked::Transmit { .. } => matches!(answer, Answer::Transmitted { .. }),
        Asked::Control { .. } => matches!(answer, Answer::Controlled(_)),
        Asked::Status { .. } => matches!(answer, Answer::Status(_)),
        Asked::GetAttribute { .. } => matches!(answer, Answer::Attribute(_)),
        Asked::StatusChange { .. } => matches!(answer, Answer::StatusChange { .. }),
        Asked::StopWatching => matches!(answer, Answer::Stopped { .. }),
        _ => *answer == Answer::Done,
    }
}

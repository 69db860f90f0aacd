//! Calls on an open handle: the checks on arrival, and commands, control codes and attributes on their way through
//! the slot.

use alloc::vec::Vec;

use scard_types::apdu::{MAX_BUFFER_BYTES, MAX_RESPONSE_BYTES};
use scard_types::call::{Answer, CardHandle, Refusal, Reply};
use scard_types::{Disposition, Protocol, Protocols, ScardCode, SecretBytes, ShareMode, SlotError};

use crate::Core;
use crate::event::{ClientId, ReaderId, Work, WorkDone};
use crate::power::Task;
use crate::queue::{Asker, Op, Waiting};
use crate::requests::Outcome;

/// A status word, the shortest response, in bytes.
const MIN_RESPONSE_BYTES: usize = 2;

/// A piece of work that brings bytes, or sets some.
#[derive(Clone, Copy)]
pub(crate) struct Exchange {
    pub(crate) asker: Asker,
    handle: CardHandle,
    kind: Kind,
}

#[derive(Clone, Copy)]
enum Kind {
    Command { protocol: Protocol, limit: u32 },
    Control { limit: u32 },
    GetAttribute,
    SetAttribute,
}

impl Core {
    /// A call on a handle: what can be said at once is said, the rest goes into the reader's queue.
    ///
    /// DIFFERS: pcscd says what happened to the card only when nobody else is in a transaction.
    pub(crate) fn card_call(&mut self, asker: Asker, card: CardHandle, op: Op) -> Outcome {
        let Some(handle) = self.own_handle(asker.client, card) else {
            return Outcome::refused(ScardCode::InvalidHandle);
        };
        let (id, context, mark) = (handle.reader, handle.context, handle.mark);
        self.used(id, card);
        let Some(reader) = self.readers.get(&id) else {
            if matches!(op, Op::Disconnect { .. }) {
                self.close_handle(card);
                return Outcome::Now(Ok(Answer::Done));
            }
            return Outcome::refused(ScardCode::ReaderUnavailable);
        };
        if let Some(code) = argument_refusal(&op) {
            return Outcome::refused(code);
        }
        if let Some(mark) = mark.filter(|_| op.kind().looks_at_marks()) {
            return Outcome::refused(mark.code());
        }
        let holder = reader.lock.map(|lock| lock.holder);
        let held_up = holder.is_some_and(|holder| holder != card);
        match &op {
            Op::Begin if holder == Some(card) => {
                self.enter(id, card);
                return Outcome::Now(Ok(Answer::Done));
            }
            Op::End { disposition: Disposition::Leave } => {
                self.end_and_leave(id, asker, card);
                return Outcome::Later;
            }
            Op::End { .. } => {
                if let Err(code) = self.may_end(id, asker, card) {
                    return Outcome::refused(code);
                }
            }
            Op::Disconnect { disposition: Disposition::Leave } => {
                self.disconnect_and_leave(id, &Waiting::new(asker, context, Some(card), op));
                return Outcome::Later;
            }
            Op::Status if !held_up => return Outcome::Now(Ok(Answer::Status(reader.entry()))),
            Op::GetAttribute { tag } if !held_up => {
                if let Some(answer) = self.own_attribute(reader, *tag) {
                    return Outcome::Now(answer);
                }
            }
            _ => {}
        }
        self.line_up(id, Waiting::new(asker, context, Some(card), op))
    }

    /// `SCardGetTransmitCount`: no matter what became of the card meanwhile.
    pub(crate) fn transmit_count(&self, client: ClientId, card: CardHandle) -> Outcome {
        let Some(handle) = self.own_handle(client, card) else {
            return Outcome::refused(ScardCode::InvalidHandle);
        };
        match self.readers.get(&handle.reader) {
            Some(reader) => Outcome::Now(Ok(Answer::TransmitCount(reader.transmits))),
            None => Outcome::refused(ScardCode::ReaderUnavailable),
        }
    }

    /// The turn of a request has come: the slot is idle and no other handle is in a transaction.
    pub(crate) fn serve(&mut self, id: ReaderId, waiting: Waiting) {
        match waiting.op {
            Op::Connect { share, protocols } => self.connect_now(id, &waiting, share, protocols),
            Op::Reconnect { share, protocols, initialization } => {
                self.reconnect_now(id, &waiting, share, protocols, initialization);
            }
            Op::Begin => self.begin(id, &waiting),
            Op::End { disposition } => self.end_and_dispose(id, &waiting, disposition),
            Op::Disconnect { disposition } => {
                self.disconnect_and_dispose(id, &waiting, disposition);
            }
            Op::Status => {
                let entry = self.readers.get(&id).map(|reader| Answer::Status(reader.entry()));
                self.reply(waiting.asker, entry.ok_or(ScardCode::ReaderUnavailable.into()));
            }
            Op::GetAttribute { tag } => self.get_attribute_now(id, &waiting, tag),
            Op::Transmit { .. } | Op::Control { .. } | Op::SetAttribute { .. } => {
                self.exchange_now(id, waiting);
            }
        }
    }

    fn get_attribute_now(&mut self, id: ReaderId, waiting: &Waiting, tag: u32) {
        let own = self.readers.get(&id).and_then(|reader| self.own_attribute(reader, tag));
        match (own, waiting.handle) {
            (Some(answer), _) => self.reply(waiting.asker, answer),
            (None, Some(handle)) => {
                let exchange = Exchange { asker: waiting.asker, handle, kind: Kind::GetAttribute };
                self.start(id, Work::GetAttribute { tag }, Task::Exchange(exchange));
            }
            (None, None) => {}
        }
    }

    fn exchange_now(&mut self, id: ReaderId, waiting: Waiting) {
        let Waiting { asker, handle: Some(handle), op, .. } = waiting else { return };
        let (work, kind) = match op {
            Op::Transmit { protocol, command, receive_limit } => {
                match self.protocol_for(id, protocol) {
                    Err(code) => return self.reply(asker, Err(code.into())),
                    Ok(protocol) => (
                        Work::Transmit { protocol, command },
                        Kind::Command { protocol, limit: receive_limit },
                    ),
                }
            }
            Op::Control { code, input, output_limit } => {
                let kind = Kind::Control { limit: output_limit };
                (Work::Control { code, input, output_limit }, kind)
            }
            Op::SetAttribute { tag, value } => {
                (Work::SetAttribute { tag, value }, Kind::SetAttribute)
            }
            _ => return,
        };
        self.start(id, work, Task::Exchange(Exchange { asker, handle, kind }));
    }

    /// The protocol of an exchange: what was negotiated, or raw where the client says so.
    ///
    /// DIFFERS: pcscd leaves it to the driver to say that no card is there for a raw command.
    /// DIFFERS: where nothing was negotiated, pcscd sends a command "in the negotiated protocol" with a number that is none.
    fn protocol_for(&self, id: ReaderId, asked: Option<Protocol>) -> Result<Protocol, ScardCode> {
        let reader = self.readers.get(&id).ok_or(ScardCode::ReaderUnavailable)?;
        if !reader.state.has_card() {
            return Err(ScardCode::NoSmartcard);
        }
        match (asked, reader.protocol) {
            (Some(Protocol::Raw), _) => Ok(Protocol::Raw),
            (None, Some(negotiated)) => Ok(negotiated),
            (Some(asked), Some(negotiated)) if asked == negotiated => Ok(negotiated),
            _ => Err(ScardCode::ProtocolMismatch),
        }
    }

    /// The slot is done. A handle that was marked meanwhile gets no answer from its card any more.
    pub(crate) fn exchange_done(&mut self, exchange: Exchange, done: WorkDone, same_card: bool) {
        let Exchange { asker, handle, kind } = exchange;
        let open = self.handles.get(&handle);
        let mark = open.map(|handle| handle.mark);
        let reader = open.and_then(|handle| self.readers.get_mut(&handle.reader));
        if let (Kind::Command { .. }, Some(reader)) = (kind, reader) {
            reader.transmits = reader.transmits.wrapping_add(1);
        }
        let reply = match (kind, mark) {
            (_, None) => Err(ScardCode::InvalidHandle.into()),
            (Kind::Control { limit }, Some(_)) => control_reply(limit, done.bytes()),
            (_, Some(Some(mark))) => Err(mark.code().into()),
            (Kind::Command { .. }, Some(None)) if !same_card => Err(ScardCode::NoSmartcard.into()),
            (Kind::Command { protocol, limit }, Some(None)) => {
                command_reply(protocol, limit, done.bytes())
            }
            (Kind::GetAttribute, Some(None)) => match done.bytes() {
                Ok(value) => Ok(Answer::Attribute(Vec::from(value.expose()))),
                Err(error) => Err(reader_refusal(error)),
            },
            (Kind::SetAttribute, Some(None)) => match done.done() {
                Ok(()) => Ok(Answer::Done),
                Err(error) => Err(reader_refusal(error)),
            },
        };
        self.reply(asker, reply);
    }
}

/// What is wrong with a call whatever the reader's state.
fn argument_refusal(op: &Op) -> Option<ScardCode> {
    match op {
        Op::Reconnect { initialization: Disposition::Eject, .. } => Some(ScardCode::InvalidValue),
        Op::Reconnect { share: ShareMode::Direct, .. } => None,
        Op::Reconnect { protocols: Protocols::NONE, .. } => Some(ScardCode::ProtocolMismatch),
        Op::Transmit { command, .. } if command.is_empty() => Some(ScardCode::InvalidParameter),
        Op::Transmit { command, .. } if command.len() > MAX_BUFFER_BYTES => {
            Some(ScardCode::InsufficientBuffer)
        }
        Op::Control { input, .. } if input.len() > MAX_BUFFER_BYTES => {
            Some(ScardCode::InsufficientBuffer)
        }
        Op::SetAttribute { value, .. } if value.is_empty() => Some(ScardCode::InvalidParameter),
        _ => None,
    }
}

/// Whether `bytes` are more than `limit` takes.
fn exceeds(limit: u32, bytes: usize) -> bool {
    usize::try_from(limit).is_ok_and(|limit| bytes > limit)
}

fn too_long(needed: usize) -> Refusal {
    Refusal {
        code: ScardCode::InsufficientBuffer,
        needed: Some(u32::try_from(needed).unwrap_or(u32::MAX)),
    }
}

fn command_reply(protocol: Protocol, limit: u32, result: Result<SecretBytes, SlotError>) -> Reply {
    match result {
        Ok(response) if exceeds(limit, response.len()) => Err(too_long(response.len())),
        Ok(response) if (MIN_RESPONSE_BYTES..=MAX_RESPONSE_BYTES).contains(&response.len()) => {
            Ok(Answer::Transmitted { protocol, response })
        }
        Ok(_) => Err(ScardCode::NotTransacted.into()),
        Err(SlotError::NoCard) => Err(ScardCode::NoSmartcard.into()),
        Err(SlotError::ReaderGone) => Err(ScardCode::ReaderUnavailable.into()),
        Err(_) => Err(ScardCode::NotTransacted.into()),
    }
}

fn control_reply(limit: u32, result: Result<SecretBytes, SlotError>) -> Reply {
    match result {
        Ok(output) if exceeds(limit, output.len()) => Err(too_long(output.len())),
        Ok(output) => Ok(Answer::Controlled(output)),
        Err(error) => Err(reader_refusal(error)),
    }
}

/// What a program is told of a reader's failure at a control code or an attribute.
const fn reader_refusal(error: SlotError) -> Refusal {
    let (code, needed) = match error {
        SlotError::NotSupported => (ScardCode::UnsupportedFeature, None),
        SlotError::AnswerTooLong { needed } => (ScardCode::InsufficientBuffer, Some(needed)),
        SlotError::TooLong => (ScardCode::InsufficientBuffer, None),
        SlotError::NoCard => (ScardCode::NoSmartcard, None),
        SlotError::ReaderGone => (ScardCode::ReaderUnavailable, None),
        _ => (ScardCode::NotTransacted, None),
    };
    Refusal { code, needed }
}

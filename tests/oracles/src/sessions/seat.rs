//! One client: its side of the wire, ours, and what it has asked and got.

use std::collections::BTreeMap;

use scard_core::{ClientId, Push, RequestId, Wire};
use scard_types::call::{Answer, Call, CardHandle, ContextId, Reply};
use scard_types::status_change::IGNORE;
use scard_wire::{native, pcsclite};

/// What may wait for a client at most: a table of readers, or the longest answer.
const MOST_SENT: usize = 256 * 1024;

pub(super) struct Seat {
    pub(super) client: ClientId,
    pub(super) contexts: Vec<ContextId>,
    pub(super) handles: BTreeMap<CardHandle, ContextId>,
    pub(super) open: BTreeMap<u32, Asked>,
    pub(super) last_number: u32,
    server: Server,
}

enum Server {
    PcscLite(Box<pcsclite::Server>, pcsclite::Version),
    Native(native::Server, native::Client),
}

/// What an answer is held against.
pub(super) struct Asked {
    what: &'static str,
    context: Option<ContextId>,
    card: Option<CardHandle>,
    /// The card was this client's when it asked: its answer may come behind that to a disconnect.
    was_own: bool,
    /// What went to the card, and how much may come back.
    sent: Vec<u8>,
    limit: u32,
    /// How many readers were named.
    readers: usize,
}

impl Seat {
    /// `how`: 0 to 7 our own wire, 8 to 11 a version of pcsc-lite's, beyond that one that nobody named.
    pub(super) fn new(client: ClientId, how: u8) -> Self {
        use pcsclite::Version::{V4_3, V4_4, V4_5, V4_6};
        let server = match how {
            0..8 => Server::Native(native::Server::new(), native::Client::new()),
            _ => {
                let version = [V4_3, V4_4, V4_5, V4_6][usize::from(how % 4)];
                Server::PcscLite(Box::new(pcsclite::Server::new(0)), version)
            }
        };
        Self {
            client,
            contexts: Vec::new(),
            handles: BTreeMap::new(),
            open: BTreeMap::new(),
            last_number: 0,
            server,
        }
    }

    pub(super) const fn wire(&self) -> Wire {
        match self.server {
            Server::PcscLite(..) => Wire::PcscLite,
            Server::Native(..) => Wire::Native,
        }
    }

    /// What it says first.
    pub(super) fn hello(&self) -> Vec<u8> {
        match &self.server {
            Server::Native(..) => native::Hello::OURS.encode().to_vec(),
            Server::PcscLite(_, version) => {
                let mut hello = Vec::new();
                pcsclite::ClientRequest::version(*version).encode(&mut hello);
                hello
            }
        }
    }

    pub(super) fn hear(&mut self, bytes: &[u8]) {
        match &mut self.server {
            Server::PcscLite(server, _) => server.extend(bytes),
            Server::Native(server, _) => server.extend(bytes),
        }
    }

    /// The next request that is complete and may be asked now.
    pub(super) fn next(&mut self) -> Result<Option<(RequestId, Call)>, ()> {
        let mut out = Vec::new();
        let (number, call) = loop {
            match &mut self.server {
                Server::PcscLite(server, _) => match server.next_call(&mut out).map_err(drop)? {
                    Some(call) => break (0, call),
                    None => return Ok(None),
                },
                Server::Native(server, _) => match server.next_request(&mut out).map_err(drop)? {
                    Some(native::Incoming { number, request: native::Request::Call(call) }) => {
                        break (number, call);
                    }
                    // Driver commands and unknown kinds never reach the core.
                    Some(_) => {}
                    None => return Ok(None),
                },
            }
        };
        if self.open.insert(number, Asked::new(&call, &self.handles)).is_some() {
            return Err(());
        }
        Ok(Some((RequestId(number), call)))
    }

    /// An answer: to an open question, of its kind, about what this client has, and understood by its side of the wire.
    pub(super) fn reply(&mut self, request: RequestId, reply: &Reply) {
        let Some(asked) = self.open.remove(&request.0) else {
            panic!("{:?} is answered {request:?}, which it did not ask", self.client);
        };
        if let Ok(answer) = reply {
            self.take(&asked, answer);
        }
        let mut out = Vec::new();
        match &mut self.server {
            Server::PcscLite(server, _) => {
                let tail = server.answer(reply, &mut out);
                assert!(out.len() + tail.len() <= MOST_SENT, "an answer without end");
            }
            Server::Native(_, client) => {
                let tail = native::encode_reply(request.0, reply, &mut out);
                out.extend_from_slice(tail);
                client.extend(&out);
                match client.next_response() {
                    Ok(Some(native::Response::Reply { number, reply: read, .. })) => {
                        assert!(number == request.0 && read == *reply, "{reply:?}, read {read:?}");
                    }
                    other => panic!("{reply:?} is read as {other:?}"),
                }
            }
        }
    }

    fn take(&mut self, asked: &Asked, answer: &Answer) {
        if let Some(card) = asked.card {
            let is_own = asked.was_own || self.handles.contains_key(&card);
            assert!(is_own, "{card:?} is somebody else's");
        }
        if let Some(context) = asked.context {
            assert!(self.contexts.contains(&context), "{context:?} is somebody else's");
        }
        match (asked.what, answer) {
            ("EstablishContext", Answer::Context(context)) => self.contexts.push(*context),
            ("ReleaseContext", Answer::Done) => {
                self.contexts.retain(|own| Some(*own) != asked.context);
                self.handles.retain(|_, own| Some(*own) != asked.context);
            }
            ("Connect", Answer::Connected { card, .. }) => {
                self.handles.extend(asked.context.map(|context| (*card, context)));
            }
            ("Disconnect", Answer::Done) => self.handles.retain(|own, _| Some(*own) != asked.card),
            ("Transmit", Answer::Transmitted { response: got, .. })
            | ("Control", Answer::Controlled(got)) => {
                let own = [&asked.sent[..], &[0x90, 0x00]].concat();
                assert_eq!(got.expose(), own, "somebody else's answer");
                let limit = usize::try_from(asked.limit).unwrap_or(usize::MAX);
                assert!(got.len() <= limit, "{} bytes where {limit} are taken", got.len());
            }
            ("StatusChange", Answer::StatusChange { readers, .. }) => {
                assert_eq!(readers.len(), asked.readers, "other readers than those asked for");
            }
            (
                "EstablishContext" | "ReleaseContext" | "Connect" | "Disconnect" | "Transmit"
                | "Control" | "StatusChange",
                _,
            ) => panic!("{answer:?} to {}", asked.what),
            _ => {}
        }
    }

    /// What is no answer goes out and comes in the same.
    pub(super) fn push(&mut self, push: &Push) {
        let mut out = Vec::new();
        match (&mut self.server, push) {
            (Server::PcscLite(server, _), Push::WatchFired(fired)) => {
                server.fired(*fired, &mut out);
            }
            (Server::Native(_, client), Push::Reader(event)) => {
                native::encode_push(event, &mut out);
                client.extend(&out);
                let read = client.next_response();
                let same = matches!(&read, Ok(Some(native::Response::Push(read))) if read == event);
                assert!(same, "{event:?} is read as {read:?}");
            }
            _ => {}
        }
    }

    /// A request of this client as its side of the wire writes it; `None` if the wire has no word for it.
    pub(super) fn write(&mut self, call: &Call) -> Option<Vec<u8>> {
        let mut out = Vec::new();
        match &self.server {
            Server::PcscLite(_, version) => {
                let request = stock(call, *version)?;
                let tail = request.encode(&mut out);
                out.extend_from_slice(tail);
            }
            Server::Native(..) => {
                self.last_number = self.last_number.wrapping_add(1).max(1);
                let (_, tail) = native::encode_call(self.last_number, call, &mut out).ok()?;
                out.extend_from_slice(tail);
            }
        }
        Some(out)
    }
}

/// The request of a stock client.
fn stock(call: &Call, version: pcsclite::Version) -> Option<pcsclite::ClientRequest<'_>> {
    use pcsclite::{ClientRequest as Request, Command};
    let plain = |command| Some(Request::plain(command, version));
    Some(match call {
        Call::EstablishContext { scope, .. } => Request::establish(*scope),
        Call::ReleaseContext { context } => Request::release(*context),
        Call::Cancel { context } => Request::cancel(*context),
        Call::Connect { context, reader, share, protocols } => {
            return Request::connect(*context, reader, *share, *protocols);
        }
        Call::Reconnect { card, share, protocols, initialization } => {
            Request::reconnect(*card, *share, *protocols, *initialization)
        }
        Call::Disconnect { card, disposition } => Request::disconnect(*card, *disposition),
        Call::BeginTransaction { card } => Request::begin(*card),
        Call::EndTransaction { card, disposition } => Request::end(*card, *disposition),
        Call::Status { card } => Request::status(*card),
        Call::Transmit { card, protocol, command, receive_limit } => {
            return Request::transmit(*card, *protocol, command.expose(), *receive_limit);
        }
        Call::Control { card, code, input, output_limit } => {
            return Request::control(*card, *code, input.expose(), *output_limit);
        }
        Call::GetAttribute { card, tag } => Request::attribute(*card, *tag),
        Call::SetAttribute { card, tag, value } => {
            return Request::set_attribute(*card, *tag, value);
        }
        Call::WatchReaders => return plain(Command::WaitReaderStateChange),
        Call::StopWatching => return plain(Command::StopWaitingReaderStateChange),
        Call::ReaderTable { .. } => return plain(Command::ReadersState),
        Call::ReaderEvents => return plain(Command::ReaderEvents),
        _ => return None,
    })
}

impl Asked {
    fn new(call: &Call, handles: &BTreeMap<CardHandle, ContextId>) -> Self {
        let (mut context, mut card, mut sent, mut limit, mut readers) = Default::default();
        match call {
            // Whoever is of the same user may cancel.
            Call::ReleaseContext { context: own }
            | Call::Connect { context: own, .. }
            | Call::ListReaders { context: own } => context = Some(*own),
            Call::StatusChange { context: own, readers: named, .. } => {
                // As in pcsc-lite, the context is not looked at where there is nothing to wait for.
                let waits = named.iter().any(|known| known.current_state & IGNORE == 0);
                context = waits.then_some(*own);
                readers = named.len();
            }
            Call::Transmit { card: own, command, receive_limit, .. } => {
                (card, sent, limit) = (Some(*own), command.expose().to_vec(), *receive_limit);
            }
            Call::Control { card: own, input, output_limit, .. } => {
                (card, sent, limit) = (Some(*own), input.expose().to_vec(), *output_limit);
            }
            Call::Reconnect { card: own, .. }
            | Call::Disconnect { card: own, .. }
            | Call::BeginTransaction { card: own }
            | Call::EndTransaction { card: own, .. }
            | Call::Status { card: own }
            | Call::GetAttribute { card: own, .. }
            | Call::SetAttribute { card: own, .. } => card = Some(*own),
            _ => {}
        }
        let was_own = card.is_some_and(|card: CardHandle| handles.contains_key(&card));
        Self { what: call.name(), context, card, was_own, sent, limit, readers }
    }
}

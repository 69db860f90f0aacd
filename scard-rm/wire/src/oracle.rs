//! What must hold for any bytes whatever: the bodies of the fuzz targets, also run by `cargo test` on committed inputs.
//!
//! Each takes one input and panics where a promise of this crate is broken.
#![expect(clippy::panic, reason = "an oracle says no by a panic")]

use alloc::vec::Vec;

use scard_types::call::{
    Answer, Call, CardHandle, ContextId, ReaderDescription, ReaderEntry, Refusal, Reply,
    SeenReader, Sharing,
};
use scard_types::{CardState, Protocol, ReaderName, ScardCode, SecretBytes};

use crate::native::{self, Incoming, Request, Response};
use crate::pcsclite::{self, ClientRequest, ReplyShape, Version};

/// What a client of pcsc-lite sends: cut anywhere it means the same, and every call is answered with bytes or none.
pub fn pcsclite_server(bytes: &[u8]) {
    let whole = play_pcsclite(bytes, usize::MAX);
    for piece in [1, 7, 64] {
        same(&play_pcsclite(bytes, piece), &whole);
    }
}

/// What our own library sends: cut anywhere it means the same, and what was understood is written as it came.
pub fn native_server(bytes: &[u8]) {
    let (requests, end, sent) = play_native(bytes, usize::MAX);
    for piece in [1, 7, 64] {
        same(&play_native(bytes, piece), &(requests.iter().map(copy).collect(), end, sent.clone()));
    }
    for incoming in &requests {
        let mut out = Vec::from(native::Hello::OURS.encode());
        if let Some(tail) = encode(incoming, &mut out) {
            out.extend_from_slice(tail);
            let (again, end, _) = play_native(&out, usize::MAX);
            same(&end, &Ok(()));
            same(&again.as_slice(), &core::slice::from_ref(incoming));
        }
    }
}

/// What our daemon, or a liar in its place, sends after the hello.
pub fn native_client(bytes: &[u8]) {
    let (responses, end) = play_client(bytes, usize::MAX);
    for piece in [1, 7, 64] {
        let (pieces, pieces_end) = play_client(bytes, piece);
        same(&pieces, &responses);
        same(&pieces_end, &end);
    }
    for response in responses {
        let mut out = Vec::new();
        match &response {
            Response::Reply { number, reply, .. } => {
                let tail = native::encode_reply(*number, reply, &mut out);
                out.extend_from_slice(tail);
            }
            Response::Push(event) => native::encode_push(event, &mut out),
            Response::Trace(traced) => native::encode_trace(traced, &mut out),
        }
        let (again, _) = play_client(&out, usize::MAX);
        same(&again, &alloc::vec![response]);
    }
}

/// What a pcscd, or a liar in its place, answers to each command.
pub fn pcsclite_client(bytes: &[u8]) {
    for version in [Version::V4_3, Version::V4_4, Version::V4_5, Version::V4_6] {
        for request in client_requests(version) {
            match request.reply(version) {
                ReplyShape::Structure(length) => {
                    let reply = bytes.get(..length).unwrap_or(bytes);
                    let Ok(reply) = request.understand(reply) else { continue };
                    if reply.payload_bytes > pcsclite::MAX_PAYLOAD_BYTES {
                        panic!("{} bytes of payload are believed", reply.payload_bytes);
                    }
                    let _ = (reply.card(), reply.context(), reply.protocol(), reply.attribute());
                    let _ = (reply.count(), reply.version());
                }
                ReplyShape::Table(length) => {
                    let _ = pcsclite::decode_table(bytes.get(..length).unwrap_or(bytes));
                }
                ReplyShape::Nothing => {}
            }
        }
    }
}

fn client_requests(version: Version) -> Vec<ClientRequest<'static>> {
    let card = CardHandle(1);
    let plain = |command| ClientRequest::plain(command, version);
    let mut requests: Vec<_> = pcsclite::Command::ALL.into_iter().map(plain).collect();
    requests.extend(ClientRequest::transmit(card, Some(Protocol::T1), &[0, 0xA4, 4, 0], 258));
    requests.extend(ClientRequest::control(card, 1, &[], 16));
    requests.push(ClientRequest::attribute(card, 1));
    requests
}

type Understood = (Vec<Call>, Result<(), pcsclite::Malformed>, Vec<u8>);

fn play_pcsclite(bytes: &[u8], piece: usize) -> Understood {
    let mut server = pcsclite::Server::new(0);
    let (mut calls, mut out) = (Vec::new(), Vec::new());
    for piece in bytes.chunks(piece) {
        server.extend(piece);
        loop {
            match server.next_call(&mut out) {
                Ok(Some(call)) => {
                    let reply = some_reply(&call);
                    let tail = server.answer(&reply, &mut out);
                    out.extend_from_slice(tail);
                    calls.push(call);
                }
                Ok(None) => break,
                Err(malformed) => return (calls, Err(malformed), out),
            }
        }
    }
    (calls, Ok(()), out)
}

fn play_native(
    bytes: &[u8],
    piece: usize,
) -> (Vec<Incoming>, Result<(), native::Malformed>, Vec<u8>) {
    let mut server = native::Server::new();
    let (mut requests, mut out) = (Vec::new(), Vec::new());
    for piece in bytes.chunks(piece) {
        server.extend(piece);
        loop {
            match server.next_request(&mut out) {
                Ok(Some(incoming)) => requests.push(incoming),
                Ok(None) => break,
                Err(malformed) => return (requests, Err(malformed), out),
            }
        }
    }
    (requests, Ok(()), out)
}

fn play_client(bytes: &[u8], piece: usize) -> (Vec<Response>, Result<(), native::Malformed>) {
    let mut client = native::Client::new();
    let mut responses = Vec::new();
    for piece in bytes.chunks(piece) {
        client.extend(piece);
        loop {
            match client.next_response() {
                Ok(Some(response)) => responses.push(response),
                Ok(None) => break,
                Err(malformed) => return (responses, Err(malformed)),
            }
        }
    }
    (responses, Ok(()))
}

fn encode<'i>(incoming: &'i Incoming, out: &mut Vec<u8>) -> Option<&'i [u8]> {
    let number = incoming.number;
    let written = match &incoming.request {
        Request::Call(call) => native::encode_call(number, call, out),
        Request::DriverCommand { driver, command } => {
            native::encode_driver_command(number, driver, command.expose(), out)
        }
        Request::Unknown { .. } => return None,
    };
    match written {
        Ok((_, tail)) => Some(tail),
        Err(code) => panic!("{incoming:?} was understood and cannot be written: {code}"),
    }
}

/// Requests do not clone, since they may hold secrets; this one is for comparisons.
fn copy(incoming: &Incoming) -> Incoming {
    let mut out = Vec::from(native::Hello::OURS.encode());
    let unknown = |kind| Incoming { number: incoming.number, request: Request::Unknown { kind } };
    if let Request::Unknown { kind } = incoming.request {
        return unknown(kind);
    }
    if let Some(tail) = encode(incoming, &mut out) {
        out.extend_from_slice(tail);
    }
    play_native(&out, usize::MAX).0.pop().unwrap_or_else(|| unknown(0))
}

/// Some answer of the right kind.
fn some_reply(call: &Call) -> Reply {
    let protocol = Protocol::T1;
    Ok(match call {
        Call::EstablishContext { .. } => Answer::Context(ContextId(7)),
        Call::Connect { .. } => Answer::Connected { card: CardHandle(8), protocol: Some(protocol) },
        Call::Reconnect { .. } => Answer::Reconnected { protocol: None },
        Call::Transmit { command, .. } => {
            Answer::Transmitted { protocol, response: SecretBytes::from(command.expose()) }
        }
        Call::Control { input, .. } => Answer::Controlled(SecretBytes::from(input.expose())),
        Call::GetAttribute { tag, .. } => Answer::Attribute(tag.to_ne_bytes().to_vec()),
        Call::SetAttribute { .. } => {
            return Err(Refusal { code: ScardCode::UnsupportedFeature, needed: None });
        }
        Call::Status { .. } => match some_reader() {
            Some(reader) => Answer::Status(reader),
            None => Answer::Done,
        },
        Call::ListReaders { .. } => Answer::Readers(Vec::new()),
        Call::StatusChange { readers, .. } => Answer::StatusChange {
            changed: false,
            readers: readers.iter().map(|_| SeenReader::default()).collect(),
        },
        Call::StopWatching => Answer::Stopped { was_watching: true },
        Call::ReaderTable { .. } => Answer::ReaderTable(alloc::vec![None, some_reader()]),
        Call::ReaderEvents => Answer::ReaderEvents(1),
        Call::DescribeReaders => Answer::Described(Vec::<ReaderDescription>::new()),
        _ => Answer::Done,
    })
}

fn some_reader() -> Option<ReaderEntry> {
    Some(ReaderEntry {
        name: ReaderName::new("Reader 00 00").ok()?,
        event_counter: 1,
        state: CardState::Absent,
        sharing: Sharing::Free,
        atr: None,
        protocol: None,
    })
}

fn same<T: PartialEq + core::fmt::Debug>(one: &T, other: &T) {
    if one != other {
        panic!("these should be the same: {one:?} {other:?}");
    }
}

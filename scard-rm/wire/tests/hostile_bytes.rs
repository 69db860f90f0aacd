//! Bytes that no honest peer sends, and the fuzz oracles on the inputs that are kept.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test says no by a panic")]

use scard_types::call::{
    Answer, Call, CardHandle, ContextId, KnownReader, ReaderEvent, SeenReader,
};
use scard_types::{Character, Disposition, Protocol, Protocols, ScardCode, ShareMode};
use scard_wire::pcsclite::{
    ClientRequest, Command, MAX_PAYLOAD_BYTES, Malformed, ReplyShape, Server, Version,
};
use scard_wire::{native, oracle};

#[test]
fn sizes_other_than_the_commands_own_are_refused_by_the_header_alone() {
    for version in [Version::V4_3, Version::V4_4, Version::V4_5, Version::V4_6] {
        for command in Command::ALL {
            let right = u32::try_from(command.request_bytes(version)).unwrap();
            for size in [right.wrapping_sub(1), right + 1, right + 8, 0x8000_0000, u32::MAX] {
                let mut server = speaking(version);
                server.extend(&header(size, command.number()));
                let next = server.next_call(&mut Vec::new());
                assert_eq!(next, Err(Malformed::WrongSize { command, got: size }));
                assert!(server.room().len() <= 8192, "room was made for a lie");
            }
        }
    }
}

#[test]
fn commands_that_nobody_sends_are_refused() {
    for command in [0, 0x03, 0x0C, 0x0E, 0x18, 0x99, 0xFFFF_FFFF] {
        let mut server = Server::new(0);
        server.extend(&header(0, command));
        let next = server.next_call(&mut Vec::new());
        assert_eq!(next, Err(Malformed::UnknownCommand { command }));
    }
}

#[test]
fn payloads_longer_than_any_message_are_refused_before_they_come() {
    let (transmit, send_length) = (Command::Transmit, 12);
    let (control, input_length) = (Command::Control, 8);
    let (attribute, value_length) = (Command::SetAttribute, 272);
    for (command, at, most) in [
        (transmit, send_length, MAX_PAYLOAD_BYTES),
        (control, input_length, MAX_PAYLOAD_BYTES),
        (attribute, value_length, 264),
    ] {
        for announced in [u32::try_from(most).unwrap() + 1, 0x8000_0000, u32::MAX] {
            let mut message = whole(command);
            message[8 + at..8 + at + 4].copy_from_slice(&announced.to_ne_bytes());
            let mut server = speaking(Version::V4_6);
            server.extend(&message);
            let next = server.next_call(&mut Vec::new());
            assert_eq!(next, Err(Malformed::TooLong { announced }));
        }
    }
}

#[test]
fn a_message_is_nothing_until_its_last_byte() {
    for command in Command::ALL {
        let message = whole(command);
        for end in 1..message.len() {
            let mut server = speaking(Version::V4_6);
            let mut out = Vec::new();
            server.extend(&message[..end]);
            assert_eq!(server.next_call(&mut out), Ok(None), "{command:?} cut at {end}");
            assert!(out.is_empty() && server.is_mid_message());
        }
    }
}

#[test]
fn one_call_at_a_time_however_much_is_sent() {
    let mut server = speaking(Version::V4_6);
    let mut out = Vec::new();
    for card in 1..=3 {
        server.extend(&encoded(&ClientRequest::begin(CardHandle(card))));
    }
    for card in 1..=3 {
        let call = Call::BeginTransaction { card: CardHandle(card) };
        assert_eq!(server.next_call(&mut out), Ok(Some(call)));
        assert_eq!(server.next_call(&mut out), Ok(None));
        server.answer(&Ok(Answer::Done), &mut out);
    }
    assert_eq!(out.len(), 3 * 8);
    server.answer(&Ok(Answer::Done), &mut out);
    assert_eq!(out.len(), 3 * 8, "an answer that nobody waits for");
}

#[test]
fn an_answer_of_the_wrong_kind_is_an_internal_error() {
    for request in requests() {
        let mut server = speaking(Version::V4_6);
        let mut out = Vec::new();
        server.extend(&encoded(&request));
        let Ok(Some(call)) = server.next_call(&mut out) else { panic!("{request:?} asks nothing") };
        if matches!(call, Call::WatchReaders | Call::StopWatching | Call::ReaderTable { .. }) {
            continue;
        }
        let tail = server.answer(&Ok(Answer::Stopped { was_watching: true }), &mut out);
        assert!(tail.is_empty());
        let reply = request.understand(&out).unwrap();
        assert_eq!(reply.result, Err(ScardCode::InternalError), "{call:?}");
        assert_eq!(reply.payload_bytes, 0);
    }
}

#[test]
fn what_our_client_writes_our_server_reads_and_the_other_way_round() {
    for version in [Version::V4_3, Version::V4_4, Version::V4_5, Version::V4_6] {
        let mut server = Server::new(0);
        let mut out = Vec::new();
        let hello = ClientRequest::version(version);
        server.extend(&encoded(&hello));
        assert_eq!(server.next_call(&mut out), Ok(None));
        let named = hello.understand(&out).unwrap();
        assert_eq!((named.result, named.version()), (Ok(()), (4, version.minor())));
        assert_eq!(server.version(), version);
    }

    let mut server = speaking(Version::V4_6);
    let mut out = Vec::new();
    let request =
        ClientRequest::transmit(CardHandle(9), Some(Protocol::T0), &[1, 2, 3], 70_000).unwrap();
    server.extend(&encoded(&request));
    let Ok(Some(Call::Transmit { card, protocol, command, receive_limit })) =
        server.next_call(&mut out)
    else {
        panic!("no transmit came");
    };
    assert_eq!(
        (card, protocol, command.expose()),
        (CardHandle(9), Some(Protocol::T0), &[1, 2, 3][..])
    );
    assert_eq!(receive_limit, 65_548);
    let reply = Ok(Answer::Transmitted { protocol: Protocol::T0, response: vec![0x90, 0].into() });
    let tail = server.answer(&reply, &mut out);
    let understood = request.understand(&out).unwrap();
    assert_eq!((understood.result, understood.payload_bytes, tail), (Ok(()), 2, &[0x90, 0][..]));
}

#[test]
fn a_daemon_that_promises_more_than_was_asked_for_is_not_believed() {
    let request = ClientRequest::transmit(CardHandle(9), Some(Protocol::T0), &[], 258).unwrap();
    let ReplyShape::Structure(bytes) = request.reply(Version::V4_4) else { panic!("no structure") };
    let mut reply = vec![0; bytes];
    reply[24..28].copy_from_slice(&259_u32.to_ne_bytes());
    assert_eq!(request.understand(&reply).unwrap_err(), Malformed::TooLong { announced: 259 });
    // With an error the number is only a wish.
    reply[28..32].copy_from_slice(&0x8010_0008_u32.to_ne_bytes());
    let short = request.understand(&reply).unwrap();
    assert_eq!((short.payload_bytes, short.needed), (0, Some(259)));
    for length in 0..bytes {
        assert!(request.understand(&reply[..length]).is_err());
    }
}

#[test]
fn the_oracles_hold_for_the_inputs_that_are_kept() {
    type Oracle = fn(&[u8]);
    let inputs: &[(&[u8], Oracle)] = &[
        (include_bytes!("inputs/pcsclite/session_4_4"), oracle::pcsclite_server),
        (include_bytes!("inputs/pcsclite/session_4_6"), oracle::pcsclite_server),
        (include_bytes!("inputs/native/session"), oracle::native_server),
        (include_bytes!("inputs/native_client/replies"), oracle::native_client),
        (include_bytes!("inputs/native_client/trace"), oracle::native_client),
        (include_bytes!("inputs/native_client/replies"), oracle::pcsclite_client),
    ];
    for (input, oracle) in inputs {
        oracle(input);
        // Cut at every length, and with every byte turned round in turn.
        for at in 0..input.len() {
            oracle(&input[..at]);
            let mut damaged = input.to_vec();
            damaged[at] = !damaged[at];
            oracle(&damaged);
        }
    }
}

fn speaking(version: Version) -> Server {
    let mut server = Server::new(0);
    server.extend(&encoded(&ClientRequest::version(version)));
    assert_eq!(server.next_call(&mut Vec::new()), Ok(None));
    server
}

fn header(size: u32, command: u32) -> [u8; 8] {
    let mut header = [0; 8];
    header[..4].copy_from_slice(&size.to_ne_bytes());
    header[4..].copy_from_slice(&command.to_ne_bytes());
    header
}

/// A message of zeros, without payload.
fn whole(command: Command) -> Vec<u8> {
    encoded(&ClientRequest::plain(command, Version::V4_6))
}

fn encoded(request: &ClientRequest<'_>) -> Vec<u8> {
    let mut out = Vec::new();
    let tail = request.encode(&mut out);
    out.extend_from_slice(tail);
    out
}

fn requests() -> Vec<ClientRequest<'static>> {
    let (context, card) = (ContextId(1), CardHandle(2));
    let share = ShareMode::Shared;
    let mut requests = vec![
        ClientRequest::establish(2),
        ClientRequest::release(context),
        ClientRequest::cancel(context),
        ClientRequest::reconnect(card, share, Protocols::ANY, Disposition::Leave),
        ClientRequest::disconnect(card, Disposition::Leave),
        ClientRequest::begin(card),
        ClientRequest::end(card, Disposition::Leave),
        ClientRequest::status(card),
        ClientRequest::attribute(card, 1),
        ClientRequest::plain(Command::ReaderEvents, Version::V4_6),
        ClientRequest::plain(Command::ReadersState, Version::V4_6),
        ClientRequest::plain(Command::WaitReaderStateChange, Version::V4_6),
        ClientRequest::plain(Command::StopWaitingReaderStateChange, Version::V4_6),
    ];
    requests.extend(ClientRequest::connect(context, "r", share, Protocols::ANY));
    requests.extend(ClientRequest::transmit(card, Some(Protocol::T1), &[0, 1], 258));
    requests.extend(ClientRequest::control(card, 1, &[2], 264));
    requests.extend(ClientRequest::set_attribute(card, 1, &[3]));
    requests
}

/// The sessions that fuzzing begins with are what our own sides write; when the wire changes, they change with it.
#[test]
#[cfg(target_endian = "little")]
fn the_inputs_that_are_kept_are_what_we_write() {
    for (version, kept) in [
        (Version::V4_4, &include_bytes!("inputs/pcsclite/session_4_4")[..]),
        (Version::V4_6, include_bytes!("inputs/pcsclite/session_4_6")),
    ] {
        let mut session = encoded(&ClientRequest::version(version));
        session.extend(requests().iter().flat_map(encoded));
        assert_eq!(session, kept);
    }

    let (context, card) = (ContextId(1), CardHandle(2));
    let (share, protocols) = (ShareMode::Shared, Protocols::ANY);
    let readers = vec![KnownReader { name: "r".into(), current_state: 0 }];
    let command = || vec![0, 0xA4, 4, 0].into();
    let calls = [
        Call::EstablishContext { scope: 2, character: Character::PcscLite },
        Call::ListReaders { context },
        Call::Connect { context, reader: "r".into(), share, protocols },
        Call::Transmit { card, protocol: None, command: command(), receive_limit: 258 },
        Call::Control { card, code: 1, input: vec![2].into(), output_limit: 264 },
        Call::SetAttribute { card, tag: 1, value: vec![3] },
        Call::StatusChange { context, timeout_ms: Some(5), readers },
        Call::Subscribe,
    ];
    let mut session = native::Hello::OURS.encode().to_vec();
    for (number, call) in (1..).zip(&calls) {
        let (_, tail) = native::encode_call(number, call, &mut session).unwrap();
        session.extend_from_slice(tail);
    }
    let (_, tail) = native::encode_driver_command(99, "sim", b"status", &mut session).unwrap();
    session.extend_from_slice(tail);
    assert_eq!(session, include_bytes!("inputs/native/session"));

    let seen = SeenReader::default();
    let answers = [
        Ok(Answer::Context(context)),
        Ok(Answer::Connected { card, protocol: Some(Protocol::T1) }),
        Ok(Answer::Transmitted { protocol: Protocol::T1, response: vec![0x90, 0].into() }),
        Err(ScardCode::RemovedCard.into()),
        Ok(Answer::StatusChange { changed: true, readers: vec![seen] }),
    ];
    let mut replies = Vec::new();
    for (number, reply) in (1..).zip(&answers) {
        let tail = native::encode_reply(number, reply, &mut replies);
        replies.extend_from_slice(tail);
    }
    native::encode_push(&ReaderEvent::Caught, &mut replies);
    assert_eq!(replies, include_bytes!("inputs/native_client/replies"));
}

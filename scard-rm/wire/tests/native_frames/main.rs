//! The native wire: golden bytes of `docs/native-wire.md`, round trips of every call and answer, hostile peers.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test says no by a panic")]

mod database;

use scard_types::call::{
    Answer, Call, CardHandle, ContextId, Holder, KnownReader, Peer, ReaderDescription, ReaderEntry,
    ReaderEvent, Refusal, Reply, SeenReader, Sharing,
};
use scard_types::{
    Atr, CardState, Character, Disposition, Protocol, Protocols, ReaderName, ScardCode, ShareMode,
};
use scard_wire::native::{
    Client, HEADER_BYTES, Hello, Incoming, MAX_REPLY_BYTES, Malformed, Request, RequestKind,
    Response, Server, Welcome, encode_call, encode_driver_command, encode_push, encode_reply,
};

#[test]
fn the_hello_is_eight_bytes_each_way() {
    assert_eq!(Hello::OURS.encode(), *b"SCRD\x01\0\x01\0");
    assert_eq!(Welcome::Speak(1).encode(), *b"SCRD\x01\0\0\0");
    for welcome in [
        Welcome::Speak(1),
        Welcome::NoCommonVersion,
        Welcome::Refused(ScardCode::SecurityViolation),
    ] {
        assert_eq!(Welcome::decode(&welcome.encode()), Some(welcome));
    }
    for lie in [b"SCRD\x01\0\x6a\0", b"SCRD\0\0\xff\0", b"SCRX\x01\0\0\0", b"\x0c\0\0\0\x11\0\0\0"]
    {
        assert_eq!(Welcome::decode(lie), None);
    }
}

#[test]
fn a_client_of_later_versions_is_told_the_one_that_both_speak() {
    let mut out = Vec::new();
    let mut server = Server::new();
    server.extend(b"SCRD\x01\0\x09\0");
    assert_eq!(server.next_request(&mut out), Ok(None));
    assert_eq!(out, b"SCRD\x01\0\0\0");

    let (mut out, mut server) = (Vec::new(), Server::new());
    server.extend(b"SCRD\x02\0\x09\0");
    assert_eq!(server.next_request(&mut out), Err(Malformed::NoCommonVersion));
    assert_eq!(out, b"SCRD\0\0\0\0");

    for nonsense in [b"SCRD\0\0\0\0", b"SCRD\x09\0\x01\0"] {
        let mut server = Server::new();
        server.extend(nonsense);
        assert_eq!(server.next_request(&mut Vec::new()), Err(Malformed::NoHello));
    }
}

#[test]
fn golden_frames() {
    let transmit = Call::Transmit {
        card: CardHandle(0x0102_0304),
        protocol: Some(Protocol::T1),
        command: vec![0x80, 0x84, 0, 0, 8].into(),
        receive_limit: 300,
    };
    assert_eq!(
        request_bytes(5, &transmit),
        b"\x12\0\0\0\x05\0\0\0\x08\0\0\0\x04\x03\x02\x01\x02\x2c\x01\0\0\x05\0\0\0\x80\x84\0\0\x08"
    );
    let reply = Ok(Answer::Transmitted { protocol: Protocol::T1, response: vec![0x90, 0].into() });
    assert_eq!(reply_bytes(5, &reply), b"\x07\0\0\0\x05\0\0\0\x05\x80\0\0\x02\x02\0\0\0\x90\0");
    let refused = Err(Refusal { code: ScardCode::InsufficientBuffer, needed: Some(10) });
    assert_eq!(
        reply_bytes(6, &refused),
        b"\x09\0\0\0\x06\0\0\0\0\x80\0\0\x08\0\x10\x80\x01\x0a\0\0\0"
    );
    let mut out = Vec::new();
    encode_push(&ReaderEvent::ReaderGone(name("R")), &mut out);
    assert_eq!(out, b"\x03\0\0\0\0\0\0\0\x01\xc0\0\0\x01\0R");
}

#[test]
fn every_call_comes_back_as_it_went() {
    for call in calls() {
        let bytes = request_bytes(77, &call);
        for piece in [1, 5, bytes.len()] {
            let mut server = greeted();
            let mut got = None;
            for piece in bytes.chunks(piece) {
                assert_eq!(got, None, "understood before the end");
                server.extend(piece);
                got = server.next_request(&mut Vec::new()).unwrap();
            }
            let expected = calls().into_iter().find(|other| *other == call).unwrap();
            assert_eq!(got, Some(Incoming { number: 77, request: Request::Call(expected) }));
            assert!(!server.is_mid_message());
        }
    }
}

#[test]
fn every_answer_comes_back_as_it_went() {
    for (kind, reply) in replies() {
        let bytes = reply_bytes(9, &reply);
        let mut client = Client::new();
        for (at, byte) in bytes.iter().enumerate() {
            client.extend(&[*byte]);
            let got = client.next_response().unwrap();
            assert_eq!(got.is_some(), at + 1 == bytes.len());
            if let Some(got) = got {
                let Response::Reply { number, kind: got_kind, reply: got_reply } = got else {
                    panic!("a reply became a push");
                };
                assert_eq!((number, &got_reply), (9, &reply));
                assert!(reply.is_err() || got_kind == kind.reply());
            }
        }
    }
}

#[test]
fn every_push_comes_back_as_it_went() {
    for event in [
        ReaderEvent::ReaderArrived(reader()),
        ReaderEvent::StateChanged(reader()),
        ReaderEvent::ReaderGone(name("Some Reader 00 00")),
        ReaderEvent::Caught,
    ] {
        let mut out = Vec::new();
        encode_push(&event, &mut out);
        let mut client = Client::new();
        client.extend(&out);
        assert_eq!(client.next_response(), Ok(Some(Response::Push(event))));
    }
}

#[test]
fn a_body_that_is_cut_or_goes_on_is_broken() {
    for call in calls() {
        let whole = request_bytes(1, &call);
        for length in HEADER_BYTES..whole.len() {
            let mut cut = whole[..length].to_vec();
            set_length(&mut cut);
            assert!(serve(&cut).is_err(), "{call:?} cut to {length} bytes");
        }
        let mut longer = whole;
        longer.push(0);
        set_length(&mut longer);
        assert!(serve(&longer).is_err(), "{call:?} with a byte more");
    }
    for (_, reply) in replies() {
        let whole = reply_bytes(1, &reply);
        for length in HEADER_BYTES..whole.len() {
            let mut cut = whole[..length].to_vec();
            set_length(&mut cut);
            let mut client = Client::new();
            client.extend(&cut);
            assert!(client.next_response().is_err(), "{reply:?} cut to {length} bytes");
        }
    }
}

#[test]
fn lengths_are_refused_by_the_header_alone() {
    let cases: [(u16, u32); 7] = [
        (RequestKind::Status.number(), 257),
        (RequestKind::Transmit.number(), 65_548 + 14),
        (RequestKind::Control.number(), u32::MAX),
        (RequestKind::StatusChange.number(), 262_145),
        (RequestKind::DriverCommand.number(), 65_536 + 257),
        (RequestKind::ReadCache.number(), 541),
        (0x7F, 65_537),
    ];
    for (kind, length) in cases {
        let mut header = Vec::from(length.to_le_bytes());
        header.extend_from_slice(&[1, 0, 0, 0]);
        header.extend_from_slice(&kind.to_le_bytes());
        header.extend_from_slice(&[0, 0]);
        assert_eq!(serve(&header), Err(Malformed::TooLong { kind, announced: length }));
    }
    let mut client = Client::new();
    let length = u32::try_from(MAX_REPLY_BYTES + 1).unwrap();
    client.extend(&length.to_le_bytes());
    client.extend(&[1, 0, 0, 0, 0x09, 0x80, 0, 0]);
    assert_eq!(client.next_response(), Err(Malformed::TooLong { kind: 0x8009, announced: length }));
}

#[test]
fn headers_that_lie_close_the_connection() {
    let status = request_bytes(1, &Call::Status { card: CardHandle(1) });
    let with = |at: usize, byte: u8| {
        let mut frame = status.clone();
        frame[at] = byte;
        frame
    };
    assert_eq!(serve(&with(4, 0)), Err(Malformed::BadHeader), "number 0");
    assert_eq!(serve(&with(10, 1)), Err(Malformed::BadHeader), "reserved");
    assert_eq!(serve(&with(11, 1)), Err(Malformed::BadHeader), "reserved");

    for (frame, expected) in [
        (&b"\0\0\0\0\x01\0\0\0\x0c\x80\0\0"[..], Malformed::UnknownKind { kind: 0x800C }),
        (b"\0\0\0\0\x01\0\0\0\x01\0\0\0", Malformed::UnknownKind { kind: 1 }),
        (b"\0\0\0\0\0\0\0\0\x01\x80\0\0", Malformed::BadHeader),
        (b"\0\0\0\0\x01\0\0\0\x03\xc0\0\0", Malformed::BadHeader),
    ] {
        let mut client = Client::new();
        client.extend(frame);
        assert_eq!(client.next_response(), Err(expected));
    }
}

#[test]
fn calls_of_later_days_are_skipped_and_told_so() {
    let mut server = greeted();
    server.extend(b"\x03\0\0\0\x07\0\0\0\x7f\0\0\0xyz");
    server.extend(&request_bytes(8, &Call::DescribeReaders));
    let mut out = Vec::new();
    assert_eq!(
        server.next_request(&mut out),
        Ok(Some(Incoming { number: 7, request: Request::Unknown { kind: 0x7F } }))
    );
    assert!(matches!(server.next_request(&mut out), Ok(Some(Incoming { number: 8, .. }))));
}

#[test]
fn what_is_too_long_is_not_written() {
    let mut out = vec![1, 2, 3];
    let long = "x".repeat(300);
    let protocols = Protocols::ANY;
    let connect =
        Call::Connect { context: ContextId(1), reader: long, share: ShareMode::Shared, protocols };
    assert_eq!(encode_call(1, &connect, &mut out).unwrap_err(), ScardCode::InvalidValue);
    let transmit = Call::Transmit {
        card: CardHandle(1),
        protocol: None,
        command: vec![0; 65_549].into(),
        receive_limit: 2,
    };
    assert_eq!(encode_call(1, &transmit, &mut out).unwrap_err(), ScardCode::InsufficientBuffer);
    let watch = encode_call(1, &Call::WatchReaders, &mut out);
    assert_eq!(watch.unwrap_err(), ScardCode::UnsupportedFeature);
    let long = vec![0; 70_000];
    let command = encode_driver_command(1, "sim", &long, &mut out);
    assert_eq!(command.unwrap_err(), ScardCode::InsufficientBuffer);
    assert_eq!(out, [1, 2, 3]);

    let huge = Ok(Answer::Controlled(vec![0; MAX_REPLY_BYTES].into()));
    assert_eq!(reply_bytes(1, &huge), reply_bytes(1, &Err(ScardCode::NoMemory.into())));
    let foreign = Ok(Answer::ReaderEvents(1));
    assert_eq!(
        reply_bytes(1, &foreign),
        reply_bytes(1, &Err(ScardCode::UnsupportedFeature.into()))
    );
}

#[test]
fn a_driver_command_is_not_looked_at() {
    let mut out = Vec::new();
    let (kind, tail) = encode_driver_command(3, "sim", b"insert \xff", &mut out).unwrap();
    out.extend_from_slice(tail);
    assert_eq!(kind, RequestKind::DriverCommand);
    let request =
        Request::DriverCommand { driver: "sim".into(), command: b"insert \xff"[..].into() };
    assert_eq!(serve(&out), Ok(Some(Incoming { number: 3, request })));
}

fn greeted() -> Server {
    let mut server = Server::new();
    server.extend(&Hello::OURS.encode());
    assert_eq!(server.next_request(&mut Vec::new()), Ok(None));
    server
}

fn serve(frame: &[u8]) -> Result<Option<Incoming>, Malformed> {
    let mut server = greeted();
    server.extend(frame);
    server.next_request(&mut Vec::new())
}

fn request_bytes(number: u32, call: &Call) -> Vec<u8> {
    let mut out = Vec::new();
    let (_, tail) = encode_call(number, call, &mut out).unwrap();
    out.extend_from_slice(tail);
    out
}

fn reply_bytes(number: u32, reply: &Reply) -> Vec<u8> {
    let mut out = Vec::new();
    let tail = encode_reply(number, reply, &mut out);
    out.extend_from_slice(tail);
    out
}

fn set_length(frame: &mut [u8]) {
    let length = u32::try_from(frame.len() - HEADER_BYTES).unwrap();
    frame[..4].copy_from_slice(&length.to_le_bytes());
}

fn name(text: &str) -> ReaderName {
    ReaderName::new(text).unwrap()
}

fn reader() -> ReaderEntry {
    ReaderEntry {
        name: name("Some Reader 00 00"),
        event_counter: 0x1_0002,
        state: CardState::Negotiable,
        sharing: Sharing::Shared(3),
        atr: Some(Atr::new(&[0x3B, 0x80, 0x80, 0x01, 0x01]).unwrap()),
        protocol: Some(Protocol::T0),
    }
}

fn calls() -> Vec<Call> {
    let (context, card) = (ContextId(0x7FFF_FFFF), CardHandle(1));
    let protocols = Protocols { t0: false, t1: true, raw: true };
    vec![
        Call::EstablishContext { scope: 2, character: Character::Windows },
        Call::ReleaseContext { context },
        Call::Connect { context, reader: "r".into(), share: ShareMode::Exclusive, protocols },
        Call::Reconnect {
            card,
            share: ShareMode::Direct,
            protocols: Protocols::NONE,
            initialization: Disposition::Unpower,
        },
        Call::Disconnect { card, disposition: Disposition::Eject },
        Call::BeginTransaction { card },
        Call::EndTransaction { card, disposition: Disposition::Leave },
        Call::Transmit {
            card,
            protocol: None,
            command: vec![0xA4; 65_548].into(),
            receive_limit: 65_538,
        },
        Call::Control { card, code: 0x4200_0D48, input: vec![1].into(), output_limit: 264 },
        Call::Status { card },
        Call::GetAttribute { card, tag: 0x0009_0303 },
        Call::SetAttribute { card, tag: 1, value: vec![1, 2, 3] },
        Call::ListReaders { context },
        Call::StatusChange {
            context,
            timeout_ms: None,
            readers: vec![
                KnownReader { name: "r".into(), current_state: 0x2_0022 },
                KnownReader { name: String::new(), current_state: 0 },
            ],
        },
        Call::StatusChange { context, timeout_ms: Some(0), readers: vec![] },
        Call::Cancel { context },
        Call::DescribeReaders,
        Call::Subscribe,
        Call::Trace,
    ]
    .into_iter()
    .chain(database::calls())
    // Cutting 65,548 bytes at every length takes its time in a debug build.
    .map(|call| match call {
        Call::Transmit { card, protocol, receive_limit, .. } => {
            Call::Transmit { card, protocol, command: vec![0xA4; 300].into(), receive_limit }
        }
        other => other,
    })
    .collect()
}

fn replies() -> Vec<(RequestKind, Reply)> {
    let protocol = Some(Protocol::Raw);
    let seen = SeenReader { event_state: 0x1_0022, atr: reader().atr };
    let exclusive = ReaderEntry { sharing: Sharing::Exclusive, atr: None, ..reader() };
    let holder = Holder {
        peer: Peer { uid: 1000, gid: 100, pid: 4711 },
        started: Some(0x1_0000_0000),
        share: ShareMode::Shared,
        in_transaction: true,
    };
    let described = ReaderDescription {
        entry: exclusive,
        driver: "sim".into(),
        holders: vec![holder, Holder { in_transaction: false, started: None, ..holder }],
    };
    vec![
        (RequestKind::Status, Err(ScardCode::RemovedCard.into())),
        (RequestKind::Cancel, Ok(Answer::Done)),
        (RequestKind::EstablishContext, Ok(Answer::Context(ContextId(5)))),
        (RequestKind::Connect, Ok(Answer::Connected { card: CardHandle(6), protocol })),
        (RequestKind::Reconnect, Ok(Answer::Reconnected { protocol: None })),
        (
            RequestKind::Transmit,
            Ok(Answer::Transmitted { protocol: Protocol::T0, response: vec![0x90, 0].into() }),
        ),
        (RequestKind::Control, Ok(Answer::Controlled(vec![].into()))),
        (RequestKind::DriverCommand, Ok(Answer::Controlled(b"{}"[..].into()))),
        (RequestKind::GetAttribute, Ok(Answer::Attribute(vec![1, 2]))),
        (RequestKind::Status, Ok(Answer::Status(reader()))),
        (RequestKind::ListReaders, Ok(Answer::Readers(vec![name("a"), name("b")]))),
        (
            RequestKind::StatusChange,
            Ok(Answer::StatusChange { changed: true, readers: vec![seen, SeenReader::default()] }),
        ),
        (RequestKind::DescribeReaders, Ok(Answer::Described(vec![described]))),
    ]
    .into_iter()
    .chain(database::replies())
    .collect()
}

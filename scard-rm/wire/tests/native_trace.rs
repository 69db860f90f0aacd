//! The pushes of a trace: golden bytes of `docs/native-wire.md`, round trips, and frames that are cut.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test says no by a panic")]

use scard_types::call::{Call, Peer};
use scard_types::mask::Masked;
use scard_types::secret_commands::Visibility;
use scard_types::trace::{
    Dialect, Item, ReaderTrace, TraceEvent, Traced, TracedAnswer, TracedCall, TracedExchange, Value,
};
use scard_types::{Atr, ReaderName, ScardCode};
use scard_wire::native::{
    Client, HEADER_BYTES, Malformed, ReplyKind, RequestKind, Response, encode_call, encode_trace,
};

fn bytes(event: TraceEvent) -> Vec<u8> {
    let mut out = Vec::new();
    encode_trace(&Traced { time_us: 0x0102_0304_0506_0708, event }, &mut out);
    out
}

fn reader() -> ReaderName {
    ReaderName::new("R 00").unwrap()
}

fn call() -> TracedCall {
    TracedCall {
        client: 3,
        number: 9,
        name: "Transmit".into(),
        reader: Some("R 00".into()),
        arguments: vec![
            Item::number("card", 7),
            Item::text("protocol", "T=1"),
            Item { name: "readers".into(), value: Value::Texts(vec!["a".into(), "b".into()]) },
        ],
    }
}

fn answer(exchange: Option<TracedExchange>) -> TracedAnswer {
    TracedAnswer {
        refusal: None,
        results: vec![Item::length("response_bytes", 2)],
        took_us: 1_234,
        exchange,
    }
}

fn exchange(visibility: Visibility) -> TracedExchange {
    let command = [0, 0x20, 0, 0x80, 2, 0x31, 0x32];
    TracedExchange {
        command: Masked::command(&command, visibility),
        response: Some(Masked::response(&[0x31, 0x32, 0x90, 0], visibility)),
        took_us: 1_200,
    }
}

fn events() -> Vec<TraceEvent> {
    let peer = Peer { uid: 1000, gid: 100, pid: 4711 };
    let atr = Atr::new(&[0x3B, 0x80, 0x80, 0x01, 0x01]).unwrap();
    let mut events = vec![
        TraceEvent::ClientArrived { client: 3, peer, dialect: Dialect::PcscLite { minor: 4 } },
        TraceEvent::ClientArrived { client: 4, peer, dialect: Dialect::Native { version: 1 } },
        TraceEvent::ClientGone { client: 3, unanswered: 2 },
        TraceEvent::Waits(call()),
        TraceEvent::Waits(TracedCall { reader: None, arguments: vec![], ..call() }),
        TraceEvent::Answered(call(), answer(Some(exchange(Visibility::Shown)))),
        TraceEvent::Answered(call(), answer(Some(exchange(Visibility::HeaderOnly)))),
        TraceEvent::Answered(
            call(),
            TracedAnswer {
                refusal: Some(ScardCode::RemovedCard),
                exchange: Some(TracedExchange {
                    response: None,
                    ..exchange(Visibility::HeaderOnly)
                }),
                ..answer(None)
            },
        ),
        TraceEvent::WatchFired { client: 3, cancelled: true },
        TraceEvent::Lost { events: u64::MAX },
        TraceEvent::Begins,
    ];
    for what in [
        ReaderTrace::Arrived,
        ReaderTrace::Gone,
        ReaderTrace::Inserted,
        ReaderTrace::Removed,
        ReaderTrace::Replaced,
        ReaderTrace::PoweredOn(atr),
        ReaderTrace::Reset(atr),
        ReaderTrace::PoweredOff,
        ReaderTrace::Mute,
    ] {
        events.push(TraceEvent::Reader { reader: reader(), what });
    }
    events
}

fn read(frame: &[u8]) -> Result<Option<Response>, Malformed> {
    let mut client = Client::new();
    client.extend(frame);
    client.next_response()
}

#[test]
fn golden_frames() {
    let mut request = Vec::new();
    let (kind, _) = encode_call(5, &Call::Trace, &mut request).unwrap();
    assert_eq!(request, b"\0\0\0\0\x05\0\0\0\x20\0\0\0");
    assert_eq!(kind.reply(), ReplyKind::Done);

    assert_eq!(
        bytes(TraceEvent::ClientArrived {
            client: 3,
            peer: Peer { uid: 1000, gid: 100, pid: 4711 },
            dialect: Dialect::PcscLite { minor: 4 },
        }),
        b"\x1f\0\0\0\0\0\0\0\x10\xc0\0\0\x08\x07\x06\x05\x04\x03\x02\x01\
          \x03\0\0\0\0\0\0\0\xe8\x03\0\0\x64\0\0\0\x67\x12\0\0\0\x04\0"
    );
    assert_eq!(
        bytes(TraceEvent::Lost { events: 5 }),
        b"\x10\0\0\0\0\0\0\0\x16\xc0\0\0\x08\x07\x06\x05\x04\x03\x02\x01\x05\0\0\0\0\0\0\0"
    );
    let call = TracedCall {
        client: 3,
        number: 9,
        name: "Transmit".into(),
        reader: None,
        arguments: vec![Item::number("card", 7)],
    };
    let answered = TraceEvent::Answered(call, answer(Some(exchange(Visibility::HeaderOnly))));
    assert_eq!(
        bytes(answered),
        b"\x77\0\0\0\0\0\0\0\x13\xc0\0\0\x08\x07\x06\x05\x04\x03\x02\x01\
          \x03\0\0\0\0\0\0\0\x09\0\0\0\x08\0Transmit\0\0\0\
          \x01\0\0\0\x04\0card\0\x07\0\0\0\
          \0\0\0\0\x01\0\0\0\x0e\0response_bytes\0\x02\0\0\0\xd2\x04\0\0\0\0\0\0\
          \x01\x04\0\0\0\x00\x20\x00\x80\x01\x03\0\0\0\
          \x01\x02\0\0\0\x90\0\x01\x02\0\0\0\xb0\x04\0\0\0\0\0\0"
    );
}

#[test]
fn no_number_of_a_trace_stands_among_those_kept_for_windows() {
    assert!(!(0x40..0x80).contains(&RequestKind::Trace.number()));
}

#[test]
fn every_event_comes_back_as_it_went() {
    for event in events() {
        let traced = Traced { time_us: 0x0102_0304_0506_0708, event: event.clone() };
        assert_eq!(read(&bytes(event)), Ok(Some(Response::Trace(traced))));
    }
}

#[test]
fn an_event_that_is_cut_or_goes_on_is_broken() {
    for event in events() {
        let whole = bytes(event.clone());
        let with_length = |body: &[u8]| {
            let length = u32::try_from(body.len()).unwrap().to_le_bytes();
            [&length, &whole[4..HEADER_BYTES], body].concat()
        };
        let body = &whole[HEADER_BYTES..];
        for end in 0..body.len() {
            assert!(read(&with_length(&body[..end])).is_err(), "{event:?} cut to {end} bytes");
        }
        assert!(read(&with_length(&[body, &[0]].concat())).is_err(), "{event:?} with a byte more");
    }
}

/// What fuzzing begins with is what our daemon writes; when the wire changes, it changes with it.
#[test]
#[cfg(target_endian = "little")]
fn the_input_that_is_kept_is_what_we_write() {
    let all: Vec<u8> = events().into_iter().flat_map(bytes).collect();
    assert_eq!(all, include_bytes!("inputs/native_client/trace"));
}

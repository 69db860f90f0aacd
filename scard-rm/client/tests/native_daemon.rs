//! The client against a daemon of our own wire that follows a script: order, threads, cancel, death and lies.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test says no by a panic")]

mod fake;
mod peer;

use std::io::{Read, Write};
use std::sync::Barrier;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use fake::Fake;
use peer::Peer;
use scard_client::{Endpoint, ScardCode, Session};
use scard_types::call::{
    Answer, Call, CardHandle, ContextId, KnownReader, ReaderEvent, Reply, SeenReader,
};
use scard_types::{Disposition, Protocol, ReaderName};
use scard_wire::native::{Request, Welcome, encode_reply};

#[test]
fn a_call_is_answered() {
    let fake = native(|mut peer| {
        let (number, call) = peer.call();
        assert_eq!(call, transmit());
        peer.reply(number, &transmitted(9));
        let (number, request) = peer.request().unwrap();
        let Request::DriverCommand { driver, command } = request else { panic!("{request:?}") };
        assert_eq!((driver.as_str(), command.expose()), ("sim", &b"status"[..]));
        peer.reply(number, &Ok(Answer::Controlled(b"{}"[..].into())));
    });
    let session = Session::open(&fake.endpoint()).unwrap();
    assert!(session.is_native());
    assert_eq!(session.owner_pid(), std::process::id());
    assert_eq!(session.call(transmit()), transmitted(9));
    assert_eq!(session.driver_command("sim", b"status"), Ok(b"{}".to_vec()));
}

#[test]
fn the_largest_answer_arrives_whole() {
    let fake = native(|mut peer| {
        let (number, _) = peer.call();
        peer.reply(number, &large());
    });
    let session = Session::open(&fake.endpoint()).unwrap();
    let call = Call::Transmit {
        card: CardHandle(1),
        protocol: None,
        command: vec![0xA4; 65_548].into(),
        receive_limit: 65_548,
    };
    assert_eq!(session.call(call), large());

    fn large() -> Reply {
        Ok(Answer::Transmitted { protocol: Protocol::T1, response: vec![7; 65_538].into() })
    }
}

#[test]
fn replies_in_any_order_reach_the_thread_that_asked() {
    const THREADS: u32 = 8;
    const ROUNDS: u32 = 50;
    let fake = native(|mut peer| {
        for round in 0..ROUNDS {
            let mut calls: Vec<_> = (0..THREADS).map(|_| peer.call()).collect();
            calls.rotate_left(usize::try_from(round % THREADS).unwrap());
            calls.reverse();
            for (number, call) in calls {
                let Call::GetAttribute { tag, .. } = call else { panic!("{call:?}") };
                peer.reply(number, &Ok(Answer::Attribute(tag.to_le_bytes().to_vec())));
            }
        }
    });
    let session = Session::open(&fake.endpoint()).unwrap();
    // Everybody asks before anybody asks again: the script answers whole rounds.
    let round_begins = Barrier::new(usize::try_from(THREADS).unwrap());
    thread::scope(|scope| {
        for thread in 0..THREADS {
            let (session, round_begins) = (&session, &round_begins);
            scope.spawn(move || {
                for round in 0..ROUNDS {
                    round_begins.wait();
                    let tag = round * THREADS + thread;
                    let reply = session.call(Call::GetAttribute { card: CardHandle(1), tag });
                    assert_eq!(reply, Ok(Answer::Attribute(tag.to_le_bytes().to_vec())));
                }
            });
        }
    });
}

#[test]
fn a_wait_does_not_keep_others_from_calling_and_is_cancelled_on_the_same_connection() {
    let (waits, is_waiting) = mpsc::channel();
    let fake = native(move |mut peer| {
        let (wait, _) = peer.call();
        waits.send(()).unwrap();
        let (status, call) = peer.call();
        assert_eq!(call, Call::BeginTransaction { card: CardHandle(1) });
        peer.reply(status, &Ok(Answer::Done));
        let (cancel, call) = peer.call();
        assert_eq!(call, Call::Cancel { context: ContextId(5) });
        peer.reply(wait, &Err(ScardCode::Cancelled.into()));
        peer.reply(cancel, &Ok(Answer::Done));
        assert!(peer.request().is_none());
    });
    let session = Session::open(&fake.endpoint()).unwrap();
    thread::scope(|scope| {
        let waiter = scope.spawn(|| session.call(status_change(1)));
        is_waiting.recv().unwrap();
        let begin = Call::BeginTransaction { card: CardHandle(1) };
        assert_eq!(session.call(begin), Ok(Answer::Done));
        assert_eq!(session.cancel(ContextId(5)), Ok(()));
        assert_eq!(waiter.join().unwrap(), Err(ScardCode::Cancelled.into()));
    });
    drop(session);
}

#[test]
fn events_come_in_order_and_beside_replies() {
    let fake = native(|mut peer| {
        let (number, call) = peer.call();
        assert_eq!(call, Call::Subscribe);
        peer.push(&ReaderEvent::Caught);
        peer.reply(number, &Ok(Answer::Done));
        let (number, _) = peer.call();
        peer.push(&gone("a"));
        peer.push(&gone("b"));
        peer.reply(number, &Ok(Answer::Readers(vec![])));
        assert!(peer.request().is_none());
    });
    let session = Session::open(&fake.endpoint()).unwrap();
    assert_eq!(session.next_event(None), Err(ScardCode::NotReady));
    assert_eq!(session.call(Call::Subscribe), Ok(Answer::Done));
    assert_eq!(session.next_event(None), Ok(Some(ReaderEvent::Caught)));
    assert_eq!(session.next_event(Some(Duration::ZERO)), Ok(None));
    let readers = session.call(Call::ListReaders { context: ContextId(1) });
    assert_eq!(readers, Ok(Answer::Readers(vec![])));
    assert_eq!(session.next_event(None), Ok(Some(gone("a"))));
    assert_eq!(session.next_event(Some(Duration::from_secs(60))), Ok(Some(gone("b"))));
    assert_eq!(session.next_event(Some(Duration::from_millis(1))), Ok(None));
    drop(session);

    fn gone(name: &str) -> ReaderEvent {
        ReaderEvent::ReaderGone(ReaderName::new(name).unwrap())
    }
}

#[test]
fn an_event_reader_reads_for_the_callers_too() {
    let fake = native(|mut peer| {
        let (number, _) = peer.call();
        peer.reply(number, &Ok(Answer::Done));
        let (number, _) = peer.call();
        peer.reply(number, &transmitted(1));
        peer.push(&ReaderEvent::Caught);
        assert!(peer.request().is_none());
    });
    let session = Session::open(&fake.endpoint()).unwrap();
    assert_eq!(session.call(Call::Subscribe), Ok(Answer::Done));
    thread::scope(|scope| {
        let watcher = scope.spawn(|| session.next_event(None));
        assert_eq!(session.call(transmit()), transmitted(1));
        assert_eq!(watcher.join().unwrap(), Ok(Some(ReaderEvent::Caught)));
    });
    drop(session);
}

#[test]
fn a_refused_exchange_is_repeated_unless_the_program_says_no() {
    let refused = || Err(ScardCode::SharingViolation.into());
    let fake = native(move |mut peer| {
        for reply in [refused(), transmitted(1), refused(), refused()] {
            let (number, _) = peer.call();
            peer.reply(number, &reply);
        }
    });
    let session = Session::open(&fake.endpoint()).unwrap();
    assert_eq!(session.call(transmit()), transmitted(1));
    let control =
        Call::Control { card: CardHandle(1), code: 1, input: vec![].into(), output_limit: 0 };
    assert_eq!(session.call(control), refused());
    session.set_no_blocking(true);
    assert_eq!(session.call(transmit()), refused());
}

#[test]
fn nobody_listens() {
    let nowhere = Endpoint::at("/nonexistent/socket");
    assert_eq!(Session::open(&nowhere).unwrap_err(), ScardCode::NoService);
    let too_long = Endpoint::at("/".repeat(200));
    assert_eq!(Session::open(&too_long).unwrap_err(), ScardCode::NoService);
}

#[test]
fn a_daemon_that_does_not_serve_this_user_says_so() {
    let fake = Fake::serve(|mut stream| {
        stream.read_exact(&mut [0; 8]).unwrap();
        stream.write_all(&Welcome::Refused(ScardCode::SecurityViolation).encode()).unwrap();
        false
    });
    assert_eq!(Session::open(&fake.endpoint()).unwrap_err(), ScardCode::SecurityViolation);
}

#[test]
fn a_daemon_that_goes_leaves_nobody_waiting() {
    // After the reply to the first call, at any byte of the second reply.
    let mut whole = Vec::new();
    let reply = transmitted(3);
    let tail = encode_reply(2, &reply, &mut whole);
    whole.extend_from_slice(tail);
    for end in 0..whole.len() {
        let part = whole[..end].to_vec();
        let fake = native(move |mut peer| {
            let (number, _) = peer.call();
            peer.reply(number, &transmitted(1));
            peer.call();
            peer.write(&part);
        });
        let session = Session::open(&fake.endpoint()).unwrap();
        assert_eq!(session.call(transmit()), transmitted(1));
        assert_eq!(session.call(transmit()), Err(ScardCode::CommError.into()), "cut at {end}");
        assert_eq!(session.call(transmit()), Err(ScardCode::ReaderUnavailable.into()));
        assert_eq!(session.next_event(None), Err(ScardCode::NoService));
    }
}

#[test]
fn a_daemon_that_went_while_nobody_waited_is_no_service() {
    let fake = native(drop::<Peer>);
    let session = Session::open(&fake.endpoint()).unwrap();
    drop(fake);
    let list = Call::ListReaders { context: ContextId(1) };
    assert_eq!(session.call(list), Err(ScardCode::NoService.into()));
    assert!(session.is_lost());
    assert_eq!(session.cancel(ContextId(1)), Err(ScardCode::NoService));
    // A card looks as if its reader had been unplugged; what is gone is given up without an error.
    assert_eq!(session.call(transmit()), Err(ScardCode::ReaderUnavailable.into()));
    let disconnect = Call::Disconnect { card: CardHandle(1), disposition: Disposition::Reset };
    assert_eq!(session.call(disconnect), Ok(Answer::Done));
    let release = Call::ReleaseContext { context: ContextId(1) };
    assert_eq!(session.call(release), Ok(Answer::Done));
}

#[test]
fn the_death_of_the_daemon_wakes_every_waiter() {
    let fake = native(|mut peer| {
        for _ in 0..4 {
            peer.call();
        }
    });
    let session = Session::open(&fake.endpoint()).unwrap();
    thread::scope(|scope| {
        let waiters: Vec<_> =
            (0..4).map(|_| scope.spawn(|| session.call(status_change(1)))).collect();
        for waiter in waiters {
            assert_eq!(waiter.join().unwrap(), Err(ScardCode::CommError.into()));
        }
    });
}

#[test]
fn lies_end_the_connection() {
    let seen = |count| {
        let readers = vec![SeenReader::default(); count];
        Ok(Answer::StatusChange { changed: true, readers })
    };
    let too_long =
        Ok(Answer::Transmitted { protocol: Protocol::T1, response: vec![0; 259].into() });
    lie("longer than allowed", transmit(), move |peer, number| peer.reply(number, &too_long));
    lie("fewer readers", status_change(2), move |peer, number| peer.reply(number, &seen(1)));
    lie("wrong number", transmit(), |peer, number| peer.reply(number + 1, &transmitted(0)));
    lie("wrong kind", transmit(), |peer, number| peer.reply(number, &Ok(Answer::Done)));
    lie("unknown kind", transmit(), |peer, number| {
        let [a, b, c, d] = number.to_le_bytes();
        peer.write(&[0, 0, 0, 0, a, b, c, d, 0xFF, 0x80, 0, 0]);
    });
    lie("a push nobody wants", transmit(), |peer, _| peer.push(&ReaderEvent::Caught));
    lie("a huge length", transmit(), |peer, _| peer.write(&[0xFF; 12]));
    lie("another welcome", transmit(), |peer, _| peer.write(b"SCRD\x01\0\0\0\0\0\0\0"));
    lie("a request", transmit(), |peer, _| {
        peer.write(&[4, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0]);
    });
}

fn lie(what: &str, call: Call, lie: impl FnOnce(&mut Peer, u32) + Send + 'static) {
    let fake = native(|mut peer| {
        let (number, _) = peer.call();
        lie(&mut peer, number);
        assert!(peer.request().is_none(), "the client goes on");
    });
    let session = Session::open(&fake.endpoint()).unwrap();
    assert_eq!(session.call(call), Err(ScardCode::CommError.into()), "{what}");
    assert_eq!(session.call(transmit()), Err(ScardCode::ReaderUnavailable.into()), "{what}");
}

#[test]
fn an_answer_twice_is_a_lie() {
    let fake = native(|mut peer| {
        let (number, _) = peer.call();
        peer.reply(number, &transmitted(0));
        peer.reply(number, &transmitted(0));
        while peer.request().is_some() {}
    });
    let session = Session::open(&fake.endpoint()).unwrap();
    assert_eq!(session.call(transmit()), transmitted(0));
    assert_eq!(session.call(transmit()), Err(ScardCode::CommError.into()));
}

#[test]
fn calls_of_the_other_wire_never_leave_the_library() {
    let fake = native(|mut peer| assert!(peer.request().is_none()));
    let session = Session::open(&fake.endpoint()).unwrap();
    let table = Call::ReaderTable { most: None };
    for call in [Call::WatchReaders, Call::StopWatching, table, Call::ReaderEvents] {
        assert_eq!(session.call(call), Err(ScardCode::UnsupportedFeature.into()));
    }
    let long = Call::Transmit {
        card: CardHandle(1),
        protocol: None,
        command: vec![0; 65_549].into(),
        receive_limit: 2,
    };
    assert_eq!(session.call(long), Err(ScardCode::InsufficientBuffer.into()));
    drop(session);
}

fn transmit() -> Call {
    Call::Transmit {
        card: CardHandle(1),
        protocol: Some(Protocol::T1),
        command: vec![0x80, 0x84, 0, 0, 8].into(),
        receive_limit: 258,
    }
}

fn transmitted(first: u8) -> Reply {
    Ok(Answer::Transmitted { protocol: Protocol::T1, response: vec![first, 0x90, 0].into() })
}

fn status_change(readers: usize) -> Call {
    let readers = vec![KnownReader { name: "r".into(), current_state: 0x10 }; readers];
    Call::StatusChange { context: ContextId(5), timeout_ms: None, readers }
}

/// A daemon that serves one connection of our own library, its hello answered.
fn native(script: impl FnOnce(Peer) + Send + 'static) -> Fake {
    let mut script = Some(script);
    Fake::serve(move |stream| {
        let peer = Peer::greet(stream);
        script.take().unwrap()(peer);
        false
    })
}

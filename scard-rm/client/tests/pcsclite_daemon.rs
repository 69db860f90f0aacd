//! The client against daemons of pcsc-lite's wire that follow a script: each version, strict and lenient, dying and lying.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test says no by a panic")]

mod fake;

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use fake::Fake;
use scard_client::status_change::{CHANGED, PNP_READER, PRESENT, UNAVAILABLE, UNKNOWN};
use scard_client::{ScardCode, Session};
use scard_types::call::{
    Answer, Call, CardHandle, ContextId, KnownReader, ReaderEntry, Reply, SeenReader, Sharing,
};
use scard_types::{Atr, CardState, Character, Protocol, Protocols, ReaderName, ShareMode};
use scard_wire::pcsclite::{Server, Version};

const EVERY_VERSION: [Version; 4] = [Version::V4_3, Version::V4_4, Version::V4_5, Version::V4_6];

#[test]
fn the_version_is_the_one_that_the_daemon_insists_on() {
    for version in EVERY_VERSION {
        let fake = pcscd(move |mut peer| peer.insist_on(version));
        let session = Session::open(&fake.endpoint()).unwrap();
        assert!(!session.is_native());
    }
    let fake = pcscd(|mut peer| {
        peer.read(20);
        peer.write(&words(&[4, 2, 0x8010_001E]));
    });
    assert_eq!(Session::open(&fake.endpoint()).unwrap_err(), ScardCode::ServiceStopped);
    // One that names the same version again and again is asked twice at most.
    let fake = pcscd(|mut peer| {
        peer.read(20);
        peer.write(&words(&[4, 6, 0x8010_001E]));
    });
    assert_eq!(Session::open(&fake.endpoint()).unwrap_err(), ScardCode::ServiceStopped);
}

#[test]
fn a_daemon_that_hangs_up_before_it_named_a_version() {
    let fake = pcscd(|mut peer| peer.read(20));
    assert_eq!(Session::open(&fake.endpoint()).unwrap_err(), ScardCode::CommError);
    // Bytes of ours unread: that is how a daemon with polkit refuses.
    let fake = pcscd(|mut peer| peer.read(8));
    assert_eq!(Session::open(&fake.endpoint()).unwrap_err(), ScardCode::SecurityViolation);
}

#[test]
fn every_version_serves_every_call_that_it_has() {
    for version in EVERY_VERSION {
        let fake = pcscd(move |mut peer| {
            peer.insist_on(version);
            while let Some(call) = peer.call() {
                let reply = peer.answer(call);
                peer.reply(&reply);
            }
        });
        let session = Session::open(&fake.endpoint()).unwrap();
        let establish = Call::EstablishContext { scope: 2, character: Character::Windows };
        assert_eq!(session.call(establish), Ok(Answer::Context(ContextId(7))));
        let context = ContextId(7);
        let names = Ok(Answer::Readers(vec![name("Reader 00 00"), name("Reader 01 00")]));
        assert_eq!(session.call(Call::ListReaders { context }), names, "{version:?}");
        let (card, protocol) = (CardHandle(8), Some(Protocol::T1));
        assert_eq!(session.call(connect(context)), Ok(Answer::Connected { card, protocol }));
        let transmit = Call::Transmit {
            card,
            protocol: None,
            command: vec![0xA4; 65_548].into(),
            receive_limit: 100_000,
        };
        let response = vec![0xA4; 65_548].into();
        let transmitted = Ok(Answer::Transmitted { protocol: Protocol::T1, response });
        assert_eq!(session.call(transmit), transmitted);
        assert_eq!(session.call(Call::Status { card }), Ok(Answer::Status(reader_entry(0))));
        let attribute = Call::GetAttribute { card, tag: 5 };
        assert_eq!(session.call(attribute), Ok(Answer::Attribute(vec![5; 264])));
        assert_eq!(
            session.call(status_change(Some(0), &[("Reader 00 00", PRESENT)])),
            Ok(Answer::StatusChange {
                changed: false,
                readers: vec![SeenReader { event_state: 0x1_0000 | PRESENT, atr: atr() }],
            })
        );
        let command = session.driver_command("sim", b"x");
        assert_eq!(command, Err(ScardCode::UnsupportedFeature));
        for call in [Call::Subscribe, Call::Trace] {
            assert_eq!(session.call(call), Err(ScardCode::UnsupportedFeature.into()));
        }
        let Ok(Answer::Described(described)) = session.call(Call::DescribeReaders) else {
            panic!("no description");
        };
        assert_eq!(described.len(), 2);
    }
}

#[test]
fn a_wait_sees_a_reader_go_and_one_come() {
    // What is asked while a watch is on goes over a second connection, where there is something to ask.
    for (version, connections) in
        [(Version::V4_3, 2), (Version::V4_4, 1), (Version::V4_5, 2), (Version::V4_6, 2)]
    {
        let has_changed = Arc::new(AtomicBool::new(false));
        let mut left = connections;
        let fake = Fake::serve(move |stream| {
            let Some(mut peer) = Peer::after_hello(stream) else { return true };
            let has_changed = Arc::clone(&has_changed);
            thread::spawn(move || {
                peer.insist_on(version);
                while let Some(call) = peer.call() {
                    peer.serve_a_change(call, &has_changed);
                }
            });
            left -= 1;
            left > 0
        });
        let session = Session::open(&fake.endpoint()).unwrap();
        let wait = status_change(None, &[("Reader 00 00", PRESENT), (PNP_READER, 0)]);
        // Before 4:5 only the number of readers is known, and one came for the one that went.
        let pnp = if version < Version::V4_5 { 0 } else { (3 << 16) | CHANGED };
        let readers = [UNKNOWN | UNAVAILABLE | CHANGED, pnp];
        let readers = readers.map(|event_state| SeenReader { event_state, atr: None }).to_vec();
        let reply = session.call(wait);
        assert_eq!(reply, Ok(Answer::StatusChange { changed: true, readers }), "{version:?}");
        // Nothing is left in the socket.
        let names = vec![name("Reader 01 00"), name("Reader 02 00")];
        let list = session.call(Call::ListReaders { context: ContextId(7) });
        assert_eq!(list, Ok(Answer::Readers(names)));
    }
}

#[test]
fn a_wait_that_is_over_takes_its_watch_back() {
    let fake = pcscd(|mut peer| {
        peer.insist_on(Version::V4_4);
        while let Some(call) = peer.call() {
            let reply = peer.answer(call);
            peer.reply(&reply);
        }
    });
    let session = Session::open(&fake.endpoint()).unwrap();
    let readers = vec![SeenReader { event_state: 0x1_0000 | PRESENT, atr: atr() }];
    let timed_out = Ok(Answer::StatusChange { changed: false, readers });
    for _ in 0..3 {
        let wait = status_change(Some(1), &[("Reader 00 00", PRESENT)]);
        assert_eq!(session.call(wait), timed_out);
    }
    assert_eq!(session.cancel(ContextId(7)), Ok(()));
}

#[test]
fn a_cancel_ends_the_wait() {
    // The first connection after the hello waits; the second is the canceller's.
    let (registered, is_registered) = std::sync::mpsc::channel();
    let mut waiter: Option<Peer> = None;
    let fake = Fake::serve(move |stream| {
        let Some(mut canceller) = Peer::after_hello(stream) else { return true };
        match &mut waiter {
            None => {
                canceller.insist_on(Version::V4_4);
                loop {
                    let call = canceller.call().unwrap();
                    let is_last = matches!(call, Call::ReaderTable { .. }) && canceller.has_watched;
                    canceller.has_watched |= matches!(call, Call::WatchReaders);
                    let reply = canceller.answer(call);
                    canceller.reply(&reply);
                    if is_last {
                        break;
                    }
                }
                waiter = Some(canceller);
                registered.send(()).unwrap();
                true
            }
            Some(waiter) => {
                assert_eq!(canceller.call(), Some(Call::Cancel { context: ContextId(7) }));
                let mut out = Vec::new();
                waiter.server.fired(Err(ScardCode::Cancelled), &mut out);
                waiter.write(&out);
                canceller.reply(&Ok(Answer::Done));
                // A waiter that saw the cancel by itself takes its watch back.
                while let Some(call) = waiter.call() {
                    assert_eq!(call, Call::StopWatching);
                    waiter.reply(&Ok(Answer::Stopped { was_watching: false }));
                }
                false
            }
        }
    });
    let session = Session::open(&fake.endpoint()).unwrap();
    thread::scope(|scope| {
        let wait = || session.call(status_change(None, &[("Reader 00 00", PRESENT)]));
        let waiter = scope.spawn(wait);
        is_registered.recv().unwrap();
        assert_eq!(session.cancel(ContextId(7)), Ok(()));
        assert_eq!(waiter.join().unwrap(), Err(ScardCode::Cancelled.into()));
    });
    drop(session);
}

#[test]
fn a_daemon_that_goes_leaves_nobody_waiting() {
    let reply = words(&[8, 2, 16, 5, 2, 16, 2, 0]);
    let whole: Vec<u8> = reply.into_iter().chain([0x90, 0x00]).collect();
    for end in 0..whole.len() {
        let part = whole[..end].to_vec();
        let fake = pcscd(move |mut peer| {
            peer.insist_on(Version::V4_6);
            peer.open_card();
            peer.read(8 + 32 + 5);
            peer.write(&part);
        });
        let session = Session::open(&fake.endpoint()).unwrap();
        session.call(connect(ContextId(7))).unwrap();
        assert_eq!(session.call(transmit()), Err(ScardCode::CommError.into()), "cut at {end}");
        assert_eq!(session.call(transmit()), Err(ScardCode::ReaderUnavailable.into()));
    }
}

#[test]
fn lies_end_the_connection() {
    // A response longer than the room for it.
    let fake = pcscd(|mut peer| {
        peer.insist_on(Version::V4_6);
        peer.open_card();
        peer.read(8 + 32 + 5);
        peer.write(&words(&[8, 2, 16, 5, 2, 16, 259, 0]));
        peer.read_to_end();
    });
    let session = Session::open(&fake.endpoint()).unwrap();
    // A handle that was never opened is not asked for: pcscd would end the connection.
    assert_eq!(session.call(transmit()), Err(ScardCode::InvalidHandle.into()));
    session.call(connect(ContextId(7))).unwrap();
    assert_eq!(session.call(transmit()), Err(ScardCode::CommError.into()));
    assert_eq!(session.call(transmit()), Err(ScardCode::ReaderUnavailable.into()));

    // Tables of sizes that no daemon has.
    for entries in [4097, i32::MAX.cast_unsigned(), u32::MAX] {
        let fake = pcscd(move |mut peer| {
            peer.insist_on(Version::V4_6);
            peer.read(8);
            peer.write(&words(&[entries]));
            peer.read_to_end();
        });
        let session = Session::open(&fake.endpoint()).unwrap();
        let list = session.call(Call::ListReaders { context: ContextId(1) });
        assert_eq!(list, Err(ScardCode::CommError.into()), "{entries}");
    }
}

#[test]
fn nothing_to_wait_for_is_success_at_once() {
    let fake = pcscd(|mut peer| {
        peer.insist_on(Version::V4_6);
        peer.read_to_end();
    });
    let session = Session::open(&fake.endpoint()).unwrap();
    assert_eq!(
        session.call(status_change(None, &[])),
        Ok(Answer::StatusChange { changed: true, readers: vec![] })
    );
    let ignored = session.call(status_change(None, &[("who cares", 1)]));
    assert!(matches!(ignored, Ok(Answer::StatusChange { changed: true, .. })));
    assert_eq!(session.next_event(Some(Duration::ZERO)), Err(ScardCode::UnsupportedFeature));
    drop(session);
}

/// A pcscd that plays `script` on the connection after the one that it did not understand.
fn pcscd(script: impl FnOnce(Peer) + Send + 'static) -> Fake {
    let mut script = Some(script);
    Fake::serve(move |stream| {
        let Some(peer) = Peer::after_hello(stream) else { return true };
        script.take().unwrap()(peer);
        false
    })
}

struct Peer {
    stream: UnixStream,
    server: Server,
    has_watched: bool,
}

impl Peer {
    /// `None` for a native hello: the first 8 bytes are no header, so the connection is closed.
    fn after_hello(mut stream: UnixStream) -> Option<Self> {
        let mut header = [0; 8];
        stream.read_exact(&mut header).unwrap();
        if header.starts_with(b"SCRD") {
            return None;
        }
        // Whoever reads on gets the header, too.
        let mut server = Server::new(0);
        server.extend(&header);
        Some(Self { stream, server, has_watched: false })
    }

    /// Refuses every version but one, as daemons did until 2.4.0.
    fn insist_on(&mut self, version: Version) {
        // The header of the first message is read already.
        let mut offered = vec![0; 12];
        self.stream.read_exact(&mut offered).unwrap();
        let minor = version.minor();
        if offered[4..8] != minor.to_ne_bytes() {
            // Those of 4:3 say E_NO_SERVICE, later ones E_SERVICE_STOPPED.
            let rv = if version == Version::V4_3 { 0x8010_001D } else { 0x8010_001E };
            self.write(&words(&[4, minor, rv]));
            self.stream.read_exact(&mut [0; 8]).unwrap();
            self.stream.read_exact(&mut offered).unwrap();
            assert_eq!(offered[4..8], minor.to_ne_bytes());
        }
        self.server.extend(&offered);
        let mut out = Vec::new();
        assert_eq!(self.server.next_call(&mut out), Ok(None));
        self.write(&out);
    }

    fn call(&mut self) -> Option<Call> {
        loop {
            let mut out = Vec::new();
            let next = self.server.next_call(&mut out).unwrap();
            self.write(&out);
            if next.is_some() {
                return next;
            }
            match self.stream.read(self.server.room()) {
                Ok(0) | Err(_) => return None,
                Ok(received) => self.server.filled(received),
            }
        }
    }

    fn reply(&mut self, reply: &Reply) {
        let mut out = Vec::new();
        let tail = self.server.answer(reply, &mut out);
        out.extend_from_slice(tail);
        self.write(&out);
    }

    /// Answers the call that opens a card.
    fn open_card(&mut self) {
        let call = self.call().unwrap();
        let reply = self.answer(call);
        self.reply(&reply);
    }

    /// As soon as a watch is on, one reader goes and one comes, and the message of the watch is sent at once.
    fn serve_a_change(&mut self, call: Call, has_changed: &AtomicBool) {
        let changes = call == Call::WatchReaders && !has_changed.swap(true, Ordering::SeqCst);
        let now = has_changed.load(Ordering::SeqCst);
        let reply = match call {
            Call::ReaderTable { .. } if now => {
                let readers = [None, Some(reader_entry(1)), Some(reader_entry(2))];
                Ok(Answer::ReaderTable(readers.to_vec()))
            }
            Call::ReaderEvents if now => Ok(Answer::ReaderEvents(3)),
            Call::StopWatching => Ok(Answer::Stopped { was_watching: false }),
            call => self.answer(call),
        };
        self.reply(&reply);
        if changes {
            let mut out = Vec::new();
            self.server.fired(Ok(()), &mut out);
            self.write(&out);
        }
    }

    /// What a friendly daemon with two readers says.
    fn answer(&mut self, call: Call) -> Reply {
        Ok(match call {
            Call::EstablishContext { .. } => Answer::Context(ContextId(7)),
            Call::Connect { .. } => {
                Answer::Connected { card: CardHandle(8), protocol: Some(Protocol::T1) }
            }
            Call::Transmit { command, .. } => {
                Answer::Transmitted { protocol: Protocol::T0, response: command }
            }
            Call::GetAttribute { .. } => Answer::Attribute(vec![5; 264]),
            Call::ReaderTable { .. } => {
                Answer::ReaderTable(vec![Some(reader_entry(0)), None, Some(reader_entry(1))])
            }
            Call::ReaderEvents => Answer::ReaderEvents(1),
            Call::StopWatching => Answer::Stopped { was_watching: true },
            _ => Answer::Done,
        })
    }

    fn read(&mut self, bytes: usize) {
        // Eight of the first message are read already.
        let rest = if self.server.is_mid_message() { bytes - 8 } else { bytes };
        self.stream.read_exact(&mut vec![0; rest]).unwrap();
    }

    fn read_to_end(&mut self) {
        // A connection that the client reset is at its end as well.
        let _ = self.stream.read_to_end(&mut Vec::new());
    }

    fn write(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).unwrap();
    }
}

fn words(words: &[u32]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_ne_bytes()).collect()
}

fn name(text: &str) -> ReaderName {
    ReaderName::new(text).unwrap()
}

fn atr() -> Option<Atr> {
    Some(Atr::new(&[0x3B, 0x00]).unwrap())
}

fn reader_entry(number: u32) -> ReaderEntry {
    ReaderEntry {
        name: name(&format!("Reader {number:02} 00")),
        event_counter: 1,
        state: CardState::Negotiable,
        sharing: Sharing::Free,
        atr: atr(),
        protocol: Some(Protocol::T1),
    }
}

fn status_change(timeout_ms: Option<u32>, readers: &[(&str, u32)]) -> Call {
    let known = |(name, current_state): &(&str, u32)| KnownReader {
        name: (*name).to_owned(),
        current_state: *current_state,
    };
    let readers = readers.iter().map(known).collect();
    Call::StatusChange { context: ContextId(7), timeout_ms, readers }
}

fn connect(context: ContextId) -> Call {
    let (reader, share) = ("Reader 00 00".to_owned(), ShareMode::Shared);
    Call::Connect { context, reader, share, protocols: Protocols::ANY }
}

fn transmit() -> Call {
    Call::Transmit {
        card: CardHandle(8),
        protocol: Some(Protocol::T1),
        command: vec![0x80, 0x84, 0, 0, 8].into(),
        receive_limit: 258,
    }
}

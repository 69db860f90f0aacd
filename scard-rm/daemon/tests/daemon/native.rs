//! Our own wire.

use std::collections::VecDeque;
use std::io::{ErrorKind, Read, Write};
use std::path::Path;

use scard_types::call::{
    Answer, Call, CardHandle, ContextId, KnownReader, ReaderEvent, Reply, Sharing,
};
use scard_types::trace::Traced;
use scard_types::{CardState, Character, Disposition, Protocols, ScardCode, ShareMode};
use scard_wire::native::{Client, Hello, Response, encode_call, encode_driver_command};

use crate::support::{Daemon, READER, Raw, SELECT, SUCCESS, Stock};

/// A client made of frames.
pub(crate) struct Native {
    pub(crate) raw: Raw,
    client: Client,
    last_number: u32,
    pushes: VecDeque<ReaderEvent>,
    traced: VecDeque<Traced>,
}

impl Native {
    pub(crate) fn new(daemon: &Daemon) -> Self {
        Self::at(&daemon.socket())
    }

    /// Connected, and hello said.
    pub(crate) fn at(socket: &Path) -> Self {
        let mut raw = Raw::connect(socket);
        raw.send(&Hello::OURS.encode());
        assert_eq!(raw.read(8), b"SCRD\x01\0\0\0");
        Self {
            raw,
            client: Client::new(),
            last_number: 0,
            pushes: VecDeque::new(),
            traced: VecDeque::new(),
        }
    }

    pub(crate) fn with_context(daemon: &Daemon) -> (Self, ContextId) {
        let mut client = Self::new(daemon);
        let call = Call::EstablishContext { scope: 2, character: Character::Windows };
        match client.call(&call) {
            Ok(Answer::Context(context)) => (client, context),
            other => panic!("{other:?}"),
        }
    }

    pub(crate) fn with_card(daemon: &Daemon) -> (Self, CardHandle) {
        let (mut client, context) = Self::with_context(daemon);
        let card = client.connect(context);
        (client, card)
    }

    fn connect(&mut self, context: ContextId) -> CardHandle {
        self.connect_to(context, READER)
    }

    pub(crate) fn connect_to(&mut self, context: ContextId, reader: &str) -> CardHandle {
        let connect = Call::Connect {
            context,
            reader: reader.to_owned(),
            share: ShareMode::Shared,
            protocols: Protocols::ANY,
        };
        match self.call(&connect) {
            Ok(Answer::Connected { card, .. }) => card,
            other => panic!("{other:?}"),
        }
    }

    /// Sends a request and gives back its number.
    pub(crate) fn ask(&mut self, call: &Call) -> u32 {
        self.last_number += 1;
        let mut frame = Vec::new();
        let (_, tail) = encode_call(self.last_number, call, &mut frame).expect("the call fits");
        frame.extend_from_slice(tail);
        self.raw.send(&frame);
        self.last_number
    }

    pub(crate) fn call(&mut self, call: &Call) -> Reply {
        let number = self.ask(call);
        self.reply_to(number)
    }

    /// The card's answer to [`SELECT`], or the code.
    pub(crate) fn select(&mut self, card: CardHandle) -> Result<Vec<u8>, u32> {
        match self.call(&transmit(card)) {
            Ok(Answer::Transmitted { response, .. }) => Ok(response.expose().to_vec()),
            Ok(other) => panic!("{other:?}"),
            Err(refused) => Err(refused.code.number()),
        }
    }

    /// Tells a driver something.
    pub(crate) fn command(&mut self, driver: &str, command: &str) -> Reply {
        self.last_number += 1;
        let mut frame = Vec::new();
        let (_, tail) =
            encode_driver_command(self.last_number, driver, command.as_bytes(), &mut frame)
                .expect("the command fits");
        frame.extend_from_slice(tail);
        self.raw.send(&frame);
        self.reply_to(self.last_number)
    }

    /// The next of many replies.
    pub(crate) fn next_reply(&mut self) -> (u32, Reply) {
        loop {
            match self.next() {
                Response::Reply { number, reply, .. } => return (number, reply),
                Response::Push(event) => self.pushes.push_back(event),
                Response::Trace(traced) => self.traced.push_back(traced),
            }
        }
    }

    pub(crate) fn reply_to(&mut self, expected: u32) -> Reply {
        let (number, reply) = self.next_reply();
        assert_eq!(number, expected);
        reply
    }

    fn push(&mut self) -> ReaderEvent {
        if let Some(event) = self.pushes.pop_front() {
            return event;
        }
        match self.next() {
            Response::Push(event) => event,
            other => panic!("{other:?}"),
        }
    }

    /// The next event of a trace.
    pub(crate) fn traced(&mut self) -> Traced {
        if let Some(traced) = self.traced.pop_front() {
            return traced;
        }
        match self.next() {
            Response::Trace(traced) => traced,
            other => panic!("{other:?}"),
        }
    }

    fn next(&mut self) -> Response {
        loop {
            if let Some(response) = self.client.next_response().expect("the daemon speaks our wire")
            {
                return response;
            }
            let bytes = self.raw.stream().read(self.client.room()).expect("the daemon answers");
            assert_ne!(bytes, 0, "the daemon closed");
            self.client.filled(bytes);
        }
    }
}

pub(crate) fn transmit(card: CardHandle) -> Call {
    Call::Transmit { card, protocol: None, command: SELECT.into(), receive_limit: 65_538 }
}

pub(crate) fn header(length: u32, number: u32, kind: u16) -> Vec<u8> {
    let words = [length.to_le_bytes(), number.to_le_bytes()].concat();
    [words, kind.to_le_bytes().to_vec(), vec![0, 0]].concat()
}

#[test]
fn requests_are_answered_by_number_in_any_order() {
    let daemon = Daemon::start();
    let (mut holder, held) = Stock::with_card(&daemon);
    let (mut client, card) = Native::with_card(&daemon);
    assert_eq!(holder.begin(held), SUCCESS);
    let begin = client.ask(&Call::BeginTransaction { card });
    let described = client.call(&Call::DescribeReaders);
    let Ok(Answer::Described(readers)) = described else { panic!("{described:?}") };
    assert_eq!(readers[0].driver, "sim");
    assert_eq!(readers[0].holders.len(), 2);
    assert!(readers[0].holders[0].in_transaction);
    assert_eq!(holder.end(held), SUCCESS);
    assert_eq!(client.reply_to(begin), Ok(Answer::Done));
    assert!(matches!(client.call(&transmit(card)), Ok(Answer::Transmitted { .. })));
    let end = Call::EndTransaction { card, disposition: Disposition::Leave };
    assert_eq!(client.call(&end), Ok(Answer::Done));
}

#[test]
fn a_wait_is_cancelled_on_the_same_connection() {
    let daemon = Daemon::start();
    let (mut client, context) = Native::with_context(&daemon);
    let known = KnownReader { name: READER.to_owned(), current_state: 0x0001_0020 };
    let call = Call::StatusChange { context, timeout_ms: None, readers: vec![known] };
    let wait = client.ask(&call);
    let cancel = client.ask(&Call::Cancel { context });
    let mut replies = [client.next(), client.next()].map(|response| match response {
        Response::Reply { number, reply, .. } => (number, reply),
        other => panic!("{other:?}"),
    });
    replies.sort_by_key(|(number, _)| *number);
    assert_eq!(replies[0], (wait, Err(ScardCode::Cancelled.into())));
    assert_eq!(replies[1], (cancel, Ok(Answer::Done)));
}

#[test]
fn a_wait_ends_at_its_time() {
    let daemon = Daemon::start();
    let (mut client, context) = Native::with_context(&daemon);
    let known = KnownReader { name: READER.to_owned(), current_state: 0x0001_0020 };
    let call = Call::StatusChange { context, timeout_ms: Some(20), readers: vec![known] };
    let reply = client.call(&call);
    assert!(matches!(reply, Ok(Answer::StatusChange { changed: false, .. })), "{reply:?}");
}

#[test]
fn a_subscriber_is_told_of_every_card_that_comes_and_goes() {
    let daemon = Daemon::start();
    let mut client = Native::new(&daemon);
    assert_eq!(client.call(&Call::Subscribe), Ok(Answer::Done));
    assert!(matches!(client.push(), ReaderEvent::ReaderArrived(entry) if entry.event_counter == 1));
    assert_eq!(client.push(), ReaderEvent::Caught);
    for (command, state, counter) in [
        ("remove", CardState::Absent, 2),
        ("insert", CardState::Negotiable, 3),
        ("remove", CardState::Absent, 4),
    ] {
        let reply = client.command("sim", &format!("{command} {READER}"));
        assert!(matches!(reply, Ok(Answer::Controlled(_))), "{reply:?}");
        loop {
            let ReaderEvent::StateChanged(entry) = client.push() else { panic!("another event") };
            // Between insertion and answer to reset the state is not yet known.
            if entry.state == state {
                assert_eq!(entry.event_counter, counter);
                assert_eq!(entry.sharing, Sharing::Free);
                break;
            }
        }
    }
}

#[test]
fn driver_commands_without_a_driver_are_refused() {
    let daemon = Daemon::start();
    let mut client = Native::new(&daemon);
    let reply = client.command("nothing", "status");
    assert_eq!(reply, Err(ScardCode::ReaderUnsupported.into()));
    assert!(matches!(client.command("sim", "status"), Ok(Answer::Controlled(_))));
}

#[test]
fn a_kind_that_is_not_known_is_refused_and_the_connection_stays() {
    let daemon = Daemon::start();
    let (mut client, card) = Native::with_card(&daemon);
    client.raw.send(&[header(5, 900, 0x007F), vec![1, 2, 3, 4, 5]].concat());
    assert_eq!(client.reply_to(900), Err(ScardCode::UnsupportedFeature.into()));
    assert!(client.call(&transmit(card)).is_ok());
}

#[test]
fn broken_frames_end_the_connection() {
    let daemon = Daemon::start();
    let (mut witness, card) = Native::with_card(&daemon);
    let broken = [
        header(0, 0, 0x0010),
        header(u32::MAX, 1, 0x0010),
        header(65_537, 1, 0x7FFF),
        header(257, 1, 0x0001),
        [header(3, 1, 0x0001), vec![1, 2, 3]].concat(),
        [header(5, 1, 0x0002), vec![1, 2, 3, 4, 5]].concat(),
        with_reserved_bytes(),
    ];
    for bytes in broken {
        let mut client = Native::new(&daemon);
        client.raw.send(&bytes);
        assert!(client.raw.until_closed().is_empty(), "{bytes:02X?}");
    }
    assert!(witness.call(&transmit(card)).is_ok());
}

fn with_reserved_bytes() -> Vec<u8> {
    let mut bytes = header(0, 1, 0x0010);
    bytes[11] = 1;
    bytes
}

#[test]
fn a_number_used_twice_at_a_time_ends_the_connection() {
    let daemon = Daemon::start();
    let (mut client, context) = Native::with_context(&daemon);
    let known = KnownReader { name: READER.to_owned(), current_state: 0x0001_0020 };
    client.ask(&Call::StatusChange { context, timeout_ms: None, readers: vec![known] });
    client.last_number -= 1;
    client.ask(&Call::DescribeReaders);
    client.raw.until_closed();
}

#[test]
fn a_subscriber_that_never_reads_is_dropped_and_nobody_waits_for_it() {
    let daemon = Daemon::start();
    let mut deaf = Native::new(&daemon);
    assert_eq!(deaf.call(&Call::Subscribe), Ok(Answer::Done));
    let (mut busy, context) = Native::with_context(&daemon);
    for _ in 0..2500 {
        let card = busy.connect(context);
        let disconnect = Call::Disconnect { card, disposition: Disposition::Leave };
        assert_eq!(busy.call(&disconnect), Ok(Answer::Done));
    }
    deaf.raw.until_closed();
    assert!(daemon.log().contains("NeverReads"));
}

#[test]
fn a_client_that_asks_and_never_reads_keeps_nobody_waiting() {
    let daemon = Daemon::start();
    let (mut witness, card) = Native::with_card(&daemon);
    let deaf = Native::new(&daemon);
    let request = header(0, 7, 0x0010);
    deaf.raw.stream().set_nonblocking(true).expect("the mode can be set");
    // One number at a time is allowed, so the daemon may close instead of letting the requests stand: both are well.
    let stopped = (0..1_000_000)
        .find_map(|_| deaf.raw.stream().write(&request).err())
        .expect("the daemon does not take everything");
    assert!(matches!(
        stopped.kind(),
        ErrorKind::WouldBlock | ErrorKind::BrokenPipe | ErrorKind::ConnectionReset
    ));
    assert!(witness.call(&transmit(card)).is_ok());
}

//! A card that connects at a port of vpcd: a client as vicc is one, made of bytes.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::mpsc;
use std::thread::{self, JoinHandle};

use crate::support::{DEADLINE, Daemon, READER, SELECT, SHARED, SUCCESS, Stock};

const NO_SMARTCARD: u32 = 0x8010_000C;
const REMOVED_CARD: u32 = 0x8010_0069;
pub(crate) const ATR: &[u8] = &[0x3B, 0x80, 0x01, 0x81];

/// What the card says to a command, as it stands; `None` closes the connection.
pub(crate) type Answers = fn(&[u8]) -> Option<Vec<u8>>;

/// A card that is connected; it goes when it is dropped.
pub(crate) struct Card {
    connection: TcpStream,
    life: Option<JoinHandle<()>>,
}

impl Card {
    /// Waits until it has gone by itself.
    pub(crate) fn ended(mut self) {
        self.end();
    }

    fn end(&mut self) {
        if let Some(life) = self.life.take() {
            life.join().expect("the card hears of the end");
        }
    }
}

impl Drop for Card {
    fn drop(&mut self) {
        let _ = self.connection.shutdown(Shutdown::Both);
        self.end();
    }
}

/// Connects a card and waits until it is asked for the first time: then the daemon knows of it.
fn insert(daemon: &Daemon, answers: Answers) -> Card {
    insert_with(daemon, message(ATR), answers)
}

/// The same with what it says when it is asked for its answer to reset, as it stands.
pub(crate) fn insert_with(daemon: &Daemon, atr: Vec<u8>, answers: Answers) -> Card {
    let connection = TcpStream::connect(address(&daemon.log())).expect("the port listens");
    let mut reader = connection.try_clone().expect("a descriptor is free");
    let (asked, awaited) = mpsc::channel();
    let life = thread::spawn(move || {
        let mut length = [0; 2];
        while reader.read_exact(&mut length).is_ok() {
            let mut question = vec![0; u16::from_be_bytes(length).into()];
            if reader.read_exact(&mut question).is_err() {
                break;
            }
            // Only the first of these is waited for.
            let _ = asked.send(());
            let answer = match question[..] {
                [4] => Some(atr.clone()),
                [_] => continue,
                _ => answers(&question),
            };
            let Some(answer) = answer else { break };
            if reader.write_all(&answer).is_err() {
                break;
            }
        }
        // The descriptor of whoever inserted it keeps the connection open.
        let _ = reader.shutdown(Shutdown::Both);
    });
    awaited.recv_timeout(DEADLINE).expect("the daemon powers the card");
    Card { connection, life: Some(life) }
}

/// The port that the system chose is in the log.
pub(crate) fn address(log: &str) -> String {
    let (_, line) = log.split_once("a port waits for its card").expect("the port is announced");
    let (_, address) = line.split_once("127.0.0.1:").expect("its address is shown");
    let port: String = address.chars().take_while(char::is_ascii_digit).collect();
    format!("127.0.0.1:{port}")
}

pub(crate) fn message(content: &[u8]) -> Vec<u8> {
    let length = u16::try_from(content.len()).expect("answers are short");
    [&length.to_be_bytes(), content].concat()
}

fn daemon() -> Daemon {
    Daemon::with(&["--reader", &format!("vpcd:127.0.0.1:0,name={READER}")], "")
}

#[test]
fn a_card_that_connects_is_a_card_like_any_other() {
    let daemon = daemon();
    let echo = |command: &[u8]| Some(message(&[command, &[0x90, 0x00]].concat()));
    let card = insert(&daemon, echo);
    let (mut client, handle) = Stock::with_card(&daemon);
    for _ in 0..3 {
        let expected = [SELECT, &[0x90, 0x00]].concat();
        assert_eq!(client.transmit(handle, SELECT), Ok(expected));
    }
    drop(daemon);
    card.ended();
}

#[test]
fn a_card_that_goes_during_an_exchange_is_removed_and_another_one_can_come() {
    let daemon = daemon();
    let card = insert(&daemon, |_| None);
    let (mut client, handle) = Stock::with_card(&daemon);
    let refused = client.transmit(handle, SELECT).expect_err("the card is gone");
    assert!([NO_SMARTCARD, REMOVED_CARD].contains(&refused), "{refused:X}");
    card.ended();

    let _other = insert(&daemon, |_| Some(message(&[0x6D, 0x00])));
    assert_eq!(client.transmit(handle, SELECT), Err(REMOVED_CARD), "the old handle is dead");
    let (mut client, handle) = Stock::with_card(&daemon);
    assert_eq!(client.transmit(handle, SELECT), Ok(vec![0x6D, 0x00]));
}

#[test]
fn a_card_that_never_ends_its_answer_keeps_nobody_else_waiting() {
    let unfinished: Answers = |_| Some(vec![0xFF, 0xFF, 0x90]);
    let own = format!("sim:piv,name={READER}");
    let daemon = Daemon::with(&["--reader", "vpcd:127.0.0.1:0,name=Wild", "--reader", &own], "");
    let card = insert(&daemon, unfinished);
    let (mut neighbour, neighbours) = Stock::with_card(&daemon);
    let mut client = Stock::new(&daemon, 4);
    let context = client.establish();
    let (handle, code) = client.connect(context, "Wild", SHARED);
    assert_eq!(code, SUCCESS);
    client.begin_transmit(handle, SELECT);
    assert!(neighbour.transmit(neighbours, SELECT).is_ok());
    drop(client);
    assert!(neighbour.transmit(neighbours, SELECT).is_ok());
    drop(daemon);
    card.ended();
}

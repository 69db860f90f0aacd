//! A card that connects at a port of vpcd: a client as vicc is one, made of bytes.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::mpsc;
use std::thread::{self, JoinHandle};

use crate::support::{DEADLINE, Daemon, READER, SELECT, SHARED, SUCCESS, Stock};

const NO_SMARTCARD: u32 = 0x8010_000C;
const REMOVED_CARD: u32 = 0x8010_0069;
const ATR: &[u8] = &[0x3B, 0x80, 0x01, 0x81];

/// What the card says to a command, as it stands; `None` closes the connection.
type Answers = fn(&[u8]) -> Option<Vec<u8>>;

/// Connects a card and waits until it is asked for the first time: then the daemon knows of it.
fn insert(daemon: &Daemon, answers: Answers) -> JoinHandle<()> {
    let address = address(&daemon.log());
    let mut reader = TcpStream::connect(&address).expect("the port listens");
    let (asked, awaited) = mpsc::channel();
    let card = thread::spawn(move || {
        let mut length = [0; 2];
        while reader.read_exact(&mut length).is_ok() {
            let mut question = vec![0; u16::from_be_bytes(length).into()];
            reader.read_exact(&mut question).expect("the daemon sends whole messages");
            // Only the first of these is waited for.
            let _ = asked.send(());
            let answer = match question[..] {
                [4] => Some(message(ATR)),
                [_] => continue,
                _ => answers(&question),
            };
            let Some(answer) = answer else { return };
            if reader.write_all(&answer).is_err() {
                return;
            }
        }
    });
    awaited.recv_timeout(DEADLINE).expect("the daemon powers the card");
    card
}

/// The port that the system chose is in the log.
fn address(log: &str) -> String {
    let (_, line) = log.split_once("a port waits for its card").expect("the port is announced");
    let (_, address) = line.split_once("127.0.0.1:").expect("its address is shown");
    let port: String = address.chars().take_while(char::is_ascii_digit).collect();
    format!("127.0.0.1:{port}")
}

fn message(content: &[u8]) -> Vec<u8> {
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
    card.join().expect("the card hears of the end");
}

#[test]
fn a_card_that_goes_during_an_exchange_is_removed_and_another_one_can_come() {
    let daemon = daemon();
    let card = insert(&daemon, |_| None);
    let (mut client, handle) = Stock::with_card(&daemon);
    let refused = client.transmit(handle, SELECT).expect_err("the card is gone");
    assert!([NO_SMARTCARD, REMOVED_CARD].contains(&refused), "{refused:X}");
    card.join().expect("it has gone by itself");

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
    card.join().expect("the card hears of the end");
}

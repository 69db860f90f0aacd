//! Cards and readers that lie, babble, fall silent, or come and go faster than anybody looks.

use std::fs;
use std::io::Write;
use std::net::TcpStream;

use rustix::process::Signal;
use scard_types::call::Answer;

use crate::attacks::siege::besiege;
use crate::attacks::{Chance, victim, withstand};
use crate::native::Native;
use crate::support::{DEADLINE, Daemon, ENTRY, READER, SELECT, SHARED, SUCCESS, Stock, within};
use crate::users;
use crate::vpcd::{ATR, Answers, address, insert_with, message};

/// The reader whose cards are hostile.
const WILD: &str = "Wild";

fn daemon() -> Daemon {
    let wild = format!("vpcd:127.0.0.1:0,name={WILD},answer-within=1");
    let victims = format!("sim:piv,name={}", victim::READER);
    Daemon::with(&["--reader", &wild, "--reader", &victims, "--reader", "sim:piv"], "")
}

/// Whatever the card before was, the next one is a card like any other.
fn a_good_card_works(daemon: &Daemon) {
    let card = insert_with(daemon, message(ATR), |_| Some(message(&[0x90, 0x00])));
    let mut client = Stock::new(daemon, 4);
    let context = client.establish();
    within(DEADLINE, "a good card works", || {
        let (handle, code) = client.connect(context, WILD, SHARED);
        code == SUCCESS && client.transmit(handle, SELECT) == Ok(vec![0x90, 0x00])
    });
    drop(card);
}

#[test]
fn an_answer_to_reset_that_is_none_leaves_the_card_without_power() {
    let daemon = daemon();
    let endless = [&[0x3B, 0xFF][..], &[0xFF; 31]].concat();
    let mut atrs: Vec<Vec<u8>> = [0, 1, 2, 33, 34, 255, 65_535]
        .iter()
        .flat_map(|length| [vec![0x3B; *length], vec![0; *length], vec![0xFF; *length]])
        .chain([endless, vec![0x3B, 0x0F], vec![0x3B, 0x80], vec![0x3F, 0x8F, 0x01, 1, 2, 3]])
        .collect();
    let mut chance = Chance::new(4);
    atrs.extend((0..10).map(|length| chance.bytes(1 + 4 * length)));
    withstand(&daemon, |victim| {
        for atr in &atrs {
            let card = insert_with(&daemon, message(atr), |_| Some(message(&[0x90, 0x00])));
            let mut client = Stock::new(&daemon, 4);
            let context = client.establish();
            let (handle, code) = client.connect(context, WILD, SHARED);
            // What is long enough, and well-formed by chance, is a card.
            assert!(code != SUCCESS || (2..=33).contains(&atr.len()), "{atr:02X?}");
            if code == SUCCESS {
                let _ = client.transmit(handle, SELECT);
            }
            drop(card);
        }
        victim.works();
        a_good_card_works(&daemon);
    });
}

/// What a hostile card says, and what becomes of it: an answer, or a code.
const ANSWERS: [(&str, Answers); 7] = [
    ("nothing", |_| Some(message(&[]))),
    ("one byte", |_| Some(message(&[0x90]))),
    ("the most that there can be", |_| Some(message(&[0x90; 65_535]))),
    ("two answers at once", |_| Some(message(&[0x90, 0x00]).repeat(2))),
    ("a mebibyte of nonsense", |_| Some(vec![0xFF; 1 << 20])),
    ("half an answer", |_| Some(vec![0xFF, 0xFF, 0x90])),
    ("its end", |_| None),
];

#[test]
fn an_answer_that_is_none_is_no_success() {
    let daemon = daemon();
    withstand(&daemon, |victim| {
        for (what, answers) in ANSWERS {
            let card = insert_with(&daemon, message(ATR), answers);
            let mut client = Stock::new(&daemon, 4);
            let context = client.establish();
            let (handle, code) = client.connect(context, WILD, SHARED);
            assert_eq!(code, SUCCESS, "{what}");
            for command in [SELECT, &[0; 4], &[0xFF; 5]] {
                if let Ok(answer) = client.transmit(handle, command) {
                    assert!(answer.len() >= 2, "{what}: {answer:02X?}");
                }
            }
            drop(card);
        }
        victim.works();
        a_good_card_works(&daemon);
    });
}

#[test]
fn an_answer_of_one_byte_is_no_success() {
    let daemon = daemon();
    let answers: [Answers; 2] = [|_| Some(message(&[0x90])), |_| Some(message(&[]))];
    for answers in answers {
        let card = insert_with(&daemon, message(ATR), answers);
        let mut client = Stock::new(&daemon, 4);
        let context = client.establish();
        let (handle, _) = client.connect(context, WILD, SHARED);
        client.transmit(handle, SELECT).expect_err("no status word, no answer");
        drop(card);
    }
}

#[test]
fn an_empty_command_does_not_hang_a_reader_of_vpcd() {
    let daemon = daemon();
    let _card = insert_with(&daemon, message(ATR), |_| Some(message(&[0x90, 0x00])));
    let mut client = Stock::new(&daemon, 4);
    let context = client.establish();
    let (handle, code) = client.connect(context, WILD, SHARED);
    assert_eq!(code, SUCCESS);
    for command in [&[][..], &[0], &[1], &[4]] {
        client.transmit(handle, command).expect_err("that is no command");
        assert_eq!(client.transmit(handle, SELECT), Ok(vec![0x90, 0x00]), "the reader works");
    }
}

#[test]
fn a_port_for_cards_bears_floods() {
    let daemon = daemon();
    let address = address(&daemon.log());
    withstand(&daemon, |victim| {
        let mut chance = Chance::new(5);
        let open: Vec<_> = (0..200)
            .filter_map(|_| {
                let mut card = TcpStream::connect(&address).ok()?;
                let babble = chance.below(3000);
                // The daemon may have closed already.
                let _ = card.write_all(&chance.bytes(babble));
                (chance.below(2) == 0).then_some(card)
            })
            .collect();
        victim.works();
        drop(open);
        a_good_card_works(&daemon);
    });
}

/// The counter of events of a reader in the table of 4:4.
fn event_counter(table: &[u8], reader: &str) -> u32 {
    let entry = table.chunks(ENTRY).find(|entry| entry.starts_with(reader.as_bytes()));
    let counter = &entry.expect("the reader is there")[128..132];
    u32::from_ne_bytes(counter.try_into().expect("four bytes"))
}

#[test]
fn a_card_put_back_at_once_while_its_holder_dies_is_seen_again() {
    let daemon = daemon();
    let mut operator = Native::new(&daemon);
    let mut witness = Stock::new(&daemon, 4);
    let mut counter = {
        witness.send(0x12, &[]);
        event_counter(&witness.raw.read(16 * ENTRY), READER)
    };
    let mut change = |what: &str| {
        let reply = operator.command("sim", &format!("{what} {READER}"));
        assert!(matches!(reply, Ok(Answer::Controlled(_))), "{reply:?}");
    };
    for order in ["dies, goes, comes", "goes, dies, comes", "goes, comes, dies"].repeat(4) {
        let (mut holder, card) = Stock::with_card(&daemon);
        let mut holder = Some({
            assert_eq!(holder.begin(card), SUCCESS);
            holder.begin_transmit(card, SELECT);
            holder
        });
        for step in order.split(", ") {
            match step {
                "dies" => drop(holder.take()),
                "goes" => change("remove"),
                _ => change("insert"),
            }
        }
        let (mut next, card) = Stock::with_card(&daemon);
        assert!(next.transmit(card, SELECT).is_ok(), "{order}");
        witness.send(0x12, &[]);
        let now = event_counter(&witness.raw.read(16 * ENTRY), READER);
        assert_eq!(now, counter + 2, "{order}: both are counted");
        counter = now;
    }
}

#[test]
fn a_card_of_vpcd_put_back_at_once_while_its_holder_dies_is_seen_again() {
    let daemon = daemon();
    let put_in = || insert_with(&daemon, message(ATR), |_| Some(message(&[0x90, 0x00])));
    let mut card = put_in();
    for dies_first in [true, false, true, false] {
        let mut holder = Stock::new(&daemon, 4);
        let context = holder.establish();
        let (handle, code) = holder.connect(context, WILD, SHARED);
        assert_eq!((code, holder.begin(handle)), (SUCCESS, SUCCESS));
        holder.begin_transmit(handle, SELECT);
        if dies_first {
            drop(holder);
            drop(card);
        } else {
            drop(card);
            drop(holder);
        }
        card = put_in();
        let mut next = Stock::new(&daemon, 4);
        let context = next.establish();
        let (handle, code) = next.connect(context, WILD, SHARED);
        assert_eq!(code, SUCCESS);
        assert_eq!(next.transmit(handle, SELECT), Ok(vec![0x90, 0x00]));
    }
}

#[test]
fn readers_that_come_and_go_leave_nothing() {
    let daemon = daemon();
    let config = daemon.directory.join("config");
    let mut witness = Stock::new(&daemon, 4);
    witness.establish();
    // Only who runs the daemon can do this; drivers do it when readers are pulled and plugged.
    let own = rustix::process::geteuid().as_raw();
    besiege(&daemon, own, |victim| {
        for count in [8, 0].repeat(10) {
            let readers: Vec<_> =
                (0..count).map(|number| format!("\"sim:piv,name=Fleeting {number}\"")).collect();
            fs::write(&config, format!("readers = [{}]\n", readers.join(", ")))
                .expect("the configuration can be written");
            daemon.signal(Signal::HUP);
            let mut user = users::work_as(users::ATTACKER, || Stock::new(&daemon, 4));
            let context = user.establish();
            let (_, code) = user.connect(context, "Fleeting 3", SHARED);
            // It has come, or not yet, or has gone again.
            assert_ne!(code, 1, "there is an answer");
        }
        victim.works();
    });
    assert_eq!(witness.call(0x11, &[4, 4, 0])[2], SUCCESS);
}

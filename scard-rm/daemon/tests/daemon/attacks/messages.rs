//! Bytes that are no message, or the wrong one: the connection ends, or there is a code, and nobody else notices.

use std::io::{ErrorKind, Write};

use scard_wire::native::Hello;

use crate::attacks::{Chance, daemon, withstand};
use crate::native::{Native, header};
use crate::support::{READER, Raw, SELECT, SHARED, SUCCESS, Stock, words};

/// Every command of pcsc-lite's wire with the size of its body in 4:4.
const SIZES: [(u32, u32); 20] = [
    (0x01, 12),
    (0x02, 8),
    (0x04, 152),
    (0x05, 24),
    (0x06, 12),
    (0x07, 8),
    (0x08, 12),
    (0x09, 32),
    (0x0A, 24),
    (0x0B, 8),
    (0x0D, 8),
    (0x0F, 280),
    (0x10, 280),
    (0x11, 12),
    (0x12, 0),
    (0x13, 0),
    (0x14, 0),
    (0x15, 0),
    (0x16, 0),
    (0x17, 0),
];

/// Kinds of our own wire: all requests that there are, and one that is not.
const KINDS: std::ops::RangeInclusive<u16> = 0x00..=0x13;

#[test]
fn a_wrong_length_or_an_unknown_command_ends_the_connection() {
    let daemon = daemon("");
    withstand(&daemon, |victim| {
        let wrong = SIZES.iter().flat_map(|(command, size)| {
            [size.wrapping_sub(1), size + 1, size + 8, u32::MAX, 0x7FFF_FFFF]
                .map(|size| (*command, size))
        });
        let unknown = [0x00, 0x03, 0x0C, 0x0E, 0x18, 0xFFFF, u32::MAX].map(|command| (command, 0));
        for (command, size) in wrong.chain(unknown) {
            let mut client = Stock::new(&daemon, 4);
            client.raw.send(&words(&[size, command]));
            assert!(client.raw.until_closed().is_empty(), "command {command:#x}, size {size:#x}");
        }
        victim.works();
    });
}

#[test]
fn a_frame_of_a_wrong_length_ends_the_connection() {
    let daemon = daemon("");
    withstand(&daemon, |victim| {
        for kind in KINDS {
            // Beyond the cap of its kind, or without all words of its kind.
            for length in [u32::MAX, 0x7FFF_FFFF, 0x0010_0001] {
                let mut client = Native::new(&daemon);
                client.raw.send(&header(length, 1, kind));
                assert!(client.raw.until_closed().is_empty(), "kind {kind:#x}, length {length:#x}");
            }
        }
        victim.works();
    });
}

#[test]
fn an_announced_length_costs_no_memory() {
    let daemon = daemon("");
    withstand(&daemon, |victim| {
        let beyond = [65_549, 0x7FFF_FFFF, u32::MAX];
        for length in beyond {
            let mut client = Stock::new(&daemon, 4);
            client.raw.send(&words(&[32, 0x09, 1, 2, 16, length, 3, 16, 264, 0]));
            assert!(client.raw.until_closed().is_empty(), "transmit of {length}");
            let mut client = Stock::new(&daemon, 4);
            client.raw.send(&words(&[24, 0x0A, 1, 1, length, 264, 0, 0]));
            assert!(client.raw.until_closed().is_empty(), "control of {length}");
        }
        // The most that is allowed, announced two hundred times and never sent.
        let before = daemon.status("VmRSS:");
        let stock = (0..100).map(|_| {
            let mut client = Stock::new(&daemon, 4);
            client.raw.send(&words(&[32, 0x09, 1, 2, 16, 65_548, 3, 16, 264, 0]));
            client.raw
        });
        let native = (0..100).map(|_| {
            let mut client = Native::new(&daemon);
            client.raw.send(&header(262_144, 1, 0x000E));
            client.raw
        });
        let waiting: Vec<_> = stock.chain(native).collect();
        victim.works();
        let grown = daemon.status("VmRSS:").saturating_sub(before);
        assert!(grown < 16 * 1024, "{grown} kB");
        drop(waiting);
    });
}

#[test]
fn a_body_behind_a_command_without_one_is_never_a_command() {
    let daemon = daemon("");
    withstand(&daemon, |victim| {
        for command in [0x12, 0x13, 0x14, 0x15, 0x16, 0x17] {
            let smuggled = words(&[12, 0x01, 2, 0, 0]);
            for (size, body) in [(20, &smuggled[..]), (8, &smuggled[..8]), (1, &[0])] {
                let mut client = Stock::new(&daemon, 4);
                client.raw.send(&[words(&[size, command]), body.to_vec()].concat());
                assert!(client.raw.until_closed().is_empty(), "a body of {size} for {command:#x}");
            }
        }
        victim.works();
    });
}

#[test]
fn values_that_cannot_be_are_answered_with_a_code() {
    let daemon = daemon("");
    let mut client = Stock::new(&daemon, 4);
    assert_ne!(client.code(0x01, &[77, 0, 0]), SUCCESS, "scope");
    let context = client.establish();
    let (card, _) = client.connect(context, READER, SHARED);
    assert_ne!(client.connect(context, READER, 99).1, SUCCESS, "share mode");
    assert_ne!(client.connect(context, "no such reader", SHARED).1, SUCCESS, "name");
    client.send(0x04, &[words(&[context]), vec![0xFF; 128], words(&[SHARED, 3, 0, 0, 0])].concat());
    assert_ne!(client.raw.read(152)[148..], [0; 4], "a name without an end, and no text");
    assert_ne!(client.code(0x06, &[card, 99, 0]), SUCCESS, "disposition");
    // An answer that may be as long as a word can say costs nothing either.
    assert_ne!(client.code(0x0A, &[card, 0x42FF_FFFF, 0, u32::MAX, 0, 0]), SUCCESS, "control");
    assert!(client.transmit(card, SELECT).is_ok());
}

#[test]
fn an_empty_command_does_not_hang_the_reader() {
    let daemon = daemon("");
    withstand(&daemon, |_| {
        let (mut client, card) = Stock::with_card(&daemon);
        for length in 0..5 {
            let answer = client.transmit(card, &vec![0; length]);
            assert!(answer.is_ok_and(|answer| answer.len() == 2) == (length > 0) || length == 0);
            assert!(client.transmit(card, SELECT).is_ok(), "the reader works");
        }
    });
}

#[test]
fn what_is_no_hello_of_ours_ends_the_connection() {
    let daemon = daemon("");
    withstand(&daemon, |victim| {
        for bytes in [
            &b"SCRD\0\0\0\0"[..],
            b"SCRD\x02\0\x01\0",
            b"SCRD\xFF\xFF\xFF\xFF",
            b"GET / HTTP/1.1\r\n\r\n",
            b"\x16\x03\x01\x02\x00\x01\x00\x01\xFC\x03\x03",
            &[0xFF; 64],
        ] {
            let mut client = Raw::connect(&daemon.socket());
            client.send(bytes);
            client.until_closed();
        }
        victim.works();
    });
}

#[test]
fn random_bytes_are_answered_with_the_end_of_the_connection() {
    let daemon = daemon("[limits]\nmessage-ms = 50\nquiet-ms = 50\n");
    withstand(&daemon, |victim| {
        let mut chance = Chance::new(2);
        for round in 0..300 {
            let mut client = Raw::connect(&daemon.socket());
            let length = chance.below(4096);
            let noise = chance.bytes(length);
            if round % 2 == 0 {
                client.send(&Hello::OURS.encode());
            }
            client.send(&noise);
            if round % 20 == 0 {
                client.until_closed();
            }
        }
        victim.works();
    });
}

#[test]
fn random_bodies_behind_right_headers_are_answered() {
    let daemon = daemon("");
    withstand(&daemon, |victim| {
        let mut chance = Chance::new(3);
        for _ in 0..150 {
            let (mut stock, _) = Stock::with_card(&daemon);
            let mut native = Native::new(&daemon);
            for number in 1..8 {
                let (command, size) = SIZES[chance.below(SIZES.len())];
                let mut body = chance.bytes(usize::try_from(size).expect("bodies are short"));
                // Small numbers meet more of the code than large ones.
                for byte in &mut body {
                    *byte *= u8::from(chance.below(4) == 0);
                }
                stock.raw.send(&[words(&[size, command]), body].concat());
                let length = chance.below(60);
                let kind = u16::try_from(chance.below(0x13)).expect("it is small");
                let frame = header(u32::try_from(length).expect("it is small"), number, kind);
                native.raw.send(&[frame, chance.bytes(length)].concat());
            }
        }
        victim.works();
    });
}

#[test]
fn a_flood_of_requests_whose_answers_nobody_reads_costs_its_sender_only() {
    let daemon = daemon("");
    withstand(&daemon, |victim| {
        let floods = [
            (Stock::new(&daemon, 4).raw, words(&[0, 0x12])),
            (Stock::new(&daemon, 4).raw, words(&[8, 0x0B, 1, 0])),
            (Native::new(&daemon).raw, header(0, 7, 0x0010)),
        ];
        for (raw, request) in &floods {
            let mut stream = raw.stream();
            stream.set_nonblocking(true).expect("the mode can be set");
            // It may close instead of letting the requests stand: both are well.
            let stopped = (0..1_000_000).find_map(|_| stream.write(request).err());
            let stopped = stopped.expect("the daemon does not take everything").kind();
            assert!(
                [ErrorKind::WouldBlock, ErrorKind::BrokenPipe, ErrorKind::ConnectionReset]
                    .contains(&stopped)
            );
        }
        victim.works();
    });
}

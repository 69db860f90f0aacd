//! Clients that mean harm, or are broken: the connection ends, or there is a code, and nobody else notices.

use crate::support::{Daemon, INVALID_HANDLE, READER, Raw, SELECT, SHARED, SUCCESS, Stock, words};

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

#[test]
fn a_wrong_length_or_an_unknown_command_ends_the_connection() {
    let daemon = Daemon::start();
    let (mut witness, card) = Stock::with_card(&daemon);
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
    assert!(witness.transmit(card, SELECT).is_ok());
}

#[test]
fn an_announced_length_costs_no_memory() {
    let daemon = Daemon::start();
    let (mut witness, card) = Stock::with_card(&daemon);
    let before = daemon.status("VmRSS:");
    for length in [65_549, 0x7FFF_FFFF, u32::MAX] {
        let mut client = Stock::new(&daemon, 4);
        client.raw.send(&words(&[32, 0x09, card, 2, 16, length, 3, 16, 264, 0]));
        assert!(client.raw.until_closed().is_empty(), "transmit of {length}");
        let mut client = Stock::new(&daemon, 4);
        client.raw.send(&words(&[24, 0x0A, card, 1, length, 264, 0, 0]));
        assert!(client.raw.until_closed().is_empty(), "control of {length}");
    }
    // The most that is allowed, announced a hundred times and never sent.
    let waiting: Vec<_> = (0..100)
        .map(|_| {
            let mut client = Stock::new(&daemon, 4);
            client.raw.send(&words(&[32, 0x09, card, 2, 16, 65_548, 3, 16, 264, 0]));
            client
        })
        .collect();
    assert!(witness.transmit(card, SELECT).is_ok());
    let grown = daemon.status("VmRSS:").saturating_sub(before);
    assert!(grown < 16 * 1024, "{grown} kB");
    drop(waiting);
}

#[test]
fn numbers_of_others_are_worth_nothing() {
    let daemon = Daemon::start();
    let mut owner = Stock::new(&daemon, 4);
    let context = owner.establish();
    let (card, code) = owner.connect(context, READER, SHARED);
    assert_eq!(code, SUCCESS);
    let mut thief = Stock::new(&daemon, 4);
    let own = thief.establish();
    assert_eq!(thief.transmit(card, SELECT), Err(INVALID_HANDLE));
    for (command, body) in [
        (0x02, vec![context, 0]),
        (0x05, vec![card, SHARED, 3, 1, 0, 0]),
        (0x06, vec![card, 1, 0]),
        (0x07, vec![card, 0]),
        (0x08, vec![card, 1, 0]),
        (0x0B, vec![card, 0]),
    ] {
        assert_eq!(thief.code(command, &body), INVALID_HANDLE, "command {command:#x}");
    }
    assert_eq!(thief.connect(context, READER, SHARED).1, INVALID_HANDLE);
    assert_eq!(thief.code(0x02, &[own, 0]), SUCCESS);
    assert_eq!(thief.code(0x02, &[own, 0]), INVALID_HANDLE, "released twice");
    assert!(owner.transmit(card, SELECT).is_ok(), "the owner has no mark of it");
}

#[test]
fn values_that_cannot_be_are_answered_with_a_code() {
    let daemon = Daemon::start();
    let mut client = Stock::new(&daemon, 4);
    assert_ne!(client.code(0x01, &[77, 0, 0]), SUCCESS, "scope");
    let context = client.establish();
    let (card, _) = client.connect(context, READER, SHARED);
    assert_ne!(client.connect(context, READER, 99).1, SUCCESS, "share mode");
    assert_ne!(client.connect(context, "no such reader", SHARED).1, SUCCESS, "name");
    client.send(0x04, &[words(&[context]), vec![0xFF; 128], words(&[SHARED, 3, 0, 0, 0])].concat());
    assert_ne!(client.raw.read(152)[148..], [0; 4], "a name without an end, and no text");
    assert_ne!(client.code(0x06, &[card, 99, 0]), SUCCESS, "disposition");
    assert_ne!(client.transmit(card, &[]), Ok(vec![]), "no command at all");
    assert!(client.transmit(card, SELECT).is_ok());
}

#[test]
fn what_is_no_hello_of_ours_ends_the_connection() {
    let daemon = Daemon::start();
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
    Stock::with_card(&daemon);
}

#[test]
fn a_message_once_begun_has_to_end_and_a_silent_connection_too() {
    let daemon =
        Daemon::with(&["--reader", "sim:piv"], "[limits]\nmessage-ms = 50\nquiet-ms = 300\n");
    let (mut witness, card) = Stock::with_card(&daemon);
    let begun: [&[u8]; 4] = [&[12], &[12, 0, 0, 0, 1], b"SCRD", b"S"];
    for bytes in begun {
        let mut client = Raw::connect(&daemon.socket());
        client.send(bytes);
        client.until_closed();
    }
    let mut half = Stock::new(&daemon, 4);
    half.establish();
    half.raw.send(&Stock::transmit_request(card, SELECT)[..41]);
    half.raw.until_closed();
    Raw::connect(&daemon.socket()).until_closed();
    Stock::new(&daemon, 4).raw.until_closed();
    // A context is a reason to be quiet.
    assert!(witness.transmit(card, SELECT).is_ok());
}

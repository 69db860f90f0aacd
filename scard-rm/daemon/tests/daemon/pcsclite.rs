//! pcsc-lite's wire as its clients speak it, in each version.

use crate::support::{
    Daemon, Directory, ENTRY, EXCLUSIVE, READER, SELECT, SERVICE_STOPPED, SHARED,
    SHARING_VIOLATION, SUCCESS, Stock, as_words, words,
};

#[test]
fn each_version_is_repeated_and_any_other_is_told_ours() {
    let daemon = Daemon::start();
    for minor in [3, 4, 5, 6] {
        Stock::new(&daemon, minor);
    }
    for (major, minor) in [(4, 2), (4, 7), (5, 0), (u32::MAX, u32::MAX)] {
        let mut client = Stock::silent(&daemon);
        assert_eq!(client.call(0x11, &[major, minor, 0]), [4, 6, SERVICE_STOPPED]);
        assert_eq!(client.call(0x11, &[4, 4, 0]), [4, 4, SUCCESS], "it may try again");
    }
}

#[test]
fn each_version_has_its_way_to_the_table_and_to_waiting() {
    let daemon = Daemon::start();
    for minor in [3, 4, 5, 6] {
        let mut client = Stock::new(&daemon, minor);
        client.establish();

        client.send(0x12, &[]);
        let table = client.raw.read(16 * ENTRY);
        assert!(table.starts_with(READER.as_bytes()), "4:{minor}");
        assert_eq!(
            as_words(&table[128..140]),
            [1, 0x34, 0],
            "a card came, is there, nobody has it"
        );

        assert_eq!(client.watch(), table, "4:{minor}");
        client.stop_watching();
        assert_eq!(client.read_words(2), [0, SUCCESS], "4:{minor}");

        if minor >= 5 {
            client.send(0x15, &[]);
            assert_eq!(client.read_words(2)[1], SUCCESS, "4:{minor}");
        }
    }
}

#[test]
fn a_card_is_connected_used_and_left() {
    let daemon = Daemon::start();
    let mut client = Stock::new(&daemon, 4);
    let context = client.establish();
    let (card, code) = client.connect(context, READER, SHARED);
    assert_eq!(code, SUCCESS);
    assert_eq!(client.begin(card), SUCCESS);
    let response = client.transmit(card, SELECT).expect("the card answers");
    assert!(response.ends_with(&[0x90, 0x00]));
    assert_eq!(client.end(card), SUCCESS);
    assert_eq!(client.code(0x0B, &[card, 0]), SUCCESS, "status");
    assert_eq!(client.code(0x05, &[card, SHARED, 3, 0, 0, 0]), SUCCESS, "reconnect");

    // SCARD_ATTR_ATR_STRING; a reply of 264 bytes of value, length and code.
    client.send(0x0F, &[words(&[card, 0x0009_0303]), vec![0; 264], words(&[264, 0])].concat());
    let reply = client.raw.read(280);
    assert_eq!(as_words(&reply[272..]), [19, SUCCESS]);
    assert_eq!(reply[8], 0x3B);

    // CM_IOCTL_GET_FEATURE_REQUEST; six words, then what is announced in the fifth.
    client.raw.send(&words(&[24, 0x0A, card, 0x4200_0D48, 0, 264, 0, 0]));
    let reply = client.read_words(6);
    if reply[5] == SUCCESS {
        client.raw.read(usize::try_from(reply[4]).expect("a length"));
    }
    assert_eq!(client.disconnect(card), SUCCESS);
    assert_eq!(client.code(0x02, &[context, 0]), SUCCESS);
}

#[test]
fn a_message_may_come_byte_by_byte() {
    let daemon = Daemon::start();
    let (mut client, card) = Stock::with_card(&daemon);
    for byte in Stock::transmit_request(card, SELECT) {
        client.raw.send(&[byte]);
    }
    assert!(client.transmitted().expect("the card answers").ends_with(&[0x90, 0x00]));
}

#[test]
fn a_message_sent_ahead_waits_for_the_one_before() {
    let daemon = Daemon::start();
    let (mut holder, held) = Stock::with_card(&daemon);
    let (mut client, card) = Stock::with_card(&daemon);
    assert_eq!(holder.begin(held), SUCCESS);
    client.raw.send(&words(&[8, 0x07, card, 0]));
    client.raw.send(&Stock::transmit_request(card, SELECT));
    assert_eq!(holder.end(held), SUCCESS);
    assert_eq!(client.read_words(2), [card, SUCCESS], "begin");
    assert!(client.transmitted().is_ok(), "transmit");
}

#[test]
fn a_client_that_sends_far_ahead_is_closed() {
    let daemon = Daemon::start();
    let (mut holder, held) = Stock::with_card(&daemon);
    let (mut client, card) = Stock::with_card(&daemon);
    assert_eq!(holder.begin(held), SUCCESS);
    client.raw.send(&words(&[8, 0x07, card, 0]));
    for _ in 0..40 {
        client.raw.send(&Stock::transmit_request(card, &[0; 4096]));
    }
    client.raw.until_closed();
    assert_eq!(holder.end(held), SUCCESS);
    assert!(Stock::with_card(&daemon).0.raw.stream().peer_addr().is_ok());
}

#[test]
fn an_exclusive_handle_shuts_others_out_until_it_is_gone() {
    let daemon = Daemon::start();
    let mut owner = Stock::new(&daemon, 4);
    let context = owner.establish();
    let (_, code) = owner.connect(context, READER, EXCLUSIVE);
    assert_eq!(code, SUCCESS);
    let mut other = Stock::new(&daemon, 6);
    let others = other.establish();
    assert_eq!(other.connect(others, READER, SHARED).1, SHARING_VIOLATION);
    drop(owner);
    let retried = (0..).map(|_| other.connect(others, READER, SHARED).1).take(1000);
    assert!(retried.into_iter().any(|code| code == SUCCESS));
}

#[test]
fn the_table_of_4_6_never_shrinks_not_even_over_a_restart() {
    let directory = Directory::new();
    let state = directory.join("state");
    std::fs::create_dir(&state).expect("a directory can be made");
    let state = state.to_str().expect("the path is text").to_owned();
    let many = ["--state-dir", &state, "--reader", "sim:piv,count=20"];
    let entries = {
        let daemon = Daemon::within(Directory::new(), &many, "");
        let mut client = Stock::new(&daemon, 6);
        client.send(0x16, &[]);
        let entries = client.read_words(1)[0];
        assert!(entries >= 20, "{entries}");
        client.send(0x17, &[]);
        client.raw.read(usize::try_from(entries).expect("a number") * ENTRY);
        entries
    };
    let daemon = Daemon::within(Directory::new(), &["--state-dir", &state], "");
    let mut client = Stock::new(&daemon, 6);
    client.send(0x16, &[]);
    assert_eq!(client.read_words(1), [entries]);
    client.send(0x17, &[]);
    client.raw.read(usize::try_from(entries).expect("a number") * ENTRY);
}

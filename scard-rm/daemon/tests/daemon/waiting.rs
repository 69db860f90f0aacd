//! Who waits, who is told, and who dies while waiting.

use crate::support::{
    CANCELLED, Daemon, INVALID_HANDLE, RESET_CARD, SELECT, SHARED, SUCCESS, Stock, words,
};

#[test]
fn a_waiter_is_told_once() {
    let daemon = Daemon::start();
    for minor in [3, 4, 5, 6] {
        let mut waiter = Stock::new(&daemon, minor);
        waiter.establish();
        waiter.watch();
        let (other, _) = Stock::with_card(&daemon);
        assert_eq!(waiter.read_words(2), [0, SUCCESS], "4:{minor}: somebody opened the card");
        // No answer to this one, for the registration is gone; the next reply follows at once.
        waiter.stop_watching();
        assert_eq!(waiter.call(0x11, &[4, minor, 0]), [4, minor, SUCCESS], "4:{minor}");
        drop(other);
    }
}

#[test]
fn a_canceller_says_no_version_and_ends_the_wait() {
    let daemon = Daemon::start();
    let mut waiter = Stock::new(&daemon, 4);
    let context = waiter.establish();
    waiter.watch();
    let mut canceller = Stock::silent(&daemon);
    assert_eq!(canceller.call(0x0D, &[context, 0]), [context, SUCCESS]);
    assert_eq!(waiter.read_words(2), [0, CANCELLED]);
    let mut canceller = Stock::silent(&daemon);
    assert_eq!(canceller.code(0x0D, &[context, 0]), SUCCESS, "nobody waits, that is well");
    let nonsense = context ^ 0x5555;
    assert_eq!(Stock::silent(&daemon).code(0x0D, &[nonsense, 0]), INVALID_HANDLE);
}

#[test]
fn a_transaction_passes_to_the_next_in_line_at_once() {
    let daemon = Daemon::start();
    let (mut holder, held) = Stock::with_card(&daemon);
    let mut line: Vec<_> = (0..5).map(|_| Stock::with_card(&daemon)).collect();
    assert_eq!(holder.begin(held), SUCCESS);
    for (client, card) in &mut line {
        client.raw.send(&words(&[8, 0x07, *card, 0]));
        // A reply on another connection shows that the daemon has seen what came before it.
        Stock::new(&daemon, 4);
    }
    assert_eq!(holder.end(held), SUCCESS);
    for (client, card) in &mut line {
        assert_eq!(client.read_words(2), [*card, SUCCESS]);
        assert_eq!(client.end(*card), SUCCESS);
    }
}

#[test]
fn a_client_that_dies_in_the_line_leaves_it() {
    let daemon = Daemon::start();
    let (mut holder, held) = Stock::with_card(&daemon);
    let (mut dying, card) = Stock::with_card(&daemon);
    let (mut next, nexts) = Stock::with_card(&daemon);
    assert_eq!(holder.begin(held), SUCCESS);
    dying.raw.send(&words(&[8, 0x07, card, 0]));
    Stock::new(&daemon, 4);
    next.raw.send(&words(&[8, 0x07, nexts, 0]));
    Stock::new(&daemon, 4);
    drop(dying);
    assert_eq!(holder.end(held), SUCCESS);
    assert_eq!(next.read_words(2), [nexts, SUCCESS]);
}

#[test]
fn a_holder_that_dies_leaves_a_reset_card() {
    let daemon = Daemon::start();
    let (mut holder, held) = Stock::with_card(&daemon);
    let (mut other, card) = Stock::with_card(&daemon);
    assert_eq!(holder.begin(held), SUCCESS);
    assert!(holder.transmit(held, SELECT).is_ok());
    other.raw.send(&words(&[8, 0x07, card, 0]));
    Stock::new(&daemon, 4);
    drop(holder);
    assert_eq!(other.read_words(2), [card, RESET_CARD]);
    assert_eq!(other.transmit(card, SELECT), Err(RESET_CARD));
    assert_eq!(other.code(0x05, &[card, SHARED, 3, 0, 0, 0]), SUCCESS, "reconnect");
    assert!(other.transmit(card, SELECT).is_ok());
}

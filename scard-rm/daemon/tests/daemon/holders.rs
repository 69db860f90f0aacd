//! Who holds the card: what the log says, and the end of a transaction that nobody uses.

use crate::support::{
    Daemon, EXCLUSIVE, READER, RESET_CARD, SELECT, SHARED, SHARING_VIOLATION, SUCCESS, Stock,
};

#[test]
fn the_log_names_who_is_refused_and_who_holds_the_card() {
    let daemon = Daemon::start();
    let (_holder, _card) = Stock::with_card(&daemon);
    let mut refused = Stock::new(&daemon, 4);
    let context = refused.establish();
    for _ in 0..50 {
        assert_eq!(refused.connect(context, READER, EXCLUSIVE).1, SHARING_VIOLATION);
    }
    let log = daemon.log();
    let lines: Vec<_> = log.lines().filter(|line| line.contains("sharing violation")).collect();
    assert_eq!(lines.len(), 1, "once in a while is enough: {lines:?}");
    let pid = std::process::id();
    for part in
        ["INFO", READER, "is refused", "shares the card", &format!("(pid {pid}, uid "), "daemon-"]
    {
        assert!(lines[0].contains(part), "{part} is not in {}", lines[0]);
    }
}

#[test]
fn a_transaction_that_nobody_uses_is_ended_where_the_configuration_says_so() {
    let config = "[[reader-rule]]\nname = \"*PIV*\"\nidle-transaction-ms = 50\n";
    let daemon = Daemon::with(&["--reader", "sim:piv"], config);
    let (mut idler, card) = Stock::with_card(&daemon);
    assert_eq!(idler.begin(card), SUCCESS);
    let mut next = Stock::new(&daemon, 4);
    let context = next.establish();
    let (other, code) = next.connect(context, READER, SHARED);
    assert_eq!(code, SUCCESS);
    assert!(next.transmit(other, SELECT).is_ok());
    assert_eq!(idler.transmit(card, SELECT), Err(RESET_CARD));
    assert!(daemon.log().contains("the idle transaction of "));
}

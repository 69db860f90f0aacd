//! Power: given for the answer to reset, taken from a card that nobody uses, and what leaving does to the card.

use scard_core::Wire;
use scard_types::call::{Answer, Call, Sharing};
use scard_types::{CardEvent, CardState, Disposition, ScardCode, SlotError};

use crate::bench::{Bench, T0_CARD, begin, disconnect, transmit};

fn bench() -> Bench {
    let mut bench = Bench::new();
    bench.reader(1, "R");
    bench.card(1, CardEvent::Inserted);
    bench
}

#[test]
fn an_unused_card_loses_its_power_after_the_grace_period() {
    let mut bench = bench();
    bench.pass(4_999);
    assert_eq!(bench.log_of(1), ["power on"]);
    bench.pass(1);
    assert_eq!(bench.log_of(1), ["power on", "power off"]);
    assert_eq!(bench.core.deadline(), None, "then nothing runs");
    let Ok(Answer::ReaderTable(table)) = bench.table() else { panic!() };
    let entry = table.first().cloned().flatten().unwrap();
    assert_eq!(entry.state, CardState::Negotiable, "programs see it as before");
    assert!(entry.atr.is_some());
}

#[test]
fn the_grace_period_begins_with_the_last_disconnect() {
    let mut bench = bench();
    let (_, card) = bench.guest(1, "R");
    bench.pass(60_000);
    assert_eq!(bench.code(1, disconnect(card, Disposition::Leave)), Ok(()));
    bench.pass(4_999);
    assert_eq!(bench.log_of(1), ["power on", "set T=1"]);
    let (_, again) = bench.guest(2, "R");
    bench.pass(60_000);
    assert_eq!(bench.code(2, transmit(again)), Ok(()), "the protocol is kept as well");
    bench.gone(2);
    bench.pass(5_000);
    assert_eq!(bench.log_of(1), ["power on", "set T=1", "transmit T=1", "power off"]);
    bench.guest(3, "R");
    assert_eq!(bench.log_of(1)[4..], ["power on", "set T=1"]);
}

#[test]
fn each_disposition_does_its_work() {
    let cases: [(Disposition, &[&str]); 4] = [
        (Disposition::Leave, &[]),
        (Disposition::Reset, &["reset"]),
        (Disposition::Unpower, &["power off"]),
        (Disposition::Eject, &["eject", "power off"]),
    ];
    for (disposition, work) in cases {
        let mut bench = bench();
        let (_, a) = bench.guest(1, "R");
        let (_, b) = bench.guest(2, "R");
        assert_eq!(bench.code(1, disconnect(a, disposition)), Ok(()));
        assert_eq!(bench.log_of(1)[2..], *work, "{disposition:?}");
        let expected = match disposition {
            Disposition::Leave => Ok(()),
            _ => Err(ScardCode::ResetCard),
        };
        assert_eq!(bench.code(2, Call::Status { card: b }), expected, "{disposition:?}");
    }
}

#[test]
fn a_card_that_does_not_answer_is_there_all_the_same() {
    let mut bench = Bench::new();
    bench.reader(1, "R");
    bench.quick = false;
    bench.card(1, CardEvent::Inserted);
    bench.fail(1, SlotError::Mute);
    let Ok(Answer::ReaderTable(table)) = bench.table() else { panic!() };
    let entry = table.first().cloned().flatten().unwrap();
    assert_eq!((entry.state, entry.event_counter), (CardState::Swallowed, 1));
    assert_eq!(bench.core.deadline(), None);
}

#[test]
fn another_answer_to_reset_is_published_as_it_comes() {
    let mut bench = bench();
    bench.pass(5_000);
    bench.atrs.insert(1, T0_CARD.to_vec());
    bench.guest(1, "R");
    let Ok(Answer::ReaderTable(table)) = bench.table() else { panic!() };
    let entry = table.first().cloned().flatten().unwrap();
    assert_eq!(entry.atr.unwrap().as_bytes(), T0_CARD);
    assert_eq!((entry.sharing, entry.event_counter), (Sharing::Shared(1), 1));
}

#[test]
fn events_that_say_nothing_new_change_nothing() {
    let mut bench = bench();
    bench.card(1, CardEvent::Inserted);
    bench.card(1, CardEvent::Removed);
    bench.card(1, CardEvent::Removed);
    let Ok(Answer::ReaderTable(table)) = bench.table() else { panic!() };
    assert_eq!(table.first().cloned().flatten().unwrap().event_counter, 2);
    assert_eq!(bench.log_of(1), ["power on"]);
}

#[test]
fn the_table_keeps_its_slots_and_its_length() {
    let mut bench = Bench::new();
    for reader in 0..20 {
        bench.reader(reader, &format!("R{reader}"));
    }
    assert_eq!(bench.core.table_slots(), 20);
    bench.unplug(3);
    bench.unplug(7);
    bench.reader(30, "new");
    let Ok(Answer::ReaderTable(table)) = bench.table() else { panic!() };
    let name = |slot: usize| table.get(slot).cloned().flatten().map(|entry| entry.name.to_string());
    assert_eq!(name(3).as_deref(), Some("new"));
    assert_eq!(name(7), None);
    assert_eq!(table.len(), 20);
}

#[test]
fn who_has_a_card_is_told_in_the_order_of_opening() {
    let mut bench = bench();
    let (_, a) = bench.guest(5, "R");
    bench.guest(3, "R");
    assert_eq!(bench.code(5, begin(a)), Ok(()));
    bench.client(1, 0, Wire::Native);
    let Ok(Answer::Described(readers)) = bench.call(1, Call::DescribeReaders) else { panic!() };
    let holders: Vec<_> = readers
        .iter()
        .flat_map(|reader| &reader.holders)
        .map(|holder| (holder.peer.pid, holder.in_transaction))
        .collect();
    assert_eq!(holders, [(5, true), (3, false)]);
}

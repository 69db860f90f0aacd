//! Transactions and the queue: whose turn it is.

use scard_core::Wire;
use scard_types::call::{Answer, Call, CardHandle, ContextId, Refusal, Reply};
use scard_types::{CardEvent, Character, Disposition, ScardCode, ShareMode};

use crate::bench::{Bench, begin, connect, disconnect, end, reconnect, transmit};

const LEAVE: Disposition = Disposition::Leave;
const RESET: Disposition = Disposition::Reset;
const VIOLATION: Result<(), ScardCode> = Err(ScardCode::SharingViolation);

fn bench() -> Bench {
    let mut bench = Bench::new();
    bench.reader(1, "R");
    bench.card(1, CardEvent::Inserted);
    bench
}

/// A stock client: pcsc-lite's wire, one context, one handle.
fn stock(bench: &mut Bench, client: u64) -> (ContextId, CardHandle) {
    bench.client(client, 1_000, Wire::PcscLite);
    let context = bench.context(client);
    (context, bench.connect(client, context, "R"))
}

fn done() -> Option<Reply> {
    Some(Ok(Answer::Done))
}

fn refused(code: ScardCode) -> Option<Reply> {
    Some(Err(Refusal::from(code)))
}

#[test]
fn a_transaction_is_granted_in_order_of_arrival() {
    let mut bench = bench();
    let (_, a) = bench.guest(1, "R");
    let (_, b) = bench.guest(2, "R");
    let (_, c) = bench.guest(3, "R");
    assert_eq!(bench.code(1, begin(a)), Ok(()));
    let second = bench.ask(2, begin(b));
    let third = bench.ask(3, begin(c));
    bench.pass(60_000);
    assert_eq!(bench.answer(2, second), None);
    assert_eq!(bench.code(1, end(a, LEAVE)), Ok(()));
    assert_eq!(bench.answer(2, second), done());
    assert_eq!(bench.answer(3, third), None);
    assert_eq!(bench.code(2, end(b, LEAVE)), Ok(()));
    assert_eq!(bench.answer(3, third), done());
}

#[test]
fn a_transaction_has_levels() {
    let mut bench = bench();
    let (_, a) = bench.guest(1, "R");
    let (_, b) = bench.guest(2, "R");
    for _ in 0..3 {
        assert_eq!(bench.code(1, begin(a)), Ok(()));
    }
    let waiting = bench.ask(2, begin(b));
    for _ in 0..2 {
        assert_eq!(bench.code(1, end(a, LEAVE)), Ok(()));
        assert_eq!(bench.answer(2, waiting), None);
    }
    assert_eq!(bench.code(1, end(a, LEAVE)), Ok(()));
    assert_eq!(bench.answer(2, waiting), done());
    assert_eq!(bench.code(1, end(a, LEAVE)), VIOLATION);
    assert_eq!(bench.code(2, end(b, LEAVE)), Ok(()));
    assert_eq!(bench.code(2, end(b, LEAVE)), Err(ScardCode::NotTransacted));
}

#[test]
fn an_exclusive_handle_cannot_end_what_it_has_by_itself() {
    let mut bench = bench();
    bench.client(1, 1_000, Wire::Native);
    let context = bench.context(1);
    let reply = bench.call(1, connect(context, "R", ShareMode::Exclusive));
    let Ok(Answer::Connected { card, .. }) = reply else { panic!("{reply:?}") };
    assert_eq!(bench.code(1, end(card, LEAVE)), Err(ScardCode::NotTransacted));
    assert_eq!(bench.code(1, begin(card)), Ok(()));
    assert_eq!(bench.code(1, end(card, LEAVE)), Ok(()));
    assert_eq!(bench.code(1, end(card, LEAVE)), Err(ScardCode::NotTransacted));
}

#[test]
fn each_kind_of_call_waits_for_a_transaction_as_long_as_it_may() {
    type Ask = fn(ContextId, CardHandle) -> Call;
    let cases: [(Ask, Option<u64>); 9] = [
        (|_, card| begin(card), None),
        (|context, _| connect(context, "R", ShareMode::Shared), None),
        (|_, card| disconnect(card, RESET), None),
        (|_, card| transmit(card), Some(100)),
        (|_, card| Call::Status { card }, Some(100)),
        (|_, card| reconnect(card, LEAVE), Some(100)),
        (|_, card| Call::GetAttribute { card, tag: 0x7FFF_0003 }, Some(0)),
        (|_, card| Call::SetAttribute { card, tag: 1, value: vec![1] }, Some(0)),
        (|_, card| Call::Control { card, code: 1, input: vec![].into(), output_limit: 9 }, Some(0)),
    ];
    for (case, (ask, patience)) in cases.into_iter().enumerate() {
        let mut bench = bench();
        let (_, a) = bench.guest(1, "R");
        let (context, b) = bench.guest(2, "R");
        assert_eq!(bench.code(1, begin(a)), Ok(()));
        let waiting = bench.ask(2, ask(context, b));
        let Some(patience) = patience else {
            bench.pass(86_400_000);
            assert_eq!(bench.answer(2, waiting), None, "case {case}");
            assert_eq!(bench.code(1, end(a, LEAVE)), Ok(()));
            assert!(matches!(bench.answer(2, waiting), Some(Ok(_))), "case {case}");
            continue;
        };
        if patience > 0 {
            bench.pass(patience - 1);
            assert_eq!(bench.answer(2, waiting), None, "case {case}");
            bench.pass(1);
        }
        assert_eq!(bench.answer(2, waiting), refused(ScardCode::SharingViolation), "case {case}");
    }
}

#[test]
fn a_disconnect_that_leaves_the_card_does_not_wait() {
    let mut bench = bench();
    let (_, a) = bench.guest(1, "R");
    let (_, b) = bench.guest(2, "R");
    assert_eq!(bench.code(1, begin(a)), Ok(()));
    assert_eq!(bench.code(2, disconnect(b, LEAVE)), Ok(()));
}

#[test]
fn a_stock_client_with_other_handles_is_sent_back_so_that_its_threads_can_go_on() {
    let mut bench = bench();
    let (context, a) = stock(&mut bench, 1);
    let b = bench.connect(1, context, "R");
    assert_eq!(bench.code(1, begin(a)), Ok(()));
    for call in [begin(b), connect(context, "R", ShareMode::Shared)] {
        let waiting = bench.ask(1, call);
        bench.pass(100);
        assert_eq!(bench.answer(1, waiting), refused(ScardCode::SharingViolation));
    }
    let waiting = bench.ask(1, disconnect(b, RESET));
    bench.pass(100);
    assert_eq!(bench.answer(1, waiting), done());
    assert_eq!(bench.code(1, end(a, LEAVE)), Ok(()), "the card of the transaction was not reset");
}

#[test]
fn one_who_was_sent_back_keeps_his_place_and_holds_up_nobody() {
    let mut bench = bench();
    let (_, holder) = bench.guest(1, "R");
    let (context, sent_back) = stock(&mut bench, 2);
    bench.connect(2, context, "R");
    let (_, second) = bench.guest(3, "R");
    let (_, third) = bench.guest(4, "R");
    assert_eq!(bench.code(1, begin(holder)), Ok(()));
    let first_try = bench.ask(2, begin(sent_back));
    let waiting = bench.ask(3, begin(second));
    bench.pass(100);
    assert_eq!(bench.answer(2, first_try), refused(ScardCode::SharingViolation));
    // Nobody waits for one who is not there.
    assert_eq!(bench.code(1, end(holder, LEAVE)), Ok(()));
    assert_eq!(bench.answer(3, waiting), done());
    // His place is before those who came after him.
    let later = bench.ask(4, begin(third));
    let again = bench.ask(2, begin(sent_back));
    assert_eq!(bench.code(3, end(second, LEAVE)), Ok(()));
    assert_eq!(bench.answer(2, again), done());
    assert_eq!(bench.answer(4, later), None);
}

#[test]
fn a_ticket_lapses_without_a_trace() {
    let mut bench = bench();
    let (_, holder) = bench.guest(1, "R");
    let (context, card) = stock(&mut bench, 2);
    bench.connect(2, context, "R");
    let (_, other) = bench.guest(3, "R");
    assert_eq!(bench.code(1, begin(holder)), Ok(()));
    let first_try = bench.ask(2, begin(card));
    bench.pass(100);
    assert_eq!(bench.answer(2, first_try), refused(ScardCode::SharingViolation));
    assert_eq!(bench.core.census().tickets, 1);
    let waiting = bench.ask(3, begin(other));
    bench.pass(500);
    assert_eq!(bench.core.census().tickets, 0);
    assert_eq!(bench.core.deadline(), None);
    let again = bench.ask(2, begin(card));
    assert_eq!(bench.code(1, end(holder, LEAVE)), Ok(()));
    assert_eq!(bench.answer(3, waiting), done());
    assert_eq!(bench.answer(2, again), None);
}

#[test]
fn a_transaction_waits_for_the_exchange_under_way() {
    let mut bench = bench();
    let (_, a) = bench.guest(1, "R");
    let (_, b) = bench.guest(2, "R");
    bench.quick = false;
    let exchange = bench.ask(1, transmit(a));
    let waiting = bench.ask(2, begin(b));
    let behind = bench.ask(1, transmit(a));
    assert_eq!(bench.answer(2, waiting), None);
    bench.do_work(1);
    assert!(matches!(bench.answer(1, exchange), Some(Ok(_))));
    assert_eq!(bench.answer(2, waiting), done());
    assert_eq!(bench.answer(1, behind), None);
    assert!(bench.work.is_empty(), "no card work for one who is not in the transaction");
    bench.pass(100);
    assert_eq!(bench.answer(1, behind), refused(ScardCode::SharingViolation));
}

#[test]
fn a_long_exchange_of_another_is_no_sharing_violation() {
    let mut bench = bench();
    let (_, a) = bench.guest(1, "R");
    let (_, b) = bench.guest(2, "R");
    bench.quick = false;
    bench.ask(1, transmit(a));
    let waiting = bench.ask(2, transmit(b));
    bench.pass(30_000);
    assert_eq!(bench.answer(2, waiting), None);
    assert_eq!(bench.code(2, Call::Status { card: b }), Ok(()));
    bench.do_work(1);
    bench.do_work(1);
    assert!(matches!(bench.answer(2, waiting), Some(Ok(_))));
}

#[test]
fn a_holder_that_dies_leaves_a_reset_card_and_marked_handles() {
    let mut bench = bench();
    let (_, a) = bench.guest(1, "R");
    let (_, b) = bench.guest(2, "R");
    let (_, c) = bench.guest(3, "R");
    bench.quick = false;
    assert_eq!(bench.code(1, begin(a)), Ok(()));
    let exchange = bench.ask(1, transmit(a));
    let waiting = bench.ask(2, begin(b));
    bench.gone(1);
    assert_eq!(bench.answer(2, waiting), refused(ScardCode::ResetCard));
    let reopening = bench.ask(2, reconnect(b, LEAVE));
    bench.do_work(1);
    assert_eq!(bench.answer(1, exchange), None, "the answer goes to nobody");
    assert_eq!(bench.log_of(1).last(), Some(&"reset"));
    assert_eq!(bench.code(3, Call::Status { card: c }), Err(ScardCode::ResetCard));
    bench.do_all_work();
    assert!(matches!(bench.answer(2, reopening), Some(Ok(_))));
    assert_eq!(bench.code(2, begin(b)), Ok(()));
    assert_eq!(bench.code(3, begin(c)), Err(ScardCode::ResetCard));
}

#[test]
fn one_who_dies_in_the_queue_leaves_no_trace() {
    let mut bench = bench();
    let (_, a) = bench.guest(1, "R");
    let (_, b) = bench.guest(2, "R");
    let (_, c) = bench.guest(3, "R");
    assert_eq!(bench.code(1, begin(a)), Ok(()));
    bench.ask(2, begin(b));
    let waiting = bench.ask(3, begin(c));
    bench.gone(2);
    assert_eq!(bench.core.census().parked, 1);
    assert_eq!(bench.code(1, end(a, LEAVE)), Ok(()));
    assert_eq!(bench.answer(3, waiting), done());
    assert_eq!(bench.code(3, end(c, LEAVE)), Ok(()));
    assert_eq!(
        bench.log_of(1),
        ["power on", "set T=1"],
        "nobody was in a transaction when he died"
    );
}

#[test]
fn the_end_with_reset_marks_everybody_and_keeps_further_levels() {
    let mut bench = bench();
    let (_, a) = bench.guest(1, "R");
    let (_, b) = bench.guest(2, "R");
    assert_eq!(bench.code(1, begin(a)), Ok(()));
    assert_eq!(bench.code(1, begin(a)), Ok(()));
    assert_eq!(bench.code(1, end(a, RESET)), Ok(()));
    assert_eq!(bench.code(1, end(a, LEAVE)), Err(ScardCode::ResetCard));
    assert_eq!(bench.code(2, begin(b)), Err(ScardCode::ResetCard));
    assert_eq!(bench.code(1, reconnect(a, LEAVE)), Ok(()));
    assert_eq!(bench.code(1, end(a, LEAVE)), Ok(()));
    assert_eq!(bench.code(2, reconnect(b, LEAVE)), Ok(()));
    assert_eq!(bench.code(2, begin(b)), Ok(()));
}

#[test]
fn a_removal_ends_the_transaction_and_tells_those_who_wait() {
    let mut bench = bench();
    let (_, a) = bench.guest(1, "R");
    let (_, b) = bench.guest(2, "R");
    assert_eq!(bench.code(1, begin(a)), Ok(()));
    let waiting = bench.ask(2, begin(b));
    bench.card(1, CardEvent::Removed);
    assert_eq!(bench.answer(2, waiting), refused(ScardCode::RemovedCard));
    bench.card(1, CardEvent::Inserted);
    assert_eq!(bench.code(2, reconnect(b, LEAVE)), Ok(()));
    assert_eq!(bench.code(2, begin(b)), Ok(()));
}

#[test]
fn cancel_ends_a_wait_for_a_transaction_in_windows_contexts_only() {
    for (character, ends) in [(Character::Windows, true), (Character::PcscLite, false)] {
        let mut bench = bench();
        let (_, a) = bench.guest(1, "R");
        bench.client(2, 1_000, Wire::Native);
        let context = bench.context_of(2, character);
        let b = bench.connect(2, context, "R");
        assert_eq!(bench.code(1, begin(a)), Ok(()));
        let waiting = bench.ask(2, begin(b));
        assert_eq!(bench.code(2, Call::Cancel { context }), Ok(()));
        assert_eq!(bench.answer(2, waiting).is_some(), ends, "{character:?}");
    }
}

#[test]
fn a_released_context_ends_what_it_waits_for() {
    let mut bench = bench();
    let (_, a) = bench.guest(1, "R");
    let (context, b) = bench.guest(2, "R");
    assert_eq!(bench.code(1, begin(a)), Ok(()));
    let waiting = bench.ask(2, begin(b));
    assert_eq!(bench.code(2, Call::ReleaseContext { context }), Ok(()));
    assert_eq!(bench.answer(2, waiting), refused(ScardCode::Cancelled));
    assert_eq!(bench.code(2, begin(b)), Err(ScardCode::InvalidHandle));
}

//! Transactions that nobody uses, and who is said to be in the way.

use scard_core::{Action, ClientId, Event, Limits, ReaderId, Wire};
use scard_types::call::Answer;
use scard_types::{CardEvent, Character, Disposition, Millis, ScardCode, ShareMode};

use crate::bench::{Bench, begin, connect, disconnect, end, transmit};

const LEAVE: Disposition = Disposition::Leave;
const VIOLATION: Result<(), ScardCode> = Err(ScardCode::SharingViolation);

fn bench(idle_transaction: Option<u64>) -> Bench {
    let idle_transaction = idle_transaction.map(Millis);
    let mut bench = Bench::with_limits(Limits { idle_transaction, ..Limits::default() });
    bench.reader(1, "R");
    bench.card(1, CardEvent::Inserted);
    bench
}

#[test]
fn a_transaction_that_nobody_uses_ends_at_the_limit_and_the_next_one_gets_a_clean_card() {
    let mut bench = bench(Some(1_000));
    let (_, idler) = bench.guest(1, "R");
    let (_, sharer) = bench.guest(2, "R");
    bench.client(3, 1_000, Wire::PcscLite);
    let context = bench.context(3);
    assert_eq!(bench.code(1, begin(idler)), Ok(()));
    let waiting = bench.ask(3, connect(context, "R", ShareMode::Shared));
    bench.pass(999);
    assert_eq!(bench.answer(3, waiting), None);
    assert!(bench.notices.is_empty());

    bench.quick = false;
    bench.pass(1);
    assert_eq!(bench.log_of(1).last(), Some(&"reset"));
    assert_eq!(bench.answer(3, waiting), None, "the card is not clean yet");
    let ended = Action::IdleTransactionEnded { reader: ReaderId(1), holder: ClientId(1) };
    assert_eq!(bench.notices, [ended]);
    bench.quick = true;
    bench.do_all_work();
    assert!(matches!(bench.answer(3, waiting), Some(Ok(Answer::Connected { .. }))));
    for (client, card) in [(1, idler), (2, sharer)] {
        assert_eq!(bench.code(client, end(card, LEAVE)), Err(ScardCode::ResetCard));
        assert_eq!(bench.code(client, transmit(card)), Err(ScardCode::ResetCard));
    }
}

#[test]
fn whoever_uses_the_card_has_the_full_time_again() {
    let mut bench = bench(Some(1_000));
    let (_, card) = bench.guest(1, "R");
    assert_eq!(bench.code(1, begin(card)), Ok(()));
    for _ in 0..5 {
        bench.pass(900);
        assert_eq!(bench.code(1, transmit(card)), Ok(()));
    }
    bench.quick = false;
    let long = bench.ask(1, transmit(card));
    bench.pass(60_000);
    bench.quick = true;
    bench.do_all_work();
    assert!(matches!(bench.answer(1, long), Some(Ok(_))), "a long command is use all the time");
    bench.pass(999);
    assert_eq!(bench.code(1, end(card, LEAVE)), Ok(()));
    assert_eq!(bench.core.deadline(), None, "nobody waits for the time any more");
}

#[test]
fn stock_clients_may_idle_for_ever_unless_somebody_says_otherwise() {
    let mut bench = bench(None);
    let (_, card) = bench.guest(1, "R");
    assert_eq!(bench.code(1, begin(card)), Ok(()));
    assert_eq!(bench.core.deadline(), None);
    let reader = ReaderId(1);
    bench.pass(10_000);
    bench.feed(Event::ReaderLimited { reader, idle_transaction: Some(Millis(500)) });
    assert_eq!(bench.code(1, transmit(card)), Err(ScardCode::ResetCard), "it was idle for long");
}

#[test]
fn contexts_of_windows_are_used_to_five_seconds() {
    let mut bench = bench(None);
    bench.client(1, 1_000, Wire::Native);
    let context = bench.context_of(1, Character::Windows);
    let card = bench.connect(1, context, "R");
    assert_eq!(bench.code(1, begin(card)), Ok(()));
    bench.pass(4_999);
    assert_eq!(bench.code(1, transmit(card)), Ok(()));
    bench.pass(5_000);
    assert_eq!(bench.code(1, transmit(card)), Err(ScardCode::ResetCard));

    let mut bench = self::bench(Some(0));
    bench.client(1, 1_000, Wire::Native);
    let context = bench.context_of(1, Character::Windows);
    let card = bench.connect(1, context, "R");
    assert_eq!(bench.code(1, begin(card)), Ok(()));
    bench.pass(60_000);
    assert_eq!(bench.code(1, transmit(card)), Ok(()), "0 is for ever");
}

#[test]
fn an_exclusive_handle_is_spared_for_nobody_waits_for_it() {
    let mut bench = bench(Some(1_000));
    bench.client(1, 1_000, Wire::Native);
    let context = bench.context(1);
    let reply = bench.call(1, connect(context, "R", ShareMode::Exclusive));
    let Ok(Answer::Connected { card, .. }) = reply else { panic!("{reply:?}") };
    assert_eq!(bench.code(1, begin(card)), Ok(()));
    bench.pass(60_000);
    assert_eq!(bench.code(1, transmit(card)), Ok(()));
}

#[test]
fn a_violation_names_who_is_in_the_way() {
    let mut bench = bench(None);
    let (_, holder) = bench.guest(1, "R");
    bench.client(2, 1_000, Wire::PcscLite);
    let context = bench.context(2);
    let explained = |share, in_transaction| Action::SharingViolation {
        reader: ReaderId(1),
        refused: ClientId(2),
        holder: ClientId(1),
        share,
        in_transaction,
    };
    let exclusive = || connect(context, "R", ShareMode::Exclusive);
    assert_eq!(bench.code(2, exclusive()), VIOLATION);
    assert_eq!(bench.notices, [explained(ShareMode::Shared, false)]);
    bench.notices.clear();

    let card = bench.connect(2, context, "R");
    assert_eq!(bench.code(1, begin(holder)), Ok(()));
    let waiting = bench.ask(2, transmit(card));
    bench.pass(100);
    assert!(bench.answer(2, waiting).is_some());
    assert_eq!(bench.notices, [explained(ShareMode::Shared, true)]);
    bench.notices.clear();

    assert_eq!(bench.code(2, disconnect(card, LEAVE)), Ok(()));
    assert_eq!(bench.code(1, disconnect(holder, LEAVE)), Ok(()));
    let owner = bench.context(1);
    assert!(bench.call(1, connect(owner, "R", ShareMode::Exclusive)).is_ok());
    assert_eq!(bench.code(2, connect(context, "R", ShareMode::Shared)), VIOLATION);
    assert_eq!(bench.notices, [explained(ShareMode::Exclusive, false)]);
}

//! Transactions and the queue: whose turn it is.

use crate::bench::{Bench, begin, end};
use scard_types::call::Answer;
use scard_types::{CardEvent, Disposition, ScardCode};

const LEAVE: Disposition = Disposition::Leave;

fn bench() -> Bench {
    let mut bench = Bench::new();
    bench.reader(1, "R");
    bench.card(1, CardEvent::Inserted);
    bench
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
    assert_eq!(bench.answer(2, second), Some(Ok(Answer::Done)));
    assert_eq!(bench.answer(3, third), None);
    assert_eq!(bench.code(2, end(b, LEAVE)), Ok(()));
    assert_eq!(bench.answer(3, third), Some(Ok(Answer::Done)));
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
    assert_eq!(bench.answer(2, waiting), Some(Ok(Answer::Done)));
    assert_eq!(bench.code(1, end(a, LEAVE)), Err(ScardCode::SharingViolation));
    assert_eq!(bench.code(2, end(b, LEAVE)), Ok(()));
    assert_eq!(bench.code(2, end(b, LEAVE)), Err(ScardCode::NotTransacted));
}

//! What one user may have, and what a connection may do before it is closed.

use scard_core::{Limits, Quota, Wire};
use scard_types::call::{Call, KnownReader};
use scard_types::status_change::EMPTY;
use scard_types::{CardEvent, Character, ScardCode, ShareMode};

use crate::bench::{Bench, begin, connect};

fn two() -> Quota {
    Quota::new(2, 100, 10)
}

const FULL: Result<(), ScardCode> = Err(ScardCode::NoMemory);

#[test]
fn connections_of_one_user_leave_room_for_the_next() {
    let limits = Limits { connections: two(), ..Limits::default() };
    let mut bench = Bench::with_limits(limits);
    for client in 1..=3 {
        bench.client(client, 1_000, Wire::PcscLite);
    }
    bench.client(4, 1_001, Wire::PcscLite);
    assert_eq!(bench.drops, [3]);
    bench.gone(3);
    bench.gone(1);
    bench.client(5, 1_000, Wire::PcscLite);
    assert_eq!(bench.drops, [3]);
}

#[test]
fn a_trace_counts_as_a_wait_until_its_connection_ends() {
    let mut bench = Bench::with_limits(Limits { waits: two(), ..Limits::default() });
    for client in 1..=3 {
        bench.client(client, 1_000, Wire::Native);
    }
    assert_eq!(bench.code(1, Call::Trace), Ok(()));
    assert_eq!(bench.code(1, Call::Trace), Ok(()), "it is the same one");
    assert_eq!(bench.code(2, Call::Trace), Ok(()));
    assert_eq!(bench.code(3, Call::Trace), FULL);
    assert_eq!(bench.core.census().tracers, 2);
    bench.gone(1);
    assert_eq!(bench.code(3, Call::Trace), Ok(()));
}

#[test]
fn contexts_handles_waits_and_parked_requests_have_their_quotas() {
    let limits = Limits {
        contexts: two(),
        handles: two(),
        waits: two(),
        parked: two(),
        ..Limits::default()
    };
    let mut bench = Bench::with_limits(limits);
    bench.reader(1, "R");
    bench.card(1, CardEvent::Inserted);
    bench.client(1, 1_000, Wire::Native);
    let context = bench.context(1);
    bench.context(1);
    let character = Character::PcscLite;
    assert_eq!(bench.code(1, Call::EstablishContext { scope: 0, character }), FULL);
    assert_eq!(
        bench.code(1, Call::EstablishContext { scope: 4, character }),
        Err(ScardCode::InvalidValue)
    );

    let a = bench.connect(1, context, "R");
    let b = bench.connect(1, context, "R");
    assert_eq!(bench.code(1, connect(context, "R", ShareMode::Shared)), FULL);

    assert_eq!(bench.code(1, begin(a)), Ok(()));
    for _ in 0..2 {
        let waiting = bench.ask(1, begin(b));
        assert_eq!(bench.answer(1, waiting), None);
    }
    assert_eq!(bench.code(1, begin(b)), FULL);

    let wait = || Call::StatusChange {
        context,
        timeout_ms: None,
        readers: vec![KnownReader { name: "R".into(), current_state: 0x0001_0000 | 0x120 }],
    };
    for _ in 0..2 {
        let waiting = bench.ask(1, wait());
        assert_eq!(bench.answer(1, waiting), None);
    }
    assert_eq!(bench.code(1, wait()), FULL);
    assert_eq!(bench.code(1, Call::WatchReaders), FULL);

    bench.gone(1);
    let census = bench.core.census();
    assert_eq!((census.users, census.parked, census.waits, census.handles), (0, 0, 0, 0));
}

#[test]
fn a_connection_that_asks_too_much_at_once_is_closed() {
    let mut bench = Bench::with_limits(Limits { requests_per_connection: 2, ..Limits::default() });
    bench.reader(1, "R");
    bench.client(1, 1_000, Wire::Native);
    let context = bench.context(1);
    let wait = || Call::StatusChange {
        context,
        timeout_ms: None,
        readers: vec![KnownReader { name: "R".into(), current_state: EMPTY }],
    };
    for _ in 0..3 {
        bench.ask(1, wait());
    }
    assert_eq!(bench.drops, [1]);
    assert_eq!(bench.core.census().waits, 0);
    assert_eq!(bench.core.client_count(), 0);
}

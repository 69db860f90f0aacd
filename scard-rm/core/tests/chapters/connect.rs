//! Connect and reconnect: checks, power, protocol, share.

use scard_core::Wire;
use scard_types::call::{Answer, Call, ContextId};
use scard_types::{CardEvent, Disposition, Protocol, Protocols, ScardCode, ShareMode, SlotError};

use crate::bench::{
    BOTH_CARD, Bench, T0_CARD, T1_CARD, begin, connect, disconnect, reconnect, transmit,
};

const T0: Protocols = Protocols { t0: true, t1: false, raw: false };
const T1: Protocols = Protocols { t0: false, t1: true, raw: false };
const RAW: Protocols = Protocols { t0: false, t1: true, raw: true };

fn bench_with(atr: &[u8]) -> (Bench, ContextId) {
    let mut bench = Bench::new();
    bench.atrs.insert(1, atr.to_vec());
    bench.reader(1, "R");
    bench.card(1, CardEvent::Inserted);
    bench.client(1, 1_000, Wire::Native);
    let context = bench.context(1);
    (bench, context)
}

fn asks(context: ContextId, share: ShareMode, protocols: Protocols) -> Call {
    Call::Connect { context, reader: "R".into(), share, protocols }
}

#[test]
fn the_protocol_is_t1_if_both_sides_have_it_else_what_they_share() {
    use Protocol as P;
    use ScardCode::ProtocolMismatch;
    type Case = (&'static [u8], Protocols, Result<Option<P>, ScardCode>);
    let cases: [Case; 9] = [
        (BOTH_CARD, Protocols::ANY, Ok(Some(P::T1))),
        (BOTH_CARD, T0, Ok(Some(P::T0))),
        (BOTH_CARD, T1, Ok(Some(P::T1))),
        (T0_CARD, Protocols::ANY, Ok(Some(P::T0))),
        (T1_CARD, Protocols::ANY, Ok(Some(P::T1))),
        (T1_CARD, T0, Err(ProtocolMismatch)),
        (T0_CARD, T1, Err(ProtocolMismatch)),
        (T0_CARD, RAW, Ok(Some(P::Raw))),
        (BOTH_CARD, Protocols::NONE, Err(ProtocolMismatch)),
    ];
    for (atr, protocols, expected) in cases {
        let (mut bench, context) = bench_with(atr);
        let got = match bench.call(1, asks(context, ShareMode::Shared, protocols)) {
            Ok(Answer::Connected { protocol, .. }) => Ok(protocol),
            Err(refusal) => Err(refusal.code),
            other => panic!("{other:?}"),
        };
        assert_eq!(got, expected, "{atr:02X?} {protocols:?}");
    }
}

#[test]
fn the_protocol_stays_until_a_reset() {
    let (mut bench, context) = bench_with(BOTH_CARD);
    let first = bench.connect(1, context, "R");
    let wrong = asks(context, ShareMode::Shared, T0);
    assert_eq!(bench.code(1, wrong), Err(ScardCode::ProtocolMismatch));
    let share = ShareMode::Shared;
    let call =
        Call::Reconnect { card: first, share, protocols: T0, initialization: Disposition::Reset };
    assert_eq!(bench.call(1, call), Ok(Answer::Reconnected { protocol: Some(Protocol::T0) }));
}

#[test]
fn raw_is_had_by_whoever_asks_for_it_and_then_by_everybody() {
    let (mut bench, context) = bench_with(T1_CARD);
    let first = bench.connect(1, context, "R");
    let connected = |reply| match reply {
        Ok(Answer::Connected { card, protocol }) => (card, protocol),
        other => panic!("{other:?}"),
    };
    for share in [ShareMode::Shared, ShareMode::Direct] {
        let (card, protocol) = connected(bench.call(1, asks(context, share, RAW)));
        assert_eq!(protocol, Some(Protocol::Raw), "{share:?}");
        let code = Err(ScardCode::ProtocolMismatch);
        assert_eq!(bench.code(1, asks(context, ShareMode::Shared, T1)), code);
        assert_eq!(bench.code(1, disconnect(card, Disposition::Leave)), Ok(()));
        let reset = reconnect(first, Disposition::Reset);
        let protocol = Some(Protocol::T1);
        assert_eq!(bench.call(1, reset), Ok(Answer::Reconnected { protocol }));
    }
    let (share, initialization) = (ShareMode::Shared, Disposition::Leave);
    let call = Call::Reconnect { card: first, share, protocols: RAW, initialization };
    assert_eq!(bench.call(1, call), Ok(Answer::Reconnected { protocol: Some(Protocol::Raw) }));
}

#[test]
fn raw_without_power_is_forgotten_with_its_handle() {
    let (mut bench, context) = bench_with(T1_CARD);
    let first = bench.connect(1, context, "R");
    assert_eq!(bench.code(1, disconnect(first, Disposition::Unpower)), Ok(()));
    let direct = asks(context, ShareMode::Direct, RAW);
    let Ok(Answer::Connected { card, protocol }) = bench.call(1, direct) else { panic!() };
    assert_eq!(protocol, Some(Protocol::Raw));
    assert_eq!(bench.code(1, disconnect(card, Disposition::Leave)), Ok(()));
    assert_eq!(bench.code(1, asks(context, ShareMode::Shared, T1)), Ok(()));
}

#[test]
fn a_connect_that_is_refused_has_not_touched_the_card() {
    let (mut bench, context) = bench_with(T1_CARD);
    let first = bench.connect(1, context, "R");
    bench.quick = false;
    let exclusive = |protocols| asks(context, ShareMode::Exclusive, protocols);
    assert_eq!(bench.code(1, exclusive(T0)), Err(ScardCode::ProtocolMismatch));
    assert_eq!(bench.code(1, exclusive(RAW)), Err(ScardCode::SharingViolation));
    assert_eq!(bench.code(1, exclusive(T1)), Err(ScardCode::SharingViolation));
    bench.connect(1, context, "R");
    let share = ShareMode::Exclusive;
    for (protocols, code) in [(T0, ScardCode::ProtocolMismatch), (T1, ScardCode::SharingViolation)]
    {
        for initialization in [Disposition::Leave, Disposition::Reset] {
            let call = Call::Reconnect { card: first, share, protocols, initialization };
            assert_eq!(bench.code(1, call), Err(code));
        }
    }
    assert!(bench.work.is_empty());
}

#[test]
fn the_checks_of_a_connect_come_in_pcsc_lites_order() {
    let (mut bench, context) = bench_with(BOTH_CARD);
    bench.reader(2, "Empty");
    let foreign = ContextId(context.0 ^ 1);
    let share = ShareMode::Shared;
    let call = |context, reader: &str, protocols| Call::Connect {
        context,
        reader: reader.into(),
        share,
        protocols,
    };
    let cases = [
        (call(foreign, "none", Protocols::NONE), ScardCode::InvalidHandle),
        (call(context, "none", Protocols::NONE), ScardCode::ProtocolMismatch),
        (call(context, "none", Protocols::ANY), ScardCode::UnknownReader),
        (call(context, "Empty", Protocols::ANY), ScardCode::NoSmartcard),
    ];
    for (call, code) in cases {
        assert_eq!(bench.code(1, call), Err(code));
    }
}

#[test]
fn exclusive_means_alone() {
    let (mut bench, context) = bench_with(BOTH_CARD);
    let shared = bench.connect(1, context, "R");
    let violation = Err(ScardCode::SharingViolation);
    assert_eq!(bench.code(1, connect(context, "R", ShareMode::Exclusive)), violation);
    assert_eq!(bench.code(1, disconnect(shared, Disposition::Leave)), Ok(()));
    assert_eq!(bench.code(1, connect(context, "R", ShareMode::Exclusive)), Ok(()));
    for share in [ShareMode::Shared, ShareMode::Direct, ShareMode::Exclusive] {
        assert_eq!(bench.code(1, connect(context, "R", share)), violation);
    }
}

#[test]
fn a_direct_handle_needs_no_card_and_gives_it_no_power() {
    let mut bench = Bench::new();
    bench.reader(1, "R");
    bench.client(1, 1_000, Wire::Native);
    let context = bench.context(1);
    let direct = asks(context, ShareMode::Direct, Protocols::NONE);
    let Ok(Answer::Connected { card, protocol }) = bench.call(1, direct) else { panic!() };
    assert_eq!(protocol, None);
    assert_eq!(bench.log_of(1), Vec::<&str>::new());
    assert_eq!(bench.code(1, transmit(card)), Err(ScardCode::NoSmartcard));
    assert_eq!(
        bench.code(1, connect(context, "R", ShareMode::Exclusive)),
        Err(ScardCode::NoSmartcard)
    );
}

#[test]
fn a_connect_waits_for_a_transaction_whatever_it_wants() {
    let (mut bench, context) = bench_with(BOTH_CARD);
    let card = bench.connect(1, context, "R");
    assert_eq!(bench.code(1, begin(card)), Ok(()));
    bench.client(2, 1_000, Wire::PcscLite);
    let other = bench.context(2);
    let waiting = bench.ask(2, connect(other, "R", ShareMode::Direct));
    bench.pass(3_600_000);
    assert_eq!(bench.answer(2, waiting), None);
    bench.gone(1);
    assert!(matches!(bench.answer(2, waiting), Some(Ok(Answer::Connected { .. }))));
}

#[test]
fn a_card_that_fails_gives_the_code_of_its_failure() {
    let steps = [
        ("power on", SlotError::NoCard, ScardCode::NoSmartcard),
        ("power on", SlotError::Mute, ScardCode::UnpoweredCard),
        ("set T=1", SlotError::Communication, ScardCode::UnresponsiveCard),
        ("set T=1", SlotError::NoCard, ScardCode::NoSmartcard),
    ];
    for (step, error, code) in steps {
        let (mut bench, context) = bench_with(T1_CARD);
        bench.pass(5_000);
        assert_eq!(bench.log_of(1).last(), Some(&"power off"));
        bench.quick = false;
        let request = bench.ask(1, connect(context, "R", ShareMode::Shared));
        while bench.log_of(1).last() != Some(&step) {
            bench.do_work(1);
        }
        bench.fail(1, error);
        assert_eq!(bench.answer(1, request), Some(Err(code.into())), "{step} {error}");
    }
}

#[test]
fn a_refused_protocol_gives_way_to_the_default() {
    let (mut bench, context) = bench_with(BOTH_CARD);
    bench.quick = false;
    let request = bench.ask(1, connect(context, "R", ShareMode::Shared));
    bench.fail(1, SlotError::ProtocolRefused);
    assert_eq!(bench.log_of(1), ["power on", "set T=1", "set T=0"]);
    bench.do_work(1);
    let reply = bench.answer(1, request);
    let Some(Ok(Answer::Connected { protocol, .. })) = reply else { panic!("{reply:?}") };
    assert_eq!(protocol, Some(Protocol::T0));
}

#[test]
fn a_reconnect_with_reset_marks_the_others_and_clears_the_caller() {
    let (mut bench, context) = bench_with(BOTH_CARD);
    let a = bench.connect(1, context, "R");
    let (_, b) = bench.guest(2, "R");
    assert_eq!(bench.code(1, reconnect(a, Disposition::Unpower)), Ok(()));
    assert_eq!(bench.code(1, transmit(a)), Ok(()));
    for _ in 0..2 {
        assert_eq!(bench.code(2, Call::Status { card: b }), Err(ScardCode::ResetCard));
    }
    assert_eq!(bench.code(2, reconnect(b, Disposition::Leave)), Ok(()));
    assert_eq!(bench.code(2, transmit(b)), Ok(()));
}

#[test]
fn a_removed_mark_outlives_the_next_card_and_its_resets() {
    let (mut bench, context) = bench_with(BOTH_CARD);
    let a = bench.connect(1, context, "R");
    bench.card(1, CardEvent::Removed);
    assert_eq!(bench.code(1, transmit(a)), Err(ScardCode::RemovedCard));
    assert_eq!(bench.code(1, reconnect(a, Disposition::Leave)), Err(ScardCode::NoSmartcard));
    bench.card(1, CardEvent::Inserted);
    let (_, b) = bench.guest(2, "R");
    assert_eq!(bench.code(2, disconnect(b, Disposition::Reset)), Ok(()));
    assert_eq!(bench.code(1, transmit(a)), Err(ScardCode::RemovedCard));
    assert_eq!(bench.code(1, reconnect(a, Disposition::Leave)), Ok(()));
    assert_eq!(bench.code(1, transmit(a)), Ok(()));
}

#[test]
fn a_connect_that_waits_is_refused_when_the_one_before_it_gets_the_card_for_himself() {
    let (mut bench, context) = bench_with(BOTH_CARD);
    bench.quick = false;
    let first = bench.ask(1, connect(context, "R", ShareMode::Exclusive));
    let second = bench.ask(1, connect(context, "R", ShareMode::Shared));
    assert_eq!(bench.answer(1, second), None);
    bench.do_work(1);
    assert!(matches!(bench.answer(1, first), Some(Ok(_))));
    assert_eq!(bench.answer(1, second), Some(Err(ScardCode::SharingViolation.into())));
}

#[test]
fn a_handle_whose_reader_is_gone_can_only_be_closed() {
    let (mut bench, context) = bench_with(BOTH_CARD);
    let card = bench.connect(1, context, "R");
    bench.unplug(1);
    bench.reader(2, "R");
    let gone = Err(ScardCode::ReaderUnavailable);
    for call in [transmit(card), begin(card), reconnect(card, Disposition::Leave)] {
        assert_eq!(bench.code(1, call), gone);
    }
    assert_eq!(bench.code(1, disconnect(card, Disposition::Reset)), Ok(()));
    assert_eq!(bench.code(1, disconnect(card, Disposition::Leave)), Err(ScardCode::InvalidHandle));
}

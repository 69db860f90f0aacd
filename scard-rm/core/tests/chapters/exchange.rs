//! Commands, control codes and attributes: what goes in, what comes out, and with which code.

use scard_core::{Wire, WorkDone};
use scard_types::call::{Answer, Call, CardHandle, ContextId, Refusal};
use scard_types::{CardEvent, Disposition, Protocol, ScardCode, SlotError, attribute};

use crate::bench::{Bench, disconnect, transmit};

fn bench() -> (Bench, ContextId, CardHandle) {
    let mut bench = Bench::new();
    bench.reader(1, "Rä");
    bench.card(1, CardEvent::Inserted);
    bench.client(1, 1_000, Wire::Native);
    let context = bench.context(1);
    let card = bench.connect(1, context, "Rä");
    bench.quick = false;
    (bench, context, card)
}

fn command(card: CardHandle, protocol: Option<Protocol>, bytes: usize, receive_limit: u32) -> Call {
    Call::Transmit { card, protocol, command: vec![0; bytes].into(), receive_limit }
}

#[test]
fn exchanges_are_counted_by_reader_since_it_came() {
    let mut bench = Bench::new();
    bench.reader(1, "R");
    bench.card(1, CardEvent::Inserted);
    let (_, card) = bench.guest(1, "R");
    let (_, other) = bench.guest(2, "R");
    let count = |bench: &mut Bench, client, card| bench.call(client, Call::TransmitCount { card });
    assert_eq!(count(&mut bench, 1, card), Ok(Answer::TransmitCount(0)));
    for _ in 0..2 {
        assert_eq!(bench.code(1, transmit(card)), Ok(()));
    }
    assert_eq!(bench.code(2, transmit(other)), Ok(()));
    bench.card(1, CardEvent::Removed);
    assert_eq!(count(&mut bench, 1, card), Ok(Answer::TransmitCount(3)));
    assert_eq!(bench.code(2, Call::TransmitCount { card }), Err(ScardCode::InvalidHandle));
    bench.unplug(1);
    let gone = bench.code(1, Call::TransmitCount { card });
    assert_eq!(gone, Err(ScardCode::ReaderUnavailable));
}

#[test]
fn a_command_is_checked_before_it_goes_to_the_card() {
    let (mut bench, _, card) = bench();
    let cases = [
        (command(card, None, 0, 258), ScardCode::InvalidParameter),
        (command(card, None, 65_549, 258), ScardCode::InsufficientBuffer),
        (command(card, Some(Protocol::T0), 5, 0), ScardCode::ProtocolMismatch),
        (command(CardHandle(card.0 ^ 1), None, 5, 258), ScardCode::InvalidHandle),
    ];
    for (call, code) in cases {
        assert_eq!(bench.code(1, call), Err(code));
        assert!(bench.work.is_empty());
    }
    for protocol in [None, Some(Protocol::T1), Some(Protocol::Raw)] {
        bench.ask(1, command(card, protocol, 65_548, 2));
        bench.do_work(1);
    }
}

#[test]
fn an_answer_that_is_too_long_says_how_long_it_is() {
    let (mut bench, _, card) = bench();
    let refusal = Refusal { code: ScardCode::InsufficientBuffer, needed: Some(10) };
    for room in [0, 1, 9] {
        let request = bench.ask(1, command(card, None, 5, room));
        bench.finish(1, WorkDone::Bytes(Ok(vec![0; 10].into())));
        assert_eq!(bench.answer(1, request), Some(Err(refusal)));
    }
    let input = vec![].into();
    let request = bench.ask(1, Call::Control { card, code: 1, input, output_limit: 9 });
    bench.fail(1, SlotError::AnswerTooLong { needed: 10 });
    assert_eq!(bench.answer(1, request), Some(Err(refusal)));
}

#[test]
fn an_answer_that_is_none_is_a_failed_exchange() {
    for bytes in [0, 1, 65_539] {
        let (mut bench, _, card) = bench();
        let request = bench.ask(1, command(card, None, 5, 70_000));
        bench.finish(1, WorkDone::Bytes(Ok(vec![0; bytes].into())));
        let code = ScardCode::NotTransacted;
        assert_eq!(bench.answer(1, request), Some(Err(code.into())), "{bytes}");
    }
}

#[test]
fn failures_of_the_slot_have_their_codes() {
    use ScardCode as C;
    use SlotError as E;
    let cases = [
        (E::NoCard, C::NoSmartcard, C::NoSmartcard),
        (E::ReaderGone, C::ReaderUnavailable, C::ReaderUnavailable),
        (E::NotSupported, C::NotTransacted, C::UnsupportedFeature),
        (E::Timeout, C::NotTransacted, C::NotTransacted),
        (E::Communication, C::NotTransacted, C::NotTransacted),
        (E::BadAnswer, C::NotTransacted, C::NotTransacted),
    ];
    for (error, transmitted, controlled) in cases {
        let (mut bench, _, card) = bench();
        let request = bench.ask(1, transmit(card));
        bench.fail(1, error);
        assert_eq!(bench.answer(1, request), Some(Err(transmitted.into())), "{error}");
        let input = vec![1].into();
        let calls = [
            Call::Control { card, code: 1, input, output_limit: 9 },
            Call::GetAttribute { card, tag: attribute::VENDOR_NAME },
            Call::SetAttribute { card, tag: attribute::VENDOR_NAME, value: vec![1] },
        ];
        for call in calls {
            let request = bench.ask(1, call);
            bench.fail(1, error);
            assert_eq!(bench.answer(1, request), Some(Err(controlled.into())), "{error}");
        }
    }
}

#[test]
fn attributes_that_every_reader_has_need_no_driver() {
    let (mut bench, _, card) = bench();
    let wide = [b'R', 0, 0xE4, 0, 0, 0];
    let cases: [(u32, &[u8]); 7] = [
        (attribute::ATR_STRING, &[0x3B, 0x80, 0x80, 0x01, 0x01]),
        (attribute::DEVICE_FRIENDLY_NAME_A, b"R\xC3\xA4\0"),
        (attribute::DEVICE_SYSTEM_NAME_W, &wide),
        (attribute::ICC_PRESENCE, &[2]),
        (attribute::ICC_INTERFACE_STATUS, &[1]),
        (attribute::DEVICE_IN_USE, &1_u32.to_ne_bytes()),
        (attribute::CURRENT_PROTOCOL_TYPE, &2_u32.to_ne_bytes()),
    ];
    for (tag, value) in cases {
        let reply = bench.call(1, Call::GetAttribute { card, tag });
        assert_eq!(reply, Ok(Answer::Attribute(value.to_vec())), "{tag:#010x}");
    }
}

#[test]
fn a_card_that_goes_during_an_exchange_takes_the_answer_with_it() {
    let (mut bench, _, card) = bench();
    let request = bench.ask(1, transmit(card));
    bench.card(1, CardEvent::Replaced);
    assert_eq!(bench.answer(1, request), None, "the job comes to its end");
    bench.do_work(1);
    assert_eq!(bench.answer(1, request), Some(Err(ScardCode::RemovedCard.into())));
    assert_eq!(bench.log_of(1).last(), Some(&"power on"), "then the new card is asked");
}

#[test]
fn a_reader_that_goes_during_an_exchange_is_told_at_once() {
    let (mut bench, _, card) = bench();
    let request = bench.ask(1, transmit(card));
    bench.unplug(1);
    assert_eq!(bench.answer(1, request), Some(Err(ScardCode::ReaderUnavailable.into())));
}

#[test]
fn a_handle_is_worth_nothing_on_another_connection() {
    let (mut bench, context, card) = bench();
    bench.client(2, 1_000, Wire::Native);
    let calls = [
        transmit(card),
        disconnect(card, Disposition::Reset),
        Call::BeginTransaction { card },
        Call::Status { card },
        Call::Control { card, code: 1, input: vec![].into(), output_limit: 9 },
        Call::ListReaders { context },
        Call::ReleaseContext { context },
    ];
    for call in calls {
        assert_eq!(bench.code(2, call), Err(ScardCode::InvalidHandle));
    }
    assert!(bench.work.is_empty());
}

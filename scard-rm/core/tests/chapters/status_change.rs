//! Waiting for a change, registrations of the pcsc-lite wire, subscriptions.

use scard_core::{Limits, Push, Wire};
use scard_types::call::{Answer, Call, ContextId, KnownReader, ReaderEvent, Refusal};
use scard_types::status_change::{
    CHANGED, EMPTY, IGNORE, PNP_READER, PRESENT, UNAVAILABLE, UNKNOWN,
};
use scard_types::{CardEvent, ScardCode};

use crate::bench::Bench;

fn bench() -> (Bench, ContextId) {
    let mut bench = Bench::new();
    bench.reader(1, "R");
    bench.client(1, 1_000, Wire::Native);
    let context = bench.context(1);
    (bench, context)
}

fn wait(context: ContextId, timeout_ms: Option<u32>, readers: &[(&str, u32)]) -> Call {
    let known = |(name, current_state): &(&str, u32)| KnownReader {
        name: (*name).into(),
        current_state: *current_state,
    };
    Call::StatusChange { context, timeout_ms, readers: readers.iter().map(known).collect() }
}

fn states(bench: &mut Bench, request: u32) -> Option<(bool, Vec<u32>)> {
    match bench.answer(1, request)? {
        Ok(Answer::StatusChange { changed, readers }) => {
            Some((changed, readers.iter().map(|seen| seen.event_state).collect()))
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_checks_come_in_pcsc_lites_order() {
    let (mut bench, context) = bench();
    let foreign = ContextId(context.0 ^ 1);
    let cases = [
        (wait(foreign, None, &[]), Ok(())),
        (wait(foreign, None, &[("none", IGNORE), ("R", IGNORE)]), Ok(())),
        (wait(foreign, None, &[("none", 0)]), Err(ScardCode::InvalidHandle)),
        (wait(context, None, &[("none", IGNORE), ("R", 0)]), Err(ScardCode::UnknownReader)),
        (wait(context, None, &[("R", 0)]), Ok(())),
    ];
    for (call, expected) in cases {
        let text = format!("{call:?}");
        assert_eq!(bench.code(1, call), expected, "{text}");
    }
}

#[test]
fn a_wait_ends_with_the_change_it_waits_for() {
    let (mut bench, context) = bench();
    bench.quick = false;
    let request = bench.ask(1, wait(context, None, &[("R", EMPTY)]));
    bench.card(1, CardEvent::Inserted);
    assert_eq!(states(&mut bench, request), None, "nobody is told before the card has answered");
    bench.do_work(1);
    let (changed, seen) = states(&mut bench, request).unwrap();
    assert_eq!((changed, seen), (true, vec![0x0001_0000 | PRESENT | CHANGED]));
}

#[test]
fn a_wait_ends_at_its_deadline_and_says_how_things_are() {
    let (mut bench, context) = bench();
    let request = bench.ask(1, wait(context, Some(250), &[("R", EMPTY)]));
    bench.pass(249);
    assert_eq!(states(&mut bench, request), None);
    bench.pass(1);
    assert_eq!(states(&mut bench, request), Some((false, vec![EMPTY])));
    let poll = bench.ask(1, wait(context, Some(0), &[("R", EMPTY)]));
    assert_eq!(states(&mut bench, poll), Some((false, vec![EMPTY])));
    assert_eq!(bench.core.deadline(), None);
}

#[test]
fn a_wait_for_one_reader_sleeps_through_the_changes_of_another() {
    let (mut bench, context) = bench();
    bench.reader(2, "S");
    let request = bench.ask(1, wait(context, None, &[("R", EMPTY), ("S", IGNORE)]));
    bench.card(2, CardEvent::Inserted);
    bench.unplug(2);
    assert_eq!(states(&mut bench, request), None);
    bench.unplug(1);
    let (changed, seen) = states(&mut bench, request).unwrap();
    assert_eq!((changed, seen), (true, vec![UNKNOWN | UNAVAILABLE | CHANGED, IGNORE]));
}

#[test]
fn a_card_that_comes_and_goes_unseen_has_been_counted() {
    let (mut bench, context) = bench();
    bench.card(1, CardEvent::Inserted);
    bench.card(1, CardEvent::Removed);
    bench.quick = false;
    let request = bench.ask(1, wait(context, None, &[("R", 0x0002_0000 | EMPTY)]));
    bench.card(1, CardEvent::Inserted);
    bench.card(1, CardEvent::Removed);
    let (changed, seen) = states(&mut bench, request).unwrap();
    assert_eq!((changed, seen), (true, vec![0x0004_0000 | EMPTY | CHANGED]));
}

#[test]
fn a_card_that_is_replaced_while_it_is_asked_for_its_name_is_not_lost() {
    let (mut bench, context) = bench();
    bench.quick = false;
    bench.card(1, CardEvent::Inserted);
    bench.card(1, CardEvent::Removed);
    bench.card(1, CardEvent::Inserted);
    bench.do_work(1);
    assert_eq!(bench.log_of(1), ["power on", "power on"]);
    bench.do_work(1);
    let request = bench.ask(1, wait(context, None, &[("R", 0)]));
    let (_, seen) = states(&mut bench, request).unwrap();
    assert_eq!(seen, vec![0x0003_0000 | PRESENT | CHANGED]);
}

#[test]
fn the_pseudo_reader_counts_arrivals_and_departures() {
    let (mut bench, context) = bench();
    let request = bench.ask(1, wait(context, None, &[(PNP_READER, 0)]));
    bench.card(1, CardEvent::Inserted);
    assert_eq!(states(&mut bench, request), None);
    bench.reader(2, "S");
    assert_eq!(states(&mut bench, request), Some((true, vec![0x0003_0000 | CHANGED])));
    bench.unplug(2);
    let stale = bench.ask(1, wait(context, None, &[(PNP_READER, 0x0003_0000)]));
    assert_eq!(states(&mut bench, stale), Some((true, vec![0x0004_0000 | CHANGED])));
    assert_eq!(bench.call(1, Call::ReaderEvents), Ok(Answer::ReaderEvents(4)));
}

#[test]
fn cancel_is_for_the_same_user_and_does_not_last() {
    let (mut bench, context) = bench();
    bench.client(2, 1_001, Wire::Native);
    bench.client(3, 1_000, Wire::Native);
    let request = bench.ask(1, wait(context, None, &[("R", EMPTY)]));
    assert_eq!(bench.code(2, Call::Cancel { context }), Err(ScardCode::InvalidHandle));
    assert_eq!(bench.answer(1, request), None);
    assert_eq!(bench.code(3, Call::Cancel { context }), Ok(()));
    assert_eq!(bench.answer(1, request), Some(Err(Refusal::from(ScardCode::Cancelled))));
    assert_eq!(bench.code(3, Call::Cancel { context }), Ok(()));
    let again = bench.ask(1, wait(context, None, &[("R", EMPTY)]));
    assert_eq!(bench.answer(1, again), None);
}

#[test]
fn a_registration_brings_one_message_and_no_more() {
    let (mut bench, _) = bench();
    bench.client(2, 1_000, Wire::PcscLite);
    let context = bench.context(2);
    let stopped = |was_watching| Ok(Answer::Stopped { was_watching });
    assert_eq!(bench.call(2, Call::WatchReaders), Ok(Answer::Done));
    bench.card(1, CardEvent::Inserted);
    bench.card(1, CardEvent::Removed);
    assert_eq!(bench.pushes, [(2, Push::WatchFired(Ok(())))]);
    assert_eq!(bench.call(2, Call::StopWatching), stopped(false));
    assert_eq!(bench.call(2, Call::WatchReaders), Ok(Answer::Done));
    assert_eq!(bench.call(2, Call::StopWatching), stopped(true));
    bench.pushes.clear();
    assert_eq!(bench.call(2, Call::WatchReaders), Ok(Answer::Done));
    assert_eq!(bench.code(1, Call::Cancel { context }), Ok(()));
    assert_eq!(bench.pushes, [(2, Push::WatchFired(Err(ScardCode::Cancelled)))]);
    assert_eq!(bench.call(2, Call::StopWatching), stopped(false));
}

#[test]
fn a_subscriber_hears_what_is_there_and_then_what_happens() {
    let (mut bench, context) = bench();
    bench.card(1, CardEvent::Inserted);
    bench.client(2, 1_000, Wire::Native);
    assert_eq!(bench.call(2, Call::Subscribe), Ok(Answer::Done));
    bench.connect(1, context, "R");
    bench.unplug(1);
    let told: Vec<_> = bench
        .pushes
        .iter()
        .map(|(client, push)| match push {
            Push::Reader(ReaderEvent::ReaderArrived(entry)) => format!("{client} + {}", entry.name),
            Push::Reader(ReaderEvent::Caught) => format!("{client} caught"),
            Push::Reader(ReaderEvent::StateChanged(entry)) => {
                format!("{client} {:?}", entry.sharing)
            }
            Push::Reader(ReaderEvent::ReaderGone(name)) => format!("{client} - {name}"),
            other => format!("{other:?}"),
        })
        .collect();
    assert_eq!(told, ["2 + R", "2 caught", "2 Shared(1)", "2 - R"]);
}

/// The counters of a reader with a card and of arrivals, in a resource manager after so many others.
fn counters(starts_before: u32) -> (u32, u32) {
    let mut bench = Bench::with_limits(Limits { starts_before, ..Limits::default() });
    bench.reader(1, "R");
    bench.client(1, 1_000, Wire::Native);
    let context = bench.context(1);
    bench.card(1, CardEvent::Inserted);
    let request = bench.ask(1, wait(context, None, &[("R", 0), (PNP_READER, 0)]));
    let (_, seen) = states(&mut bench, request).unwrap();
    (seen[0] >> 16, seen[1] >> 16)
}

#[test]
fn each_resource_manager_counts_from_somewhere_else() {
    assert_eq!(counters(0), (1, 2), "the first one as pcscd");
    let mut of_readers: Vec<_> = (0..1_000).map(|starts| counters(starts).0).collect();
    let mut of_arrivals: Vec<_> = (0..1_000).map(|starts| counters(starts).1).collect();
    assert!(of_arrivals.iter().all(|count| (1..=0x7FFF).contains(count)), "15 bits, never 0");
    for counts in [&mut of_readers, &mut of_arrivals] {
        counts.sort_unstable();
        let nearest = counts.windows(2).map(|pair| pair[1] - pair[0]).min();
        assert!(nearest > Some(10), "{nearest:?}: a few cards more, and two would meet");
    }
    counters(u32::MAX);
}

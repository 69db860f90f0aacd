//! Clients that wait for a change.

use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use bench::clock;
use pcsc::{Context, ReaderState, State};

use crate::program::{Program, first_reader};

/// Nothing here takes that long; a wait that nobody ends shall not hang.
const HANGS: Duration = Duration::from_secs(2);
/// A thread that has said that it will wait does so by then.
const A_MOMENT: Duration = Duration::from_millis(3);

/// Waits until the first reader is no longer as it is said to be (`empty` or `present`); says when.
pub(crate) fn await_state(program: &mut Program, state: &str) -> String {
    let reader = program.reader().to_owned();
    let context = program.context();
    let state = if state == "empty" { State::EMPTY } else { State::PRESENT };
    let mut states = [ReaderState::new(reader, State::UNAWARE)];
    loop {
        context.get_status_change(Duration::from_secs(20), &mut states).expect("it changes");
        if states[0].event_state().contains(state) {
            break;
        }
        states[0].sync_current_state();
    }
    states[0].sync_current_state();
    println!("waiting");
    loop {
        let _ = context.get_status_change(Duration::from_secs(20), &mut states);
        let now = clock::now();
        if !states[0].event_state().contains(state) {
            return now.to_string();
        }
        states[0].sync_current_state();
    }
}

/// A thread waits, another one cancels: from the call of the second to the return of the first, so often.
pub(crate) fn cancel(program: &mut Program, times: usize) -> Vec<u64> {
    let context = program.context().clone();
    let (begin, orders) = mpsc::channel();
    let (report, woken) = mpsc::channel();
    let waiter = context.clone();
    let thread = thread::spawn(move || {
        let mut states = unchanging(&waiter);
        for () in orders {
            report.send(0).expect("somebody listens");
            let _ = waiter.get_status_change(HANGS, &mut states);
            report.send(clock::now()).expect("somebody listens");
        }
    });
    let mut cancelled = Vec::new();
    for _ in 0..times {
        begin.send(()).expect("it waits for orders");
        woken.recv().expect("it will wait");
        thread::sleep(A_MOMENT);
        let called = clock::now();
        let refused = context.cancel().is_err();
        cancelled.push(woken.recv().expect("it was woken").saturating_sub(called));
        if refused {
            // Once is enough to see how long the wait goes on.
            break;
        }
    }
    drop(begin);
    thread.join().expect("it ends");
    cancelled
}

/// Leaves a thread that waits for something that does not come.
pub(crate) fn for_ever(program: &mut Program) {
    let context = program.context().clone();
    let mut states = unchanging(&context);
    thread::spawn(move || context.get_status_change(None, &mut states));
    thread::sleep(A_MOMENT);
}

/// The first reader, as it is now.
fn unchanging(context: &Context) -> [ReaderState; 1] {
    let mut states = [ReaderState::new(first_reader(context), State::UNAWARE)];
    context.get_status_change(HANGS, &mut states).expect("it is known");
    states[0].sync_current_state();
    states
}

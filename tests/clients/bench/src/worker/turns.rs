//! Several clients that want the same card.

use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use bench::clock;
use pcsc::{Disposition, Protocols, ShareMode};

use crate::calls;
use crate::program::{Program, establish, first_reader};

/// Takes the card and holds it, so often. In turn: when it was given, and when `SCardEndTransaction` was called.
pub(crate) fn hold(program: &mut Program, times: usize, hold: Duration) -> Vec<u64> {
    let card = program.card();
    let mut moments = Vec::with_capacity(2 * times);
    for _ in 0..times {
        let transaction = card.transaction().expect("it is granted some time");
        moments.push(clock::now());
        // Meanwhile the other one comes to wait.
        thread::sleep(hold);
        moments.push(clock::now());
        assert!(transaction.end(Disposition::LeaveCard).is_ok());
    }
    moments
}

/// Clients with connections of their own, each of which begins, transmits and ends in a loop. How often each did.
pub(crate) fn compete(clients: usize, time: Duration) -> Vec<u64> {
    let (begin, over) = (Barrier::new(clients + 1), AtomicBool::new(false));
    let run = || {
        let context = establish();
        let reader = first_reader(&context);
        let card = context.connect(&reader, ShareMode::Shared, Protocols::ANY);
        let mut card = card.expect("it can be shared");
        begin.wait();
        let mut turns = 0;
        while !over.load(Ordering::Relaxed) {
            let transaction = card.transaction().expect("it is granted some time");
            calls::transmit(&transaction);
            assert!(transaction.end(Disposition::LeaveCard).is_ok());
            turns += 1;
        }
        // Not a reset: others are in the middle of it.
        let _ = card.disconnect(Disposition::LeaveCard);
        turns
    };
    thread::scope(|scope| {
        let clients: Vec<_> = (0..clients).map(|_| scope.spawn(run)).collect();
        begin.wait();
        thread::sleep(time);
        over.store(true, Ordering::Relaxed);
        clients.into_iter().map(|client| client.join().expect("it counts")).collect()
    })
}

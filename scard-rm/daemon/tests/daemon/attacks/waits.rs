//! Waits and events: whoever does not read keeps them from nobody, and what is meant for the dead reaches nobody.

use std::io::{Read, Write};
use std::sync::Mutex;

use scard_types::ScardCode;
use scard_types::call::{Answer, Call, KnownReader};

use crate::attacks::{daemon, withstand};
use crate::native::Native;
use crate::support::{Daemon, ENTRY, READER, SUCCESS, Stock, words};
use crate::users;

/// Somebody who sees to it that cards come and go, and somebody who is told.
struct Events {
    operator: Native,
    witness: Stock,
}

impl Events {
    fn of(daemon: &Daemon) -> Mutex<Self> {
        let mut witness = users::work_as(users::VICTIM, || Stock::new(daemon, 6));
        witness.establish();
        Mutex::new(Self { operator: Native::new(daemon), witness })
    }

    /// Takes the card out and puts it in again, so often; the witness hears of each.
    fn happen(events: &Mutex<Self>, times: usize) {
        let Self { operator, witness } = &mut *events.lock().expect("nobody panics with it");
        for change in ["remove", "insert"].repeat(times) {
            witness.watch();
            let reply = operator.command("sim", &format!("{change} {READER}"));
            assert!(matches!(reply, Ok(Answer::Controlled(_))), "{reply:?}");
            assert_eq!(witness.read_words(2), [0, SUCCESS], "{change}");
        }
    }
}

fn wait_for_news(context: scard_types::call::ContextId, readers: usize) -> Call {
    // No card has that counter, so this is an event that has been missed, unless the counter is 0: not known.
    let known = KnownReader { name: READER.to_owned(), current_state: 0x0000_0020 };
    Call::StatusChange { context, timeout_ms: None, readers: vec![known; readers] }
}

/// How many waits are refused before the request of that number is answered.
fn replies_before(number: u32, client: &mut Native) -> usize {
    let mut refused = 0;
    loop {
        match client.next_reply() {
            (replied, _) if replied == number => return refused,
            (_, reply) => {
                assert_eq!(reply, Err(ScardCode::NoMemory.into()));
                refused += 1;
            }
        }
    }
}

#[test]
fn waiters_that_do_not_read_stop_no_events_of_others() {
    let daemon = daemon("");
    let events = Events::of(&daemon);
    withstand(&daemon, |victim| {
        // Each asks for a little more than the one before, so that some are registered at the moment when
        // nothing more fits into their socket.
        let deaf: Vec<_> = (1..100)
            .map(|rounds| {
                let mut client = Stock::new(&daemon, 4);
                client.establish();
                let stream = client.raw.stream();
                stream.set_nonblocking(true).expect("the mode can be set");
                let once = words(&[0, 0x13, 0, 0x14]);
                // What the daemon does not take is not asked.
                let _ = (&mut &*stream).write(&[once.repeat(rounds), words(&[0, 0x13])].concat());
                client
            })
            .collect();
        let subscribers: Vec<_> = (0..50)
            .map(|_| {
                let mut client = Native::new(&daemon);
                client.ask(&Call::Subscribe);
                client
            })
            .collect();
        Events::happen(&events, 20);
        victim.works();
        drop((deaf, subscribers));
    });
}

#[test]
fn a_flood_of_waits_is_bounded_and_each_gets_its_answer() {
    let daemon = daemon("");
    let events = Events::of(&daemon);
    withstand(&daemon, |victim| {
        let mut refused = 0;
        let mut waiters: Vec<_> = (0..6)
            .map(|_| {
                let (mut client, context) = Native::with_context(&daemon);
                for _ in 0..250 {
                    client.ask(&wait_for_news(context, 20));
                }
                // When it answers this, the daemon has read all of them.
                let last = client.ask(&Call::DescribeReaders);
                let waiting = 250 - replies_before(last, &mut client);
                refused += 250 - waiting;
                (client, waiting)
            })
            .collect();
        // Where there is one user only, the witness needs one too.
        assert!((476..=477).contains(&refused), "{refused} of 1500; a user has 1024");
        victim.works();
        Events::happen(&events, 1);
        for (client, waiting) in &mut waiters {
            for _ in 0..*waiting {
                let (_, told) = client.next_reply();
                assert!(matches!(told, Ok(Answer::StatusChange { changed: true, .. })), "{told:?}");
            }
        }
    });
}

#[test]
fn waits_whose_answers_nobody_reads_cost_no_memory_and_keep_nobody_waiting() {
    let daemon = daemon("");
    let events = Events::of(&daemon);
    withstand(&daemon, |victim| {
        let deaf: Vec<_> = (0..4)
            .map(|_| {
                let (mut client, context) = Native::with_context(&daemon);
                for _ in 0..200 {
                    client.ask(&wait_for_news(context, 500));
                }
                assert!(client.call(&Call::ListReaders { context }).is_ok());
                client
            })
            .collect();
        Events::happen(&events, 5);
        victim.works();
        drop(deaf);
    });
}

#[test]
fn a_message_of_a_dead_wait_reaches_nobody_else() {
    let daemon = daemon("");
    let events = Events::of(&daemon);
    withstand(&daemon, |_| {
        for _ in 0..20 {
            for _ in 0..3 {
                let mut waiter = Stock::new(&daemon, 4);
                waiter.establish();
                waiter.watch();
                let (mut native, context) = Native::with_context(&daemon);
                native.ask(&wait_for_news(context, 1));
                native.ask(&Call::Subscribe);
            }
            // They get the descriptors of those that have just died.
            let mut heirs: Vec<_> = (0..6).map(|_| Stock::new(&daemon, 4)).collect();
            Events::happen(&events, 1);
            for heir in &mut heirs {
                assert_eq!(heir.call(0x01, &[2, 0, 0])[2], SUCCESS, "and nothing before it");
                heir.raw.stream().set_nonblocking(true).expect("the mode can be set");
                let unasked = heir.raw.stream().read(&mut [0; ENTRY]);
                assert!(unasked.is_err(), "{unasked:?}");
            }
        }
    });
}

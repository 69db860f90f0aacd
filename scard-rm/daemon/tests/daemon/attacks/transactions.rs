//! Transactions: who keeps one has one card and no more, and nobody gets more turns than others.

use std::sync::Barrier;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;

use scard_types::Disposition;
use scard_types::call::{Answer, Call};

use crate::attacks::{daemon, withstand};
use crate::native::Native;
use crate::support::{Daemon, EXCLUSIVE, READER, SHARED, SUCCESS, Stock, words};

#[test]
fn a_kept_transaction_blocks_one_card_and_ends_with_its_holder() {
    let daemon = daemon("");
    withstand(&daemon, |victim| {
        let (mut holder, held) = Stock::with_card(&daemon);
        let mut line: Vec<_> = (0..100).map(|_| Stock::with_card(&daemon)).collect();
        let mut native: Vec<_> = (0..100).map(|_| Native::with_card(&daemon)).collect();
        assert_eq!(holder.begin(held), SUCCESS);
        for (client, card) in &mut line {
            client.raw.send(&words(&[8, 0x07, *card, 0]));
        }
        for (client, card) in &mut native {
            client.ask(&Call::BeginTransaction { card: *card });
        }
        victim.works();
        drop(holder);
        // Each in turn gets it, and dies with it.
        drop((line, native));
        let mut last = Stock::new(&daemon, 4);
        let context = last.establish();
        let (card, code) = last.connect(context, READER, SHARED);
        assert_eq!((code, last.begin(card)), (SUCCESS, SUCCESS));
        assert_eq!(last.end(card), SUCCESS);
        assert_eq!(last.disconnect(card), SUCCESS);
        crate::support::within(crate::support::DEADLINE, "nobody is left", || {
            last.connect(context, READER, EXCLUSIVE).1 == SUCCESS
        });
    });
}

/// How somebody comes who takes turns.
type Come = fn(&Daemon) -> Box<dyn Turn>;

/// How often each of several clients gets the card, of so many times in all.
fn turns(daemon: &Daemon, client: [Come; 2], total: u32) -> [u32; 2] {
    let (taken, start) = (AtomicU32::new(0), Barrier::new(2));
    let loops = |client: Come| {
        let mut client = client(daemon);
        start.wait();
        let mut own = 0;
        loop {
            client.take_and_give_back();
            if taken.fetch_add(1, Ordering::Relaxed) >= total {
                return own;
            }
            own += 1;
        }
    };
    thread::scope(|scope| {
        let both = client.map(|client| scope.spawn(move || loops(client)));
        both.map(|one| one.join().expect("each gets its turn"))
    })
}

/// A transaction from its beginning to its end.
trait Turn {
    fn take_and_give_back(&mut self);
}

impl Turn for (Stock, u32) {
    fn take_and_give_back(&mut self) {
        let (client, card) = self;
        assert_eq!(client.begin(*card), SUCCESS);
        assert_eq!(client.end(*card), SUCCESS);
    }
}

impl Turn for (Native, scard_types::call::CardHandle) {
    fn take_and_give_back(&mut self) {
        let (client, card) = (&mut self.0, self.1);
        assert_eq!(client.call(&Call::BeginTransaction { card }), Ok(Answer::Done));
        let end = Call::EndTransaction { card, disposition: Disposition::Leave };
        assert_eq!(client.call(&end), Ok(Answer::Done));
    }
}

#[test]
fn two_clients_in_a_loop_of_transactions_get_equal_turns() {
    let daemon = daemon("");
    let stock: Come = |daemon| Box::new(Stock::with_card(daemon));
    let native: Come = |daemon| Box::new(Native::with_card(daemon));
    for clients in [[stock, stock], [native, native], [stock, native]] {
        let [one, other] = turns(&daemon, clients, 2000);
        eprintln!("turns: {one} and {other}");
        // A busy machine may let one of them sleep for a while; pcscd gives one of them 1 of 1,145.
        assert!(one.min(other) * 2 > one.max(other), "{one} against {other}");
    }
}

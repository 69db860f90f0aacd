//! Somebody who works while the daemon is attacked, and gets right answers.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Condvar, Mutex};
use std::thread::{Scope, ScopedJoinHandle};
use std::time::{Duration, Instant};

use rustix::process::geteuid;

use crate::native::Native;
use crate::support::{Daemon, SELECT, SHARED, SUCCESS, Stock};
use crate::users;

/// The reader that is his.
pub(crate) const READER: &str = "Victim";
/// Only a daemon that hangs takes that long for one round.
const HANGS: Duration = Duration::from_secs(60);

/// What he and whoever watches him share.
#[derive(Default)]
pub(crate) struct Desk {
    rounds: Mutex<Vec<Duration>>,
    worked: Condvar,
    home: AtomicBool,
}

/// A user at work on both wires.
pub(crate) struct Victim<'scope> {
    desk: &'scope Desk,
    work: Option<ScopedJoinHandle<'scope, ()>>,
}

impl<'scope> Victim<'scope> {
    /// Sits down.
    pub(crate) fn at_work(
        scope: &'scope Scope<'scope, '_>,
        desk: &'scope Desk,
        daemon: &'scope Daemon,
    ) -> Self {
        let work = users::in_thread(scope, users::VICTIM, || work(desk, daemon));
        let victim = Self { desk, work: Some(work) };
        victim.works();
        victim
    }

    /// Waits until he has done a good deal more, whatever goes on around him.
    pub(crate) fn works(&self) {
        let mut rounds = self.desk.rounds.lock().expect("he does not panic with it");
        let enough = rounds.len() + 10;
        while rounds.len() < enough {
            let at_work = self.work.as_ref().is_some_and(|work| !work.is_finished());
            assert!(at_work, "the victim has given up");
            let (waited, hangs) =
                self.desk.worked.wait_timeout(rounds, HANGS).expect("he does not panic with it");
            assert!(!hangs.timed_out(), "the victim waits for an answer");
            rounds = waited;
        }
    }

    /// Sends him home, and gives how long his rounds took, the shortest first.
    pub(crate) fn go_home(mut self) -> Vec<Duration> {
        self.desk.home.store(true, Ordering::Relaxed);
        let ended = self.work.take().expect("he goes home once").join();
        ended.expect("the victim got right answers only");
        let mut rounds = std::mem::take(&mut *self.desk.rounds.lock().expect("he is gone"));
        rounds.sort_unstable();
        rounds
    }
}

impl Drop for Victim<'_> {
    fn drop(&mut self) {
        self.desk.home.store(true, Ordering::Relaxed);
    }
}

fn work(desk: &Desk, daemon: &Daemon) {
    let mut stock = Stock::new(daemon, 4);
    let context = stock.establish();
    let (card, code) = stock.connect(context, READER, SHARED);
    assert_eq!(code, SUCCESS);
    let answer = stock.transmit(card, SELECT).expect("the card answers");
    let (mut native, context) = Native::with_context(daemon);
    let natives = native.connect_to(context, READER);
    while !desk.home.load(Ordering::Relaxed) {
        let begin = Instant::now();
        assert_eq!(stock.begin(card), SUCCESS);
        assert_eq!(stock.transmit(card, SELECT).as_ref(), Ok(&answer));
        assert_eq!(stock.end(card), SUCCESS);
        assert_eq!(native.select(natives).as_ref(), Ok(&answer));
        if geteuid().as_raw() == users::VICTIM {
            // Where there is one user only, the attacker may have taken all his places.
            Stock::new(daemon, 6).establish();
        }
        desk.rounds.lock().expect("nobody panics with it").push(begin.elapsed());
        desk.worked.notify_all();
    }
}

//! An attack as it is judged: twice, with a victim at work, and nothing of it may stay.

use std::fs;
use std::thread;
use std::time::Duration;

use crate::attacks::victim::{Desk, READER, Victim};
use crate::support::{self, Daemon, Stock};
use crate::users;

/// What the second of two equal attacks may leave behind.
const GROWTH_KB: u64 = 1024;
/// How long the daemon may take to find out that the attackers are gone.
const LEFT_WITHIN: Duration = Duration::from_secs(20);

/// A daemon with the reader of the tests and the victim's.
pub(crate) fn daemon(config: &str) -> Daemon {
    let victims = format!("sim:piv,name={READER}");
    Daemon::with(&["--reader", "sim:piv", "--reader", &victims], config)
}

/// Has another user attack, twice: the first time the daemon may get larger, for memory that is used again and code
/// that runs for the first time. The attack ends when the function does, with everything that it opened.
pub(crate) fn withstand(daemon: &Daemon, attack: impl Fn(&Victim) + Sync) {
    besiege(daemon, users::ATTACKER, attack);
}

/// The same by that user.
pub(crate) fn besiege(daemon: &Daemon, uid: u32, attack: impl Fn(&Victim) + Sync) {
    let calm = calm(daemon);
    let mut before = None;
    for round in ["the first time", "the second time"] {
        let desk = Desk::default();
        thread::scope(|scope| {
            let victim = Victim::at_work(scope, &desk, daemon);
            users::work_as(uid, || attack(&victim));
            let took = victim.go_home();
            let (half, most) = (took[took.len() / 2], took[took.len() * 99 / 100]);
            let rounds = took.len();
            eprintln!(
                "{round}: {rounds} rounds of the victim, half in {half:?}, 99 of 100 in {most:?}"
            );
        });
        support::within(LEFT_WITHIN, "all who are gone are forgotten", || {
            daemon.descriptors() == calm
        });
        let now = resident_kb(daemon);
        if let Some(before) = before.replace(now) {
            eprintln!("resident: {before} kB, then {now} kB");
            assert!(now < before + GROWTH_KB, "from {before} kB to {now} kB");
        }
    }
}

/// How many descriptors the daemon has open without clients; none where we may not look.
fn calm(daemon: &Daemon) -> Option<usize> {
    // Once it answers it has closed what it needed to start only.
    let _first = Stock::new(daemon, 4);
    daemon.descriptors().map(|all| all - 1)
}

/// Memory in use, exact where we may look (`smaps_rollup`), to a few pages per processor elsewhere (`status`).
fn resident_kb(daemon: &Daemon) -> u64 {
    let path = format!("/proc/{}/smaps_rollup", daemon.pid());
    let exact = fs::read_to_string(path).ok().and_then(|text| support::number_of(&text, "Rss:"));
    exact.unwrap_or_else(|| daemon.status("VmRSS:"))
}

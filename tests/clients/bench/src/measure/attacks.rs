//! One user attacks, and another one works.

use clients::daemon::Service;

use crate::client::{Client, User};
use crate::measure::{Found, Means, NO_ROOT};
use crate::process::resident_kib;
use crate::report::{Bar, Figure, Table, amount};
use crate::side::Side;
use crate::statistics::{median, quantile, worst};

const ATTACKS: &[(&str, &str)] = &[
    ("connection-flood", "a flood of connections"),
    ("half-open", "a thousand half-sent messages"),
    ("never-reading", "a thousand clients that ask for events and never read"),
    ("wait-flood", "as many waits as can be had"),
    ("garbage", "a flood of noise"),
];

const ATTACKER: u32 = 54_322;
const VICTIM: u32 = 54_323;

pub(super) fn run(means: &Means) -> Found {
    let bar = Bar::Below(100.0);
    let what = |words: &str| {
        format!("During {words}: a whole use of a card by another user, 99 of 100 within")
    };
    if !means.root {
        let figure =
            |(name, words): &(&str, &str)| Figure::missing(name, &what(words), "ms", bar, NO_ROOT);
        return Found { figures: ATTACKS.iter().map(figure).collect(), tables: Vec::new() };
    }
    let service = Service::with_many_readers("bench-attacks", 1);
    let socket = service.socket().expect("ours is at a path");
    let [attacker, victim] = [ATTACKER, VICTIM].map(|uid| User::new(uid, service.folder()));
    let mut table = Table::new(
        "Establish, list, connect, transmit, disconnect, release by one user while another one attacks, milliseconds",
        &["", "median", "99 of 100", "worst", "uses", "memory of the daemon, KiB"],
    );
    let mut figures = Vec::new();
    let calm = [("", "nothing")];
    for (attack, words) in calm.iter().chain(ATTACKS) {
        let running = (!attack.is_empty()).then(|| {
            let role = ["attack", *attack, &*socket.to_string_lossy()];
            Client::in_role(&role, Some((&service, &attacker)))
        });
        let mut program = Client::start_as(&victim, Side::Ours, &service);
        let line = format!("whole {}", means.plan.loops.as_micros());
        let times: Vec<f64> = program.numbers(&line).iter().map(|nanos| nanos / 1e6).collect();
        let memory = service.processes().first().map_or(0, |pid| resident_kib(*pid));
        drop(running);
        let late = quantile(&times, 0.99);
        let cells = [median(&times), late, worst(&times)].map(|time| amount(time, ""));
        let more = [times.len().to_string(), memory.to_string()];
        table.row(words, cells.into_iter().chain(more));
        if !attack.is_empty() {
            figures.push(Figure::new(attack, &what(words), late, "ms", bar));
        }
    }
    Found { figures, tables: vec![table] }
}

//! Cards are in, clients wait, and nothing happens.

use std::thread;

use clients::daemon::Service;

use crate::client::Client;
use crate::measure::{Found, Means};
use crate::process::{resident_kib, wake_ups};
use crate::report::{Bar, Figure, amount};
use crate::side::{Side, Sides, servers};

pub(super) fn run(means: &Means) -> Found {
    let mut sides = Sides::with_card("bench-idle", "piv", means.pcscd);
    sides.ours.insert(1);
    let mut clients: Vec<Client> =
        sides.all().map(|(side, service)| Client::start(side, service)).collect();
    for client in &mut clients {
        client.ask("times transmit 20");
        assert_eq!(client.ask("wait-for-ever"), "waiting");
    }
    // One more leaves, so that its card is without power some seconds later.
    drop(Client::start(Side::Ours, &sides.ours));
    thread::sleep(means.plan.settle);
    let count = |service: &Service| servers(service).into_iter().map(wake_ups).sum::<u64>();
    let before = (count(&sides.ours), sides.pcscd.as_ref().map(count));
    thread::sleep(means.plan.idle);
    let ours = count(&sides.ours) - before.0;
    let memory = sides.ours.processes().first().map_or(0, |pid| resident_kib(*pid));
    let note = match (&sides.pcscd, before.1) {
        (Some(pcscd), Some(before)) => format!("pcscd and its cards: {}", count(pcscd) - before),
        _ => String::new(),
    };
    let seconds = means.plan.idle.as_secs_f64();
    let what = format!(
        "Wake-ups of the daemon's threads in {seconds} s, two cards in, two clients waiting"
    );
    let figures = vec![
        Figure::new("idle", &what, ours as f64, "", Bar::AtMost(0.0)).with_note(note),
        Figure::new(
            "memory",
            "Resident memory of the idle daemon, with two cards and two clients",
            memory as f64 / 1024.0,
            "MB",
            Bar::Below(12.0),
        )
        .with_note(match &sides.pcscd {
            Some(pcscd) => {
                let daemon = servers(pcscd).into_iter().map(resident_kib).max().unwrap_or(0);
                format!("pcscd: {}", amount(daemon as f64 / 1024.0, "MB"))
            }
            None => String::new(),
        }),
    ];
    Found { figures, tables: Vec::new() }
}

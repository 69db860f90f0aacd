//! From an event to those who wait for it: a card comes, a wait is cancelled.

use std::thread;
use std::time::Duration;

use clients::daemon::Service;
use scard_client::{Context, Endpoint};

use crate::client::{Client, User};
use crate::clock;
use crate::measure::{Found, Means, NO_ROOT};
use crate::report::{Bar, Figure, Table, amount};
use crate::side::{Side, Sides};
use crate::statistics::{median, quantile, worst};

/// One who has said that he will wait does so by then.
const A_MOMENT: Duration = Duration::from_millis(3);
const SOMEBODY: u32 = 54_321;

pub(super) fn run(means: &Means) -> Found {
    let mut sides = Sides::with_card("bench-waking", "piv", means.pcscd);
    let mut table = Table::new(
        "From an event to the return of a waiter, milliseconds",
        &["", "median", "99 of 100", "worst"],
    );
    let row = |table: &mut Table, name: &str, times: &[f64]| {
        table.row(
            name,
            [median(times), quantile(times, 0.99), worst(times)].map(|time| amount(time, "")),
        );
    };
    let mut figures = Vec::new();
    let plan = &means.plan;

    for side in [Side::Ours, Side::Stock] {
        let times = insertions(side, &sides.ours, plan.events / 4);
        row(&mut table, &format!("card inserted, {}", side.name()), &times);
        let name = if side == Side::Ours { "insertion-ours" } else { "insertion-stock" };
        let what = format!(
            "Card insertion to the return of SCardGetStatusChange, {}, median",
            side.name()
        );
        figures.push(Figure::new(name, &what, median(&times), "ms", Bar::Below(1.0)));
    }
    if let Some(pcscd) = &mut sides.pcscd {
        let times = pcscd_insertions(pcscd, plan.slow_events / 4);
        row(&mut table, "card connects, stock library, pcscd + vpcd", &times);
    }

    for (side, service) in sides.all() {
        let mut client = Client::start(side, service);
        let times = millis(&client.numbers(&format!("cancel {}", plan.events / 4)));
        row(&mut table, &format!("SCardCancel, {}", side.name()), &times);
        if side != Side::Pcscd {
            let name = if side == Side::Ours { "cancel-ours" } else { "cancel-stock" };
            let what = format!("SCardCancel to the return of the wait, {}, median", side.name());
            figures.push(Figure::new(name, &what, median(&times), "ms", Bar::Below(0.3)));
        }
    }
    for side in [Side::Ours, Side::Stock] {
        let name = if side == Side::Ours { "cancel-full-ours" } else { "cancel-full-stock" };
        let what = format!("The same with the user's quota used up, {}", side.name());
        let bar = Bar::Below(0.3);
        if !means.root {
            figures.push(Figure::missing(name, &what, "ms", bar, NO_ROOT));
            continue;
        }
        let times = cancel_with_full_quota(side, &sides.ours, plan.events / 4);
        row(&mut table, &format!("SCardCancel, quota used up, {}", side.name()), &times);
        figures.push(Figure::new(name, &what, median(&times), "ms", bar));
    }
    Found { figures, tables: vec![table] }
}

fn millis(nanos: &[f64]) -> Vec<f64> {
    nanos.iter().map(|nanos| nanos / 1e6).collect()
}

/// A card comes into the first virtual reader, so often: from the order to the return of one who waits.
fn insertions(side: Side, service: &Service, times: usize) -> Vec<f64> {
    let socket = service.socket().expect("ours is at a path");
    let simulator = Context::establish_at(&Endpoint::at(socket)).expect("it serves");
    let order = |verb: &str| {
        let order = format!("{verb} \"{}\"", service.readers()[0]);
        simulator.session().driver_command("sim", order.as_bytes()).expect("it obeys");
    };
    let mut client = Client::start(side, service);
    let mut taken = Vec::new();
    for _ in 0..times {
        order("remove");
        client.begin("await empty");
        assert_eq!(client.hear(), "waiting");
        thread::sleep(A_MOMENT);
        let begin = clock::now();
        order("insert");
        let seen: u64 = client.hear().parse().expect("a moment");
        taken.push(seen.saturating_sub(begin) as f64 / 1e6);
    }
    taken
}

/// The same with pcscd, where the insertion is the start of the program that is the card. It looks each 0.4 s.
fn pcscd_insertions(service: &mut Service, times: usize) -> Vec<f64> {
    let mut client = Client::start(Side::Pcscd, service);
    let mut taken = Vec::new();
    for _ in 0..times.max(1) {
        service.remove(0);
        client.begin("await empty");
        assert_eq!(client.hear(), "waiting");
        let begin = clock::now();
        service.insert(0);
        let seen: u64 = client.hear().parse().expect("a moment");
        taken.push(seen.saturating_sub(begin) as f64 / 1e6);
    }
    taken
}

/// A user who has as many connections as he may cancels a wait.
fn cancel_with_full_quota(side: Side, service: &Service, times: usize) -> Vec<f64> {
    let user = User::new(SOMEBODY, service.folder());
    let mut client = Client::start_as(&user, side, service);
    // It connects before the house is full.
    client.ask("cancel 1");
    let socket = service.socket().expect("ours is at a path");
    let filler =
        Client::in_role(&["attack", "fill", &socket.to_string_lossy()], Some((service, &user)));
    assert_eq!(filler.hear(), "full");
    millis(&client.numbers(&format!("cancel {times}")))
}

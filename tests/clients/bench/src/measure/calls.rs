//! Every call that reaches the daemon, by the same stock client on ours and on pcscd.

use crate::client::Client;
use crate::measure::{Found, Means, NO_PCSCD};
use crate::process::Place;
use crate::report::{Bar, Figure, Table, amount};
use crate::side::{Side, Sides, servers};
use crate::statistics::{median, worst};

const CALLS: &[(&str, &str)] = &[
    ("establish+release", "EstablishContext + ReleaseContext"),
    ("list-readers", "ListReaders"),
    ("status-change", "GetStatusChange(0)"),
    ("cancel", "Cancel"),
    ("connect+disconnect", "Connect + Disconnect"),
    ("reconnect", "Reconnect"),
    ("begin+end", "BeginTransaction + EndTransaction"),
    ("transmit", "Transmit"),
    ("status", "Status"),
    ("control", "Control"),
    ("get-attribute", "GetAttrib"),
    ("set-attribute", "SetAttrib"),
];

pub(super) fn run(means: &Means) -> Found {
    let sides = Sides::with_card("bench-calls", "piv", means.pcscd);
    let mut clients: Vec<(Side, Client)> = sides
        .all()
        .map(|(side, service)| {
            let client = Client::start(side, service);
            Place::OneProcessor.put(&[servers(service), vec![client.pid()]].concat());
            (side, client)
        })
        .collect();
    let mut table = Table::new(
        "Each call, median in microseconds, all on one processor",
        &[
            "",
            "our library",
            "stock library, our daemon",
            "stock library, pcscd + vpcd",
            "ours / pcscd, stock library",
        ],
    );
    let mut ratios = Vec::new();
    for (call, title) in CALLS {
        let mut times = vec![Vec::new(); clients.len()];
        for _ in 0..means.plan.rounds {
            for ((_, client), times) in clients.iter_mut().zip(&mut times) {
                let count = (means.plan.calls / 4).max(20);
                times.push(median(&client.numbers(&format!("times {call} {count}"))));
            }
        }
        let mut cells: Vec<String> =
            times.iter().map(|times| amount(median(times) / 1e3, "")).collect();
        if let [_, stock, pcscd] = &times[..] {
            let of_rounds: Vec<f64> =
                stock.iter().zip(pcscd).map(|(ours, theirs)| ours / theirs).collect();
            ratios.push((*call, *title, median(&of_rounds)));
            cells.push(amount(median(&of_rounds), ""));
        } else {
            cells.extend(["-".to_owned(), "-".to_owned()]);
        }
        table.row(title, cells);
    }
    let what = [
        "Slowest call of a stock client on our daemon, share of its time on pcscd",
        "EstablishContext + ReleaseContext of a stock client, share of its time on pcscd",
    ];
    let bars = [Bar::Below(1.0), Bar::Below(0.5)];
    let figures = if ratios.is_empty() {
        vec![
            Figure::missing("slowest-call", what[0], "", bars[0], NO_PCSCD),
            Figure::missing("establish-release", what[1], "", bars[1], NO_PCSCD),
        ]
    } else {
        let all: Vec<f64> = ratios.iter().map(|(.., ratio)| *ratio).collect();
        let slowest = worst(&all);
        let which = ratios.iter().find(|(.., ratio)| *ratio == slowest);
        let opening = ratios.iter().find(|(call, ..)| *call == "establish+release");
        vec![
            Figure::new("slowest-call", what[0], slowest, "", bars[0])
                .with_note(which.map_or("", |(_, title, _)| title)),
            Figure::new(
                "establish-release",
                what[1],
                opening.map_or(0.0, |(.., ratio)| *ratio),
                "",
                bars[1],
            ),
        ]
    };
    Found { figures, tables: vec![table] }
}

//! What a call about one reader costs with one reader and with a thousand.

use clients::daemon::Service;

use crate::client::Client;
use crate::measure::{Found, Means};
use crate::process::Place;
use crate::report::{Bar, Figure, Table, amount};
use crate::side::{Side, servers};
use crate::statistics::median;

/// More than the noise of two runs of the same.
const FLAT: f64 = 1.2;

const CALLS: &[(&str, &str)] = &[
    ("status", "Status"),
    ("status-change", "GetStatusChange(0)"),
    ("list-readers", "ListReaders"),
];

pub(super) fn run(means: &Means) -> Found {
    let most = means.plan.crowd.0;
    let counts: Vec<usize> =
        [1, 10, 100, 1_000].into_iter().filter(|n| *n <= most).chain([most]).collect();
    let mut counts = counts;
    counts.dedup();
    let services: Vec<Service> = counts
        .iter()
        .map(|count| Service::with_many_readers(&format!("bench-flat-{count}"), *count))
        .collect();
    let headings: Vec<String> = counts.iter().map(|count| format!("{count} readers")).collect();
    let mut columns = vec![""];
    columns.extend(headings.iter().map(String::as_str));
    let mut table = Table::new(
        "A call about one reader among many, median in microseconds, one processor",
        &columns,
    );
    let mut figures = Vec::new();
    for side in [Side::Ours, Side::Stock] {
        let mut clients: Vec<Client> = services
            .iter()
            .map(|service| {
                let client = Client::start(side, service);
                Place::OneProcessor.put(&[servers(service), vec![client.pid()]].concat());
                client
            })
            .collect();
        for (call, title) in CALLS {
            let mut times = vec![Vec::new(); clients.len()];
            for _ in 0..means.plan.rounds {
                for (client, times) in clients.iter_mut().zip(&mut times) {
                    let count = (means.plan.calls / 4).max(20);
                    times.push(median(&client.numbers(&format!("times {call} {count}"))));
                }
            }
            let row = times.iter().map(|times| amount(median(times) / 1e3, ""));
            table.row(&format!("{title}, {}", side.name()), row);
            let (first, last) = (&times[0], &times[times.len() - 1]);
            let growth: Vec<f64> = last.iter().zip(first).map(|(many, one)| many / one).collect();
            // Our library is told of all readers: that answer is as long as there are readers.
            let names_all = *call == "list-readers" && side == Side::Ours;
            if !names_all {
                figures.push(Figure::new(
                    &format!("flat-{call}-{}", if side == Side::Ours { "ours" } else { "stock" }),
                    &format!(
                        "{title}, {}: with {most} readers, multiple of that with one",
                        side.name()
                    ),
                    median(&growth),
                    "",
                    Bar::AtMost(FLAT),
                ));
            }
        }
    }
    Found { figures, tables: vec![table] }
}

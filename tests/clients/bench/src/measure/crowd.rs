//! Many readers and many contexts in one daemon: what an exchange costs then, and what each of them costs in memory.

use std::fs;

use clients::daemon::Service;

use crate::client::Client;
use crate::measure::{Found, Means};
use crate::process::{Place, resident_kib};
use crate::report::{Bar, Figure, Table, amount};
use crate::statistics::median;

/// More than the noise of two runs of the same.
const FLAT: f64 = 1.25;

/// Quotas that are in nobody's way.
const CONFIG: &str = "\
[limits]
connections = { per-user = 100000, total = 100000 }
contexts = { per-user = 100000, total = 100000 }
handles = { per-user = 100000, total = 100000 }
";

/// The bytes of an exchange of 5, see `path`.
const ASKED: usize = 30;
const ANSWERED: usize = 19;

/// What was measured with so many readers and contexts, in nanoseconds.
struct Point {
    /// One client, again and again.
    one: f64,
    /// All of them, in turn.
    turns: f64,
}

pub(super) fn run(means: &Means) -> Found {
    let steps = |most: usize| {
        let mut steps: Vec<usize> =
            [1, 10, 100, 1_000, 10_000].into_iter().filter(|n| *n < most).collect();
        steps.push(most);
        steps
    };
    let contexts = steps(means.plan.crowd.1);
    let headings: Vec<String> = contexts.iter().map(|count| format!("{count} contexts")).collect();
    let mut columns = vec![""];
    columns.extend(headings.iter().map(String::as_str));
    let title = "Transmit of 5 bytes among many, microseconds, one processor: one client again and again; all clients in turn";
    let mut table = Table::new(title, &columns);
    let mut memory =
        Table::new("Memory of the daemon, KiB", &["", "without clients", "with all contexts"]);
    let mut all: Vec<Vec<Point>> = Vec::new();
    let mut footprint: Vec<(usize, u64, u64)> = Vec::new();
    for readers in steps(means.plan.crowd.0) {
        let (points, [empty, full]) = measure(readers, &contexts, means);
        let cell = |point: &Point| {
            format!("{}; {}", amount(point.one / 1e3, ""), amount(point.turns / 1e3, ""))
        };
        table.row(&format!("{readers} readers"), points.iter().map(cell));
        memory.row(&format!("{readers} readers"), [empty, full].map(|kib| kib.to_string()));
        footprint.push((readers, empty, full));
        all.push(points);
    }
    let bare = bare(&contexts, means);
    table.row(
        "bare connections, epoll",
        bare.iter().map(|nanos| format!("-; {}", amount(nanos / 1e3, ""))),
    );

    let first = &all[0][0];
    let last = all.last().and_then(|points| points.last()).expect("there are some");
    let (few, many) = (footprint[0], footprint[footprint.len() - 1]);
    let most = *contexts.last().expect("there are some");
    let per_reader = (many.1 - few.1.min(many.1)) as f64 / (many.0 - few.0).max(1) as f64;
    let per_context = (many.2 - many.1.min(many.2)) as f64 / most as f64;
    let what = |who: &str| {
        format!(
            "Transmit among {} readers and {most} contexts, {who}, multiple of that among 1 and 1",
            many.0
        )
    };
    let growth_of_bare = bare[bare.len() - 1] / bare[0];
    let figures = vec![
        Figure::new("crowd-one", &what("one client"), last.one / first.one, "", Bar::AtMost(FLAT)),
        Figure::new(
            "crowd-turns",
            &format!("{}; beyond what bare connections grow by", what("all in turn")),
            last.turns / first.turns / growth_of_bare,
            "",
            Bar::AtMost(FLAT),
        )
        .with_note(format!(
            "ours grows {} times, bare connections served by epoll {} times",
            amount(last.turns / first.turns, ""),
            amount(growth_of_bare, "")
        )),
        Figure::new(
            "memory-context",
            "Memory per connection with a context and a handle",
            per_context,
            "KiB",
            Bar::Below(8.0),
        ),
        Figure::new(
            "memory-reader",
            "Memory per virtual reader with its card",
            per_reader,
            "KiB",
            Bar::Below(16.0),
        ),
    ];
    Found { figures, tables: vec![table, memory] }
}

/// One point for each number of contexts, and the daemon's memory without and with all of them.
fn measure(readers: usize, contexts: &[usize], means: &Means) -> (Vec<Point>, [u64; 2]) {
    let name = format!("bench-crowd-{readers}");
    let config = std::env::temp_dir().join(format!("scard-{}-{name}.toml", std::process::id()));
    fs::write(&config, CONFIG).expect("a file");
    let order = format!("sim:piv,count={readers}");
    let config_path = config.to_string_lossy();
    let service = Service::with_arguments(&name, &["--config", &config_path, "--reader", &order]);
    let _ = fs::remove_file(&config);
    let socket = service.socket().expect("ours is at a path");
    let mut crowd = Client::in_role(&["crowd", &socket.to_string_lossy()], None);
    let daemon = service.processes()[0];
    Place::OneProcessor.put(&[daemon, crowd.pid()]);
    let room: f64 = crowd.numbers("most")[0];
    let empty = resident_kib(daemon);
    let mut points = Vec::new();
    for count in contexts {
        // A machine that allows fewer descriptors has a smaller crowd.
        let count = (*count as f64).min(room);
        crowd.ask(&format!("grow {count}"));
        let calls = means.plan.calls;
        let mut rounds = || -> (f64, f64) {
            let one = crowd.numbers(&format!("one {calls}"))[0];
            // At least twice around: the first time everything is cold.
            let turns = crowd.numbers(&format!("turns {}", (2.0 * count).max(calls as f64)))[0];
            (one, turns)
        };
        let (one, turns): (Vec<f64>, Vec<f64>) =
            (0..means.plan.rounds.min(5)).map(|_| rounds()).unzip();
        points.push(Point { one: median(&one), turns: median(&turns) });
    }
    (points, [empty, resident_kib(daemon)])
}

/// The same bytes over as many bare connections in turn, served by one thread with epoll: what the kernel alone takes.
fn bare(contexts: &[usize], means: &Means) -> Vec<f64> {
    let place = Service::with_many_readers("bench-crowd-bare", 1);
    let socket = place.folder().join("pong");
    let socket = socket.to_string_lossy();
    let pong = Client::in_role(&["pong", &socket], None);
    let mut crowd = Client::in_role(&["crowd", &socket], None);
    Place::OneProcessor.put(&[pong.pid(), crowd.pid()]);
    let room: f64 = crowd.numbers("most")[0];
    let measure = |count: &usize| {
        let count = (*count as f64).min(room);
        let turns = (2.0 * count).max(means.plan.calls as f64);
        let line = format!("ping {socket} {count} {turns} {ASKED} {ANSWERED}");
        let rounds: Vec<f64> =
            (0..means.plan.rounds.min(5)).map(|_| crowd.numbers(&line)[0]).collect();
        median(&rounds)
    };
    contexts.iter().map(measure).collect()
}

//! From start to the first answer of a card, and from SIGTERM to the end.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use clients::daemon::Service;
use clients::stage::dist;
use rustix::process::{Pid, Signal, kill_process};
use scard_client::{Context, Endpoint, Protocols, ShareMode};

use crate::measure::{Found, Means};
use crate::report::{Bar, Figure};
use crate::statistics::{median, worst};

/// How often somebody looks whether the daemon is there.
const LOOK: Duration = Duration::from_micros(200);

pub(super) fn run(means: &Means) -> Found {
    // Its folder is ours.
    let place = Service::with_many_readers("bench-life", 1);
    let (mut starts, mut stops) = (Vec::new(), Vec::new());
    for _ in 0..means.plan.starts {
        let (start, stop) = one_life(&place.folder().join("another"));
        starts.push(start);
        stops.push(stop);
    }
    let worst_of = |times: &[f64]| format!("worst of {}: {:.1} ms", times.len(), worst(times));
    let figures = vec![
        Figure::new(
            "start",
            "From the start of the daemon to the first answer of a card",
            median(&starts),
            "ms",
            Bar::Below(20.0),
        )
        .with_note(worst_of(&starts)),
        Figure::new(
            "stop",
            "From SIGTERM to the end of the daemon, with a client connected",
            median(&stops),
            "ms",
            Bar::Below(50.0),
        )
        .with_note(worst_of(&stops)),
    ];
    Found { figures, tables: Vec::new() }
}

/// Milliseconds to the first answer of a card, and from SIGTERM to the end.
fn one_life(socket: &Path) -> (f64, f64) {
    let begin = Instant::now();
    let mut daemon = start(socket);
    let endpoint = Endpoint::at(socket);
    let context = loop {
        match Context::establish_at(&endpoint) {
            Ok(context) => break context,
            Err(_) if begin.elapsed() < Duration::from_secs(20) => thread::sleep(LOOK),
            Err(code) => panic!("the daemon does not start: {code:?}"),
        }
    };
    let readers = context.readers().expect("there is a reader");
    let card = context.connect(readers[0].as_str(), ShareMode::Shared, Protocols::ANY);
    let card = card.expect("there is a card");
    card.transmit(&[0x00, 0x01, 0x00, 0x00, 0x00]).expect("it answers");
    let started = begin.elapsed();

    let pid = i32::try_from(daemon.id()).ok().and_then(Pid::from_raw).expect("a process");
    let begin = Instant::now();
    kill_process(pid, Signal::TERM).expect("it is ours");
    daemon.wait().expect("it is our child");
    let stopped = begin.elapsed();
    (started.as_secs_f64() * 1e3, stopped.as_secs_f64() * 1e3)
}

fn start(socket: &Path) -> Child {
    Command::new(dist().join("bin/scard-rm"))
        .arg("--socket")
        .arg(socket)
        .args(["--reader", "sim:piv"])
        // It goes with us, even if we are killed.
        .args(["--exit-on-eof-of-fd", "0"])
        .stdin(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("it starts")
}

//! Nobody takes the place of others, and nobody else's rights.

use std::fs;
use std::io::read_to_string;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use scard_types::ScardCode;

use crate::native::Native;
use crate::support::{CANCELLED, Daemon, Raw, SELECT, SUCCESS, Stock};

const CONFIG: &str = "[limits]\nconnections = { per-user = 100, total = 1000 }\n";
const SOCKET: &str = "SCARD_TEST_SOCKET";
pub(crate) const NOBODY: u32 = 65_534;

/// Runs a test of this program that is ignored otherwise, as another user. `None` without root.
pub(crate) fn as_nobody(daemon: &Daemon, test: &str) -> Option<Child> {
    if !rustix::process::geteuid().is_root() {
        eprintln!("not run without root: {test} as another user");
        return None;
    }
    let program = daemon.directory.join("program");
    // By a process of its own: a child that another test starts meanwhile would inherit the descriptor for writing, and
    // a program that is open for writing cannot be started.
    let original = std::env::current_exe().expect("we run");
    let copied = Command::new("cp").arg(original).arg(&program).status().expect("cp is there");
    assert!(copied.success(), "a program can be copied");
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).expect("it is ours");
    let child = Command::new(&program)
        .args(["--exact", test, "--ignored", "--nocapture"])
        .env(SOCKET, daemon.socket())
        .uid(NOBODY)
        .gid(NOBODY)
        .current_dir("/")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn();
    Some(child.expect("the program starts"))
}

/// What it said when it was through.
pub(crate) fn said(mut child: Child) -> String {
    let said = read_to_string(child.stdout.take().expect("a pipe")).expect("it is text");
    assert!(child.wait().expect("it is our child").success(), "{said}");
    said
}

/// The daemon that [`as_nobody`] is about.
pub(crate) fn socket() -> Option<PathBuf> {
    std::env::var_os(SOCKET).map(PathBuf::from)
}

/// Opens so many connections and says how many are served.
fn flood(socket: &Path, connections: u32) -> usize {
    let streams = (0..connections).map(|_| UnixStream::connect(socket));
    let streams: Vec<_> = streams.collect::<Result<_, _>>().expect("the daemon listens");
    // All stay open until the last is counted.
    let mut open: Vec<_> = streams.into_iter().map(Raw::over).collect();
    open.iter_mut().filter_map(Raw::major_version).count()
}

#[test]
#[ignore = "run as another user by the next one"]
fn flood_as_nobody() {
    if let Some(socket) = socket() {
        println!("served {}", flood(&socket, 300));
    }
}

#[test]
fn three_hundred_connections_of_one_user_leave_room_for_others() {
    let daemon = Daemon::with(&["--reader", "sim:piv"], CONFIG);
    let Some(mut nobody) = as_nobody(&daemon, "quotas::flood_as_nobody") else {
        // There is one user only: he gets his share and no more, and what he has stays his.
        let (mut first, card) = Stock::with_card(&daemon);
        assert_eq!(flood(&daemon.socket(), 300), 99);
        assert!(first.transmit(card, SELECT).is_ok());
        return;
    };
    loop {
        let (mut client, card) = Stock::with_card(&daemon);
        assert!(client.transmit(card, SELECT).is_ok(), "root is served meanwhile");
        if nobody.try_wait().expect("it is our child").is_some() {
            break;
        }
    }
    let said = said(nobody);
    assert!(said.contains("served 100\n"), "{said}");
}

#[test]
fn whoever_has_no_connection_left_can_still_cancel_a_wait() {
    let daemon = Daemon::with(
        &["--reader", "sim:piv"],
        "[limits]\nconnections = { total = 2, root-reserve = 0 }\n",
    );
    let mut waiter = Stock::new(&daemon, 4);
    let context = waiter.establish();
    waiter.watch();
    let _last = Stock::new(&daemon, 4);
    for _ in 0..20 {
        assert_eq!(Raw::connect(&daemon.socket()).major_version(), None, "the house is full");
    }
    let mut canceller = Stock::silent(&daemon);
    assert_eq!(canceller.call(0x0D, &[context, 0]), [context, SUCCESS]);
    assert!(canceller.raw.until_closed().is_empty(), "it came for nothing else");
    assert_eq!(waiter.read_words(2), [0, CANCELLED]);
}

#[test]
#[ignore = "run as another user by the next one"]
fn command_a_driver_as_nobody() {
    if let Some(socket) = socket() {
        let reply = Native::at(&socket).command("sim", "remove 0");
        assert_eq!(reply, Err(ScardCode::SecurityViolation.into()));
    }
}

#[test]
fn a_stranger_cannot_command_a_driver() {
    let daemon = Daemon::start();
    if let Some(nobody) = as_nobody(&daemon, "quotas::command_a_driver_as_nobody") {
        let said = said(nobody);
        assert!(said.contains("1 passed"), "{said}");
        let (mut client, card) = Stock::with_card(&daemon);
        assert!(client.transmit(card, SELECT).is_ok(), "the card is still there");
    }
}

#[test]
fn when_descriptors_run_out_the_rest_wait_for_their_turn() {
    let daemon = Daemon::under("ulimit -n 40;");
    let mut clients: Vec<_> = (0..60).map(|_| Raw::connect(&daemon.socket())).collect();
    let mut turns = clients.drain(..);
    // Each that leaves makes room for one of those that could not be accepted.
    for mut client in turns.by_ref() {
        assert_eq!(client.major_version(), Some(4));
    }
    let ticks = daemon.processor_ticks();
    assert!(ticks < 100, "{ticks} hundredths of a second of computing: it spins");
}

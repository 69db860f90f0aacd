//! Nobody takes the place of others.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::support::{Daemon, Raw, SELECT, Stock};

const CONFIG: &str = "[limits]\nconnections = { per-user = 100, total = 1000 }\n";
const SOCKET: &str = "SCARD_TEST_SOCKET";
const NOBODY: u32 = 65_534;

/// Opens so many connections and says how many are served; run by another test as another user.
fn flood(socket: &Path, connections: u32) -> u32 {
    let open: Vec<UnixStream> = (0..connections)
        .map(|_| UnixStream::connect(socket).expect("the daemon listens"))
        .collect();
    let served = open.into_iter().map(|stream| {
        let mut raw = Raw::over(stream);
        (raw.major_version().is_some(), raw)
    });
    // All stay open until the last is counted.
    let served: Vec<_> = served.collect();
    u32::try_from(served.iter().filter(|(answered, _)| *answered).count()).expect("a few")
}

#[test]
#[ignore = "not a test of its own: run as another user by the one below"]
fn flood_as_another_user() {
    if let Some(socket) = std::env::var_os(SOCKET) {
        println!("served {}", flood(Path::new(&socket), 300));
    }
}

#[test]
fn three_hundred_connections_of_one_user_leave_room_for_others() {
    let daemon = Daemon::with(&["--reader", "sim:piv"], CONFIG);
    if !rustix::process::geteuid().is_root() {
        // Without root there is one user only: he gets his share and no more.
        let (mut first, card) = Stock::with_card(&daemon);
        assert_eq!(flood(&daemon.socket(), 300), 99);
        assert!(first.transmit(card, SELECT).is_ok());
        println!("not run without root: another user is served meanwhile");
        return;
    }
    let program = daemon.directory.join("flood");
    fs::copy(std::env::current_exe().expect("we run"), &program).expect("the test can be copied");
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).expect("it is ours");
    let mut flood = Command::new(&program)
        .args(["--exact", "quotas::flood_as_another_user", "--ignored", "--nocapture"])
        .env(SOCKET, daemon.socket())
        .uid(NOBODY)
        .gid(NOBODY)
        .current_dir("/")
        .stdout(Stdio::piped())
        .spawn()
        .expect("the program starts");
    loop {
        let (mut client, card) = Stock::with_card(&daemon);
        assert!(client.transmit(card, SELECT).is_ok(), "root is served meanwhile");
        if flood.try_wait().expect("it is our child").is_some() {
            break;
        }
    }
    let said = std::io::read_to_string(flood.stdout.take().expect("a pipe")).expect("it is text");
    assert!(said.contains("served 100\n"), "{said}");
}

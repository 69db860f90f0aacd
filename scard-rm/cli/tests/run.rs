//! `scard run`: exit statuses, signals, and nothing left behind.

#![allow(clippy::unwrap_used, reason = "a test ends at its first surprise")]

mod scard;

use std::fs;
use std::io::{BufRead, BufReader, ErrorKind, Read};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use scard::{Place, stderr, stdout};

/// What `scard run ARGUMENTS` returns, and what it says on standard error.
fn check(arguments: &[&str], expected: i32) -> String {
    let place = Place::new();
    let output = place.scard(&[&["run"], arguments].concat()).output().unwrap();
    assert_eq!(output.status.code(), Some(expected), "{arguments:?}: {}", stderr(&output));
    assert!(place.is_empty(), "{arguments:?} left something behind");
    stderr(&output)
}

#[test]
fn the_exit_status_is_that_of_the_command() {
    for status in ["0", "1", "77", "255"] {
        let said = check(&["sh", "-c", &format!("exit {status}")], status.parse().unwrap());
        assert_eq!(said, "");
    }
    check(&["sh", "-c", "kill -KILL $$"], 128 + 9);
}

#[test]
fn failures_of_our_own_have_the_statuses_of_env() {
    let said = check(&["--", "/nowhere/at-all"], 127);
    assert!(said.starts_with("error: /nowhere/at-all: "), "{said}");
    check(&["/etc"], 126);
    let said = check(&["--card", "piv,no-such-key", "true"], 125);
    assert!(said.contains("no key is called \"no-such-key\""), "{said}");
    check(&["--no-such-flag", "true"], 125);
    check(&[], 125);
}

#[test]
fn a_directory_that_cannot_be_used_is_no_hindrance() {
    let place = Place::new();
    let output = place
        .scard(&["run", "true"])
        .env("XDG_RUNTIME_DIR", place.path().join("missing"))
        .env("TMPDIR", place.path())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", stderr(&output));
    assert!(place.is_empty());
}

#[test]
fn the_command_finds_the_socket_and_no_other_library() {
    let place = Place::new();
    let script = r#"test -S "$SCARD_SOCKET" && test "$SCARD_SOCKET" = "$PCSCLITE_CSOCK_NAME" &&
        echo "library=$LD_LIBRARY_PATH" && stat -c %a "$(dirname "$SCARD_SOCKET")""#;
    let mut command = place.scard(&["run", "sh", "-c", script]);
    let output = command.env_remove("LD_LIBRARY_PATH").output().unwrap();
    assert_eq!(stdout(&output), "library=\n700\n", "{}", stderr(&output));
}

#[test]
fn our_library_is_put_in_front() {
    let place = Place::new();
    let (bin, lib) = (place.path().join("bin"), place.path().join("lib"));
    fs::create_dir(&bin).unwrap();
    // By a process of its own: a child that another test starts meanwhile would inherit the descriptor for writing, and
    // a program that is open for writing cannot be started.
    let copied = std::process::Command::new("cp").arg(scard::SCARD).arg(&bin).status().unwrap();
    assert!(copied.success());
    let run = || {
        std::process::Command::new(bin.join("scard"))
            .args(["run", "--our-library", "sh", "-c", "echo $LD_LIBRARY_PATH"])
            .env("LD_LIBRARY_PATH", "/elsewhere")
            .output()
            .unwrap()
    };
    let output = run();
    assert_eq!(output.status.code(), Some(125));
    assert!(stderr(&output).contains("no libpcsclite.so.1 beside this program"));
    fs::create_dir(&lib).unwrap();
    fs::write(lib.join("libpcsclite.so.1"), "").unwrap();
    let path = format!("{}:/elsewhere\n", bin.join("../lib").display());
    assert_eq!(stdout(&run()), path);
}

/// A run whose command has said that it is there.
struct Running {
    child: Child,
    /// The command ends with status 3 when this is closed; waiting for the child would close it too early.
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    socket: PathBuf,
}

impl Running {
    fn start(place: &Place, script: &str) -> Self {
        let script = format!("{script}; echo $SCARD_SOCKET; read line; exit 3");
        let mut child = place
            .scard(&["run", "sh", "-c", &script])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let input = child.stdin.take().unwrap();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        let mut socket = String::new();
        output.read_line(&mut socket).unwrap();
        Self { child, input, output, socket: PathBuf::from(socket.trim_end()) }
    }

    fn signal(&self, signal: Signal) {
        let pid = Pid::from_raw(i32::try_from(self.child.id()).unwrap()).unwrap();
        kill_process(pid, signal).unwrap();
    }
}

#[test]
fn signals_are_the_commands() {
    for (signal, trap, expected) in [
        (Signal::TERM, "trap 'exit 7' TERM", 7),
        (Signal::INT, "trap 'exit 8' INT", 8),
        (Signal::HUP, "trap 'exit 9' HUP", 9),
        (Signal::TERM, "true", 128 + 15),
    ] {
        let place = Place::new();
        let mut running = Running::start(&place, trap);
        running.signal(signal);
        assert_eq!(running.child.wait().unwrap().code(), Some(expected), "{trap}");
        assert!(place.is_empty());
    }
}

#[test]
fn a_killed_run_takes_its_daemon_along_and_the_next_one_sweeps_up() {
    let place = Place::new();
    let mut running = Running::start(&place, "true");
    let mut connection = UnixStream::connect(&running.socket).unwrap();
    connection.set_read_timeout(Some(Duration::from_secs(30))).unwrap();

    running.signal(Signal::KILL);
    running.child.wait().unwrap();
    // The end of the connection, orderly or not, is the end of the daemon.
    let end = connection.read(&mut [0]).or_else(|error| match error.kind() {
        ErrorKind::ConnectionReset => Ok(0),
        _ => Err(error),
    });
    assert_eq!(end.unwrap(), 0);
    assert!(UnixStream::connect(&running.socket).is_err());
    let room = running.socket.parent().unwrap();
    assert!(room.exists());
    assert_eq!(fs::metadata(room).unwrap().permissions().mode() & 0o777, 0o700);

    assert!(place.scard(&["run", "true"]).status().unwrap().success());
    assert!(place.is_empty());

    // The command outlived them all: nobody told it anything.
    drop(running.input);
    let mut rest = String::new();
    running.output.read_to_string(&mut rest).unwrap();
    assert_eq!(rest, "");
}

#[test]
fn a_running_neighbour_is_left_alone() {
    let place = Place::new();
    let mut running = Running::start(&place, "true");
    assert!(place.scard(&["run", "true"]).status().unwrap().success());
    assert!(UnixStream::connect(&running.socket).is_ok());
    drop(running.input);
    assert_eq!(running.child.wait().unwrap().code(), Some(3));
    assert!(place.is_empty());
}

#[test]
fn many_cards_are_many_readers() {
    let place = Place::new();
    let scard = scard::SCARD;
    let arguments =
        ["run", "--card", "piv,name=\"A, first\"", "--card", "piv,count=20,empty", "--"];
    let list = [scard, "sim", "status"];
    let output = place.scard(&[&arguments[..], &list[..]].concat()).output().unwrap();
    assert_eq!(stdout(&output).lines().count(), 21, "{}", stderr(&output));
    assert!(stdout(&output).starts_with("0  A, first  card 1 in it"), "{}", stdout(&output));
}

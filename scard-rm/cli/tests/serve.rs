//! `scard sim serve`: our card at a port of our own daemon, and what it says where nobody listens.

#![allow(clippy::unwrap_used, reason = "a test ends at its first surprise")]

mod scard;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::os::unix::net::UnixListener;
use std::process::{Child, ChildStdin, ChildStdout, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use scard::{Place, stderr, stdout};

/// A process that says lines; it goes with the test.
struct Talker {
    child: Child,
    _lifeline: ChildStdin,
    lines: BufReader<ChildStdout>,
}

impl Talker {
    fn new(place: &Place, arguments: &[&str]) -> Self {
        let mut command = place.scard(arguments);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let lifeline = child.stdin.take().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap());
        Self { child, _lifeline: lifeline, lines }
    }

    fn hear(&mut self) -> String {
        let mut line = String::new();
        self.lines.read_line(&mut line).unwrap();
        line
    }
}

impl Drop for Talker {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn text(path: &std::path::Path) -> String {
    path.to_str().unwrap().to_owned()
}

#[test]
fn our_card_is_in_a_reader_of_ours() {
    let place = Place::new();
    let port = format!("unix:{}", text(&place.path().join("port")));
    let socket = text(&place.path().join("socket"));
    let reader = format!("vpcd:{port},name=Port");
    let daemon = ["daemon", "--socket", &socket, "--reader", &reader, "--log", "warn"];
    let mut daemon = Talker::new(
        &place,
        &[&daemon[..], &["--ready-fd", "1", "--exit-on-eof-of-fd", "0"]].concat(),
    );
    assert_eq!(daemon.hear(), "ready\n");
    let mut card = Talker::new(
        &place,
        &["sim", "serve", "--vpcd", &port, "--card", "piv,seed=7,serial=7,pin=654321", "--once"],
    );
    assert_eq!(card.hear(), format!("in the reader at {port}\n"));

    let second = place.scard(&["sim", "serve", "--vpcd", &port]).output().unwrap();
    assert_eq!(second.status.code(), Some(5));
    let refused =
        format!("error: the reader at {port} does not take the card: another one is in it\n");
    assert_eq!(stderr(&second), refused);

    let apdu = ["apdu", "--socket", &socket, "--reader", "Port"];
    let pin = ["00A4040005A000000308", "0020008008363534333231FFFF"];
    let output = place.scard(&[&apdu[..], &pin].concat()).output().unwrap();
    assert!(output.status.success(), "{}", stderr(&output));
    let list = place.scard(&["list", "--socket", &socket]).output().unwrap();
    assert!(stdout(&list).starts_with("Port (vpcd)\n"), "{}", stdout(&list));
    assert!(stdout(&list).contains("OU=Card 7,"), "its number is the one ordered");

    drop(daemon);
    assert_eq!(card.hear(), format!("out of the reader at {port}\n"));
    assert!(card.child.wait().unwrap().success());
}

#[test]
fn a_card_waits_for_a_reader_that_was_there_before() {
    let place = Place::new();
    let path = place.path().join("port");
    let port = format!("unix:{}", text(&path));
    let listener = UnixListener::bind(&path).unwrap();
    let mut card = Talker::new(&place, &["sim", "serve", "--vpcd", &port]);
    for _ in 0..2 {
        let (mut reader, _) = listener.accept().unwrap();
        // Length and content apart, as stock vpcd writes them; then a command of no bytes, and one that is unknown.
        for part in [&[0, 1][..], &[4], &[0, 1, 9, 0], &[0]] {
            reader.write_all(part).unwrap();
        }
        assert_eq!(card.hear(), format!("in the reader at {port}\n"));
        let mut atr = [0; 21];
        reader.read_exact(&mut atr).unwrap();
        assert_eq!(atr[..3], [0, 19, 0x3B]);
        let mut wrong_length = [0; 4];
        reader.read_exact(&mut wrong_length).unwrap();
        assert_eq!(wrong_length, [0, 2, 0x67, 0x00]);
        drop(reader);
        assert_eq!(card.hear(), format!("out of the reader at {port}\n"));
    }
    let (mut reader, _) = listener.accept().unwrap();
    let pid = Pid::from_raw(card.child.id().try_into().unwrap()).unwrap();
    kill_process(pid, Signal::TERM).unwrap();
    assert_eq!(reader.read(&mut [0; 1]).unwrap(), 0, "the card is out");
    assert!(card.child.wait().is_ok());
}

#[test]
fn a_card_can_wait_for_a_reader_that_was_never_there() {
    let place = Place::new();
    let path = place.path().join("port");
    let port = format!("unix:{}", text(&path));
    let mut card = Talker::new(&place, &["sim", "serve", "--vpcd", &port, "--wait", "--once"]);
    let listener = UnixListener::bind(&path).unwrap();
    let (mut reader, _) = listener.accept().unwrap();
    reader.write_all(&[0, 1, 1]).unwrap();
    assert_eq!(card.hear(), format!("in the reader at {port}\n"));
    drop(reader);
    assert_eq!(card.hear(), format!("out of the reader at {port}\n"));
    assert!(card.child.wait().unwrap().success());
}

#[test]
fn what_is_missing_is_said() {
    let place = Place::new();
    let probe = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = probe.local_addr().unwrap().to_string();
    drop(probe);
    let output = place.scard(&["sim", "serve", "--vpcd", &port]).output().unwrap();
    assert_eq!(output.status.code(), Some(3));
    let said = stderr(&output);
    assert!(
        said.starts_with(&format!("error: no reader listens for a card at {port}: ")),
        "{said}"
    );
    assert!(said.contains("hint: start pcscd with the driver vpcd"), "{said}");

    let output =
        place.scard(&["sim", "serve", "--vpcd", &port, "--card", "piv,name=A"]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    let output = place.scard(&["sim", "serve", "--vpcd", "localhost"]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("\"localhost\" is no address"), "{}", stderr(&output));
}

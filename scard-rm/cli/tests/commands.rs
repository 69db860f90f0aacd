//! The other commands against a private resource manager: output, masking, exit statuses.

#![allow(clippy::unwrap_used, reason = "a test ends at its first surprise")]

mod scard;

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdout, Stdio};

use scard::{CARD, Manager, Place, SCARD, stderr, stdout};
use serde_json::Value;

fn json(text: &str) -> Vec<Value> {
    serde_json::Deserializer::from_str(text).into_iter().map(Result::unwrap).collect()
}

#[test]
fn the_list_tells_what_is_on_a_card_that_nobody_holds() {
    let place = Place::new();
    let output = place.with_card(CARD, &["list"]);
    let text = stdout(&output);
    let lines: Vec<&str> = text.lines().collect();
    assert!(output.status.success(), "{}", stderr(&output));
    assert_eq!(lines.len(), 5, "{text}");
    assert_eq!(lines[0], "Reader one (sim)");
    assert_eq!(lines[1], "  card  3B 9B 96 81 31 FE 45 80 73 C0 21 C0 55 73 63 61 72 64 E6");
    assert_eq!(lines[2], "        scard virtual PIV card, speaks T=1");
    assert!(lines[3].starts_with("  PIV   \"scard virtual PIV card\" GUID "), "{text}");
    assert!(lines[3].ends_with(" PIN: 3 tries left"), "{text}");
    assert!(lines[4].starts_with("    9A  "), "{text}");
    assert!(lines[4].contains(", P-256, until 20"), "{text}");

    let list = json(&stdout(&place.with_card(CARD, &["list", "--json"])));
    let reader = &list[0]["readers"][0];
    assert_eq!(reader["sharing"], "free");
    assert_eq!(reader["contents"]["applications"][0]["pin"]["tries_left"], 3);
    assert_eq!(reader["contents"]["applications"][0]["certificates"][0]["key"], "P-256");
}

#[test]
fn an_empty_reader_and_no_reader_are_told_apart() {
    let place = Place::new();
    let output = place.with_card("piv,name=Empty,empty", &["list"]);
    assert_eq!(stdout(&output), "Empty (sim)\n  no card\n");
    let output = place.with_card("piv,name=Empty,empty", &["apdu", "00A40400"]);
    assert_eq!(output.status.code(), Some(4));
    assert_eq!(stderr(&output), "error: no card in \"Empty\"\n");
}

/// A program that holds the card until it is dropped.
struct Holder {
    child: Child,
    /// Kept open: a program whose reader leaves ends.
    _output: BufReader<ChildStdout>,
}

impl Holder {
    /// `scard apdu` with its commands from a pipe: after the first answer it is inside its transaction.
    fn new(socket: &str, flags: &[&str]) -> Self {
        let mut child = std::process::Command::new(SCARD)
            .args([&["apdu", "--socket", socket], flags].concat())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.as_mut().unwrap().write_all(b"00A4040005A000000308\n").unwrap();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        output.read_line(&mut String::new()).unwrap();
        Self { child, _output: output }
    }
}

impl Drop for Holder {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}

#[test]
fn a_card_that_somebody_holds_is_named_and_left_alone() {
    let place = Place::new();
    let manager = Manager::new(&place);
    let holder = Holder::new(&manager.1, &["--exclusive"]);
    let pid = holder.child.id();

    let output = place.scard(&["list", "--probe", "--socket", &manager.1]).output().unwrap();
    let text = stdout(&output);
    let uid = rustix::process::getuid().as_raw();
    let held = format!("  held  by pid {pid} (scard), uid {uid}, exclusive, in a transaction\n");
    assert!(text.contains(&held), "{text}");
    assert!(text.ends_with("        not opened: it is held exclusively\n"), "{text}");

    let output = place.scard(&["apdu", "--socket", &manager.1, "00A40400"]).output().unwrap();
    assert_eq!(output.status.code(), Some(5));
    let said = stderr(&output);
    let held = format!(
        "error: the card in \"Reader one\" is held by pid {pid} (scard), uid {uid}, exclusive"
    );
    assert!(said.starts_with(&held), "{said}");
}

#[test]
fn events_come_one_object_a_line() {
    let place = Place::new();
    let manager = Manager::new(&place);
    let mut watch = place
        .scard(&["watch", "--json", "--socket", &manager.1])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(watch.stdout.take().unwrap()).lines();
    let mut next = || -> Value { serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap() };
    let sim = |verb: &str| {
        let output = place.scard(&["sim", verb, "--socket", &manager.1]).output().unwrap();
        assert!(output.status.success(), "{verb}: {}", stderr(&output));
    };
    let first = next();
    assert_eq!((&first["event"], &first["card"]), (&"reader-there".into(), &"present".into()));
    assert_eq!(next()["event"], "watching");
    sim("remove");
    assert_eq!(next()["event"], "card-removed");
    sim("insert");
    let inserted = next();
    assert_eq!(inserted["event"], "card-inserted");
    assert_eq!(inserted["reader"], "Reader one");
    assert_eq!(inserted["product"], "scard virtual PIV card");
    watch.kill().unwrap();
    watch.wait().unwrap();
}

/// A resource manager on a socket of its own, started by hand.
fn daemon(place: &Place, socket: &str) -> Child {
    let mut child = place
        .scard(&["daemon", "--socket", socket, "--reader", "sim:piv,name=\"Reader one\""])
        .args(["--ready-fd", "1", "--exit-on-eof-of-fd", "0"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut ready = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut ready).unwrap();
    assert_eq!(ready, "ready\n");
    child
}

#[test]
fn a_watch_goes_on_with_the_next_resource_manager() {
    let place = Place::new();
    let socket = place.path().join("own");
    let socket = socket.to_str().unwrap();
    let mut manager = daemon(&place, socket);
    let mut watch = place
        .scard(&["watch", "--json", "--socket", socket])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(watch.stdout.take().unwrap()).lines();
    let mut next = || -> Value { serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap() };
    assert_eq!(next()["event"], "reader-there");
    assert_eq!(next()["event"], "watching");
    manager.kill().unwrap();
    manager.wait().unwrap();
    manager = daemon(&place, socket);
    assert_eq!(next()["event"], "restarted");
    let reader = next();
    assert_eq!((&reader["event"], &reader["card"]), (&"reader-there".into(), &"present".into()));
    assert_eq!(next()["event"], "watching");
    let output = place.scard(&["sim", "remove", "--socket", socket]).output().unwrap();
    assert!(output.status.success(), "{}", stderr(&output));
    assert_eq!(next()["event"], "card-removed");
    // Nobody comes after this one.
    drop(manager.stdin.take());
    manager.wait().unwrap();
    assert_eq!(watch.wait().unwrap().code(), Some(3));
}

#[test]
fn a_pin_is_never_in_the_output() {
    let place = Place::new();
    let card = format!("{CARD},pin=73519248");
    let script = place.path().join("script");
    let lines = "\
        00A4040005A000000308\n\
        0020008008 3733353139323438 # the right one\n\
        0020008008 3733353139323438 00\n\
        002400801037333531393234383733353139323438\n\
        102000800437333531\n\
        002000800439323438\n\
        00CB3FFF035C017E\n";
    fs::write(&script, lines).unwrap();
    let path = script.to_str().unwrap();
    for flags in [&["apdu", "--script", path][..], &["apdu", "--json", "--script", path]] {
        let output = place.with_card(&card, flags);
        let all = stdout(&output) + &stderr(&output);
        let digits: String = all.chars().filter(char::is_ascii_hexdigit).collect();
        for secret in ["37333531", "39323438", "73519248"] {
            assert!(!digits.contains(secret), "{all}");
        }
        assert!(all.contains("discovery object"), "{all}");
    }
    fs::remove_file(script).unwrap();
    assert!(place.is_empty());
}

#[test]
fn a_verified_pin_does_not_outlive_the_command() {
    let place = Place::new();
    let manager = Manager::new(&place);
    let apdu = |commands: &[&str]| {
        let flags = [&["apdu", "--socket", &manager.1, "00A4040005A000000308"], commands].concat();
        place.scard(&flags).output().unwrap()
    };
    assert!(apdu(&["0020008008313233343536FFFF", "00200080"]).status.success());
    let output = apdu(&["00200080"]);
    assert_eq!(output.status.code(), Some(6), "{}", stdout(&output));
    assert!(stdout(&output).contains("< 63 C3 "), "{}", stdout(&output));
}

#[test]
fn long_answers_are_followed_and_decoded_as_one() {
    let place = Place::new();
    let commands = ["apdu", "--follow", "00A4040005A000000308", "00CB3FFF055C035FC10500"];
    let output = place.with_card(CARD, &commands);
    let text = stdout(&output);
    assert!(output.status.success(), "{}", stderr(&output));
    assert!(text.contains("  GET RESPONSE\n"), "{text}");
    assert!(text.contains("  53 data object\n    70 certificate 30 82 "), "{text}");
}

#[test]
fn exit_statuses_say_what_kind_of_failure_it_was() {
    let place = Place::new();
    let cases: [(&[&str], i32, &str); 7] = [
        (&["apdu", "00A40400"], 7, "error: the card says 6A82, file or application not found\n"),
        (
            &["apdu", "00A4040005A000000308", "0087119A047C028200"],
            6,
            "error: the card says 6982, security status not satisfied\n",
        ),
        (
            &["apdu", "--reader", "nobody", "00A40400"],
            4,
            "error: no reader \"nobody\"; there is \"Reader one\"\nhint: scard list shows the readers\n",
        ),
        (&["apdu", "00A4"], 2, "error: command 1: a command APDU has at least 4 bytes, not 2\n"),
        (
            &["sim", "insert"],
            1,
            "error: the simulator says: there is a card in \"Reader one\" already\n",
        ),
        (
            &["apdu", "--script", "/nowhere"],
            1,
            "error: /nowhere: No such file or directory (os error 2)\n",
        ),
        (&["atr", "3C00"], 2, "error: this is no answer to reset: TS is 3C, not 3B or 3F\n"),
    ];
    for (arguments, status, said) in cases {
        let output = place.with_card(CARD, arguments);
        assert_eq!(stderr(&output), said, "{arguments:?}");
        assert_eq!(output.status.code(), Some(status), "{arguments:?}");
    }
}

#[test]
fn without_a_resource_manager_the_message_names_the_socket_and_who_named_it() {
    let place = Place::new();
    let output = place.scard(&["list"]).output().unwrap();
    assert_eq!(output.status.code(), Some(3));
    let nobody = place.path().join("nobody");
    let expected = format!(
        "error: no resource manager answers: is scard-rm running? tried {} (SCARD_SOCKET)\nhint: ",
        nobody.display()
    );
    assert!(stderr(&output).starts_with(&expected), "{}", stderr(&output));
    let output = place.scard(&["list", "--socket", "/nowhere"]).output().unwrap();
    assert!(stderr(&output).contains("tried /nowhere (--socket)"), "{}", stderr(&output));
}

#[test]
fn a_reader_of_the_output_that_leaves_is_no_failure() {
    let place = Place::new();
    let script = format!("set -o pipefail; {SCARD} atr 3B00 | true");
    let status = std::process::Command::new("bash").args(["-c", &script]).status();
    assert!(status.unwrap().success());
    drop(place);
}

//! `scard trace` beside other programs: what it shows, what it does not, and how it ends.

#![allow(clippy::unwrap_used, reason = "a test ends at its first surprise")]

mod scard;

use std::io::{BufRead, BufReader, Lines, Read, Write};
use std::os::unix::net::UnixListener;
use std::process::{Child, ChildStdout, ExitStatus, Stdio};
use std::thread;

use rustix::process::{Pid, Signal, kill_process};
use scard::{Manager, Place, stderr, stdout};
use serde_json::Value;

/// A trace that goes on until it is interrupted.
struct Trace {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Trace {
    /// Ready when it has said that it traces.
    fn start(place: &Place, manager: &Manager, flags: &[&str]) -> Self {
        let arguments = [&["trace", "--socket", &manager.1], flags].concat();
        let mut child = place.scard(&arguments).stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        while !lines.next().unwrap().unwrap().contains("tracing") {}
        Self { child, lines }
    }

    /// Everything up to the line that has `last` in it.
    fn until(&mut self, last: &str) -> Vec<String> {
        let mut seen: Vec<String> = Vec::new();
        while !seen.last().is_some_and(|line| line.contains(last)) {
            seen.push(self.lines.next().unwrap().unwrap());
        }
        seen
    }

    fn interrupt(self, signal: Signal) -> (ExitStatus, Vec<String>) {
        let pid = Pid::from_raw(i32::try_from(self.child.id()).unwrap()).unwrap();
        kill_process(pid, signal).unwrap();
        self.end()
    }

    /// How it ends, and what it says until then.
    fn end(mut self) -> (ExitStatus, Vec<String>) {
        let rest = self.lines.by_ref().map(Result::unwrap).collect();
        (self.child.wait().unwrap(), rest)
    }
}

impl Drop for Trace {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn apdu(place: &Place, manager: &Manager, commands: &[&str]) {
    let arguments = [&["apdu", "--socket", &manager.1], commands].concat();
    place.scard(&arguments).output().unwrap();
}

/// A line without what differs each time: the time, process and other numbers, and how long it took.
fn plain(line: &str) -> String {
    let line = match line.split_once("Z  ") {
        Some((_, rest)) => rest,
        None => line,
    };
    let words: Vec<&str> = line.split(' ').collect();
    let words = match words.as_slice() {
        [words @ .., number, "us" | "ms"] if number.parse::<f64>().is_ok() => words,
        words => words,
    };
    let word = |word: &&str| match word.split_once(['=', '[']) {
        Some(("card" | "context", _)) => format!("{}=N", word.split('=').next().unwrap()),
        Some(("scard", _)) => "scard[PID]".to_owned(),
        _ => (*word).to_owned(),
    };
    words.iter().map(word).collect::<Vec<_>>().join(" ").trim_end().to_owned()
}

#[test]
fn a_session_with_a_card_is_shown_and_its_pin_is_not() {
    let place = Place::new();
    let manager = Manager::new(&place);
    let mut trace = Trace::start(&place, &manager, &[]);
    let verify = "0020008008313233343536FFFF";
    apdu(&place, &manager, &["00A4040005A000000308", verify, "00CB3FFF035C017E", "00A40400"]);
    let lines: Vec<String> = trace.until("leaves").iter().map(|line| plain(line)).collect();
    let expected = "\
scard[PID]  arrives, uid UID, speaks native 1
scard[PID]  EstablishContext scope=2 rules=pcsc-lite  ok context=N
scard[PID]  DescribeReaders  ok reader_count=1
scard[PID]  Reader one  Connect context=N share=shared protocols=\"T=0, T=1\"  ok card=N protocol=T=1
scard[PID]  Reader one  BeginTransaction card=N  ok
scard[PID]  Reader one  Transmit  ok
> 00 A4 04 00 05 A0 00 00 03 08  SELECT
< 61 29 4F 06 00 00 10 00 01 00 79 07 4F 05 A0 00 00 03 08 50 16 73 63 61 72 64 20 76 69 72 74 75 61 6C 20 50 49 56 20 63 61 72 64 90 00  done
  61 application property template
    4F application identifier 00 00 10 00 01 00
    79 coexistent tag allocation authority
      4F application identifier A0 00 00 03 08
    50 application label \"scard virtual PIV card\"
scard[PID]  Reader one  Transmit  ok
> 00 20 00 80 [9 bytes, not shown]  VERIFY
< 90 00  done
scard[PID]  Reader one  Transmit  ok
> 00 CB 3F FF 03 5C 01 7E  GET DATA
< 7E 12 4F 0B A0 00 00 03 08 00 00 10 00 01 00 5F 2F 02 40 00 90 00  done
  7E discovery object
    4F application identifier A0 00 00 03 08 00 00 10 00 01 00
    5F2F PIN usage policy 40 00
scard[PID]  Reader one  Transmit  ok
> 00 A4 04 00  SELECT
< 6A 82  file or application not found
scard[PID]  Reader one  EndTransaction card=N disposition=leave  ok
Reader one  card reset: 3B 9B 96 81 31 FE 45 80 73 C0 21 C0 55 73 63 61 72 64 E6
scard[PID]  Reader one  Disconnect card=N disposition=reset  ok
scard[PID]  ReleaseContext context=N  ok
scard[PID]  leaves";
    let uid = rustix::process::getuid().as_raw().to_string();
    let expected = expected.replace("UID", &uid);
    assert_eq!(lines.join("\n"), expected);
}

#[test]
fn programs_read_one_flat_object_a_line() {
    let place = Place::new();
    let manager = Manager::new(&place);
    let mut trace = Trace::start(&place, &manager, &["--json"]);
    apdu(&place, &manager, &["00A4040005A000000308", "0020008008313233343536FFFF"]);
    let lines = trace.until("client-gone");
    let objects: Vec<Value> =
        lines.iter().map(|line| serde_json::from_str(line).unwrap()).collect();
    let verify = objects.iter().find(|object| object["apdu"]["instruction"] == "VERIFY").unwrap();
    let members: Vec<&String> = verify.as_object().unwrap().keys().collect();
    assert_eq!(
        members,
        [
            "apdu",
            "arguments",
            "call",
            "client",
            "code",
            "event",
            "number",
            "pid",
            "program",
            "reader",
            "results",
            "time",
            "took_us",
            "uid"
        ]
    );
    assert_eq!(verify["event"], "call");
    assert_eq!(verify["call"], "Transmit");
    assert_eq!(verify["code"], "SCARD_S_SUCCESS");
    assert_eq!(verify["program"], "scard");
    assert_eq!(verify["reader"], "Reader one");
    assert_eq!(verify["apdu"]["command"], "00200080");
    assert_eq!(verify["apdu"]["command_bytes_hidden"], 9);
    assert_eq!(verify["apdu"]["status"], "9000");
    assert_eq!(verify["time"].as_str().unwrap().len(), "2026-01-02T03:04:05.678901Z".len());
    assert_eq!(objects.last().unwrap()["unanswered"], 0);
    assert!(!lines.concat().contains("31323334"));
}

#[test]
fn what_was_asked_for_is_shown_and_nothing_else() {
    let place = Place::new();
    let manager = Manager::new(&place);
    let cases: [(&[&str], &[&str]); 3] = [
        (&["--apdus-only", "--count", "2"], &["Transmit", "Transmit"]),
        (&["--calls", "--count", "3"], &["EstablishContext", "DescribeReaders", "Connect"]),
        (&["--reader", "READER", "--count", "2"], &["Connect", "BeginTransaction"]),
    ];
    for (flags, expected) in cases {
        let trace = Trace::start(&place, &manager, &[flags, &["--json"][..]].concat());
        apdu(&place, &manager, &["00A4040005A000000308", "00A40400"]);
        // It ends by itself after so many.
        let (status, lines) = trace.end();
        assert!(status.success());
        let objects = lines.iter().map(|line| serde_json::from_str::<Value>(line).unwrap());
        let objects: Vec<Value> = objects.collect();
        let calls: Vec<&str> = objects.iter().filter_map(|line| line["call"].as_str()).collect();
        assert_eq!(calls, expected, "{flags:?}");
        let is_apdu = flags.contains(&"--apdus-only");
        assert!(objects.iter().all(|object| object["apdu"].is_null() != is_apdu), "{lines:?}");
    }
    let own = std::process::id().to_string();
    for flags in [&["--reader", "other"], &["--client", own.as_str()]] {
        let trace = Trace::start(&place, &manager, flags);
        // What another trace has seen, this one has seen, too.
        let mut witness = Trace::start(&place, &manager, &[]);
        apdu(&place, &manager, &["00A4040005A000000308"]);
        witness.until("leaves");
        let (status, rest) = trace.interrupt(Signal::INT);
        assert!(status.success() && rest.is_empty(), "{rest:?}");
    }
}

#[test]
fn a_signal_ends_a_trace_in_order() {
    let place = Place::new();
    let manager = Manager::new(&place);
    for signal in [Signal::INT, Signal::TERM] {
        let trace = Trace::start(&place, &manager, &[]);
        let (status, _) = trace.interrupt(signal);
        assert_eq!(status.code(), Some(0));
    }
}

#[test]
fn a_trace_whose_reader_leaves_ends_though_nothing_happens() {
    let place = Place::new();
    let manager = Manager::new(&place);
    let arguments = ["trace", "--socket", &manager.1];
    let mut child = place.scard(&arguments).stdout(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    assert!(line.contains("tracing"));
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[test]
fn the_end_of_the_resource_manager_is_the_end_of_a_trace() {
    let place = Place::new();
    let manager = Manager::new(&place);
    let arguments = ["trace", "--socket", &manager.1];
    let mut command = place.scard(&arguments);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut out = BufReader::new(child.stdout.take().unwrap());
    out.read_line(&mut String::new()).unwrap();
    drop(manager);
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(3));
    assert!(stderr(&output).starts_with("error: tracing: "), "{}", stderr(&output));
}

/// Answers like a daemon that has no word for a trace: the hello, a context, and a refusal.
#[test]
fn a_resource_manager_that_cannot_trace_says_so() {
    let place = Place::new();
    let socket = place.path().join("old");
    let listener = UnixListener::bind(&socket).unwrap();
    let old = thread::spawn(move || {
        let mut stream = listener.accept().unwrap().0;
        stream.read_exact(&mut [0; 8]).unwrap();
        stream.write_all(b"SCRD\x01\0\0\0").unwrap();
        // EstablishContext: a header of 12 bytes, a scope, whose rules.
        stream.read_exact(&mut [0; 12 + 5]).unwrap();
        stream.write_all(b"\x04\0\0\0\x01\0\0\0\x02\x80\0\0\x07\0\0\0").unwrap();
        stream.read_exact(&mut [0; 12]).unwrap();
        // E_UNSUPPORTED_FEATURE.
        stream.write_all(b"\x09\0\0\0\x02\0\0\0\0\x80\0\0\x22\0\x10\x80\0\0\0\0\0").unwrap();
    });
    let arguments = ["trace", "--socket", socket.to_str().unwrap()];
    let output = place.scard(&arguments).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(stdout(&output), "");
    assert_eq!(
        stderr(&output),
        "error: this resource manager cannot trace\n\
         hint: it is a stock pcscd, or a scard-rm older than this program\n"
    );
    old.join().unwrap();
    std::fs::remove_file(socket).unwrap();
}

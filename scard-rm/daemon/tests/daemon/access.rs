//! Who may use the daemon and its readers. The clients are threads with the credentials of other users, which only root
//! can give them; root itself and the daemon's own user may everything.

use std::fs;
use std::time::{Duration, Instant};

use rustix::process::{Signal, geteuid};
use scard_types::ScardCode;
use scard_types::call::{Answer, Call};

use crate::bus::{Asked, Bus, Place, Word};
use crate::native::Native;
use crate::support::{
    DEADLINE, Daemon, Directory, ENTRY, READER, SECURITY_VIOLATION, SELECT, SHARED, SUCCESS, Stock,
};
use crate::users::work_as as as_user;

const FIRST: u32 = 12_341;
const SECOND: u32 = 12_342;
const NOBODY: u32 = 65_534;
const STAFF: u32 = 12_399;

/// Whether this test can be run, said once for each that cannot.
fn is_root(test: &str) -> bool {
    let root = geteuid().is_root();
    if !root {
        eprintln!("not run without root: {test}");
    }
    root
}

fn daemon_with(bus: &str, directory: Directory, config: &str) -> Daemon {
    let readers = ["--reader", "sim:piv", "--reader", "sim:piv,name=Other"];
    Daemon::on_bus(bus, directory, &readers, config)
}

/// A daemon and the polkit that it asks.
fn with_polkit(
    config: &str,
    decide: impl Fn(&Asked) -> Word + Send + Sync + 'static,
) -> (Bus, Daemon) {
    let directory = Directory::new();
    let bus = Bus::start(&directory.join("bus"), decide);
    let daemon = daemon_with(&bus.address, directory, &format!("access = \"polkit\"\n{config}"));
    (bus, daemon)
}

/// The code that a stock client gets when it opens a context.
fn establish(daemon: &Daemon) -> u32 {
    Stock::new(daemon, 4).code(0x01, &[2, 0, 0])
}

/// The same, and then a reader.
fn connect(daemon: &Daemon, reader: &str) -> u32 {
    let mut client = Stock::new(daemon, 4);
    let context = client.establish();
    client.connect(context, reader, SHARED).1
}

#[test]
fn polkit_is_asked_for_the_daemon_and_for_each_reader() {
    if !is_root("polkit") {
        return;
    }
    let (bus, daemon) = with_polkit("", |asked| match asked.reader.as_deref() {
        None | Some(READER) => Word::Yes,
        Some(_) => Word::No,
    });
    as_user(FIRST, || {
        let (mut client, card) = Stock::with_card(&daemon);
        assert!(client.transmit(card, SELECT).is_ok());
        let (other, code) = {
            let mut client = Stock::new(&daemon, 4);
            let context = client.establish();
            client.connect(context, "Other", SHARED)
        };
        assert_eq!((other, code), (u32::MAX, SECURITY_VIOLATION));
    });
    let daemon_action = "org.debian.pcsc-lite.access_pcsc";
    let reader_action = "org.debian.pcsc-lite.access_card";
    for (action, reader) in [
        (daemon_action, None),
        (reader_action, Some(READER)),
        (daemon_action, None),
        (reader_action, Some("Other")),
    ] {
        let asked = bus.is_asked();
        assert_eq!((asked.action.as_str(), asked.reader.as_deref()), (action, reader));
        assert_eq!((asked.uid, asked.pid), (12_341, std::process::id()));
    }
    let log = daemon.log();
    let line = log.lines().find(|line| line.contains("access refused")).expect("a line says so");
    for part in [
        "WARN",
        "uid 12341",
        "access = \"polkit\"",
        "polkit does not authorize org.debian.pcsc-lite.access_card",
        "add to that rule allow-users = [12341], or a rule for org.debian.pcsc-lite.access_card",
        "reader=\"Other\"",
    ] {
        assert!(line.contains(part), "{part} is not in {line}");
    }
}

#[test]
fn polkit_gets_a_descriptor_of_the_process_where_the_kernel_has_one() {
    if !is_root("a descriptor for polkit") {
        return;
    }
    let (socket, _) = std::os::unix::net::UnixStream::pair().expect("sockets can be had");
    let kernel_can =
        nix::sys::socket::getsockopt(&socket, nix::sys::socket::sockopt::PeerPidfd).is_ok();
    let (bus, daemon) = with_polkit("", |_| Word::Yes);
    assert_eq!(as_user(FIRST, || establish(&daemon)), SUCCESS);
    assert_eq!(bus.is_asked().has_pidfd, kernel_can);
}

#[test]
fn a_user_whom_polkit_refuses_learns_nothing() {
    if !is_root("refused by polkit") {
        return;
    }
    let (bus, daemon) = with_polkit("allow-users = [12342]", |asked| {
        if asked.action.ends_with("access_pcsc") { Word::No } else { Word::Yes }
    });
    as_user(FIRST, || {
        assert_eq!(establish(&daemon), SECURITY_VIOLATION);
        let table = Stock::new(&daemon, 5).watch();
        let mut names = table.chunks(ENTRY).flat_map(|entry| &entry[..128]);
        assert!(names.all(|byte| *byte == 0), "the table is empty for him");
        let mut native = Native::at(&daemon.socket());
        for call in [Call::DescribeReaders, Call::Subscribe] {
            let refusal = native.call(&call).expect_err("he may not");
            assert_eq!(refusal.code, ScardCode::SecurityViolation);
        }
    });
    assert_eq!(as_user(NOBODY, || establish(&daemon)), SECURITY_VIOLATION);
    while !bus.is_quiet() {}
    assert_eq!(as_user(SECOND, || connect(&daemon, READER)), SUCCESS, "he stands in a list");
    assert_eq!(connect(&daemon, READER), SUCCESS, "root always may");
    assert!(bus.is_quiet(), "nobody is asked about those");
    let refused = daemon.log().matches("access refused to").count();
    assert_eq!(refused, 2, "once for each user, however often they try");
}

#[test]
fn without_polkit_nobody_is_let_in() {
    if !is_root("no polkit") {
        return;
    }
    let directory = Directory::new();
    let address = format!("unix:path={}", directory.join("nothing").display());
    let daemon = daemon_with(&address, directory, "access = \"polkit\"");
    assert_eq!(as_user(FIRST, || establish(&daemon)), SECURITY_VIOLATION);
    assert!(daemon.log().contains("polkit cannot be asked"));
    assert_eq!(connect(&daemon, READER), SUCCESS, "root always may");

    let (_bus, daemon) = with_polkit("", |_| Word::Error);
    assert_eq!(as_user(FIRST, || establish(&daemon)), SECURITY_VIOLATION);
    assert!(daemon.log().contains("no such action is registered"));
}

#[test]
fn while_polkit_thinks_everybody_else_is_served() {
    if !is_root("a slow polkit") {
        return;
    }
    let (bus, daemon) = with_polkit("", |asked| match asked.uid {
        12_341 => Word::Never,
        _ => Word::Yes,
    });
    let mut waiting: Vec<_> = (0..6)
        .map(|_| {
            as_user(FIRST, || {
                let mut client = Stock::new(&daemon, 4);
                client.send(0x01, &crate::support::words(&[2, 0, 0]));
                client
            })
        })
        .collect();
    let first = bus.is_asked();
    assert_eq!(first.uid, 12_341);
    as_user(SECOND, || {
        let (mut client, card) = Stock::with_card(&daemon);
        assert!(client.transmit(card, SELECT).is_ok());
    });
    // All of them die; what polkit was asked about them is taken back, and nobody else hears of it.
    waiting.clear();
    assert!(bus.hears_that_one_is_taken_back().starts_with("scard-rm-"));
    assert_eq!(as_user(SECOND, || establish(&daemon)), SUCCESS);
}

#[test]
fn a_bus_without_questions_wakes_nobody() {
    if !is_root("an idle bus") {
        return;
    }
    let (_bus, daemon) = with_polkit("", |_| Word::Yes);
    let client = as_user(FIRST, || Stock::with_card(&daemon)).0;
    let quiet = |millis| {
        let stream = client.raw.stream();
        stream.set_read_timeout(Some(Duration::from_millis(millis))).expect("it can be set");
        std::io::Read::read(&mut client.raw.stream(), &mut [0]).expect_err("nothing is said");
    };
    quiet(300);
    let before = daemon.status("voluntary_ctxt_switches:");
    quiet(500);
    assert_eq!(daemon.status("voluntary_ctxt_switches:"), before);
}

#[test]
fn no_word_in_time_is_a_no() {
    if !is_root("a silent polkit") {
        return;
    }
    let (bus, daemon) = with_polkit("[limits]\naccess-ms = 50", |_| Word::Never);
    assert_eq!(as_user(FIRST, || establish(&daemon)), SECURITY_VIOLATION);
    assert!(daemon.log().contains("polkit did not answer in time"));
    assert!(bus.hears_that_one_is_taken_back().starts_with("scard-rm-"));
}

#[test]
fn a_seat_is_where_somebody_sits() {
    if !is_root("seats") {
        return;
    }
    let directory = Directory::new();
    let bus = Bus::start(&directory.join("bus"), |_| Word::No);
    let daemon = daemon_with(&bus.address, directory, "access = \"seat\"");
    let session = |active, remote, seat| Place::Session { active, remote, seat };
    for (place, expected) in [
        (session(true, false, true), SUCCESS),
        (Place::BesideASession, SUCCESS),
        (session(false, false, true), SECURITY_VIOLATION),
        (session(true, true, true), SECURITY_VIOLATION),
        (session(true, false, false), SECURITY_VIOLATION),
        (Place::Nowhere, SECURITY_VIOLATION),
    ] {
        *bus.place.lock().expect("nobody panicked") = place;
        assert_eq!(as_user(FIRST, || establish(&daemon)), expected, "{place:?}");
    }
    let log = daemon.log();
    assert!(log.contains("the process is in no session that is active at a local seat"), "{log}");
    assert!(log.contains("by access = \"seat\""));
}

#[test]
fn a_list_is_a_list_and_a_reader_has_its_own() {
    if !is_root("lists") {
        return;
    }
    let rules = "allow-users = [12341, 12342]\n\
                 [[reader-rule]]\nname = \"Oth*\"\nallow-users = [12342]\n";
    let daemon = daemon_with("", Directory::new(), rules);
    assert_eq!(as_user(FIRST, || connect(&daemon, READER)), SUCCESS);
    assert_eq!(as_user(FIRST, || connect(&daemon, "Other")), SECURITY_VIOLATION);
    assert_eq!(as_user(SECOND, || connect(&daemon, "Other")), SUCCESS);
    assert_eq!(as_user(NOBODY, || establish(&daemon)), SECURITY_VIOLATION);
    let log = daemon.log();
    assert!(log.contains("by [[reader-rule]] name = \"Oth*\", access = \"local\""), "{log}");
    as_user(FIRST, || {
        let mut native = Native::at(&daemon.socket());
        let Ok(Answer::Described(readers)) = native.call(&Call::DescribeReaders) else {
            panic!("it may look");
        };
        assert_eq!(readers.len(), 2, "a reader that it may not use is there all the same");
    });
}

#[test]
fn a_reload_changes_the_rules_for_those_who_come() {
    if !is_root("rules that change") {
        return;
    }
    let rules = format!("allow-groups = [{STAFF}]");
    let daemon = daemon_with("", Directory::new(), &rules);
    let mut kept = Stock::new(&daemon, 4);
    kept.establish();
    assert_eq!(as_user(FIRST, || establish(&daemon)), SECURITY_VIOLATION);
    fs::write(daemon.directory.join("config"), "allow-groups = [12341]").expect("it is ours");
    daemon.signal(Signal::HUP);
    let begin = Instant::now();
    while as_user(FIRST, || establish(&daemon)) != SUCCESS {
        assert!(begin.elapsed() < DEADLINE, "the new rules do not come");
    }
    assert_eq!(as_user(SECOND, || establish(&daemon)), SECURITY_VIOLATION);
    kept.establish();
}

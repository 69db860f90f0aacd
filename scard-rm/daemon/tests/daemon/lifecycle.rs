//! Start, reload, stop; and who may have the socket.

use std::fs;
use std::os::fd::OwnedFd;
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::os::unix::net::{UnixDatagram, UnixListener};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::support::{
    DEADLINE, Daemon, Directory, ENTRY, READER, Raw, SELECT, SUCCESS, Stock, first_line,
};

#[test]
fn a_signal_ends_it_well_and_quickly_and_nothing_is_left() {
    for signal in [Signal::TERM, Signal::INT] {
        let mut daemon = Daemon::start();
        let mode = fs::metadata(daemon.socket()).expect("the socket is there").permissions().mode();
        assert_eq!(mode & 0o777, 0o666);
        let (mut client, card) = Stock::with_card(&daemon);
        assert_eq!(client.begin(card), SUCCESS);
        let asked = Instant::now();
        daemon.signal(signal);
        assert!(daemon.ended().success());
        let took = asked.elapsed();
        client.raw.until_closed();
        assert!(!daemon.socket().exists());
        // 50 ms on a quiet machine; this one may be busy.
        assert!(took < Duration::from_secs(2), "{took:?}");
    }
}

#[test]
fn it_goes_with_whoever_started_it() {
    let mut daemon = Daemon::start();
    daemon.let_go();
    assert!(daemon.ended().success());
    assert!(!daemon.socket().exists());
}

#[test]
fn a_second_daemon_does_not_take_the_socket() {
    let daemon = Daemon::start();
    let second = Command::new(env!("CARGO_BIN_EXE_scard-rm"))
        .arg("--socket")
        .arg(daemon.socket())
        .output()
        .expect("the program starts");
    assert!(!second.status.success());
    let said = String::from_utf8_lossy(&second.stderr);
    assert!(said.contains("a daemon answers there"), "{said}");
    Stock::with_card(&daemon);
}

#[test]
fn the_socket_of_a_dead_daemon_is_taken_over() {
    let mut daemon = Daemon::start();
    daemon.signal(Signal::KILL);
    assert!(!daemon.ended().success());
    assert!(daemon.socket().exists());
    let second = Daemon::command(&daemon.directory).spawn();
    let mut second = second.expect("the program starts");
    assert_eq!(first_line(&mut second), "ready\n");
    assert_eq!(Raw::connect(&daemon.socket()).major_version(), Some(4));
    drop(second.stdin.take());
    assert!(second.wait().expect("it is our child").success());
}

#[test]
fn several_sockets_are_served_alike() {
    let directory = Directory::new();
    let other = directory.join("other");
    let other = other.to_str().expect("the path is text").to_owned();
    let daemon = Daemon::within(directory, &["--reader", "sim:piv", "--socket", &other], "");
    Stock::with_card(&daemon);
    let mut raw = Raw::connect(other.as_ref());
    assert_eq!(raw.major_version(), Some(4));
}

#[test]
fn a_reload_brings_readers_and_takes_them_and_nobody_else_notices() {
    let one = "readers = [\"sim:piv,name=One\"]\n";
    let daemon = Daemon::with(&["--reader", "sim:piv"], one);
    let config = daemon.directory.join("config");
    let (mut client, card) = Stock::with_card(&daemon);
    assert_eq!(client.begin(card), SUCCESS);
    let mut watcher = Stock::new(&daemon, 5);
    watcher.establish();
    watcher.send(0x12, &[]);
    assert_eq!(names(&watcher.raw.read(16 * ENTRY)), [READER, "One"]);

    let two = "readers = [\"sim:piv,name=One\", \"sim:piv,name=Two\"]\n";
    for (text, expected) in
        [(two, &["One", "Two"][..]), ("", &[]), ("nonsense", &[]), (one, &["One"])]
    {
        fs::write(&config, text).expect("the configuration can be written");
        daemon.signal(Signal::HUP);
        if text == "nonsense" {
            // Nothing changes; the next reload shows it.
            continue;
        }
        loop {
            let names = names(&watcher.watch());
            if names[1..] == *expected {
                watcher.stop_watching();
                watcher.read_words(2);
                break;
            }
            assert_eq!(watcher.read_words(2), [0, SUCCESS]);
        }
        assert!(client.transmit(card, SELECT).is_ok(), "nobody touched this card");
    }
    assert_eq!(client.end(card), SUCCESS);
}

/// The names in a reader table.
fn names(table: &[u8]) -> Vec<String> {
    let names = table.chunks(ENTRY).map(|entry| {
        let end = entry.iter().position(|byte| *byte == 0).expect("a name ends");
        String::from_utf8(entry[..end].to_vec()).expect("a name is text")
    });
    names.filter(|name| !name.is_empty()).collect()
}

#[test]
fn sockets_and_readiness_of_a_service_manager_are_used() {
    let directory = Directory::new();
    let path = directory.join("passed");
    let listener: OwnedFd = UnixListener::bind(&path).expect("the path is free").into();
    let notices = UnixDatagram::bind(directory.join("notify")).expect("the path is free");
    notices.set_read_timeout(Some(DEADLINE)).expect("a time limit can be set");
    let notice = || {
        let mut text = [0; 256];
        let bytes = notices.recv(&mut text).expect("the daemon tells us");
        String::from_utf8_lossy(&text[..bytes]).into_owned()
    };
    let mut daemon = Command::new("sh")
        .args(["-c", "LISTEN_FDS=1 LISTEN_PID=$$ exec \"$0\" --reader sim:piv 3<&0 </dev/null"])
        .arg(env!("CARGO_BIN_EXE_scard-rm"))
        .env("NOTIFY_SOCKET", directory.join("notify"))
        .stdin(listener)
        .stderr(Stdio::null())
        .spawn()
        .expect("a shell starts");
    assert_eq!(notice().trim(), "READY=1");
    let mut raw = Raw::connect(&path);
    assert_eq!(raw.major_version(), Some(4));
    let pid = i32::try_from(daemon.id()).ok().and_then(rustix::process::Pid::from_raw);
    let pid = pid.expect("it has a number");
    rustix::process::kill_process(pid, Signal::HUP).expect("it is there");
    let reloading = notice();
    assert!(reloading.starts_with("RELOADING=1\nMONOTONIC_USEC="), "{reloading}");
    assert_eq!(notice().trim(), "READY=1");
    rustix::process::kill_process(pid, Signal::TERM).expect("it is there");
    assert_eq!(notice().trim(), "STOPPING=1");
    assert!(daemon.wait().expect("it is our child").success());
    assert!(path.exists(), "a passed socket is not ours to remove");
}

/// A daemon on a socket that the test holds, as a service manager would; killed with the test.
struct Passed(Child);

impl Passed {
    fn start(listener: &UnixListener) -> Self {
        let listener = listener.try_clone().expect("a descriptor is free");
        let mut child = Command::new("sh")
            .args(["-c", "LISTEN_FDS=1 LISTEN_PID=$$ exec \"$0\" \"$@\" 3<&0 </dev/null"])
            .arg(env!("CARGO_BIN_EXE_scard-rm"))
            .args(["--reader", "sim:piv", "--ready-fd", "1"])
            .stdin(OwnedFd::from(listener))
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("a shell starts");
        assert_eq!(first_line(&mut child), "ready\n");
        Self(child)
    }

    fn end(&mut self, signal: Signal) {
        let pid = i32::try_from(self.0.id()).ok().and_then(rustix::process::Pid::from_raw);
        rustix::process::kill_process(pid.expect("it has a number"), signal).expect("it is there");
        self.0.wait().expect("it is our child");
    }
}

impl Drop for Passed {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn whoever_connects_between_two_daemons_is_served_by_the_second() {
    let directory = Directory::new();
    let path = directory.join("passed");
    let listener = UnixListener::bind(&path).expect("the path is free");
    let mut daemon = Passed::start(&listener);
    for signal in [Signal::TERM, Signal::KILL, Signal::TERM] {
        let mut there = Raw::connect(&path);
        assert_eq!(there.major_version(), Some(4));
        daemon.end(signal);
        assert_eq!(there.until_closed().len(), 11, "the rest of its version, and then the end");
        let mut waiting: Vec<_> = (0..32).map(|_| Raw::connect(&path)).collect();
        daemon = Passed::start(&listener);
        for client in &mut waiting {
            assert_eq!(client.major_version(), Some(4));
        }
    }
}

#[test]
fn a_daemon_that_is_started_again_counts_events_from_somewhere_else() {
    let state = Directory::new();
    let state = state.join(".");
    let options = ["--reader", "sim:piv", "--state-dir", state.to_str().expect("text")];
    let counters = || {
        let daemon = Daemon::with(&options, "");
        let mut client = Stock::new(&daemon, 5);
        client.send(0x12, &[]);
        let table = client.raw.read(16 * ENTRY);
        let of_card = u32::from_ne_bytes(table[128..132].try_into().expect("four bytes"));
        client.send(0x15, &[]);
        (of_card, client.read_words(2)[0])
    };
    assert_eq!(counters(), (1, 2), "as pcscd");
    let (of_card, of_readers) = counters();
    assert!(of_card > 100 && of_readers > 100, "{of_card}, {of_readers}");
}

#[test]
fn mistakes_are_explained_before_anything_is_served() {
    let directory = Directory::new();
    let config = directory.join("config");
    for (options, config_text, expected) in [
        (&["--reader", "sim"][..], "", "write DRIVER:REST"),
        (&["--reader", "usb:1"], "", "there is no driver \"usb\""),
        (&["--reader", "sim:dog"], "", "driver sim"),
        (&["--reader", "vpcd:0.0.0.0:0"], "", "add listen-anywhere"),
        (&["--config", "CONFIG"], "socket = 1", "unknown field"),
        (&["--config", "/does/not/exist"], "", "cannot be read"),
        (&["--ready-fd", "99"], "", "--ready-fd 99 cannot be used"),
        (&["--exit-on-eof-of-fd", "99"], "", "--exit-on-eof-of-fd 99 cannot be used"),
        (&["--socket", "/dev/null"], "", "something that is no socket has this name"),
        (&["--socket", "/does/not/exist"], "", "directory /does/not"),
    ] {
        fs::write(&config, config_text).expect("the configuration can be written");
        let mut command = Command::new(env!("CARGO_BIN_EXE_scard-rm"));
        if !options.contains(&"--socket") {
            command.arg("--socket").arg(directory.join("socket"));
        }
        for option in options {
            command.arg(if *option == "CONFIG" { config.as_os_str() } else { option.as_ref() });
        }
        let output = command.stdin(Stdio::null()).output().expect("the program starts");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success(), "{options:?}");
        assert!(said.contains(expected), "{options:?}: {said}");
    }
    assert!(fs::symlink_metadata("/dev/null").expect("it is there").file_type().is_char_device());
}

#[test]
fn a_daemon_with_nothing_to_do_does_nothing() {
    let daemon = Daemon::with(&["--reader", "sim:piv"], "[limits]\ngrace-ms = 1\n");
    let (mut client, card) = Stock::with_card(&daemon);
    assert!(client.transmit(card, SELECT).is_ok());
    assert_eq!(client.disconnect(card), SUCCESS);
    let mut waiter = Stock::new(&daemon, 4);
    waiter.establish();
    waiter.watch();
    let quiet = |stock: &Stock, time| {
        stock.raw.stream().set_read_timeout(Some(time)).expect("a time limit can be set");
        let mut byte = [0];
        std::io::Read::read(&mut stock.raw.stream(), &mut byte).expect_err("nothing is said");
    };
    // The card loses its power in this time.
    quiet(&waiter, Duration::from_millis(300));
    let before = daemon.status("voluntary_ctxt_switches:");
    quiet(&waiter, Duration::from_millis(700));
    assert_eq!(daemon.status("voluntary_ctxt_switches:"), before);
}

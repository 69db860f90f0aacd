//! Our `libpcsclite.so.1` under valgrind, with programs in C that make every call with good and bad arguments, in one
//! thread and in several, over both wires: no error, no leak, not even of what can still be reached, and no descriptor
//! left open.

use clients::c_program::compile;
use clients::child::HANGS;
use clients::daemon::Service;
use clients::stage::{Library, Manager, Stage};

/// `probe` makes every call, `work` is what programs do, and in `threads` several share a context: for minutes with
/// pcscd, whose clients ask for a card that is taken ten times a second.
fn finds_nothing(manager: Manager, programs: &[&str]) {
    let stage = Stage { library: Library::Ours, manager };
    let mut service = Service::start(manager, &format!("valgrind-{manager:?}"), "piv");
    service.insert(0);
    for name in programs {
        let program = compile(name, service.folder());
        let wait = HANGS.as_secs() * 3;
        let mut command = stage.command("timeout", &service);
        command.arg(wait.to_string()).arg("valgrind");
        command.args(["--leak-check=full", "--show-leak-kinds=all", "--errors-for-leak-kinds=all"]);
        command.args(["--track-fds=yes", "--error-exitcode=99", "-q"]).arg(&program);
        // Otherwise calls that would wait for somebody else wait for ever: there is nobody else.
        command.env("PCSCLITE_NO_BLOCKING", "1").stdin(std::process::Stdio::null());
        let output = command.output().expect("timeout starts");
        let report = String::from_utf8_lossy(&output.stderr).into_owned();
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        let code = output.status.code();
        assert_eq!(code, Some(0), "{name} with {manager:?}:\n{report}\n{said}");
        let open = left_open(&report);
        assert!(open.is_empty(), "{name} with {manager:?}: {open:?}");
    }
}

/// The descriptors that are open at the end and were not there at the beginning: each is followed by who opened it.
fn left_open(report: &str) -> Vec<&str> {
    let lines: Vec<&str> = report.lines().filter(|line| line.starts_with("==")).collect();
    let opened =
        |pair: &&[&str]| pair[0].contains(" Open ") && !pair[1].contains("<inherited from parent>");
    lines.windows(2).filter(opened).map(|pair| pair[0]).collect()
}

#[test]
fn valgrind_finds_nothing_over_our_wire() {
    finds_nothing(Manager::Ours, &["probe", "work", "threads"]);
}

#[test]
fn valgrind_finds_nothing_over_the_wire_of_debian_pcscd() {
    finds_nothing(Manager::DebianPcscd, &["probe", "work"]);
}

#[test]
fn a_descriptor_that_is_left_open_would_be_seen() {
    let inherited = "==1== Open file descriptor 2:\n==1==    <inherited from parent>\n";
    assert!(left_open(inherited).is_empty());
    let opened = "==1== Open AF_UNIX socket 3: <unknown>\n==1==    at 0x1: socket (in libc)\n";
    assert_eq!(left_open(opened).len(), 1);
}

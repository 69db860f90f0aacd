//! Calls of the kernel that fail, in the daemon and in programs with each library (`strace -e inject`): documented codes,
//! recovery after the documented step, and nobody else notices.
//!
//! Two faults of this kind have no meaning and are absent: an answer of the kernel that it never gives (`EAGAIN` from a
//! socket that is ready wakes nobody later, for the kernel has nothing more to say), and half a message that the kernel
//! says it took from the daemon and did not (its client waits for the rest).

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use clients::c_program::compile;
use clients::child::Talker;
use clients::judge::{Said, said};
use clients::stage::{Library, dist};

/// What a program may be told while something fails, and what it does about it: a new context.
const NO_SERVICE: &str = "8010001D";
const COMM_ERROR: &str = "80100013";
const NO_MEMORY: &str = "80100006";
const INTERNAL_ERROR: &str = "80100001";
/// What the stock library makes of a connection that is closed before all that it sent was read.
const SECURITY_VIOLATION: &str = "8010006A";
/// A card handle of a connection that is lost; the context has another one (docs/restart.md).
const READER_UNAVAILABLE: &str = "80100017";
const LOST: &[&str] = &[NO_SERVICE, COMM_ERROR, READER_UNAVAILABLE];
const NOTHING: &[&str] = &[];

/// A system call, how it fails and when, and the codes that a program may see.
struct Fault {
    call: &'static str,
    how: &'static str,
    codes: &'static [&'static str],
}

const fn fault(call: &'static str, how: &'static str, codes: &'static [&'static str]) -> Fault {
    Fault { call, how, codes }
}

const IN_THE_DAEMON: &[Fault] = &[
    fault("accept4", "error=EINTR:when=1", NOTHING),
    fault("accept4", "error=ECONNABORTED:when=1", NOTHING),
    fault("accept4", "error=EMFILE:when=1..2", NOTHING),
    fault("accept4", "error=ENFILE:when=1", NOTHING),
    fault("accept4", "error=ENOMEM:when=1", NOTHING),
    fault("epoll_wait", "error=EINTR:when=3+2", NOTHING),
    fault("epoll_ctl", "error=ENOMEM:when=7..8", LOST),
    fault("recvfrom", "error=EINTR:when=2+3", NOTHING),
    fault("recvfrom", "error=ECONNRESET:when=1", LOST),
    fault("recvfrom", "error=ECONNRESET:when=5", LOST),
    fault("recvfrom", "error=ENOMEM:when=4", LOST),
    fault("recvfrom", "retval=0:when=6", LOST),
    fault("sendto", "error=EINTR:when=2+3", LOST),
    fault("sendto", "error=EPIPE:when=3", LOST),
    fault("sendto", "error=ECONNRESET:when=4", LOST),
    fault("sendto", "error=ENOBUFS:when=2", LOST),
    fault("sendmsg", "error=EPIPE:when=1", LOST),
    fault("sendmsg", "error=EINTR:when=1", NOTHING),
    fault("write", "error=EINTR:when=4+4", NOTHING),
];

const IN_OUR_LIBRARY: &[Fault] = &[
    fault("socket", "error=EMFILE:when=1", &[NO_SERVICE, NO_MEMORY, INTERNAL_ERROR]),
    fault("socket", "error=ENFILE:when=1", &[NO_SERVICE, NO_MEMORY, INTERNAL_ERROR]),
    fault("socket", "error=ENOMEM:when=1", &[NO_SERVICE, NO_MEMORY, INTERNAL_ERROR]),
    fault("connect", "error=EINTR:when=1", NOTHING),
    fault("connect", "error=ECONNREFUSED:when=1", LOST),
    fault("connect", "error=EAGAIN:when=1", LOST),
    fault("sendto", "error=EINTR:when=1+2", NOTHING),
    fault("sendto", "error=EPIPE:when=4", LOST),
    fault("sendto", "error=ECONNRESET:when=6", LOST),
    fault("sendto", "error=ENOBUFS:when=3", LOST),
    fault("sendto", "retval=3:when=5", LOST),
    fault("sendmsg", "error=EINTR:when=1", NOTHING),
    fault("sendmsg", "error=EPIPE:when=1", LOST),
    fault("recvfrom", "error=EINTR:when=1+2", NOTHING),
    fault("recvfrom", "error=ECONNRESET:when=1", LOST),
    fault("recvfrom", "error=ECONNRESET:when=7", LOST),
    fault("recvfrom", "error=ENOMEM:when=5", LOST),
    fault("recvfrom", "retval=0:when=4", LOST),
    fault("getrandom", "error=ENOSYS:when=1", NOTHING),
];

/// The stock library takes some of these for the end of the connection; the daemon has to serve its next context.
const IN_THE_STOCK_LIBRARY: &[Fault] = &[
    fault("connect", "error=ECONNREFUSED:when=1", LOST),
    fault("sendto", "error=EPIPE:when=3", LOST),
    fault("sendto", "error=EINTR:when=2", NOTHING),
    fault("sendto", "retval=3:when=7", LOST),
    fault("poll", "error=EINTR:when=3", &[NO_SERVICE, COMM_ERROR, INTERNAL_ERROR]),
];

/// Logs of strace.
const OF_THE_DAEMON: &str = "calls-of-the-daemon";
const OF_THE_PROGRAM: &str = "calls-of-the-program";

/// A daemon, a program that works with its card, and a folder.
struct Scene {
    folder: PathBuf,
    program: PathBuf,
    daemon: Option<Talker>,
}

impl Scene {
    fn new(name: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("scard-{}-{name}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).expect("a folder of its own");
        let program = compile("work", &folder);
        Self { folder, program, daemon: None }
    }

    /// A daemon, behind these words of strace if there are any.
    fn serve(&mut self, faults: &[String]) {
        self.end();
        let scard_rm = dist().join("bin/scard-rm");
        let mut command = match faults {
            [] => Command::new(scard_rm),
            faults => {
                let mut command = strace(&self.folder.join(OF_THE_DAEMON), faults);
                command.arg(scard_rm);
                command
            }
        };
        command.arg("--socket").arg(self.folder.join("socket"));
        command.args(["--reader", "sim:piv", "--ready-fd", "1", "--exit-on-eof-of-fd", "0"]);
        let log = fs::File::create(self.folder.join("log")).expect("our own folder");
        let daemon = Talker::start("scard-rm", command.stderr(log));
        assert_eq!(daemon.hear(), "ready");
        self.daemon = Some(daemon);
    }

    /// Has the program work once.
    fn work(&self, library: Library, faults: &[String]) -> Said {
        let mut command = Command::new("timeout");
        command.arg("20");
        if !faults.is_empty() {
            let strace = strace(&self.folder.join(OF_THE_PROGRAM), faults);
            command.arg(strace.get_program()).args(strace.get_args());
        }
        command.arg(&self.program).env("PCSCLITE_CSOCK_NAME", self.folder.join("socket"));
        command.env_remove("LD_LIBRARY_PATH").env_remove("SCARD_SOCKET");
        if library == Library::Ours {
            command.env("LD_LIBRARY_PATH", dist().join("lib"));
        }
        said(&mut command, "")
    }

    /// Whoever comes next notices nothing.
    fn serves_the_next(&self, after: &str) {
        for library in [Library::Ours, Library::Stock] {
            let next = self.work(library, &[]);
            assert_eq!(next.text, "served\n", "after {after}, {library:?}");
        }
    }

    /// How many lines of that log of strace have that word.
    fn count(&self, log: &str, word: &str) -> usize {
        let calls = fs::read_to_string(self.folder.join(log)).expect("strace has written it");
        calls.lines().filter(|line| line.contains(word)).count()
    }

    /// A fault that never happens judges nobody.
    fn happened(&self, log: &str, fault: &Fault, library: Library) {
        assert!(self.count(log, "(INJECTED)") > 0, "{}: it never happens", fault.line(library));
    }

    fn end(&mut self) {
        if let Some(mut daemon) = self.daemon.take() {
            daemon.stop();
        }
    }
}

impl Drop for Scene {
    fn drop(&mut self) {
        // The daemon ends with its input, also behind strace.
        self.daemon = None;
        let _ = fs::remove_dir_all(&self.folder);
    }
}

fn strace(log: &Path, faults: &[String]) -> Command {
    let mut command = Command::new("strace");
    command.args(["-f", "-qq", "-o"]).arg(log).args(faults);
    command
}

impl Fault {
    fn words(&self) -> Vec<String> {
        let Self { call, how, .. } = self;
        ["-e".into(), format!("trace={call}"), "-e".into(), format!("inject={call}:{how}")].into()
    }

    fn line(&self, library: Library) -> String {
        format!("{} {}, {library:?} library", self.call, self.how)
    }

    /// It ended well, and what it saw on the way is documented.
    fn judge(&self, library: Library, said: &Said) {
        let line = self.line(library);
        let lines: Vec<&str> = said.text.lines().collect();
        println!("{line}: {lines:?}");
        assert_eq!(lines.last(), Some(&"served"), "{line}: {}", said.text);
        for seen in &lines[..lines.len() - 1] {
            let code = seen.split(' ').next().unwrap_or_default();
            let reset = library == Library::Stock && code == SECURITY_VIOLATION;
            let documented = self.codes.contains(&code) || (reset && !self.codes.is_empty());
            assert!(documented, "{line}: {seen}");
        }
    }
}

#[test]
fn strace_faults_in_the_daemon_are_survived_by_it_and_its_clients() {
    let mut scene = Scene::new("faults-in-the-daemon");
    for fault in IN_THE_DAEMON {
        for library in [Library::Ours, Library::Stock] {
            scene.serve(&fault.words());
            let said = scene.work(library, &[]);
            fault.judge(library, &said);
            scene.end();
            scene.happened(OF_THE_DAEMON, fault, library);
        }
    }
}

#[test]
fn strace_faults_in_our_library_are_told_with_documented_codes() {
    let mut scene = Scene::new("faults-in-our-library");
    scene.serve(&[]);
    for fault in IN_OUR_LIBRARY {
        let said = scene.work(Library::Ours, &fault.words());
        fault.judge(Library::Ours, &said);
        scene.happened(OF_THE_PROGRAM, fault, Library::Ours);
        scene.serves_the_next(fault.how);
    }
}

#[test]
fn strace_faults_in_the_stock_library_do_not_disturb_the_daemon() {
    let mut scene = Scene::new("faults-in-the-stock-library");
    scene.serve(&[]);
    for fault in IN_THE_STOCK_LIBRARY {
        let said = scene.work(Library::Stock, &fault.words());
        fault.judge(Library::Stock, &said);
        scene.happened(OF_THE_PROGRAM, fault, Library::Stock);
        scene.serves_the_next(fault.how);
    }
}

#[test]
fn strace_shows_no_spinning_while_no_descriptor_is_free() {
    let mut scene = Scene::new("faults-exhausted");
    let fault = fault("accept4", "error=EMFILE:when=1..3", NOTHING);
    scene.serve(&fault.words());
    let said = scene.work(Library::Ours, &[]);
    fault.judge(Library::Ours, &said);
    scene.end();
    // Three that fail, one that brings the client, and one more that finds nobody.
    let made = scene.count(OF_THE_DAEMON, " accept4(");
    assert!((4..=6).contains(&made), "{made} calls");
}

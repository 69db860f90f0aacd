//! Programs in C, run with our library: what they may rely on and what they must not notice.
//!
//! Each program checks itself and says what was not as it should be; the tests provide the daemon and move the cards.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test ends at its first surprise"
)]

#[path = "support/daemon.rs"]
mod daemon;
mod support;

use std::fs::{self, Permissions};
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use daemon::Daemon;
use tempfile::TempDir;

/// The name that the simulator gives its first reader.
const READER: &str = "scard Virtual PIV Reader 00 00";

/// A program of `winscard-shim/tests`, compiled and ready to run with our library against a daemon.
struct Stage {
    folder: TempDir,
    daemon: Daemon,
    program: PathBuf,
}

impl Stage {
    fn new(source: &str) -> Option<Self> {
        if !support::has_compiler() {
            return None;
        }
        let folder = support::installed();
        let daemon = Daemon::start(&folder)?;
        let program = support::compile(source, folder.path(), true);
        Some(Self { folder, daemon, program })
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        command
            .env("LD_LIBRARY_PATH", self.folder.path())
            .env("PCSCLITE_CSOCK_NAME", self.daemon.socket())
            .env_remove("SCARD_SOCKET")
            .env_remove("PCSCLITE_NO_BLOCKING");
        command
    }

    fn run(&self) {
        support::printed("the program", &self.command().output().unwrap());
    }
}

/// A program that tells what it is about to do, line by line, and may wait for an answer.
struct Talker {
    process: Child,
    says: BufReader<ChildStdout>,
    hears: ChildStdin,
}

impl Talker {
    fn start(mut command: Command) -> Self {
        let mut process = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let says = BufReader::new(process.stdout.take().unwrap());
        let hears = process.stdin.take().unwrap();
        Self { process, says, hears }
    }

    fn next(&mut self) -> String {
        let mut line = String::new();
        self.says.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }

    fn answer(&mut self) {
        self.hears.write_all(b"go on\n").unwrap();
    }

    fn ends_well(mut self) {
        assert!(self.process.wait().unwrap().success());
    }
}

#[test]
fn a_forked_child_starts_from_nothing_and_leaves_its_parent_alone() {
    if let Some(stage) = Stage::new("forking.c") {
        stage.run();
    }
}

#[test]
fn threads_share_a_context_and_one_cancels_the_wait_of_another() {
    if let Some(stage) = Stage::new("threads.c") {
        stage.run();
    }
}

#[test]
fn programs_wait_for_the_card_unless_they_say_no_blocking() {
    if let Some(stage) = Stage::new("patience.c") {
        stage.run();
        let out = stage.command().env("PCSCLITE_NO_BLOCKING", "1").output().unwrap();
        support::printed("without blocking", &out);
    }
}

/// With pcsc-lite 2.1 and later nothing is replaced: a variable names the library that does the work.
#[test]
fn the_library_works_behind_pcsc_lites_redirector() {
    if let Some(stage) = Stage::new("threads.c") {
        let front = tempfile::tempdir().unwrap();
        let redirector = support::compile_shared("redirect.c", front.path());
        fs::rename(redirector, front.path().join("libpcsclite.so.1")).unwrap();
        let behind = |library: &Path| {
            let mut command = stage.command();
            command.env("LD_LIBRARY_PATH", front.path()).env("LIBPCSCLITE_DELEGATE", library);
            command.output().unwrap()
        };
        support::printed("behind it", &behind(&stage.folder.path().join("libpcsclite_real.so.1")));
        let nowhere = behind(Path::new("/nonexistent/libpcsclite.so.1"));
        assert!(!nowhere.status.success(), "the redirector was in between");
    }
}

#[test]
fn a_thousand_times_loaded_and_unloaded_leaves_nothing_behind() {
    if let Some(stage) = Stage::new("unload.c") {
        let library = stage.folder.path().join("libpcsclite.so.1");
        let out = stage.command().arg(&library).arg("0").output().unwrap();
        support::printed("with a daemon", &out);
        let out = stage
            .command()
            .arg(&library)
            .arg("8010001D")
            .env("PCSCLITE_CSOCK_NAME", "/nonexistent/socket")
            .output()
            .unwrap();
        support::printed("without a daemon", &out);
    }
}

#[test]
fn cards_that_come_and_go_are_seen_each_time() {
    let Some(stage) = Stage::new("events.c") else { return };
    let mut program = Talker::start(stage.command());
    loop {
        match &*program.next() {
            "done" => break,
            word @ ("insert" | "remove") => {
                stage.daemon.tell_simulator(&format!("{word} {READER}"));
            }
            "swap" => {
                stage.daemon.tell_simulator(&format!("remove {READER}"));
                stage.daemon.tell_simulator(&format!("insert {READER}"));
                program.answer();
            }
            other => panic!("{other}"),
        }
    }
    program.ends_well();
}

#[test]
fn a_process_does_not_notice_the_library_and_survives_the_daemon() {
    let Some(mut stage) = Stage::new("quiet.c") else { return };
    let mut program = Talker::start(stage.command());
    assert_eq!(program.next(), "waiting");
    // The program may be between its word and its call: either way its connection ends, and it is told.
    stage.daemon.kill();
    assert_eq!(program.next(), "nobody there");
    stage.daemon = Daemon::start(&stage.folder).unwrap();
    program.answer();
    assert_eq!(program.next(), "done");
    program.ends_well();
}

#[test]
fn contexts_outlive_the_daemon_and_cards_do_not() {
    let Some(mut stage) = Stage::new("restart.c") else { return };
    let mut program = Talker::start(stage.command());
    loop {
        let word = program.next();
        if word == "done" {
            break;
        }
        stage.daemon.kill();
        match &*word {
            "restart" => stage.daemon = Daemon::start(&stage.folder).unwrap(),
            "stop" => {}
            other => panic!("{other}"),
        }
        program.answer();
    }
    program.ends_well();
}

#[test]
fn either_variable_names_the_socket_and_ours_comes_first() {
    let Some(stage) = Stage::new("borrowed.c") else { return };
    let nowhere = Path::new("/nonexistent/socket");
    let said = |ours: Option<&Path>, theirs: Option<&Path>| {
        let mut command = stage.command();
        command.env_remove("PCSCLITE_CSOCK_NAME");
        command.envs(ours.map(|path| ("SCARD_SOCKET", path)));
        command.envs(theirs.map(|path| ("PCSCLITE_CSOCK_NAME", path)));
        support::printed("borrowed", &command.output().unwrap()).trim_end().to_owned()
    };
    let socket = stage.daemon.socket();
    assert_eq!(said(Some(socket), None), "0 own");
    assert_eq!(said(None, Some(socket)), "0 own");
    assert_eq!(said(Some(socket), Some(nowhere)), "0 own");
    assert_eq!(said(Some(nowhere), Some(socket)), "8010001D own");
    assert_eq!(said(None, Some(nowhere)), "8010001D own");
}

#[test]
fn a_setuid_program_believes_neither_variable() {
    let Some(stage) = Stage::new("borrowed.c") else { return };
    if Path::new(scard_client::DEFAULT_SOCKET).exists() {
        return support::not_run("somebody listens on the default socket");
    }
    // The loader takes no LD_LIBRARY_PATH from the user of such a program either.
    let folder = tempfile::tempdir().unwrap();
    fs::copy(support::library(), folder.path().join("libpcsclite.so.1")).unwrap();
    fs::copy(support::library(), folder.path().join("libpcsclite.so")).unwrap();
    let program = support::compile_at_home("borrowed.c", folder.path());
    let mode = |path: &Path, mode| fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
    mode(folder.path(), 0o755);
    mode(stage.folder.path(), 0o755);
    let said = || {
        Command::new("setpriv")
            .args(["--reuid=65534", "--regid=65534", "--clear-groups"])
            .arg(&program)
            .env("SCARD_SOCKET", stage.daemon.socket())
            .env("PCSCLITE_CSOCK_NAME", stage.daemon.socket())
            .output()
            .unwrap()
    };
    let out = said();
    if !out.status.success() {
        return println!("not run: it takes root to lend rights");
    }
    assert_eq!(support::printed("borrowed", &out), "0 own\n");
    mode(&program, 0o4755);
    match &*support::printed("borrowed", &said()) {
        "0 own\n" => println!("not run: the temporary folder lends no rights (nosuid)"),
        line => assert_eq!(line, "8010001D borrowed\n"),
    }
}

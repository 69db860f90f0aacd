//! Our daemon with a virtual card, for one test.

use std::env;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use scard_client::{Endpoint, Session};
use tempfile::TempDir;

/// Runs until it is dropped, or until the test dies: it watches its standard input.
pub(crate) struct Daemon {
    process: Child,
    socket: PathBuf,
}

impl Daemon {
    /// With one virtual PIV card, listening in `folder`; none, and said so, where it was not built.
    pub(crate) fn start(folder: &TempDir) -> Option<Self> {
        Self::start_with(folder, "sim:piv")
    }

    /// The same with a reader of one's own.
    pub(crate) fn start_with(folder: &TempDir, reader: &str) -> Option<Self> {
        let Some(program) = program() else {
            crate::support::not_run("no daemon (cargo build -p scard-rm)");
            return None;
        };
        let socket = folder.path().join("pcscd.comm");
        let mut process = Command::new(program)
            .args(["--ready-fd", "1", "--exit-on-eof-of-fd", "0", "--log", "warn"])
            .args(["--reader", reader])
            .arg("--socket")
            .arg(&socket)
            .arg("--state-dir")
            .arg(folder.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the daemon starts");
        let mut ready = String::new();
        let said = process.stdout.take().expect("it was piped");
        BufReader::new(said).read_line(&mut ready).expect("the daemon speaks");
        assert_eq!(ready, "ready\n", "the daemon did not come up");
        Some(Self { process, socket })
    }

    pub(crate) fn socket(&self) -> &Path {
        &self.socket
    }

    /// What the virtual readers are told: `insert`, `remove` or `status` and the name of a reader.
    pub(crate) fn tell_simulator(&self, command: &str) {
        let session = Session::open(&Endpoint::at(&self.socket)).expect("the daemon answers");
        let answer =
            session.driver_command("sim", command.as_bytes()).expect("the simulator answers");
        let answer = String::from_utf8_lossy(&answer);
        assert!(!answer.contains("\"error\""), "{command}: {answer}");
    }

    /// Kills it.
    pub(crate) fn kill(&mut self) {
        self.process.kill().expect("the daemon runs");
        self.process.wait().expect("the daemon ends");
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        // After `kill` there is nobody any more.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// `SCARD_RM`, else what cargo built in the same folder.
fn program() -> Option<PathBuf> {
    let built = || Some(env::current_exe().ok()?.parent()?.parent()?.join("scard-rm"));
    env::var_os("SCARD_RM").map(PathBuf::from).or_else(built).filter(|path| path.exists())
}

//! Runs the command line as a user does, each time with a directory of its own for private resource managers.
#![allow(dead_code, reason = "each test file uses its own part of this")]

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use tempfile::TempDir;

/// The program under test.
pub(crate) const SCARD: &str = env!("CARGO_BIN_EXE_scard");

/// A card that is the same each time, in a reader with a name of its own.
pub(crate) const CARD: &str =
    "piv,name=\"Reader one\",seed=7,serial=7,9a=p256,9c=none,9d=none,9e=none";

/// A place to run in; at its end nothing may be left there.
pub(crate) struct Place(TempDir);

impl Place {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    /// `scard` with these arguments, and an environment that names no other resource manager.
    pub(crate) fn scard(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(SCARD);
        command.args(arguments).stdin(Stdio::null()).env("XDG_RUNTIME_DIR", self.path());
        command.env_remove("PCSCLITE_CSOCK_NAME").env("SCARD_SOCKET", self.path().join("nobody"));
        command
    }

    /// Runs `scard run --card SPEC scard ARGUMENTS`.
    pub(crate) fn with_card(&self, spec: &str, arguments: &[&str]) -> Output {
        let run = ["run", "--card", spec, "--", SCARD];
        self.scard(&[&run[..], arguments].concat()).output().unwrap()
    }

    pub(crate) fn is_empty(&self) -> bool {
        fs::read_dir(self.path()).unwrap().count() == 0
    }
}

/// A private resource manager that serves until its standard input ends.
pub(crate) struct Manager(Child, pub(crate) String);

impl Manager {
    pub(crate) fn new(place: &Place) -> Self {
        let script = "echo $SCARD_SOCKET; read line";
        let mut child = place
            .scard(&["run", "--card", CARD, "sh", "-c", script])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut socket = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut socket).unwrap();
        Self(child, socket.trim_end().to_owned())
    }
}

impl Drop for Manager {
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        let _ = self.0.wait();
    }
}

/// Standard output, which is text.
pub(crate) fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// Standard error, which is text.
pub(crate) fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

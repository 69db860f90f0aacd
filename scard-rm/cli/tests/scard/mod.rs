//! Runs the command line as a user does, each time with a directory of its own for private resource managers.
#![allow(dead_code, reason = "each test file uses its own part of this")]

use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

/// The program under test.
pub(crate) const SCARD: &str = env!("CARGO_BIN_EXE_scard");

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

/// Standard output, which is text.
pub(crate) fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// Standard error, which is text.
pub(crate) fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

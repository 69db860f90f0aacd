//! Which library, and which daemon.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::daemon::Service;

/// Whose `libpcsclite.so.1` programs are loaded with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Library {
    /// The one that the distribution installed.
    Stock,
    /// The one of `cargo xtask dist`.
    Ours,
}

/// Whose resource manager serves them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manager {
    /// `scard-rm` of `cargo xtask dist`, with virtual readers.
    Ours,
    /// Debian's pcscd with the vpcd driver, in namespaces of its own. Only root can do that.
    DebianPcscd,
}

/// Where a test is played.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stage {
    /// Whose library.
    pub library: Library,
    /// Whose daemon.
    pub manager: Manager,
}

impl Stage {
    /// Its short name in journeys.
    #[must_use]
    pub fn manager_word(self) -> &'static str {
        match self.manager {
            Manager::Ours => "scard",
            Manager::DebianPcscd => "pcscd",
        }
    }

    /// Whose library, in journeys.
    #[must_use]
    pub fn library_word(self) -> &'static str {
        match self.library {
            Library::Ours => "ours",
            Library::Stock => "stock",
        }
    }

    /// Makes a program find its library and its daemon.
    pub fn prepare(self, command: &mut Command, service: &Service) {
        command.env_remove("LD_LIBRARY_PATH").env_remove("SCARD_SOCKET");
        if self.library == Library::Ours {
            command.env("LD_LIBRARY_PATH", dist().join("lib"));
        }
        if let Some(socket) = service.socket() {
            command.env("PCSCLITE_CSOCK_NAME", socket);
        }
    }

    /// A command that runs in the daemon's namespaces, with its library and its socket.
    #[must_use]
    pub fn command(self, program: impl AsRef<Path>, service: &Service) -> Command {
        let mut command = service.enter(program.as_ref());
        self.prepare(&mut command, service);
        command
    }
}

/// What `cargo xtask dist` laid out for us.
#[must_use]
pub fn dist() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/dist")
}

/// A program of this package, or (`examples/NAME`) an example of the `pcsc` crate.
///
/// # Panics
/// If the test program does not stand where cargo puts it.
#[must_use]
pub fn built(program: &str) -> PathBuf {
    let test = std::env::current_exe().expect("a test is a program");
    test.ancestors().nth(2).expect("below deps").join(program)
}

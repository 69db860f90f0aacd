//! A resource manager of our own, for one command: a child of this process on a socket that nobody else knows.

mod room;

use std::io::{self, Read};
use std::os::fd::AsFd;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, pidfd_open};

pub(crate) use room::Room;

use crate::failure::Failure;

/// How long it may take until it serves, or until it has ended.
const PATIENCE: Duration = Duration::from_secs(30);

/// What a service manager gave to this process, and not to a child of it.
const SERVICE_VARIABLES: [&str; 6] = [
    "LISTEN_FDS",
    "LISTEN_FDNAMES",
    "LISTEN_PID",
    "NOTIFY_SOCKET",
    "WATCHDOG_PID",
    "WATCHDOG_USEC",
];

/// A running private resource manager. Dropping it ends it and removes what it left.
///
/// Its standard input is a pipe from this process: when this process ends in whatever way, the kernel closes the
/// pipe, and the resource manager reads the end and goes.
#[derive(Debug)]
pub(crate) struct PrivateDaemon {
    child: Child,
    room: Room,
}

impl PrivateDaemon {
    /// Starts `program` (this very executable) as a resource manager with these readers and waits until it serves.
    ///
    /// # Errors
    /// [`Failure::NoRoom`] and [`Failure::Daemon`].
    pub(crate) fn start(
        program: &Path,
        bases: &[PathBuf],
        readers: &[String],
    ) -> Result<Self, Failure> {
        let room = Room::open(bases)?;
        let log = room.log().map_err(|error| not_started(&error))?;
        let mut command = Command::new(program);
        command.arg("daemon").arg("--socket").arg(room.socket());
        for reader in readers {
            command.arg("--reader").arg(reader);
        }
        command.args(["--exit-on-eof-of-fd", "0", "--ready-fd", "1"]);
        for variable in SERVICE_VARIABLES {
            command.env_remove(variable);
        }
        // A group of its own: Ctrl-C is for the command that works with it, which may want its card to clean up.
        command.process_group(0);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(log);
        let child = command.spawn().map_err(|error| not_started(&error))?;
        let mut daemon = Self { child, room };
        if daemon.serves().map_err(|error| not_started(&error))? {
            return Ok(daemon);
        }
        daemon.end();
        Err(Failure::Daemon { said: daemon.room.last_words() })
    }

    /// Where it listens.
    #[must_use]
    pub(crate) fn socket(&self) -> PathBuf {
        self.room.socket()
    }

    /// What it said, if it has ended although nobody told it to.
    ///
    /// # Errors
    /// [`Failure::Daemon`].
    pub(crate) fn check(&mut self) -> Result<(), Failure> {
        match self.child.try_wait() {
            Ok(Some(_)) => Err(Failure::Daemon { said: self.room.last_words() }),
            Ok(None) | Err(_) => Ok(()),
        }
    }

    /// Waits for the line that says that it serves; false if it ends or keeps silent instead.
    fn serves(&mut self) -> io::Result<bool> {
        let Some(ready) = &mut self.child.stdout else { return Ok(false) };
        Ok(wait_readable(&*ready)? && ready.read(&mut [0; 64])? > 0)
    }

    /// Closes the pipe that keeps it, and waits for its end; kills it if it does not come to one.
    fn end(&mut self) {
        drop(self.child.stdin.take());
        let has_ended = match i32::try_from(self.child.id()).ok().and_then(Pid::from_raw) {
            Some(pid) => pidfd_open(pid, PidfdFlags::empty())
                .map_err(io::Error::from)
                .and_then(wait_readable)
                // A kernel without process descriptors: trust the pipe.
                .unwrap_or(true),
            None => false,
        };
        if !has_ended {
            let _ = self.child.kill();
        }
        let _ = self.child.wait();
    }
}

impl Drop for PrivateDaemon {
    fn drop(&mut self) {
        self.end();
    }
}

fn not_started(error: &io::Error) -> Failure {
    Failure::Daemon { said: error.to_string() }
}

/// Waits until there is something to read or to learn; false when patience is at its end.
fn wait_readable(descriptor: impl AsFd) -> io::Result<bool> {
    let timeout = Timespec::try_from(PATIENCE).map_err(io::Error::other)?;
    loop {
        let mut polled = [PollFd::new(&descriptor, PollFlags::IN)];
        match poll(&mut polled, Some(&timeout)) {
            Ok(count) => return Ok(count > 0),
            Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

//! The process at the other end of a connection, as far as the kernel tells.

use std::fs;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};

use nix::sys::socket::{getsockopt, sockopt};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use scard_types::call::Peer;

/// Who connected, with a descriptor of the process where the kernel gives one (`SO_PEERPIDFD`, Linux 6.5).
pub(crate) struct Caller {
    peer: Peer,
    process: Option<OwnedFd>,
}

impl Caller {
    /// The one who connected to this socket.
    pub(crate) fn of(socket: impl AsFd, peer: Peer) -> Self {
        Self { peer, process: getsockopt(&socket, sockopt::PeerPidfd).ok() }
    }

    /// User, group and number.
    pub(crate) const fn peer(&self) -> Peer {
        self.peer
    }

    /// A descriptor of the process.
    pub(crate) fn process(&self) -> Option<BorrowedFd<'_>> {
        self.process.as_ref().map(AsFd::as_fd)
    }

    /// Whether the process still lives, so that its number is still its own; true where the kernel cannot tell.
    pub(crate) fn lives(&self) -> bool {
        let Some(process) = &self.process else { return true };
        let now = Timespec { tv_sec: 0, tv_nsec: 0 };
        matches!(poll(&mut [PollFd::new(process, PollFlags::IN)], Some(&now)), Ok(0))
    }

    /// The short name of its program.
    pub(crate) fn program(&self) -> Option<String> {
        self.look(|folder| fs::read_to_string(folder.join("comm")).ok())
            .map(|name| name.trim_end().to_owned())
    }

    /// When it began, in clock ticks since the machine did: field 22 of `stat`, proc(5). The name in field 2 stands in
    /// parentheses and may hold anything, parentheses too.
    pub(crate) fn started(&self) -> Option<u64> {
        self.look(|folder| {
            let stat = fs::read(folder.join("stat")).ok()?;
            let stat = String::from_utf8_lossy(&stat);
            let (_, behind_the_name) = stat.rsplit_once(')')?;
            behind_the_name.split_ascii_whitespace().nth(19)?.parse().ok()
        })
    }

    /// Its groups: the one it connected with, and those that the process has besides.
    pub(crate) fn groups(&self) -> Vec<u32> {
        let besides = self.look(|folder| {
            let status = fs::read_to_string(folder.join("status")).ok()?;
            let groups = status.lines().find_map(|line| line.strip_prefix("Groups:"))?;
            Some(groups.split_ascii_whitespace().filter_map(|gid| gid.parse().ok()).collect())
        });
        let mut groups: Vec<u32> = besides.unwrap_or_default();
        groups.push(self.peer.gid);
        groups
    }

    /// Looks at its folder in `/proc`. What is found there is of this process if it lives afterwards; a process of a
    /// foreign PID namespace has no number here.
    fn look<T>(&self, what: impl FnOnce(&Path) -> Option<T>) -> Option<T> {
        if self.peer.pid == 0 {
            return None;
        }
        let found = what(&PathBuf::from(format!("/proc/{}", self.peer.pid)))?;
        self.lives().then_some(found)
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixStream;

    use super::*;

    fn me() -> Caller {
        let (socket, _) = UnixStream::pair().expect("sockets can be had");
        let uid = rustix::process::getuid().as_raw();
        let gid = rustix::process::getgid().as_raw();
        Caller::of(&socket, Peer { uid, gid, pid: std::process::id() })
    }

    #[test]
    fn a_process_that_lives_has_a_name_a_beginning_and_groups() {
        let me = me();
        assert!(me.lives());
        assert!(me.program().is_some_and(|name| !name.is_empty()));
        assert!(me.started().is_some());
        let own = rustix::process::getgid().as_raw();
        assert!(me.groups().contains(&own));
    }

    #[test]
    fn a_process_of_a_foreign_namespace_has_none_of_it() {
        let nobody = Caller { peer: Peer { uid: 1, gid: 2, pid: 0 }, process: None };
        assert_eq!((nobody.program(), nobody.started()), (None, None));
        assert_eq!(nobody.groups(), [2]);
    }
}

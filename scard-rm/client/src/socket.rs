//! A connected Unix socket: whole messages out, bytes in, interruptions hidden.

use std::io::IoSlice;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::{Errno, ioctl_fionbio};
use rustix::net::{
    AddressFamily, RecvFlags, SendAncillaryBuffer, SendFlags, Shutdown, SocketAddrUnix,
    SocketFlags, SocketType, connect, recv, send, sendmsg, shutdown, socket_with,
};
use scard_types::ScardCode;

/// A connection that is of no more use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lost {
    /// The peer closed.
    Closed,
    /// The peer closed while bytes of ours were unread: that is how pcscd turns away whom it does not serve.
    Reset,
    /// Nobody answered while it was worth waiting.
    Late,
    /// Something else.
    Failed,
}

/// Whether it is still worth waiting for an answer; asked every now and then. `None` waits for ever.
pub(crate) type Patience<'p> = Option<&'p dyn Fn() -> bool>;

/// How often a [`Patience`] is asked.
const LOOK_UP_EVERY: Duration = Duration::from_millis(50);

impl From<Errno> for Lost {
    fn from(error: Errno) -> Self {
        match error {
            Errno::CONNRESET => Self::Reset,
            Errno::PIPE => Self::Closed,
            _ => Self::Failed,
        }
    }
}

#[derive(Debug)]
pub(crate) struct Socket(OwnedFd);

impl Socket {
    /// Connects; any reason not to is `E_NO_SERVICE`, as programs expect. Where patience has an end, a queue that is full
    /// is such a reason too.
    pub(crate) fn connect(path: &Path, patience: Patience<'_>) -> Result<Self, ScardCode> {
        let connected = || -> Result<OwnedFd, Errno> {
            let address = SocketAddrUnix::new(path)?;
            let (family, kind) = (AddressFamily::UNIX, SocketType::STREAM);
            let mut flags = SocketFlags::CLOEXEC;
            flags.set(SocketFlags::NONBLOCK, patience.is_some());
            let socket = socket_with(family, kind, flags, None)?;
            again(|| connect(&socket, &address))?;
            if patience.is_some() {
                ioctl_fionbio(&socket, false)?;
            }
            Ok(socket)
        };
        connected().map(Self).map_err(|_| ScardCode::NoService)
    }

    /// Sends `head` and `tail` as one message: one system call unless the socket's buffer is full.
    pub(crate) fn send(&self, mut head: &[u8], mut tail: &[u8]) -> Result<(), Lost> {
        while !head.is_empty() || !tail.is_empty() {
            let sent = again(|| self.send_some(head, tail))?;
            let of_head = sent.min(head.len());
            head = head.get(of_head..).unwrap_or_default();
            tail = tail.get(sent.saturating_sub(of_head)..).unwrap_or_default();
        }
        Ok(())
    }

    fn send_some(&self, head: &[u8], tail: &[u8]) -> Result<usize, Errno> {
        if tail.is_empty() {
            return send(&self.0, head, SendFlags::NOSIGNAL);
        }
        let parts = [IoSlice::new(head), IoSlice::new(tail)];
        sendmsg(&self.0, &parts, &mut SendAncillaryBuffer::default(), SendFlags::NOSIGNAL)
    }

    /// Waits for bytes and takes what is there, at least one.
    pub(crate) fn receive(&self, room: &mut [u8]) -> Result<usize, Lost> {
        match again(|| recv(&self.0, &mut *room, RecvFlags::empty()))? {
            (_, 0) => Err(Lost::Closed),
            (_, received) => Ok(received),
        }
    }

    /// Waits until `room` is full.
    pub(crate) fn receive_exactly(&self, room: &mut [u8]) -> Result<(), Lost> {
        let mut filled = 0;
        while let Some(rest) = room.get_mut(filled..).filter(|rest| !rest.is_empty()) {
            filled += self.receive(rest)?;
        }
        Ok(())
    }

    /// The same for an answer that may be long in coming.
    pub(crate) fn receive_patiently(
        &self,
        room: &mut [u8],
        patience: Patience<'_>,
    ) -> Result<(), Lost> {
        while let Some(is_worth_it) = patience {
            if self.wait(Instant::now().checked_add(LOOK_UP_EVERY))? {
                break;
            }
            if !is_worth_it() {
                return Err(Lost::Late);
            }
        }
        self.receive_exactly(room)
    }

    /// Waits for bytes, or the end; false at the deadline.
    pub(crate) fn wait(&self, deadline: Option<Instant>) -> Result<bool, Lost> {
        loop {
            let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
            let timeout = left.map(timespec);
            let mut waiting = [PollFd::new(&self.0, PollFlags::IN)];
            match poll(&mut waiting, timeout.as_ref()) {
                Ok(0) if left == Some(Duration::ZERO) => return Ok(false),
                Ok(0) | Err(Errno::INTR) => {}
                Ok(_) => return Ok(true),
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Ends the connection for both sides and for every thread that waits on it.
    pub(crate) fn hang_up(&self) {
        // It may be ended already, which is as well.
        let _ = shutdown(&self.0, Shutdown::Both);
    }

    pub(crate) fn descriptor(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// Repeats what a signal interrupted.
fn again<T>(mut call: impl FnMut() -> Result<T, Errno>) -> Result<T, Errno> {
    loop {
        match call() {
            Err(Errno::INTR) => {}
            done => return done,
        }
    }
}

fn timespec(span: Duration) -> Timespec {
    Timespec {
        tv_sec: i64::try_from(span.as_secs()).unwrap_or(i64::MAX),
        tv_nsec: i64::from(span.subsec_nanos()),
    }
}

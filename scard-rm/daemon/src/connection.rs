//! A connected socket that reports only what somebody waits for.
//!
//! tokio's own stream is woken by room to write, too. On a Unix socket that is each time the peer reads, so that every
//! exchange would wake the daemon a second time for nothing.

use std::io::{self, IoSlice};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream as StdStream;
use std::task::{Context, Poll, ready};

use rustix::io::Errno;
use rustix::net::{RecvFlags, SendAncillaryBuffer, SendFlags, recv, send, sendmsg};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use tokio::net::UnixStream;

/// Both directions of a connection.
pub(crate) struct Connection(AsyncFd<StdStream>);

impl Connection {
    /// Takes over what was accepted.
    pub(crate) fn over(stream: UnixStream) -> io::Result<Self> {
        events_of(stream.into_std()?, Interest::READABLE).map(Self)
    }

    /// Reads once; 0 bytes are the end.
    pub(crate) fn poll_read(
        &self,
        cx: &mut Context<'_>,
        room: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        loop {
            let mut guard = ready!(self.0.poll_read_ready(cx))?;
            match recv(guard.get_inner(), &mut *room, RecvFlags::DONTWAIT) {
                Ok((_, bytes)) => {
                    // The rest comes with an event of its own; there is no need to ask whether it is there.
                    if (1..room.len()).contains(&bytes) {
                        guard.clear_ready();
                    }
                    return Poll::Ready(Ok(bytes));
                }
                Err(Errno::AGAIN) => guard.clear_ready(),
                Err(Errno::INTR) => {}
                Err(error) => return Poll::Ready(Err(error.into())),
            }
        }
    }

    /// Sends `head` and `tail` in one write, as much as there is room for.
    pub(crate) fn send(&self, head: &[u8], tail: &[u8]) -> io::Result<usize> {
        let flags = SendFlags::DONTWAIT | SendFlags::NOSIGNAL;
        loop {
            let sent = if tail.is_empty() {
                send(self.0.get_ref(), head, flags)
            } else {
                let parts = [IoSlice::new(head), IoSlice::new(tail)];
                sendmsg(self.0.get_ref(), &parts, &mut SendAncillaryBuffer::default(), flags)
            };
            match sent {
                Err(Errno::INTR) => {}
                sent => return Ok(sent?),
            }
        }
    }

    /// Waits until there is room to send, or the peer is gone.
    pub(crate) async fn writable(&self) -> io::Result<()> {
        // It is rare, so that a second descriptor costs less than events all the time.
        let other: OwnedFd = self.0.as_fd().try_clone_to_owned()?;
        events_of(other, Interest::WRITABLE)?.writable().await.map(drop)
    }
}

impl AsFd for Connection {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// A descriptor with the events that are waited for.
#[allow(
    deprecated,
    reason = "its successor is unsafe, for types that are not their descriptor's owner; these are"
)]
fn events_of<T: Into<OwnedFd> + AsRawFd>(owner: T, interest: Interest) -> io::Result<AsyncFd<T>> {
    AsyncFd::with_interest(owner, interest)
}

//! Descriptors that whoever started the daemon left open for it, named by number on the command line.

use std::fs::File;
use std::io::{self, Write};
use std::os::fd::{AsFd, OwnedFd};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

/// The descriptor to tell that clients are served.
pub(crate) struct ReadyDescriptor(File);

impl ReadyDescriptor {
    /// Takes the descriptor with that number for writing.
    ///
    /// # Errors
    /// If there is none.
    pub(crate) fn take(number: u32) -> io::Result<Self> {
        open(number, File::options().write(true)).map(|descriptor| Self(descriptor.into()))
    }

    /// Says it, and closes our copy of the descriptor.
    pub(crate) fn tell(mut self) -> io::Result<()> {
        self.0.write_all(b"ready\n")
    }
}

/// The descriptor whose end of file tells that whoever started the daemon is gone.
pub(crate) struct Lifeline(AsyncFd<File>);

impl Lifeline {
    /// Takes the descriptor with that number for reading. Inside the runtime only.
    ///
    /// # Errors
    /// If there is none, or if it is of a kind that cannot be waited for (a regular file, `/dev/null`).
    pub(crate) fn take(number: u32) -> io::Result<Self> {
        let descriptor = File::from(open(number, File::options().read(true))?);
        AsyncFd::with_interest(descriptor, Interest::READABLE).map(Self)
    }

    /// Waits for the end of file; bytes that come before it mean nothing.
    pub(crate) async fn cut(&self) {
        loop {
            let Ok(mut ready) = self.0.readable().await else { return };
            // The descriptor is shared with strangers who may want it blocking, so it is asked before each read.
            let mut polled = [PollFd::new(&self.0, PollFlags::IN)];
            match poll(&mut polled, Some(&Timespec::default())) {
                Ok(0) => ready.clear_ready(),
                Ok(_) if matches!(rustix::io::read(self.0.get_ref(), &mut [0; 256]), Ok(1..)) => {}
                Ok(_) => return,
                Err(_) => ready.retain_ready(),
            }
        }
    }
}

/// Our own copy of an inherited descriptor, closed on exec. Standard streams can be anything; others are opened again
/// through `/proc`, which works for pipes and FIFOs.
fn open(number: u32, how: &std::fs::OpenOptions) -> io::Result<OwnedFd> {
    match number {
        0 => io::stdin().as_fd().try_clone_to_owned(),
        1 => io::stdout().as_fd().try_clone_to_owned(),
        2 => io::stderr().as_fd().try_clone_to_owned(),
        other => how.open(format!("/proc/self/fd/{other}")).map(Into::into),
    }
}

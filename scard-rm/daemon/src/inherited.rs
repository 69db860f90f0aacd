//! Descriptors that whoever started the daemon left open for it, named by number on the command line.

use std::fs::File;
use std::io::{self, Write};
use std::os::fd::{AsFd, OwnedFd};

use tokio::io::AsyncReadExt;
use tokio::net::unix::pipe::Receiver;

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

/// The pipe whose end of file tells that whoever started the daemon is gone.
pub(crate) struct Lifeline(Receiver);

impl Lifeline {
    /// Takes the descriptor with that number for reading. Inside the runtime only.
    ///
    /// # Errors
    /// If there is none, or if it is no pipe: other files have no end that could be waited for.
    pub(crate) fn take(number: u32) -> io::Result<Self> {
        Receiver::from_owned_fd(open(number, File::options().read(true))?).map(Self)
    }

    /// Waits for the end of file; bytes that come before it mean nothing. Cancel safe.
    pub(crate) async fn cut(&mut self) {
        while let Ok(1..) = self.0.read(&mut [0; 256]).await {}
    }
}

/// Our own copy of an inherited descriptor, closed on exec. Standard streams can be anything; others are opened again
/// through `/proc`, which works for pipes and FIFOs that the same user made.
fn open(number: u32, how: &std::fs::OpenOptions) -> io::Result<OwnedFd> {
    match number {
        0 => io::stdin().as_fd().try_clone_to_owned(),
        1 => io::stdout().as_fd().try_clone_to_owned(),
        2 => io::stderr().as_fd().try_clone_to_owned(),
        other => how.open(format!("/proc/self/fd/{other}")).map(Into::into),
    }
}

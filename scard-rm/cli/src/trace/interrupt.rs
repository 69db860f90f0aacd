//! The end from outside: a signal, or nobody who reads what we print.

use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use rustix::event::{PollFd, PollFlags, poll};
use rustix::net::{Shutdown, shutdown};
use scard_client::Session;
use tokio::signal::unix::{SignalKind, signal};

use crate::failure::Failure;

/// The exit status of a process that SIGINT ended.
const INTERRUPTED: i32 = 128 + 2;

/// Whether it is time to end.
pub(super) struct Interrupt(Arc<AtomicBool>);

impl Interrupt {
    /// From now on SIGINT and SIGTERM, and the end of the reader of our standard output, hang up on the resource manager:
    /// whoever waits for its next word wakes up, and what is being printed is printed to its end. A second signal ends
    /// the process at once, for printing may have to wait for somebody who does not read.
    ///
    /// # Errors
    /// [`Failure::Output`] if the system refuses.
    pub(super) fn listen(session: &Session) -> Result<Self, Failure> {
        let happened = Arc::new(AtomicBool::new(false));
        let hang_up = |socket: OwnedFd| {
            let happened = Arc::clone(&happened);
            move || {
                happened.store(true, Ordering::Release);
                // It may be gone already.
                let _ = shutdown(&socket, Shutdown::Both);
            }
        };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
        let (mut interrupt, mut terminate) = {
            let _inside = runtime.enter();
            (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?)
        };
        let on_signal = hang_up(session.descriptor().try_clone_to_owned()?);
        thread::spawn(move || {
            runtime.block_on(async {
                for attempt in 0..2 {
                    tokio::select! {
                        _ = interrupt.recv() => {}
                        _ = terminate.recv() => {}
                    }
                    if attempt == 0 {
                        on_signal();
                    }
                }
            });
            end_at_once();
        });
        let on_end_of_output = hang_up(session.descriptor().try_clone_to_owned()?);
        thread::spawn(move || {
            if wait_for_the_end_of_output().is_ok() {
                on_end_of_output();
            }
        });
        Ok(Self(happened))
    }

    /// Whether it is time to end.
    pub(super) fn happened(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}

/// Waits until nobody can read our standard output any more; for ever, if it is a file.
fn wait_for_the_end_of_output() -> rustix::io::Result<()> {
    let stdout = std::io::stdout();
    loop {
        let mut watched = [PollFd::new(&stdout, PollFlags::empty())];
        match poll(&mut watched, None) {
            Ok(_) => return Ok(()),
            Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error),
        }
    }
}

#[expect(clippy::exit, reason = "whoever prints may be stuck, and the user has asked twice")]
fn end_at_once() {
    std::process::exit(INTERRUPTED);
}

//! `SCardAccessStartedEvent` and `SCardReleaseStartedEvent`: a descriptor that can be read from, and waited for, while the
//! service answers.
//!
//! DIFFERS: Windows signals its event the moment the service starts. Here nobody watches in the background, so each
//! access looks whether the service answers, which starts it where a service manager holds the socket.

use core::ffi::c_void;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::ptr;
use std::sync::{Mutex, MutexGuard, PoisonError};

use scard_client::{Endpoint, Session};
use scard_guest::PerProcess;
use scard_types::ScardCode;

/// The descriptor, and how often it was asked for.
#[derive(Debug)]
struct Started {
    event: Option<OwnedFd>,
    users: usize,
}

impl Started {
    const fn new() -> Self {
        Self { event: None, users: 0 }
    }
}

fn started() -> MutexGuard<'static, Started> {
    static STARTED: PerProcess<Mutex<Started>> = PerProcess::new(Mutex::new(Started::new()));
    STARTED.get(|| Mutex::new(Started::new())).lock().unwrap_or_else(PoisonError::into_inner)
}

/// `SCardAccessStartedEvent`: a `HANDLE` that is a descriptor, the same each time, or NULL. The program waits for it with
/// `poll`, and neither reads from it nor closes it.
#[unsafe(no_mangle)]
pub extern "C" fn SCardAccessStartedEvent() -> *mut c_void {
    let descriptor = scard_guest::guard(|| -> Result<usize, ScardCode> {
        // Not under the lock: it may take a while.
        let answers = Session::open(&Endpoint::from_environment()).is_ok();
        let mut started = started();
        if started.event.is_none() {
            started.event = Some(new_event()?);
        }
        started.users = started.users.saturating_add(1);
        let event = started.event.as_ref().ok_or(ScardCode::InternalError)?;
        signal(event, answers);
        usize::try_from(event.as_raw_fd()).map_err(|_| ScardCode::InternalError)
    });
    // A number that looks like a pointer.
    descriptor.map_or(ptr::null_mut(), ptr::without_provenance_mut)
}

/// `SCardReleaseStartedEvent`: the last release closes the descriptor.
#[unsafe(no_mangle)]
pub extern "C" fn SCardReleaseStartedEvent() {
    // Nothing comes out of it, whatever happens.
    let _ = scard_guest::guard(|| -> Result<(), ScardCode> {
        let mut started = started();
        started.users = started.users.saturating_sub(1);
        if started.users == 0 {
            started.event = None;
        }
        Ok(())
    });
}

fn new_event() -> Result<OwnedFd, ScardCode> {
    // SAFETY: it takes numbers, and gives back a descriptor or -1.
    let event = unsafe { libc::eventfd(0, libc::EFD_CLOEXEC | libc::EFD_NONBLOCK) };
    if event < 0 {
        return Err(ScardCode::NoMemory);
    }
    // SAFETY: a descriptor that was just made, and nobody else's.
    let event = unsafe { OwnedFd::from_raw_fd(event) };
    if event.as_raw_fd() > 0 {
        return Ok(event);
    }
    // 0 would be NULL.
    // SAFETY: it takes numbers, and gives back a descriptor or -1.
    let other = unsafe { libc::fcntl(event.as_raw_fd(), libc::F_DUPFD_CLOEXEC, 3) };
    if other < 0 {
        return Err(ScardCode::NoMemory);
    }
    // SAFETY: as above.
    Ok(unsafe { OwnedFd::from_raw_fd(other) })
}

/// Makes it readable or not.
fn signal(event: &OwnedFd, on: bool) {
    let (mut old, new) = ([0_u8; 8], 1_u64.to_ne_bytes());
    // SAFETY: eight bytes that are there; neither waits, and what they say changes nothing.
    unsafe {
        libc::read(event.as_raw_fd(), old.as_mut_ptr().cast(), old.len());
        if on {
            libc::write(event.as_raw_fd(), new.as_ptr().cast(), new.len());
        }
    }
}

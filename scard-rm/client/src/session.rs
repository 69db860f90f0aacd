//! One connection to the resource manager.

use std::os::fd::BorrowedFd;
use std::process;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use scard_types::call::{Answer, Call, ContextId, ReaderEvent, Reply};
use scard_types::trace::Traced;
use scard_types::{ScardCode, SecretBytes};

use crate::Endpoint;
use crate::fallback::Fallback;
use crate::native::Native;
use crate::socket::Patience;

/// How often a refused call is repeated (`PCSCLITE_LOCK_POLL_RATE`); a fuzzer has no time to wait.
const RETRY_EVERY: Duration = Duration::from_millis(if cfg!(fuzzing) { 0 } else { 100 });

/// One connection, for any number of threads.
///
/// Contexts and card handles live as long as the connection. When the daemon goes, calls under way return
/// [`ScardCode::CommError`]: nobody knows how far they came. Later ones never leave this process: those with a card handle
/// return [`ScardCode::ReaderUnavailable`], as if the reader had been unplugged, the others [`ScardCode::NoService`]. To
/// disconnect or to release succeeds: what is gone is given up. A session does not heal; a [`crate::Context`] does, with
/// the next session.
#[derive(Debug)]
pub struct Session {
    wire: Wire,
    no_blocking: AtomicBool,
    owner_pid: u32,
}

#[derive(Debug)]
enum Wire {
    Native(Native),
    PcscLite(Fallback),
}

impl Session {
    /// Connects: first with our own hello, then, if nobody understands it, as a client of pcsc-lite.
    ///
    /// # Errors
    /// [`ScardCode::NoService`] if nobody listens, [`ScardCode::SecurityViolation`] if this user is not served,
    /// [`ScardCode::ServiceStopped`] if there is no common version, [`ScardCode::CommError`] if the daemon hangs up.
    pub fn open(endpoint: &Endpoint) -> Result<Self, ScardCode> {
        Self::open_patiently(endpoint, None)
    }

    /// The same as long as it is worth waiting for a daemon that does not answer the hello.
    pub(crate) fn open_patiently(
        endpoint: &Endpoint,
        patience: Patience<'_>,
    ) -> Result<Self, ScardCode> {
        let wire = match Native::open(endpoint, patience)? {
            Some(native) => Wire::Native(native),
            None => Wire::PcscLite(Fallback::open(endpoint)?),
        };
        Ok(Self { wire, no_blocking: AtomicBool::new(false), owner_pid: process::id() })
    }

    /// Makes a call and waits for the reply.
    ///
    /// Transmit, Status and Reconnect that somebody else's transaction refuses are repeated until they succeed, as
    /// libpcsclite does, unless [`Session::set_no_blocking`] says otherwise.
    ///
    /// # Errors
    /// What the daemon says; [`ScardCode::NoService`] and [`ScardCode::CommError`] as above;
    /// [`ScardCode::UnsupportedFeature`] for what the other side's wire has no word for.
    #[expect(
        clippy::needless_pass_by_value,
        reason = "a command's secrets are wiped with the call"
    )]
    pub fn call(&self, call: Call) -> Reply {
        loop {
            let begun = Instant::now();
            let reply = match &self.wire {
                Wire::Native(native) => native.call(&call),
                Wire::PcscLite(fallback) => fallback.call(&call),
            };
            if !self.is_to_be_repeated(&call, &reply) {
                return self.after_the_end(&call, reply);
            }
            // A daemon that parked the call has let the time pass already.
            thread::sleep(RETRY_EVERY.saturating_sub(begun.elapsed()));
        }
    }

    /// Ends the waits of a context while another thread waits in [`Session::call`].
    ///
    /// # Errors
    /// [`ScardCode::InvalidHandle`] if there is no such context; else as [`Session::call`].
    pub fn cancel(&self, context: ContextId) -> Result<(), ScardCode> {
        match &self.wire {
            Wire::Native(native) => {
                native.call(&Call::Cancel { context }).map_err(|refusal| refusal.code)?;
                Ok(())
            }
            Wire::PcscLite(fallback) => fallback.cancel(context),
        }
    }

    /// Tells a driver something that only it understands (the simulator: insert, remove).
    ///
    /// # Errors
    /// [`ScardCode::UnsupportedFeature`] against a stock pcscd; else what the daemon and the driver say.
    pub fn driver_command(&self, driver: &str, command: &[u8]) -> Result<Vec<u8>, ScardCode> {
        match &self.wire {
            Wire::Native(native) => match native.driver_command(driver, command) {
                Ok(Answer::Controlled(mut answer)) => Ok(std::mem::take(answer.expose_mut())),
                Ok(_) => Err(ScardCode::CommError),
                Err(refusal) => Err(refusal.code),
            },
            Wire::PcscLite(_) => Err(ScardCode::UnsupportedFeature),
        }
    }

    /// The next event after [`Call::Subscribe`]; `None` when `timeout` is over. No timeout is for ever.
    ///
    /// # Errors
    /// [`ScardCode::NotReady`] without a subscription; [`ScardCode::UnsupportedFeature`] against a stock pcscd; else as [`Session::call`].
    pub fn next_event(&self, timeout: Option<Duration>) -> Result<Option<ReaderEvent>, ScardCode> {
        match &self.wire {
            Wire::Native(native) => native.next_event(timeout),
            Wire::PcscLite(_) => Err(ScardCode::UnsupportedFeature),
        }
    }

    /// The next event after [`Call::Trace`]; `None` when `timeout` is over. No timeout is for ever.
    ///
    /// # Errors
    /// As [`Session::next_event`].
    pub fn next_traced(&self, timeout: Option<Duration>) -> Result<Option<Traced>, ScardCode> {
        match &self.wire {
            Wire::Native(native) => native.next_traced(timeout),
            Wire::PcscLite(_) => Err(ScardCode::UnsupportedFeature),
        }
    }

    /// Whether the connection is of no more use: the daemon is gone, or speaks nonsense.
    #[must_use]
    pub fn is_lost(&self) -> bool {
        match &self.wire {
            Wire::Native(native) => native.is_lost(),
            Wire::PcscLite(fallback) => fallback.is_lost(),
        }
    }

    /// Whether the other side is ours; else it is a stock pcscd.
    #[must_use]
    pub const fn is_native(&self) -> bool {
        matches!(self.wire, Wire::Native(_))
    }

    /// The socket. Reading from it or writing to it breaks the connection.
    #[must_use]
    pub fn descriptor(&self) -> BorrowedFd<'_> {
        match &self.wire {
            Wire::Native(native) => native.descriptor(),
            Wire::PcscLite(fallback) => fallback.descriptor(),
        }
    }

    /// Lets [`ScardCode::SharingViolation`] through to the program at once (`PCSCLITE_NO_BLOCKING`).
    /// A transaction still waits for its turn.
    pub fn set_no_blocking(&self, no_blocking: bool) {
        self.no_blocking.store(no_blocking, Ordering::Relaxed);
    }

    /// The process that opened the session. In a child made by `fork` the number is another, and the session the
    /// parent's: a message of the child would mix with the parent's.
    #[must_use]
    pub const fn owner_pid(&self) -> u32 {
        self.owner_pid
    }

    /// What a reply of a lost connection means for what the call was about.
    ///
    /// DIFFERS: pcsc-lite answers `SCARD_E_NO_SERVICE`, also to a disconnect and a release.
    fn after_the_end(&self, call: &Call, reply: Reply) -> Reply {
        let Err(refusal) = &reply else { return reply };
        match (call, refusal.code) {
            (
                Call::Disconnect { .. } | Call::ReleaseContext { .. },
                ScardCode::NoService | ScardCode::CommError,
            ) if self.is_lost() => Ok(Answer::Done),
            (call, ScardCode::NoService) if call.card().is_some() && self.is_lost() => {
                Err(ScardCode::ReaderUnavailable.into())
            }
            _ => reply,
        }
    }

    fn is_to_be_repeated(&self, call: &Call, reply: &Reply) -> bool {
        let refused = matches!(reply, Err(refusal) if refusal.code == ScardCode::SharingViolation);
        refused
            && match call {
                Call::BeginTransaction { .. } => true,
                Call::Transmit { .. } | Call::Status { .. } | Call::Reconnect { .. } => {
                    !self.no_blocking.load(Ordering::Relaxed)
                }
                _ => false,
            }
    }
}

/// Holds what a daemon answered against what it was asked: no more than was allowed, as many as were named.
pub(crate) fn answer_fits(call: &Call, answer: &Answer) -> bool {
    let within = |limit: &u32, bytes: &SecretBytes| {
        usize::try_from(*limit).is_ok_and(|limit| bytes.len() <= limit)
    };
    match (call, answer) {
        (Call::Transmit { receive_limit, .. }, Answer::Transmitted { response, .. }) => {
            within(receive_limit, response)
        }
        (Call::Control { output_limit, .. }, Answer::Controlled(output)) => {
            within(output_limit, output)
        }
        (Call::StatusChange { readers, .. }, Answer::StatusChange { readers: seen, .. }) => {
            readers.len() == seen.len()
        }
        _ => true,
    }
}

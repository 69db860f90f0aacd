//! Who may use the daemon and its readers. The core knows nothing of it: what a client may not ask, it never hears.
//!
//! `policy` holds the rules. Where they leave the answer to somebody else, that is a [`Question`]: `authorities` asks
//! `logind` or `polkit` over the system `bus`, while the client waits and nobody else does.

mod authorities;
mod bus;
mod logind;
mod pattern;
mod policy;
mod polkit;
mod turns;

use std::fmt;

use scard_core::RequestId;
use scard_types::call::Call;

use crate::caller::Caller;

pub(crate) use authorities::Authorities;
pub(crate) use policy::{
    AccessTable, Mode, Policy, ReaderRuleTable, Verdict, Wanted, Who, Written,
};

/// What a call needs before the core may hear it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Need<'c> {
    /// Nothing: it belongs to a context or a handle, which nobody has without leave, or it tells nothing.
    Nothing,
    /// Leave to use the daemon at all; once for a connection.
    Daemon,
    /// Leave to use the reader of that name; each time.
    Reader(&'c str),
}

/// What a call needs. One that is not known here needs leave, too.
pub(crate) fn need(call: &Call) -> Need<'_> {
    match call {
        Call::Connect { reader, .. } => Need::Reader(reader),
        Call::ReleaseContext { .. }
        | Call::Reconnect { .. }
        | Call::Disconnect { .. }
        | Call::BeginTransaction { .. }
        | Call::EndTransaction { .. }
        | Call::Transmit { .. }
        | Call::Control { .. }
        | Call::Status { .. }
        | Call::GetAttribute { .. }
        | Call::SetAttribute { .. }
        | Call::ListReaders { .. }
        | Call::StatusChange { .. }
        | Call::Cancel { .. }
        | Call::StopWatching => Need::Nothing,
        _ => Need::Daemon,
    }
}

/// The reader that a call is about, if leave for a reader is what it needs.
pub(crate) fn wanted_reader(call: &Call) -> Option<&str> {
    match need(call) {
        Need::Reader(name) => Some(name),
        Need::Nothing | Need::Daemon => None,
    }
}

/// A request that waits for the word of somebody else.
pub(crate) struct Question {
    /// Its number.
    pub(crate) request: RequestId,
    /// What the core is asked once there is leave.
    pub(crate) call: Call,
    /// Who asks.
    pub(crate) caller: Caller,
    /// Whose word it is.
    pub(crate) authority: Authority,
}

/// Somebody else who decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Authority {
    /// systemd-logind, which knows who sits at this machine.
    Logind,
    /// polkit.
    Polkit,
}

/// Why somebody is not let in.
#[derive(Debug)]
pub(crate) enum Refusal {
    /// There is a list, and he does not stand in it.
    NotListed,
    /// His process belongs to no session that is active at a local seat.
    NotAtASeat,
    /// polkit says no.
    NotAuthorized {
        /// What he wanted.
        action: &'static str,
    },
    /// There was no answer that could be trusted.
    NoAnswer {
        /// Of whom.
        authority: Authority,
        /// What came instead.
        error: zbus::Error,
    },
    /// There was no answer in time.
    TooSlow {
        /// Of whom.
        authority: Authority,
    },
    /// The process ended, or its number cannot be told.
    Unknown,
}

impl fmt::Display for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Logind => "logind",
            Self::Polkit => "polkit",
        })
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotListed => f.write_str("the user stands in no list"),
            Self::NotAtASeat => {
                f.write_str("the process is in no session that is active at a local seat")
            }
            Self::NotAuthorized { action } => write!(f, "polkit does not authorize {action}"),
            Self::NoAnswer { authority, error } => {
                write!(f, "{authority} cannot be asked: {error}")
            }
            Self::TooSlow { authority } => write!(f, "{authority} did not answer in time"),
            Self::Unknown => f.write_str("the process is gone or cannot be seen from here"),
        }
    }
}

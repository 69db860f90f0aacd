//! Our own wire; `docs/native-wire.md` is its specification and this module follows its order.

mod client;
mod database;
mod frame;
mod hello;
mod reply;
mod request;
mod server;
mod trace;
mod words;

pub use client::{Client, Response};
pub use frame::{HEADER_BYTES, MAX_REPLY_BYTES, ReplyKind, RequestKind};
pub use hello::{HELLO_BYTES, Hello, MAGIC, VERSION, Welcome};
pub use reply::{encode_push, encode_reply};
pub use request::{Request, encode_call, encode_driver_command};
pub use server::{Incoming, Server};
pub use trace::encode_trace;

use core::fmt;

/// Why a peer's bytes are not understood. The connection is of no more use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Malformed {
    /// The first bytes are no hello of ours.
    NoHello,
    /// There is no version that both speak; the welcome that says so stands in `out`.
    NoCommonVersion,
    /// The length is above the cap of the kind.
    TooLong {
        /// The kind.
        kind: u16,
        /// What is announced, in bytes.
        announced: u32,
    },
    /// A kind that the daemon never sends.
    UnknownKind {
        /// The kind.
        kind: u16,
    },
    /// Reserved bytes that are not zero, or a number where none belongs and the other way round.
    BadHeader,
    /// The body does not end where its words end, or a word has a value that it cannot have.
    BadBody {
        /// The kind.
        kind: u16,
    },
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoHello => f.write_str("the hello is missing"),
            Self::NoCommonVersion => f.write_str("there is no version that both sides speak"),
            Self::TooLong { kind, announced } => {
                write!(f, "a frame of kind {kind:#06x} cannot have {announced} bytes")
            }
            Self::UnknownKind { kind } => write!(f, "there is no frame of kind {kind:#06x}"),
            Self::BadHeader => f.write_str("the frame's header is broken"),
            Self::BadBody { kind } => {
                write!(f, "the body of a frame of kind {kind:#06x} is broken")
            }
        }
    }
}

impl core::error::Error for Malformed {}

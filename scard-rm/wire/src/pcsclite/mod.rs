//! pcsc-lite's wire, 4:3 to 4:6.
//!
//! A client sends a header of two words, size and command, then the command's structure, then perhaps payload that
//! the size does not count. A reply has no header: it is the same structure with some fields filled in, and payload
//! only after success. Words are 32 bits in the machine's own byte order, so that 32-bit programs reach a 64-bit daemon.

mod body;
mod client;
mod command;
mod convert;
mod reader_state;
mod server;

pub use body::Body;
pub use client::{ClientReply, ClientRequest, ReplyShape};
pub use command::{Command, MAX_ATTRIBUTE_BYTES, MAX_PAYLOAD_BYTES, Version, is_cancel};
pub use reader_state::{
    READER_STATE_BYTES, TABLE_FLOOR, decode_reader, decode_table, encode_table,
};
pub use server::Server;

use core::fmt;

/// Why a peer's bytes are not understood. The connection is of no more use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Malformed {
    /// No such command, or one that is never sent.
    UnknownCommand {
        /// The number.
        command: u32,
    },
    /// The size in the header is not the one that the command has.
    WrongSize {
        /// The command.
        command: Command,
        /// What the header says, in bytes.
        got: u32,
    },
    /// More payload than any message may have.
    TooLong {
        /// What is announced, in bytes.
        announced: u32,
    },
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownCommand { command } => write!(f, "there is no command {command:#x}"),
            Self::WrongSize { command, got } => {
                write!(f, "{command:?} does not have a body of {got} bytes")
            }
            Self::TooLong { announced } => {
                write!(f, "{announced} bytes of payload are announced, more than possible")
            }
        }
    }
}

impl core::error::Error for Malformed {}

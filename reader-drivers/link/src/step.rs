//! What a machine wants, and what it is told.

use scard_types::SecretBytes;

use crate::LinkError;

/// What is to be done next.
#[derive(Debug, PartialEq, Eq)]
#[must_use]
pub enum Step {
    /// Send these bytes to the card and come back with what it says.
    Send {
        /// A block, a TPDU, or characters; none where the card only has to go on.
        bytes: SecretBytes,
        /// How many characters are read, for a line that must be told; `None` where the message itself says it.
        expect: Option<usize>,
        /// The card may take so many waiting times: 1, or what it has asked for.
        patience: u8,
    },
    /// The exchange is over: the response APDU.
    Done(SecretBytes),
    /// The exchange is over without an answer.
    Failed(LinkError),
}

impl Step {
    /// A message that is answered by one that tells its own length.
    pub(crate) const fn send(bytes: SecretBytes) -> Self {
        Self::Send { bytes, expect: None, patience: 1 }
    }
}

/// What came of a [`Step::Send`].
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Heard<'a> {
    /// These bytes.
    Bytes(&'a [u8]),
    /// Nothing, and the waiting time is over.
    Silence,
    /// Something, but the reader noticed that it is damaged (parity, framing, overrun).
    Garbled,
}

/// Shows no answer.
impl core::fmt::Debug for Heard<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Bytes(bytes) => write!(f, "Bytes({} bytes)", bytes.len()),
            Self::Silence => f.write_str("Silence"),
            Self::Garbled => f.write_str("Garbled"),
        }
    }
}

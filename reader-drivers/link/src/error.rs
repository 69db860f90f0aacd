//! Why an exchange brought no answer.

use core::fmt;

use scard_types::SlotError;
use scard_types::apdu::ApduError;

/// Why an exchange brought no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LinkError {
    /// The command is no APDU, so nothing was sent.
    BadCommand(ApduError),
    /// T=0 cannot carry this instruction, so nothing was sent: its byte stands for a status word there.
    BadInstruction {
        /// INS.
        ins: u8,
    },
    /// The card did not answer in time, however often it was asked.
    Silence,
    /// What arrived was damaged, however often it was repeated.
    Garbled,
    /// The card broke the rules of its protocol.
    OutOfRules,
    /// The card has answered with fewer bytes than a status word has.
    ShortAnswer {
        /// How many.
        got: usize,
    },
    /// The card goes on without end.
    TooLong,
    /// The card has aborted the exchange.
    Aborted,
    /// Card and reader do not understand each other any more, and nothing but a reset helps.
    Lost,
}

impl fmt::Display for LinkError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BadCommand(error) => error.fmt(f),
            Self::BadInstruction { ins } => write!(f, "T=0 cannot carry the instruction {ins:02X}"),
            Self::Silence => f.write_str("the card does not answer"),
            Self::Garbled => f.write_str("what the card sends arrives damaged"),
            Self::OutOfRules => f.write_str("the card breaks the rules of its protocol"),
            Self::ShortAnswer { got } => write!(f, "an answer of {got} bytes has no status word"),
            Self::TooLong => f.write_str("the card's answer has no end"),
            Self::Aborted => f.write_str("the card has aborted the exchange"),
            Self::Lost => f.write_str("card and reader do not understand each other any more"),
        }
    }
}

impl core::error::Error for LinkError {}

impl From<LinkError> for SlotError {
    fn from(error: LinkError) -> Self {
        match error {
            LinkError::BadCommand(_) | LinkError::BadInstruction { .. } => Self::NotSupported,
            LinkError::Silence => Self::Timeout,
            LinkError::Garbled | LinkError::Aborted | LinkError::Lost => Self::Communication,
            LinkError::OutOfRules | LinkError::ShortAnswer { .. } | LinkError::TooLong => {
                Self::BadAnswer
            }
        }
    }
}

//! Why something that was wanted from a card did not come.

use std::fmt;

use scard_types::tlv::TlvError;
use scard_types::{ScardCode, StatusWord};

use crate::piv::{Container, KeySlot};

/// Why something that was wanted from a card did not come.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CardKeyError {
    /// The command did not reach the card, or its answer did not reach us.
    Exchange(ScardCode),
    /// An answer without a status word.
    NoStatusWord {
        /// How many bytes came.
        got: usize,
    },
    /// The card goes on sending after [`crate::MAX_ANSWER_BYTES`].
    AnswerTooLong,
    /// The card wants more commands for one answer than [`crate::MAX_ROUNDS`].
    TooManyRounds,
    /// The card has no PIV application.
    NoApplication {
        /// How it refused to select it.
        status: StatusWord,
    },
    /// The card answered an operation with a status word that is no success.
    Refused {
        /// What was asked for.
        operation: Operation,
        /// The answer.
        status: StatusWord,
    },
    /// An answer that does not have the form the standard gives it.
    Malformed {
        /// What was asked for.
        operation: Operation,
        /// What is wrong with it.
        what: Malformation,
    },
    /// The PIN has a length that the standard excludes; it was not sent.
    PinLength {
        /// What was given, in bytes.
        got: usize,
    },
    /// The PIN is wrong.
    WrongPin {
        /// Tries left before it is blocked.
        tries_left: u16,
    },
    /// The PIN is blocked: too many wrong tries.
    PinBlocked,
    /// The operation needs the PIN to be verified first (again, for slot 9C).
    PinRequired {
        /// What was asked for.
        operation: Operation,
    },
    /// The key of a certificate is of a kind that is not known here.
    UnsupportedKey,
}

/// What was asked of the card.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Operation {
    /// SELECT of the application.
    Select,
    /// GET DATA of one container.
    Read(Container),
    /// VERIFY without data.
    PinStatus,
    /// VERIFY.
    VerifyPin,
    /// GENERAL AUTHENTICATE with the key of a slot.
    Sign(KeySlot),
}

/// What is wrong with an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Malformation {
    /// Its BER-TLV cannot be read.
    Tlv(TlvError),
    /// An element that must be there is missing.
    Missing {
        /// Its tag.
        tag: u32,
    },
    /// An element has another length than the standard gives it.
    WrongLength {
        /// Its tag.
        tag: u32,
        /// Its length in bytes.
        got: usize,
    },
    /// The application names itself as something else than PIV.
    NotPiv,
    /// The certificate's compressed form cannot be opened.
    Gzip,
    /// The certificate is longer than [`crate::piv::MAX_CERTIFICATE_BYTES`] when it is opened.
    CertificateTooLong,
    /// The certificate is no X.509.
    X509,
}

impl fmt::Display for CardKeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exchange(code) => write!(f, "{code}"),
            Self::NoStatusWord { got } => {
                write!(f, "the card's answer of {got} bytes has no status word")
            }
            Self::AnswerTooLong => f.write_str("the card's answer does not end"),
            Self::TooManyRounds => f.write_str("the card never comes to the end of its answer"),
            Self::NoApplication { status } => {
                write!(f, "no PIV application on the card ({status}: {})", status.meaning())
            }
            Self::Refused { operation, status } => {
                write!(f, "{operation}: the card says {status}, {}", status.meaning())
            }
            Self::Malformed { operation, what } => write!(f, "{operation}: {what}"),
            Self::PinLength { got } => {
                write!(f, "a PIV PIN has 6 to 8 characters, not {got}; it was not sent to the card")
            }
            Self::WrongPin { tries_left: 0 } => f.write_str("wrong PIN; it is blocked now"),
            Self::WrongPin { tries_left: 1 } => f.write_str("wrong PIN; one try left"),
            Self::WrongPin { tries_left } => write!(f, "wrong PIN; {tries_left} tries left"),
            Self::PinBlocked => f.write_str("the PIN is blocked; the PUK unblocks it"),
            Self::PinRequired { operation } => {
                write!(f, "{operation}: the card wants the PIN first")
            }
            Self::UnsupportedKey => f.write_str("a key of a kind that is not supported"),
        }
    }
}

impl std::error::Error for CardKeyError {}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Select => f.write_str("selecting PIV"),
            Self::Read(container) => write!(f, "reading {container}"),
            Self::PinStatus => f.write_str("asking for the tries left"),
            Self::VerifyPin => f.write_str("verifying the PIN"),
            Self::Sign(slot) => write!(f, "signing with key {slot}"),
        }
    }
}

impl fmt::Display for Malformation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tlv(error) => write!(f, "{error}"),
            Self::Missing { tag } => write!(f, "element {tag:02X} is missing"),
            Self::WrongLength { tag, got } => write!(f, "element {tag:02X} has {got} bytes"),
            Self::NotPiv => f.write_str("the selected application is not PIV"),
            Self::Gzip => f.write_str("the compressed certificate cannot be opened"),
            Self::CertificateTooLong => f.write_str("the certificate is too long"),
            Self::X509 => f.write_str("the certificate is no X.509"),
        }
    }
}

impl From<ScardCode> for CardKeyError {
    fn from(code: ScardCode) -> Self {
        Self::Exchange(code)
    }
}

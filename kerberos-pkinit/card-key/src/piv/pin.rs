//! VERIFY, SP 800-73-4 part 2, 3.2.1.

use scard_types::{CommandApdu, Pin, SecretBytes, StatusWord};

use super::{BLOCKED, Piv};
use crate::{CardKeyError, Exchange, Operation, send};

/// Length of a PIN on the wire, in bytes, padded at its end with FF.
const PADDED_BYTES: usize = 8;

/// Which PIN.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum PinReference {
    /// 80: the PIV application's own.
    #[default]
    Application,
    /// 00: the card's global PIN.
    Global,
}

impl PinReference {
    const fn number(self) -> u8 {
        match self {
            Self::Application => 0x80,
            Self::Global => 0x00,
        }
    }
}

/// How things stand with a PIN.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PinStatus {
    /// It was verified in this session. No proof of anything: somebody else may have done that.
    Verified,
    /// It has to be verified; that many tries are left.
    TriesLeft(u16),
    /// No try is left.
    Blocked,
}

impl<E: Exchange> Piv<E> {
    /// Asks how things stand with a PIN. This costs no try.
    ///
    /// # Errors
    /// [`CardKeyError::Refused`] if the card does not tell, and what [`send`] gives.
    pub fn pin_status(&mut self, reference: PinReference) -> Result<PinStatus, CardKeyError> {
        let answer = send(&mut self.card, &CommandApdu::new(0x00, 0x20, 0x00, reference.number()))?;
        match (answer.status, answer.status.tries_left()) {
            (StatusWord::OK, _) => Ok(PinStatus::Verified),
            (BLOCKED, _) | (_, Some(0)) => Ok(PinStatus::Blocked),
            (_, Some(tries)) => Ok(PinStatus::TriesLeft(tries)),
            (status, None) => {
                Err(CardKeyError::Refused { operation: Operation::PinStatus, status })
            }
        }
    }

    /// Verifies a PIN. It is sent even where the card says that it was verified already; a PIN of a length that the
    /// standard excludes is not sent.
    ///
    /// # Errors
    /// [`CardKeyError::PinLength`], [`CardKeyError::WrongPin`], [`CardKeyError::PinBlocked`],
    /// [`CardKeyError::Refused`], and what [`send`] gives. There is no second try in any case.
    pub fn verify(&mut self, reference: PinReference, pin: &Pin) -> Result<(), CardKeyError> {
        let typed = pin.expose();
        if !(6..=PADDED_BYTES).contains(&typed.len()) {
            return Err(CardKeyError::PinLength { got: typed.len() });
        }
        let mut padded = SecretBytes::new(vec![0xFF; PADDED_BYTES]);
        for (place, digit) in padded.expose_mut().iter_mut().zip(typed) {
            *place = *digit;
        }
        let command = CommandApdu::new(0x00, 0x20, 0x00, reference.number()).with_data(padded);
        let answer = send(&mut self.card, &command)?;
        match (answer.status, answer.status.tries_left()) {
            (StatusWord::OK, _) => Ok(()),
            (BLOCKED, _) => Err(CardKeyError::PinBlocked),
            (_, Some(tries_left)) => Err(CardKeyError::WrongPin { tries_left }),
            (status, None) => {
                Err(CardKeyError::Refused { operation: Operation::VerifyPin, status })
            }
        }
    }
}

//! PIN and PUK: VERIFY, CHANGE REFERENCE DATA, RESET RETRY COUNTER, SP 800-73-4 part 2, 3.2.1 to 3.2.3.

use alloc::vec::Vec;

use scard_types::{CommandApdu, Pin, StatusWord};
use zeroize::Zeroizing;

use crate::PivCard;
use crate::status::{Answer, BAD_DATA, BAD_P1_P2, BLOCKED, DONE, REFERENCE_NOT_FOUND, tries_left};

/// P2 of the PIV card application PIN.
pub(crate) const APPLICATION_PIN: u8 = 0x80;
/// P2 of the PIN unblocking key.
pub(crate) const UNBLOCKING_KEY: u8 = 0x81;
/// Every reference is sent in so many bytes, padded on the right.
const PADDED_BYTES: usize = 8;
const PADDING: u8 = 0xFF;
/// The PIN that every tool tries first.
pub(crate) const WELL_KNOWN_PIN: &Padded = b"123456\xFF\xFF";
/// The PUK that every tool tries first.
pub(crate) const WELL_KNOWN_PUK: &Padded = b"12345678";

pub(crate) type Padded = [u8; PADDED_BYTES];

/// A PIN or PUK with its counter.
pub(crate) struct Reference {
    value: Zeroizing<Padded>,
    left: u8,
    tries: u8,
}

impl Reference {
    /// `None` if the value does not fit into eight bytes or is one that `is_well_formed` refuses.
    pub(crate) fn new(
        value: &Pin,
        tries: u8,
        is_well_formed: impl Fn(&Padded) -> bool,
    ) -> Option<Self> {
        let mut padded = Zeroizing::new([PADDING; PADDED_BYTES]);
        padded.get_mut(..value.expose().len())?.copy_from_slice(value.expose());
        is_well_formed(&padded).then(|| Self::padded(*padded, tries))
    }

    /// With all tries left.
    pub(crate) fn padded(value: Padded, tries: u8) -> Self {
        Self { value: Zeroizing::new(value), left: tries, tries }
    }

    /// Whether it is this one.
    pub(crate) fn is(&self, value: &Padded) -> bool {
        equal(self.value.as_slice(), value)
    }

    /// Tries after a right one.
    pub(crate) const fn tries(&self) -> u8 {
        self.tries
    }

    /// Tries left now.
    pub(crate) const fn left(&self) -> u8 {
        self.left
    }

    /// Value, tries left, tries: what stays when the power goes.
    pub(crate) fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        let mut bytes = Zeroizing::new(Vec::with_capacity(PADDED_BYTES.saturating_add(2)));
        bytes.extend_from_slice(self.value.as_slice());
        bytes.extend_from_slice(&[self.left, self.tries]);
        bytes
    }

    pub(crate) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (value, [left, tries]) = bytes.split_first_chunk::<PADDED_BYTES>()? else {
            return None;
        };
        let reference = Self { left: *left, ..Self::padded(*value, *tries) };
        (left <= tries && *tries > 0).then_some(reference)
    }

    /// Takes one try off before it compares, as a card that could lose power in between must.
    fn check(&mut self, presented: &Padded) -> Result<(), StatusWord> {
        self.left = self.left.checked_sub(1).ok_or(BLOCKED)?;
        if !self.is(presented) {
            return Err(tries_left(self.left));
        }
        self.left = self.tries;
        Ok(())
    }

    fn replace(&mut self, value: Padded) {
        *self.value = value;
        self.left = self.tries;
    }

    const fn refuse_if_blocked(&self) -> Result<(), StatusWord> {
        if self.left == 0 { Err(BLOCKED) } else { Ok(()) }
    }
}

/// Compares without leaving early.
pub(crate) fn equal(left: &[u8], right: &[u8]) -> bool {
    left.len() == right.len()
        && left.iter().zip(right).fold(0, |difference, (l, r)| difference | (l ^ r)) == 0
}

/// A PIN has six to eight decimal digits (SP 800-73-4 part 2, 2.4.3).
pub(crate) fn is_pin(padded: &Padded) -> bool {
    let digits = padded.iter().take_while(|byte| byte.is_ascii_digit()).count();
    digits >= 6 && padded.iter().skip(digits).all(|byte| *byte == PADDING)
}

/// On a YubiKey a PIN is six to eight bytes of any value.
fn is_yubikey_pin(padded: &Padded) -> bool {
    let bytes = padded.iter().take_while(|byte| **byte != PADDING).count();
    bytes >= 6 && padded.iter().skip(bytes).all(|byte| *byte == PADDING)
}

/// A PUK is eight bytes of any value; tools pad shorter ones.
pub(crate) const fn is_puk(_: &Padded) -> bool {
    true
}

fn padded(bytes: &[u8]) -> Result<Padded, StatusWord> {
    Padded::try_from(bytes).map_err(|_| BAD_DATA)
}

fn padded_pair(bytes: &[u8]) -> Result<(Padded, Padded), StatusWord> {
    let (old, new) = bytes.split_at_checked(PADDED_BYTES).ok_or(BAD_DATA)?;
    Ok((padded(old)?, padded(new)?))
}

/// What the PIN has opened.
#[derive(Default)]
pub(crate) struct PinStatus {
    /// Since the last reset.
    pub(crate) verified: bool,
    /// By the command just before: what the digital signature key asks for.
    pub(crate) just_verified: bool,
}

impl PivCard {
    pub(crate) fn verify(&mut self, command: &CommandApdu) -> Answer {
        if command.p2 != APPLICATION_PIN {
            return Err(REFERENCE_NOT_FOUND);
        }
        match (command.p1, command.data.expose()) {
            (0x00, []) => self.pin_state(),
            (0xFF, []) => {
                self.pin_status.verified = false;
                DONE
            }
            (0x00, presented) => {
                self.pin.refuse_if_blocked()?;
                let presented = Zeroizing::new(padded(presented)?);
                self.refuse_format(&presented)?;
                self.pin_status.verified = false;
                self.pin.check(&presented)?;
                self.pin_status = PinStatus { verified: true, just_verified: true };
                DONE
            }
            (0xFF, _) => Err(BAD_DATA),
            _ => Err(BAD_P1_P2),
        }
    }

    /// VERIFY without data asks how things stand.
    fn pin_state(&self) -> Answer {
        if self.pin_status.verified {
            return DONE;
        }
        self.pin.refuse_if_blocked()?;
        Err(tries_left(self.pin.left))
    }

    pub(crate) fn change_reference_data(&mut self, command: &CommandApdu) -> Answer {
        if command.p1 != 0x00 {
            return Err(BAD_P1_P2);
        }
        let pair = || padded_pair(command.data.expose()).map(Zeroizing::new);
        match command.p2 {
            APPLICATION_PIN => {
                self.pin.refuse_if_blocked()?;
                let pair = pair()?;
                self.refuse_format(&pair.0)?;
                self.refuse_format(&pair.1)?;
                self.pin_status.verified = false;
                self.pin.check(&pair.0)?;
                self.replace_pin(pair.1)?;
                self.pin_status.verified = true;
            }
            UNBLOCKING_KEY => {
                self.puk.refuse_if_blocked()?;
                let pair = pair()?;
                self.puk.check(&pair.0)?;
                self.puk.replace(pair.1);
            }
            _ => return Err(REFERENCE_NOT_FOUND),
        }
        DONE
    }

    pub(crate) fn reset_retry_counter(&mut self, command: &CommandApdu) -> Answer {
        if command.p1 != 0x00 {
            return Err(BAD_P1_P2);
        }
        if command.p2 != APPLICATION_PIN {
            return Err(REFERENCE_NOT_FOUND);
        }
        self.puk.refuse_if_blocked()?;
        let pair = Zeroizing::new(padded_pair(command.data.expose())?);
        self.refuse_format(&pair.1)?;
        self.puk.check(&pair.0)?;
        self.replace_pin(pair.1)?;
        DONE
    }

    /// What is no PIN is no try either, says the standard. A YubiKey looks at the counter first: its tools block it
    /// with empty PINs before they reset it.
    fn refuse_format(&self, pin: &Padded) -> Result<(), StatusWord> {
        if self.firmware.is_none() && !is_pin(pin) { Err(BAD_DATA) } else { Ok(()) }
    }

    fn replace_pin(&mut self, pin: Padded) -> Result<(), StatusWord> {
        if self.firmware.is_some() && !is_yubikey_pin(&pin) {
            return Err(BAD_DATA);
        }
        self.pin.replace(pin);
        Ok(())
    }
}

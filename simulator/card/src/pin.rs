//! PIN and PUK: VERIFY, CHANGE REFERENCE DATA, RESET RETRY COUNTER, SP 800-73-4 part 2, 3.2.1 to 3.2.3.

use scard_types::{CommandApdu, Pin, StatusWord};
use zeroize::Zeroizing;

use crate::PivCard;
use crate::status::{Answer, BAD_DATA, BAD_P1_P2, BLOCKED, DONE, REFERENCE_NOT_FOUND, tries_left};

/// P2 of the PIV card application PIN.
const APPLICATION_PIN: u8 = 0x80;
/// P2 of the PIN unblocking key.
const UNBLOCKING_KEY: u8 = 0x81;
/// Every reference is sent in so many bytes, padded on the right.
const PADDED_BYTES: usize = 8;
const PADDING: u8 = 0xFF;

type Padded = [u8; PADDED_BYTES];

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
        is_well_formed(&padded).then_some(Self { value: padded, left: tries, tries })
    }

    /// Takes one try off before it compares, as a card that could lose power in between must.
    fn check(&mut self, presented: &Padded) -> Result<(), StatusWord> {
        self.left = self.left.checked_sub(1).ok_or(BLOCKED)?;
        if !equal(self.value.as_slice(), presented) {
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
                if !is_pin(&presented) {
                    return Err(BAD_DATA);
                }
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
                if !is_pin(&pair.0) || !is_pin(&pair.1) {
                    return Err(BAD_DATA);
                }
                self.pin_status.verified = false;
                self.pin.check(&pair.0)?;
                self.pin.replace(pair.1);
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
        if !is_pin(&pair.1) {
            return Err(BAD_DATA);
        }
        self.puk.check(&pair.0)?;
        self.pin.replace(pair.1);
        DONE
    }
}

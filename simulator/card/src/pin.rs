//! PIN and PUK: VERIFY, CHANGE REFERENCE DATA, RESET RETRY COUNTER, SP 800-73-4 part 2, 3.2.1 to 3.2.3.

use scard_types::{CommandApdu, StatusWord};
use zeroize::Zeroizing;

use crate::PivCard;
use crate::reference::{PADDED_BYTES, PADDING, Padded, Reference};
use crate::status::{Answer, BAD_DATA, BAD_P1_P2, DONE, REFERENCE_NOT_FOUND};

/// P2 of the global PIN.
const GLOBAL_PIN: u8 = 0x00;
/// P2 of the PIV card application PIN.
pub(crate) const APPLICATION_PIN: u8 = 0x80;
/// P2 of the PIN unblocking key.
pub(crate) const UNBLOCKING_KEY: u8 = 0x81;
/// The PIN that every tool tries first.
pub(crate) const WELL_KNOWN_PIN: &Padded = b"123456\xFF\xFF";
/// The PUK that every tool tries first.
pub(crate) const WELL_KNOWN_PUK: &Padded = b"12345678";

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

/// All of a card.
pub(crate) struct Pins {
    /// The PIV card application PIN.
    pub(crate) application: Reference,
    /// The PIN that all applications of a card share, where there is one: as good as the other.
    pub(crate) global: Option<Reference>,
    /// The PIN unblocking key.
    pub(crate) puk: Reference,
    /// The command just before was a successful VERIFY: what the digital signature key asks for.
    pub(crate) just_verified: bool,
}

impl Pins {
    pub(crate) const fn new(
        application: Reference,
        global: Option<Reference>,
        puk: Reference,
    ) -> Self {
        Self { application, global, puk, just_verified: false }
    }

    /// Whether one of the PINs has been verified.
    pub(crate) fn are_verified(&self) -> bool {
        self.application.is_verified() || self.global.as_ref().is_some_and(Reference::is_verified)
    }

    /// Takes back what they have opened.
    pub(crate) fn forget(&mut self) {
        self.application.forget();
        if let Some(global) = &mut self.global {
            global.forget();
        }
        self.just_verified = false;
    }

    fn pin(&mut self, reference: u8) -> Result<&mut Reference, StatusWord> {
        match reference {
            APPLICATION_PIN => Ok(&mut self.application),
            GLOBAL_PIN => self.global.as_mut().ok_or(REFERENCE_NOT_FOUND),
            _ => Err(REFERENCE_NOT_FOUND),
        }
    }
}

impl PivCard {
    pub(crate) fn verify(&mut self, command: &CommandApdu) -> Answer {
        let rules = self.pin_rules();
        let pin = self.pins.pin(command.p2)?;
        match (command.p1, command.data.expose()) {
            (0x00, []) => pin.state()?,
            (0xFF, []) => pin.forget(),
            (0x00, presented) => {
                pin.refuse_if_blocked()?;
                let presented = Zeroizing::new(padded(presented)?);
                rules.refuse_format(&presented)?;
                pin.check(&presented)?;
                self.pins.just_verified = true;
            }
            (0xFF, _) => return Err(BAD_DATA),
            _ => return Err(BAD_P1_P2),
        }
        DONE
    }

    pub(crate) fn change_reference_data(&mut self, command: &CommandApdu) -> Answer {
        if command.p1 != 0x00 {
            return Err(BAD_P1_P2);
        }
        let rules = self.pin_rules();
        let pair = || padded_pair(command.data.expose()).map(Zeroizing::new);
        if command.p2 == UNBLOCKING_KEY {
            self.pins.puk.refuse_if_blocked()?;
            let pair = pair()?;
            self.pins.puk.check(&pair.0)?;
            self.pins.puk.replace(pair.1);
            return DONE;
        }
        let pin = self.pins.pin(command.p2)?;
        pin.refuse_if_blocked()?;
        let pair = pair()?;
        rules.refuse_format(&pair.0)?;
        rules.refuse_format(&pair.1)?;
        pin.check(&pair.0)?;
        rules.replace(pin, pair.1)?;
        DONE
    }

    pub(crate) fn reset_retry_counter(&mut self, command: &CommandApdu) -> Answer {
        if command.p1 != 0x00 {
            return Err(BAD_P1_P2);
        }
        if command.p2 != APPLICATION_PIN {
            return Err(REFERENCE_NOT_FOUND);
        }
        let rules = self.pin_rules();
        self.pins.puk.refuse_if_blocked()?;
        let pair = Zeroizing::new(padded_pair(command.data.expose())?);
        rules.refuse_format(&pair.1)?;
        self.pins.puk.check(&pair.0)?;
        rules.replace(&mut self.pins.application, pair.1)?;
        DONE
    }

    const fn pin_rules(&self) -> PinRules {
        if self.firmware.is_some() { PinRules::Yubikey } else { PinRules::Standard }
    }
}

/// What a PIN looks like.
#[derive(Clone, Copy, PartialEq, Eq)]
enum PinRules {
    /// What is no PIN is no try either.
    Standard,
    /// A YubiKey looks at the counter first: its tools block it with empty PINs before they reset it.
    Yubikey,
}

impl PinRules {
    fn refuse_format(self, pin: &Padded) -> Result<(), StatusWord> {
        if self == Self::Standard && !is_pin(pin) { Err(BAD_DATA) } else { Ok(()) }
    }

    fn replace(self, pin: &mut Reference, value: Padded) -> Result<(), StatusWord> {
        if self == Self::Yubikey && !is_yubikey_pin(&value) {
            return Err(BAD_DATA);
        }
        pin.replace(value);
        Ok(())
    }
}

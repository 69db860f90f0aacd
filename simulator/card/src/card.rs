//! The card: what it remembers, and which chapter answers which command.

use core::mem;

use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;
use scard_types::{Atr, CommandApdu, SecretBytes, StatusWord};

use crate::certificate::Validity;
use crate::chaining::{Incoming, Outgoing, response};
use crate::management::{MANAGEMENT_KEY, Management};
use crate::objects::{self, MAX_OBJECT_BYTES, Objects};
use crate::pin::{Pins, is_pin, is_puk};
use crate::profile::{PivProfile, ProfileError};
use crate::reference::Reference;
use crate::slot::{KeySlot, RetiredKey};
use crate::slots::{Content, Slots};
use crate::status::{
    Answer, CHAINING_NOT_SUPPORTED, CHANNEL_NOT_SUPPORTED, CLA_NOT_SUPPORTED,
    CONDITIONS_NOT_SATISFIED, SECURE_MESSAGING_NOT_SUPPORTED, WRONG_LENGTH,
};
use crate::yubico::{self, Firmware};
use crate::{Card, contents};

pub(crate) const VERIFY: u8 = 0x20;
pub(crate) const CHANGE_REFERENCE_DATA: u8 = 0x24;
pub(crate) const RESET_RETRY_COUNTER: u8 = 0x2C;
pub(crate) const GENERATE_ASYMMETRIC_KEY_PAIR: u8 = 0x47;
pub(crate) const GENERAL_AUTHENTICATE: u8 = 0x87;
const SELECT: u8 = 0xA4;
const GET_RESPONSE: u8 = 0xC0;
const GET_DATA: u8 = 0xCB;
pub(crate) const PUT_DATA: u8 = 0xDB;

/// A virtual PIV card.
pub struct PivCard {
    // What it is.
    pub(crate) atr: Atr,
    pub(crate) serial: u32,
    pub(crate) firmware: Option<Firmware>,
    pub(crate) validity: Validity,
    // What stays when the power goes.
    pub(crate) rng: ChaCha20Rng,
    pub(crate) pins: Pins,
    pub(crate) objects: Objects,
    pub(crate) slots: Slots,
    pub(crate) management: Management,
    // What a reset clears (and what `pins` and `management` have opened).
    pub(crate) incoming: Incoming,
    pub(crate) outgoing: Outgoing,
}

impl PivCard {
    /// Makes a card. Keys and certificates that are not given are made when they are first needed.
    ///
    /// # Errors
    /// See [`ProfileError`].
    pub fn new(profile: PivProfile) -> Result<Self, ProfileError> {
        let PivProfile { atr, serial, firmware, validity, tries, .. } = profile;
        let pin = Reference::new(&profile.pin, tries, is_pin).ok_or(ProfileError::BadPin)?;
        let puk = Reference::new(&profile.puk, tries, is_puk).ok_or(ProfileError::BadPuk)?;
        let global = match &profile.global_pin {
            Some(pin) => Some(Reference::new(pin, tries, is_pin).ok_or(ProfileError::BadPin)?),
            None => None,
        };
        let discovery = contents::discovery(global.is_some());
        let mut card = Self {
            atr,
            serial,
            firmware,
            validity,
            rng: ChaCha20Rng::from_seed(profile.seed),
            pins: Pins::new(pin, global, puk),
            objects: Objects::default(),
            slots: Slots::new(profile.seed),
            management: Management::new(profile.management_key),
            incoming: Incoming::default(),
            outgoing: Outgoing::default(),
        };
        card.objects.put(objects::CHUID, contents::chuid(serial, &validity));
        card.objects.put(objects::CAPABILITIES, contents::capabilities(serial));
        card.objects.put(objects::DISCOVERY, discovery);
        let retired = profile.slots.keys().filter(|slot| matches!(slot, KeySlot::Retired(_)));
        let retired = u8::try_from(retired.count()).unwrap_or(RetiredKey::MOST);
        card.objects.put(objects::KEY_HISTORY, contents::key_history(retired));
        for (slot, content) in profile.slots {
            let certificate_due = content.certificate.is_none();
            card.slots.put(slot, Content::new(slot, content.key, certificate_due));
            if let Some(certificate) = content.certificate {
                let object = contents::certificate(&certificate);
                if object.len() > MAX_OBJECT_BYTES {
                    return Err(ProfileError::LongCertificate { slot });
                }
                card.objects.put(slot.certificate_tag(), object);
            }
        }
        Ok(card)
    }

    /// The serial number.
    #[must_use]
    pub const fn serial(&self) -> u32 {
        self.serial
    }

    fn exchange(&mut self, bytes: &[u8]) -> Result<SecretBytes, StatusWord> {
        let parsed = CommandApdu::parse(bytes);
        if let Ok(command) = &parsed {
            if command.ins == GET_RESPONSE && command.cla == 0 {
                return self.rest_of_answer(command);
            }
        }
        self.outgoing.clear();
        // Anything that does not carry on with a chain ends it, and comes between VERIFY and what follows the chain.
        let continues = parsed.as_ref().is_ok_and(|command| !self.incoming.is_broken_by(command));
        if !continues {
            self.incoming.clear();
            self.pins.just_verified = false;
        }
        let command = parsed.map_err(|_| WRONG_LENGTH)?;
        let expected = expected_bytes(&command);
        check_class(&command)?;
        let Some(whole) = self.incoming.accept(command)? else {
            return Ok(response(&[], StatusWord::OK));
        };
        let answer = self.perform(&whole)?;
        Ok(self.outgoing.begin(answer, expected))
    }

    fn rest_of_answer(&mut self, command: &CommandApdu) -> Result<SecretBytes, StatusWord> {
        self.incoming.clear();
        self.pins.just_verified = false;
        if self.outgoing.is_empty() {
            return Err(CONDITIONS_NOT_SATISFIED);
        }
        Ok(self.outgoing.next(expected_bytes(command)))
    }

    /// A whole command, to its chapter.
    fn perform(&mut self, command: &CommandApdu) -> Answer {
        let pin_just_verified = mem::take(&mut self.pins.just_verified);
        match command.ins {
            SELECT => self.select(command),
            GET_DATA => self.read_object(command),
            PUT_DATA => self.write_object(command),
            VERIFY => self.verify(command),
            CHANGE_REFERENCE_DATA => self.change_reference_data(command),
            RESET_RETRY_COUNTER => self.reset_retry_counter(command),
            GENERAL_AUTHENTICATE if command.p2 == MANAGEMENT_KEY => {
                self.authenticate_management(command)
            }
            GENERAL_AUTHENTICATE => self.use_key(command, pin_just_verified),
            GENERATE_ASYMMETRIC_KEY_PAIR => self.generate(command),
            _ => self.extension(command),
        }
    }

    /// Clears what PIN and management key have opened.
    pub(crate) fn forget(&mut self) {
        self.pins.forget();
        self.management.forget();
    }
}

impl Card for PivCard {
    fn atr(&self) -> Atr {
        self.atr
    }

    fn reset(&mut self) {
        self.forget();
        self.incoming.clear();
        self.outgoing.clear();
    }

    fn transmit(&mut self, command: &[u8]) -> SecretBytes {
        self.exchange(command).unwrap_or_else(|status| response(&[], status))
    }

    fn is_quick(&self, command: &[u8]) -> bool {
        let Some([cla, ins, _, p2]) = command.first_chunk::<4>() else { return true };
        match *ins {
            _ if *cla != 0 => true,
            GENERAL_AUTHENTICATE => *p2 == MANAGEMENT_KEY,
            GENERATE_ASYMMETRIC_KEY_PAIR | yubico::ATTEST | yubico::IMPORT_KEY => false,
            GET_DATA => !CommandApdu::parse(command)
                .ok()
                .and_then(|command| objects::asked_tag(command.data.expose()))
                .and_then(KeySlot::from_certificate_tag)
                .is_some_and(|slot| self.slots.certificate_is_due(slot)),
            yubico::MOVE_KEY | yubico::GET_METADATA => {
                KeySlot::from_reference(*p2).is_none_or(|slot| !self.slots.key_is_due(slot))
            }
            _ => true,
        }
    }
}

/// How much the other side takes at once. Without Le the data are sent all the same, as cards do under T=1 and as
/// tools rely on with SELECT.
fn expected_bytes(command: &CommandApdu) -> usize {
    let most = if command.extended { 65_536 } else { 256 };
    command.expected.and_then(|expected| usize::try_from(expected).ok()).unwrap_or(most)
}

/// CLA, ISO 7816-4:2020, 5.4.1: no secure messaging, no logical channel but the basic one, chains where they help.
const fn check_class(command: &CommandApdu) -> Result<(), StatusWord> {
    match command.cla {
        0x00 => Ok(()),
        0x10 => match command.ins {
            GENERAL_AUTHENTICATE | PUT_DATA | yubico::IMPORT_KEY => Ok(()),
            _ => Err(CHAINING_NOT_SUPPORTED),
        },
        0x04 | 0x08 | 0x0C | 0x14 | 0x18 | 0x1C => Err(SECURE_MESSAGING_NOT_SUPPORTED),
        0x01..=0x1F | 0x40..=0x7F => Err(CHANNEL_NOT_SUPPORTED),
        _ => Err(CLA_NOT_SUPPORTED),
    }
}

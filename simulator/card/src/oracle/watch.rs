//! What no command may do to a card, whatever it says.
//!
//! - A command costs a PIN or PUK one try at most, and gives tries back only to who knows it, to who unblocks it with
//!   the PUK, or to who may set them.
//! - A PIN is verified by itself only, and never when no try is left.
//! - What the management key guards is not done without it; a key is not used without the PIN that it asks for.
//! - A key that the card made never leaves it.

use scard_types::{CommandApdu, tlv};

use crate::PivCard;
use crate::card::{
    CHANGE_REFERENCE_DATA, GENERAL_AUTHENTICATE, GENERATE_ASYMMETRIC_KEY_PAIR, PUT_DATA,
    RESET_RETRY_COUNTER, VERIFY,
};
use crate::management::MANAGEMENT_KEY;
use crate::pin::{APPLICATION_PIN, UNBLOCKING_KEY};
use crate::policy::PinPolicy;
use crate::reference::{PADDED_BYTES, Padded, Reference};
use crate::slot::KeySlot;
use crate::slots::Origin;
use crate::yubico;

/// So much of a key would be enough to know it by.
const TELLTALE_BYTES: usize = 12;

/// How things stood before a command.
pub(super) struct Watch {
    ins: u8,
    p2: u8,
    /// The command is whole and not a part of a chain.
    is_last: bool,
    pin: Counter,
    puk: Counter,
    managed: bool,
    pins_verified: bool,
    key_policy: Option<PinPolicy>,
}

/// A PIN or PUK, and whether the command shows that it knows it.
struct Counter {
    left: u8,
    verified: bool,
    known: bool,
}

impl Counter {
    fn of(reference: &Reference, presented: Option<&Padded>) -> Self {
        Self {
            left: reference.left(),
            verified: reference.is_verified(),
            known: presented.is_some_and(|presented| reference.is(presented)),
        }
    }
}

impl Watch {
    pub(super) fn begin(card: &PivCard, bytes: &[u8]) -> Self {
        let command = CommandApdu::parse(bytes).unwrap_or(CommandApdu::new(0xFF, 0, 0, 0));
        let first = command.data.expose().first_chunk::<PADDED_BYTES>();
        let slot = KeySlot::from_reference(command.p2);
        let content = slot.and_then(|slot| card.slots.content(slot).ok());
        Self {
            ins: command.ins,
            p2: command.p2,
            is_last: command.cla == 0,
            pin: Counter::of(&card.pins.application, first),
            puk: Counter::of(&card.pins.puk, first),
            managed: card.management.require().is_ok(),
            pins_verified: card.pins.are_verified(),
            key_policy: content.map(|content| content.policies.pin),
        }
    }

    pub(super) fn end(&self, card: &PivCard, answer: &[u8]) {
        let done = self.is_last && matches!(answer, [.., 0x90, 0x00] | [.., 0x61, _]);
        self.check_counters(card, done);
        self.check_guards(done);
        check_secrecy(card, answer);
    }

    fn check_counters(&self, card: &PivCard, done: bool) {
        let sets_all = done && matches!(self.ins, yubico::SET_RETRIES | yubico::RESET);
        let knows = |ins: &[u8], p2, counter: &Counter| {
            self.is_last && ins.contains(&self.ins) && self.p2 == p2 && counter.known
        };
        let proved = knows(&[VERIFY, CHANGE_REFERENCE_DATA], APPLICATION_PIN, &self.pin);
        let unblocks = knows(&[RESET_RETRY_COUNTER], APPLICATION_PIN, &self.puk);
        let puk_proved = unblocks || knows(&[CHANGE_REFERENCE_DATA], UNBLOCKING_KEY, &self.puk);
        for (before, after, earned) in [
            (&self.pin, &card.pins.application, proved || unblocks),
            (&self.puk, &card.pins.puk, puk_proved),
        ] {
            if sets_all {
                continue;
            }
            assert!(after.left() <= after.tries(), "more tries are left than there are");
            assert!(after.left().saturating_add(1) >= before.left, "a command costs two tries");
            assert!(after.left() <= before.left || earned, "a try was given back for nothing");
            let opened = after.is_verified() && !before.verified;
            assert!(!opened || (earned && before.left > 0), "it is verified, nobody has proved it");
        }
    }

    fn check_guards(&self, done: bool) {
        if !done {
            return;
        }
        match self.ins {
            PUT_DATA
            | GENERATE_ASYMMETRIC_KEY_PAIR
            | yubico::IMPORT_KEY
            | yubico::MOVE_KEY
            | yubico::SET_MANAGEMENT_KEY => assert!(self.managed, "done without management key"),
            yubico::SET_RETRIES => {
                assert!(self.managed && self.pins_verified, "tries were set by nobody");
            }
            yubico::RESET => {
                let blocked = self.pin.left == 0 && self.puk.left == 0;
                assert!(blocked, "a card starts over that is not blocked");
            }
            GENERAL_AUTHENTICATE if self.p2 != MANAGEMENT_KEY => {
                let open = match self.key_policy {
                    Some(PinPolicy::Never) => true,
                    Some(PinPolicy::Once | PinPolicy::Always) => self.pins_verified,
                    None => false,
                };
                assert!(open, "a key is used without its PIN");
            }
            _ => {}
        }
    }
}

fn check_secrecy(card: &PivCard, answer: &[u8]) {
    if answer.len() < TELLTALE_BYTES {
        return;
    }
    let own = card.slots.contents.values().filter(|content| content.origin == Origin::Card);
    for key in own.filter_map(|content| content.ready_key()) {
        let parts = key.to_parts();
        for part in tlv::elements(&parts).map_while(Result::ok) {
            let Some(telltale) = part.value.get(..TELLTALE_BYTES) else { continue };
            let told = answer.windows(TELLTALE_BYTES).any(|window| window == telltale);
            assert!(!told, "the card tells its key");
        }
    }
}

//! What of an exchange may be shown: the table of secret commands, followed through chains and GET RESPONSE.

use scard_types::secret_commands::{Visibility, carries_pin, visibility};

/// The bit of CLA that says "more parts follow".
const CHAINING: u8 = 0x10;
const GET_RESPONSE: u8 = 0xC0;

/// Looks at the commands of one card in their order.
#[derive(Debug, Default)]
pub(super) struct Mask {
    pin_seen: bool,
    /// The instruction whose chain is under way and hidden.
    hidden_chain: Option<u8>,
    /// The last answer was hidden, so what GET RESPONSE fetches is.
    hidden_answer: bool,
}

impl Mask {
    /// What may be shown of the exchange that `command` begins.
    pub(super) fn look(&mut self, command: &[u8]) -> Visibility {
        let cla = command.first().copied().unwrap_or_default();
        let ins = command.get(1).copied();
        let goes_on = ins.is_some() && self.hidden_chain == ins;
        let fetches = self.hidden_answer && ins == Some(GET_RESPONSE);
        let seen = if goes_on || fetches {
            Visibility::HeaderOnly
        } else {
            visibility(command, self.pin_seen)
        };
        self.pin_seen |= carries_pin(command);
        self.hidden_answer = seen == Visibility::HeaderOnly;
        self.hidden_chain = if self.hidden_answer && cla & CHAINING != 0 { ins } else { None };
        seen
    }

    /// Whether a PIN went to the card since it was reset.
    pub(super) const fn pin_seen(&self) -> bool {
        self.pin_seen
    }

    /// The card was reset.
    pub(super) fn reset(&mut self) {
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hex;

    /// Plays commands and says which are shown (`+`) and which are not (`-`).
    fn check(commands: &[&str], expected: &str) {
        let mut mask = Mask::default();
        let seen: String = commands
            .iter()
            .map(|command| match mask.look(&hex::parse(command).unwrap()) {
                Visibility::Shown => '+',
                Visibility::HeaderOnly => '-',
            })
            .collect();
        assert_eq!(seen, expected, "{commands:?}");
    }

    #[test]
    fn pins_are_hidden_and_reading_is_not() {
        check(&["00A40400", "0020008008313233343536FFFF", "00CB3FFF055C035FC10500"], "+-+");
    }

    #[test]
    fn a_hidden_chain_is_hidden_to_its_end() {
        // PUT DATA of the printed information: only its first part names the object.
        check(&["10DB3FFF065C035FC10901", "10DB3FFF0102", "00DB3FFF0103", "00DB3FFF0104"], "---+");
    }

    #[test]
    fn what_is_fetched_after_a_hidden_command_is_hidden() {
        check(&["0087039B047C028000", "00C0000008", "00CB3FFF055C035FC105", "00C0000008"], "--++");
    }

    #[test]
    fn after_a_pin_unknown_classes_are_hidden_until_the_card_is_reset() {
        let mut mask = Mask::default();
        let unknown = [0x84, 0x50, 0, 0];
        assert_eq!(mask.look(&unknown), Visibility::Shown);
        mask.look(&[0x00, 0x20, 0x00, 0x80, 0x01, 0x31]);
        assert!(mask.pin_seen());
        assert_eq!(mask.look(&unknown), Visibility::HeaderOnly);
        mask.reset();
        assert_eq!(mask.look(&unknown), Visibility::Shown);
    }
}

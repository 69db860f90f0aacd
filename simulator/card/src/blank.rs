//! A card without an application, for measurements: it shows what the way to a card and back costs.

use alloc::vec;

use scard_types::{Atr, CommandApdu, SecretBytes};

use crate::Card;
use crate::status::WRONG_LENGTH;

/// Answers every command with 9000, and before it as many zero bytes as Le asks for, up to 65,536.
#[derive(Debug)]
pub struct BlankCard {
    atr: Atr,
}

impl BlankCard {
    /// A card with that answer to reset.
    #[must_use]
    pub const fn new(atr: Atr) -> Self {
        Self { atr }
    }
}

impl Card for BlankCard {
    fn atr(&self) -> Atr {
        self.atr
    }

    fn reset(&mut self) {}

    fn transmit(&mut self, command: &[u8]) -> SecretBytes {
        let Ok(command) = CommandApdu::parse(command) else {
            return WRONG_LENGTH.0.to_be_bytes().as_slice().into();
        };
        let asked = command.expected.and_then(|bytes| usize::try_from(bytes).ok()).unwrap_or(0);
        let mut answer = vec![0; asked.saturating_add(2)];
        if let Some([sw1, _]) = answer.last_chunk_mut() {
            *sw1 = 0x90;
        }
        answer.into()
    }

    fn is_quick(&self, _: &[u8]) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::default_atr;

    fn check(command: &[u8], zeroes: usize, status: [u8; 2]) {
        let answer = BlankCard::new(default_atr()).transmit(command);
        let (data, end) = answer.expose().split_at(zeroes);
        assert!(data.iter().all(|byte| *byte == 0), "{command:02X?}");
        assert_eq!(end, status, "{command:02X?}");
    }

    #[test]
    fn it_answers_as_many_bytes_as_it_is_asked_for() {
        check(&[0, 1, 2, 3], 0, [0x90, 0x00]);
        check(&[0, 1, 2, 3, 1], 1, [0x90, 0x00]);
        check(&[0, 1, 2, 3, 0], 256, [0x90, 0x00]);
        check(&[0, 1, 2, 3, 0, 0, 0], 65_536, [0x90, 0x00]);
        check(&[0, 1, 2, 3, 1, 9, 0], 256, [0x90, 0x00]);
        check(&[0, 1, 2], 0, [0x67, 0x00]);
        check(&[0, 1, 2, 3, 5, 9], 0, [0x67, 0x00]);
    }
}

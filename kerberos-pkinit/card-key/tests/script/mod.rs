//! A card that follows a script: it knows which command comes next and what it answers.
#![allow(dead_code, reason = "each test file uses its own part of this")]

use std::collections::VecDeque;

use card_key::Exchange;
use card_key::piv::Piv;
use scard_types::{ScardCode, SecretBytes, tlv};

/// SELECT of the PIV application.
pub(crate) const SELECT: &str = "00A4040009A0000003080000100000";
/// The answer of a card that says as little as it may.
pub(crate) const SELECTED: &str = "61 0F 4F 06 00 00 10 00 01 00 79 05 4F 03 A0 00 00 9000";

/// One exchange: command and answer, both in hexadecimal.
pub(crate) type Line<'a> = (&'a str, &'a str);

/// The card.
#[derive(Debug, Default)]
pub(crate) struct ScriptedCard {
    lines: VecDeque<(Vec<u8>, Vec<u8>)>,
}

impl ScriptedCard {
    pub(crate) fn new(lines: &[Line<'_>]) -> Self {
        Self { lines: lines.iter().map(|(command, answer)| (hex(command), hex(answer))).collect() }
    }

    /// Appends one exchange.
    pub(crate) fn then(mut self, command: Vec<u8>, answer: Vec<u8>) -> Self {
        self.lines.push_back((command, answer));
        self
    }

    /// Appends GET DATA for `tag`, answered with `object` in parts of at most 256 bytes.
    pub(crate) fn then_object(mut self, tag: &str, object: &[u8]) -> Self {
        let tag = hex(tag);
        let mut command = vec![0x00, 0xCB, 0x3F, 0xFF];
        let list = tlv::element(0x5C, &tag);
        command.push(u8::try_from(list.len()).unwrap());
        command.extend_from_slice(&list);
        command.push(0);
        let mut rest = object;
        loop {
            let (part, after) = rest.split_at(rest.len().min(256));
            let status = match after.len() {
                0 => [0x90, 0x00],
                left => [0x61, u8::try_from(left).unwrap_or(0)],
            };
            self = self.then(command, [part, &status].concat());
            if after.is_empty() {
                return self;
            }
            command = vec![0x00, 0xC0, 0, 0, status[1]];
            rest = after;
        }
    }

    /// Whether the script was played to its end.
    pub(crate) fn assert_finished(&self) {
        assert!(self.lines.is_empty(), "{} exchanges were not asked for", self.lines.len());
    }
}

impl Exchange for ScriptedCard {
    fn transmit(&mut self, command: &[u8]) -> Result<SecretBytes, ScardCode> {
        let Some((expected, answer)) = self.lines.pop_front() else {
            return Err(ScardCode::RemovedCard);
        };
        assert_eq!(to_hex(command), to_hex(&expected));
        Ok(SecretBytes::from(answer))
    }
}

/// Selects PIV on a card that goes on with `card`'s script.
pub(crate) fn selected(card: &mut ScriptedCard) -> Piv<&mut ScriptedCard> {
    card.lines.push_front((hex(SELECT), hex(SELECTED)));
    Piv::select(card).unwrap()
}

pub(crate) fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
    digits
        .chunks(2)
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect()
}

pub(crate) fn to_hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02X}")).collect()
}

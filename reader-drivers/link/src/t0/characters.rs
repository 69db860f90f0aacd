//! One TPDU in characters, ISO 7816-3:2006, 10.3: header, procedure bytes, data, status word.

use alloc::vec::Vec;

use scard_types::SecretBytes;
use scard_types::apdu::ApduError;

use super::{HEADER_BYTES, expected_bytes, is_carried};
use crate::{Heard, LinkError, Step};

/// The procedure byte that says nothing but that the card works on.
const NULL: u8 = 0x60;

const STATUS_BYTES: usize = 2;

/// A command TPDU on its way. [`Step::Done`] brings the response TPDU: data and status word.
#[derive(Debug)]
pub struct Characters {
    ins: u8,
    /// What the card has not asked for yet.
    data: SecretBytes,
    sent: usize,
    /// How many bytes of data the card may still send.
    incoming: usize,
    response: SecretBytes,
    expects: Expects,
    is_lost: bool,
}

/// What the next character is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Expects {
    Procedure,
    /// So many data bytes, then a procedure byte.
    Data {
        left: usize,
    },
    SecondStatus,
}

impl Characters {
    /// Sends the header of a command TPDU: five bytes, and where P3 counts data, those.
    pub fn begin(tpdu: &[u8]) -> (Self, Step) {
        let short = LinkError::BadCommand(ApduError::ShortHeader { got: tpdu.len() });
        let (header, data) = tpdu.split_at_checked(HEADER_BYTES).unwrap_or((&[], &[]));
        let (ins, p3) = match header {
            [_, ins, _, _, p3] => (*ins, *p3),
            _ => (NULL, 0),
        };
        let incoming = if data.is_empty() { expected_bytes(p3) } else { 0 };
        let exchange = Self {
            ins,
            data: SecretBytes::from(data),
            sent: 0,
            incoming,
            response: SecretBytes::new(Vec::with_capacity(incoming.saturating_add(STATUS_BYTES))),
            expects: Expects::Procedure,
            is_lost: false,
        };
        let announced = usize::from(p3);
        let step = if header.is_empty() {
            Step::Failed(short)
        } else if !is_carried(ins) {
            Step::Failed(LinkError::BadInstruction { ins })
        } else if !data.is_empty() && announced != data.len() {
            let got = data.len();
            Step::Failed(LinkError::BadCommand(ApduError::WrongLength { announced, got }))
        } else {
            Step::Send { bytes: SecretBytes::from(header), expect: Some(1), patience: 1 }
        };
        (exchange, step)
    }

    /// Takes what came of the last step. Silence is the end of the work waiting time: the card is to be reset then,
    /// as after any failure.
    pub fn hear(&mut self, heard: Heard<'_>) -> Step {
        let characters = match heard {
            _ if self.is_lost => return Step::Failed(LinkError::Lost),
            Heard::Bytes(characters) => characters,
            Heard::Silence => return self.lose(LinkError::Silence),
            Heard::Garbled => return self.lose(LinkError::Garbled),
        };
        let mut to_send = 0..0;
        let mut rest = characters.iter();
        while let Some(character) = rest.next() {
            // Whoever is to be sent something is silent until then.
            if !to_send.is_empty() {
                return self.lose(LinkError::OutOfRules);
            }
            match self.take(*character) {
                Ok(Taken::More) => {}
                Ok(Taken::Send(range)) => to_send = range,
                Ok(Taken::All) if rest.as_slice().is_empty() && self.is_whole() => {
                    self.is_lost = true;
                    return Step::Done(core::mem::take(&mut self.response));
                }
                Ok(Taken::All) => return self.lose(LinkError::OutOfRules),
                Err(error) => return self.lose(error),
            }
        }
        let bytes = SecretBytes::from(self.data.expose().get(to_send).unwrap_or_default());
        Step::Send { bytes, expect: Some(self.expected()), patience: 1 }
    }

    /// A card sends all that P3 counts, or none of it; in between, a character was lost.
    fn is_whole(&self) -> bool {
        self.incoming == 0 || self.response.len() == STATUS_BYTES
    }

    /// How many characters are sure to come.
    const fn expected(&self) -> usize {
        match self.expects {
            Expects::Procedure | Expects::SecondStatus => 1,
            Expects::Data { left } => left,
        }
    }

    fn take(&mut self, character: u8) -> Result<Taken, LinkError> {
        match self.expects {
            Expects::Procedure => self.take_procedure(character),
            Expects::Data { left } => {
                self.response.expose_mut().push(character);
                self.incoming = self.incoming.saturating_sub(1);
                self.expects = match left.saturating_sub(1) {
                    0 => Expects::Procedure,
                    left => Expects::Data { left },
                };
                Ok(Taken::More)
            }
            Expects::SecondStatus => {
                self.response.expose_mut().push(character);
                Ok(Taken::All)
            }
        }
    }

    /// ISO 7816-3:2006, 10.3.3. With the last bit turned round, cards of old asked for programming voltage.
    fn take_procedure(&mut self, character: u8) -> Result<Taken, LinkError> {
        if character == NULL {
            return Ok(Taken::More);
        }
        if !is_carried(character) {
            self.response.expose_mut().push(character);
            self.expects = Expects::SecondStatus;
            return Ok(Taken::More);
        }
        let left = self.data.len().saturating_sub(self.sent);
        let count = match character ^ self.ins {
            0x00 | 0x01 => left.max(self.incoming),
            0xFF | 0xFE => 1,
            _ => return Err(LinkError::OutOfRules),
        };
        if left > 0 {
            let from = self.sent;
            self.sent = from.saturating_add(count.min(left));
            return Ok(Taken::Send(from..self.sent));
        }
        if self.incoming == 0 {
            return Err(LinkError::OutOfRules);
        }
        self.expects = Expects::Data { left: count.min(self.incoming) };
        Ok(Taken::More)
    }

    fn lose(&mut self, error: LinkError) -> Step {
        self.is_lost = true;
        Step::Failed(error)
    }
}

/// What a character means for the exchange.
enum Taken {
    /// The card goes on.
    More,
    /// The card waits for this part of the data.
    Send(core::ops::Range<usize>),
    /// That was the last one.
    All,
}

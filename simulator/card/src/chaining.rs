//! Messages longer than one APDU: command chaining (ISO 7816-4:2020, 5.3.3) and GET RESPONSE (5.3.4).

use scard_types::{CommandApdu, SecretBytes, StatusWord};

use crate::status::WRONG_LENGTH;

/// The bit of CLA that says "more of this command follows".
const MORE: u8 = 0x10;

/// The longest command that a chain may build up, in bytes of data.
pub(crate) const MAX_CHAINED_BYTES: usize = 65_535;

/// A command that arrives in parts. It is kept until its last part comes or another command breaks it.
#[derive(Default)]
pub(crate) struct Incoming(Option<CommandApdu>);

impl Incoming {
    pub(crate) fn clear(&mut self) {
        self.0 = None;
    }

    /// Whether a chain is under way that `command` does not continue.
    pub(crate) fn is_broken_by(&self, command: &CommandApdu) -> bool {
        self.0.as_ref().is_some_and(|begun| header(begun) != header(command))
    }

    /// Adds one part: the whole command if it was the last one, `None` if more must come.
    pub(crate) fn accept(&mut self, part: CommandApdu) -> Result<Option<CommandApdu>, StatusWord> {
        let last = part.cla & MORE == 0;
        let mut whole = match self.0.take() {
            Some(begun) if header(&begun) == header(&part) => {
                CommandApdu { data: joined(&begun.data, &part.data)?, ..part }
            }
            _ => part,
        };
        if last {
            return Ok(Some(whole));
        }
        whole.cla &= !MORE;
        self.0 = Some(whole);
        Ok(None)
    }
}

/// What all parts of a chain have in common.
const fn header(command: &CommandApdu) -> [u8; 4] {
    [command.cla & !MORE, command.ins, command.p1, command.p2]
}

/// The parts so far and one more. A new buffer for each part, so that no copy of a secret stays behind unwiped.
fn joined(begun: &SecretBytes, part: &SecretBytes) -> Result<SecretBytes, StatusWord> {
    let total = begun.len().saturating_add(part.len());
    if total > MAX_CHAINED_BYTES {
        return Err(WRONG_LENGTH);
    }
    let mut data = alloc::vec::Vec::with_capacity(total);
    data.extend_from_slice(begun.expose());
    data.extend_from_slice(part.expose());
    Ok(SecretBytes::new(data))
}

/// What is still to be fetched of an answer.
#[derive(Default)]
pub(crate) struct Outgoing {
    answer: SecretBytes,
    sent: usize,
}

impl Outgoing {
    pub(crate) fn clear(&mut self) {
        *self = Self::default();
    }

    /// Takes a new answer and gives its first part with status word.
    pub(crate) fn begin(&mut self, answer: SecretBytes, expected: usize) -> SecretBytes {
        *self = Self { answer, sent: 0 };
        self.next(expected)
    }

    /// Whether there is anything to fetch.
    pub(crate) fn is_empty(&self) -> bool {
        self.sent >= self.answer.len()
    }

    /// At most `expected` more bytes, and 9000, or 61xx while more remains.
    pub(crate) fn next(&mut self, expected: usize) -> SecretBytes {
        let rest = self.answer.expose().get(self.sent..).unwrap_or_default();
        let (part, later) = rest.split_at_checked(expected).unwrap_or((rest, &[]));
        let status = match later.len() {
            0 => StatusWord::OK,
            // 6100 says "256 or more".
            remaining => {
                StatusWord(u16::from_be_bytes([0x61, u8::try_from(remaining).unwrap_or(0)]))
            }
        };
        let response = response(part, status);
        self.sent = self.sent.saturating_add(part.len());
        if self.is_empty() {
            self.clear();
        }
        response
    }
}

/// Data and status word as one answer.
pub(crate) fn response(data: &[u8], status: StatusWord) -> SecretBytes {
    let mut bytes = alloc::vec::Vec::with_capacity(data.len().saturating_add(2));
    bytes.extend_from_slice(data);
    bytes.extend_from_slice(&status.0.to_be_bytes());
    SecretBytes::new(bytes)
}

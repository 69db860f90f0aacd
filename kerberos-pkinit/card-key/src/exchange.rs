//! Long messages: command chaining, GET RESPONSE, and the right Le (ISO 7816-4:2020, 5.3.3 and 5.3.4).

use scard_client::{Card, Transaction};
use scard_types::{CommandApdu, ResponseApdu, ScardCode, SecretBytes, StatusWord};

use crate::CardKeyError;

/// The longest answer that is put together, in bytes. The largest PIV object has about 12.7 kB.
pub const MAX_ANSWER_BYTES: usize = 65_536;
/// The most commands that one answer may take: 65,536 bytes in parts of 128, as slow readers cut them.
pub const MAX_ROUNDS: usize = 512;

/// The most bytes in one part of a chain (short Lc).
const PART_BYTES: usize = 255;
/// The bit of CLA that says "more parts follow".
const CHAINING: u8 = 0x10;
/// Secure messaging and logical channel: what GET RESPONSE takes over from the command.
const CHANNEL: u8 = 0x03;

/// Carries one command APDU to a card and brings its response APDU, status word included.
pub trait Exchange {
    /// One exchange.
    ///
    /// # Errors
    /// Why the command did not reach the card or the answer did not come back. A status word is no error here.
    fn transmit(&mut self, command: &[u8]) -> Result<SecretBytes, ScardCode>;
}

impl<E: Exchange + ?Sized> Exchange for &mut E {
    fn transmit(&mut self, command: &[u8]) -> Result<SecretBytes, ScardCode> {
        (**self).transmit(command)
    }
}

impl Exchange for Card {
    fn transmit(&mut self, command: &[u8]) -> Result<SecretBytes, ScardCode> {
        Self::transmit(self, command)
    }
}

impl Exchange for &Transaction<'_> {
    fn transmit(&mut self, command: &[u8]) -> Result<SecretBytes, ScardCode> {
        Card::transmit(self, command)
    }
}

/// Sends one command of any length and collects its whole answer.
///
/// Data over 255 bytes go as a chain; `61xx` is followed by GET RESPONSE, `6Cxx` by the same command with the right
/// Le, once. A chain that the card refuses ends there: the answer is that refusal.
///
/// # Errors
/// [`CardKeyError::Exchange`], [`CardKeyError::NoStatusWord`], [`CardKeyError::AnswerTooLong`] and
/// [`CardKeyError::TooManyRounds`]. A status word that is no success is an answer, not an error.
pub fn send<E: Exchange + ?Sized>(
    card: &mut E,
    command: &CommandApdu,
) -> Result<ResponseApdu, CardKeyError> {
    let mut parts = command.data.expose().chunks(PART_BYTES).peekable();
    let mut last: &[u8] = &[];
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            last = part;
            break;
        }
        let link = CommandApdu::new(command.cla | CHAINING, command.ins, command.p1, command.p2)
            .with_data(part);
        let response = exchange(card, &link)?;
        if response.status != StatusWord::OK {
            return Ok(response);
        }
    }
    let mut end =
        CommandApdu::new(command.cla, command.ins, command.p1, command.p2).with_data(last);
    end.expected = command.expected.map(|expected| expected.min(256));
    collect(card, end)
}

/// Sends `command` and follows it up until the answer is complete.
fn collect<E: Exchange + ?Sized>(
    card: &mut E,
    mut command: CommandApdu,
) -> Result<ResponseApdu, CardKeyError> {
    let channel = command.cla & CHANNEL;
    let mut collected: Vec<SecretBytes> = Vec::new();
    let mut total = 0_usize;
    let mut le_corrected = false;
    for _ in 0..MAX_ROUNDS {
        let ResponseApdu { data, status } = exchange(card, &command)?;
        let [sw1, sw2] = status.0.to_be_bytes();
        let expected = if sw2 == 0 { 256 } else { u32::from(sw2) };
        if sw1 == 0x6C && !le_corrected {
            le_corrected = true;
            command.expected = Some(expected);
            continue;
        }
        total = total.saturating_add(data.len());
        if total > MAX_ANSWER_BYTES {
            return Err(CardKeyError::AnswerTooLong);
        }
        collected.push(data);
        if sw1 != 0x61 {
            return Ok(ResponseApdu { data: join(&collected, total), status });
        }
        le_corrected = false;
        command = CommandApdu::new(channel, 0xC0, 0, 0).with_expected(expected);
    }
    Err(CardKeyError::TooManyRounds)
}

fn exchange<E: Exchange + ?Sized>(
    card: &mut E,
    command: &CommandApdu,
) -> Result<ResponseApdu, CardKeyError> {
    let answer = card.transmit(command.to_bytes().expose())?;
    ResponseApdu::parse(answer.expose()).ok_or(CardKeyError::NoStatusWord { got: answer.len() })
}

/// Puts the parts together in one piece that never grows: a reallocation would leave a copy of a secret behind.
fn join(parts: &[SecretBytes], total: usize) -> SecretBytes {
    let mut whole = Vec::with_capacity(total);
    for part in parts {
        whole.extend_from_slice(part.expose());
    }
    SecretBytes::new(whole)
}

//! vpcd's messages: a length of two bytes, big-endian, and that many bytes.
//!
//! The reader asks, the card answers. A question of one byte is a [`Control`], anything longer a command APDU; of the
//! controls only [`Control::AnswerToReset`] is answered. There are no message numbers, so an answer belongs to the
//! oldest question, and a card that says something without being asked is out of step for ever.

use std::fmt;

use scard_types::SecretBytes;

/// Length, before each message.
const LENGTH_BYTES: usize = 2;
/// The longest content that the length can announce.
pub const MAX_CONTENT_BYTES: usize = 65_535;
/// The longest message, length included: no peer makes us hold more at a time.
pub const MAX_MESSAGE_BYTES: usize = LENGTH_BYTES + MAX_CONTENT_BYTES;
/// What most answers fit into.
const FIRST_ROOM_BYTES: usize = 4_096;

/// What the reader does with the card, other than an exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Control {
    /// Take the power away.
    PowerOff,
    /// Give it power.
    PowerOn,
    /// Reset it, with the power on.
    Reset,
    /// Ask for its answer to reset: pcscd's driver also does that to see whether the card is still there.
    AnswerToReset,
}

impl Control {
    /// Its one byte.
    #[must_use]
    pub const fn byte(self) -> u8 {
        match self {
            Self::PowerOff => 0,
            Self::PowerOn => 1,
            Self::Reset => 2,
            Self::AnswerToReset => 4,
        }
    }

    const fn of(byte: u8) -> Option<Self> {
        match byte {
            0 => Some(Self::PowerOff),
            1 => Some(Self::PowerOn),
            2 => Some(Self::Reset),
            4 => Some(Self::AnswerToReset),
            _ => None,
        }
    }
}

/// What a reader says, as the card sees it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Question<'a> {
    /// One byte that is known.
    Control(Control),
    /// One byte that is not: no answer is expected.
    Unknown(u8),
    /// A command APDU, or nothing at all; either is answered.
    Command(&'a [u8]),
}

impl<'a> Question<'a> {
    /// Reads the content of a message.
    #[must_use]
    pub const fn read(content: &'a [u8]) -> Self {
        match content {
            [byte] => match Control::of(*byte) {
                Some(control) => Self::Control(control),
                None => Self::Unknown(*byte),
            },
            command => Self::Command(command),
        }
    }
}

/// Shows no command.
impl fmt::Debug for Question<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Control(control) => control.fmt(f),
            Self::Unknown(byte) => write!(f, "Unknown({byte})"),
            Self::Command(command) => write!(f, "Command({} bytes)", command.len()),
        }
    }
}

/// The content is longer than [`MAX_CONTENT_BYTES`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooLong;

impl fmt::Display for TooLong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "more than {MAX_CONTENT_BYTES} bytes do not fit into a message")
    }
}

impl std::error::Error for TooLong {}

/// The whole message, to be written at once: a length that is written by itself makes the rest wait for its
/// acknowledgement.
///
/// # Errors
/// [`TooLong`].
pub fn encode(content: &[u8]) -> Result<SecretBytes, TooLong> {
    let length = u16::try_from(content.len()).map_err(|_| TooLong)?;
    let mut message = Vec::with_capacity(LENGTH_BYTES.saturating_add(content.len()));
    message.extend(length.to_be_bytes());
    message.extend(content);
    Ok(SecretBytes::new(message))
}

/// Bytes as they come, until they are messages. It has room for more than one, so that one read brings a whole answer.
#[derive(Default)]
pub struct Inbox {
    bytes: SecretBytes,
    filled: usize,
}

impl Inbox {
    /// Where the next bytes may be put; never empty. It grows only for a length that was announced, and never beyond
    /// [`MAX_MESSAGE_BYTES`].
    #[must_use]
    pub fn room(&mut self) -> &mut [u8] {
        let wanted = self.announced().unwrap_or(0).max(FIRST_ROOM_BYTES);
        if self.bytes.len() < wanted {
            // A vector that grows by itself would leave a copy of an answer behind.
            let mut larger = vec![0; wanted];
            larger.iter_mut().zip(self.bytes.expose()).for_each(|(to, from)| *to = *from);
            self.bytes = SecretBytes::new(larger);
        }
        self.bytes.expose_mut().get_mut(self.filled..).unwrap_or_default()
    }

    /// So many bytes were put there.
    pub fn fill(&mut self, count: usize) {
        self.filled = self.filled.saturating_add(count).min(self.bytes.len());
    }

    /// The content of the next message, if it is there to its last byte.
    pub fn take(&mut self) -> Option<SecretBytes> {
        let end = self.announced()?;
        if self.filled < end {
            return None;
        }
        let content = self.bytes.expose().get(LENGTH_BYTES..end).map(SecretBytes::from);
        self.bytes.expose_mut().copy_within(end..self.filled, 0);
        self.filled = self.filled.saturating_sub(end);
        content
    }

    /// Whether nothing is there.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.filled == 0
    }

    /// Whether the beginning of a message is there, and not its end: its sender may be waiting for an acknowledgement.
    #[must_use]
    pub fn is_partial(&self) -> bool {
        self.filled > 0 && self.announced().is_none_or(|end| self.filled < end)
    }

    /// Where the message ends that has begun, if its length is there.
    fn announced(&self) -> Option<usize> {
        match self.bytes.expose().get(..self.filled) {
            Some([high, low, ..]) => {
                Some(LENGTH_BYTES.saturating_add(u16::from_be_bytes([*high, *low]).into()))
            }
            _ => None,
        }
    }
}

impl fmt::Debug for Inbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Inbox({} bytes)", self.filled)
    }
}

/// The fuzz oracle: however a stream of bytes is cut into reads, it is the same messages.
///
/// # Panics
/// If it is not, or if the inbox holds more than a message may have.
pub fn check(stream: &[u8], cut: usize) {
    let read = |most: usize| {
        let mut inbox = Inbox::default();
        let mut rest = stream;
        let mut messages = Vec::new();
        while !rest.is_empty() {
            let room = inbox.room();
            assert!(!room.is_empty(), "there is always room");
            let count = room.len().min(rest.len()).min(most.max(1));
            let (now, later) = rest.split_at_checked(count).unwrap_or((rest, &[]));
            room.iter_mut().zip(now).for_each(|(to, from)| *to = *from);
            inbox.fill(count);
            rest = later;
            while let Some(content) = inbox.take() {
                messages.push(content);
            }
            assert!(inbox.bytes.len() <= MAX_MESSAGE_BYTES, "no more than a message is held");
        }
        assert_eq!(inbox.is_partial(), inbox.filled > 0, "what is complete was taken");
        (messages, inbox.filled)
    };
    assert_eq!(read(cut), read(usize::MAX), "messages depend on how they are cut");
}

#[cfg(test)]
mod tests;

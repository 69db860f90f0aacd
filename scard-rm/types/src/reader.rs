//! Readers and what is in their slots.

use alloc::format;
use alloc::string::String;
use core::fmt;

use crate::Atr;

/// The longest reader name, in bytes of UTF-8, without the NUL that C adds (`MAX_READERNAME` is 128 with it).
pub const MAX_READER_NAME_BYTES: usize = 127;

/// The name of a reader: 1 to 127 bytes, no NUL and no control character.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ReaderName(String);

/// Why text is no reader name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ReaderNameError {
    /// No characters.
    Empty,
    /// More than [`MAX_READER_NAME_BYTES`].
    TooLong {
        /// What was given, in bytes.
        got: usize,
    },
    /// A control character; NUL would end the name early for a C program.
    ControlCharacter {
        /// Where, in bytes.
        at: usize,
    },
}

impl fmt::Display for ReaderNameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("the reader name is empty"),
            Self::TooLong { got } => {
                write!(
                    f,
                    "the reader name has {got} bytes, at most {MAX_READER_NAME_BYTES} are possible"
                )
            }
            Self::ControlCharacter { at } => {
                write!(f, "the reader name has a control character at byte {at}")
            }
        }
    }
}

impl core::error::Error for ReaderNameError {}

impl ReaderName {
    /// Checks and takes a name.
    ///
    /// # Errors
    /// See [`ReaderNameError`].
    pub fn new(name: impl Into<String>) -> Result<Self, ReaderNameError> {
        let name = name.into();
        if name.is_empty() {
            return Err(ReaderNameError::Empty);
        }
        if name.len() > MAX_READER_NAME_BYTES {
            return Err(ReaderNameError::TooLong { got: name.len() });
        }
        if let Some((at, _)) = name.char_indices().find(|(_, c)| c.is_control()) {
            return Err(ReaderNameError::ControlCharacter { at });
        }
        Ok(Self(name))
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for ReaderName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.0)
    }
}

impl fmt::Display for ReaderName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// How a reader gets its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReaderNaming {
    /// As it stands (a name that is taken gets the next free index appended).
    Verbatim(ReaderName),
    /// `<base> RR SS`: RR is the lowest index free among the readers of the same driver, SS the slot, both in
    /// hexadecimal; the base is cut so that the whole fits.
    Indexed {
        /// Model, interface and serial number, as libccid spells them.
        base: String,
        /// Slot number within the reader.
        slot: u8,
    },
}

/// What a slot reports of its own accord.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CardEvent {
    /// A card is in the slot that was empty before.
    Inserted,
    /// The slot is empty.
    Removed,
    /// The card was away for a moment, or another one is in the slot now: a removal and an insertion.
    Replaced,
}

/// What the resource manager knows of a slot, as every client may see it.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub enum SlotState {
    /// The driver cannot tell.
    #[default]
    Unknown,
    /// No card.
    Empty,
    /// A card that does not answer to reset.
    Mute,
    /// A card that answered.
    Present {
        /// Its answer to reset.
        atr: Atr,
        /// Whether it is powered at the moment. Shown to nobody but the log: programs see it as powered.
        powered: bool,
    },
}

impl SlotState {
    /// Whether there is a card, mute or not.
    #[must_use]
    pub const fn has_card(&self) -> bool {
        matches!(self, Self::Mute | Self::Present { .. })
    }

    /// The card's answer to reset, if it gave one.
    #[must_use]
    pub const fn atr(&self) -> Option<&Atr> {
        match self {
            Self::Present { atr, .. } => Some(atr),
            Self::Unknown | Self::Empty | Self::Mute => None,
        }
    }
}

/// The state of a card in the words of `SCardStatus`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CardState {
    /// The driver cannot tell.
    Unknown,
    /// No card.
    Absent,
    /// A card that does not answer.
    Swallowed,
    /// A card, power and reset done, protocol not yet negotiated.
    Negotiable,
    /// A card with its protocol set.
    Specific,
}

/// Why a slot could not do what it was asked to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum SlotError {
    /// No card in the slot.
    NoCard,
    /// The card did not answer to reset.
    Mute,
    /// The card could not be powered.
    PowerFailed,
    /// The card refused the protocol, or does not offer it.
    ProtocolRefused,
    /// Reader and card did not understand each other.
    Communication,
    /// The card or the reader did not answer in time.
    Timeout,
    /// The reader does not know this request (control code, attribute, function).
    NotSupported,
    /// The reader's or the card's answer breaks the rules of its protocol (a length, a checksum, a sequence).
    BadAnswer,
    /// The request is longer than the reader takes.
    TooLong,
    /// The answer is longer than the caller allowed.
    AnswerTooLong {
        /// What it would need, in bytes.
        needed: u32,
    },
    /// The reader is gone.
    ReaderGone,
}

impl fmt::Display for SlotError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoCard => f.write_str("no card in the slot"),
            Self::Mute => f.write_str("the card does not answer to reset"),
            Self::PowerFailed => f.write_str("the card could not be powered"),
            Self::ProtocolRefused => f.write_str("the card refused the protocol"),
            Self::Communication => f.write_str("reader and card did not understand each other"),
            Self::Timeout => f.write_str("no answer in time"),
            Self::NotSupported => f.write_str("the reader does not support this request"),
            Self::BadAnswer => f.write_str("the answer breaks the rules of its protocol"),
            Self::TooLong => f.write_str("the request is longer than the reader takes"),
            Self::AnswerTooLong { needed } => write!(f, "the answer needs {needed} bytes"),
            Self::ReaderGone => f.write_str("the reader is gone"),
        }
    }
}

impl core::error::Error for SlotError {}

/// Which device a reader belongs to, for names and groups that stay when it is plugged in again.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DeviceInstance {
    /// The device: by serial number where it has one, else by the place where it is plugged in. The same for all its
    /// slots, and no other device's.
    pub id: String,
    /// Which of its slots, from 0.
    pub slot: u8,
    /// `SCARD_READER_TYPE_*`.
    pub device_type: u32,
}

impl DeviceInstance {
    /// `SCARD_READER_TYPE_USB`.
    pub const USB: u32 = 0x20;
    /// `SCARD_READER_TYPE_VENDOR`: no bus of hardware.
    pub const VENDOR: u32 = 0xF0;

    /// What one slot of it is called for good.
    #[must_use]
    pub fn reader(&self) -> String {
        format!("{}/{}", self.id, self.slot)
    }
}

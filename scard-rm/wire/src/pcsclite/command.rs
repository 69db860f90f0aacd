//! The commands and what each carries (`winscard_msg.h` of pcsc-lite).

use super::Malformed;

/// Header of a request: size and command, two words.
pub(crate) const HEADER_BYTES: usize = 4 + 4;
/// The most payload of a TRANSMIT or CONTROL: 4 header + 3 Lc + 65,536 data + 3 Le + 2 status word.
pub const MAX_PAYLOAD_BYTES: usize = 4 + 3 + 65_536 + 3 + 2;
/// Room for the value of an attribute (`MAX_BUFFER_SIZE`).
pub const MAX_ATTRIBUTE_BYTES: usize = 264;

/// A version of the wire, major 4.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Version {
    /// 4:3, pcsc-lite 1.8.9 to 1.8.23.
    V4_3,
    /// 4:4, pcsc-lite 1.8.24 to 2.2.3.
    V4_4,
    /// 4:5, pcsc-lite 2.3.0 to 2.4.1.
    V4_5,
    /// 4:6, from pcsc-lite 2.5.0.
    V4_6,
}

impl Version {
    /// The major number of all of them.
    pub const MAJOR: u32 = 4;
    /// The newest.
    pub const NEWEST: Self = Self::V4_6;

    /// The version with these numbers.
    #[must_use]
    pub const fn from_numbers(major: u32, minor: u32) -> Option<Self> {
        match (major, minor) {
            (4, 3) => Some(Self::V4_3),
            (4, 4) => Some(Self::V4_4),
            (4, 5) => Some(Self::V4_5),
            (4, 6) => Some(Self::V4_6),
            _ => None,
        }
    }

    /// The minor number.
    #[must_use]
    pub const fn minor(self) -> u32 {
        match self {
            Self::V4_3 => 3,
            Self::V4_4 => 4,
            Self::V4_5 => 5,
            Self::V4_6 => 6,
        }
    }

    /// Whether 0x13 is answered at once with the reader table.
    #[must_use]
    pub const fn wait_brings_table(self) -> bool {
        matches!(self, Self::V4_4 | Self::V4_5)
    }
}

/// What a client asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u32)]
pub enum Command {
    /// `SCardEstablishContext`.
    EstablishContext = 0x01,
    /// `SCardReleaseContext`.
    ReleaseContext = 0x02,
    /// `SCardConnect`.
    Connect = 0x04,
    /// `SCardReconnect`.
    Reconnect = 0x05,
    /// `SCardDisconnect`.
    Disconnect = 0x06,
    /// `SCardBeginTransaction`.
    BeginTransaction = 0x07,
    /// `SCardEndTransaction`.
    EndTransaction = 0x08,
    /// `SCardTransmit`.
    Transmit = 0x09,
    /// `SCardControl`.
    Control = 0x0A,
    /// `SCardStatus`.
    Status = 0x0B,
    /// `SCardCancel`, on a connection of its own that sent no VERSION.
    Cancel = 0x0D,
    /// `SCardGetAttrib`.
    GetAttribute = 0x0F,
    /// `SCardSetAttrib`.
    SetAttribute = 0x10,
    /// The first message of a client that is no canceller.
    Version = 0x11,
    /// The table of readers, 16 entries.
    ReadersState = 0x12,
    /// Tell me once of the next change.
    WaitReaderStateChange = 0x13,
    /// Tell me no more.
    StopWaitingReaderStateChange = 0x14,
    /// From 4:5: how many readers came and went.
    ReaderEvents = 0x15,
    /// From 4:6: how many entries the table has.
    ReadersStateSize = 0x16,
    /// From 4:6: the table, as many entries as 0x16 said.
    ReadersStateArray = 0x17,
}

/// Whether a connection that begins with these bytes asks for a cancel, and so for nothing else.
#[must_use]
pub fn is_cancel(first: &[u8]) -> bool {
    let Some((size, rest)) = first.split_first_chunk::<4>() else { return false };
    let Some(command) = rest.first_chunk::<4>() else { return false };
    let bytes = Command::Cancel.request_bytes(Version::NEWEST);
    usize::try_from(u32::from_ne_bytes(*size)) == Ok(bytes)
        && u32::from_ne_bytes(*command) == Command::Cancel.number()
}

impl Command {
    /// Every command.
    pub const ALL: [Self; 20] = [
        Self::EstablishContext,
        Self::ReleaseContext,
        Self::Connect,
        Self::Reconnect,
        Self::Disconnect,
        Self::BeginTransaction,
        Self::EndTransaction,
        Self::Transmit,
        Self::Control,
        Self::Status,
        Self::Cancel,
        Self::GetAttribute,
        Self::SetAttribute,
        Self::Version,
        Self::ReadersState,
        Self::WaitReaderStateChange,
        Self::StopWaitingReaderStateChange,
        Self::ReaderEvents,
        Self::ReadersStateSize,
        Self::ReadersStateArray,
    ];

    /// The command with that number.
    ///
    /// # Errors
    /// [`Malformed::UnknownCommand`]; 0x03, 0x0C and 0x0E were never sent by a client of these versions.
    pub fn from_number(number: u32) -> Result<Self, Malformed> {
        Self::ALL
            .into_iter()
            .find(|command| command.number() == number)
            .ok_or(Malformed::UnknownCommand { command: number })
    }

    /// The number on the wire.
    #[must_use]
    #[expect(clippy::as_conversions, reason = "reads the discriminant of a `repr(u32)` enum")]
    pub const fn number(self) -> u32 {
        self as u32
    }

    /// The size of the structure that a request carries, in bytes.
    #[must_use]
    pub const fn request_bytes(self, version: Version) -> usize {
        match self {
            Self::EstablishContext | Self::Disconnect | Self::EndTransaction | Self::Version => 12,
            Self::ReleaseContext | Self::BeginTransaction | Self::Status | Self::Cancel => 8,
            Self::Connect => 152,
            Self::Reconnect | Self::Control => 24,
            Self::Transmit => 32,
            Self::GetAttribute | Self::SetAttribute => 280,
            Self::WaitReaderStateChange | Self::StopWaitingReaderStateChange => match version {
                Version::V4_3 => 8,
                Version::V4_4 | Version::V4_5 | Version::V4_6 => 0,
            },
            Self::ReadersState
            | Self::ReaderEvents
            | Self::ReadersStateSize
            | Self::ReadersStateArray => 0,
        }
    }
}

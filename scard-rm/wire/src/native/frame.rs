//! Frame headers, kinds and the most that each may carry.

use alloc::vec::Vec;

use scard_types::apdu::MAX_BUFFER_BYTES;
use scard_types::cache::MAX_ITEM_BYTES;
use scard_types::database::MAX_NAME_BYTES;

use super::Malformed;
use crate::inbox::Inbox;

/// Length 4 + number 4 + kind 2 + reserved 2.
pub const HEADER_BYTES: usize = 4 + 4 + 2 + 2;
/// The most of a reply or push body.
pub const MAX_REPLY_BYTES: usize = 1 << 20;
/// The most of a request body with nothing large in it.
const SMALL_BYTES: usize = 256;
/// The most of a request with two names: context, card and freshness or two lengths, twice the longest name.
const NAMES_BYTES: usize = 4 + 16 + 4 + 2 + 2 + 2 * MAX_NAME_BYTES;
/// The most of a payload that is no APDU, and of a request that is not known.
pub(crate) const MAX_DATA_BYTES: usize = 65_536;
/// The most of a `StatusChange` body: about 1,900 readers with the longest names, 7,000 with usual ones.
const MAX_STATUS_CHANGE_BYTES: usize = 262_144;

macro_rules! kinds {
    ($(#[$doc:meta])* $name:ident { $($(#[$of:meta])* $variant:ident = $number:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u16)]
        pub enum $name { $($(#[$of])* $variant = $number,)* }

        impl $name {
            /// The number on the wire.
            #[must_use]
            pub const fn number(self) -> u16 {
                match self { $(Self::$variant => $number,)* }
            }

            /// The kind with that number.
            #[must_use]
            pub const fn from_number(number: u16) -> Option<Self> {
                match number { $($number => Some(Self::$variant),)* _ => None }
            }
        }
    };
}

kinds! {
    /// Kinds of requests.
    RequestKind {
        /// `SCardEstablishContext`.
        EstablishContext = 0x01,
        /// `SCardReleaseContext`.
        ReleaseContext = 0x02,
        /// `SCardConnect`.
        Connect = 0x03,
        /// `SCardReconnect`.
        Reconnect = 0x04,
        /// `SCardDisconnect`.
        Disconnect = 0x05,
        /// `SCardBeginTransaction`.
        BeginTransaction = 0x06,
        /// `SCardEndTransaction`.
        EndTransaction = 0x07,
        /// `SCardTransmit`.
        Transmit = 0x08,
        /// `SCardControl`.
        Control = 0x09,
        /// `SCardStatus`.
        Status = 0x0A,
        /// `SCardGetAttrib`.
        GetAttribute = 0x0B,
        /// `SCardSetAttrib`.
        SetAttribute = 0x0C,
        /// `SCardListReaders`.
        ListReaders = 0x0D,
        /// `SCardGetStatusChange`.
        StatusChange = 0x0E,
        /// `SCardCancel`.
        Cancel = 0x0F,
        /// Readers, cards and who holds them.
        DescribeReaders = 0x10,
        /// Pushes from now on.
        Subscribe = 0x11,
        /// Bytes for a driver, not looked at on the way.
        DriverCommand = 0x12,
        /// Pushes of all that clients do, from now on.
        Trace = 0x20,
        /// Card types.
        CardTypes = 0x40,
        /// `SCardIntroduceCardType`.
        IntroduceCardType = 0x41,
        /// `SCardForgetCardType`.
        ForgetCardType = 0x42,
        /// `SCardSetCardTypeProviderName`.
        SetCardTypeProvider = 0x43,
        /// `SCardIntroduceReader`.
        IntroduceReader = 0x48,
        /// `SCardForgetReader`.
        ForgetReader = 0x49,
        /// Groups and their readers.
        ReaderGroups = 0x50,
        /// `SCardAddReaderToGroup`.
        AddReaderToGroup = 0x51,
        /// `SCardRemoveReaderFromGroup`.
        RemoveReaderFromGroup = 0x52,
        /// `SCardForgetReaderGroup`.
        ForgetReaderGroup = 0x53,
        /// Devices behind readers.
        ReaderDevices = 0x58,
        /// `SCardGetReaderIcon`.
        ReaderIcon = 0x59,
        /// `SCardAudit`.
        Audit = 0x5C,
        /// `SCardGetTransmitCount`.
        TransmitCount = 0x5D,
        /// The latest records of the audit.
        AuditTrail = 0x5E,
        /// `SCardReadCache`.
        ReadCache = 0x60,
        /// `SCardWriteCache`.
        WriteCache = 0x61,
        /// What is in the cache.
        DescribeCache = 0x62,
        /// Forget what is in the cache.
        PurgeCache = 0x63,
    }
}

kinds! {
    /// Kinds of replies and pushes.
    ReplyKind {
        /// The call failed.
        Refused = 0x8000,
        /// The call succeeded, and that is all.
        Done = 0x8001,
        /// A context.
        Context = 0x8002,
        /// A handle and a protocol.
        Connected = 0x8003,
        /// A protocol.
        Reconnected = 0x8004,
        /// A response APDU.
        Transmitted = 0x8005,
        /// The output of a control code or a driver command.
        Controlled = 0x8006,
        /// The value of an attribute.
        Attribute = 0x8007,
        /// One reader.
        Status = 0x8008,
        /// Names of readers.
        Readers = 0x8009,
        /// What became of the readers that were asked for.
        StatusChange = 0x800A,
        /// Readers with their holders.
        Described = 0x800B,
        /// Card types.
        CardTypes = 0x8040,
        /// Groups and their readers.
        ReaderGroups = 0x8050,
        /// Devices behind readers.
        ReaderDevices = 0x8058,
        /// The bytes of an image file.
        ReaderIcon = 0x8059,
        /// A number of exchanges.
        TransmitCount = 0x805D,
        /// Records of the audit.
        AuditTrail = 0x805E,
        /// An item of the cache.
        CacheItem = 0x8060,
        /// What is in the cache.
        CacheEntries = 0x8062,
        /// Push: a reader came.
        ReaderArrived = 0xC000,
        /// Push: a reader went.
        ReaderGone = 0xC001,
        /// Push: a card came or went, a handle was opened or closed.
        StateChanged = 0xC002,
        /// Push: what was there at the beginning is told.
        Caught = 0xC003,
        /// Trace: a client is there.
        TraceClient = 0xC010,
        /// Trace: a client is gone.
        TraceClientGone = 0xC011,
        /// Trace: a call waits.
        TraceWaits = 0xC012,
        /// Trace: a call is answered.
        TraceAnswered = 0xC013,
        /// Trace: a registration fired.
        TraceFired = 0xC014,
        /// Trace: something happened to a reader or its card.
        TraceReader = 0xC015,
        /// Trace: events that nobody read in time.
        TraceLost = 0xC016,
        /// Trace: what was there at the beginning is told.
        TraceBegins = 0xC017,
    }
}

impl RequestKind {
    /// The kind of reply that belongs to it, beside [`ReplyKind::Refused`].
    #[must_use]
    pub const fn reply(self) -> ReplyKind {
        match self {
            Self::EstablishContext => ReplyKind::Context,
            Self::Connect => ReplyKind::Connected,
            Self::Reconnect => ReplyKind::Reconnected,
            Self::Transmit => ReplyKind::Transmitted,
            Self::Control | Self::DriverCommand => ReplyKind::Controlled,
            Self::GetAttribute => ReplyKind::Attribute,
            Self::Status => ReplyKind::Status,
            Self::ListReaders => ReplyKind::Readers,
            Self::StatusChange => ReplyKind::StatusChange,
            Self::DescribeReaders => ReplyKind::Described,
            Self::CardTypes => ReplyKind::CardTypes,
            Self::ReaderGroups => ReplyKind::ReaderGroups,
            Self::ReaderDevices => ReplyKind::ReaderDevices,
            Self::ReaderIcon => ReplyKind::ReaderIcon,
            Self::TransmitCount => ReplyKind::TransmitCount,
            Self::AuditTrail => ReplyKind::AuditTrail,
            Self::ReadCache => ReplyKind::CacheItem,
            Self::DescribeCache => ReplyKind::CacheEntries,
            Self::ReleaseContext
            | Self::Disconnect
            | Self::BeginTransaction
            | Self::EndTransaction
            | Self::SetAttribute
            | Self::Cancel
            | Self::Subscribe
            | Self::Trace
            | Self::IntroduceCardType
            | Self::ForgetCardType
            | Self::SetCardTypeProvider
            | Self::IntroduceReader
            | Self::ForgetReader
            | Self::AddReaderToGroup
            | Self::RemoveReaderFromGroup
            | Self::ForgetReaderGroup
            | Self::Audit
            | Self::WriteCache
            | Self::PurgeCache => ReplyKind::Done,
        }
    }

    /// The most that a body of this kind may have, in bytes.
    pub(crate) const fn cap(self) -> usize {
        match self {
            // Card, protocol, receive limit, length of the command.
            Self::Transmit => MAX_BUFFER_BYTES.saturating_add(4 + 1 + 4 + 4),
            // Card, code, output limit, length of the input.
            Self::Control => MAX_BUFFER_BYTES.saturating_add(4 + 4 + 4 + 4),
            // Card, tag, length of the value.
            Self::SetAttribute => MAX_DATA_BYTES.saturating_add(4 + 4 + 4),
            // The driver's name, length of the command.
            Self::DriverCommand => MAX_DATA_BYTES.saturating_add(SMALL_BYTES),
            Self::StatusChange => MAX_STATUS_CHANGE_BYTES,
            // Names, a path, interfaces.
            Self::CardTypes | Self::IntroduceCardType | Self::SetCardTypeProvider => MAX_DATA_BYTES,
            // Context, card, freshness, name, length of the item.
            Self::WriteCache => MAX_ITEM_BYTES.saturating_add(4 + 16 + 4 + 2 + MAX_NAME_BYTES + 4),
            Self::IntroduceReader
            | Self::ForgetReader
            | Self::ForgetCardType
            | Self::AddReaderToGroup
            | Self::RemoveReaderFromGroup
            | Self::ForgetReaderGroup
            | Self::ReadCache => NAMES_BYTES,
            _ => SMALL_BYTES,
        }
    }
}

impl ReplyKind {
    /// Whether it answers nothing and has the number 0.
    #[must_use]
    pub const fn is_push(self) -> bool {
        self.number() >= 0xC000
    }
}

/// A header as it came.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Header {
    pub(crate) length: u32,
    pub(crate) number: u32,
    pub(crate) kind: u16,
}

impl Header {
    fn decode(bytes: [u8; HEADER_BYTES]) -> Result<Self, Malformed> {
        let [l0, l1, l2, l3, n0, n1, n2, n3, k0, k1, 0, 0] = bytes else {
            return Err(Malformed::BadHeader);
        };
        Ok(Self {
            length: u32::from_le_bytes([l0, l1, l2, l3]),
            number: u32::from_le_bytes([n0, n1, n2, n3]),
            kind: u16::from_le_bytes([k0, k1]),
        })
    }

    /// The length, held against `cap`.
    fn body_bytes(self, cap: usize) -> Result<usize, Malformed> {
        match usize::try_from(self.length) {
            Ok(length) if length <= cap => Ok(length),
            _ => Err(Malformed::TooLong { kind: self.kind, announced: self.length }),
        }
    }
}

/// Lets `understand` have the next frame if it is whole. `cap` says how much a kind may carry, before anything is kept for it.
pub(crate) fn take<T>(
    inbox: &mut Inbox,
    cap: impl FnOnce(Header) -> Result<usize, Malformed>,
    understand: impl FnOnce(Header, &[u8]) -> Result<T, Malformed>,
) -> Result<Option<T>, Malformed> {
    let Some((header, rest)) = inbox.held().split_first_chunk::<HEADER_BYTES>() else {
        return Ok(None);
    };
    let header = Header::decode(*header)?;
    let length = header.body_bytes(cap(header)?)?;
    let whole = HEADER_BYTES.saturating_add(length);
    let Some(body) = rest.get(..length) else {
        inbox.want(whole);
        return Ok(None);
    };
    let understood = understand(header, body)?;
    inbox.take(whole);
    Ok(Some(understood))
}

/// Writes a header with room for the length; [`close`] fills it in.
pub(crate) fn open(number: u32, kind: u16, out: &mut Vec<u8>) -> usize {
    let start = out.len();
    out.extend_from_slice(&[0; 4]);
    out.extend_from_slice(&number.to_le_bytes());
    out.extend_from_slice(&kind.to_le_bytes());
    out.extend_from_slice(&[0; 2]);
    start
}

/// Fills in the length of the frame that began at `start` and goes on with `tail`. Gives back the length.
pub(crate) fn close(start: usize, tail: &[u8], out: &mut [u8]) -> usize {
    let frame = out.get_mut(start..).unwrap_or_default();
    let length = frame.len().saturating_sub(HEADER_BYTES).saturating_add(tail.len());
    if let Some(place) = frame.first_chunk_mut::<4>() {
        *place = u32::try_from(length).unwrap_or(u32::MAX).to_le_bytes();
    }
    length
}

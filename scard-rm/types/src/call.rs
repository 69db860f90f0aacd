//! What a client asks of the resource manager, and what it is told: one vocabulary for both wires and the core.
//!
//! A wire turns bytes into a [`Call`] and a [`Reply`] into bytes; the core turns a `Call` into a `Reply`. Numbers of
//! the C ABIs do not appear here.

use alloc::string::String;
use alloc::vec::Vec;

use crate::cache::{CacheCall, CacheEntry};
use crate::database::{CardType, DatabaseCall, ReaderGroup};
use crate::{
    Atr, CardState, Character, Disposition, Protocol, Protocols, ReaderName, ScardCode,
    SecretBytes, ShareMode,
};

/// A context (`SCARDCONTEXT`) as the daemon numbers it: 31 bits, positive, worth nothing on another connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ContextId(pub u32);

/// A card handle (`SCARDHANDLE`) as the daemon numbers it: 31 bits, positive, worth nothing on another connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CardHandle(pub u32);

/// Who is on the other side of a connection, as the kernel says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Peer {
    /// User.
    pub uid: u32,
    /// Group.
    pub gid: u32,
    /// Process.
    pub pid: u32,
}

/// One request of a client.
#[derive(Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Call {
    /// `SCardEstablishContext`. The scope is kept for the card database; it changes nothing here.
    EstablishContext {
        /// 0 user, 1 terminal, 2 system, 3 global; anything else is refused.
        scope: u32,
        /// Whose rules the context follows.
        character: Character,
    },
    /// `SCardReleaseContext`.
    ReleaseContext {
        /// The context.
        context: ContextId,
    },
    /// `SCardConnect`.
    Connect {
        /// The context.
        context: ContextId,
        /// The reader's name as the client wrote it (it may name no reader).
        reader: String,
        /// How to share.
        share: ShareMode,
        /// What the client accepts.
        protocols: Protocols,
    },
    /// `SCardReconnect`.
    Reconnect {
        /// The handle.
        card: CardHandle,
        /// How to share from now on.
        share: ShareMode,
        /// What the client accepts.
        protocols: Protocols,
        /// What to do with the card first; `Eject` is refused by the wires.
        initialization: Disposition,
    },
    /// `SCardDisconnect`.
    Disconnect {
        /// The handle.
        card: CardHandle,
        /// What to do with the card.
        disposition: Disposition,
    },
    /// `SCardBeginTransaction`.
    BeginTransaction {
        /// The handle.
        card: CardHandle,
    },
    /// `SCardEndTransaction`.
    EndTransaction {
        /// The handle.
        card: CardHandle,
        /// What to do with the card.
        disposition: Disposition,
    },
    /// `SCardTransmit`.
    Transmit {
        /// The handle.
        card: CardHandle,
        /// The protocol that the client names; `None` means whatever was negotiated.
        protocol: Option<Protocol>,
        /// The command APDU.
        command: SecretBytes,
        /// How many bytes the client takes.
        receive_limit: u32,
    },
    /// `SCardControl`.
    Control {
        /// The handle.
        card: CardHandle,
        /// The control code as it was given; both encodings are known to the drivers.
        code: u32,
        /// Input of the code.
        input: SecretBytes,
        /// How many bytes the client takes.
        output_limit: u32,
    },
    /// `SCardStatus`.
    Status {
        /// The handle.
        card: CardHandle,
    },
    /// `SCardGetAttrib`.
    GetAttribute {
        /// The handle.
        card: CardHandle,
        /// `SCARD_ATTR_*`.
        tag: u32,
    },
    /// `SCardSetAttrib`.
    SetAttribute {
        /// The handle.
        card: CardHandle,
        /// `SCARD_ATTR_*`.
        tag: u32,
        /// The value.
        value: Vec<u8>,
    },
    /// `SCardListReaders`.
    ListReaders {
        /// The context.
        context: ContextId,
    },
    /// `SCardGetStatusChange` with the comparison done in the core: answered when something differs from what the
    /// client knows, at the deadline, or by a cancel.
    StatusChange {
        /// The context.
        context: ContextId,
        /// Milliseconds to wait; `None` is for ever.
        timeout_ms: Option<u32>,
        /// What the client knows.
        readers: Vec<KnownReader>,
    },
    /// `SCardCancel`: ends the waits of that context, for the same user only.
    Cancel {
        /// The context.
        context: ContextId,
    },
    /// pcsc-lite wire, 0x13: be told once of the next change of any reader.
    WatchReaders,
    /// pcsc-lite wire, 0x14.
    StopWatching,
    /// pcsc-lite wire, 0x12, 0x13 of 4:4 and 4:5, 0x16, 0x17: the table of readers.
    ReaderTable {
        /// The most entries that are of use, if not all: up to 4:5 a client is shown sixteen, however many there are.
        most: Option<usize>,
    },
    /// pcsc-lite wire, 0x15: the counter of reader arrivals and departures.
    ReaderEvents,
    /// Native: readers, cards and who holds them, for `scard list`.
    DescribeReaders,
    /// Native: from now on a push for each event, until the connection ends. Starts with one push per reader.
    Subscribe,
    /// Native: from now on a push for all that clients do, until the connection ends.
    Trace,
    /// Native: card types, other names of readers, groups.
    Database {
        /// The context; its scope says whose entries are changed.
        context: ContextId,
        /// What is asked.
        call: DatabaseCall,
    },
    /// Native: the card cache of the user.
    Cache {
        /// The context.
        context: ContextId,
        /// What is asked.
        call: CacheCall,
    },
    /// Native: what kind of device each reader is and which one (`SCardGetDeviceTypeId`,
    /// `SCardGetReaderDeviceInstanceId`, `SCardListReadersWithDeviceInstanceId`).
    ReaderDevices {
        /// The context.
        context: ContextId,
    },
    /// Native: `SCardGetReaderIcon`.
    ReaderIcon {
        /// The context.
        context: ContextId,
        /// A name of the reader.
        reader: String,
    },
    /// Native: `SCardGetTransmitCount`, exchanges since the reader came.
    TransmitCount {
        /// The handle.
        card: CardHandle,
    },
    /// Native: `SCardAudit`, what a caller claims to have seen.
    Audit {
        /// The context.
        context: ContextId,
        /// `SCARD_AUDIT_CHV_FAILURE` 0 or `SCARD_AUDIT_CHV_SUCCESS` 1; anything else is refused.
        event: u32,
    },
    /// Native: the latest records of the daemon's audit, oldest first; those of other users for root only.
    AuditTrail {
        /// The context.
        context: ContextId,
    },
}

impl Call {
    /// The card handle that it is about.
    #[must_use]
    pub const fn card(&self) -> Option<CardHandle> {
        match self {
            Self::Reconnect { card, .. }
            | Self::Disconnect { card, .. }
            | Self::BeginTransaction { card }
            | Self::EndTransaction { card, .. }
            | Self::Transmit { card, .. }
            | Self::Control { card, .. }
            | Self::Status { card }
            | Self::GetAttribute { card, .. }
            | Self::SetAttribute { card, .. } => Some(*card),
            _ => None,
        }
    }

    /// What it is, without what it carries, for the log.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::EstablishContext { .. } => "EstablishContext",
            Self::ReleaseContext { .. } => "ReleaseContext",
            Self::Connect { .. } => "Connect",
            Self::Reconnect { .. } => "Reconnect",
            Self::Disconnect { .. } => "Disconnect",
            Self::BeginTransaction { .. } => "BeginTransaction",
            Self::EndTransaction { .. } => "EndTransaction",
            Self::Transmit { .. } => "Transmit",
            Self::Control { .. } => "Control",
            Self::Status { .. } => "Status",
            Self::GetAttribute { .. } => "GetAttribute",
            Self::SetAttribute { .. } => "SetAttribute",
            Self::ListReaders { .. } => "ListReaders",
            Self::StatusChange { .. } => "StatusChange",
            Self::Cancel { .. } => "Cancel",
            Self::WatchReaders => "WatchReaders",
            Self::StopWatching => "StopWatching",
            Self::ReaderTable { .. } => "ReaderTable",
            Self::ReaderEvents => "ReaderEvents",
            Self::DescribeReaders => "DescribeReaders",
            Self::Subscribe => "Subscribe",
            Self::Trace => "Trace",
            Self::Database { call, .. } => call.name(),
            Self::Cache { call, .. } => call.name(),
            Self::ReaderDevices { .. } => "ReaderDevices",
            Self::ReaderIcon { .. } => "ReaderIcon",
            Self::TransmitCount { .. } => "TransmitCount",
            Self::Audit { .. } => "Audit",
            Self::AuditTrail { .. } => "AuditTrail",
        }
    }
}

/// What a client of `SCardGetStatusChange` believes about one reader.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownReader {
    /// The reader's name as the client wrote it, or [`crate::status_change::PNP_READER`].
    pub name: String,
    /// `dwCurrentState`.
    pub current_state: u32,
}

/// What `SCardGetStatusChange` says about one reader.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct SeenReader {
    /// `dwEventState`.
    pub event_state: u32,
    /// The card's answer to reset; empty if there is none.
    pub atr: Option<Atr>,
}

/// How many share a reader.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Sharing {
    /// Nobody has a handle.
    #[default]
    Free,
    /// That many handles, none exclusive.
    Shared(u32),
    /// One handle, exclusive.
    Exclusive,
}

/// One reader as the tables of the wires show it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReaderEntry {
    /// Its name.
    pub name: ReaderName,
    /// One more with each insertion and removal; where it begins differs from daemon to daemon. 16 bits go out.
    pub event_counter: u32,
    /// What is in the slot.
    pub state: CardState,
    /// How many share it.
    pub sharing: Sharing,
    /// The card's answer to reset.
    pub atr: Option<Atr>,
    /// The protocol negotiated with the card in the slot.
    pub protocol: Option<Protocol>,
}

/// One reader with the people around it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReaderDescription {
    /// As in the table.
    pub entry: ReaderEntry,
    /// The driver that serves it (`sim`, `ccid`, ...).
    pub driver: String,
    /// Handles, in the order they were opened.
    pub holders: Vec<Holder>,
}

/// Who has a handle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Holder {
    /// The process at the other end of the connection.
    pub peer: Peer,
    /// When that process began, in clock ticks since the machine did (field 22 of `stat`, proc(5)): its number may be
    /// somebody else's by now. `None` if that is not known, or the process is gone.
    pub started: Option<u64>,
    /// How it shares.
    pub share: ShareMode,
    /// Whether it is inside a transaction that it began itself (an exclusive handle's implicit lock does not count).
    pub in_transaction: bool,
}

/// Pushed to subscribers.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ReaderEvent {
    /// A reader came, or was there when the subscription began.
    ReaderArrived(ReaderEntry),
    /// A reader went.
    ReaderGone(ReaderName),
    /// A card came or went, or a handle was opened or closed.
    StateChanged(ReaderEntry),
    /// The subscription began; everything before this described what was there already.
    Caught,
}

/// What kind of device a reader is, and which one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReaderDevice {
    /// A name of the reader, as the asking user sees it.
    pub name: String,
    /// `SCARD_READER_TYPE_*`: 0x20 USB, 0xF0 vendor (virtual readers), and so on.
    pub device_type: u32,
    /// The device, the same for all its slots and over re-plugging where it has a serial number.
    pub instance_id: String,
}

/// What an audit record says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AuditEvent {
    /// The caller claims that the person gave a wrong PIN.
    ClaimedChvFailure,
    /// The caller claims that the person gave the right PIN.
    ClaimedChvSuccess,
    /// The daemon saw a handle being opened.
    Connected,
    /// The daemon saw a handle being closed.
    Disconnected,
    /// The daemon refused access.
    Denied,
}

/// One record of the audit: who did what with which card. Never data of an APDU.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditRecord {
    /// Counts up by one; a gap shows that records were dropped.
    pub number: u64,
    /// Milliseconds since 1970.
    pub unix_ms: u64,
    /// Who.
    pub peer: Peer,
    /// What.
    pub event: AuditEvent,
    /// Which reader, where it is about one.
    pub reader: Option<ReaderName>,
    /// The card in it.
    pub atr: Option<Atr>,
}

/// What a call brings when it succeeds.
#[derive(Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Answer {
    /// Nothing but success.
    Done,
    /// To [`Call::EstablishContext`].
    Context(ContextId),
    /// To [`Call::Connect`].
    Connected {
        /// The new handle.
        card: CardHandle,
        /// The protocol in use; none for a direct handle without a negotiated card.
        protocol: Option<Protocol>,
    },
    /// To [`Call::Reconnect`].
    Reconnected {
        /// The protocol in use.
        protocol: Option<Protocol>,
    },
    /// To [`Call::Transmit`].
    Transmitted {
        /// The protocol in use.
        protocol: Protocol,
        /// The response APDU.
        response: SecretBytes,
    },
    /// To [`Call::Control`].
    Controlled(SecretBytes),
    /// To [`Call::GetAttribute`].
    Attribute(Vec<u8>),
    /// To [`Call::Status`].
    Status(ReaderEntry),
    /// To [`Call::ListReaders`], in table order.
    Readers(Vec<ReaderName>),
    /// To [`Call::StatusChange`].
    StatusChange {
        /// False at the deadline: the caller is told `E_TIMEOUT` and gets the states all the same.
        changed: bool,
        /// One for each reader asked for, in that order.
        readers: Vec<SeenReader>,
    },
    /// To [`Call::StopWatching`]: whether the client was still registered (only then it is answered on the wire).
    Stopped {
        /// Whether a registration was there.
        was_watching: bool,
    },
    /// To [`Call::ReaderTable`], free slots included: slot numbers are stable.
    ReaderTable(Vec<Option<ReaderEntry>>),
    /// To [`Call::ReaderEvents`].
    ReaderEvents(u32),
    /// To [`Call::DescribeReaders`], in table order.
    Described(Vec<ReaderDescription>),
    /// To [`DatabaseCall::CardTypes`], in the order asked, or by name.
    CardTypes(Vec<CardType>),
    /// To [`DatabaseCall::ReaderGroups`], by name.
    ReaderGroups(Vec<ReaderGroup>),
    /// To [`CacheCall::Read`].
    CacheItem(Vec<u8>),
    /// To [`CacheCall::Describe`].
    CacheEntries(Vec<CacheEntry>),
    /// To [`Call::ReaderDevices`], in table order.
    ReaderDevices(Vec<ReaderDevice>),
    /// To [`Call::ReaderIcon`]: the bytes of an image file.
    ReaderIcon(Vec<u8>),
    /// To [`Call::TransmitCount`].
    TransmitCount(u32),
    /// To [`Call::AuditTrail`].
    AuditTrail(Vec<AuditRecord>),
}

/// Why a call failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The code that the program sees.
    pub code: ScardCode,
    /// With [`ScardCode::InsufficientBuffer`]: how many bytes were needed.
    pub needed: Option<u32>,
}

impl From<ScardCode> for Refusal {
    fn from(code: ScardCode) -> Self {
        Self { code, needed: None }
    }
}

/// What a call brings.
pub type Reply = Result<Answer, Refusal>;

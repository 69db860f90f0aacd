//! What goes into the machine and what comes out of it.

use alloc::string::String;
use alloc::vec::Vec;

use scard_types::call::{Call, Peer, ReaderEvent, Reply};
use scard_types::{
    Atr, CardEvent, DeviceInstance, Millis, Protocol, ReaderName, ReaderNaming, ScardCode,
    SecretBytes, ShareMode, SlotError,
};

use crate::database::Change;
use crate::limits::Limits;

/// A connection. The daemon never uses a number twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClientId(pub u64);

/// A reader, from its arrival to its departure. The daemon never uses a number twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ReaderId(pub u64);

/// A request, as its connection numbers it. On the pcsc-lite wire always 0: one at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RequestId(pub u32);

/// A piece of work for a slot. The core never uses a number twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct JobId(pub u64);

/// A change of the database on its way to the disk. The core never uses a number twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StoreTicket(pub u64);

/// Which of the two wires a connection speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Wire {
    /// pcsc-lite's: one request at a time, and one connection serves all threads of its program. A parked call
    /// keeps those threads from ending the transaction that it waits for, so some calls are sent back after 100 ms.
    PcscLite,
    /// Ours: numbered requests, any number at once.
    Native,
}

/// Something happened.
#[derive(Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// A connection was accepted and its dialect is known.
    ClientConnected {
        /// Its number.
        client: ClientId,
        /// Who is there.
        peer: Peer,
        /// What it speaks.
        wire: Wire,
    },
    /// A connection ended, however it did.
    ClientGone {
        /// Its number.
        client: ClientId,
    },
    /// A request arrived.
    Request {
        /// From whom.
        client: ClientId,
        /// Its number.
        request: RequestId,
        /// What is asked.
        call: Call,
    },
    /// A driver announced a reader (one per slot).
    ReaderArrived {
        /// Its number.
        reader: ReaderId,
        /// How it wants to be called.
        naming: ReaderNaming,
        /// Name of its driver.
        driver: String,
        /// Which device it is.
        device: DeviceInstance,
    },
    /// A reader went.
    ReaderGone {
        /// Its number.
        reader: ReaderId,
    },
    /// What the configuration says about a reader beyond the [`crate::Limits`] of all.
    ReaderLimited {
        /// Which.
        reader: ReaderId,
        /// In place of [`crate::Limits::idle_transaction`].
        idle_transaction: Option<Millis>,
    },
    /// The limits are others from now on. What there is already stays, even if it is more than they allow; the size of
    /// the reader table stays, too.
    LimitsChanged {
        /// All of them.
        limits: Limits,
    },
    /// A card came or went.
    Card {
        /// Where.
        reader: ReaderId,
        /// What.
        event: CardEvent,
    },
    /// A slot finished a piece of work.
    WorkDone {
        /// Which slot.
        reader: ReaderId,
        /// Which piece.
        job: JobId,
        /// What came of it.
        done: WorkDone,
    },
    /// A change of the database is on disk, or will not be.
    Stored {
        /// Which.
        ticket: StoreTicket,
        /// Whether the disk has it.
        kept: bool,
    },
    /// The deadline passed; nothing else happened.
    Tick,
}

/// Work for a slot. At most one piece is under way per reader.
#[derive(Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Work {
    /// Power on (cold reset), or power off and on again. Answered by [`WorkDone::Powered`].
    PowerOn,
    /// Warm reset. Answered by [`WorkDone::Powered`].
    WarmReset,
    /// Power off. Answered by [`WorkDone::Done`].
    PowerOff,
    /// Agree on a protocol with the card (PPS) or with the reader. Answered by [`WorkDone::Done`].
    SetProtocol(Protocol),
    /// One exchange. Answered by [`WorkDone::Bytes`].
    Transmit {
        /// The protocol in use.
        protocol: Protocol,
        /// The command APDU.
        command: SecretBytes,
    },
    /// A control code. Answered by [`WorkDone::Bytes`].
    Control {
        /// The code, as the client gave it.
        code: u32,
        /// Input.
        input: SecretBytes,
        /// What the client takes, in bytes.
        output_limit: u32,
    },
    /// An attribute that the core does not know itself. Answered by [`WorkDone::Bytes`].
    GetAttribute {
        /// `SCARD_ATTR_*`.
        tag: u32,
    },
    /// Answered by [`WorkDone::Done`].
    SetAttribute {
        /// `SCARD_ATTR_*`.
        tag: u32,
        /// The value.
        value: Vec<u8>,
    },
    /// Eject the card. Answered by [`WorkDone::Done`]; a reader that cannot is no failure.
    Eject,
}

/// What came of a piece of work.
#[derive(Debug, PartialEq, Eq)]
pub enum WorkDone {
    /// To power on and reset.
    Powered(Result<Atr, SlotError>),
    /// To work without an answer.
    Done(Result<(), SlotError>),
    /// To exchanges, control codes and attributes.
    Bytes(Result<SecretBytes, SlotError>),
}

/// Something is to be done.
#[derive(Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Action {
    /// Answer a request.
    Reply {
        /// To whom.
        client: ClientId,
        /// Which request.
        request: RequestId,
        /// With what.
        reply: Reply,
    },
    /// Tell a client something that is no answer.
    Push {
        /// Whom.
        client: ClientId,
        /// What.
        push: Push,
    },
    /// Let a slot work.
    Work {
        /// Which.
        reader: ReaderId,
        /// The number to come back with.
        job: JobId,
        /// What.
        work: Work,
    },
    /// Close a connection. The daemon answers with [`Event::ClientGone`].
    Drop {
        /// Which.
        client: ClientId,
        /// Why, for the log.
        reason: DropReason,
    },
    /// From now on this client is told what clients do. The daemon, which alone knows whose it may see, tells it until
    /// [`Event::ClientGone`].
    Trace {
        /// Whom to tell.
        client: ClientId,
    },
    /// Write to the database on disk: all or none, in the order of these actions. Answered by [`Event::Stored`].
    Store {
        /// The number to come back with.
        ticket: StoreTicket,
        /// What.
        changes: Vec<Change>,
    },
    /// A reader has its name now, for the log and for drivers that want to know.
    Named {
        /// Which.
        reader: ReaderId,
        /// How it is called.
        name: ReaderName,
    },
    /// For the log: a client is told `SCARD_E_SHARING_VIOLATION`, and this is who was in its way.
    SharingViolation {
        /// Where.
        reader: ReaderId,
        /// Who is refused.
        refused: ClientId,
        /// Whose handle it is.
        holder: ClientId,
        /// How that handle shares.
        share: ShareMode,
        /// Whether it is in a transaction that it began itself.
        in_transaction: bool,
    },
    /// For the log: a transaction was ended because nobody used it, and its card is reset.
    IdleTransactionEnded {
        /// Where.
        reader: ReaderId,
        /// Whose transaction it was.
        holder: ClientId,
    },
}

/// What a client is told without having asked just now.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Push {
    /// pcsc-lite wire: the registration of [`Call::WatchReaders`] fired (`Ok`) or was cancelled
    /// (`Err(ScardCode::Cancelled)`). It is gone with that.
    WatchFired(Result<(), ScardCode>),
    /// To a subscriber.
    Reader(ReaderEvent),
}

/// Why a connection is closed by us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DropReason {
    /// The user has as many connections as the limits allow.
    TooManyConnections {
        /// Of whom.
        uid: u32,
    },
    /// The client sent more requests at once than the limits allow.
    TooManyRequests,
    /// The client gave a request the number of one that is not answered yet.
    RequestNumberInUse,
}

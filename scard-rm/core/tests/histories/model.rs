//! What a careful observer knows of the resource manager from the outside: from what he fed it, and from its answers.
//!
//! It knows nothing of queues and state machines. Where the moment at which something takes effect cannot be seen
//! from outside (a reset that waits for its turn), it allows both until the answer settles it.

use std::collections::{BTreeMap, BTreeSet};

use scard_core::{JobId, Wire, Work};
use scard_types::call::{Call, CardHandle, ContextId, KnownReader, ReaderEntry};
use scard_types::{Disposition, Protocols, ShareMode};

/// Why a history failed.
pub(crate) type Check = Result<(), String>;

macro_rules! ensure {
    ($holds:expr, $($text:tt)+) => {
        if !$holds {
            return Err(format!($($text)+));
        }
    };
}
pub(crate) use ensure;

/// A request and what it was about.
#[derive(Clone, Debug)]
pub(crate) struct Pending {
    pub(crate) asked: Asked,
    /// Travels to the card and back, so that no answer is taken for another's.
    pub(crate) serial: u32,
    pub(crate) since: u64,
    /// Order among those who want a transaction.
    pub(crate) place: u64,
    /// The counter of arrivals and departures then.
    pub(crate) reader_events: u32,
    /// Whether the handle or context was somebody else's.
    pub(crate) foreign: bool,
}

#[derive(Clone, Debug)]
pub(crate) enum Asked {
    Establish { windows: bool },
    Release { context: ContextId },
    Connect { context: ContextId, reader: u64, share: ShareMode, protocols: Protocols },
    Reconnect { card: CardHandle, share: ShareMode, initialization: Disposition },
    Begin { card: CardHandle },
    End { card: CardHandle, disposition: Disposition },
    Disconnect { card: CardHandle, disposition: Disposition },
    Transmit { card: CardHandle },
    Control { card: CardHandle },
    Status { card: CardHandle },
    GetAttribute { card: CardHandle, own: bool },
    SetAttribute { card: CardHandle },
    StatusChange { context: ContextId, known: Vec<KnownReader>, timeout_ms: Option<u32> },
    Cancel { context: ContextId },
    Watch,
    StopWatching,
    Subscribe,
}

impl Asked {
    pub(crate) fn card(&self) -> Option<CardHandle> {
        match self {
            Self::Reconnect { card, .. }
            | Self::Begin { card }
            | Self::End { card, .. }
            | Self::Disconnect { card, .. }
            | Self::Transmit { card }
            | Self::Control { card }
            | Self::Status { card }
            | Self::GetAttribute { card, .. }
            | Self::SetAttribute { card } => Some(*card),
            _ => None,
        }
    }

    /// Whether the answer is the handle's mark, if it has one.
    pub(crate) fn looks_at_marks(&self) -> bool {
        matches!(
            self,
            Self::Begin { .. }
                | Self::End { .. }
                | Self::Transmit { .. }
                | Self::Status { .. }
                | Self::GetAttribute { .. }
                | Self::SetAttribute { .. }
        )
    }

    /// Whether it resets or powers down the card.
    pub(crate) fn disposes(&self) -> bool {
        let disposition = match self {
            Self::End { disposition, .. } | Self::Disconnect { disposition, .. } => disposition,
            Self::Reconnect { initialization, .. } => initialization,
            _ => return false,
        };
        *disposition != Disposition::Leave
    }

    pub(crate) fn call(&self, serial: u32, reader_name: &str) -> Call {
        let bytes = serial.to_be_bytes().to_vec();
        match self.clone() {
            Self::Establish { windows } => {
                let character = if windows {
                    scard_types::Character::Windows
                } else {
                    scard_types::Character::PcscLite
                };
                Call::EstablishContext { scope: 2, character }
            }
            Self::Release { context } => Call::ReleaseContext { context },
            Self::Connect { context, share, protocols, .. } => {
                Call::Connect { context, reader: reader_name.into(), share, protocols }
            }
            Self::Reconnect { card, share, initialization } => {
                Call::Reconnect { card, share, protocols: Protocols::ANY, initialization }
            }
            Self::Begin { card } => Call::BeginTransaction { card },
            Self::End { card, disposition } => Call::EndTransaction { card, disposition },
            Self::Disconnect { card, disposition } => Call::Disconnect { card, disposition },
            Self::Transmit { card } => {
                Call::Transmit { card, protocol: None, command: bytes.into(), receive_limit: 300 }
            }
            Self::Control { card } => {
                Call::Control { card, code: 1, input: bytes.into(), output_limit: 300 }
            }
            Self::Status { card } => Call::Status { card },
            Self::GetAttribute { card, own } => {
                use scard_types::attribute::{DEVICE_FRIENDLY_NAME_A, VENDOR_NAME};
                let tag = if own { DEVICE_FRIENDLY_NAME_A } else { VENDOR_NAME };
                Call::GetAttribute { card, tag }
            }
            Self::SetAttribute { card } => Call::SetAttribute { card, tag: 1, value: bytes },
            Self::StatusChange { context, known, timeout_ms } => {
                Call::StatusChange { context, timeout_ms, readers: known }
            }
            Self::Cancel { context } => Call::Cancel { context },
            Self::Watch => Call::WatchReaders,
            Self::StopWatching => Call::StopWatching,
            Self::Subscribe => Call::Subscribe,
        }
    }
}

/// A client.
pub(crate) struct Seat {
    pub(crate) client: u64,
    pub(crate) wire: Wire,
    pub(crate) uid: u32,
    pub(crate) contexts: BTreeSet<ContextId>,
    pub(crate) pending: BTreeMap<u32, Pending>,
    pub(crate) next_request: u32,
    /// A stock client was told `SHARING_VIOLATION` and asks again then.
    pub(crate) retry: Option<(u64, Asked)>,
    pub(crate) watching: bool,
    /// What a subscriber believes of the readers.
    pub(crate) replica: Option<BTreeMap<String, ReaderEntry>>,
    pub(crate) caught: bool,
}

/// What is known of the mark of a handle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mark {
    None,
    /// A client died while it was about to reset the card: perhaps.
    Perhaps,
    Reset,
    Removed,
}

#[derive(Debug)]
pub(crate) struct Handle {
    pub(crate) client: u64,
    pub(crate) context: ContextId,
    pub(crate) reader: u64,
    pub(crate) share: ShareMode,
    pub(crate) mark: Mark,
    /// A place kept in the queue for a transaction, and until when.
    pub(crate) ticket: Option<(u64, u64)>,
}

pub(crate) struct Reader {
    pub(crate) name: String,
    /// A card is in the slot.
    pub(crate) present: bool,
    /// Cards that came and went.
    pub(crate) events: u32,
    /// The card was asked for its answer to reset.
    pub(crate) identified: bool,
    /// The card has power.
    pub(crate) powered: bool,
    pub(crate) lock: Option<(CardHandle, u32)>,
    pub(crate) locked_since: u64,
    /// When the holder last asked for something or got something.
    pub(crate) used: u64,
    /// How long a transaction may be idle, if this reader has its own limit; 0 is for ever.
    pub(crate) idle_limit: Option<u64>,
    pub(crate) exclusive: Option<CardHandle>,
    pub(crate) work: Option<(JobId, Work)>,
    /// `events` when that work began.
    pub(crate) work_for: u32,
    /// A job that is over.
    pub(crate) old_job: Option<JobId>,
    pub(crate) ejecting: bool,
    /// The card has to be reset before anything else is done with it.
    pub(crate) reset_expected: bool,
}

impl Reader {
    pub(crate) const fn new(name: String) -> Self {
        Self {
            name,
            present: false,
            events: 0,
            identified: false,
            powered: false,
            lock: None,
            locked_since: 0,
            used: 0,
            idle_limit: None,
            exclusive: None,
            work: None,
            work_for: 0,
            old_job: None,
            ejecting: false,
            reset_expected: false,
        }
    }
}

#[derive(Default)]
pub(crate) struct Model {
    pub(crate) contexts: BTreeMap<ContextId, u64>,
    pub(crate) handles: BTreeMap<CardHandle, Handle>,
    pub(crate) readers: BTreeMap<u64, Reader>,
    pub(crate) reader_events: u32,
    /// Contexts with the rules of Windows.
    pub(crate) windows: BTreeSet<ContextId>,
    /// How long a transaction may be idle, if nothing else is said; 0 is for ever.
    pub(crate) idle_limit: Option<u64>,
}

/// What Windows allows.
const WINDOWS_IDLE_MS: u64 = 5_000;

impl Model {
    /// How long the transaction of a reader may be idle.
    pub(crate) fn idle_limit_of(&self, reader: &Reader) -> Option<u64> {
        let (card, _) = reader.lock.filter(|_| reader.exclusive.is_none())?;
        let context = self.handles.get(&card)?.context;
        let windows = self.windows.contains(&context).then_some(WINDOWS_IDLE_MS);
        let limit = reader.idle_limit.or(self.idle_limit).or(windows);
        limit.filter(|limit| *limit > 0)
    }

    /// The holder of the transaction, if it is this one, has done something.
    pub(crate) fn used(&mut self, card: CardHandle, now: u64) {
        let Some(id) = self.handles.get(&card).map(|handle| handle.reader) else { return };
        let Some(reader) = self.readers.get_mut(&id) else { return };
        if reader.lock.is_some_and(|(holder, _)| holder == card) {
            reader.used = now;
        }
    }

    /// A transaction was ended because nobody used it.
    pub(crate) fn end_idle(&mut self, id: u64, now: u64) -> Check {
        let Some(reader) = self.readers.get(&id) else { return Err("no such reader".into()) };
        let limit = self.idle_limit_of(reader).ok_or("it may be idle for ever")?;
        ensure!(reader.work.is_none(), "it is used just now");
        ensure!(now >= reader.used + limit, "it was used at {}", reader.used);
        self.mark_all(id, Mark::Reset, None);
        if let Some(reader) = self.readers.get_mut(&id) {
            reader.lock = None;
            reader.reset_expected = reader.powered;
        }
        Ok(())
    }

    pub(crate) fn count_reader_event(&mut self) {
        self.reader_events = if self.reader_events == 0x7FFF { 1 } else { self.reader_events + 1 };
    }

    pub(crate) fn handles_of(&self, reader: u64) -> impl Iterator<Item = CardHandle> + '_ {
        self.handles.iter().filter(move |(_, h)| h.reader == reader).map(|(card, _)| *card)
    }

    fn mark_all(&mut self, reader: u64, mark: Mark, except: Option<CardHandle>) {
        for (card, handle) in &mut self.handles {
            if handle.reader == reader && Some(*card) != except {
                handle.mark = match (handle.mark, mark) {
                    (Mark::Removed, _) => Mark::Removed,
                    (Mark::Reset, Mark::Perhaps) => Mark::Reset,
                    (_, mark) => mark,
                };
            }
        }
    }

    pub(crate) fn reset_by(&mut self, card: CardHandle, caller_too: bool) {
        let Some(reader) = self.handles.get(&card).map(|handle| handle.reader) else { return };
        self.mark_all(reader, Mark::Reset, Some(card).filter(|_| !caller_too));
    }

    pub(crate) fn perhaps_reset_by(&mut self, card: CardHandle) {
        let Some(reader) = self.handles.get(&card).map(|handle| handle.reader) else { return };
        self.mark_all(reader, Mark::Perhaps, None);
    }

    pub(crate) fn insert(&mut self, reader: u64) {
        let Some(slot) = self.readers.get_mut(&reader) else { return };
        if !slot.present {
            slot.present = true;
            slot.identified = false;
            slot.events += 1;
        }
    }

    pub(crate) fn remove(&mut self, reader: u64) {
        let Some(slot) = self.readers.get_mut(&reader) else { return };
        if slot.present {
            slot.present = false;
            slot.powered = false;
            slot.reset_expected = false;
            slot.events += 1;
            slot.lock = slot.exclusive.map(|card| (card, 1));
            self.mark_all(reader, Mark::Removed, None);
        }
    }

    /// A handle ends without its owner's word; `unclear` if something of his was about to reset the card.
    pub(crate) fn abandon(&mut self, card: CardHandle, unclear: bool) {
        let Some(handle) = self.handles.get(&card) else { return };
        let (id, mark) = (handle.reader, handle.mark);
        let held = self.readers.get(&id).is_some_and(|r| r.lock.is_some_and(|l| l.0 == card));
        if unclear || (held && mark == Mark::Perhaps) {
            self.mark_all(id, Mark::Perhaps, Some(card));
        } else if held && mark == Mark::None {
            self.mark_all(id, Mark::Reset, Some(card));
            if let Some(reader) = self.readers.get_mut(&id) {
                reader.reset_expected = reader.powered;
            }
        }
        self.close(card);
    }

    pub(crate) fn close(&mut self, card: CardHandle) {
        let Some(handle) = self.handles.remove(&card) else { return };
        let Some(reader) = self.readers.get_mut(&handle.reader) else { return };
        if reader.lock.is_some_and(|lock| lock.0 == card) {
            reader.lock = None;
        }
        if reader.exclusive == Some(card) {
            reader.exclusive = None;
        }
    }

    pub(crate) fn leave(&mut self, card: CardHandle) {
        let Some(reader) = self.handles.get(&card).map(|handle| handle.reader) else { return };
        let Some(reader) = self.readers.get_mut(&reader) else { return };
        if let Some((holder, depth)) = reader.lock {
            if holder == card {
                reader.lock = (depth > 1).then_some((card, depth - 1));
            }
        }
    }

    /// A handle enters a transaction, or a further level of it.
    pub(crate) fn enter(&mut self, card: CardHandle, now: u64) -> Check {
        let id = self.handles.get(&card).map(|handle| handle.reader);
        let Some(reader) = id.and_then(|id| self.readers.get_mut(&id)) else {
            return Err(format!("{card:?} got a transaction of no reader"));
        };
        match reader.lock {
            None => {
                reader.lock = Some((card, 1));
                reader.locked_since = now;
                reader.used = now;
            }
            Some((holder, depth)) => {
                ensure!(holder == card, "{card:?} got in while {holder:?} is in a transaction");
                reader.lock = Some((card, depth + 1));
            }
        }
        Ok(())
    }
}

//! Readers: their coming and going, the table of slots, and how each of them looks to a client.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::String;
use alloc::vec::Vec;

use scard_types::call::{
    Answer, CardHandle, Holder, ReaderDescription, ReaderDevice, ReaderEntry, ReaderEvent, Sharing,
};
use scard_types::{
    CardState, DeviceInstance, Millis, Protocol, ReaderName, ReaderNaming, ScardCode, SlotState,
};

use crate::Core;
use crate::event::{Action, ReaderId};
use crate::names::Numbered;
use crate::power::{Task, UnderWay};
use crate::queue::{OpKind, Queue};
use crate::timers::Timer;
use crate::transactions::Lock;

/// Entries that a table of the pcsc-lite wire has at least (`PCSCLITE_MAX_READERS_CONTEXTS`).
const LEAST_TABLE_SLOTS: usize = 16;

/// A reader with one slot.
pub(crate) struct Reader {
    pub(crate) name: ReaderName,
    numbered: Option<Numbered>,
    driver: String,
    pub(crate) device: DeviceInstance,
    /// Exchanges with its cards since it came.
    pub(crate) transmits: u32,
    /// Where it stands in the table.
    slot: usize,
    /// Grows by one with each insertion and removal.
    pub(crate) events: u32,
    /// What everybody may know of the slot.
    pub(crate) state: SlotState,
    /// A card is in the slot whose answer to reset is not known yet; nobody is told of it before.
    pub(crate) arriving: bool,
    /// Grows with each card that comes or goes, so that a late result is not taken for the wrong card's.
    pub(crate) card: u64,
    /// What was negotiated with the card.
    pub(crate) protocol: Option<Protocol>,
    /// Open handles, in the order they were opened.
    pub(crate) handles: BTreeMap<u64, CardHandle>,
    /// INVARIANT: if there is one, it is the only handle, and the lock is its.
    pub(crate) exclusive: Option<CardHandle>,
    pub(crate) lock: Option<Lock>,
    pub(crate) queue: Queue,
    /// The one piece of work that the slot has.
    pub(crate) work: Option<UnderWay>,
    /// The holder of a transaction died: the card is reset before anybody else gets to it.
    pub(crate) reset_due: bool,
    /// When the unused card loses its power.
    pub(crate) rest_at: Option<Millis>,
    /// In place of [`crate::Limits::idle_transaction`].
    pub(crate) idle_transaction: Option<Millis>,
}

/// The highest number of the counter of arrivals and departures: 15 bits.
const LAST_READER_EVENT: u32 = 0x7FFF;
/// How far apart resource managers begin to count: 2^16 by the golden ratio, so that no two of many begin near each other.
const EVENTS_BETWEEN_STARTS: u32 = 0x9E37;

/// Where the counters of cards begin. Of its 32 bits programs see 16.
///
/// DIFFERS: pcscd begins at 0 each time.
const fn first_card_event(starts_before: u32) -> u32 {
    starts_before.wrapping_mul(EVENTS_BETWEEN_STARTS) & 0xFFFF
}

/// Where the counter of arrivals and departures begins: at 1, or later than that.
pub(crate) const fn first_reader_event(starts_before: u32) -> u32 {
    1 + starts_before.wrapping_mul(EVENTS_BETWEEN_STARTS) % LAST_READER_EVENT
}

impl Reader {
    pub(crate) const fn card_state(&self) -> CardState {
        match (&self.state, self.protocol) {
            (SlotState::Unknown, _) => CardState::Unknown,
            (SlotState::Empty, _) => CardState::Absent,
            (SlotState::Mute, _) => CardState::Swallowed,
            (SlotState::Present { .. }, None) => CardState::Negotiable,
            (SlotState::Present { .. }, Some(_)) => CardState::Specific,
        }
    }

    pub(crate) fn sharing(&self) -> Sharing {
        match (self.exclusive, self.handles.len()) {
            (Some(_), _) => Sharing::Exclusive,
            (None, 0) => Sharing::Free,
            (None, handles) => Sharing::Shared(u32::try_from(handles).unwrap_or(u32::MAX)),
        }
    }

    pub(crate) fn entry(&self) -> ReaderEntry {
        ReaderEntry {
            name: self.name.clone(),
            event_counter: self.events,
            state: self.card_state(),
            sharing: self.sharing(),
            atr: self.state.atr().copied(),
            protocol: self.protocol,
        }
    }

    pub(crate) fn driver(&self) -> &str {
        &self.driver
    }

    /// Whether a handle is in a transaction that it began itself.
    pub(crate) fn is_inside(&self, card: CardHandle) -> bool {
        let depth = self.lock.filter(|lock| lock.holder == card).map_or(0, |lock| lock.depth);
        depth > u32::from(self.exclusive == Some(card))
    }

    pub(crate) const fn is_powered(&self) -> bool {
        matches!(self.state, SlotState::Present { powered: true, .. })
    }
}

/// Which reader stands where. A freed slot is given to the next reader; the table never gets shorter.
#[derive(Default)]
pub(crate) struct Table {
    slots: Vec<Option<ReaderId>>,
    free: BTreeSet<usize>,
}

impl Table {
    pub(crate) fn with_slots(slots: usize) -> Self {
        let slots = slots.max(LEAST_TABLE_SLOTS);
        Self { slots: alloc::vec![None; slots], free: (0..slots).collect() }
    }

    fn take(&mut self, reader: ReaderId) -> usize {
        let slot = self.free.pop_first().unwrap_or_else(|| {
            self.slots.push(None);
            self.slots.len() - 1
        });
        if let Some(place) = self.slots.get_mut(slot) {
            *place = Some(reader);
        }
        slot
    }

    fn give_back(&mut self, slot: usize) {
        if let Some(place) = self.slots.get_mut(slot) {
            *place = None;
            self.free.insert(slot);
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.slots.len()
    }

    pub(crate) fn slots(&self) -> impl Iterator<Item = Option<ReaderId>> + '_ {
        self.slots.iter().copied()
    }
}

impl Core {
    pub(crate) fn reader_arrived(
        &mut self,
        id: ReaderId,
        naming: ReaderNaming,
        driver: String,
        device: DeviceInstance,
    ) {
        if self.readers.contains_key(&id) {
            return;
        }
        let (name, numbered) = self.names.take(naming, &driver);
        let slot = self.table.take(id);
        self.by_name.insert(name.as_str().into(), id);
        let reader = Reader {
            name: name.clone(),
            numbered,
            driver,
            device,
            transmits: 0,
            slot,
            events: first_card_event(self.limits.starts_before),
            state: SlotState::Empty,
            arriving: false,
            card: 0,
            protocol: None,
            handles: BTreeMap::new(),
            exclusive: None,
            lock: None,
            queue: Queue::default(),
            work: None,
            reset_due: false,
            rest_at: None,
            idle_transaction: None,
        };
        // Of two devices that claim to be the same one, the first is meant.
        self.by_identity.entry(reader.device.reader()).or_insert(id);
        let entry = reader.entry();
        self.readers.insert(id, reader);
        self.out.push(Action::Named { reader: id, name: name.clone() });
        self.count_reader_event();
        self.tell_of_readers(&name, &ReaderEvent::ReaderArrived(entry));
    }

    /// The reader goes with all that is tied to it. Its handles stay until their owners close them: they answer that
    /// the reader is gone.
    pub(crate) fn reader_gone(&mut self, id: ReaderId) {
        let Some(reader) = self.readers.get(&id) else { return };
        let places: Vec<_> = reader.queue.places().collect();
        let tickets: Vec<_> = reader.queue.tickets().collect();
        let rest_at = reader.rest_at;
        for place in places {
            match self.unpark(id, place) {
                Some(waiting) if waiting.op.kind() == OpKind::Disconnect => {
                    self.disconnect_and_leave(id, &waiting);
                }
                Some(waiting) => {
                    self.reply(waiting.asker, Err(ScardCode::ReaderUnavailable.into()));
                }
                None => {}
            }
        }
        for (key, lapses) in tickets {
            self.timers.clear(lapses, Timer::Ticket(id, key));
            self.ticket_lapsed(id, key);
        }
        if let Some(at) = rest_at {
            self.timers.clear(at, Timer::Rest(id));
        }
        self.unlock(id);
        let Some(reader) = self.readers.remove(&id) else { return };
        match reader.work.map(|work| work.task) {
            Some(Task::Dispose(disposing)) if disposing.is_farewell() => {
                self.reply(disposing.asker, Ok(Answer::Done));
            }
            Some(task) => {
                if let Some(asker) = task.asker() {
                    self.reply(asker, Err(ScardCode::ReaderUnavailable.into()));
                }
            }
            None => {}
        }
        self.names.give_back(&reader.name, reader.numbered.as_ref());
        self.by_name.remove(reader.name.as_str());
        let identity = reader.device.reader();
        if self.by_identity.get(&identity) == Some(&id) {
            self.by_identity.remove(&identity);
        }
        self.table.give_back(reader.slot);
        self.changed.remove(&id);
        self.count_reader_event();
        self.tell_of_readers(&reader.name, &ReaderEvent::ReaderGone(reader.name.clone()));
    }

    /// One more for each arrival and each departure; after 15 bits it starts again, at 1.
    fn count_reader_event(&mut self) {
        let is_last = self.reader_events >= LAST_READER_EVENT;
        self.reader_events = if is_last { 1 } else { self.reader_events + 1 };
    }

    pub(crate) fn reader_names(&self) -> Vec<ReaderName> {
        self.readers_in_order().map(|reader| reader.name.clone()).collect()
    }

    pub(crate) fn reader_table(&self, most: Option<usize>) -> Vec<Option<ReaderEntry>> {
        let entry = |id| self.readers.get(&id).map(Reader::entry);
        self.table
            .slots()
            .take(most.unwrap_or(usize::MAX))
            .map(|slot| slot.and_then(entry))
            .collect()
    }

    pub(crate) fn readers_in_order(&self) -> impl Iterator<Item = &Reader> + '_ {
        self.readers_with_numbers().map(|(_, reader)| reader)
    }

    pub(crate) fn readers_with_numbers(&self) -> impl Iterator<Item = (ReaderId, &Reader)> + '_ {
        self.table.slots().flatten().filter_map(|id| Some((id, self.readers.get(&id)?)))
    }

    pub(crate) fn describe_readers(&self) -> Vec<ReaderDescription> {
        let describe = |reader: &Reader| ReaderDescription {
            entry: reader.entry(),
            driver: reader.driver.clone(),
            holders: reader
                .handles
                .values()
                .filter_map(|card| self.holder(reader, *card))
                .collect(),
        };
        self.readers_in_order().map(describe).collect()
    }

    /// Each name of each reader, as a user knows them, with its device.
    pub(crate) fn reader_devices(&self, uid: u32) -> Vec<ReaderDevice> {
        let mut devices = Vec::new();
        for (id, reader) in self.readers_with_numbers() {
            let own = String::from(reader.name.as_str());
            devices.extend([own].into_iter().chain(self.aliases_of(uid, id)).map(|name| {
                let DeviceInstance { id, device_type, .. } = &reader.device;
                ReaderDevice { name, device_type: *device_type, instance_id: id.clone() }
            }));
        }
        devices
    }

    fn holder(&self, reader: &Reader, card: CardHandle) -> Option<Holder> {
        let handle = self.handles.get(&card)?;
        let peer = self.clients.get(&handle.client)?.peer;
        let in_transaction = reader.is_inside(card);
        // Processes are the daemon's business.
        Some(Holder { peer, started: None, share: handle.share, in_transaction })
    }
}

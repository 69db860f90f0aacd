//! The resource manager as one pure machine: an [`Event`] and the time go in, [`Action`]s and the next deadline come out.
//!
//! No lock, no thread, no clock, no socket and no driver in here. The daemon feeds it and carries out what it says.
//!
//! Every file is a chapter of one object, [`Core`]: `clients` and `contexts` (who asks), `handles`, `connect`,
//! `dispositions`, `exchange`, `attributes` (what is asked of a card), `queue`, `transactions`, `violations` and `idle`
//! (whose turn it is), `power` and `readers` (what the slots do), `status_change` and `watch` (who is told), `quotas`,
//! `timers`, `names`; `cache` (what programs keep about cards), `database` (card types, names and groups of readers).
//! `rules` is the one place where pcsc-lite's and Windows' contexts and the two wires are told apart.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

mod attributes;
mod cache;
mod clients;
mod connect;
mod contexts;
mod database;
mod dispositions;
mod event;
mod exchange;
mod handles;
mod idle;
mod limits;
mod names;
mod numbers;
mod power;
mod protocols;
mod queue;
mod quotas;
mod readers;
mod requests;
mod rules;
mod status_change;
mod timers;
mod transactions;
mod violations;
mod watch;

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::String;
use alloc::vec::Vec;

use scard_types::Millis;
use scard_types::call::{CardHandle, ContextId};

pub use cache::CacheLimits;
pub use database::{Change, Key, Owner, Value};
pub use event::{
    Action, ClientId, DropReason, Event, JobId, Push, ReaderId, RequestId, StoreTicket, Wire, Work,
    WorkDone,
};
pub use limits::{Limits, Quota};

/// The resource manager.
pub struct Core {
    limits: Limits,
    now: Millis,
    numbers: numbers::Numbers,
    /// What is to be done, while an event is handled.
    out: Vec<Action>,
    clients: BTreeMap<ClientId, clients::Client>,
    contexts: BTreeMap<ContextId, contexts::Context>,
    handles: BTreeMap<CardHandle, handles::Handle>,
    quotas: quotas::Quotas,
    readers: BTreeMap<ReaderId, readers::Reader>,
    table: readers::Table,
    names: names::Names,
    by_name: BTreeMap<String, ReaderId>,
    by_identity: BTreeMap<String, ReaderId>,
    /// Arrivals and departures of readers.
    reader_events: u32,
    /// Readers whose card or handles changed in this step.
    changed: BTreeSet<ReaderId>,
    waits: BTreeMap<status_change::WaitId, status_change::Wait>,
    topics: BTreeMap<status_change::Topic, BTreeSet<status_change::WaitId>>,
    watchers: BTreeSet<ClientId>,
    subscribers: BTreeSet<ClientId>,
    tracers: BTreeSet<ClientId>,
    timers: timers::Timers,
    cache: cache::Cache,
    database: database::Database,
    opened: u64,
    last_job: u64,
    last_wait: u64,
}

/// How much of everything there is, for the log and for tests. All zero but for readers when nobody is there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Census {
    /// Connections.
    pub clients: usize,
    /// Contexts.
    pub contexts: usize,
    /// Card handles.
    pub handles: usize,
    /// Waits for a status change.
    pub waits: usize,
    /// Registrations of the pcsc-lite wire.
    pub watchers: usize,
    /// Subscribers.
    pub subscribers: usize,
    /// Those who trace.
    pub tracers: usize,
    /// Requests in the queues of readers.
    pub parked: usize,
    /// Places kept for clients that were sent back.
    pub tickets: usize,
    /// Readers.
    pub readers: usize,
    /// Deadlines.
    pub timers: usize,
    /// Users who have anything.
    pub users: usize,
    /// Bytes in the card cache, which outlives its users' connections.
    pub cache_bytes: usize,
    /// What is in the books of all users: connections, contexts, handles, waits, parked requests.
    pub counted: [usize; 5],
}

impl Core {
    /// A resource manager without clients and readers. The same seed and the same events give the same actions.
    #[must_use]
    pub fn new(limits: Limits, seed: u64) -> Self {
        Self {
            table: readers::Table::with_slots(limits.table_slots),
            reader_events: readers::first_reader_event(limits.starts_before),
            limits,
            now: Millis(0),
            numbers: numbers::Numbers::new(seed),
            out: Vec::new(),
            clients: BTreeMap::new(),
            contexts: BTreeMap::new(),
            handles: BTreeMap::new(),
            quotas: quotas::Quotas::default(),
            readers: BTreeMap::new(),
            names: names::Names::default(),
            by_name: BTreeMap::new(),
            changed: BTreeSet::new(),
            waits: BTreeMap::new(),
            topics: BTreeMap::new(),
            watchers: BTreeSet::new(),
            subscribers: BTreeSet::new(),
            tracers: BTreeSet::new(),
            timers: timers::Timers::default(),
            cache: cache::Cache::default(),
            database: database::Database::default(),
            by_identity: BTreeMap::new(),
            opened: 0,
            last_job: 0,
            last_wait: 0,
        }
    }

    /// Takes an event and appends what is to be done, in that order. What was due before the event comes first. Time
    /// that runs backwards stands still.
    pub fn handle(&mut self, now: Millis, event: Event, actions: &mut Vec<Action>) {
        self.now = self.now.max(now);
        core::mem::swap(&mut self.out, actions);
        self.ring_timers();
        match event {
            Event::ClientConnected { client, peer, wire } => {
                self.client_connected(client, peer, wire);
            }
            Event::ClientGone { client } => self.client_gone(client),
            Event::Request { client, request, call } => self.request(client, request, call),
            Event::ReaderArrived { reader, naming, driver, device } => {
                self.reader_arrived(reader, naming, driver, device);
            }
            Event::ReaderGone { reader } => self.reader_gone(reader),
            Event::ReaderLimited { reader, idle_transaction } => {
                self.reader_limited(reader, idle_transaction);
            }
            Event::LimitsChanged { limits } => self.limits_changed(limits),
            Event::Card { reader, event } => self.card_event(reader, event),
            Event::WorkDone { reader, job, done } => self.work_done(reader, job, done),
            Event::Stored { ticket, kept } => self.stored(ticket, kept),
            Event::Tick => {}
        }
        self.publish_changes();
        core::mem::swap(&mut self.out, actions);
    }

    pub(crate) fn ring_timers(&mut self) {
        while let Some(timer) = self.timers.take_due(self.now) {
            match timer {
                timers::Timer::Patience(reader, place) => self.patience_ended(reader, place),
                timers::Timer::Ticket(reader, key) => self.ticket_lapsed(reader, key),
                timers::Timer::Wait(wait) => self.wait_ended(wait),
                timers::Timer::Rest(reader) => self.rest(reader),
                timers::Timer::Idle(reader) => self.idle_limit_reached(reader),
            }
        }
    }

    /// When [`Event::Tick`] is due if nothing happens before; `None` if nobody waits for the time.
    #[must_use]
    pub fn deadline(&self) -> Option<Millis> {
        self.timers.next()
    }

    /// How many connections there are.
    #[must_use]
    pub fn client_count(&self) -> usize {
        self.clients.len()
    }

    /// How many contexts there are. A daemon that ends by itself must not while there is one.
    #[must_use]
    pub fn context_count(&self) -> usize {
        self.contexts.len()
    }

    /// The driver of the reader that has that name.
    #[must_use]
    pub fn driver_of(&self, reader: &str) -> Option<&str> {
        let id = self.by_name.get(reader)?;
        self.readers.get(id).map(readers::Reader::driver)
    }

    /// How many readers there are.
    #[must_use]
    pub fn reader_count(&self) -> usize {
        self.readers.len()
    }

    /// How many slots the reader table has. It only grows; see [`Limits::table_slots`].
    #[must_use]
    pub fn table_slots(&self) -> usize {
        self.table.len()
    }

    /// Whether a connection still has a context, a subscription or a request without an answer; one that has none for
    /// long may be closed.
    #[must_use]
    pub fn is_in_use(&self, client: ClientId) -> bool {
        let has_any =
            |client: &clients::Client| !client.contexts.is_empty() || !client.requests.is_empty();
        self.clients.get(&client).is_some_and(has_any)
            || self.subscribers.contains(&client)
            || self.watchers.contains(&client)
            || self.tracers.contains(&client)
    }

    /// The reader of a handle, as far as it is this client's, for a trace.
    #[must_use]
    pub fn reader_behind(&self, client: ClientId, card: CardHandle) -> Option<ReaderId> {
        self.own_handle(client, card).map(|handle| handle.reader)
    }

    /// Whose request a slot works on now, for a trace.
    #[must_use]
    pub fn served_at(&self, reader: ReaderId) -> Option<(ClientId, RequestId)> {
        let asker = self.readers.get(&reader)?.work.as_ref()?.task.asker()?;
        Some((asker.client, asker.request))
    }

    /// Counts everything.
    #[must_use]
    pub fn census(&self) -> Census {
        use quotas::Kind;
        let count = |kind| self.quotas.count(kind);
        Census {
            clients: self.clients.len(),
            contexts: self.contexts.len(),
            handles: self.handles.len(),
            waits: self.waits.len(),
            watchers: self.watchers.len(),
            subscribers: self.subscribers.len(),
            tracers: self.tracers.len(),
            parked: self.readers.values().map(|reader| reader.queue.places().count()).sum(),
            tickets: self.readers.values().map(|reader| reader.queue.ticket_count()).sum(),
            readers: self.readers.len(),
            timers: self.timers.len(),
            users: self.quotas.users(),
            cache_bytes: self.cache.bytes(),
            counted: [
                count(Kind::Connection),
                count(Kind::Context),
                count(Kind::Handle),
                count(Kind::Wait),
                count(Kind::Parked),
            ],
        }
    }
}

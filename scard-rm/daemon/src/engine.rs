//! The core with everything around it that it knows nothing of: the time, the connections, the slots.
//!
//! One lock, taken by whoever has news (a session that read a request, a slot task that finished its work, the timer)
//! and never held over an `.await`. Whoever brings an event carries out what the core says about it, so that a request
//! that a slot can answer at once is read, carried out and answered by one task.

mod leave;
mod taps;

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use reader_api::Slot;
use scard_core::{
    Action, ClientId, Core, Event, JobId, Limits, ReaderId, RequestId, StoreTicket, Work, WorkDone,
};
use scard_types::call::{Answer, Reply};
use scard_types::trace::ReaderTrace;
use scard_types::{CardEvent, DeviceInstance, Millis, ReaderNaming};
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;
use tracing::{debug, error, info};

use crate::access::{Policy, Question, Refusal, wanted_reader};
use crate::client::{Client, End, Posture};
use crate::conversation::{Asked, DriverRequest};
use crate::kept_out::{Hold, KeptOut, Named};
use crate::limits::Patience;
use crate::slots::{self, Orders, Reader};
use crate::store::Order;
use crate::table_size::TableSize;
use crate::trace::Trace;
use leave::Leave;

/// The one place where everything meets.
pub(crate) struct Engine {
    state: Mutex<State>,
    /// Readers that held a card when they came, and whose card has not answered yet.
    cards_awaited: watch::Sender<usize>,
    /// When the core wants to be called although nothing happened.
    deadline: watch::Sender<Option<Millis>>,
    begin: Instant,
}

/// What the lock guards.
pub(crate) struct State {
    core: Core,
    clients: BTreeMap<ClientId, Client>,
    readers: BTreeMap<ReaderId, Reader>,
    last_client: u64,
    last_reader: u64,
    table: TableSize,
    /// Both are empty between two calls of [`Engine::handle`], and kept for their memory.
    events: VecDeque<Event>,
    actions: Vec<Action>,
    rules: Rules,
    kept_out: KeptOut,
    /// Where changes of the database go; nowhere, if there is no state directory.
    store: Option<mpsc::UnboundedSender<Order>>,
    /// While somebody traces.
    trace: Option<Box<Trace>>,
}

/// What is written for clients, apart from what the core knows of it.
pub(crate) struct Rules {
    /// Who may do what.
    pub(crate) policy: Policy,
    /// How long clients may keep us waiting.
    pub(crate) patience: Patience,
}

/// What is to be done before a client is served further.
pub(crate) enum Errand {
    /// It has sent more than one request, and others have their turn first.
    OthersFirst,
    /// A driver has to do it.
    Driver(DriverRequest),
    /// Somebody else has to say whether it may be done at all.
    Question(Question),
}

impl Engine {
    /// An engine without readers and clients.
    pub(crate) fn new(core: Core, table: TableSize, rules: Rules) -> Self {
        Self {
            state: Mutex::new(State {
                core,
                clients: BTreeMap::new(),
                readers: BTreeMap::new(),
                last_client: 0,
                last_reader: 0,
                table,
                events: VecDeque::new(),
                actions: Vec::new(),
                rules,
                kept_out: KeptOut::new(),
                store: None,
                trace: None,
            }),
            cards_awaited: watch::Sender::new(0),
            deadline: watch::Sender::new(None),
            begin: Instant::now(),
        }
    }

    /// From now on changes of the database are kept there.
    pub(crate) fn keep_changes(&self, store: mpsc::UnboundedSender<Order>) {
        self.lock().store = Some(store);
    }

    /// A change is on disk, or will not be.
    pub(crate) fn stored(&self, ticket: StoreTicket, kept: bool) {
        let mut state = self.lock();
        self.handle(&mut state, Event::Stored { ticket, kept });
    }

    /// How many entries the reader table of pcsc-lite's wire 4:6 has at least.
    pub(crate) fn table_entries(&self) -> usize {
        self.lock().table.entries()
    }

    /// How long clients may keep us waiting.
    pub(crate) fn patience(&self) -> Patience {
        self.lock().rules.patience
    }

    /// Other rules and limits from now on. Who has leave keeps it until he goes.
    pub(crate) fn reconfigure(&self, rules: Rules, limits: Limits) {
        let mut state = self.lock();
        state.rules = rules;
        state.clients.values_mut().for_each(Client::admit);
        self.handle(&mut state, Event::LimitsChanged { limits });
        let readers: Vec<_> = state.readers.keys().copied().collect();
        for reader in readers {
            let event = state.limit_of(reader);
            self.handle(&mut state, event);
        }
    }

    /// A client whose dialect is known. What was read to find out is in it already.
    pub(crate) fn client_connected(&self, client: Client) -> ClientId {
        let mut state = self.lock();
        state.last_client += 1;
        let id = ClientId(state.last_client);
        let (peer, wire) = (client.peer(), client.wire());
        state.clients.insert(id, client);
        self.handle(&mut state, Event::ClientConnected { client: id, peer, wire });
        id
    }

    /// The connection is closed, or will be in a moment.
    pub(crate) fn client_gone(&self, client: ClientId) {
        let mut state = self.lock();
        if state.clients.remove(&client).is_some() {
            self.handle(&mut state, Event::ClientGone { client });
        }
    }

    /// Lets a session look at its client and pass on what it asks. `None` once the client is gone.
    pub(crate) fn with_client<T>(
        &self,
        client: ClientId,
        look: impl FnOnce(&mut Client) -> T,
    ) -> Option<T> {
        self.lock().clients.get_mut(&client).map(look)
    }

    /// What the session of a client has to wait for.
    pub(crate) fn posture(&self, client: ClientId) -> Option<Posture> {
        let state = self.lock();
        let in_use = state.core.is_in_use(client);
        state.clients.get(&client).map(|client| client.posture(in_use))
    }

    /// Passes on a request that the client has asked completely. A request that needs more than the core is given back,
    /// and who has sent more than one has to come back: the rest stays for the next call.
    pub(crate) fn serve(&self, client: ClientId) -> Option<Errand> {
        let mut state = self.lock();
        loop {
            match state.clients.get_mut(&client)?.next_asked()? {
                Asked::Call { request, call } => {
                    debug!(request = request.0, call = call.name());
                    if state.trace.is_some() {
                        state.trace_asked(client, request, &call);
                    }
                    match state.leave(client, &call) {
                        Leave::Granted => {
                            self.handle(&mut state, Event::Request { client, request, call });
                        }
                        Leave::Open(authority) => {
                            let question = state.question(client, request, call, authority)?;
                            if state.trace.is_some() {
                                state.trace_heard(client, request);
                            }
                            return Some(Errand::Question(question));
                        }
                        Leave::Refused(why) => {
                            state.refuse(client, request, wanted_reader(&call), &why);
                        }
                    }
                    if state.trace.is_some() {
                        state.trace_heard(client, request);
                    }
                    if state.clients.get(&client)?.has_sent_more() {
                        return Some(Errand::OthersFirst);
                    }
                }
                Asked::Driver(request) => {
                    if state.trace.is_some() {
                        state.trace_asked_driver(client, &request);
                    }
                    return Some(Errand::Driver(request));
                }
            }
        }
    }

    /// The word of the one who was asked: the request goes to the core, or is refused. A client that went meanwhile
    /// has no use for either.
    pub(crate) fn decided(&self, client: ClientId, question: Question, word: Result<(), Refusal>) {
        let mut state = self.lock();
        let Some(known) = state.clients.get_mut(&client) else { return };
        known.word_about();
        let Question { request, call, .. } = question;
        match word {
            Ok(()) => {
                if wanted_reader(&call).is_none() {
                    known.admit();
                }
                self.handle(&mut state, Event::Request { client, request, call });
            }
            Err(why) => state.refuse(client, request, wanted_reader(&call), &why),
        }
    }

    /// Answers a request that the core knows nothing of.
    pub(crate) fn answer(&self, client: ClientId, request: RequestId, reply: &Reply) {
        self.lock().reply(client, request, reply);
    }

    /// A driver announced a reader. Gives back how it is called.
    pub(crate) fn reader_arrived(
        &self,
        driver: &str,
        (naming, device): (ReaderNaming, DeviceInstance),
        slot: Box<dyn Slot>,
        orders: Orders,
        occupied: bool,
    ) -> (ReaderId, String) {
        let mut state = self.lock();
        state.last_reader += 1;
        let reader = ReaderId(state.last_reader);
        state.readers.insert(reader, Reader::new(slot, orders, occupied));
        if occupied {
            self.cards_awaited.send_modify(|awaited| *awaited += 1);
        }
        let driver = driver.to_owned();
        self.handle(&mut state, Event::ReaderArrived { reader, naming, driver, device });
        let entries = state.core.table_slots();
        state.table.note(entries);
        let name = state.readers.get(&reader).map_or("", Reader::name).to_owned();
        (reader, name)
    }

    /// A reader went.
    pub(crate) fn reader_gone(&self, reader: ReaderId) {
        let mut state = self.lock();
        if state.trace.is_some() {
            state.trace_reader(reader, ReaderTrace::Gone);
        }
        if let Some(gone) = state.readers.remove(&reader) {
            info!("reader gone");
            self.card_answered(gone.awaited());
            self.handle(&mut state, Event::ReaderGone { reader });
        }
    }

    /// A card came or went.
    pub(crate) fn card_event(&self, reader: ReaderId, event: CardEvent) {
        let mut state = self.lock();
        let Some(known) = state.readers.get_mut(&reader) else { return };
        info!(?event, "card");
        if event == CardEvent::Removed {
            let awaited = known.no_longer_awaited();
            self.card_answered(awaited);
        }
        self.handle(&mut state, Event::Card { reader, event });
    }

    /// A slot has done its work and comes back.
    pub(crate) fn work_done(
        &self,
        reader: ReaderId,
        slot: Box<dyn Slot>,
        job: JobId,
        done: WorkDone,
    ) {
        let mut state = self.lock();
        let Some(known) = state.readers.get_mut(&reader) else { return };
        known.take_back(slot);
        if matches!(done, WorkDone::Powered(_)) {
            let awaited = known.no_longer_awaited();
            self.card_answered(awaited);
        }
        self.handle(&mut state, Event::WorkDone { reader, job, done });
    }

    /// Waits until each card that was there at start has answered, or was found mute.
    pub(crate) async fn cards_answered(&self) {
        // The sender lives in `self`, so waiting cannot fail.
        let _ = self.cards_awaited.subscribe().wait_for(|awaited| *awaited == 0).await;
    }

    /// The one timer: sleeps until the core's deadline, and not at all without one. Never ends.
    pub(crate) async fn keep_time(&self) {
        let mut deadline = self.deadline.subscribe();
        loop {
            let next = *deadline.borrow_and_update();
            let passed = async {
                match next {
                    Some(at) => {
                        tokio::time::sleep_until(self.begin + Duration::from_millis(at.0)).await;
                    }
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = passed => self.handle(&mut self.lock(), Event::Tick),
                _ = deadline.changed() => {}
            }
        }
    }

    /// Ends every connection.
    pub(crate) fn close(&self) {
        let clients = std::mem::take(&mut self.lock().clients);
        drop(clients);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self) -> Millis {
        Millis(u64::try_from(self.begin.elapsed().as_millis()).unwrap_or(u64::MAX))
    }

    fn card_answered(&self, was_awaited: bool) {
        if was_awaited {
            self.cards_awaited.send_modify(|awaited| *awaited = awaited.saturating_sub(1));
        }
    }

    /// Tells the core what happened and carries out what it says, until nothing more follows from it.
    fn handle(&self, state: &mut State, event: Event) {
        let mut events = std::mem::take(&mut state.events);
        let mut actions = std::mem::take(&mut state.actions);
        events.push_back(event);
        while let Some(event) = events.pop_front() {
            if state.trace.is_some() {
                state.trace_event(&event);
            }
            state.core.handle(self.now(), event, &mut actions);
            for action in actions.drain(..) {
                state.carry_out(action, &mut events);
            }
        }
        (state.events, state.actions) = (events, actions);
        let next = state.core.deadline();
        self.deadline.send_if_modified(|deadline| std::mem::replace(deadline, next) != next);
    }
}

impl State {
    fn carry_out(&mut self, action: Action, events: &mut VecDeque<Event>) {
        match action {
            Action::Reply { client, request, mut reply } => {
                if let Ok(Answer::Described(readers)) = &mut reply {
                    self.date_holders(readers);
                }
                self.reply(client, request, &reply);
            }
            Action::Push { client, push } => {
                if self.trace.is_some() {
                    self.trace_push(client, &push);
                }
                if let Some(client) = self.clients.get_mut(&client) {
                    client.push(push);
                }
            }
            Action::Work { reader, job, work } => {
                if self.trace.is_some() {
                    self.trace_work(reader, &work);
                }
                if let Some(done) = self.work(reader, job, work) {
                    events.push_back(Event::WorkDone { reader, job, done });
                }
            }
            Action::Drop { client, reason } => {
                if let Some(client) = self.clients.get_mut(&client) {
                    client.end(End::Refused(reason));
                }
            }
            Action::Store { ticket, changes } => {
                let kept = match &self.store {
                    Some(store) if store.send((ticket, changes)).is_ok() => return,
                    // What there was could not be read: nothing is written over it.
                    Some(_) => false,
                    None => true,
                };
                events.push_back(Event::Stored { ticket, kept });
            }
            Action::Named { reader, name } => {
                info!(reader = %name, "reader arrived");
                if let Some(known) = self.readers.get_mut(&reader) {
                    known.set_name(name);
                    events.push_back(self.limit_of(reader));
                }
            }
            Action::SharingViolation { reader, refused, holder, share, in_transaction } => {
                let name = self.readers.get(&reader).map_or("", Reader::name);
                let both = (self.clients.get(&refused), self.clients.get(&holder));
                if let (Some(refused), Some(holder)) = both {
                    let hold = Hold { share, in_transaction };
                    self.kept_out.of_a_card((reader, name), refused, holder, hold);
                }
            }
            Action::IdleTransactionEnded { reader, holder } => {
                let name = self.readers.get(&reader).map_or("", Reader::name);
                if let Some(holder) = self.clients.get(&holder) {
                    let holder = Named(holder.caller());
                    info!(
                        reader = name,
                        "the idle transaction of {holder} is ended, its card reset"
                    );
                }
                if self.trace.is_some() {
                    self.trace_reader(reader, ReaderTrace::Arrived);
                }
            }
            Action::Trace { client } => self.trace_begins(client),
            other => error!(?other, "the core asks for something unknown"),
        }
    }

    /// Answers, and only then tells those who trace.
    fn reply(&mut self, client: ClientId, request: RequestId, reply: &Reply) {
        if let Some(client) = self.clients.get_mut(&client) {
            client.reply(request, reply);
        }
        if self.trace.is_some() {
            self.trace_answered(client, request, reply);
        }
    }

    /// Has a slot work: on the spot if it can be done in microseconds, else in the slot's task.
    fn work(&mut self, reader: ReaderId, job: JobId, work: Work) -> Option<WorkDone> {
        match self.readers.get_mut(&reader) {
            Some(reader) => reader.work(job, work),
            None => {
                debug!(?reader, "work for a reader that is gone");
                Some(slots::reader_gone(&work))
            }
        }
    }
}

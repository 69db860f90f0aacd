//! Bytes of several clients, on both wires, against the real core, with readers and cards that do what they like.
//!
//! An input is a list of steps, each a byte that says what, and a few more that say how. Clients send bytes of the input
//! as they stand, or requests that are written by our own sides of the wires and name what the client has, or what
//! others have. After every step the promises are checked that can be seen from outside.

mod ask;
mod checks;
mod seat;

use std::collections::{BTreeMap, VecDeque};

use scard_core::{
    Action, ClientId, Core, Event, JobId, Limits, Push, Quota, ReaderId, Wire, Work, WorkDone,
};
use scard_types::call::Peer;
use scard_types::{Atr, CardEvent, DeviceInstance, Millis, ReaderName, ReaderNaming, SlotError};

use crate::input::Input;
use seat::Seat;

const SEATS: usize = 5;
const PLACES: usize = 2;
/// Steps beyond these teach nothing new and take long.
const MOST_STEPS: usize = 400;
/// A client that only looks: through its eyes the readers are seen.
const OBSERVER: ClientId = ClientId(1);

/// No promise is broken at any step, and when all have gone nothing is left.
pub(crate) fn check(bytes: &[u8]) {
    let mut input = Input::new(bytes);
    let mut world = World::new();
    for _ in 0..MOST_STEPS {
        if input.is_empty() {
            break;
        }
        world.step(&mut input);
        world.settle();
        world.check();
    }
    world.end();
}

struct World {
    core: Core,
    now: u64,
    seats: [Option<Seat>; SEATS],
    places: [Option<ReaderId>; PLACES],
    readers: BTreeMap<ReaderId, Reader>,
    /// What the core is to be told next.
    due: VecDeque<Event>,
    last_client: u64,
    last_reader: u64,
}

#[derive(Default)]
struct Reader {
    name: String,
    present: bool,
    work: Option<(JobId, Work)>,
}

/// Small enough to be reached often.
fn small_limits() -> Limits {
    Limits {
        connections: Quota::new(3, 6, 1),
        contexts: Quota::new(4, 7, 1),
        handles: Quota::new(4, 8, 1),
        waits: Quota::new(3, 6, 1),
        parked: Quota::new(3, 6, 1),
        requests_per_connection: 6,
        readers_per_wait: 4,
        ..Limits::default()
    }
}

impl World {
    fn new() -> Self {
        let mut world = Self {
            core: Core::new(small_limits(), 7),
            now: 0,
            seats: Default::default(),
            places: Default::default(),
            readers: BTreeMap::new(),
            due: VecDeque::new(),
            last_client: OBSERVER.0,
            last_reader: 0,
        };
        let peer = Peer { uid: 0, gid: 0, pid: 1 };
        let observer = Event::ClientConnected { client: OBSERVER, peer, wire: Wire::Native };
        world.core.handle(Millis(0), observer, &mut Vec::new());
        for place in 0..PLACES {
            world.plug(place);
            world.card(place, CardEvent::Inserted);
        }
        world.settle();
        world
    }

    fn step(&mut self, input: &mut Input<'_>) {
        let what = input.byte();
        let seat = usize::from(what >> 4) % SEATS;
        let place = usize::from(what >> 4) % PLACES;
        match what & 0x0F {
            0 => self.join(seat, input),
            1 => self.die(seat),
            2 => {
                let length = usize::from(input.byte());
                self.hear(seat, input.bytes(length));
            }
            3 => match input.byte() % 4 {
                0 => self.unplug(place),
                1 => self.plug(place),
                2 => self.card(place, CardEvent::Removed),
                _ => self.card(place, CardEvent::Replaced),
            },
            4 => self.card(place, CardEvent::Inserted),
            5 => self.finish(place, None),
            6 => {
                let errors =
                    [SlotError::Mute, SlotError::Timeout, SlotError::NoCard, SlotError::ReaderGone];
                let error = input.one(&errors);
                self.finish(place, error);
            }
            7 => self.pass(u64::from(input.byte()) * 20),
            _ => self.ask(seat, input),
        }
    }

    fn join(&mut self, at: usize, input: &mut Input<'_>) {
        if self.seats[at].is_some() {
            return;
        }
        self.last_client += 1;
        let client = ClientId(self.last_client);
        let how = input.byte();
        let uid = [1_000, 1_001, 0][usize::from(how >> 4) % 3];
        let seat = Seat::new(client, how & 0x0F);
        let (wire, hello) = (seat.wire(), seat.hello());
        self.seats[at] = Some(seat);
        let peer = Peer { uid, gid: uid, pid: 7 };
        self.due.push_back(Event::ClientConnected { client, peer, wire });
        self.settle();
        self.hear(at, &hello);
    }

    /// A client dies: it is heard no more, and told things until the core knows.
    fn die(&mut self, at: usize) {
        if let Some(seat) = &self.seats[at] {
            self.due.push_front(Event::ClientGone { client: seat.client });
        }
    }

    /// Whether an event is still worth telling; a client that is gone is gone from here on.
    fn still_happens(&mut self, event: &Event) -> bool {
        match event {
            Event::ClientGone { client } => {
                let seat = self.seat_of(*client);
                seat.and_then(|at| self.seats[at].take()).is_some()
            }
            Event::Request { client, .. } => self.seat_of(*client).is_some(),
            _ => true,
        }
    }

    /// Bytes of a client arrive.
    fn hear(&mut self, at: usize, bytes: &[u8]) {
        if let Some(seat) = &mut self.seats[at] {
            seat.hear(bytes);
            self.pump(at);
        }
    }

    /// Passes on what a client has asked, as far as it may be asked now.
    fn pump(&mut self, at: usize) {
        while let Some(seat) = &mut self.seats[at] {
            match seat.next() {
                Ok(Some((request, call))) => {
                    let client = seat.client;
                    self.due.push_back(Event::Request { client, request, call });
                    self.settle();
                }
                Ok(None) => return,
                Err(()) => {
                    self.die(at);
                    return self.settle();
                }
            }
        }
    }

    fn plug(&mut self, place: usize) {
        if self.places[place].is_some() {
            return;
        }
        self.last_reader += 1;
        let reader = ReaderId(self.last_reader);
        self.places[place] = Some(reader);
        self.readers.insert(reader, Reader::default());
        let naming = ReaderNaming::Indexed { base: "Reader".into(), slot: 0 };
        let id = format!("device {place}");
        let device = DeviceInstance { id, slot: 0, device_type: DeviceInstance::VENDOR };
        let driver = "sim".into();
        self.due.push_back(Event::ReaderArrived { reader, naming, driver, device });
    }

    fn unplug(&mut self, place: usize) {
        if let Some(reader) = self.places[place].take() {
            self.readers.remove(&reader);
            self.due.push_back(Event::ReaderGone { reader });
        }
    }

    fn card(&mut self, place: usize, event: CardEvent) {
        let Some(reader) = self.places[place] else { return };
        if let Some(known) = self.readers.get_mut(&reader) {
            known.present = event != CardEvent::Removed;
        }
        self.due.push_back(Event::Card { reader, event });
    }

    /// A slot ends its work, well or not; it answers with the bytes that it got, so that nobody can be given another's.
    fn finish(&mut self, place: usize, error: Option<SlotError>) {
        let Some(id) = self.places[place] else { return };
        let Some(reader) = self.readers.get_mut(&id) else { return };
        let Some((job, work)) = reader.work.take() else { return };
        let error = error.or((!reader.present).then_some(SlotError::NoCard));
        let bytes = |bytes: &[u8]| {
            WorkDone::Bytes(error.map_or_else(|| Ok([bytes, &[0x90, 0]].concat().into()), Err))
        };
        let done = match &work {
            Work::PowerOn | Work::WarmReset => {
                let atr = Atr::new(&[0x3B, 0x80, 0x80, 0x01, 0x01]).map_err(|_| SlotError::Mute);
                WorkDone::Powered(error.map_or(atr, Err))
            }
            Work::Transmit { command, .. } => bytes(command.expose()),
            Work::Control { input, .. } => bytes(input.expose()),
            Work::GetAttribute { .. } => bytes(b"V"),
            _ => WorkDone::Done(error.map_or(Ok(()), Err)),
        };
        self.due.push_back(Event::WorkDone { reader: id, job, done });
    }

    /// Time passes from one deadline to the next.
    fn pass(&mut self, millis: u64) {
        self.settle();
        let end = self.now.saturating_add(millis);
        while let Some(next) = self.core.deadline().filter(|at| at.0 <= end) {
            self.now = self.now.max(next.0);
            self.due.push_back(Event::Tick);
            self.settle();
        }
        self.now = end;
        self.due.push_back(Event::Tick);
    }

    /// Tells the core everything that is due, and carries out what it says.
    fn settle(&mut self) {
        while let Some(event) = self.due.pop_front() {
            if !self.still_happens(&event) {
                continue;
            }
            let mut actions = Vec::new();
            self.core.handle(Millis(self.now), event, &mut actions);
            let mut answered = Vec::new();
            for action in actions {
                self.carry_out(action, &mut answered);
            }
            let due = self.core.deadline().is_some_and(|at| at.0 <= self.now);
            assert!(!due, "a deadline has passed and nobody did anything");
            for at in answered {
                self.pump(at);
            }
        }
    }

    fn carry_out(&mut self, action: Action, answered: &mut Vec<usize>) {
        match action {
            Action::Reply { client, request, reply } => {
                let at = self.told(client);
                self.check_numbers(at, &reply);
                if let Some(seat) = &mut self.seats[at] {
                    seat.reply(request, &reply);
                    answered.push(at);
                }
            }
            Action::Push { client, push } => {
                let at = self.told(client);
                if let Some(seat) = &mut self.seats[at] {
                    match (seat.wire(), &push) {
                        (Wire::PcscLite, Push::WatchFired(_)) | (Wire::Native, Push::Reader(_)) => {
                        }
                        (wire, push) => panic!("{push:?} on {wire:?}"),
                    }
                    seat.push(&push);
                }
            }
            Action::Work { reader, job, work } => match self.readers.get_mut(&reader) {
                Some(known) => {
                    assert!(known.work.is_none(), "{work:?} for a slot at work");
                    known.work = Some((job, work));
                }
                None => panic!("{work:?} for a reader that is gone"),
            },
            Action::Drop { client, .. } => {
                let at = self.told(client);
                self.die(at);
            }
            Action::Named { reader, name } => self.named(reader, &name),
            // Every third time the disk is full.
            Action::Store { ticket, .. } => {
                self.due.push_back(Event::Stored { ticket, kept: ticket.0 % 3 != 0 });
            }
            Action::SharingViolation { reader, refused, holder, .. } => {
                assert!(self.readers.contains_key(&reader), "held: a reader that is gone");
                self.told(refused);
                self.told(holder);
            }
            Action::IdleTransactionEnded { reader, holder } => {
                assert!(self.readers.contains_key(&reader), "idle: a reader that is gone");
                self.told(holder);
            }
            Action::Trace { client } => {
                self.told(client);
            }
            other => panic!("an action that nobody knows: {other:?}"),
        }
    }

    fn named(&mut self, reader: ReaderId, name: &ReaderName) {
        let taken = self.readers.values().any(|reader| reader.name == name.as_str());
        assert!(!taken, "two readers are called {name}");
        if let Some(reader) = self.readers.get_mut(&reader) {
            reader.name = name.as_str().to_owned();
        }
    }

    fn told(&self, client: ClientId) -> usize {
        match self.seat_of(client) {
            Some(at) => at,
            None => panic!("{client:?} is told something and is gone"),
        }
    }

    fn seat_of(&self, client: ClientId) -> Option<usize> {
        let sits = |seat: &Option<Seat>| seat.as_ref().is_some_and(|seat| seat.client == client);
        self.seats.iter().position(sits)
    }
}

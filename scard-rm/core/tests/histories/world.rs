//! The world around the resource manager: clients of both wires, readers, cards, time.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use scard_core::{
    Action, ClientId, Core, Event, Limits, Quota, ReaderId, RequestId, Wire, Work, WorkDone,
};
use scard_types::call::{
    Answer, Call, CardHandle, ContextId, KnownReader, Peer, ReaderDescription,
};
use scard_types::status_change::{CHANGED, PNP_READER, compare};
use scard_types::{
    Atr, CardEvent, DeviceInstance, Disposition, Millis, Protocols, ReaderName, ReaderNaming,
    ShareMode, SlotError,
};

use crate::model::{Asked, Check, Mark, Model, Pending, Reader, Seat, ensure};
use crate::script::{Ask, How, PLACES, SEATS, Step};

/// A client that only looks: through its eyes the readers are seen.
pub(crate) const OBSERVER: u64 = 1;

pub(crate) struct World {
    pub(crate) core: Core,
    pub(crate) now: u64,
    pub(crate) model: Model,
    pub(crate) seats: Vec<Option<Seat>>,
    pub(crate) places: Vec<Option<u64>>,
    pub(crate) limits: Limits,
    /// The readers as the observer saw them last.
    pub(crate) seen: Vec<ReaderDescription>,
    /// Clients for which it was said in this step who is in their way.
    pub(crate) explained: BTreeSet<u64>,
    /// What was said, and was not so before the step.
    pub(crate) explanations: Vec<Explanation>,
    /// Contexts in which waits may be cancelled in this step.
    pub(crate) cancelled: Vec<ContextId>,
    next_client: u64,
    next_reader: u64,
    next_serial: u32,
    next_place: u64,
    /// All actions as text, where a history is compared with its repetition.
    pub(crate) trace: Option<String>,
}

/// Who is said to be in somebody's way.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Explanation {
    pub(crate) reader: ReaderId,
    pub(crate) holder: u64,
    pub(crate) share: ShareMode,
    pub(crate) in_transaction: bool,
}

/// Small enough to be reached often.
fn small_limits() -> Limits {
    Limits {
        connections: Quota::new(5, 9, 2),
        contexts: Quota::new(6, 12, 2),
        handles: Quota::new(7, 16, 2),
        waits: Quota::new(5, 12, 2),
        parked: Quota::new(6, 14, 2),
        ..Limits::default()
    }
}

impl World {
    pub(crate) fn new(seed: u64) -> Self {
        let idle_limit =
            [None, Some(400), Some(3_000), Some(0)][usize::try_from(seed % 4).unwrap()];
        let limits = Limits { idle_transaction: idle_limit.map(Millis), ..small_limits() };
        let mut world = Self {
            core: Core::new(limits.clone(), seed),
            now: 0,
            model: Model { reader_events: 1, idle_limit, ..Model::default() },
            seats: (0..SEATS).map(|_| None).collect(),
            places: vec![None; usize::from(PLACES)],
            limits,
            seen: Vec::new(),
            explained: BTreeSet::new(),
            explanations: Vec::new(),
            cancelled: Vec::new(),
            next_client: OBSERVER + 1,
            next_reader: 1,
            next_serial: 1,
            next_place: 1,
            trace: None,
        };
        let peer = Peer { uid: 0, gid: 0, pid: 1 };
        let event = Event::ClientConnected { client: ClientId(OBSERVER), peer, wire: Wire::Native };
        world.core.handle(Millis(0), event, &mut Vec::new());
        world
    }

    pub(crate) fn step(&mut self, step: Step) -> Check {
        self.cancelled.clear();
        match step {
            Step::Join { seat, uid, wire } => self.join(usize::from(seat), uid, wire),
            Step::Die { seat } => self.die(usize::from(seat)),
            Step::Ask { seat, ask, pick } => self.ask(usize::from(seat), ask, usize::from(pick)),
            Step::Plug { place } => self.plug(usize::from(place)),
            Step::Unplug { place } => self.unplug(usize::from(place)),
            Step::Insert { place } => self.card(usize::from(place), CardEvent::Inserted),
            Step::Remove { place } => self.card(usize::from(place), CardEvent::Removed),
            Step::Replace { place } => self.card(usize::from(place), CardEvent::Replaced),
            Step::Finish { place, how } => self.finish(usize::from(place), how),
            Step::Limit { place, millis } => self.limit(usize::from(place), millis),
            Step::Pass { millis } => self.pass(millis),
        }?;
        self.look()
    }

    /// Feeds the machine and takes in what it says.
    pub(crate) fn feed(&mut self, event: Event) -> Check {
        let mut actions = Vec::new();
        self.core.handle(Millis(self.now), event, &mut actions);
        if let Some(trace) = &mut self.trace {
            writeln!(trace, "{} {actions:?}", self.now).unwrap();
        }
        self.explained.clear();
        actions.into_iter().try_for_each(|action| self.on_action(action))?;
        let explanations = core::mem::take(&mut self.explanations);
        let wrong = explanations.iter().find(|explanation| !self.is_so(explanation));
        ensure!(wrong.is_none(), "nobody holds the card like that: {wrong:?}");
        Ok(())
    }

    fn join(&mut self, seat: usize, uid: u32, wire: Wire) -> Check {
        if self.seats[seat].is_some() {
            return Ok(());
        }
        let client = self.next_client;
        self.next_client += 1;
        self.seats[seat] = Some(Seat {
            client,
            wire,
            uid,
            contexts: BTreeSet::new(),
            pending: BTreeMap::new(),
            next_request: 1,
            retry: None,
            watching: false,
            replica: None,
            caught: false,
        });
        let peer = Peer { uid, gid: uid, pid: 7 };
        self.feed(Event::ClientConnected { client: ClientId(client), peer, wire })
    }

    /// A client dies: everything it had is gone at once.
    pub(crate) fn die(&mut self, seat: usize) -> Check {
        let Some(seat) = self.seats[seat].take() else { return Ok(()) };
        for context in &seat.contexts {
            self.abandon_context(*context, &seat.pending);
        }
        self.feed(Event::ClientGone { client: ClientId(seat.client) })
    }

    fn abandon_context(&mut self, context: ContextId, pending: &BTreeMap<u32, Pending>) {
        self.model.contexts.remove(&context);
        let cards: Vec<_> = self
            .model
            .handles
            .iter()
            .filter(|(_, handle)| handle.context == context)
            .map(|(card, _)| *card)
            .collect();
        for card in cards {
            let unclear = pending
                .values()
                .any(|pending| pending.asked.card() == Some(card) && pending.asked.disposes());
            self.model.abandon(card, unclear);
        }
    }

    fn plug(&mut self, place: usize) -> Check {
        if self.places[place].is_some() {
            return Ok(());
        }
        let reader = self.next_reader;
        self.next_reader += 1;
        self.places[place] = Some(reader);
        let name = format!("Reader {place}");
        self.model.readers.insert(reader, Reader::new(name.clone()));
        self.model.count_reader_event();
        let naming = ReaderNaming::Verbatim(ReaderName::new(name).unwrap());
        let reader = ReaderId(reader);
        let id = format!("device {place}");
        let device = DeviceInstance { id, slot: 0, device_type: DeviceInstance::VENDOR };
        self.feed(Event::ReaderArrived { reader, naming, driver: "sim".into(), device })
    }

    fn unplug(&mut self, place: usize) -> Check {
        let Some(reader) = self.places[place].take() else { return Ok(()) };
        self.model.readers.remove(&reader);
        self.model.count_reader_event();
        self.feed(Event::ReaderGone { reader: ReaderId(reader) })
    }

    fn card(&mut self, place: usize, event: CardEvent) -> Check {
        let Some(reader) = self.places[place] else { return Ok(()) };
        if event != CardEvent::Inserted {
            self.model.remove(reader);
        }
        if event != CardEvent::Removed {
            self.model.insert(reader);
        }
        self.feed(Event::Card { reader: ReaderId(reader), event })
    }

    /// The administrator sets another limit for idle transactions: for one reader, or for all without one of their own.
    fn limit(&mut self, place: usize, millis: Option<u64>) -> Check {
        let limit = millis.map(Millis);
        if let Some(reader) = self.places.get(place).copied().flatten() {
            if let Some(known) = self.model.readers.get_mut(&reader) {
                known.idle_limit = millis;
            }
            let reader = ReaderId(reader);
            return self.feed(Event::ReaderLimited { reader, idle_transaction: limit });
        }
        self.limits.idle_transaction = limit;
        self.model.idle_limit = millis;
        self.feed(Event::LimitsChanged { limits: self.limits.clone() })
    }

    /// Time passes from one deadline to the next; stock clients that were sent back try again on the way.
    fn pass(&mut self, millis: u64) -> Check {
        let end = self.now + millis;
        loop {
            let retry = self.seats.iter().flatten().filter_map(|seat| seat.retry.as_ref());
            let retry = retry.map(|(at, _)| *at).min();
            let deadline = self.core.deadline().map(|at| at.0);
            let Some(next) = retry.into_iter().chain(deadline).min().filter(|at| *at <= end) else {
                break;
            };
            self.now = self.now.max(next);
            self.feed(Event::Tick)?;
            for seat in 0..self.seats.len() {
                self.try_again(seat)?;
            }
            self.look()?;
        }
        self.now = end;
        self.feed(Event::Tick)
    }

    fn try_again(&mut self, seat: usize) -> Check {
        let now = self.now;
        let Some(sitting) = &mut self.seats[seat] else { return Ok(()) };
        if sitting.retry.as_ref().is_none_or(|(at, _)| *at > now) {
            return Ok(());
        }
        let Some((_, asked)) = sitting.retry.take() else { return Ok(()) };
        let own = asked.card().is_some_and(|card| self.model.handles.contains_key(&card));
        if own && sitting.pending.is_empty() { self.submit(seat, &asked, false) } else { Ok(()) }
    }

    /// The client in that seat, or the next one who is there and not busy.
    fn ask(&mut self, seat: usize, ask: Ask, pick: usize) -> Check {
        let seats = (seat..self.seats.len()).chain(0..seat);
        let idle = |seat: &Seat| seat.wire == Wire::Native || seat.pending.is_empty();
        let mut idle = seats.filter(|seat| self.seats[*seat].as_ref().is_some_and(idle));
        let Some(seat) = idle.next() else { return Ok(()) };
        let Some(sitting) = &self.seats[seat] else { return Ok(()) };
        let most = if sitting.wire == Wire::PcscLite { 1 } else { 9 };
        if sitting.pending.len() >= most {
            return Ok(());
        }
        if matches!(ask, Ask::Foreign) {
            let client = sitting.client;
            let foreign = self.model.handles.iter().filter(|(_, h)| h.client != client);
            let Some(card) = one(foreign.map(|(card, _)| *card), pick) else { return Ok(()) };
            let disposition = Disposition::Reset;
            let calls = [
                Asked::Transmit { card },
                Asked::Begin { card },
                Asked::Disconnect { card, disposition },
                Asked::End { card, disposition },
                Asked::Control { card },
            ];
            return self.submit(seat, &calls[pick % calls.len()], true);
        }
        let Some(asked) = self.choose(sitting, ask, pick) else { return Ok(()) };
        let foreign = match &asked {
            Asked::Cancel { context } => {
                let owner = self.model.contexts.get(context).copied();
                let owner = self.seats.iter().flatten().find(|seat| Some(seat.client) == owner);
                owner.is_none_or(|owner| owner.uid != sitting.uid)
            }
            _ => false,
        };
        self.submit(seat, &asked, foreign)
    }

    /// What exactly is asked. A client does what it has to do first: it opens what it lacks, closes handles of
    /// readers that are gone, and mostly takes note of a mark.
    fn choose(&self, seat: &Seat, ask: Ask, pick: usize) -> Option<Asked> {
        if seat.contexts.is_empty() && !matches!(ask, Ask::Watch | Ask::Subscribe) {
            return Some(Asked::Establish { windows: false });
        }
        let context = || one(seat.contexts.iter().copied(), pick);
        let own = self.model.handles.iter().filter(|(_, handle)| handle.client == seat.client);
        let chosen = one(own, pick);
        let on_a_handle = matches!(
            ask,
            Ask::Begin | Ask::End { .. } | Ask::Transmit | Ask::Status | Ask::Control
        );
        let (share, initialization) = (ShareMode::Shared, Disposition::Leave);
        match chosen {
            None if on_a_handle => {
                let reader = one(self.model.readers.keys().copied(), pick)?;
                let protocols = Protocols::ANY;
                return Some(Asked::Connect { context: context()?, reader, share, protocols });
            }
            Some((card, handle)) if on_a_handle && pick % 8 != 0 => {
                if !self.model.readers.contains_key(&handle.reader) {
                    return Some(Asked::Disconnect { card: *card, disposition: initialization });
                }
                if matches!(handle.mark, Mark::Reset | Mark::Removed) {
                    return Some(Asked::Reconnect { card: *card, share, initialization });
                }
            }
            _ => {}
        }
        let card = || chosen.map(|(card, _)| *card);
        Some(match ask {
            Ask::Establish { .. } if seat.contexts.len() >= 3 => return None,
            Ask::Establish { windows } => {
                Asked::Establish { windows: windows && seat.wire == Wire::Native }
            }
            Ask::Release => Asked::Release { context: context()? },
            Ask::Connect { share, protocols } => {
                let reader = one(self.model.readers.keys().copied(), pick)?;
                Asked::Connect { context: context()?, reader, share, protocols }
            }
            Ask::Reconnect { share, initialization } => {
                Asked::Reconnect { card: card()?, share, initialization }
            }
            Ask::Begin => Asked::Begin { card: card()? },
            Ask::End { disposition } => Asked::End { card: card()?, disposition },
            Ask::Disconnect { disposition } => Asked::Disconnect { card: card()?, disposition },
            Ask::Transmit => Asked::Transmit { card: card()? },
            Ask::Control => Asked::Control { card: card()? },
            Ask::Status => Asked::Status { card: card()? },
            Ask::GetAttribute { own } => Asked::GetAttribute { card: card()?, own },
            Ask::SetAttribute => Asked::SetAttribute { card: card()? },
            Ask::StatusChange { timeout_ms, aware, pnp } => {
                let known = self.known(aware, pnp, pick)?;
                Asked::StatusChange { context: context()?, known, timeout_ms }
            }
            Ask::Cancel { foreign: true } => {
                Asked::Cancel { context: one(self.model.contexts.keys().copied(), pick)? }
            }
            Ask::Cancel { foreign: false } => Asked::Cancel { context: context()? },
            Ask::Watch if seat.wire == Wire::PcscLite => Asked::Watch,
            Ask::StopWatching if seat.wire == Wire::PcscLite => Asked::StopWatching,
            Ask::Subscribe if seat.wire == Wire::Native && seat.replica.is_none() => {
                Asked::Subscribe
            }
            Ask::Watch | Ask::StopWatching | Ask::Subscribe | Ask::Foreign => return None,
        })
    }

    /// What a client knows of the readers: what is so, or nothing.
    fn known(&self, aware: bool, pnp: bool, pick: usize) -> Option<Vec<KnownReader>> {
        let skip = if self.seen.is_empty() { 0 } else { pick % self.seen.len() };
        let readers = self.seen.iter().skip(skip).map(|reader| KnownReader {
            name: reader.entry.name.as_str().into(),
            current_state: if aware {
                compare(0, Some(&reader.entry)).event_state & !CHANGED
            } else {
                0
            },
        });
        let events = self.model.reader_events << 16;
        let pnp = pnp.then(|| KnownReader { name: PNP_READER.into(), current_state: events });
        let known: Vec<_> = readers.chain(pnp).collect();
        (!known.is_empty()).then_some(known)
    }

    fn submit(&mut self, seat: usize, asked: &Asked, foreign: bool) -> Check {
        let Some(sitting) = &mut self.seats[seat] else { return Ok(()) };
        let client = ClientId(sitting.client);
        let request = match sitting.wire {
            Wire::PcscLite => 0,
            Wire::Native => {
                sitting.next_request += 1;
                sitting.next_request
            }
        };
        self.next_serial += 1;
        let serial = self.next_serial;
        let name = match asked {
            Asked::Connect { reader, .. } => {
                self.model.readers.get(reader).map_or_else(String::new, |r| r.name.clone())
            }
            _ => String::new(),
        };
        let call = asked.call(serial, &name);
        if let Some(card) = asked.card().filter(|_| !foreign) {
            self.model.used(card, self.now);
        }
        let place = self.place_of(asked, foreign);
        let (since, reader_events) = (self.now, self.model.reader_events);
        let mut before = BTreeMap::new();
        if let Some(sitting) = &mut self.seats[seat] {
            if let (Asked::Release { context }, false) = (asked, foreign) {
                sitting.contexts.remove(context);
                before = sitting.pending.clone();
            }
            let pending =
                Pending { asked: asked.clone(), serial, since, place, reader_events, foreign };
            sitting.pending.insert(request, pending);
        }
        match asked {
            Asked::Release { context } => {
                self.abandon_context(*context, &before);
                self.cancelled.push(*context);
            }
            Asked::Cancel { context } if !foreign => self.cancelled.push(*context),
            _ => {}
        }
        self.feed(Event::Request { client, request: RequestId(request), call })
    }

    /// The place in the order of those who want a transaction; one who was sent back has kept his.
    fn place_of(&mut self, asked: &Asked, foreign: bool) -> u64 {
        self.next_place += 1;
        let Asked::Begin { card } = asked else { return self.next_place };
        let Some(handle) = self.model.handles.get_mut(card).filter(|_| !foreign) else {
            return self.next_place;
        };
        let kept = handle.ticket.take().filter(|(_, lapses)| self.now < *lapses);
        kept.map_or(self.next_place, |(place, _)| place)
    }

    /// The reader in that place, or the next one that works.
    fn working(&self, place: usize) -> Option<u64> {
        let readers = (place..self.places.len()).chain(0..place).filter_map(|at| self.places[at]);
        let works = |id: &u64| self.model.readers.get(id).is_some_and(|r| r.work.is_some());
        readers.clone().find(works).or_else(|| readers.clone().next())
    }

    pub(crate) fn finish(&mut self, place: usize, how: How) -> Check {
        let Some(id) = self.working(place) else { return Ok(()) };
        let Some(reader) = self.model.readers.get_mut(&id) else { return Ok(()) };
        if matches!(how, How::Stale) {
            let Some(job) = reader.old_job else { return Ok(()) };
            let (nothing, other) = (vec![0_u8; 6], vec![0x3B, 0x02, 0x14, 0x50]);
            let done = match reader.work.as_ref().map(|(_, work)| work) {
                Some(Work::PowerOn | Work::WarmReset) => {
                    WorkDone::Powered(Ok(Atr::new(&other).unwrap()))
                }
                Some(Work::Transmit { .. } | Work::Control { .. } | Work::GetAttribute { .. })
                | None => WorkDone::Bytes(Ok(nothing.into())),
                Some(_) => WorkDone::Done(Err(SlotError::Timeout)),
            };
            let mut actions = Vec::new();
            let event = Event::WorkDone { reader: ReaderId(id), job, done };
            self.core.handle(Millis(self.now), event, &mut actions);
            ensure!(actions.is_empty(), "a stale result had an effect: {actions:?}");
            return Ok(());
        }
        let Some((job, work)) = reader.work.take() else { return Ok(()) };
        let same_card = reader.work_for == reader.events;
        let error = match how {
            How::Badly(error) => Some(error),
            _ if !reader.present => Some(SlotError::NoCard),
            How::Well | How::Stale => None,
        };
        reader.used = self.now;
        reader.identified |= same_card && matches!(work, Work::PowerOn);
        if same_card && matches!(work, Work::PowerOn | Work::WarmReset | Work::PowerOff) {
            reader.powered = error.is_none() && !matches!(work, Work::PowerOff);
            reader.reset_expected &= reader.powered;
        }
        reader.old_job = Some(job);
        let event = Event::WorkDone { reader: ReaderId(id), job, done: done(work, error) };
        self.feed(event)
    }

    /// The observer looks, and everything that can be checked from outside is.
    pub(crate) fn look(&mut self) -> Check {
        let mut actions = Vec::new();
        let (client, request) = (ClientId(OBSERVER), RequestId(1));
        let event = Event::Request { client, request, call: Call::DescribeReaders };
        self.core.handle(Millis(self.now), event, &mut actions);
        let [Action::Reply { client: ClientId(OBSERVER), reply: Ok(answer), .. }] =
            &mut actions[..]
        else {
            return Err(format!("the observer was told {actions:?}"));
        };
        let Answer::Described(readers) = answer else {
            return Err(format!("the observer was told {answer:?}"));
        };
        let before = core::mem::replace(&mut self.seen, core::mem::take(readers));
        self.check(&before)
    }

    /// Everybody goes, the slots finish, and then nothing is left.
    pub(crate) fn end(&mut self) -> Check {
        for seat in 0..self.seats.len() {
            self.die(seat)?;
            self.look()?;
        }
        for _ in 0..8 {
            for place in 0..self.places.len() {
                self.finish(place, How::Well)?;
                self.look()?;
            }
        }
        self.pass(20_000)?;
        for place in 0..self.places.len() {
            self.finish(place, How::Well)?;
        }
        self.check_quiet()
    }
}

pub(crate) fn one<T>(of: impl Iterator<Item = T>, pick: usize) -> Option<T> {
    let mut all: Vec<T> = of.collect();
    if all.is_empty() { None } else { Some(all.swap_remove(pick % all.len())) }
}

/// What a slot answers: the bytes that it got, so that nobody can be given another's.
fn done(work: Work, error: Option<SlotError>) -> WorkDone {
    let echo = |bytes: &[u8]| match error {
        Some(error) => WorkDone::Bytes(Err(error)),
        None => WorkDone::Bytes(Ok([bytes, &[0x90, 0x00]].concat().into())),
    };
    match work {
        Work::PowerOn | Work::WarmReset => {
            let atr = Atr::new(&[0x3B, 0x80, 0x80, 0x01, 0x01]).unwrap();
            WorkDone::Powered(error.map_or(Ok(atr), Err))
        }
        Work::Transmit { command, .. } => echo(command.expose()),
        Work::Control { input, .. } => echo(input.expose()),
        Work::GetAttribute { .. } => echo(b"V"),
        _ => WorkDone::Done(error.map_or(Ok(()), Err)),
    }
}

/// Which handle a request is about.
pub(crate) fn reader_of(model: &Model, asked: &Asked) -> Option<u64> {
    let of = |card: CardHandle| model.handles.get(&card).map(|handle| handle.reader);
    match asked {
        Asked::Connect { reader, .. } => Some(*reader),
        other => other.card().and_then(of),
    }
}

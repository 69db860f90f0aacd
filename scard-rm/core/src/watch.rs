//! Those who are told of every change: registrations of the pcsc-lite wire (told once) and subscribers (told of each);
//! and those who are told of every call.

use alloc::vec::Vec;

use scard_types::call::{Answer, ReaderEvent};
use scard_types::{ReaderName, ScardCode};

use crate::Core;
use crate::event::{Action, ClientId, Push};
use crate::queue::Asker;
use crate::quotas::Kind;
use crate::readers::Reader;
use crate::requests::Outcome;
use crate::status_change::Topic;

impl Core {
    /// pcsc-lite wire, 0x13. A second registration is the first one.
    pub(crate) fn watch(&mut self, id: ClientId) -> Outcome {
        let Some(client) = self.clients.get(&id) else { return Outcome::Later };
        if !self.watchers.contains(&id) {
            if !self.quotas.take(&self.limits, client.peer.uid, Kind::Wait) {
                return Outcome::refused(ScardCode::NoMemory);
            }
            self.watchers.insert(id);
        }
        Outcome::Now(Ok(Answer::Done))
    }

    /// Ends a registration without a word; says whether there was one.
    pub(crate) fn forget_watch(&mut self, id: ClientId) -> bool {
        let was_watching = self.watchers.remove(&id);
        if let (true, Some(client)) = (was_watching, self.clients.get(&id)) {
            self.quotas.give_back(client.peer.uid, Kind::Wait);
        }
        was_watching
    }

    /// `SCardCancel` of a context whose connection is registered.
    pub(crate) fn cancel_watch(&mut self, id: ClientId) {
        if self.forget_watch(id) {
            let push = Push::WatchFired(Err(ScardCode::Cancelled));
            self.out.push(Action::Push { client: id, push });
        }
    }

    /// Every registration fires once and is gone.
    fn fire_watches(&mut self) {
        while let Some(id) = self.watchers.first().copied() {
            self.forget_watch(id);
            self.out.push(Action::Push { client: id, push: Push::WatchFired(Ok(())) });
        }
    }

    /// Native wire: what is there now follows the answer, then everything that happens.
    pub(crate) fn subscribe(&mut self, asker: Asker) -> Outcome {
        self.reply(asker, Ok(Answer::Done));
        if self.subscribers.insert(asker.client) {
            let entries: Vec<_> = self.readers_in_order().map(Reader::entry).collect();
            let arrivals = entries.into_iter().map(ReaderEvent::ReaderArrived);
            for event in arrivals.chain([ReaderEvent::Caught]) {
                self.out.push(Action::Push { client: asker.client, push: Push::Reader(event) });
            }
        }
        Outcome::Later
    }

    /// Native wire: counted like a wait, since it keeps memory busy for as long as it likes.
    pub(crate) fn trace(&mut self, asker: Asker) -> Outcome {
        let id = asker.client;
        let Some(client) = self.clients.get(&id) else { return Outcome::Later };
        if self.tracers.contains(&id) {
            return Outcome::Now(Ok(Answer::Done));
        }
        if !self.quotas.take(&self.limits, client.peer.uid, Kind::Wait) {
            return Outcome::refused(ScardCode::NoMemory);
        }
        self.tracers.insert(id);
        self.reply(asker, Ok(Answer::Done));
        self.out.push(Action::Trace { client: id });
        Outcome::Later
    }

    /// Ends a trace with its connection.
    pub(crate) fn forget_trace(&mut self, id: ClientId) {
        if let (true, Some(client)) = (self.tracers.remove(&id), self.clients.get(&id)) {
            self.quotas.give_back(client.peer.uid, Kind::Wait);
        }
    }

    fn tell_subscribers(&mut self, event: &ReaderEvent) {
        for client in &self.subscribers {
            let push = Push::Reader(event.clone());
            self.out.push(Action::Push { client: *client, push });
        }
    }

    /// A reader came or went.
    pub(crate) fn tell_of_readers(&mut self, name: &ReaderName, event: &ReaderEvent) {
        self.tell_subscribers(event);
        self.wake(&Topic::Reader(name.as_str().into()));
        if !cfg!(scard_fault = "silent_departure") {
            self.wake(&Topic::Readers);
        }
        self.fire_watches();
    }

    /// Tells of all readers whose card or handles changed in this step, each once and as it is now.
    ///
    /// DIFFERS: pcscd compares who shares a reader every 400 ms, and tells nobody of what changed back in between.
    pub(crate) fn publish_changes(&mut self) {
        if self.changed.is_empty() {
            return;
        }
        while let Some(id) = self.changed.pop_first() {
            let Some(reader) = self.readers.get(&id) else { continue };
            let entry = reader.entry();
            let topic = Topic::Reader(entry.name.as_str().into());
            self.tell_subscribers(&ReaderEvent::StateChanged(entry));
            self.wake(&topic);
        }
        self.fire_watches();
    }
}

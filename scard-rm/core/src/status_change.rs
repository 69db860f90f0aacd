//! `SCardGetStatusChange`: waits that end when something differs from what the caller knows.

use alloc::string::String;
use alloc::vec::Vec;

use scard_types::call::{Answer, ContextId, KnownReader, SeenReader};
use scard_types::status_change::{CHANGED, IGNORE, compare, compare_pnp, is_pnp_reader};
use scard_types::{Millis, ScardCode};

use crate::Core;
use crate::queue::Asker;
use crate::quotas::Kind;
use crate::requests::{Outcome, Whereabouts};
use crate::timers::Timer;

/// A wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct WaitId(u64);

/// Somebody who waits.
pub(crate) struct Wait {
    asker: Asker,
    context: ContextId,
    known: Vec<KnownReader>,
    /// The counter of arrivals and departures when the call began.
    reader_events: u32,
    deadline: Option<Millis>,
}

/// Under what a wait stands in the index, so that a change touches those only whom it concerns.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Topic {
    /// Any arrival and departure.
    Readers,
    /// A name, whether a reader of that name is there or not.
    Reader(String),
}

fn topic(known: &KnownReader) -> Option<Topic> {
    if known.current_state & IGNORE != 0 {
        None
    } else if is_pnp_reader(&known.name) {
        Some(Topic::Readers)
    } else {
        Some(Topic::Reader(known.name.clone()))
    }
}

fn concerns(topic: &Topic, known: &KnownReader) -> bool {
    match topic {
        Topic::Readers => is_pnp_reader(&known.name),
        Topic::Reader(name) => known.name == *name,
    }
}

impl Core {
    /// The checks in pcsc-lite's order: nothing to look at is a success even without a context.
    pub(crate) fn status_change(
        &mut self,
        asker: Asker,
        context: ContextId,
        timeout_ms: Option<u32>,
        mut known: Vec<KnownReader>,
    ) -> Outcome {
        if known.iter().all(|known| known.current_state & IGNORE != 0) {
            let readers = known.iter().map(|known| self.see(known, self.reader_events)).collect();
            return Outcome::Now(Ok(Answer::StatusChange { changed: true, readers }));
        }
        if !self.owns_context(asker.client, context) {
            return Outcome::refused(ScardCode::InvalidHandle);
        }
        if known.len() > self.limits.readers_per_wait {
            return Outcome::refused(ScardCode::NoMemory);
        }
        for known in &mut known {
            if self.by_name.contains_key(&known.name) || is_pnp_reader(&known.name) {
                continue;
            }
            // Another name of the reader; from here on its own.
            let id = self.reader_of(asker.client, &known.name);
            let Some(reader) = id.and_then(|id| self.readers.get(&id)) else {
                return Outcome::refused(ScardCode::UnknownReader);
            };
            known.name = reader.name.as_str().into();
        }
        let reader_events = self.reader_events;
        let readers: Vec<_> = known.iter().map(|known| self.see(known, reader_events)).collect();
        let changed = readers.iter().any(|seen| seen.event_state & CHANGED != 0);
        if changed || timeout_ms == Some(0) {
            return Outcome::Now(Ok(Answer::StatusChange { changed, readers }));
        }
        let deadline = timeout_ms.map(|span| self.now + Millis(u64::from(span)));
        self.wait(Wait { asker, context, known, reader_events, deadline })
    }

    fn wait(&mut self, wait: Wait) -> Outcome {
        let Some(client) = self.clients.get_mut(&wait.asker.client) else { return Outcome::Later };
        if !self.quotas.take(&self.limits, client.peer.uid, Kind::Wait) {
            return Outcome::refused(ScardCode::NoMemory);
        }
        self.last_wait += 1;
        let id = WaitId(self.last_wait);
        client.requests.insert(wait.asker.request, Whereabouts::Waiting(id));
        if let Some(context) = self.contexts.get_mut(&wait.context) {
            context.waits.insert(id);
        }
        if let Some(at) = wait.deadline {
            self.timers.set(at, Timer::Wait(id));
        }
        for topic in wait.known.iter().filter_map(topic) {
            self.topics.entry(topic).or_default().insert(id);
        }
        self.waits.insert(id, wait);
        Outcome::Later
    }

    fn see(&self, known: &KnownReader, reader_events: u32) -> SeenReader {
        if is_pnp_reader(&known.name) {
            return compare_pnp(known.current_state, reader_events, self.reader_events);
        }
        let reader = self.by_name.get(&known.name).and_then(|id| self.readers.get(id));
        compare(known.current_state, reader.map(|reader| reader.entry()).as_ref())
    }

    /// Something changed; those whom it concerns look again, in the order in which they came.
    pub(crate) fn wake(&mut self, topic: &Topic) {
        let Some(waits) = self.topics.get(topic) else { return };
        let waits: Vec<_> = waits.iter().copied().collect();
        for id in waits {
            let Some(wait) = self.waits.get(&id) else { continue };
            let changed = wait
                .known
                .iter()
                .filter(|known| concerns(topic, known))
                .any(|known| self.see(known, wait.reader_events).event_state & CHANGED != 0);
            if changed {
                self.answer_wait(id, true);
            }
        }
    }

    fn answer_wait(&mut self, id: WaitId, changed: bool) {
        let Some(wait) = self.take_wait(id) else { return };
        let readers = wait.known.iter().map(|known| self.see(known, wait.reader_events)).collect();
        self.reply(wait.asker, Ok(Answer::StatusChange { changed, readers }));
    }

    /// The time is over.
    pub(crate) fn wait_ended(&mut self, id: WaitId) {
        self.answer_wait(id, false);
    }

    /// Ends all waits of a context with a code.
    pub(crate) fn end_waits(&mut self, context: ContextId, code: ScardCode) {
        let Some(context) = self.contexts.get(&context) else { return };
        let waits: Vec<_> = context.waits.iter().copied().collect();
        for id in waits {
            if let Some(wait) = self.take_wait(id) {
                self.reply(wait.asker, Err(code.into()));
            }
        }
    }

    /// Takes a wait out of everything; its answer is still owed.
    pub(crate) fn take_wait(&mut self, id: WaitId) -> Option<Wait> {
        let wait = self.waits.remove(&id)?;
        if let Some(at) = wait.deadline {
            self.timers.clear(at, Timer::Wait(id));
        }
        if let Some(context) = self.contexts.get_mut(&wait.context) {
            context.waits.remove(&id);
        }
        for topic in wait.known.iter().filter_map(topic) {
            if let Some(waits) = self.topics.get_mut(&topic) {
                waits.remove(&id);
                if waits.is_empty() {
                    self.topics.remove(&topic);
                }
            }
        }
        if let Some(client) = self.clients.get_mut(&wait.asker.client) {
            self.quotas.give_back(client.peer.uid, Kind::Wait);
            client.requests.insert(wait.asker.request, Whereabouts::Here);
        }
        Some(wait)
    }
}

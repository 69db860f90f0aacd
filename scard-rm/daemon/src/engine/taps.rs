//! Where a trace listens. Each tap is asked for only while somebody traces.

use scard_core::{ClientId, Event, Push, ReaderId, RequestId, Work};
use scard_types::CardEvent;
use scard_types::call::{Call, CardHandle, Reply};
use scard_types::trace::{ReaderTrace, TraceEvent, Traced};
use scard_wire::native;

use super::State;
use crate::conversation::DriverRequest;
use crate::trace::{Sight, Trace, now_us};

impl State {
    /// A client may listen from now on. What is there already comes first.
    pub(super) fn trace_begins(&mut self, tracer: ClientId) {
        let Some(client) = self.clients.get_mut(&tracer) else { return };
        client.becomes_tracer();
        let sight = Sight::of(client.peer().uid);
        if self.trace.is_none() {
            let clients = self.clients.iter().map(|(id, client)| (*id, client.peer())).collect();
            self.trace = Some(Box::new(Trace::of(clients)));
        }
        let Some(trace) = &mut self.trace else { return };
        trace.tracers.insert(tracer, sight);
        let seen = trace.clients.iter();
        let seen = seen.filter(|(id, peer)| **id != tracer && sight.covers(peer.uid));
        let seen: Vec<ClientId> = seen.map(|(id, _)| *id).collect();
        let arrived = seen.into_iter().filter_map(|id| self.arrival(id));
        let events: Vec<TraceEvent> = arrived.chain([TraceEvent::Begins]).collect();
        for event in events {
            self.deliver(&[tracer], event);
        }
    }

    /// A client asks something of the core.
    pub(super) fn trace_asked(&mut self, client: ClientId, request: RequestId, call: &Call) {
        self.trace_arrival(client);
        let reader = handle_of(call).and_then(|card| self.core.reader_behind(client, card));
        let reader = reader.and_then(|reader| self.readers.get(&reader));
        let reader = reader.map(|reader| reader.name().to_owned());
        if let Some(trace) = &mut self.trace {
            trace.asked(client, request, call, reader);
        }
    }

    /// A client asks something of a driver.
    pub(super) fn trace_asked_driver(&mut self, client: ClientId, request: &DriverRequest) {
        self.trace_arrival(client);
        if let Some(trace) = &mut self.trace {
            trace.asked_driver(client, request);
        }
    }

    /// The core has heard a call.
    pub(super) fn trace_heard(&mut self, client: ClientId, request: RequestId) {
        let waits = self.trace.as_ref().and_then(|trace| trace.waits(client, request));
        if let Some(call) = waits {
            self.tell_of(client, TraceEvent::Waits(call));
        }
    }

    /// A call is answered.
    pub(super) fn trace_answered(&mut self, client: ClientId, request: RequestId, reply: &Reply) {
        let answered = self.trace.as_mut().and_then(|trace| trace.answered(client, request, reply));
        if let Some((call, answer)) = answered {
            self.tell_of(client, TraceEvent::Answered(call, answer));
        }
    }

    /// A client is told something that is no answer.
    pub(super) fn trace_push(&mut self, client: ClientId, push: &Push) {
        if let Push::WatchFired(fired) = push {
            let fired = TraceEvent::WatchFired { client: client.0, cancelled: fired.is_err() };
            self.tell_of(client, fired);
        }
    }

    /// A slot is given work.
    pub(super) fn trace_work(&mut self, reader: ReaderId, work: &Work) {
        let asker = self.core.served_at(reader);
        if let Some(trace) = &mut self.trace {
            trace.work(reader, asker, work);
        }
    }

    /// Something happened that the core is told of next.
    pub(super) fn trace_event(&mut self, event: &Event) {
        let Some(trace) = &mut self.trace else { return };
        match event {
            Event::WorkDone { reader, done, .. } => {
                if let Some(what) = trace.work_done(*reader, done) {
                    self.trace_reader(*reader, what);
                }
            }
            Event::Card { reader, event } => {
                trace.card_changed(*reader);
                let what = match event {
                    CardEvent::Inserted => ReaderTrace::Inserted,
                    CardEvent::Removed => ReaderTrace::Removed,
                    CardEvent::Replaced => ReaderTrace::Replaced,
                };
                self.trace_reader(*reader, what);
            }
            Event::ReaderGone { reader } => trace.reader_gone(*reader),
            Event::ClientGone { client } => self.trace_client_gone(*client),
            _ => {}
        }
    }

    /// Something happened to a reader that has its name.
    pub(super) fn trace_reader(&mut self, reader: ReaderId, what: ReaderTrace) {
        let reader = self.readers.get(&reader).and_then(|reader| reader.full_name().cloned());
        if let Some(reader) = reader {
            self.tell(None, TraceEvent::Reader { reader, what });
        }
    }

    /// Before the first call of a client that is told of, who it is. What it speaks is known by then.
    fn trace_arrival(&mut self, client: ClientId) {
        let Some(trace) = &mut self.trace else { return };
        if trace.clients.contains_key(&client) {
            return;
        }
        let Some(peer) = self.clients.get(&client).map(|client| client.peer()) else { return };
        trace.clients.insert(client, peer);
        if let Some(arrived) = self.arrival(client) {
            self.tell_of(client, arrived);
        }
    }

    fn arrival(&self, id: ClientId) -> Option<TraceEvent> {
        let client = self.clients.get(&id)?;
        let (peer, dialect) = (client.peer(), client.dialect());
        Some(TraceEvent::ClientArrived { client: id.0, peer, dialect })
    }

    fn trace_client_gone(&mut self, client: ClientId) {
        let Some(trace) = &mut self.trace else { return };
        trace.tracers.remove(&client);
        if trace.tracers.is_empty() {
            self.trace = None;
            return;
        }
        let unanswered = trace.forget(client);
        self.tell_of(client, TraceEvent::ClientGone { client: client.0, unanswered });
        if let Some(trace) = &mut self.trace {
            trace.clients.remove(&client);
        }
    }

    /// Tells those who may know what this client does. Nobody is told of himself.
    fn tell_of(&mut self, client: ClientId, event: TraceEvent) {
        let peer = self.trace.as_ref().and_then(|trace| trace.clients.get(&client));
        if let Some(uid) = peer.map(|peer| peer.uid) {
            self.tell(Some((client, uid)), event);
        }
    }

    fn tell(&mut self, about: Option<(ClientId, u32)>, event: TraceEvent) {
        let Some(trace) = &self.trace else { return };
        let may_know = |id: ClientId, sight: Sight| {
            about.is_none_or(|(client, uid)| id != client && sight.covers(uid))
        };
        let told = trace.tracers.iter().filter(|(id, sight)| may_know(**id, **sight));
        let told: Vec<ClientId> = told.map(|(id, _)| *id).collect();
        self.deliver(&told, event);
    }

    fn deliver(&mut self, tracers: &[ClientId], event: TraceEvent) {
        if tracers.is_empty() {
            return;
        }
        let mut frame = Vec::new();
        native::encode_trace(&Traced { time_us: now_us(), event }, &mut frame);
        for tracer in tracers {
            if let Some(tracer) = self.clients.get_mut(tracer) {
                tracer.trace(&frame);
            }
        }
    }
}

/// The handle that a call is about.
const fn handle_of(call: &Call) -> Option<CardHandle> {
    match call {
        Call::Reconnect { card, .. }
        | Call::Disconnect { card, .. }
        | Call::BeginTransaction { card }
        | Call::EndTransaction { card, .. }
        | Call::Transmit { card, .. }
        | Call::Control { card, .. }
        | Call::Status { card }
        | Call::GetAttribute { card, .. }
        | Call::TransmitCount { card }
        | Call::SetAttribute { card, .. } => Some(*card),
        _ => None,
    }
}

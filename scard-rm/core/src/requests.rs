//! A request comes in, is led to its chapter, and is answered once.

use scard_types::ScardCode;
use scard_types::call::{Answer, Call, Reply};

use crate::Core;
use crate::event::{Action, ClientId, DropReason, ReaderId, RequestId};
use crate::queue::{Asker, Op, Place};
use crate::status_change::WaitId;

/// Where a request is that is owed an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Whereabouts {
    /// In hand, or with the slot.
    Here,
    /// In the queue of a reader.
    Parked(ReaderId, Place),
    /// With those who wait for a status change.
    Waiting(WaitId),
}

/// What a chapter says to a request.
pub(crate) enum Outcome {
    /// That is the answer.
    Now(Reply),
    /// The answer was given or will be.
    Later,
}

impl Outcome {
    pub(crate) fn refused(code: ScardCode) -> Self {
        Self::Now(Err(code.into()))
    }
}

impl Core {
    pub(crate) fn request(&mut self, id: ClientId, request: RequestId, call: Call) {
        let Some(client) = self.clients.get_mut(&id) else { return };
        if client.requests.contains_key(&request) {
            return self.drop_client(id, DropReason::RequestNumberInUse);
        }
        if client.requests.len() >= self.limits.requests_per_connection {
            return self.drop_client(id, DropReason::TooManyRequests);
        }
        client.requests.insert(request, Whereabouts::Here);
        let asker = Asker { client: id, request };
        if let Outcome::Now(reply) = self.dispatch(asker, call) {
            self.reply(asker, reply);
        }
    }

    fn dispatch(&mut self, asker: Asker, call: Call) -> Outcome {
        let client = asker.client;
        match call {
            Call::EstablishContext { scope, character } => self.establish(client, scope, character),
            Call::ReleaseContext { context } => self.release(client, context),
            Call::Connect { context, reader, share, protocols } => {
                self.connect(asker, context, &reader, share, protocols)
            }
            Call::Reconnect { card, share, protocols, initialization } => {
                self.card_call(asker, card, Op::Reconnect { share, protocols, initialization })
            }
            Call::Disconnect { card, disposition } => {
                self.card_call(asker, card, Op::Disconnect { disposition })
            }
            Call::BeginTransaction { card } => self.card_call(asker, card, Op::Begin),
            Call::EndTransaction { card, disposition } => {
                self.card_call(asker, card, Op::End { disposition })
            }
            Call::Transmit { card, protocol, command, receive_limit } => {
                self.card_call(asker, card, Op::Transmit { protocol, command, receive_limit })
            }
            Call::Control { card, code, input, output_limit } => {
                self.card_call(asker, card, Op::Control { code, input, output_limit })
            }
            Call::Status { card } => self.card_call(asker, card, Op::Status),
            Call::GetAttribute { card, tag } => {
                self.card_call(asker, card, Op::GetAttribute { tag })
            }
            Call::SetAttribute { card, tag, value } => {
                self.card_call(asker, card, Op::SetAttribute { tag, value })
            }
            Call::ListReaders { context } if !self.owns_context(client, context) => {
                Outcome::refused(ScardCode::InvalidHandle)
            }
            Call::ListReaders { .. } => match self.reader_names() {
                names if names.is_empty() => Outcome::refused(ScardCode::NoReadersAvailable),
                names => Outcome::Now(Ok(Answer::Readers(names))),
            },
            Call::StatusChange { context, timeout_ms, readers } => {
                self.status_change(asker, context, timeout_ms, readers)
            }
            Call::Cancel { context } => self.cancel(asker, context),
            Call::WatchReaders => self.watch(client),
            Call::StopWatching => {
                let was_watching = self.forget_watch(client);
                Outcome::Now(Ok(Answer::Stopped { was_watching }))
            }
            Call::ReaderTable { most } => {
                Outcome::Now(Ok(Answer::ReaderTable(self.reader_table(most))))
            }
            Call::ReaderEvents => Outcome::Now(Ok(Answer::ReaderEvents(self.reader_events))),
            Call::DescribeReaders => Outcome::Now(Ok(Answer::Described(self.describe_readers()))),
            Call::Subscribe => self.subscribe(asker),
            Call::Trace => self.trace(asker),
            Call::TransmitCount { card } => self.transmit_count(client, card),
            Call::ReaderDevices { context } if !self.owns_context(client, context) => {
                Outcome::refused(ScardCode::InvalidHandle)
            }
            Call::ReaderDevices { .. } => {
                let uid = self.clients.get(&client).map_or(u32::MAX, |client| client.peer.uid);
                Outcome::Now(Ok(Answer::ReaderDevices(self.reader_devices(uid))))
            }
            Call::Database { context, call } => self.database_call(asker, context, call),
            Call::Cache { context, call } => self.cache_call(client, context, call),
            // A call that a later version of the words knows.
            _ => Outcome::refused(ScardCode::UnsupportedFeature),
        }
    }

    /// Whether a request still waits for its answer.
    pub(crate) fn is_owed(&self, asker: Asker) -> bool {
        let client = self.clients.get(&asker.client);
        client.is_some_and(|client| client.requests.contains_key(&asker.request))
    }

    /// Answers the connection that asked, or nobody.
    pub(crate) fn reply(&mut self, asker: Asker, reply: Reply) {
        let mut client_id = asker.client;
        if cfg!(scard_fault = "answer_to_successor") && !self.is_owed(asker) {
            let Some(heir) = self.clients.range(client_id..).next() else { return };
            client_id = *heir.0;
        }
        let Some(client) = self.clients.get_mut(&client_id) else { return };
        if client.requests.remove(&asker.request).is_some() {
            self.out.push(Action::Reply { client: client_id, request: asker.request, reply });
        }
    }
}

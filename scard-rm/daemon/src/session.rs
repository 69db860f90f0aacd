//! A session: the task of one connection, from its first byte to its end.

use std::future::poll_fn;
use std::sync::Arc;

use scard_core::ClientId;
use scard_types::call::Peer;
use scard_wire::{Dialect, pcsclite, sniff};
use tokio::net::UnixStream;
use tokio::sync::Notify;
use tokio::task::{JoinSet, yield_now};
use tokio::time::Instant;
use tracing::field::Empty;
use tracing::{Instrument, Span, debug, debug_span};

use crate::access::{Authorities, Question};
use crate::alarm::Alarm;
use crate::client::{Client, End, Posture};
use crate::connection::Connection;
use crate::conversation::Conversation;
use crate::door::Admission;
use crate::drivers::Drivers;
use crate::engine::{Engine, Errand};

/// What it takes to serve a client.
#[derive(Clone)]
pub(crate) struct Service {
    /// The core and all that surrounds it.
    pub(crate) engine: Arc<Engine>,
    /// Where commands for drivers go.
    pub(crate) drivers: Arc<Drivers>,
    /// Who decides where the rules do not.
    pub(crate) authorities: Arc<Authorities>,
}

impl Service {
    /// Serves a connection in a task of its own.
    pub(crate) fn welcome(&self, stream: UnixStream, peer: Peer, admission: Admission) {
        let service = self.clone();
        let span = debug_span!("client", id = Empty, uid = peer.uid, pid = peer.pid);
        tokio::spawn(
            async move {
                service.serve(stream, peer, &admission).await;
                drop(admission);
            }
            .instrument(span),
        );
    }

    async fn serve(&self, stream: UnixStream, peer: Peer, admission: &Admission) {
        let connection = match Connection::over(stream) {
            Ok(connection) => Arc::new(connection),
            Err(error) => return debug!(%error, "a connection cannot be waited for"),
        };
        let mut first = First::default();
        let patience = self.engine.patience();
        let (needed, time) = if admission.only_to_cancel() {
            (FIRST_BYTES, patience.message)
        } else {
            (1, patience.quiet)
        };
        let mut alarm = Alarm::new(patience.message.min(patience.quiet));
        let dialect = tokio::select! {
            dialect = first.read(&connection, needed) => dialect,
            () = alarm.reach(Instant::now() + time) => None,
        };
        let Some(dialect) = dialect else {
            return debug!("gone before the first word");
        };
        if admission.only_to_cancel() && !pcsclite::is_cancel(first.bytes()) {
            return debug!(uid = peer.uid, "too many connections of this user");
        }
        let wake = Arc::new(Notify::new());
        let table_entries = self.engine.table_entries();
        let conversation = Conversation::new(dialect, first.bytes(), table_entries);
        let (ours, wakes) = (Arc::clone(&connection), Arc::clone(&wake));
        let mut client = Client::new(conversation, peer, patience, ours, wakes);
        if admission.only_to_cancel() {
            client = client.leaves_with_the_answer();
        }
        let client = self.engine.client_connected(client);
        Span::current().record("id", client.0);
        debug!(?dialect, "connected");
        let end = self.converse(client, peer, &connection, &wake, &mut alarm).await;
        debug!(?end, "connection ends");
        self.engine.client_gone(client);
    }

    /// Reads, passes on, and sends what could not be sent at once, until it is over.
    async fn converse(
        &self,
        client: ClientId,
        peer: Peer,
        connection: &Connection,
        wake: &Notify,
        alarm: &mut Alarm,
    ) -> End {
        let engine = &*self.engine;
        // They end with the connection: nobody is asked any more about a client that is gone.
        let mut questions = JoinSet::new();
        loop {
            while questions.try_join_next().is_some() {}
            while let Some(errand) = engine.serve(client) {
                match errand {
                    Errand::OthersFirst => yield_now().await,
                    Errand::Driver(request) => self.drivers.ask(client, peer, request),
                    Errand::Question(question) => {
                        questions.spawn(self.clone().settle(client, question).in_current_span());
                    }
                }
            }
            // The client is there until this function ends.
            let Some(posture) = engine.posture(client) else {
                return End::Closed;
            };
            match posture {
                Posture::Ended(end) => return end,
                Posture::Reading { until } => tokio::select! {
                    () = read(engine, client) => {}
                    () = wake.notified() => {}
                    late = too_late(alarm, until) => return late,
                },
                Posture::Writing { until } => {
                    tokio::select! {
                        ready = connection.writable() => if ready.is_err() {
                            return End::NeverReads;
                        },
                        () = wake.notified() => {}
                        late = too_late(alarm, until) => return late,
                    }
                    let _ = engine.with_client(client, Client::flush);
                }
            }
        }
    }
}

/// Waits until then; for ever, if there is no such time.
async fn too_late(alarm: &mut Alarm, until: Option<(Instant, End)>) -> End {
    match until {
        Some((until, late)) => {
            alarm.reach(until).await;
            late
        }
        None => std::future::pending().await,
    }
}

impl Service {
    /// Has a question answered by whom it may concern.
    async fn settle(self, client: ClientId, question: Question) {
        let word = self.authorities.ask(&question, self.engine.patience().access).await;
        self.engine.decided(client, question, word);
    }
}

/// Reads once into the client's own buffer.
async fn read(engine: &Engine, client: ClientId) {
    poll_fn(|cx| {
        engine
            .with_client(client, |client| client.poll_read(cx))
            .unwrap_or(std::task::Poll::Ready(()))
    })
    .await;
}

/// The first message of our wire, and the header of pcsc-lite's.
const FIRST_BYTES: usize = 8;

/// What is read before the dialect is known: no more than the first message of either, so that no PIN can be in it.
#[derive(Default)]
struct First {
    bytes: [u8; FIRST_BYTES],
    len: usize,
}

impl First {
    fn bytes(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or_default()
    }

    /// The dialect once so many bytes are here, or `None` if the connection ends before.
    async fn read(&mut self, connection: &Connection, needed: usize) -> Option<Dialect> {
        loop {
            let room = self.bytes.get_mut(self.len..)?;
            match poll_fn(|cx| connection.poll_read(cx, room)).await {
                Ok(0) | Err(_) => return None,
                Ok(bytes) => self.len += bytes,
            }
            if let Some(dialect) = sniff(self.bytes()).filter(|_| self.len >= needed) {
                return Some(dialect);
            }
        }
    }
}

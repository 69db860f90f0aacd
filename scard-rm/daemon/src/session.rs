//! A session: the task of one connection, from its first byte to its end.

use std::future::poll_fn;
use std::sync::Arc;

use scard_core::ClientId;
use scard_types::call::Peer;
use scard_wire::{Dialect, sniff};
use tokio::io::{AsyncReadExt, Interest};
use tokio::net::UnixStream;
use tokio::net::unix::OwnedReadHalf;
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until, timeout};
use tracing::field::Empty;
use tracing::{Instrument, Span, debug, debug_span};

use crate::access::{Authorities, Question};
use crate::client::{Client, End, Posture, is_for_later};
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
                service.serve(stream, peer).await;
                drop(admission);
            }
            .instrument(span),
        );
    }

    async fn serve(&self, stream: UnixStream, peer: Peer) {
        let (mut reading, writing) = stream.into_split();
        let mut first = First::default();
        let patience = self.engine.patience();
        let Ok(Some(dialect)) = timeout(patience.quiet, first.read(&mut reading)).await else {
            debug!("gone before the first word");
            return;
        };
        let wake = Arc::new(Notify::new());
        let table_entries = self.engine.table_entries();
        let conversation = Conversation::new(dialect, first.bytes(), table_entries);
        let client = Client::new(conversation, peer, patience, writing, Arc::clone(&wake));
        let client = self.engine.client_connected(client);
        Span::current().record("id", client.0);
        debug!(?dialect, "connected");
        let end = self.converse(client, peer, &mut reading, &wake).await;
        debug!(?end, "connection ends");
        self.engine.client_gone(client);
    }

    /// Reads, passes on, and sends what could not be sent at once, until it is over.
    async fn converse(
        &self,
        client: ClientId,
        peer: Peer,
        reading: &mut OwnedReadHalf,
        wake: &Notify,
    ) -> End {
        let engine = &*self.engine;
        // They end with the connection: nobody is asked any more about a client that is gone.
        let mut questions = JoinSet::new();
        loop {
            while questions.try_join_next().is_some() {}
            while let Some(errand) = engine.serve(client) {
                match errand {
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
                    () = read(engine, client, reading) => {}
                    () = wake.notified() => {}
                    late = too_late(until) => return late,
                },
                Posture::Writing { until } => {
                    tokio::select! {
                        _ = reading.ready(Interest::WRITABLE) => {}
                        () = wake.notified() => {}
                        late = too_late(until) => return late,
                    }
                    let _ = engine.with_client(client, Client::flush);
                }
            }
        }
    }
}

/// Waits until then; for ever, if there is no such time.
async fn too_late(until: Option<(Instant, End)>) -> End {
    match until {
        Some((until, late)) => {
            sleep_until(until).await;
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
async fn read(engine: &Engine, client: ClientId, reading: &mut OwnedReadHalf) {
    poll_fn(|cx| {
        engine
            .with_client(client, |client| client.poll_read(cx, reading))
            .unwrap_or(std::task::Poll::Ready(()))
    })
    .await;
}

/// What is read before the dialect is known: no more than the first message of either, so that no PIN can be in it.
#[derive(Default)]
struct First {
    bytes: [u8; 8],
    len: usize,
}

impl First {
    fn bytes(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or_default()
    }

    /// The dialect, or `None` if the connection ends before it is known.
    async fn read(&mut self, reading: &mut OwnedReadHalf) -> Option<Dialect> {
        loop {
            match reading.read(self.bytes.get_mut(self.len..)?).await {
                Err(error) if is_for_later(&error) => {}
                Ok(0) | Err(_) => return None,
                Ok(bytes) => self.len += bytes,
            }
            if let Some(dialect) = sniff(self.bytes()) {
                return Some(dialect);
            }
        }
    }
}

//! A session: the task of one connection, from its first byte to its end.

use std::future::poll_fn;
use std::sync::Arc;

use scard_core::ClientId;
use scard_types::call::Peer;
use scard_wire::{Dialect, pcsclite, sniff};
use tokio::net::UnixStream;
use tokio::sync::Notify;
use tokio::task::yield_now;
use tokio::time::Instant;
use tracing::field::Empty;
use tracing::{Instrument, Span, debug, debug_span};

use crate::alarm::Alarm;
use crate::client::{Client, End, Posture};
use crate::connection::Connection;
use crate::conversation::Conversation;
use crate::door::Admission;
use crate::drivers::Drivers;
use crate::engine::{Engine, Served};
use crate::limits::Patience;

/// What it takes to serve a client.
#[derive(Clone)]
pub(crate) struct Service {
    /// The core and all that surrounds it.
    pub(crate) engine: Arc<Engine>,
    /// Where commands for drivers go.
    pub(crate) drivers: Arc<Drivers>,
    /// How long clients may keep us waiting.
    pub(crate) patience: Patience,
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
        let (needed, patience) = if admission.only_to_cancel() {
            (FIRST_BYTES, self.patience.message)
        } else {
            (1, self.patience.quiet)
        };
        let mut alarm = Alarm::new(self.patience.message.min(self.patience.quiet));
        let dialect = tokio::select! {
            dialect = first.read(&connection, needed) => dialect,
            () = alarm.reach(Instant::now() + patience) => None,
        };
        let Some(dialect) = dialect else {
            return debug!("gone before the first word");
        };
        if admission.only_to_cancel() && !pcsclite::is_cancel(first.bytes()) {
            debug!(uid = peer.uid, "too many connections of this user");
            return;
        }
        let wake = Arc::new(Notify::new());
        let table_entries = self.engine.table_entries();
        let conversation = Conversation::new(dialect, first.bytes(), table_entries);
        let mut client =
            Client::new(conversation, self.patience, Arc::clone(&connection), Arc::clone(&wake));
        if admission.only_to_cancel() {
            client = client.on_errand();
        }
        let client = self.engine.client_connected(peer, client);
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
        loop {
            loop {
                match engine.serve(client) {
                    Served::All => break,
                    Served::One => yield_now().await,
                    Served::UpTo(request) => self.drivers.ask(client, peer, request),
                }
            }
            // The client is there until this function ends.
            let Some(posture) = engine.posture(client) else {
                return End::Closed;
            };
            match posture {
                Posture::Ended(end) => return end,
                Posture::Reading { until: None } => tokio::select! {
                    () = read(engine, client) => {}
                    () = wake.notified() => {}
                },
                Posture::Reading { until: Some((until, late)) } => tokio::select! {
                    () = read(engine, client) => {}
                    () = wake.notified() => {}
                    () = alarm.reach(until) => return late,
                },
                Posture::Writing { until: (until, late) } => {
                    tokio::select! {
                        ready = connection.writable() => if ready.is_err() {
                            return End::NeverReads;
                        },
                        () = wake.notified() => {}
                        () = alarm.reach(until) => return late,
                    }
                    let _ = engine.with_client(client, Client::flush);
                }
            }
        }
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

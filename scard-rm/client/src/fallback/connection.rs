//! One connection to a stock pcscd: versions, requests and replies, the reader table, the watch.

use std::os::fd::BorrowedFd;
use std::time::Instant;

use scard_types::call::{ContextId, ReaderEntry};
use scard_types::{ScardCode, SecretBytes};
use scard_wire::pcsclite::{
    Body, ClientReply, ClientRequest, Command, READER_STATE_BYTES, ReplyShape, Version,
    decode_table,
};

use crate::Endpoint;
use crate::socket::{Lost, Socket};

/// Room for a header and the largest structure, so that the buffer never moves and leaves a copy behind.
const HEAD_BYTES: usize = 8 + Body::MAX_BYTES;
const WORD_BYTES: usize = 4;
/// More entries than this are a daemon gone wild (4:6 has no limit of its own).
const MOST_ENTRIES: usize = 4096;

type Table = Vec<Option<ReaderEntry>>;

#[derive(Debug)]
pub(super) struct Connection {
    socket: Socket,
    version: Version,
    /// Kept for its memory. Payloads never stand in it; the value of an attribute may.
    head: SecretBytes,
    is_lost: bool,
    endpoint: Endpoint,
    /// What the message of a watch said that came before anybody waited for it.
    fired: Option<Result<(), ScardCode>>,
    /// For what is asked while a watch is on; see [`Connection::watch`].
    side: Option<Box<Self>>,
}

/// How a watch ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Watched {
    /// Some reader changed.
    Changed,
    /// The deadline passed and the watch is taken back.
    TimedOut,
}

impl Connection {
    pub(super) fn open(endpoint: &Endpoint) -> Result<Self, ScardCode> {
        let mut connection = Self::connect(endpoint)?;
        match connection.negotiate() {
            // Only a connection that pcscd closed with our bytes unread tells that it refused this user.
            Err(Lost::Reset) => Err(ScardCode::SecurityViolation),
            Err(Lost::Closed | Lost::Late | Lost::Failed) => Err(ScardCode::CommError),
            Ok(None) => Err(ScardCode::ServiceStopped),
            Ok(Some(version)) => {
                connection.version = version;
                Ok(connection)
            }
        }
    }

    fn connect(endpoint: &Endpoint) -> Result<Self, ScardCode> {
        Ok(Self {
            socket: Socket::connect(endpoint.path(), None)?,
            version: Version::NEWEST,
            head: SecretBytes::new(Vec::with_capacity(HEAD_BYTES)),
            is_lost: false,
            endpoint: endpoint.clone(),
            fired: None,
            side: None,
        })
    }

    /// Offers the newest version, then the one that the daemon names. Until 2.4.0 a daemon took only its own; later ones
    /// name theirs even to clients that are older.
    fn negotiate(&mut self) -> Result<Option<Version>, Lost> {
        let mut offered = Version::NEWEST;
        loop {
            let request = ClientRequest::version(offered);
            let reply = self.exchange(&request)?;
            let (major, minor) = reply.version();
            let named = Version::from_numbers(major, minor);
            match (reply.result, named) {
                (Ok(()), Some(named)) => return Ok(Some(named.min(offered))),
                (Ok(()), None) => return Ok(Some(offered)),
                // `E_SERVICE_STOPPED`, and `E_NO_SERVICE` up to 1.8.23.
                (Err(_), Some(named)) if named < offered => offered = named,
                (Err(_), _) => return Ok(None),
            }
        }
    }

    /// Cancels the wait of a context, which another connection owns.
    pub(super) fn cancel(endpoint: &Endpoint, context: ContextId) -> Result<(), ScardCode> {
        Self::connect(endpoint)?.ask(&ClientRequest::cancel(context))?.result
    }

    /// Whether it is of no more use.
    pub(super) const fn is_lost(&self) -> bool {
        self.is_lost
    }

    pub(super) fn descriptor(&self) -> BorrowedFd<'_> {
        self.socket.descriptor()
    }

    /// Sends a request that has a structure as its reply, and reads that.
    pub(super) fn ask(&mut self, request: &ClientRequest<'_>) -> Result<ClientReply, ScardCode> {
        self.send(request)?;
        self.receive(request).map_err(|_| self.lose())
    }

    /// Reads what follows a reply.
    pub(super) fn payload(&mut self, bytes: usize) -> Result<SecretBytes, ScardCode> {
        let mut payload = SecretBytes::new(vec![0; bytes]);
        let received = self.socket.receive_exactly(payload.expose_mut());
        received.map_err(|_| self.lose())?;
        Ok(payload)
    }

    /// The table of readers as it is now.
    pub(super) fn table(&mut self) -> Result<Table, ScardCode> {
        if self.version < Version::V4_6 {
            return self.ask_for_table(Command::ReadersState);
        }
        let size = ClientRequest::plain(Command::ReadersStateSize, self.version);
        let entries = usize::try_from(self.ask(&size)?.count()).unwrap_or(usize::MAX);
        if entries > MOST_ENTRIES {
            return Err(self.lose());
        }
        self.send(&ClientRequest::plain(Command::ReadersStateArray, self.version))?;
        self.read_table(entries.saturating_mul(READER_STATE_BYTES))
    }

    /// How many readers came and went; `None` before 4:5. May be asked while a watch is on.
    pub(super) fn reader_events(&mut self) -> Result<Option<u32>, ScardCode> {
        if self.version < Version::V4_5 {
            return Ok(None);
        }
        let events = self.side().and_then(Self::ask_reader_events);
        events.map_err(|_| self.lose())
    }

    fn ask_reader_events(&mut self) -> Result<Option<u32>, ScardCode> {
        let reply = self.ask(&ClientRequest::plain(Command::ReaderEvents, self.version))?;
        reply.result.map(|()| Some(reply.count()))
    }

    /// Asks to be told of the next change, then reads the table: what changes in between is told.
    ///
    /// Once it is on, the message of the watch may come before any other reply, and nothing tells it from the beginning of a
    /// table.
    /// DIFFERS: so the table comes over a connection on the side; libpcsclite 2.5.1 takes its chances.
    pub(super) fn watch(&mut self) -> Result<Table, ScardCode> {
        if self.version.wait_brings_table() {
            return self.ask_for_table(Command::WaitReaderStateChange);
        }
        self.send(&ClientRequest::plain(Command::WaitReaderStateChange, self.version))?;
        self.wait_until_watching()?;
        let table = self.side().and_then(Self::table);
        // A watch without a table is a connection out of step.
        table.map_err(|_| self.lose())
    }

    /// 0x13 has no answer. VERSION has, it does no harm a second time, and its first word, 4, tells it from the message of
    /// the watch, which begins with 0.
    fn wait_until_watching(&mut self) -> Result<(), ScardCode> {
        let version = ClientRequest::version(self.version);
        self.send(&version)?;
        let mut begun = self.payload(WORD_BYTES)?;
        let ReplyShape::Structure(whole) = version.reply(self.version) else {
            return Err(ScardCode::InternalError);
        };
        if begun.expose() == [0; WORD_BYTES] {
            let stop = ClientRequest::plain(Command::StopWaitingReaderStateChange, self.version);
            begun.expose_mut().extend_from_slice(self.payload(WORD_BYTES)?.expose());
            let event = stop.understand(begun.expose()).map_err(|_| self.lose())?;
            self.fired = Some(event.result);
            self.payload(whole)?;
        } else {
            self.payload(whole.saturating_sub(WORD_BYTES))?;
        }
        Ok(())
    }

    fn side(&mut self) -> Result<&mut Self, ScardCode> {
        if self.side.is_none() {
            self.side = Some(Box::new(Self::open(&self.endpoint)?));
        }
        self.side.as_deref_mut().ok_or(ScardCode::InternalError)
    }

    /// Waits until the watch fires, at most until `deadline`.
    ///
    /// # Errors
    /// [`ScardCode::Cancelled`], and the codes of a connection that is lost.
    pub(super) fn watched(&mut self, deadline: Option<Instant>) -> Result<Watched, ScardCode> {
        if let Some(fired) = self.fired.take() {
            return fired.map(|()| Watched::Changed);
        }
        if !self.socket.wait(deadline).map_err(|_| self.lose())? {
            self.stop_watching()?;
            return Ok(Watched::TimedOut);
        }
        let stop = ClientRequest::plain(Command::StopWaitingReaderStateChange, self.version);
        let event = self.receive(&stop).map_err(|_| self.lose())?;
        event.result.map(|()| Watched::Changed)
    }

    /// Takes the watch back. What is read is the answer to that, or the message that was under way already.
    pub(super) fn stop_watching(&mut self) -> Result<(), ScardCode> {
        if let Some(fired) = self.fired.take() {
            return fired;
        }
        let stop = ClientRequest::plain(Command::StopWaitingReaderStateChange, self.version);
        self.ask(&stop)?.result
    }

    fn ask_for_table(&mut self, command: Command) -> Result<Table, ScardCode> {
        let request = ClientRequest::plain(command, self.version);
        self.send(&request)?;
        match request.reply(self.version) {
            ReplyShape::Table(bytes) => self.read_table(bytes),
            ReplyShape::Structure(_) | ReplyShape::Nothing => Err(ScardCode::InternalError),
        }
    }

    fn read_table(&mut self, bytes: usize) -> Result<Table, ScardCode> {
        Ok(decode_table(self.payload(bytes)?.expose()))
    }

    /// Sending to a daemon that is gone is `E_NO_SERVICE`, waiting for it `F_COMM_ERROR`.
    fn send(&mut self, request: &ClientRequest<'_>) -> Result<(), ScardCode> {
        if self.is_lost {
            return Err(ScardCode::NoService);
        }
        self.write(request).map_err(|_| {
            self.lose();
            ScardCode::NoService
        })
    }

    fn write(&mut self, request: &ClientRequest<'_>) -> Result<(), Lost> {
        let head = self.head.expose_mut();
        head.clear();
        let payload = request.encode(head);
        let sent = self.socket.send(head, payload);
        head.fill(0);
        sent
    }

    fn exchange(&mut self, request: &ClientRequest<'_>) -> Result<ClientReply, Lost> {
        self.write(request)?;
        self.receive(request)
    }

    fn receive(&self, request: &ClientRequest<'_>) -> Result<ClientReply, Lost> {
        let ReplyShape::Structure(bytes) = request.reply(self.version) else {
            return Err(Lost::Failed);
        };
        let mut reply = SecretBytes::new(vec![0; bytes]);
        self.socket.receive_exactly(reply.expose_mut())?;
        request.understand(reply.expose()).map_err(|_| Lost::Failed)
    }

    fn lose(&mut self) -> ScardCode {
        self.is_lost = true;
        self.side = None;
        self.socket.hang_up();
        ScardCode::CommError
    }
}

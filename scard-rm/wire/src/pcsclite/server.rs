//! The daemon's side of one connection: bytes in, calls out, one at a time.

use alloc::vec::Vec;

use scard_types::abi;
use scard_types::call::{Answer, Call, Reply};
use scard_types::{ScardCode, SecretBytes};

use super::body::{Body, attribute, control, transmit, version, wait};
use super::command::HEADER_BYTES;
use super::{
    Command, MAX_ATTRIBUTE_BYTES, MAX_PAYLOAD_BYTES, Malformed, TABLE_FLOOR, Version, convert,
    encode_table,
};
use crate::inbox::Inbox;

/// A connection of a pcsc-lite client.
///
/// After each of [`Server::next_call`], [`Server::answer`] and [`Server::fired`] the caller sends what stands in `out`
/// (and behind it what `answer` returned), in that order and in one write.
#[derive(Debug)]
pub struct Server {
    inbox: Inbox,
    /// What the client says it speaks. A canceller says nothing.
    version: Version,
    state: State,
    /// The structure of the request that the core is busy with: its answer is filled into it.
    body: Body,
    /// The least number of entries of a 4:6 table; grows with what this client was told, for it must never shrink.
    table_entries: usize,
    /// After 0x13 the client reads a table before it looks for the message of the watch: from 4:4 on the answer to 0x13, in
    /// 4:6 those to 0x16 and 0x17, which it sends next. The message must not come in between.
    /// DIFFERS: pcscd sends it at once, and a client of 4:6 takes it for the size of the table.
    is_table_due: bool,
    /// A watch that fired while a table was due.
    held_back: Option<Result<(), ScardCode>>,
}

#[derive(Clone, Copy, Debug)]
enum State {
    /// The next message may come.
    Idle,
    /// The table that belongs to an answered 0x13 is to be asked for.
    TableNext,
    /// The core was asked.
    Asked(Command),
}

impl Server {
    /// A connection that has not said its version. `table_floor`: how many entries a table of 4:6 has at least, kept by
    /// the daemon over its restarts; never fewer than [`TABLE_FLOOR`].
    #[must_use]
    pub fn new(table_floor: usize) -> Self {
        Self {
            inbox: Inbox::default(),
            version: Version::NEWEST,
            state: State::Idle,
            body: Body::zeroed(0),
            table_entries: table_floor.max(TABLE_FLOOR),
            is_table_due: false,
            held_back: None,
        }
    }

    /// Where the next read puts its bytes; never empty.
    pub fn room(&mut self) -> &mut [u8] {
        self.inbox.room()
    }

    /// Says how many bytes of [`Server::room`] are filled now.
    pub fn filled(&mut self, bytes: usize) {
        self.inbox.filled(bytes);
    }

    /// Takes bytes that were read elsewhere.
    pub fn extend(&mut self, bytes: &[u8]) {
        self.inbox.extend(bytes);
    }

    /// Whether part of a message is here and the rest is not: from now on a deadline runs.
    #[must_use]
    pub fn is_mid_message(&self) -> bool {
        matches!(self.state, State::Idle) && !self.inbox.held().is_empty()
    }

    /// Gives the memory of an unusually long message back once that is taken; the next [`Server::room`] makes new one.
    pub fn relax(&mut self) {
        self.inbox.relax();
    }

    /// The version that the client named, the newest if it named none.
    #[must_use]
    pub const fn version(&self) -> Version {
        self.version
    }

    /// The next thing to ask the core, if the last one is answered and a message is complete.
    ///
    /// What needs no core (versions, arguments that cannot be) is answered into `out` on the way.
    ///
    /// # Errors
    /// See [`Malformed`]: send `out`, then close.
    pub fn next_call(&mut self, out: &mut Vec<u8>) -> Result<Option<Call>, Malformed> {
        loop {
            match self.state {
                State::Asked(_) => return Ok(None),
                State::TableNext => {
                    self.ask(Command::ReadersState, Body::zeroed(0));
                    return Ok(Some(Call::ReaderTable { most: Some(TABLE_FLOOR) }));
                }
                State::Idle => {}
            }
            let Some((command, body, payload)) = self.message()? else {
                return Ok(None);
            };
            if let Some(call) = self.understand(command, body, payload, out) {
                return Ok(Some(call));
            }
        }
    }

    /// Writes the answer to the last call into `out`; what is returned goes out right behind it.
    pub fn answer<'r>(&mut self, reply: &'r Reply, out: &mut Vec<u8>) -> &'r [u8] {
        let State::Asked(command) = self.state else {
            return &[];
        };
        self.state = State::Idle;
        match command {
            Command::WaitReaderStateChange => {
                if self.version.wait_brings_table() {
                    self.state = State::TableNext;
                }
                if let Err(refusal) = reply {
                    // No answer of its own is possible: the watch ends at once.
                    self.fired(Err(refusal.code), out);
                }
            }
            Command::StopWaitingReaderStateChange => {
                self.release_held(out);
                if matches!(reply, Ok(Answer::Stopped { was_watching: true })) {
                    out.extend_from_slice(Body::zeroed(wait::BYTES).as_bytes());
                }
            }
            Command::ReadersState => {
                encode_table(table(reply), TABLE_FLOOR, out);
                self.release_held(out);
            }
            Command::ReadersStateSize => {
                self.table_entries = self.table_entries.max(table(reply).len());
                let entries = i32::try_from(self.table_entries).unwrap_or(i32::MAX);
                out.extend_from_slice(&entries.to_ne_bytes());
            }
            Command::ReadersStateArray => {
                // As many as 0x16 said, however many there are now.
                encode_table(table(reply), self.table_entries, out);
                self.release_held(out);
            }
            Command::ReaderEvents => {
                let mut body = Body::zeroed(wait::BYTES);
                match reply {
                    Ok(Answer::ReaderEvents(events)) => body.set_word(wait::EVENTS, *events),
                    Ok(_) => set_rv(&mut body, wait::RV, ScardCode::InternalError),
                    Err(refusal) => set_rv(&mut body, wait::RV, refusal.code),
                }
                out.extend_from_slice(body.as_bytes());
            }
            _ => {
                let payload = convert::fill(command, &mut self.body, reply);
                out.extend_from_slice(self.body.as_bytes());
                return payload;
            }
        }
        &[]
    }

    /// Writes that the registration of [`Call::WatchReaders`] fired or was cancelled.
    pub fn fired(&mut self, fired: Result<(), ScardCode>, out: &mut Vec<u8>) {
        if self.is_table_due {
            self.held_back = Some(fired);
            return;
        }
        let mut body = Body::zeroed(wait::BYTES);
        if let Err(code) = fired {
            set_rv(&mut body, wait::RV, code);
        }
        out.extend_from_slice(body.as_bytes());
    }

    /// The table is read, or the client wants none after all.
    fn release_held(&mut self, out: &mut Vec<u8>) {
        self.is_table_due = false;
        if let Some(fired) = self.held_back.take() {
            self.fired(fired, out);
        }
    }

    /// Takes one whole message out of the inbox. Every length is checked before room is made for it.
    fn message(&mut self) -> Result<Option<(Command, Body, SecretBytes)>, Malformed> {
        let held = self.inbox.held();
        let Some((header, rest)) = held.split_first_chunk::<HEADER_BYTES>() else {
            return Ok(None);
        };
        let header = Body::from_bytes(header);
        let (size, command) = (header.word(0), Command::from_number(header.word(4))?);
        let body_bytes = command.request_bytes(self.version);
        if u32::try_from(body_bytes) != Ok(size) {
            return Err(Malformed::WrongSize { command, got: size });
        }
        let Some(body) = rest.get(..body_bytes).map(Body::from_bytes) else {
            self.inbox.want(HEADER_BYTES.saturating_add(body_bytes));
            return Ok(None);
        };
        let payload_bytes = payload_bytes(command, &body)?;
        let behind = rest.get(body_bytes..).unwrap_or_default();
        let whole = HEADER_BYTES.saturating_add(body_bytes).saturating_add(payload_bytes);
        let Some(payload) = behind.get(..payload_bytes).map(SecretBytes::from) else {
            self.inbox.want(whole);
            return Ok(None);
        };
        self.inbox.take(whole);
        Ok(Some((command, body, payload)))
    }

    /// What a message asks of the core; `None` if it is answered.
    fn understand(
        &mut self,
        command: Command,
        mut body: Body,
        payload: SecretBytes,
        out: &mut Vec<u8>,
    ) -> Option<Call> {
        let call = match command {
            Command::Version => {
                self.negotiate(&mut body);
                out.extend_from_slice(body.as_bytes());
                return None;
            }
            Command::WaitReaderStateChange => {
                self.is_table_due = self.version > Version::V4_3;
                Call::WatchReaders
            }
            Command::StopWaitingReaderStateChange => Call::StopWatching,
            Command::ReadersState => Call::ReaderTable { most: Some(TABLE_FLOOR) },
            Command::ReadersStateSize => Call::ReaderTable { most: None },
            Command::ReadersStateArray => Call::ReaderTable { most: Some(self.table_entries) },
            Command::ReaderEvents => Call::ReaderEvents,
            _ => match convert::call(command, &body, payload) {
                Ok(call) => call,
                Err(code) => {
                    let refused: Reply = Err(code.into());
                    convert::fill(command, &mut body, &refused);
                    out.extend_from_slice(body.as_bytes());
                    return None;
                }
            },
        };
        self.ask(command, body);
        Some(call)
    }

    /// A version that we speak is repeated as the client said it. For any other our newest is named, with a code on
    /// which clients from 2.4.1 try again.
    ///
    /// DIFFERS: pcscd serves 4:4 to 4:6 at most, its own version only until 2.4.0, and names its own to all.
    fn negotiate(&mut self, body: &mut Body) {
        let (major, minor) = (body.word(version::MAJOR), body.word(version::MINOR));
        if let Some(known) = Version::from_numbers(major, minor) {
            self.version = known;
            body.set_word(version::RV, abi::SUCCESS);
        } else {
            body.set_word(version::MAJOR, Version::MAJOR);
            body.set_word(version::MINOR, Version::NEWEST.minor());
            set_rv(body, version::RV, ScardCode::ServiceStopped);
        }
    }

    const fn ask(&mut self, command: Command, body: Body) {
        self.state = State::Asked(command);
        self.body = body;
    }
}

/// How much follows a structure.
fn payload_bytes(command: Command, body: &Body) -> Result<usize, Malformed> {
    let (announced, most) = match command {
        Command::Transmit => (body.word(transmit::SEND_LENGTH), MAX_PAYLOAD_BYTES),
        Command::Control => (body.word(control::SEND_LENGTH), MAX_PAYLOAD_BYTES),
        // Nothing follows, but a length beyond the field is as hostile.
        Command::SetAttribute => {
            let announced = body.word(attribute::LENGTH);
            return match usize::try_from(announced) {
                Ok(length) if length <= MAX_ATTRIBUTE_BYTES => Ok(0),
                _ => Err(Malformed::TooLong { announced }),
            };
        }
        _ => return Ok(0),
    };
    match usize::try_from(announced) {
        Ok(length) if length <= most => Ok(length),
        _ => Err(Malformed::TooLong { announced }),
    }
}

fn table(reply: &Reply) -> &[Option<scard_types::call::ReaderEntry>] {
    match reply {
        Ok(Answer::ReaderTable(table)) => table,
        _ => &[],
    }
}

fn set_rv(body: &mut Body, offset: usize, code: ScardCode) {
    body.set_word(offset, abi::pcsclite_number(code));
}

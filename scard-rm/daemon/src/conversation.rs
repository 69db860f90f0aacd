//! What is said on one connection, in either dialect: bytes to requests, replies to bytes. No socket in here.

use std::collections::BTreeSet;
use std::fmt;

use scard_core::{Push, RequestId, Wire};
use scard_types::call::{Call, Reply};
use scard_types::{ScardCode, SecretBytes, trace};
use scard_wire::{Dialect, native, pcsclite};

/// pcsc-lite's wire has no numbers: one request at a time.
const UNNUMBERED: RequestId = RequestId(0);

/// The two dialects.
pub(crate) enum Conversation {
    /// With a stock client.
    PcscLite(Box<pcsclite::Server>),
    /// With our own library; and the numbers of its requests that are not answered.
    Native(native::Server, BTreeSet<u32>),
}

/// What a client asks.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Asked {
    /// Of the core.
    Call { request: RequestId, call: Call },
    /// Of a driver.
    Driver(DriverRequest),
}

/// A request that is for a driver.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct DriverRequest {
    /// Its number.
    pub(crate) request: RequestId,
    /// The driver's name.
    pub(crate) driver: String,
    /// What it is told.
    pub(crate) command: SecretBytes,
}

/// Why a conversation cannot go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Nonsense {
    /// On pcsc-lite's wire.
    PcscLite(pcsclite::Malformed),
    /// On ours.
    Native(native::Malformed),
    /// A number is used twice at a time.
    NumberInUse(u32),
}

impl fmt::Display for Nonsense {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::PcscLite(malformed) => malformed.fmt(f),
            Self::Native(malformed) => malformed.fmt(f),
            Self::NumberInUse(number) => write!(f, "request {number} is under way already"),
        }
    }
}

impl Conversation {
    /// Begins with what was read to find out the dialect. `table_entries` is how many readers a client of 4:6 is shown
    /// at least.
    pub(crate) fn new(dialect: Dialect, first: &[u8], table_entries: usize) -> Self {
        match dialect {
            Dialect::PcscLite => {
                let mut server = pcsclite::Server::new(table_entries);
                server.extend(first);
                Self::PcscLite(Box::new(server))
            }
            Dialect::Native => {
                let mut server = native::Server::new();
                server.extend(first);
                Self::Native(server, BTreeSet::new())
            }
        }
    }

    /// The dialect, in the core's word.
    pub(crate) const fn wire(&self) -> Wire {
        match self {
            Self::PcscLite(_) => Wire::PcscLite,
            Self::Native(..) => Wire::Native,
        }
    }

    /// The dialect and its version, as far as the client has named it.
    pub(crate) fn dialect(&self) -> trace::Dialect {
        match self {
            Self::PcscLite(server) => {
                let minor = u16::try_from(server.version().minor()).unwrap_or(u16::MAX);
                trace::Dialect::PcscLite { minor }
            }
            Self::Native(..) => trace::Dialect::Native { version: native::VERSION },
        }
    }

    /// Where the next read puts its bytes.
    pub(crate) fn room(&mut self) -> &mut [u8] {
        match self {
            Self::PcscLite(server) => server.room(),
            Self::Native(server, _) => server.room(),
        }
    }

    /// Says how many bytes of [`Conversation::room`] are filled now.
    pub(crate) fn filled(&mut self, bytes: usize) {
        match self {
            Self::PcscLite(server) => server.filled(bytes),
            Self::Native(server, _) => server.filled(bytes),
        }
    }

    /// Whether part of a message is here and the rest is not.
    pub(crate) fn is_mid_message(&self) -> bool {
        match self {
            Self::PcscLite(server) => server.is_mid_message(),
            Self::Native(server, _) => server.is_mid_message(),
        }
    }

    /// Gives back what only a long message needs.
    pub(crate) fn relax(&mut self) {
        match self {
            Self::PcscLite(server) => server.relax(),
            Self::Native(server, _) => server.relax(),
        }
    }

    /// The next request that is complete and may be asked now. What needs nobody's answer is answered into `out`.
    ///
    /// # Errors
    /// See [`Nonsense`]: `out` is sent, then the connection ends.
    pub(crate) fn next(&mut self, out: &mut Vec<u8>) -> Result<Option<Asked>, Nonsense> {
        match self {
            Self::PcscLite(server) => {
                let call = server.next_call(out).map_err(Nonsense::PcscLite)?;
                Ok(call.map(|call| Asked::Call { request: UNNUMBERED, call }))
            }
            Self::Native(server, open) => next_native(server, open, out),
        }
    }

    /// Writes a reply into `out`; what is returned belongs right behind it.
    pub(crate) fn reply<'r>(
        &mut self,
        request: RequestId,
        reply: &'r Reply,
        out: &mut Vec<u8>,
    ) -> &'r [u8] {
        match self {
            Self::PcscLite(server) => server.answer(reply, out),
            Self::Native(_, open) => {
                open.remove(&request.0);
                native::encode_reply(request.0, reply, out)
            }
        }
    }

    /// Writes something that is no answer.
    pub(crate) fn push(&mut self, push: Push, out: &mut Vec<u8>) {
        match (self, push) {
            (Self::PcscLite(server), Push::WatchFired(fired)) => server.fired(fired, out),
            (Self::Native(..), Push::Reader(event)) => native::encode_push(&event, out),
            // The core tells no client what it cannot have asked for.
            (Self::PcscLite(_) | Self::Native(..), _) => {}
        }
    }

    /// Writes that this client is not served, if the dialect has a word for it that can be said before the hello.
    pub(crate) fn refuse(&self, out: &mut Vec<u8>) {
        if let Self::Native(..) = self {
            out.extend_from_slice(&native::Welcome::Refused(ScardCode::NoMemory).encode());
        }
    }
}

fn next_native(
    server: &mut native::Server,
    open: &mut BTreeSet<u32>,
    out: &mut Vec<u8>,
) -> Result<Option<Asked>, Nonsense> {
    loop {
        let Some(native::Incoming { number, request }) =
            server.next_request(out).map_err(Nonsense::Native)?
        else {
            return Ok(None);
        };
        let asked = match request {
            native::Request::Call(call) => Asked::Call { request: RequestId(number), call },
            native::Request::DriverCommand { driver, command } => {
                Asked::Driver(DriverRequest { request: RequestId(number), driver, command })
            }
            _ => {
                let unknown = Err(ScardCode::UnsupportedFeature.into());
                native::encode_reply(number, &unknown, out);
                continue;
            }
        };
        if !open.insert(number) {
            return Err(Nonsense::NumberInUse(number));
        }
        return Ok(Some(asked));
    }
}

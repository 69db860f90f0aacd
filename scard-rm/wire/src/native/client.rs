//! The client's side of one connection after the hello: bytes in, numbered replies and pushes out.

use scard_types::call::{ReaderEvent, Reply};
use scard_types::trace::Traced;

use super::Malformed;
use super::frame::{self, MAX_REPLY_BYTES, ReplyKind};
use super::{reply, trace};
use crate::inbox::Inbox;

/// A connection to our daemon. Requests are written by [`super::encode_call`] and [`super::encode_driver_command`].
#[derive(Debug, Default)]
pub struct Client {
    inbox: Inbox,
}

/// Something from the daemon.
#[derive(Debug, PartialEq, Eq)]
pub enum Response {
    /// To a request.
    Reply {
        /// The request's number.
        number: u32,
        /// What kind of reply it is, to be held against [`super::RequestKind::reply`].
        kind: ReplyKind,
        /// What it says.
        reply: Reply,
    },
    /// To a subscriber.
    Push(ReaderEvent),
    /// To one who traces.
    Trace(Traced),
}

impl Client {
    /// A connection on which both have said hello.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Where the next read puts its bytes; never empty.
    pub fn room(&mut self) -> &mut [u8] {
        self.inbox.room()
    }

    /// Says how many bytes of [`Client::room`] are filled now.
    pub fn filled(&mut self, bytes: usize) {
        self.inbox.filled(bytes);
    }

    /// Takes bytes that were read elsewhere.
    pub fn extend(&mut self, bytes: &[u8]) {
        self.inbox.extend(bytes);
    }

    /// The next reply or push that is complete.
    ///
    /// # Errors
    /// See [`Malformed`]: close.
    pub fn next_response(&mut self) -> Result<Option<Response>, Malformed> {
        frame::take(
            &mut self.inbox,
            |header| {
                let kind = ReplyKind::from_number(header.kind)
                    .ok_or(Malformed::UnknownKind { kind: header.kind })?;
                if kind.is_push() == (header.number == 0) {
                    Ok(MAX_REPLY_BYTES)
                } else {
                    Err(Malformed::BadHeader)
                }
            },
            |header, body| {
                let broken = Malformed::BadBody { kind: header.kind };
                let kind = ReplyKind::from_number(header.kind).ok_or(broken)?;
                if kind.is_push() {
                    let push = reply::decode_push(kind, body).map(Response::Push);
                    let push = push.or_else(|| trace::decode(kind, body).map(Response::Trace));
                    return push.ok_or(broken);
                }
                let reply = reply::decode_reply(kind, body).ok_or(broken)?;
                Ok(Response::Reply { number: header.number, kind, reply })
            },
        )
    }
}

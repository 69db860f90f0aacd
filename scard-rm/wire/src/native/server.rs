//! The daemon's side of one connection: bytes in, numbered requests out.

use alloc::vec::Vec;

use super::Malformed;
use super::frame::{self, MAX_DATA_BYTES, RequestKind};
use super::hello::{HELLO_BYTES, Hello, Welcome};
use super::request::{self, Request};
use crate::inbox::Inbox;

/// A connection of our own library. Replies are written by [`super::encode_reply`], pushes by [`super::encode_push`].
#[derive(Debug, Default)]
pub struct Server {
    inbox: Inbox,
    /// The version agreed on.
    version: Option<u16>,
}

/// A request and the number that its reply carries.
#[derive(Debug, PartialEq, Eq)]
pub struct Incoming {
    /// Never 0. Whether it is in use already is the caller's to know.
    pub number: u32,
    /// What is asked.
    pub request: Request,
}

impl Server {
    /// A connection that has not said hello.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
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

    /// Whether part of a message is here and the rest is not, or the hello is missing: from now on a deadline runs.
    #[must_use]
    pub fn is_mid_message(&self) -> bool {
        self.version.is_none() || !self.inbox.held().is_empty()
    }

    /// Gives the memory of an unusually long message back once that is taken; the next [`Server::room`] makes new one.
    pub fn relax(&mut self) {
        self.inbox.relax();
    }

    /// The next request that is complete. The hello is answered into `out` on the way.
    ///
    /// # Errors
    /// See [`Malformed`]: send `out`, then close.
    pub fn next_request(&mut self, out: &mut Vec<u8>) -> Result<Option<Incoming>, Malformed> {
        if self.version.is_none() && !self.greet(out)? {
            return Ok(None);
        }
        frame::take(
            &mut self.inbox,
            |header| {
                if header.number == 0 {
                    return Err(Malformed::BadHeader);
                }
                Ok(RequestKind::from_number(header.kind).map_or(MAX_DATA_BYTES, RequestKind::cap))
            },
            |header, body| {
                let request = match RequestKind::from_number(header.kind) {
                    Some(kind) => request::decode(kind, body)
                        .ok_or(Malformed::BadBody { kind: header.kind })?,
                    None => Request::Unknown { kind: header.kind },
                };
                Ok(Incoming { number: header.number, request })
            },
        )
    }

    fn greet(&mut self, out: &mut Vec<u8>) -> Result<bool, Malformed> {
        let Some(bytes) = self.inbox.held().first_chunk::<HELLO_BYTES>() else {
            return Ok(false);
        };
        let hello = Hello::decode(bytes).ok_or(Malformed::NoHello)?;
        self.inbox.take(HELLO_BYTES);
        self.version = hello.agree();
        let welcome = self.version.map_or(Welcome::NoCommonVersion, Welcome::Speak);
        out.extend_from_slice(&welcome.encode());
        self.version.map(|_| true).ok_or(Malformed::NoCommonVersion)
    }
}

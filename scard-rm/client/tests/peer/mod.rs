//! The daemon's end of a connection of our own wire.
#![allow(dead_code, reason = "each test file uses a part of it")]

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;

use scard_types::call::{Answer, Call, ContextId, ReaderEvent, Reply};
use scard_wire::native::{HELLO_BYTES, Hello, Request, Server, Welcome, encode_push, encode_reply};

/// The daemon's end of a native connection.
pub(crate) struct Peer {
    stream: UnixStream,
    server: Server,
}

impl Peer {
    pub(crate) fn greet(mut stream: UnixStream) -> Self {
        let mut hello = [0; HELLO_BYTES];
        stream.read_exact(&mut hello).unwrap();
        assert_eq!(hello, Hello::OURS.encode());
        stream.write_all(&Welcome::Speak(1).encode()).unwrap();
        let mut server = Server::new();
        server.extend(&hello);
        assert_eq!(server.next_request(&mut Vec::new()), Ok(None));
        Self { stream, server }
    }

    /// Greets, and establishes a context of that number.
    pub(crate) fn establish(stream: UnixStream, context: u32) -> Self {
        let mut peer = Self::greet(stream);
        let (number, call) = peer.call();
        assert!(matches!(call, Call::EstablishContext { .. }), "{call:?}");
        peer.reply(number, &Ok(Answer::Context(ContextId(context))));
        peer
    }

    /// The next request, `None` when the client is gone.
    pub(crate) fn request(&mut self) -> Option<(u32, Request)> {
        loop {
            if let Some(incoming) = self.server.next_request(&mut Vec::new()).unwrap() {
                return Some((incoming.number, incoming.request));
            }
            match self.stream.read(self.server.room()) {
                Ok(0) | Err(_) => return None,
                Ok(received) => self.server.filled(received),
            }
        }
    }

    pub(crate) fn call(&mut self) -> (u32, Call) {
        match self.request() {
            Some((number, Request::Call(call))) => (number, call),
            other => panic!("a call was expected, not {other:?}"),
        }
    }

    pub(crate) fn reply(&mut self, number: u32, reply: &Reply) {
        let mut out = Vec::new();
        let tail = encode_reply(number, reply, &mut out);
        out.extend_from_slice(tail);
        self.write(&out);
    }

    pub(crate) fn push(&mut self, event: &ReaderEvent) {
        let mut out = Vec::new();
        encode_push(event, &mut out);
        self.write(&out);
    }

    pub(crate) fn write(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).unwrap();
    }
}

//! A daemon made of a script: a thread that accepts one connection after the other and plays its part.

use std::io::{Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread::{self, JoinHandle};

use scard_client::Endpoint;
use scard_types::call::{Call, ReaderEvent, Reply};
use scard_wire::native::{HELLO_BYTES, Hello, Request, Server, Welcome, encode_push, encode_reply};

/// A socket in a folder of its own, and the thread that serves it.
pub(crate) struct Fake {
    folder: PathBuf,
    thread: Option<JoinHandle<()>>,
}

impl Fake {
    /// Plays `script` on one connection after the other, as long as it says so.
    pub(crate) fn serve(mut script: impl FnMut(UnixStream) -> bool + Send + 'static) -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("scard-client-{}-{number}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&folder).unwrap();
        let listener = UnixListener::bind(folder.join("socket")).unwrap();
        let thread = thread::spawn(move || while script(listener.accept().unwrap().0) {});
        Self { folder, thread: Some(thread) }
    }

    /// One connection of our own library, its hello answered.
    pub(crate) fn native(script: impl FnOnce(Peer) + Send + 'static) -> Self {
        let mut script = Some(script);
        Self::serve(move |stream| {
            let peer = Peer::greet(stream);
            script.take().unwrap()(peer);
            false
        })
    }

    pub(crate) fn endpoint(&self) -> Endpoint {
        Endpoint::at(self.folder.join("socket"))
    }
}

impl Drop for Fake {
    fn drop(&mut self) {
        let played = self.thread.take().unwrap().join();
        let _ = std::fs::remove_dir_all(&self.folder);
        if !thread::panicking() {
            played.unwrap();
        }
    }
}

/// The daemon's end of a native connection.
pub(crate) struct Peer {
    stream: UnixStream,
    server: Server,
}

impl Peer {
    fn greet(mut stream: UnixStream) -> Self {
        let mut hello = [0; HELLO_BYTES];
        stream.read_exact(&mut hello).unwrap();
        assert_eq!(hello, Hello::OURS.encode());
        stream.write_all(&Welcome::Speak(1).encode()).unwrap();
        let mut server = Server::new();
        server.extend(&hello);
        assert_eq!(server.next_request(&mut Vec::new()), Ok(None));
        Self { stream, server }
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

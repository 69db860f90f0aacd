//! One user who means harm, until his standard input ends.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use scard_types::Character;
use scard_types::call::{Answer, Call, KnownReader};
use scard_wire::native::{Client, HELLO_BYTES, Hello, Response, encode_call};

/// More than any quota.
const CONNECTIONS: usize = 1_000;
/// More than one connection may wait for.
const WAITS: u32 = 255;

pub(crate) fn run(kind: &str, socket: &Path) {
    let over = AtomicBool::new(false);
    println!("ready");
    thread::scope(|scope| {
        scope.spawn(|| {
            let mut nothing = [0];
            let _ = std::io::stdin().read(&mut nothing);
            over.store(true, Ordering::Relaxed);
        });
        let mut attack: Box<dyn FnMut()> = match kind {
            "fill" => {
                let streams = fill(socket);
                println!("full");
                let over = &over;
                Box::new(move || hold(over, &streams))
            }
            "connection-flood" => Box::new(|| drop(many(socket, |_| ()))),
            "half-open" => {
                Box::new(|| hold(&over, &many(socket, |stream| send(stream, &[12, 0, 0]))))
            }
            "never-reading" => Box::new(|| hold(&over, &many(socket, watch_and_never_read))),
            "wait-flood" => Box::new(|| hold(&over, &many(socket, wait_often))),
            "garbage" => {
                let mut state = 1;
                Box::new(move || drop(many(socket, |stream| send(stream, &garbage(&mut state)))))
            }
            _ => panic!("no attack is called {kind}"),
        };
        while !over.load(Ordering::Relaxed) {
            attack();
        }
    });
}

/// As many connections as can be had, and what is done with each.
fn many(socket: &Path, mut with: impl FnMut(&mut UnixStream)) -> Vec<UnixStream> {
    let mut streams = Vec::new();
    for _ in 0..CONNECTIONS {
        let Ok(mut stream) = UnixStream::connect(socket) else { break };
        let _ = stream.set_nonblocking(true);
        with(&mut stream);
        streams.push(stream);
    }
    streams
}

/// As many connections as are served.
fn fill(socket: &Path) -> Vec<UnixStream> {
    let served = || {
        let mut stream = UnixStream::connect(socket).ok()?;
        stream.write_all(&Hello::OURS.encode()).ok()?;
        stream.read_exact(&mut [0; HELLO_BYTES]).ok().map(|()| stream)
    };
    (0..CONNECTIONS).map_while(|_| served()).collect()
}

/// Keeps them a while, in which the others are to be served.
fn hold(over: &AtomicBool, streams: &[UnixStream]) {
    for _ in 0..50 {
        if over.load(Ordering::Relaxed) || streams.is_empty() {
            break;
        }
        thread::sleep(Duration::from_millis(10));
    }
}

fn send(stream: &mut UnixStream, bytes: &[u8]) {
    // It may be closed already: that is a good defence.
    let _ = stream.write(bytes);
}

/// A stock client that says hello, then asks for the reader table and for events, as often as it can write.
fn watch_and_never_read(stream: &mut UnixStream) {
    let version = [12, 0, 0, 0, 17, 0, 0, 0, 4, 0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0];
    send(stream, &version);
    let table_and_wait = [0, 0, 0, 0, 18, 0, 0, 0, 0, 0, 0, 0, 19, 0, 0, 0].repeat(64);
    for _ in 0..64 {
        if stream.write(&table_and_wait).is_err() {
            break;
        }
    }
}

/// A client of ours that waits as often as it may for what does not come.
fn wait_often(stream: &mut UnixStream) {
    send(stream, &Hello::OURS.encode());
    let mut frames = Vec::new();
    let character = Character::PcscLite;
    if encode_call(1, &Call::EstablishContext { scope: 2, character }, &mut frames).is_err() {
        return;
    }
    send(stream, &frames);
    let Some(context) = context_of(stream) else { return };
    frames.clear();
    for number in 2..2 + WAITS {
        let readers = vec![KnownReader { name: "nobody's reader".into(), current_state: 0x10 }];
        let wait = Call::StatusChange { context, timeout_ms: None, readers };
        if encode_call(number, &wait, &mut frames).is_err() {
            return;
        }
    }
    send(stream, &frames);
}

/// The context that was granted, if one was.
fn context_of(stream: &mut UnixStream) -> Option<scard_types::call::ContextId> {
    stream.set_nonblocking(false).ok()?;
    stream.set_read_timeout(Some(Duration::from_millis(200))).ok()?;
    let mut welcome = [0; HELLO_BYTES];
    stream.read_exact(&mut welcome).ok()?;
    let mut client = Client::new();
    loop {
        match client.next_response().ok()? {
            Some(Response::Reply { reply: Ok(Answer::Context(context)), .. }) => {
                return Some(context);
            }
            Some(_) => return None,
            None => {
                let got = stream.read(client.room()).ok().filter(|got| *got > 0)?;
                client.filled(got);
            }
        }
    }
}

/// A header that promises much and a body of noise, in either dialect (xorshift64, after Marsaglia, 2003).
fn garbage(state: &mut u64) -> Vec<u8> {
    let mut next = || {
        *state ^= *state << 13;
        *state ^= *state >> 7;
        *state ^= *state << 17;
        *state
    };
    let noise: Vec<u8> = (0..64).flat_map(|_| next().to_le_bytes()).collect();
    if next() % 2 == 0 { noise } else { [&Hello::OURS.encode()[..], &noise].concat() }
}

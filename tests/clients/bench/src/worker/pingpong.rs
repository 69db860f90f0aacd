//! The least that two processes can do: so many bytes there and so many back, over a Unix socket. One read and one
//! write on each side, and nothing else.

use std::io::{ErrorKind, Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;

use rustix::event::epoll;

use crate::program::timed;

/// How many bytes are asked and answered is said first, on each connection.
const PREFACE_BYTES: usize = 16;

/// Answers. One connection is served by plain reads and writes; more of them, once there are more, by epoll.
pub(crate) fn serve(socket: &Path) {
    let listener = UnixListener::bind(socket).expect("a free path");
    println!("ready");
    let (first, _) = listener.accept().expect("somebody comes");
    let mut first = Pong::accept(first);
    if first.alone {
        // Until the client is gone.
        while first.answer() {}
        drop(first);
        let _ = std::fs::remove_file(socket);
        return serve(socket);
    }
    serve_many(&listener, first);
}

struct Pong {
    stream: UnixStream,
    question: Vec<u8>,
    answer: Vec<u8>,
    alone: bool,
}

impl Pong {
    fn accept(mut stream: UnixStream) -> Self {
        let mut preface = [0; PREFACE_BYTES];
        stream.read_exact(&mut preface).expect("it says what it wants");
        let word = |at: usize| {
            let bytes = preface[at..at + 4].try_into().expect("four bytes");
            usize::try_from(u32::from_le_bytes(bytes)).expect("a size")
        };
        Self { stream, question: vec![0; word(0)], answer: vec![1; word(4)], alone: word(8) == 1 }
    }

    fn answer(&mut self) -> bool {
        self.stream.read_exact(&mut self.question).is_ok()
            && self.stream.write_all(&self.answer).is_ok()
    }
}

fn serve_many(listener: &UnixListener, first: Pong) {
    let interest = epoll::create(epoll::CreateFlags::CLOEXEC).expect("epoll");
    let add = |stream: &dyn std::os::fd::AsFd, number: usize| {
        let data = epoll::EventData::new_u64(u64::try_from(number).expect("few"));
        epoll::add(&interest, stream.as_fd(), data, epoll::EventFlags::IN).expect("epoll");
    };
    let mut pongs = vec![first];
    add(&pongs[0].stream, 0);
    add(listener, usize::MAX);
    let mut events = Vec::with_capacity(64);
    loop {
        events.clear();
        match epoll::wait(&interest, rustix::buffer::spare_capacity(&mut events), None) {
            Ok(_) => {}
            Err(rustix::io::Errno::INTR) => continue,
            Err(error) => panic!("{error}"),
        }
        for event in &events {
            let number = usize::try_from(event.data.u64()).expect("few");
            if number == usize::MAX {
                let (stream, _) = listener.accept().expect("somebody comes");
                pongs.push(Pong::accept(stream));
                add(&pongs[pongs.len() - 1].stream, pongs.len() - 1);
            } else if !pongs[number].answer() {
                // All leave together.
                return;
            }
        }
    }
}

/// One connection that asks.
pub(crate) struct Ping {
    stream: UnixStream,
    question: Vec<u8>,
    answer: Vec<u8>,
}

impl Ping {
    pub(crate) fn open(socket: &Path, asked: usize, answered: usize, alone: bool) -> Self {
        let mut stream = loop {
            match UnixStream::connect(socket) {
                Ok(stream) => break stream,
                // It is about to listen again, or its queue is full.
                Err(error)
                    if matches!(
                        error.kind(),
                        ErrorKind::ConnectionRefused | ErrorKind::NotFound | ErrorKind::WouldBlock
                    ) =>
                {
                    std::thread::yield_now();
                }
                Err(error) => panic!("{}: {error}", socket.display()),
            }
        };
        let mut preface = Vec::with_capacity(PREFACE_BYTES);
        for word in [asked, answered, usize::from(alone), 0] {
            preface.extend_from_slice(&u32::try_from(word).expect("a size").to_le_bytes());
        }
        stream.write_all(&preface).expect("the other side reads");
        Self { stream, question: vec![0; asked], answer: vec![0; answered] }
    }

    pub(crate) fn ask(&mut self) {
        self.stream.write_all(&self.question).expect("the other side reads");
        self.stream.read_exact(&mut self.answer).expect("the other side answers");
    }
}

/// How long each of `count` questions took.
pub(crate) fn ask(socket: &Path, asked: usize, answered: usize, count: usize) -> Vec<u64> {
    let mut ping = Ping::open(socket, asked, answered, true);
    timed(count, &mut || ping.ask())
}

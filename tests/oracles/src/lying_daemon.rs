//! A daemon that says whatever it likes, under the client library.
//!
//! The first byte of an input counts the calls that the client makes, one byte each (with its highest bit, in a context
//! that heals when a connection ends); behind them stands what the daemon says on each connection: a length of two
//! bytes and that many bytes. It says all of it at once and then no more, so nobody waits for anybody. Connections
//! beyond those are closed as soon as they are there.

use std::collections::VecDeque;
use std::io::{Read, Write};
use std::net::Shutdown;
use std::os::unix::net::{UnixListener, UnixStream};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread;
use std::time::Duration;

use scard_client::{Context, Endpoint, Session};
use scard_types::call::{Answer, Call, CardHandle, ContextId, KnownReader};
use scard_types::{Character, Disposition, Protocols, ShareMode};

use crate::input::Input;

/// The longest that is said on one connection: less than a socket holds.
const MOST_SAID: usize = 64 * 1024;
const MOST_CALLS: usize = 16;
/// In the first byte: the calls are those of a context.
const IN_A_CONTEXT: u8 = 0x80;
/// What the client allows an answer to have.
const LIMIT: u32 = 300;

/// The client believes nothing that it did not ask for, waits for nobody, and comes to an end.
pub(crate) fn check(bytes: &[u8]) {
    let mut input = Input::new(bytes);
    let first = input.byte();
    let count = usize::from(first & !IN_A_CONTEXT).min(MOST_CALLS);
    let calls = input.bytes(count);
    let mut said = VecDeque::new();
    while !input.is_empty() {
        let length = usize::from(input.word()).min(MOST_SAID);
        said.push_back(input.bytes(length).to_vec());
    }
    let liar = Liar::shared();
    let endpoint = liar.says(said);
    if first & IN_A_CONTEXT != 0 {
        if let Ok(context) = Context::establish_at(&endpoint) {
            calls.iter().for_each(|kind| ask_in(&context, *kind));
        }
    } else if let Ok(session) = Session::open(&endpoint) {
        session.set_no_blocking(true);
        for kind in calls {
            ask(&session, *kind);
        }
    }
    liar.falls_silent();
}

fn ask_in(context: &Context, kind: u8) {
    let known = |name: &str| KnownReader { name: name.into(), current_state: 0x10 };
    match kind % 4 {
        0 => drop(context.readers()),
        1 => {
            if let Ok(seen) =
                context.status_change(vec![known("r"), known("s")], Some(Duration::ZERO))
            {
                assert_eq!(seen.len(), 2, "other readers than those asked for");
            }
        }
        2 => {
            let card = context.connect("r", ShareMode::Shared, Protocols::ANY);
            drop(card.map(|card| card.transmit(&[0, 0xCB, 0x3F, 0xFF])));
        }
        _ => drop(context.cancel()),
    }
}

fn ask(session: &Session, kind: u8) {
    let (context, card) = (ContextId(7), CardHandle(9));
    let (share, protocols) = (ShareMode::Shared, Protocols::ANY);
    let known = |name: &str, current_state| KnownReader { name: name.into(), current_state };
    let reply = session.call(match kind % 18 {
        0 => Call::EstablishContext { scope: 2, character: Character::PcscLite },
        1 => Call::ReleaseContext { context },
        2 => Call::Connect { context, reader: "r".into(), share, protocols },
        3 => Call::Reconnect { card, share, protocols, initialization: Disposition::Leave },
        4 => Call::Disconnect { card, disposition: Disposition::Leave },
        5 => Call::BeginTransaction { card },
        6 => Call::EndTransaction { card, disposition: Disposition::Reset },
        7 => {
            let command = vec![0, 0xCB, 0x3F, 0xFF].into();
            Call::Transmit { card, protocol: None, command, receive_limit: LIMIT }
        }
        8 => Call::Control { card, code: 1, input: vec![2].into(), output_limit: LIMIT },
        9 => Call::Status { card },
        10 => Call::GetAttribute { card, tag: 1 },
        11 => Call::SetAttribute { card, tag: 1, value: vec![3] },
        12 => Call::ListReaders { context },
        13 => {
            let readers = vec![known("r", 0x10), known("\\\\?PnP?\\Notification", 0)];
            Call::StatusChange { context, timeout_ms: Some(0), readers }
        }
        14 => Call::StatusChange { context, timeout_ms: Some(1), readers: vec![known("r", 0x10)] },
        15 => Call::DescribeReaders,
        16 => Call::Subscribe,
        _ => {
            let event = session.next_event(Some(Duration::ZERO));
            let answer = session.driver_command("sim", b"status");
            drop((event, answer));
            return;
        }
    });
    match reply {
        Ok(Answer::Transmitted { response: bytes, .. } | Answer::Controlled(bytes)) => {
            assert!(bytes.len() <= 300, "{} bytes where 300 were allowed", bytes.len());
        }
        Ok(Answer::StatusChange { readers, .. }) => {
            let asked = if kind % 18 == 13 { 2 } else { 1 };
            assert_eq!(readers.len(), asked, "other readers than those asked for");
        }
        _ => {}
    }
}

/// One thread with one socket, for all inputs of a process.
struct Liar {
    folder: tempfile::TempDir,
    said: Arc<Mutex<VecDeque<Vec<u8>>>>,
}

impl Liar {
    /// Whoever has it is alone with it.
    fn shared() -> MutexGuard<'static, Self> {
        static LIAR: OnceLock<Mutex<Liar>> = OnceLock::new();
        let liar = LIAR.get_or_init(|| match Self::start() {
            Ok(liar) => Mutex::new(liar),
            Err(error) => panic!("nobody can lie here: {error}"),
        });
        liar.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn start() -> std::io::Result<Self> {
        let folder = tempfile::tempdir()?;
        let listener = UnixListener::bind(folder.path().join("socket"))?;
        let said: Arc<Mutex<VecDeque<Vec<u8>>>> = Arc::default();
        let says = Arc::clone(&said);
        thread::spawn(move || {
            // Kept open, so that what the client sends is no error, until the input is over.
            let mut connections = Vec::new();
            for connection in listener.incoming().map_while(Result::ok) {
                let next = says.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
                match next {
                    Some(bytes) => {
                        say(&connection, &bytes);
                        connections.push(connection);
                    }
                    None => connections.clear(),
                }
            }
        });
        Ok(Self { folder, said })
    }

    /// From now on, on one connection after the other.
    fn says(&self, all: VecDeque<Vec<u8>>) -> Endpoint {
        *self.said() = all;
        Endpoint::at(self.folder.path().join("socket"))
    }

    /// Comes back when the last connection of this input has been seen: what is left unsaid is not for the next one.
    fn falls_silent(&self) {
        self.said().clear();
        let last = UnixStream::connect(self.folder.path().join("socket"));
        // Closed at once, behind all others: the end of file, or that nobody listens.
        let _ = last.and_then(|mut last| last.read(&mut [0]));
    }

    fn said(&self) -> MutexGuard<'_, VecDeque<Vec<u8>>> {
        self.said.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The client may be gone already.
fn say(mut connection: &UnixStream, bytes: &[u8]) {
    let _ = connection.write_all(bytes);
    let _ = connection.shutdown(Shutdown::Write);
}

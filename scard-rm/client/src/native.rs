//! The native wire: many threads, many requests, one connection.
//!
//! Whoever waits for a reply and finds nobody reading, reads: it takes the decoder out of the shared state, and while it is
//! out the others sleep. Each message that was read is handed to whom it belongs. Sending has a lock of its own.

use std::collections::VecDeque;
use std::os::fd::BorrowedFd;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use scard_types::ScardCode;
use scard_types::call::{Call, ReaderEvent, Reply};
use scard_types::trace::Traced;
use scard_wire::native::{
    Client, HELLO_BYTES, Hello, ReplyKind, RequestKind, Response, Welcome, encode_call,
    encode_driver_command,
};

use crate::Endpoint;
use crate::session::answer_fits;
use crate::socket::{Lost, Patience, Socket};

/// More events than this that nobody fetches are a daemon gone wild.
const MOST_EVENTS: usize = 65_536;

#[derive(Debug)]
pub(crate) struct Native {
    socket: Socket,
    sender: Mutex<Sender>,
    state: Mutex<State>,
    /// Something was delivered, or nobody reads any more.
    news: Condvar,
}

#[derive(Debug, Default)]
struct Sender {
    last_number: u32,
    /// Kept for its memory. Payloads, which may be secret, never stand in it.
    head: Vec<u8>,
}

#[derive(Debug)]
struct State {
    /// Who waits for what. Few at a time.
    waiting: Vec<Waiting>,
    /// `None` while a thread is out reading.
    decoder: Option<Client>,
    /// Threads in [`Native::news`]; waking nobody is a system call saved.
    asleep: usize,
    events: VecDeque<ReaderEvent>,
    is_subscribed: bool,
    traced: VecDeque<Traced>,
    is_tracing: bool,
    is_lost: bool,
}

#[derive(Debug)]
struct Waiting {
    number: u32,
    expects: ReplyKind,
    reply: Option<Reply>,
}

impl Native {
    /// Connects and says hello; `None` if the other side does not understand it.
    ///
    /// A connection that ends with our hello unread may be one that a daemon left behind when it stopped: the next
    /// daemon gets a hello of its own.
    pub(crate) fn open(
        endpoint: &Endpoint,
        patience: Patience<'_>,
    ) -> Result<Option<Self>, ScardCode> {
        let mut answer = [0; HELLO_BYTES];
        let mut greeting = greet(endpoint, patience, &mut answer)?;
        if let Err(Lost::Reset) = greeting {
            greeting = greet(endpoint, patience, &mut answer)?;
        }
        let socket = match greeting {
            Ok(socket) => socket,
            Err(Lost::Late) => return Err(ScardCode::NoService),
            Err(Lost::Closed | Lost::Reset | Lost::Failed) => return Ok(None),
        };
        match Welcome::decode(&answer) {
            Some(Welcome::Speak(version)) if version == Hello::OURS.highest => {
                Ok(Some(Self::over(socket)))
            }
            Some(Welcome::Refused(code)) => Err(code),
            Some(Welcome::Speak(_) | Welcome::NoCommonVersion) | None => Ok(None),
        }
    }

    fn over(socket: Socket) -> Self {
        let state = State {
            waiting: Vec::new(),
            decoder: Some(Client::new()),
            asleep: 0,
            events: VecDeque::new(),
            is_subscribed: false,
            traced: VecDeque::new(),
            is_tracing: false,
            is_lost: false,
        };
        Self { socket, sender: Mutex::default(), state: Mutex::new(state), news: Condvar::new() }
    }

    /// Whether the connection is of no more use.
    pub(crate) fn is_lost(&self) -> bool {
        self.state().is_lost
    }

    pub(crate) fn descriptor(&self) -> BorrowedFd<'_> {
        self.socket.descriptor()
    }

    pub(crate) fn call(&self, call: &Call) -> Reply {
        let number = self.send(Some(call), |number, head| encode_call(number, call, head))?;
        let reply = self.reply_to(number);
        match &reply {
            Ok(answer) if !answer_fits(call, answer) => {
                self.lose(&mut self.state());
                Err(ScardCode::CommError.into())
            }
            _ => reply,
        }
    }

    pub(crate) fn driver_command(&self, driver: &str, command: &[u8]) -> Reply {
        let number =
            self.send(None, |number, head| encode_driver_command(number, driver, command, head))?;
        self.reply_to(number)
    }

    /// Sends a request whose reply is waited for from now on, and gives back its number.
    fn send<'p>(
        &self,
        call: Option<&Call>,
        encode: impl FnOnce(u32, &mut Vec<u8>) -> Result<(RequestKind, &'p [u8]), ScardCode>,
    ) -> Result<u32, ScardCode> {
        let mut sender = self.sender.lock().unwrap_or_else(PoisonError::into_inner);
        // 0 is for pushes.
        let number = sender.last_number.checked_add(1).unwrap_or(1);
        sender.last_number = number;
        sender.head.clear();
        let (kind, payload) = encode(number, &mut sender.head)?;
        {
            let mut state = self.state();
            if state.is_lost {
                return Err(ScardCode::NoService);
            }
            // Pushes may come before the reply.
            state.is_subscribed |= matches!(call, Some(Call::Subscribe));
            state.is_tracing |= matches!(call, Some(Call::Trace));
            state.waiting.push(Waiting { number, expects: kind.reply(), reply: None });
        }
        if self.socket.send(&sender.head, payload).is_err() {
            let mut state = self.state();
            self.lose(&mut state);
            state.waiting.retain(|waiting| waiting.number != number);
            return Err(ScardCode::NoService);
        }
        Ok(number)
    }

    fn reply_to(&self, number: u32) -> Reply {
        let mut state = self.state();
        loop {
            let Some(at) = state.waiting.iter().position(|waiting| waiting.number == number) else {
                return Err(ScardCode::InternalError.into());
            };
            let done = state.is_lost || state.waiting.get(at).is_some_and(|w| w.reply.is_some());
            if done {
                let reply = state.waiting.swap_remove(at).reply;
                return reply.unwrap_or(Err(ScardCode::CommError.into()));
            }
            state = match state.decoder.take() {
                Some(decoder) => self.read(state, decoder, None),
                None => self.sleep(state, None),
            };
        }
    }

    pub(crate) fn next_event(
        &self,
        timeout: Option<Duration>,
    ) -> Result<Option<ReaderEvent>, ScardCode> {
        self.next_push(timeout, |state| (state.is_subscribed, &mut state.events))
    }

    pub(crate) fn next_traced(
        &self,
        timeout: Option<Duration>,
    ) -> Result<Option<Traced>, ScardCode> {
        self.next_push(timeout, |state| (state.is_tracing, &mut state.traced))
    }

    /// The next of those pushes that `queue` leads to, and whether they were asked for.
    fn next_push<T>(
        &self,
        timeout: Option<Duration>,
        queue: impl Fn(&mut State) -> (bool, &mut VecDeque<T>),
    ) -> Result<Option<T>, ScardCode> {
        let deadline = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
        let mut state = self.state();
        if state.is_lost {
            return queue(&mut state).1.pop_front().map(Some).ok_or(ScardCode::NoService);
        }
        if !queue(&mut state).0 {
            return Err(ScardCode::NotReady);
        }
        let mut is_last_look = false;
        loop {
            if let Some(event) = queue(&mut state).1.pop_front() {
                return Ok(Some(event));
            }
            if state.is_lost {
                return Err(ScardCode::CommError);
            }
            if is_last_look {
                return Ok(None);
            }
            is_last_look = deadline.is_some_and(|deadline| Instant::now() >= deadline);
            state = match state.decoder.take() {
                Some(decoder) => self.read(state, decoder, Some(deadline)),
                None => self.sleep(state, deadline),
            };
        }
    }

    /// Goes out with the decoder and comes back with one message delivered, with the connection lost, or, where
    /// `deadline` is given, with nothing when it is over.
    fn read<'s>(
        &'s self,
        state: MutexGuard<'s, State>,
        mut decoder: Client,
        deadline: Option<Option<Instant>>,
    ) -> MutexGuard<'s, State> {
        drop(state);
        let outcome = self.read_one(&mut decoder, deadline);
        let mut state = self.state();
        state.decoder = Some(decoder);
        let is_understood = match outcome {
            Ok(Some(response)) => state.deliver(response),
            Ok(None) => true,
            Err(()) => false,
        };
        if !is_understood {
            self.lose(&mut state);
        }
        self.wake(&state);
        state
    }

    fn read_one(
        &self,
        decoder: &mut Client,
        deadline: Option<Option<Instant>>,
    ) -> Result<Option<Response>, ()> {
        loop {
            if let Some(response) = decoder.next_response().map_err(drop)? {
                return Ok(Some(response));
            }
            if let Some(deadline) = deadline {
                if !self.socket.wait(deadline).map_err(drop)? {
                    return Ok(None);
                }
            }
            let received = self.socket.receive(decoder.room()).map_err(drop)?;
            decoder.filled(received);
        }
    }

    fn sleep<'s>(
        &'s self,
        mut state: MutexGuard<'s, State>,
        deadline: Option<Instant>,
    ) -> MutexGuard<'s, State> {
        state.asleep += 1;
        let mut state = match deadline {
            None => self.news.wait(state).unwrap_or_else(PoisonError::into_inner),
            Some(deadline) => {
                let left = deadline.saturating_duration_since(Instant::now());
                self.news.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0
            }
        };
        state.asleep -= 1;
        state
    }

    /// Everybody looks for himself: one has his reply, another will read on.
    fn wake(&self, state: &State) {
        if state.asleep > 0 {
            self.news.notify_all();
        }
    }

    fn lose(&self, state: &mut State) {
        state.is_lost = true;
        self.socket.hang_up();
        self.wake(state);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing in here is left half done by a panic.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Connects, says hello and waits for the answer.
fn greet(
    endpoint: &Endpoint,
    patience: Patience<'_>,
    answer: &mut [u8; HELLO_BYTES],
) -> Result<Result<Socket, Lost>, ScardCode> {
    let socket = Socket::connect(endpoint.path(), patience)?;
    // Nobody closes before the hello but a daemon that stops.
    let sent = socket.send(&Hello::OURS.encode(), &[]).map_err(|_| Lost::Reset);
    let answered = sent.and_then(|()| socket.receive_patiently(answer, patience));
    Ok(answered.map(|()| socket))
}

impl State {
    /// Hands a message to whom it belongs; false if it belongs to nobody.
    fn deliver(&mut self, response: Response) -> bool {
        match response {
            Response::Push(event) => {
                let wanted = self.is_subscribed && self.events.len() < MOST_EVENTS;
                if wanted {
                    self.events.push_back(event);
                }
                wanted
            }
            Response::Trace(traced) => {
                let wanted = self.is_tracing && self.traced.len() < MOST_EVENTS;
                if wanted {
                    self.traced.push_back(traced);
                }
                wanted
            }
            Response::Reply { number, kind, reply } => {
                let Some(waiting) = self
                    .waiting
                    .iter_mut()
                    .find(|waiting| waiting.number == number && waiting.reply.is_none())
                else {
                    return false;
                };
                let fits = reply.is_err() || kind == waiting.expects;
                if fits {
                    waiting.reply = Some(reply);
                }
                fits
            }
        }
    }
}

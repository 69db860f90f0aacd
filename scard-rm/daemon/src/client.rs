//! One connection, as the engine sees it: what it says, what it is told, and what of that could not be sent yet.

use std::io::ErrorKind;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use scard_core::{DropReason, Push, RequestId, Wire};
use scard_types::SecretBytes;
use scard_types::apdu::MAX_BUFFER_BYTES;
use scard_types::call::{Peer, Reply};
use scard_types::trace::{Dialect, TraceEvent, Traced};
use scard_wire::native;
use tokio::sync::Notify;
use tokio::time::Instant;

use crate::backlog::Backlog;
use crate::caller::Caller;
use crate::connection::Connection;
use crate::conversation::{Asked, Conversation, Nonsense};
use crate::limits::Patience;
use crate::trace::now_us;

/// What may wait to be sent to a client that does not read; a single message may be longer.
const BACKLOG_BYTES: usize = 256 * 1024;
/// What of it a trace may take.
const TRACE_BYTES: usize = 128 * 1024;
/// What a client may send ahead while its request is parked: the longest message of pcsc-lite's wire,
/// header, structure of a transmit, payload.
const AHEAD_BYTES: usize = 8 + 32 + MAX_BUFFER_BYTES;

/// Questions of one connection that others may be asked at a time; the rest of what it says waits.
const MOST_QUESTIONS: usize = 16;

/// Why a connection ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// The client closed it, or died.
    Closed,
    /// The core does not want it.
    Refused(DropReason),
    /// What it sends is not understood.
    Nonsense(Nonsense),
    /// It does not read what it is sent.
    NeverReads,
    /// It began a message and did not end it in time.
    SlowMessage,
    /// It asked for nothing in time.
    Quiet,
    /// It sent more than one message ahead.
    TooFarAhead,
    /// It was let in for one answer, and has it.
    Answered,
}

/// What a session has to wait for.
pub(crate) enum Posture {
    /// The next bytes of the client, at most until then.
    Reading { until: Option<(Instant, End)> },
    /// Room to send what is left, at most until then.
    Writing { until: Option<(Instant, End)> },
    /// Nothing: it is over.
    Ended(End),
}

/// One connection.
pub(crate) struct Client {
    conversation: Conversation,
    peer: Peer,
    patience: Patience,
    connection: Arc<Connection>,
    /// Wakes the session when something changed that it did not do itself.
    wake: Arc<Notify>,
    /// What the client has not read yet.
    backlog: Backlog,
    end: Option<End>,
    /// Whether it was let in for one answer.
    first_answer_is_last: bool,
    /// Requests that are not answered.
    pending: usize,
    /// Those of them about which somebody else is asked.
    questions: usize,
    /// Whether it has leave to use the daemon.
    is_admitted: bool,
    /// Bytes that came while the conversation could not go on.
    ahead: usize,
    message_since: Option<Instant>,
    quiet_since: Instant,
    /// When the client last read anything of the backlog, or the backlog began.
    unread_since: Instant,
    tracing: Option<Tracing>,
}

/// Of one who traces.
#[derive(Default)]
struct Tracing {
    /// Events that there was no room for.
    lost: u64,
}

impl Client {
    /// A new connection.
    pub(crate) fn new(
        conversation: Conversation,
        peer: Peer,
        patience: Patience,
        connection: Arc<Connection>,
        wake: Arc<Notify>,
    ) -> Self {
        let now = Instant::now();
        Self {
            conversation,
            peer,
            patience,
            connection,
            wake,
            backlog: Backlog::default(),
            end: None,
            first_answer_is_last: false,
            pending: 0,
            questions: 0,
            is_admitted: false,
            ahead: 0,
            message_since: None,
            quiet_since: now,
            unread_since: now,
            tracing: None,
        }
    }

    /// It is let in for one request, and leaves with the answer.
    pub(crate) const fn leaves_with_the_answer(mut self) -> Self {
        self.first_answer_is_last = true;
        self
    }

    /// What it speaks.
    pub(crate) const fn wire(&self) -> Wire {
        self.conversation.wire()
    }

    /// Who is there.
    pub(crate) const fn peer(&self) -> Peer {
        self.peer
    }

    /// What it speaks, with the version.
    pub(crate) fn dialect(&self) -> Dialect {
        self.conversation.dialect()
    }

    /// The process that connected.
    pub(crate) fn caller(&self) -> Caller {
        Caller::of(&*self.connection, self.peer)
    }

    /// Whether it has leave to use the daemon.
    pub(crate) const fn is_admitted(&self) -> bool {
        self.is_admitted
    }

    /// It has leave from now on.
    pub(crate) const fn admit(&mut self) {
        self.is_admitted = true;
    }

    /// Somebody else is asked about one of its requests.
    pub(crate) const fn ask_about(&mut self) {
        self.questions += 1;
    }

    /// There is a word about it.
    pub(crate) fn word_about(&mut self) {
        self.questions = self.questions.saturating_sub(1);
        // What it said since then may have been left.
        self.wake.notify_one();
    }

    /// What its session has to wait for now, `in_use` being whether the core has anything of this client.
    pub(crate) fn posture(&self, in_use: bool) -> Posture {
        if let Some(end) = self.end {
            return Posture::Ended(end);
        }
        if !self.backlog.bytes().is_empty() {
            // One who traces may look away for as long as he likes: he loses events, and costs no more than that.
            let late = (self.unread_since + self.patience.quiet, End::NeverReads);
            return Posture::Writing { until: self.tracing.is_none().then_some(late) };
        }
        let until = match self.message_since {
            Some(since) => Some((since + self.patience.message, End::SlowMessage)),
            None if in_use || self.questions > 0 => None,
            None => Some((self.quiet_since + self.patience.quiet, End::Quiet)),
        };
        Posture::Reading { until }
    }

    /// Reads once. Ready when something came or the connection is over.
    pub(crate) fn poll_read(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        match ready!(self.connection.poll_read(cx, self.conversation.room())) {
            Ok(0) | Err(_) => self.end(End::Closed),
            Ok(bytes) => {
                self.conversation.filled(bytes);
                self.ahead = if self.is_busy() { self.ahead + bytes } else { 0 };
                if self.ahead > AHEAD_BYTES {
                    self.end(End::TooFarAhead);
                }
            }
        }
        Poll::Ready(())
    }

    /// Whether the conversation cannot go on before an answer.
    const fn is_busy(&self) -> bool {
        (matches!(self.wire(), Wire::PcscLite) && self.pending > 0) || self.is_questioned()
    }

    /// Whether as many questions are open about it as may be.
    const fn is_questioned(&self) -> bool {
        self.questions >= MOST_QUESTIONS
    }

    /// The next request that is complete and may be asked now.
    pub(crate) fn next_asked(&mut self) -> Option<Asked> {
        if self.end.is_some() || self.is_questioned() || !self.backlog.bytes().is_empty() {
            return None;
        }
        let mut out = SecretBytes::default();
        let next = self.conversation.next(out.expose_mut());
        self.send(out.expose(), &[]);
        match next {
            Ok(Some(asked)) => {
                self.pending += 1;
                self.message_since = None;
                Some(asked)
            }
            Ok(None) => {
                self.conversation.relax();
                let now = Instant::now();
                self.quiet_since = now;
                let mid_message = self.conversation.is_mid_message();
                self.message_since = mid_message.then(|| self.message_since.unwrap_or(now));
                None
            }
            Err(nonsense) => {
                self.end(End::Nonsense(nonsense));
                None
            }
        }
    }

    /// Whether bytes are here that were not looked at yet.
    pub(crate) fn has_sent_more(&self) -> bool {
        self.conversation.is_mid_message()
    }

    /// Answers a request.
    pub(crate) fn reply(&mut self, request: RequestId, reply: &Reply) {
        self.pending = self.pending.saturating_sub(1);
        let mut out = SecretBytes::default();
        let payload = self.conversation.reply(request, reply, out.expose_mut());
        self.send(out.expose(), payload);
        if self.first_answer_is_last {
            return self.end(End::Answered);
        }
        if self.wire() == Wire::PcscLite && self.conversation.is_mid_message() {
            // The client has asked more in the meantime, and only its session can go on with that.
            self.wake.notify_one();
        }
    }

    /// Tells the client something that is no answer.
    pub(crate) fn push(&mut self, push: Push) {
        let mut out = SecretBytes::default();
        self.conversation.push(push, out.expose_mut());
        self.send(out.expose(), &[]);
    }

    /// From now on it is told what others do.
    pub(crate) fn becomes_tracer(&mut self) {
        self.tracing.get_or_insert_default();
    }

    /// Tells one who traces of an event, if he has room for it.
    pub(crate) fn trace(&mut self, frame: &[u8]) {
        self.tell_of_losses();
        let has_room = self.backlog.bytes().len() + frame.len() <= TRACE_BYTES;
        match &mut self.tracing {
            Some(tracing) if tracing.lost > 0 || !has_room => tracing.lost += 1,
            Some(_) => self.send(frame, &[]),
            None => {}
        }
    }

    /// Tells how many events are missing here, as soon as he reads again.
    fn tell_of_losses(&mut self) {
        let Some(tracing) = &mut self.tracing else { return };
        if tracing.lost > 0 && self.backlog.bytes().len() <= TRACE_BYTES / 2 {
            let event = TraceEvent::Lost { events: std::mem::take(&mut tracing.lost) };
            let mut frame = Vec::new();
            native::encode_trace(&Traced { time_us: now_us(), event }, &mut frame);
            self.send(&frame, &[]);
        }
    }

    /// Ends the connection; the first reason counts.
    pub(crate) fn end(&mut self, end: End) {
        if matches!(end, End::Refused(DropReason::TooManyConnections { .. })) {
            let mut out = Vec::new();
            self.conversation.refuse(&mut out);
            self.send(&out, &[]);
        }
        self.end.get_or_insert(end);
        self.wake.notify_one();
    }

    /// Sends what was left, as much as there is room for.
    pub(crate) fn flush(&mut self) {
        match self.connection.send(self.backlog.bytes(), &[]) {
            Ok(sent) => {
                self.unread_since = Instant::now();
                self.backlog.sent(sent);
                self.tell_of_losses();
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            Err(_) => self.end(End::Closed),
        }
    }

    /// Sends `head` and `tail` in one write. What does not fit is left to the session, within bounds.
    fn send(&mut self, head: &[u8], tail: &[u8]) {
        let whole = head.len() + tail.len();
        if self.end.is_some() || whole == 0 {
            return;
        }
        let mut sent = 0;
        if self.backlog.bytes().is_empty() {
            match self.connection.send(head, tail) {
                Ok(bytes) => sent = bytes,
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                Err(_) => return self.end(End::Closed),
            }
        } else if self.backlog.bytes().len() + whole > BACKLOG_BYTES {
            return self.end(End::NeverReads);
        }
        if sent < whole {
            if self.backlog.bytes().is_empty() {
                self.unread_since = Instant::now();
            }
            let (head_sent, tail_sent) = (sent.min(head.len()), sent.saturating_sub(head.len()));
            self.backlog.push(head.get(head_sent..).unwrap_or_default());
            self.backlog.push(tail.get(tail_sent..).unwrap_or_default());
            self.wake.notify_one();
        }
    }
}

//! A trace: what clients do, noted call by call and card by card, without anything secret. There is one while somebody
//! traces, and none else.
//!
//! Commands are masked in the order in which their card gets them, the only order in which chains make sense. What a
//! command was is not kept; what of it may be shown is.

mod words;

use std::collections::BTreeMap;
use std::time::{SystemTime, UNIX_EPOCH};

use scard_core::{ClientId, ReaderId, RequestId, Work, WorkDone};
use scard_types::call::{Answer, Call, Peer, Reply};
use scard_types::mask::{Mask, Masked};
use scard_types::secret_commands::Visibility;
use scard_types::trace::{Item, ReaderTrace, TracedAnswer, TracedCall, TracedExchange};
use tokio::time::Instant;

use crate::conversation::DriverRequest;
use crate::process::is_administrator;

/// Whose doings somebody may see. Readers and cards are everybody's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sight {
    /// Everybody's: root, and the user who runs the daemon.
    Everybody,
    /// His own.
    User(u32),
}

impl Sight {
    /// What this user may see.
    pub(crate) fn of(uid: u32) -> Self {
        if is_administrator(uid) { Self::Everybody } else { Self::User(uid) }
    }

    /// Whether he may see what that user does.
    pub(crate) fn covers(self, uid: u32) -> bool {
        self == Self::Everybody || self == Self::User(uid)
    }
}

/// Everything that is known only because somebody traces.
#[derive(Default)]
pub(crate) struct Trace {
    /// Those who are told.
    pub(crate) tracers: BTreeMap<ClientId, Sight>,
    /// Those of whom is told.
    pub(crate) clients: BTreeMap<ClientId, Peer>,
    calls: BTreeMap<(ClientId, RequestId), UnderWay>,
    cards: BTreeMap<ReaderId, Card>,
}

/// A call without an answer.
struct UnderWay {
    call: TracedCall,
    since: Instant,
    /// Whether a slot works on it, or did.
    at_work: bool,
    exchange: Option<Exchange>,
}

/// A command without an answer.
struct Exchange {
    command: Masked,
    visibility: Visibility,
    /// When its turn came.
    since: Option<Instant>,
}

/// A card, or at least its reader.
struct Card {
    mask: Mask,
    /// Whose command it got last.
    spoke_with: Option<ClientId>,
    /// What it does now.
    work: Option<Doing>,
}

#[derive(Clone, Copy)]
enum Doing {
    Exchange,
    PowerOn,
    Reset,
    PowerOff,
}

impl Trace {
    /// A trace of clients that are there already.
    pub(crate) fn of(clients: BTreeMap<ClientId, Peer>) -> Self {
        Self { clients, ..Self::default() }
    }

    /// A client asks. `reader` is the one that its handle leads to.
    pub(crate) fn asked(
        &mut self,
        client: ClientId,
        request: RequestId,
        call: &Call,
        reader: Option<String>,
    ) {
        let exchange = match call {
            Call::Transmit { command, .. } => {
                let visibility = Visibility::HeaderOnly;
                let command = Masked::command(command.expose(), visibility);
                Some(Exchange { command, visibility, since: None })
            }
            _ => None,
        };
        let reader = match call {
            Call::Connect { reader, .. } => Some(reader.clone()),
            _ => reader,
        };
        self.begin(client, request, call.name(), reader, words::arguments(call), exchange);
    }

    /// A client commands a driver. What it commands may be a PIN.
    pub(crate) fn asked_driver(&mut self, client: ClientId, request: &DriverRequest) {
        let driver = Item::text("driver", request.driver.clone());
        let arguments = vec![driver, Item::length("command_bytes", request.command.len())];
        self.begin(client, request.request, "DriverCommand", None, arguments, None);
    }

    fn begin(
        &mut self,
        client: ClientId,
        request: RequestId,
        name: &'static str,
        reader: Option<String>,
        arguments: Vec<Item>,
        exchange: Option<Exchange>,
    ) {
        let number = request.0;
        let call = TracedCall { client: client.0, number, name: name.into(), reader, arguments };
        let call = UnderWay { call, since: Instant::now(), at_work: false, exchange };
        self.calls.insert((client, request), call);
    }

    /// The call, if it is still under way and nothing is done for it.
    pub(crate) fn waits(&self, client: ClientId, request: RequestId) -> Option<TracedCall> {
        let waits = self.calls.get(&(client, request)).filter(|call| !call.at_work)?;
        Some(waits.call.clone())
    }

    /// A slot is given work.
    pub(crate) fn work(
        &mut self,
        reader: ReaderId,
        asker: Option<(ClientId, RequestId)>,
        work: &Work,
    ) {
        let card = self.cards.entry(reader).or_insert_with(Card::joined);
        let call = asker.and_then(|asker| self.calls.get_mut(&asker));
        card.work = match work {
            Work::Transmit { command, .. } => {
                let visibility = card.look(asker.map(|(client, _)| client), command.expose());
                let command = Masked::command(command.expose(), visibility);
                if let Some(call) = call {
                    let since = Some(Instant::now());
                    call.exchange = Some(Exchange { command, visibility, since });
                    call.at_work = true;
                }
                Some(Doing::Exchange)
            }
            other => {
                if let Some(call) = call {
                    call.at_work = true;
                }
                match other {
                    Work::PowerOn => Some(Doing::PowerOn),
                    Work::WarmReset => Some(Doing::Reset),
                    Work::PowerOff | Work::Eject => Some(Doing::PowerOff),
                    _ => None,
                }
            }
        };
    }

    /// A slot has done its work; what of that is worth a word.
    pub(crate) fn work_done(&mut self, reader: ReaderId, done: &WorkDone) -> Option<ReaderTrace> {
        let card = self.cards.entry(reader).or_insert_with(Card::joined);
        match (card.work.take(), done) {
            (Some(Doing::Exchange), WorkDone::Bytes(response)) => {
                card.mask.answered(response.as_ref().map_or(&[], |response| response.expose()));
                None
            }
            (doing, WorkDone::Powered(Ok(atr))) => {
                card.mask.reset();
                let is_warm = matches!(doing, Some(Doing::Reset));
                let powered = if is_warm { ReaderTrace::Reset } else { ReaderTrace::PoweredOn };
                Some(powered(*atr))
            }
            (_, WorkDone::Powered(Err(_))) => Some(ReaderTrace::Mute),
            (Some(Doing::PowerOff), WorkDone::Done(Ok(()))) => {
                card.mask.reset();
                Some(ReaderTrace::PoweredOff)
            }
            _ => None,
        }
    }

    /// There is another card now, or none.
    pub(crate) fn card_changed(&mut self, reader: ReaderId) {
        self.cards.entry(reader).or_insert_with(Card::joined).mask.reset();
    }

    /// The reader is gone.
    pub(crate) fn reader_gone(&mut self, reader: ReaderId) {
        self.cards.remove(&reader);
    }

    /// A call is answered. Nothing if it began before the trace.
    pub(crate) fn answered(
        &mut self,
        client: ClientId,
        request: RequestId,
        reply: &Reply,
    ) -> Option<(TracedCall, TracedAnswer)> {
        let UnderWay { call, since, exchange, .. } = self.calls.remove(&(client, request))?;
        let exchange = exchange.map(|exchange| TracedExchange {
            command: exchange.command,
            response: match reply {
                Ok(Answer::Transmitted { response, .. }) => {
                    Some(Masked::response(response.expose(), exchange.visibility))
                }
                _ => None,
            },
            took_us: exchange.since.map_or(0, microseconds),
        });
        let (refusal, results) = match reply {
            Ok(answer) => (None, words::results(answer)),
            Err(refusal) => (Some(refusal.code), words::needed(*refusal)),
        };
        let took_us = microseconds(since);
        Some((call, TracedAnswer { refusal, results, took_us, exchange }))
    }

    /// A client is gone: how many of its calls were under way.
    pub(crate) fn forget(&mut self, client: ClientId) -> u32 {
        let before = self.calls.len();
        self.calls.retain(|(caller, _), _| *caller != client);
        u32::try_from(before - self.calls.len()).unwrap_or(u32::MAX)
    }
}

impl Card {
    const fn joined() -> Self {
        Self { mask: Mask::joined(), spoke_with: None, work: None }
    }

    fn look(&mut self, client: Option<ClientId>, command: &[u8]) -> Visibility {
        if self.spoke_with != client {
            // A chain is one client's: what another one sends does not go on with it.
            self.mask.answered(&[]);
            self.spoke_with = client;
        }
        self.mask.look(command)
    }
}

fn microseconds(since: Instant) -> u64 {
    u64::try_from(since.elapsed().as_micros()).unwrap_or(u64::MAX)
}

/// Microseconds since 1970.
pub(crate) fn now_us() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_micros()).unwrap_or(u64::MAX)
}

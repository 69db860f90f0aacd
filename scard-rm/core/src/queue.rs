//! The one queue of a reader: who waits for it, in order of arrival, and who has been sent back and may take his old
//! place again.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;

use scard_types::call::{CardHandle, ContextId};
use scard_types::{Disposition, Millis, Protocol, Protocols, SecretBytes, ShareMode};

use crate::event::{ClientId, RequestId};

/// A request and whom its answer is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Asker {
    pub(crate) client: ClientId,
    pub(crate) request: RequestId,
}

/// A place in the queue; a lower one is earlier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place(u64);

/// What is waited for.
pub(crate) enum Op {
    Connect { share: ShareMode, protocols: Protocols },
    Reconnect { share: ShareMode, protocols: Protocols, initialization: Disposition },
    Begin,
    End { disposition: Disposition },
    Disconnect { disposition: Disposition },
    Transmit { protocol: Option<Protocol>, command: SecretBytes, receive_limit: u32 },
    Control { code: u32, input: SecretBytes, output_limit: u32 },
    Status,
    GetAttribute { tag: u32 },
    SetAttribute { tag: u32, value: Vec<u8> },
}

/// The kinds of [`Op`] that the rules tell apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum OpKind {
    Connect,
    Reconnect,
    Begin,
    End,
    Disconnect,
    Transmit,
    Control,
    Status,
    Attribute,
}

impl Op {
    pub(crate) const fn kind(&self) -> OpKind {
        match self {
            Self::Connect { .. } => OpKind::Connect,
            Self::Reconnect { .. } => OpKind::Reconnect,
            Self::Begin => OpKind::Begin,
            Self::End { .. } => OpKind::End,
            Self::Disconnect { .. } => OpKind::Disconnect,
            Self::Transmit { .. } => OpKind::Transmit,
            Self::Control { .. } => OpKind::Control,
            Self::Status => OpKind::Status,
            Self::GetAttribute { .. } | Self::SetAttribute { .. } => OpKind::Attribute,
        }
    }
}

impl OpKind {
    /// Whether the call answers a mark of its handle instead of doing its work.
    pub(crate) const fn looks_at_marks(self) -> bool {
        match self {
            Self::Begin | Self::End | Self::Transmit | Self::Status | Self::Attribute => true,
            Self::Connect | Self::Reconnect | Self::Disconnect | Self::Control => false,
        }
    }
}

/// One who waits.
pub(crate) struct Waiting {
    pub(crate) asker: Asker,
    pub(crate) context: ContextId,
    /// None for a connect.
    pub(crate) handle: Option<CardHandle>,
    pub(crate) op: Op,
    /// How long another handle's transaction may keep it.
    pub(crate) patience: Option<Millis>,
    /// When its patience ends; none while no other handle is in a transaction.
    pub(crate) deadline: Option<Millis>,
    /// Whether it is in the books of its user.
    pub(crate) counted: bool,
}

/// Who keeps a place, and for what kind of call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct TicketKey {
    pub(crate) who: Who,
    pub(crate) kind: OpKind,
}

/// A handle, or for a connect its context.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Who {
    Context(ContextId),
    Handle(CardHandle),
}

#[derive(Clone, Copy)]
struct Ticket {
    place: Place,
    lapses: Millis,
}

/// The queue.
#[derive(Default)]
pub(crate) struct Queue {
    live: BTreeMap<Place, Waiting>,
    /// INVARIANT: exactly the live ones that belong to a handle.
    by_handle: BTreeSet<(CardHandle, Place)>,
    /// INVARIANT: exactly the live ones with patience and without a deadline.
    unhurried: BTreeSet<Place>,
    /// Of those who were sent back. They stand for an order among the living and hold nothing up.
    tickets: BTreeMap<TicketKey, Ticket>,
    next: u64,
}

impl Waiting {
    pub(crate) const fn new(
        asker: Asker,
        context: ContextId,
        handle: Option<CardHandle>,
        op: Op,
    ) -> Self {
        Self { asker, context, handle, op, patience: None, deadline: None, counted: false }
    }

    pub(crate) fn ticket_key(&self) -> TicketKey {
        let who = self.handle.map_or(Who::Context(self.context), Who::Handle);
        TicketKey { who, kind: self.op.kind() }
    }
}

impl Queue {
    /// Takes the place that a ticket keeps, or the last one. Also says when that ticket would have lapsed.
    pub(crate) fn join(&mut self, waiting: Waiting) -> (Place, Option<Millis>) {
        let ticket = self.tickets.remove(&waiting.ticket_key());
        let kept = ticket.filter(|_| !cfg!(scard_fault = "place_not_kept"));
        let place = kept.map_or_else(
            || {
                self.next += 1;
                Place(self.next)
            },
            |ticket| ticket.place,
        );
        if let Some(handle) = waiting.handle {
            self.by_handle.insert((handle, place));
        }
        if waiting.patience.is_some() && waiting.deadline.is_none() {
            self.unhurried.insert(place);
        }
        self.live.insert(place, waiting);
        (place, ticket.map(|ticket| ticket.lapses))
    }

    pub(crate) fn leave(&mut self, place: Place) -> Option<Waiting> {
        let waiting = self.live.remove(&place)?;
        if let Some(handle) = waiting.handle {
            self.by_handle.remove(&(handle, place));
        }
        self.unhurried.remove(&place);
        Some(waiting)
    }

    pub(crate) fn get(&self, place: Place) -> Option<&Waiting> {
        self.live.get(&place)
    }

    pub(crate) fn get_mut(&mut self, place: Place) -> Option<&mut Waiting> {
        self.live.get_mut(&place)
    }

    /// The first in line; while a handle is in a transaction, the first of that handle.
    pub(crate) fn first(&self, holder: Option<CardHandle>) -> Option<Place> {
        match holder {
            None if cfg!(scard_fault = "last_come_first_served") => self.places().last(),
            None => self.live.first_key_value().map(|(place, _)| *place),
            Some(handle) => self.of_handle(handle).next(),
        }
    }

    /// Everything that a handle waits for.
    pub(crate) fn of_handle(&self, handle: CardHandle) -> impl Iterator<Item = Place> + '_ {
        let all = (handle, Place(0))..=(handle, Place(u64::MAX));
        self.by_handle.range(all).map(|(_, place)| *place)
    }

    pub(crate) fn places(&self) -> impl Iterator<Item = Place> + '_ {
        self.live.keys().copied()
    }

    /// Sets the end of a live one's patience.
    pub(crate) fn hurry(&mut self, place: Place, deadline: Millis) {
        if let Some(waiting) = self.live.get_mut(&place) {
            waiting.deadline = Some(deadline);
            self.unhurried.remove(&place);
        }
    }

    /// A live one whose patience ended with nobody in its way: it waits on until somebody is.
    pub(crate) fn calm(&mut self, place: Place) {
        if let Some(waiting) = self.live.get_mut(&place) {
            waiting.deadline = None;
            self.unhurried.insert(place);
        }
    }

    /// Those with patience whose time does not run yet, but for those of `holder`.
    pub(crate) fn unhurried_strangers(&self, holder: CardHandle) -> Vec<Place> {
        let strange = |place: &&Place| {
            self.live.get(place).is_some_and(|waiting| waiting.handle != Some(holder))
        };
        self.unhurried.iter().filter(strange).copied().collect()
    }

    /// Keeps a place for one who is sent back; of two calls of a kind the better one. Says when an older ticket would
    /// have lapsed.
    pub(crate) fn keep(&mut self, key: TicketKey, place: Place, lapses: Millis) -> Option<Millis> {
        let old = self.tickets.remove(&key);
        let place = old.map_or(place, |old| old.place.min(place));
        self.tickets.insert(key, Ticket { place, lapses });
        old.map(|old| old.lapses)
    }

    /// Gives up a ticket; says when it would have lapsed.
    pub(crate) fn forget(&mut self, key: TicketKey) -> Option<Millis> {
        self.tickets.remove(&key).map(|ticket| ticket.lapses)
    }

    /// The tickets of one handle or context.
    pub(crate) fn tickets_of(&self, who: Who) -> Vec<TicketKey> {
        let first = TicketKey { who, kind: OpKind::Connect };
        self.tickets.range(first..).map(|(key, _)| *key).take_while(|key| key.who == who).collect()
    }

    pub(crate) fn tickets(&self) -> impl Iterator<Item = (TicketKey, Millis)> + '_ {
        self.tickets.iter().map(|(key, ticket)| (*key, ticket.lapses))
    }

    pub(crate) fn ticket_count(&self) -> usize {
        self.tickets.len()
    }
}

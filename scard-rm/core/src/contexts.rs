//! Contexts: what a program opens first, and what holds together all that it has.

use alloc::collections::BTreeSet;
use alloc::vec::Vec;

use scard_types::call::{Answer, CardHandle, ContextId};
use scard_types::{Character, ScardCode};

use crate::Core;
use crate::event::{ClientId, ReaderId};
use crate::queue::{Asker, Who};
use crate::quotas::Kind;
use crate::requests::{Outcome, Whereabouts};
use crate::rules;
use crate::status_change::WaitId;

/// `SCARD_SCOPE_SYSTEM`; user and terminal are below it.
const SCOPE_SYSTEM: u32 = 2;
/// `SCARD_SCOPE_GLOBAL`, the highest scope.
const LAST_SCOPE: u32 = 3;

/// A context.
pub(crate) struct Context {
    pub(crate) client: ClientId,
    pub(crate) character: Character,
    scope: u32,
    pub(crate) handles: BTreeSet<CardHandle>,
    pub(crate) waits: BTreeSet<WaitId>,
    /// Readers in whose queue it keeps a place for a connect.
    pub(crate) connect_tickets: BTreeSet<ReaderId>,
}

impl Context {
    /// Whether it is the system's database that its calls change, not the user's.
    pub(crate) const fn changes_the_system(&self) -> bool {
        self.scope >= SCOPE_SYSTEM
    }
}

impl Core {
    pub(crate) fn owns_context(&self, client: ClientId, context: ContextId) -> bool {
        self.contexts.get(&context).is_some_and(|context| context.client == client)
    }

    pub(crate) fn character_of(&self, card: CardHandle) -> Character {
        self.handles
            .get(&card)
            .and_then(|handle| self.contexts.get(&handle.context))
            .map_or(Character::PcscLite, |context| context.character)
    }

    /// `SCardEstablishContext`.
    pub(crate) fn establish(
        &mut self,
        client_id: ClientId,
        scope: u32,
        character: Character,
    ) -> Outcome {
        if scope > LAST_SCOPE {
            return Outcome::refused(ScardCode::InvalidValue);
        }
        let Some(client) = self.clients.get_mut(&client_id) else { return Outcome::Later };
        if !self.quotas.take(&self.limits, client.peer.uid, Kind::Context) {
            return Outcome::refused(ScardCode::NoMemory);
        }
        let contexts = &self.contexts;
        let id = ContextId(self.numbers.fresh(|n| contexts.contains_key(&ContextId(n))));
        client.contexts.insert(id);
        let context = Context {
            client: client_id,
            character,
            scope,
            handles: BTreeSet::new(),
            waits: BTreeSet::new(),
            connect_tickets: BTreeSet::new(),
        };
        self.contexts.insert(id, context);
        Outcome::Now(Ok(Answer::Context(id)))
    }

    /// `SCardReleaseContext`: who still waits for something in it is woken.
    pub(crate) fn release(&mut self, client: ClientId, context: ContextId) -> Outcome {
        if !self.owns_context(client, context) {
            return Outcome::refused(ScardCode::InvalidHandle);
        }
        self.end_waits(context, ScardCode::Cancelled);
        for (id, place) in self.parked_of(client, context) {
            self.refuse_parked(id, place, ScardCode::Cancelled);
        }
        self.drop_context(context);
        Outcome::Now(Ok(Answer::Done))
    }

    /// Everything that a context has goes with it.
    pub(crate) fn drop_context(&mut self, id: ContextId) {
        let Some(context) = self.contexts.get(&id) else { return };
        let handles: Vec<_> = context.handles.iter().copied().collect();
        for card in handles {
            self.abandon_handle(card);
        }
        let Some(context) = self.contexts.remove(&id) else { return };
        for reader in context.connect_tickets {
            self.forget_tickets(reader, Who::Context(id));
        }
        if let Some(client) = self.clients.get_mut(&context.client) {
            client.contexts.remove(&id);
            self.quotas.give_back(client.peer.uid, Kind::Context);
        }
    }

    /// `SCardCancel`: ends what waits in a context of the same user. Nothing waits: nothing happens, now or later.
    ///
    /// DIFFERS: pcscd lets anybody cancel who guesses the number.
    pub(crate) fn cancel(&mut self, canceller: Asker, id: ContextId) -> Outcome {
        let uid = |client| self.clients.get(&client).map(|client| client.peer.uid);
        let Some(context) = self.contexts.get(&id) else {
            return Outcome::refused(ScardCode::InvalidHandle);
        };
        let same_user = uid(context.client) == uid(canceller.client);
        if !same_user && !cfg!(scard_fault = "foreign_cancel") {
            return Outcome::refused(ScardCode::InvalidHandle);
        }
        let (owner, character) = (context.client, context.character);
        self.end_waits(id, ScardCode::Cancelled);
        self.cancel_watch(owner);
        for (reader, place) in self.parked_of(owner, id) {
            let kind = self
                .readers
                .get(&reader)
                .and_then(|reader| reader.queue.get(place))
                .map(|waiting| waiting.op.kind());
            if kind.is_some_and(|kind| rules::cancel_ends(character, kind)) {
                self.refuse_parked(reader, place, ScardCode::Cancelled);
            }
        }
        Outcome::Now(Ok(Answer::Done))
    }

    /// Where the requests of a context stand in queues.
    fn parked_of(
        &self,
        client: ClientId,
        context: ContextId,
    ) -> Vec<(ReaderId, crate::queue::Place)> {
        let Some(client) = self.clients.get(&client) else { return Vec::new() };
        let in_context = |reader: &ReaderId, place| {
            self.readers
                .get(reader)
                .and_then(|reader| reader.queue.get(place))
                .is_some_and(|waiting| waiting.context == context)
        };
        client
            .requests
            .values()
            .filter_map(|whereabouts| match whereabouts {
                Whereabouts::Parked(reader, place) if in_context(reader, *place) => {
                    Some((*reader, *place))
                }
                _ => None,
            })
            .collect()
    }
}

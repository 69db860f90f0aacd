//! Card handles: who owns one, what it has missed, and its end.

use alloc::vec::Vec;

use scard_types::call::{CardHandle, ContextId};
use scard_types::{ScardCode, ShareMode};

use crate::Core;
use crate::event::{ClientId, ReaderId};
use crate::queue::Who;
use crate::quotas::Kind;

/// A card handle.
pub(crate) struct Handle {
    pub(crate) client: ClientId,
    pub(crate) context: ContextId,
    /// May be gone.
    pub(crate) reader: ReaderId,
    pub(crate) share: ShareMode,
    /// When it was opened, among all handles.
    pub(crate) opened: u64,
    /// What happened to the card behind its back; cleared by a reconnect and nothing else.
    pub(crate) mark: Option<Mark>,
}

/// What happened to a card behind the back of a handle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mark {
    Reset,
    Removed,
}

impl Mark {
    pub(crate) const fn code(self) -> ScardCode {
        match self {
            Self::Reset => ScardCode::ResetCard,
            Self::Removed => ScardCode::RemovedCard,
        }
    }
}

impl Core {
    /// A handle that is this client's own. A foreign one is not told from one that does not exist.
    ///
    /// DIFFERS: pcscd closes the connection of one who tries.
    pub(crate) fn own_handle(&self, client: ClientId, card: CardHandle) -> Option<&Handle> {
        let own =
            |handle: &&Handle| handle.client == client || cfg!(scard_fault = "foreign_handle");
        self.handles.get(&card).filter(own)
    }

    /// Enters a new handle everywhere. The caller has checked that it may be.
    pub(crate) fn open_handle(
        &mut self,
        reader_id: ReaderId,
        client: ClientId,
        context: ContextId,
        share: ShareMode,
    ) -> Option<CardHandle> {
        let reader = self.readers.get_mut(&reader_id)?;
        let owner = self.contexts.get_mut(&context)?;
        let handles = &self.handles;
        let card = CardHandle(self.numbers.fresh(|n| handles.contains_key(&CardHandle(n))));
        self.opened += 1;
        let opened = self.opened;
        reader.handles.insert(opened, card);
        owner.handles.insert(card);
        if let Some(client) = self.clients.get_mut(&client) {
            client.handles += 1;
        }
        let handle = Handle { client, context, reader: reader_id, share, opened, mark: None };
        self.handles.insert(card, handle);
        if share == ShareMode::Exclusive {
            self.make_exclusive(reader_id, card);
        }
        self.changed.insert(reader_id);
        Some(card)
    }

    /// Takes a handle out of everything. What it waited for is answered; its transaction, with all levels, is over.
    ///
    /// DIFFERS: in pcscd a card without power stays raw when the handle is gone that asked for it.
    pub(crate) fn close_handle(&mut self, card: CardHandle) {
        let Some(handle) = self.handles.remove(&card) else { return };
        if let Some(context) = self.contexts.get_mut(&handle.context) {
            context.handles.remove(&card);
        }
        if let Some(client) = self.clients.get_mut(&handle.client) {
            client.handles -= 1;
            self.quotas.give_back(client.peer.uid, Kind::Handle);
        }
        let Some(reader) = self.readers.get_mut(&handle.reader) else { return };
        reader.handles.remove(&handle.opened);
        if reader.handles.is_empty() && !reader.is_powered() {
            // Raw without power was for this handle alone.
            reader.protocol = None;
        }
        if reader.exclusive == Some(card) {
            reader.exclusive = None;
        }
        let held = reader.lock.is_some_and(|lock| lock.holder == card);
        let waiting: Vec<_> = reader.queue.of_handle(card).collect();
        if held && !cfg!(scard_fault = "transaction_survives_holder") {
            self.unlock(handle.reader);
        }
        for place in waiting {
            self.refuse_parked(handle.reader, place, ScardCode::InvalidHandle);
        }
        self.forget_tickets(handle.reader, Who::Handle(card));
        self.changed.insert(handle.reader);
    }

    /// Closes a handle whose owner did not: he died, or released the context. A card that he held in a transaction is
    /// reset before anybody else gets to it, and the others know at once.
    ///
    /// DIFFERS: pcscd keeps the handle of a released context for ever if another one is in a transaction at that moment.
    pub(crate) fn abandon_handle(&mut self, card: CardHandle) {
        let Some(handle) = self.handles.get(&card) else { return };
        let (id, mark) = (handle.reader, handle.mark);
        let held = self
            .readers
            .get(&id)
            .is_some_and(|reader| reader.lock.is_some_and(|lock| lock.holder == card));
        if held && mark.is_none() {
            self.mark_handles(id, Mark::Reset, Some(card));
            if let Some(reader) = self.readers.get_mut(&id) {
                reader.reset_due = !cfg!(scard_fault = "no_reset_after_death");
            }
        }
        self.close_handle(card);
        self.pump(id);
    }

    /// Marks the handles of a reader, except one. What they wait for is answered with the mark.
    pub(crate) fn mark_handles(&mut self, id: ReaderId, mark: Mark, except: Option<CardHandle>) {
        let Some(reader) = self.readers.get(&id) else { return };
        let cards: Vec<_> =
            reader.handles.values().copied().filter(|card| Some(*card) != except).collect();
        let spared = usize::from(cfg!(scard_fault = "mark_forgotten"));
        for card in cards.into_iter().rev().skip(spared).rev() {
            self.mark(id, card, mark);
        }
    }

    /// Marks one handle. A removal outweighs a reset: the card that was reset is no longer this handle's.
    ///
    /// DIFFERS: in pcscd a later reset of the new card hides the removal.
    fn mark(&mut self, id: ReaderId, card: CardHandle, mark: Mark) {
        let Some(handle) = self.handles.get_mut(&card) else { return };
        if handle.mark != Some(Mark::Removed) {
            handle.mark = Some(mark);
        }
        let code = handle.mark.unwrap_or(mark).code();
        let Some(reader) = self.readers.get(&id) else { return };
        let looking: Vec<_> = reader
            .queue
            .of_handle(card)
            .filter(|place| {
                reader.queue.get(*place).is_some_and(|waiting| waiting.op.kind().looks_at_marks())
            })
            .collect();
        for place in looking {
            self.refuse_parked(id, place, code);
        }
    }
}

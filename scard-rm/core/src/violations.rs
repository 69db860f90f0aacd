//! Sharing violations: nobody is told of one without a word, for the log, about who is in the way.

use scard_types::ScardCode;
use scard_types::call::CardHandle;

use crate::Core;
use crate::event::{Action, ClientId, ReaderId};
use crate::queue::Place;

impl Core {
    /// The code for a client whose handle `own`, if it has one, must wait for another one to go.
    pub(crate) fn sharing_violation(
        &mut self,
        id: ReaderId,
        refused: ClientId,
        own: Option<CardHandle>,
    ) -> ScardCode {
        if !cfg!(scard_fault = "violation_unexplained") {
            self.out.extend(self.explain(id, refused, own));
        }
        ScardCode::SharingViolation
    }

    /// Refuses a parked request because of whoever is in its way now.
    pub(crate) fn refuse_violator(&mut self, id: ReaderId, place: Place) {
        if let Some(waiting) = self.unpark(id, place) {
            let code = self.sharing_violation(id, waiting.asker.client, waiting.handle);
            self.reply(waiting.asker, Err(code.into()));
        }
    }

    /// The exclusive handle, or the one in a transaction, or of those that share the one that came first.
    fn explain(&self, id: ReaderId, refused: ClientId, own: Option<CardHandle>) -> Option<Action> {
        let reader = self.readers.get(&id)?;
        let in_the_way = |card: &CardHandle| Some(*card) != own;
        let card = reader
            .exclusive
            .filter(in_the_way)
            .or_else(|| reader.lock.map(|lock| lock.holder).filter(in_the_way))
            .or_else(|| reader.handles.values().copied().find(in_the_way))?;
        let handle = self.handles.get(&card)?;
        let (holder, share) = (handle.client, handle.share);
        let in_transaction = reader.is_inside(card);
        Some(Action::SharingViolation { reader: id, refused, holder, share, in_transaction })
    }
}

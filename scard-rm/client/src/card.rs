//! `SCARDHANDLE`, and transactions that borrow it.

use std::ops::Deref;
use std::sync::Arc;

use scard_types::apdu::MAX_BUFFER_BYTES;
use scard_types::call::{Answer, Call, CardHandle, ReaderEntry};
use scard_types::{Disposition, Protocol, Protocols, ScardCode, SecretBytes, ShareMode};

use crate::Session;
use crate::context::answer;

/// A handle of a card. Dropping it disconnects and resets the card, so that no PIN stays verified; [`Card::disconnect`]
/// leaves the choice.
///
/// It does not outlive the daemon: after a restart every call returns [`ScardCode::ReaderUnavailable`] (one that was under
/// way, [`ScardCode::CommError`]), and a transaction is over. Open another one in the same [`crate::Context`].
#[derive(Debug)]
pub struct Card {
    session: Arc<Session>,
    handle: CardHandle,
    protocol: Option<Protocol>,
    is_open: bool,
}

/// Exclusive use of a card for a while: nobody else's command comes in between. Ends when it is dropped.
///
/// It borrows its card, so there is one at a time and the card outlives it.
#[derive(Debug)]
pub struct Transaction<'c> {
    card: &'c mut Card,
    is_open: bool,
}

impl Card {
    pub(crate) const fn new(
        session: Arc<Session>,
        handle: CardHandle,
        protocol: Option<Protocol>,
    ) -> Self {
        Self { session, handle, protocol, is_open: true }
    }

    /// The protocol in use; none for a direct handle without a negotiated card.
    #[must_use]
    pub const fn protocol(&self) -> Option<Protocol> {
        self.protocol
    }

    /// The handle's number on the connection.
    #[must_use]
    pub const fn handle(&self) -> CardHandle {
        self.handle
    }

    /// Sends a command APDU and brings the response APDU, status word included, as it came.
    ///
    /// # Errors
    /// What the daemon says: [`ScardCode::ResetCard`] and [`ScardCode::RemovedCard`] ask for [`Card::reconnect`].
    pub fn transmit(&self, command: &[u8]) -> Result<SecretBytes, ScardCode> {
        let transmit = Call::Transmit {
            card: self.handle,
            protocol: self.protocol,
            command: SecretBytes::from(command),
            receive_limit: limit(),
        };
        match answer(&self.session, transmit)? {
            Answer::Transmitted { response, .. } => Ok(response),
            _ => Err(ScardCode::CommError),
        }
    }

    /// Sends a control code to the reader and brings its output.
    ///
    /// # Errors
    /// What the daemon says, [`ScardCode::UnsupportedFeature`] for codes that the reader does not know.
    pub fn control(&self, code: u32, input: &[u8]) -> Result<SecretBytes, ScardCode> {
        let input = SecretBytes::from(input);
        let control = Call::Control { card: self.handle, code, input, output_limit: limit() };
        match answer(&self.session, control)? {
            Answer::Controlled(output) => Ok(output),
            _ => Err(ScardCode::CommError),
        }
    }

    /// The reader, and the state of the card in it.
    ///
    /// # Errors
    /// What the daemon says.
    pub fn status(&self) -> Result<ReaderEntry, ScardCode> {
        match answer(&self.session, Call::Status { card: self.handle })? {
            Answer::Status(reader) => Ok(reader),
            _ => Err(ScardCode::CommError),
        }
    }

    /// An attribute of the reader or the card ([`scard_types::attribute`]).
    ///
    /// # Errors
    /// What the daemon says, [`ScardCode::UnsupportedFeature`] for tags that the reader does not know.
    pub fn attribute(&self, tag: u32) -> Result<Vec<u8>, ScardCode> {
        match answer(&self.session, Call::GetAttribute { card: self.handle, tag })? {
            Answer::Attribute(value) => Ok(value),
            _ => Err(ScardCode::CommError),
        }
    }

    /// Sets an attribute.
    ///
    /// # Errors
    /// What the daemon says.
    pub fn set_attribute(&self, tag: u32, value: Vec<u8>) -> Result<(), ScardCode> {
        answer(&self.session, Call::SetAttribute { card: self.handle, tag, value }).map(drop)
    }

    /// Takes up the card again after a reset or a removal, or changes how it is shared.
    ///
    /// # Errors
    /// What the daemon says.
    pub fn reconnect(
        &mut self,
        share: ShareMode,
        protocols: Protocols,
        initialization: Disposition,
    ) -> Result<(), ScardCode> {
        let card = self.handle;
        let reconnect = Call::Reconnect { card, share, protocols, initialization };
        match answer(&self.session, reconnect)? {
            Answer::Reconnected { protocol } => {
                self.protocol = protocol;
                Ok(())
            }
            _ => Err(ScardCode::CommError),
        }
    }

    /// Begins a transaction; waits for its turn.
    ///
    /// # Errors
    /// What the daemon says.
    pub fn transaction(&mut self) -> Result<Transaction<'_>, ScardCode> {
        answer(&self.session, Call::BeginTransaction { card: self.handle })?;
        Ok(Transaction { card: self, is_open: true })
    }

    /// Gives the card up.
    ///
    /// # Errors
    /// What the daemon says; the handle is then reset and closed by the drop.
    pub fn disconnect(mut self, disposition: Disposition) -> Result<(), ScardCode> {
        answer(&self.session, Call::Disconnect { card: self.handle, disposition })?;
        self.is_open = false;
        Ok(())
    }
}

impl Drop for Card {
    fn drop(&mut self) {
        if self.is_open {
            let disposition = Disposition::Reset;
            let _ = self.session.call(Call::Disconnect { card: self.handle, disposition });
        }
    }
}

impl Transaction<'_> {
    /// Ends the transaction.
    ///
    /// # Errors
    /// What the daemon says. With [`ScardCode::ResetCard`] and [`ScardCode::RemovedCard`] the lock went with the card.
    pub fn end(mut self, disposition: Disposition) -> Result<(), ScardCode> {
        self.is_open = false;
        let card = self.card.handle;
        answer(&self.card.session, Call::EndTransaction { card, disposition }).map(drop)
    }
}

impl Deref for Transaction<'_> {
    type Target = Card;

    fn deref(&self) -> &Card {
        self.card
    }
}

impl Drop for Transaction<'_> {
    fn drop(&mut self) {
        if self.is_open {
            let disposition = Disposition::Leave;
            let card = self.card.handle;
            let _ = self.card.session.call(Call::EndTransaction { card, disposition });
        }
    }
}

fn limit() -> u32 {
    u32::try_from(MAX_BUFFER_BYTES).unwrap_or(u32::MAX)
}

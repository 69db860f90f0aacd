//! `SCARDCONTEXT`: from establish to release.

use std::sync::Arc;
use std::time::Duration;

use scard_types::call::{Answer, Call, ContextId, KnownReader, SeenReader};
use scard_types::{Character, Protocols, ReaderName, ScardCode, ShareMode};

use crate::{Card, Endpoint, Session};

/// `SCARD_SCOPE_SYSTEM`.
const SCOPE_SYSTEM: u32 = 2;

/// A context of its own connection. It may be used from several threads; it is released when it is dropped.
#[derive(Debug)]
pub struct Context {
    session: Arc<Session>,
    id: ContextId,
}

impl Context {
    /// Establishes a context where the environment says the daemon is.
    ///
    /// # Errors
    /// As [`Session::open`], and what the daemon says.
    pub fn establish() -> Result<Self, ScardCode> {
        Self::establish_at(&Endpoint::from_environment())
    }

    /// Establishes a context at an endpoint.
    ///
    /// # Errors
    /// As [`Session::open`], and what the daemon says.
    pub fn establish_at(endpoint: &Endpoint) -> Result<Self, ScardCode> {
        let session = Arc::new(Session::open(endpoint)?);
        let establish =
            Call::EstablishContext { scope: SCOPE_SYSTEM, character: Character::PcscLite };
        match answer(&session, establish)? {
            Answer::Context(id) => Ok(Self { session, id }),
            _ => Err(ScardCode::CommError),
        }
    }

    /// The names of the readers; none is no error.
    ///
    /// # Errors
    /// What the daemon says.
    pub fn readers(&self) -> Result<Vec<ReaderName>, ScardCode> {
        match answer(&self.session, Call::ListReaders { context: self.id }) {
            Ok(Answer::Readers(names)) => Ok(names),
            Ok(_) => Err(ScardCode::CommError),
            Err(ScardCode::NoReadersAvailable) => Ok(Vec::new()),
            Err(code) => Err(code),
        }
    }

    /// Opens a handle of the card in a reader, or with [`ShareMode::Direct`] of the reader itself. Waits for its turn while
    /// somebody else is inside a transaction.
    ///
    /// # Errors
    /// What the daemon says, [`ScardCode::NoSmartcard`] and [`ScardCode::SharingViolation`] among it.
    pub fn connect(
        &self,
        reader: &str,
        share: ShareMode,
        protocols: Protocols,
    ) -> Result<Card, ScardCode> {
        let reader = reader.to_owned();
        match answer(&self.session, Call::Connect { context: self.id, reader, share, protocols })? {
            Answer::Connected { card, protocol } => {
                Ok(Card::new(Arc::clone(&self.session), card, protocol))
            }
            _ => Err(ScardCode::CommError),
        }
    }

    /// Waits until a reader differs from what is known of it (see [`scard_types::status_change`]); no timeout is for ever.
    /// One entry comes back for each that was given, in that order.
    ///
    /// # Errors
    /// [`ScardCode::Timeout`], [`ScardCode::Cancelled`], [`ScardCode::UnknownReader`], and what else the daemon says.
    pub fn status_change(
        &self,
        readers: Vec<KnownReader>,
        timeout: Option<Duration>,
    ) -> Result<Vec<SeenReader>, ScardCode> {
        // All ones is for ever on the wires.
        let ms = |timeout: Duration| u32::try_from(timeout.as_millis()).unwrap_or(u32::MAX - 1);
        let timeout_ms = timeout.map(ms);
        match answer(&self.session, Call::StatusChange { context: self.id, timeout_ms, readers })? {
            Answer::StatusChange { changed: true, readers } => Ok(readers),
            Answer::StatusChange { changed: false, .. } => Err(ScardCode::Timeout),
            _ => Err(ScardCode::CommError),
        }
    }

    /// Ends a [`Context::status_change`] of another thread. If there is none, nothing happens.
    ///
    /// # Errors
    /// What the daemon says.
    pub fn cancel(&self) -> Result<(), ScardCode> {
        self.session.cancel(self.id)
    }

    /// The connection, for calls that have no method here.
    #[must_use]
    pub fn session(&self) -> &Session {
        &self.session
    }

    /// The context's number on the connection.
    #[must_use]
    pub const fn id(&self) -> ContextId {
        self.id
    }
}

impl Drop for Context {
    fn drop(&mut self) {
        // Cards may live on in the session's other owners; the daemon closes their handles with the context.
        let _ = self.session.call(Call::ReleaseContext { context: self.id });
    }
}

/// The answer, or the code of the refusal.
pub(crate) fn answer(session: &Session, call: Call) -> Result<Answer, ScardCode> {
    session.call(call).map_err(|refusal| refusal.code)
}

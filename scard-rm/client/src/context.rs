//! `SCARDCONTEXT`: from establish to release, restarts of the daemon included.

use std::sync::Arc;
use std::time::Duration;

use scard_types::call::{Answer, Call, ContextId, KnownReader, Reply, SeenReader};
use scard_types::{Character, Protocols, ReaderName, ScardCode, ShareMode};

use crate::healing::{Generation, Healing};
use crate::{Card, Endpoint, Session, status_changes};

/// `SCARD_SCOPE_SYSTEM`.
const SCOPE_SYSTEM: u32 = 2;

/// A context. It may be used from several threads; it is released when it is dropped.
///
/// It heals when the daemon is restarted: a call that finds its connection dead waits a moment for the next daemon,
/// establishes the context there and goes on. Cards do not heal: each keeps the connection that it was opened on, so that
/// no command reaches a card of which the program believes what is no longer so (the PIN, the application, the
/// transaction). A wait for a status change sees the restart as a change.
#[derive(Debug)]
pub struct Context {
    pub(crate) healing: Healing,
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
        Self::establish_in(endpoint, SCOPE_SYSTEM)
    }

    /// Establishes a context at an endpoint in a scope, which is kept for the card database.
    ///
    /// # Errors
    /// As [`Session::open`], and what the daemon says.
    pub fn establish_in(endpoint: &Endpoint, scope: u32) -> Result<Self, ScardCode> {
        Self::establish_as(endpoint, scope, Character::PcscLite)
    }

    /// Establishes a context that follows the rules of pcsc-lite or of Windows where they differ. A stock pcscd knows its
    /// own only.
    ///
    /// # Errors
    /// As [`Session::open`], and what the daemon says.
    pub fn establish_as(
        endpoint: &Endpoint,
        scope: u32,
        character: Character,
    ) -> Result<Self, ScardCode> {
        Ok(Self { healing: Healing::begin(endpoint.clone(), scope, character)? })
    }

    /// The names of the readers; none is no error.
    ///
    /// # Errors
    /// What the daemon says.
    pub fn readers(&self) -> Result<Vec<ReaderName>, ScardCode> {
        match self.call(|context| Call::ListReaders { context }) {
            Ok(Answer::Readers(names)) => Ok(names),
            Ok(_) => Err(ScardCode::CommError),
            Err(refusal) if refusal.code == ScardCode::NoReadersAvailable => Ok(Vec::new()),
            Err(refusal) => Err(refusal.code),
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
        let connect =
            |context| Call::Connect { context, reader: reader.to_owned(), share, protocols };
        let (session, reply) = self.call_on(connect);
        match reply.map_err(|refusal| refusal.code)? {
            Answer::Connected { card, protocol } => Ok(Card::new(session, card, protocol)),
            _ => Err(ScardCode::CommError),
        }
    }

    /// Waits until a reader differs from what is known of it (see [`scard_types::status_change`]); no timeout is for ever.
    /// One entry comes back for each that was given, in that order.
    ///
    /// A restart of the daemon is a change of every reader, told once: `CHANGED` stands in its entry beside its state as it
    /// is now. The time that the daemon is away is not counted.
    ///
    /// # Errors
    /// [`ScardCode::Timeout`], [`ScardCode::Cancelled`], [`ScardCode::UnknownReader`], and what else the daemon says.
    #[expect(clippy::needless_pass_by_value, reason = "the list is made for the call")]
    pub fn status_change(
        &self,
        readers: Vec<KnownReader>,
        timeout: Option<Duration>,
    ) -> Result<Vec<SeenReader>, ScardCode> {
        // All ones is for ever on the wires.
        let ms = |timeout: Duration| u32::try_from(timeout.as_millis()).unwrap_or(u32::MAX - 1);
        match self.look(&readers, timeout.map(ms))? {
            (true, seen) => Ok(seen),
            (false, _) => Err(ScardCode::Timeout),
        }
    }

    /// The same with the time in milliseconds, and with what was seen when it is over: then the first of the pair is
    /// false.
    ///
    /// # Errors
    /// As [`Context::status_change`], without [`ScardCode::Timeout`].
    pub fn look(
        &self,
        readers: &[KnownReader],
        timeout_ms: Option<u32>,
    ) -> Result<(bool, Vec<SeenReader>), ScardCode> {
        status_changes::look(&self.healing, readers, timeout_ms)
    }

    /// Ends a [`Context::status_change`] of another thread, also one that waits for a daemon to come back. If there is none,
    /// nothing happens.
    ///
    /// # Errors
    /// What the daemon says.
    pub fn cancel(&self) -> Result<(), ScardCode> {
        self.healing.cancel()
    }

    /// Makes any call that is about a context, twice if the daemon is restarted meanwhile.
    ///
    /// # Errors
    /// What the daemon says; [`ScardCode::NoService`] if none comes back in time, and the other codes of
    /// [`Session::open`] if the one that comes does not serve us.
    pub fn call(&self, call: impl Fn(ContextId) -> Call) -> Reply {
        self.call_on(call).1
    }

    /// The same, with the connection that answered: card handles are worth something there only.
    pub fn call_on(&self, call: impl Fn(ContextId) -> Call) -> (Arc<Session>, Reply) {
        let now = self.healing.now();
        let reply = now.ask(&call);
        if !now.is_lost_with(&reply) {
            return (now.session, reply);
        }
        match self.healing.heal(&now, None) {
            Ok(healed) => {
                let reply = healed.ask(&call);
                (healed.session, reply)
            }
            Err(code) => (now.session, Err(code.into())),
        }
    }

    /// Waits for the next daemon if the connection is lost, and gives back the one that is in use then.
    ///
    /// # Errors
    /// As [`Context::call`].
    pub fn heal(&self) -> Result<Arc<Session>, ScardCode> {
        let now = self.healing.now();
        let healed = if now.session.is_lost() { self.healing.heal(&now, None)? } else { now };
        Ok(healed.session)
    }

    /// How often the daemon was restarted under this context. Cards that were opened before are lost.
    #[must_use]
    pub fn restarts(&self) -> u64 {
        self.healing.restarts()
    }

    /// The connection that is in use now, for calls that have no method here. It does not heal by itself.
    #[must_use]
    pub fn session(&self) -> Arc<Session> {
        self.healing.now().session
    }

    /// The context's number on the connection that is in use now.
    #[must_use]
    pub fn id(&self) -> ContextId {
        self.healing.now().context
    }

    /// Lets [`ScardCode::SharingViolation`] through to the program, see [`Session::set_no_blocking`].
    pub fn set_no_blocking(&self, no_blocking: bool) {
        self.healing.set_no_blocking(no_blocking);
    }

    /// Gives the context up before it is dropped: who waits in it is woken. With the daemon gone there is nothing to give
    /// up, and that is no error.
    ///
    /// # Errors
    /// What the daemon says.
    pub fn release(&self) -> Result<(), ScardCode> {
        self.healing.release()
    }
}

impl Drop for Context {
    fn drop(&mut self) {
        // Cards may live on in the session's other owners; the daemon closes their handles with the context.
        let _ = self.release();
    }
}

/// The answer, or the code of the refusal.
pub(crate) fn answer(session: &Session, call: Call) -> Result<Answer, ScardCode> {
    session.call(call).map_err(|refusal| refusal.code)
}

impl Generation {
    fn ask(&self, call: impl Fn(ContextId) -> Call) -> Reply {
        self.session.call(call(self.context))
    }
}

//! `SCardEstablishContext`, `SCardReleaseContext`, `SCardIsValidContext`, `SCardCancel`, `SCardFreeMemory`.

use std::sync::Arc;

use scard_client::{Context, Endpoint};
use scard_guest::tables;
use scard_types::call::{Answer, Call, ContextId};
use scard_types::database::DatabaseCall;
use scard_types::{Character, ScardCode};

use crate::layouts::{ContextNumber, Dword};
use crate::memory::{Block, Opaque, Place};
use crate::refused::{ERROR_INVALID_HANDLE, Outcome};

/// `SCARD_SCOPE_USER`.
const SCOPE_USER: u32 = 0;
/// `SCARD_SCOPE_SYSTEM`, the highest that Windows has.
const SCOPE_SYSTEM: u32 = 2;

exports! {
    /// `SCardEstablishContext`.
    SCardEstablishContext = establish(
        dwScope: Dword, pvReserved1: Opaque, pvReserved2: Opaque, phContext: Place<ContextNumber>,
    );
    /// `SCardReleaseContext`.
    SCardReleaseContext = release(hContext: ContextNumber);
    /// `SCardIsValidContext`.
    SCardIsValidContext = is_valid(hContext: ContextNumber);
    /// `SCardCancel`.
    SCardCancel = cancel(hContext: ContextNumber);
    /// `SCardFreeMemory`.
    SCardFreeMemory = free_memory(hContext: ContextNumber, pvMem: Block);
}

fn establish(scope: Dword, _: Opaque, _: Opaque, place: Place<ContextNumber>) -> Outcome {
    place.required()?.put(0);
    if scope > SCOPE_SYSTEM {
        return Err(ScardCode::InvalidValue.into());
    }
    let number = tables::enter_context(open(scope)?);
    place.put(usize::try_from(number).map_err(|_| ScardCode::InternalError)?);
    Ok(())
}

fn open(scope: u32) -> Result<Context, ScardCode> {
    Context::establish_as(&Endpoint::from_environment(), scope, Character::Windows)
}

fn release(number: ContextNumber) -> Outcome {
    Ok(tables::remove_context(number)?.release()?)
}

/// A look into the table of this process: a context stays valid when the resource manager is restarted, for it heals.
fn is_valid(number: ContextNumber) -> Outcome {
    tables::context(number).map(drop).map_err(|_| ERROR_INVALID_HANDLE)
}

fn cancel(number: ContextNumber) -> Outcome {
    Ok(tables::context(number)?.cancel()?)
}

/// The context is not looked at: programs release it first, and calls without one allocate as well.
#[expect(clippy::needless_pass_by_value, reason = "a parameter of a C function")]
fn free_memory(_: ContextNumber, memory: Block) -> Outcome {
    Ok(memory.free()?)
}

/// The context of a call that also takes none, and has a context of the user's scope for as long as it lasts then.
pub(crate) fn given_or_new(number: ContextNumber) -> Result<Arc<Context>, ScardCode> {
    given_or_in(number, SCOPE_USER)
}

/// The same for `SCardIntroduceReaderGroup`, where no context means the scope of the system.
pub(crate) fn given_or_of_the_system(number: ContextNumber) -> Result<Arc<Context>, ScardCode> {
    given_or_in(number, SCOPE_SYSTEM)
}

fn given_or_in(number: ContextNumber, scope: u32) -> Result<Arc<Context>, ScardCode> {
    if number == 0 { Ok(Arc::new(open(scope)?)) } else { tables::context(number) }
}

/// Asks something that is about a context.
pub(crate) fn ask(
    context: &Context,
    call: impl Fn(ContextId) -> Call,
) -> Result<Answer, ScardCode> {
    context.call(call).map_err(|refusal| refusal.code)
}

/// Asks the smart-card database.
pub(crate) fn ask_database(context: &Context, call: &DatabaseCall) -> Result<Answer, ScardCode> {
    ask(context, |context| Call::Database { context, call: call.clone() })
}

/// Changes the smart-card database.
pub(crate) fn change_database(number: ContextNumber, call: &DatabaseCall) -> Outcome {
    ask_database(&*tables::context(number)?, call)?;
    Ok(())
}

//! `SCardEstablishContext`, `SCardReleaseContext`, `SCardIsValidContext`, `SCardCancel`, `SCardFreeMemory`.

use core::ffi::c_void;
use std::env;

use scard_client::{Endpoint, Session};
use scard_types::call::{Answer, Call};
use scard_types::{Character, ScardCode};

use crate::tables::{self, Context};
use crate::types::{ContextNumber, Dword, Long, low_half};
use crate::{edge, memory};

/// `SCardEstablishContext`.
///
/// # Safety
/// `context` is NULL or valid for writes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn SCardEstablishContext(
    dwScope: Dword,
    _pvReserved1: *const c_void,
    _pvReserved2: *const c_void,
    phContext: *mut ContextNumber,
) -> Long {
    edge::answer(|| {
        if phContext.is_null() {
            return Err(ScardCode::InvalidParameter);
        }
        // SAFETY: not NULL, so valid for writes.
        unsafe { memory::put(phContext, 0) }
        let number = establish(low_half(dwScope))?;
        // SAFETY: as above.
        unsafe { memory::put(phContext, number) }
        Ok(())
    })
}

fn establish(scope: u32) -> Result<ContextNumber, ScardCode> {
    let session = Session::open(&Endpoint::from_environment())?;
    session.set_no_blocking(!waits_for_card());
    let call = Call::EstablishContext { scope, character: Character::PcscLite };
    match session.call(call).map_err(|refusal| refusal.code)? {
        Answer::Context(id) => Ok(tables::enter_context(Context { session, id })),
        _ => Err(ScardCode::CommError),
    }
}

/// Whether `SCardTransmit`, `SCardStatus` and `SCardReconnect` wait while somebody else holds the card. A program that
/// sets `PCSCLITE_NO_BLOCKING`, to whatever, wants `SCARD_E_SHARING_VIOLATION` instead (`FreeRDP` does).
fn waits_for_card() -> bool {
    env::var_os("PCSCLITE_NO_BLOCKING").is_none()
}

/// `SCardReleaseContext`: the number is free at once, whatever the resource manager says to it.
#[unsafe(no_mangle)]
pub extern "C" fn SCardReleaseContext(hContext: ContextNumber) -> Long {
    edge::answer(|| {
        let context = tables::remove_context(hContext)?;
        let call = Call::ReleaseContext { context: context.id };
        context.ask(call).map(drop)
    })
}

/// `SCardIsValidContext`: a look into the table of this process; a context stays valid when the resource manager dies.
#[unsafe(no_mangle)]
pub extern "C" fn SCardIsValidContext(hContext: ContextNumber) -> Long {
    edge::answer(|| tables::context(hContext).map(drop))
}

/// `SCardCancel`: ends a wait of that context in another thread.
#[unsafe(no_mangle)]
pub extern "C" fn SCardCancel(hContext: ContextNumber) -> Long {
    edge::answer(|| {
        let context = tables::context(hContext)?;
        context.session.cancel(context.id)
    })
}

/// `SCardFreeMemory`.
///
/// # Safety
/// `pvMem` is NULL or came from a call with `SCARD_AUTOALLOCATE` and was not given back yet.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn SCardFreeMemory(hContext: ContextNumber, pvMem: *const c_void) -> Long {
    edge::answer(|| {
        tables::context(hContext)?;
        // SAFETY: by the caller's duty.
        unsafe { memory::free(pvMem) }
        Ok(())
    })
}

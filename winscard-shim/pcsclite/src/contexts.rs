//! `SCardEstablishContext`, `SCardReleaseContext`, `SCardIsValidContext`, `SCardCancel`, `SCardFreeMemory`.

use core::ffi::c_void;
use std::env;

use scard_client::{Context, Endpoint};
use scard_guest::tables;
use scard_types::ScardCode;

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
    let context = Context::establish_in(&Endpoint::from_environment(), scope)?;
    context.set_no_blocking(!waits_for_card());
    Ok(tables::enter_context(context).into())
}

/// Whether `SCardTransmit`, `SCardStatus` and `SCardReconnect` wait while somebody else holds the card. A program that
/// sets `PCSCLITE_NO_BLOCKING`, to whatever, wants `SCARD_E_SHARING_VIOLATION` instead (`FreeRDP` does).
fn waits_for_card() -> bool {
    env::var_os("PCSCLITE_NO_BLOCKING").is_none()
}

/// `SCardReleaseContext`: the number is free at once, whatever the resource manager says to it. One that is gone has
/// nothing to say.
#[unsafe(no_mangle)]
pub extern "C" fn SCardReleaseContext(hContext: ContextNumber) -> Long {
    edge::answer(|| tables::remove_context(hContext)?.release())
}

/// `SCardIsValidContext`: a look into the table of this process; a context stays valid when the resource manager
/// dies, for it will heal.
#[unsafe(no_mangle)]
pub extern "C" fn SCardIsValidContext(hContext: ContextNumber) -> Long {
    edge::answer(|| tables::context(hContext).map(drop))
}

/// `SCardCancel`: ends a wait of that context in another thread.
#[unsafe(no_mangle)]
pub extern "C" fn SCardCancel(hContext: ContextNumber) -> Long {
    edge::answer(|| tables::context(hContext)?.cancel())
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

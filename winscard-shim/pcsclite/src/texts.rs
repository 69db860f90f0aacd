//! `pcsc_stringify_error`.

use core::cell::Cell;
use core::ffi::{CStr, c_char};

use scard_types::{ScardCode, abi};

use crate::codes;
use crate::types::{Dword, Long, low_half};

/// `Unknown error: 0x`, at most 16 digits, and a NUL.
const UNKNOWN_BYTES: usize = 17 + 16 + 1;

thread_local! {
    /// The text for the last unknown code of this thread. It has no destructor, so the library can be unloaded.
    static UNKNOWN: Cell<[u8; UNKNOWN_BYTES]> = const { Cell::new([0; UNKNOWN_BYTES]) };
}

/// `pcsc_stringify_error`: never NULL; the text for an unknown number is good until the same thread asks for another.
#[unsafe(no_mangle)]
pub extern "C" fn pcsc_stringify_error(pcscError: Long) -> *const c_char {
    match known(pcscError) {
        Some(text) => text.as_ptr(),
        None => UNKNOWN.with(|text| {
            text.set(unknown(pcscError));
            text.as_ptr().cast::<c_char>().cast_const()
        }),
    }
}

fn known(number: Long) -> Option<&'static CStr> {
    if number == codes::SUCCESS {
        return Some(c"Command successful.");
    }
    let code = abi::code_from_pcsclite(low_half(Dword::from_ne_bytes(number.to_ne_bytes())))?;
    (codes::number(code) == number).then_some(())?;
    text(code)
}

/// The words that programs print and some compare; pcsc-lite has none for the others.
const fn text(code: ScardCode) -> Option<&'static CStr> {
    Some(match code {
        ScardCode::InternalError => c"Internal error.",
        ScardCode::Cancelled => c"Command cancelled.",
        ScardCode::InvalidHandle => c"Invalid handle.",
        ScardCode::InvalidParameter => c"Invalid parameter given.",
        ScardCode::InvalidTarget => c"Invalid target given.",
        ScardCode::NoMemory => c"Not enough memory.",
        ScardCode::WaitedTooLong => c"Waited too long.",
        ScardCode::InsufficientBuffer => c"Insufficient buffer.",
        ScardCode::UnknownReader => c"Unknown reader specified.",
        ScardCode::Timeout => c"Command timeout.",
        ScardCode::SharingViolation => c"Sharing violation.",
        ScardCode::NoSmartcard => c"No smart card inserted.",
        ScardCode::UnknownCard => c"Unknown card.",
        ScardCode::CantDispose => c"Cannot dispose handle.",
        ScardCode::ProtocolMismatch => c"Card protocol mismatch.",
        ScardCode::NotReady => c"Subsystem not ready.",
        ScardCode::InvalidValue => c"Invalid value given.",
        ScardCode::SystemCancelled => c"System cancelled.",
        ScardCode::CommError => c"RPC transport error.",
        ScardCode::UnknownError => c"Unknown error.",
        ScardCode::InvalidAtr => c"Invalid ATR.",
        ScardCode::NotTransacted => c"Transaction failed.",
        ScardCode::ReaderUnavailable => c"Reader is unavailable.",
        ScardCode::PciTooSmall => c"PCI struct too small.",
        ScardCode::ReaderUnsupported => c"Reader is unsupported.",
        ScardCode::DuplicateReader => c"Reader already exists.",
        ScardCode::CardUnsupported => c"Card is unsupported.",
        ScardCode::NoService => c"Service not available.",
        ScardCode::ServiceStopped => c"Service was stopped.",
        ScardCode::UnsupportedFeature => c"Feature not supported.",
        ScardCode::NoReadersAvailable => c"Cannot find a smart card reader.",
        ScardCode::UnsupportedCard => c"Card is not supported.",
        ScardCode::UnresponsiveCard => c"Card is unresponsive.",
        ScardCode::UnpoweredCard => c"Card is unpowered.",
        ScardCode::ResetCard => c"Card was reset.",
        ScardCode::RemovedCard => c"Card was removed.",
        ScardCode::SecurityViolation => c"Access denied.",
        _ => return None,
    })
}

/// `Unknown error: 0x%08lX`; the array is long enough for any number and ends in NUL.
fn unknown(number: Long) -> [u8; UNKNOWN_BYTES] {
    let digits = format!("Unknown error: 0x{number:08X}");
    let mut text = [0; UNKNOWN_BYTES];
    for (to, from) in text.iter_mut().zip(digits.bytes()) {
        *to = from;
    }
    text
}

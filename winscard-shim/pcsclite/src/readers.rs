//! `SCardListReaders` and `SCardListReaderGroups`: multi-strings, each name with its NUL and one more NUL at the end.

use core::ffi::c_char;

use scard_guest::tables;
use scard_types::ScardCode;

use crate::edge;
use crate::memory::Answer;
use crate::types::{ContextNumber, Dword, Long};

/// The only group there is, as a multi-string.
const GROUPS: &[u8] = b"SCard$DefaultReaders\0\0";

/// `SCardListReaders`. Groups are not looked at, as in pcsc-lite.
///
/// # Safety
/// `pcchReaders` is NULL or valid for reads and writes; `mszReaders` is NULL, or has room for `*pcchReaders` bytes,
/// or for a pointer if that is `SCARD_AUTOALLOCATE`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn SCardListReaders(
    hContext: ContextNumber,
    _mszGroups: *const c_char,
    mszReaders: *mut c_char,
    pcchReaders: *mut Dword,
) -> Long {
    edge::answer(|| {
        if pcchReaders.is_null() {
            return Err(ScardCode::InvalidParameter);
        }
        let context = tables::context(hContext)?;
        // SAFETY: by the caller's duty.
        let answer = unsafe { Answer::new(mszReaders.cast(), pcchReaders) };
        let names = context.readers()?;
        if names.is_empty() {
            // The empty list is one NUL long.
            answer.tell_length(1);
            return Err(ScardCode::NoReadersAvailable);
        }
        let mut list = Vec::new();
        for name in &names {
            list.extend_from_slice(name.as_str().as_bytes());
            list.push(0);
        }
        list.push(0);
        answer.fill(&list)
    })
}

/// `SCardListReaderGroups`.
///
/// DIFFERS: a NULL `pcchGroups` is `SCARD_E_INVALID_PARAMETER`; pcsc-lite crashes.
///
/// # Safety
/// `pcchGroups` is NULL or valid for reads and writes; `mszGroups` is NULL, or has room for `*pcchGroups` bytes, or
/// for a pointer if that is `SCARD_AUTOALLOCATE`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn SCardListReaderGroups(
    hContext: ContextNumber,
    mszGroups: *mut c_char,
    pcchGroups: *mut Dword,
) -> Long {
    edge::answer(|| {
        if pcchGroups.is_null() {
            return Err(ScardCode::InvalidParameter);
        }
        tables::context(hContext)?;
        // SAFETY: by the caller's duty.
        unsafe { Answer::new(mszGroups.cast(), pcchGroups) }.fill(GROUPS)
    })
}

//! The C types, as `wintypes.h` and `pcsclite.h` declare them.

use core::ffi::{c_char, c_long, c_ulong, c_void};
use core::mem::{align_of, offset_of, size_of};

/// `LONG`: as wide as a pointer on Linux, unlike on Windows.
pub(crate) type Long = c_long;
/// `DWORD`: as wide as a pointer on Linux, unlike on Windows.
pub(crate) type Dword = c_ulong;
/// `SCARDCONTEXT`.
pub(crate) type ContextNumber = Long;
/// `SCARDHANDLE`.
pub(crate) type CardNumber = Long;

/// `MAX_ATR_SIZE`; Windows has 36.
pub(crate) const MAX_ATR_SIZE: usize = 33;
/// `MAX_READERNAME`, with the NUL.
pub(crate) const MAX_READERNAME: usize = 128;
/// `SCARD_AUTOALLOCATE`.
pub(crate) const AUTOALLOCATE: Dword = Dword::MAX;
/// `INFINITE`; `(DWORD)-1` means the same.
pub(crate) const INFINITE: Dword = 0xFFFF_FFFF;

/// `SCARD_READERSTATE`.
#[derive(Clone, Copy)]
#[repr(C)]
pub(crate) struct ReaderState {
    /// `szReader`.
    pub(crate) reader: *const c_char,
    /// `pvUserData`, the program's own.
    pub(crate) user_data: *mut c_void,
    /// `dwCurrentState`.
    pub(crate) current_state: Dword,
    /// `dwEventState`.
    pub(crate) event_state: Dword,
    /// `cbAtr`.
    pub(crate) atr_length: Dword,
    /// `rgbAtr`.
    pub(crate) atr: [u8; MAX_ATR_SIZE],
}

/// `SCARD_IO_REQUEST`.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct IoRequest {
    /// `dwProtocol`.
    pub(crate) protocol: Dword,
    /// `cbPciLength`.
    pub(crate) length: Dword,
}

// pcsclite.h on LP64 (80 bytes at 8) and on 32-bit machines (56 bytes at 4).
const _: () = {
    let word = size_of::<Dword>();
    assert!(size_of::<*const c_char>() == word && size_of::<Long>() == word);
    assert!(align_of::<ReaderState>() == word && align_of::<IoRequest>() == word);
    assert!(offset_of!(ReaderState, current_state) == 2 * word);
    assert!(offset_of!(ReaderState, event_state) == 3 * word);
    assert!(offset_of!(ReaderState, atr_length) == 4 * word);
    assert!(offset_of!(ReaderState, atr) == 5 * word);
    assert!(size_of::<ReaderState>() == (5 * word + MAX_ATR_SIZE).next_multiple_of(word));
    assert!(size_of::<IoRequest>() == 2 * word);
};

/// What goes over the wire of a number: its low 32 bits.
pub(crate) fn low_half(number: Dword) -> u32 {
    u32::try_from(number & 0xFFFF_FFFF).unwrap_or(u32::MAX)
}

/// A length in memory as a `DWORD`.
pub(crate) fn dword(length: usize) -> Dword {
    Dword::try_from(length).unwrap_or(Dword::MAX)
}

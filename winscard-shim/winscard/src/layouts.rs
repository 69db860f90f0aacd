//! The C types, as Windows' `winscard.h` declares them on machines of 64 bits; held against the sizes measured there.

use core::mem::{offset_of, size_of};

use crate::callbacks::{Check, Connect, Disconnect};
use crate::memory::{Buffer, Input, Opaque, Place, Plain, Text};

/// `DWORD` of Windows: 32 bits.
pub(crate) type Dword = u32;
/// `SCARDCONTEXT`, a `ULONG_PTR`.
pub(crate) type ContextNumber = usize;
/// `SCARDHANDLE`, a `ULONG_PTR`.
pub(crate) type CardNumber = usize;
/// `GUID` and `UUID`, as bytes.
pub(crate) type GuidBytes = [u8; 16];

/// `SCARD_AUTOALLOCATE`.
pub(crate) const AUTOALLOCATE: Dword = Dword::MAX;
/// `INFINITE`.
pub(crate) const INFINITE: Dword = Dword::MAX;
/// Room for an ATR in structures; ISO 7816-3 allows 33 bytes.
pub(crate) const ATR_ROOM: usize = 36;

/// `SCARD_READERSTATEA`, `SCARD_READERSTATEW`.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct ReaderState<C> {
    pub(crate) reader: Text<C>,
    pub(crate) user_data: Opaque,
    pub(crate) current_state: Dword,
    pub(crate) event_state: Dword,
    pub(crate) atr_length: Dword,
    pub(crate) atr: [u8; ATR_ROOM],
}

/// `SCARD_IO_REQUEST`.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct IoRequest {
    pub(crate) protocol: Dword,
    pub(crate) length: Dword,
}

/// `SCARD_ATRMASK`.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct AtrMask {
    pub(crate) length: Dword,
    pub(crate) atr: [u8; ATR_ROOM],
    pub(crate) mask: [u8; ATR_ROOM],
}

/// `OPENCARD_SEARCH_CRITERIAA`, `OPENCARD_SEARCH_CRITERIAW`.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct SearchCriteria<C> {
    pub(crate) size: Dword,
    pub(crate) groups: Text<C>,
    pub(crate) groups_room: Dword,
    pub(crate) interfaces: Input<GuidBytes>,
    pub(crate) interface_count: Dword,
    pub(crate) cards: Text<C>,
    pub(crate) cards_room: Dword,
    pub(crate) check: Check,
    pub(crate) connect: Connect<C>,
    pub(crate) disconnect: Disconnect,
    pub(crate) user_data: Opaque,
    pub(crate) share_mode: Dword,
    pub(crate) protocols: Dword,
}

/// `OPENCARDNAME_EXA`, `OPENCARDNAME_EXW`.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct SelectCard<C> {
    pub(crate) size: Dword,
    pub(crate) context: ContextNumber,
    pub(crate) window: Opaque,
    pub(crate) flags: Dword,
    pub(crate) title: Text<C>,
    pub(crate) description: Text<C>,
    pub(crate) icon: Opaque,
    pub(crate) criteria: Input<SearchCriteria<C>>,
    pub(crate) connect: Connect<C>,
    pub(crate) user_data: Opaque,
    pub(crate) share_mode: Dword,
    pub(crate) protocols: Dword,
    pub(crate) reader: Buffer<C>,
    pub(crate) reader_room: Dword,
    pub(crate) card: Buffer<C>,
    pub(crate) card_room: Dword,
    pub(crate) active_protocol: Dword,
    pub(crate) handle: CardNumber,
}

/// `OPENCARDNAMEA`, `OPENCARDNAMEW`.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct OpenCardName<C> {
    pub(crate) size: Dword,
    pub(crate) window: Opaque,
    pub(crate) context: ContextNumber,
    pub(crate) groups: Text<C>,
    pub(crate) groups_room: Dword,
    pub(crate) cards: Text<C>,
    pub(crate) cards_room: Dword,
    pub(crate) interfaces: Input<GuidBytes>,
    pub(crate) interface_count: Dword,
    pub(crate) reader: Buffer<C>,
    pub(crate) reader_room: Dword,
    pub(crate) card: Buffer<C>,
    pub(crate) card_room: Dword,
    pub(crate) title: Text<C>,
    pub(crate) flags: Dword,
    pub(crate) user_data: Opaque,
    pub(crate) share_mode: Dword,
    pub(crate) protocols: Dword,
    pub(crate) active_protocol: Dword,
    pub(crate) connect: Connect<C>,
    pub(crate) check: Check,
    pub(crate) disconnect: Disconnect,
    pub(crate) handle: CardNumber,
}

// SAFETY: numbers, bytes and pointers that are not followed by reading them.
unsafe impl<C: Copy> Plain for ReaderState<C> {}
// SAFETY: as above.
unsafe impl Plain for IoRequest {}
// SAFETY: as above.
unsafe impl Plain for AtrMask {}
// SAFETY: as above; the functions are called, but only as the program promised, and NULL is none.
unsafe impl<C: Copy> Plain for SearchCriteria<C> {}
// SAFETY: as above.
unsafe impl<C: Copy> Plain for SelectCard<C> {}
// SAFETY: as above.
unsafe impl<C: Copy> Plain for OpenCardName<C> {}

#[cfg(target_pointer_width = "64")]
const _: () = {
    assert!(size_of::<ReaderState<u16>>() == 64);
    assert!(offset_of!(ReaderState<u8>, current_state) == 16);
    assert!(offset_of!(ReaderState<u8>, event_state) == 20);
    assert!(offset_of!(ReaderState<u8>, atr_length) == 24);
    assert!(offset_of!(ReaderState<u8>, atr) == 28);
    assert!(size_of::<IoRequest>() == 8);
    assert!(size_of::<AtrMask>() == 76);
    assert!(size_of::<SearchCriteria<u8>>() == 96);
    assert!(size_of::<SelectCard<u8>>() == 128);
    assert!(size_of::<OpenCardName<u8>>() == 176);
    assert!(size_of::<Place<u8>>() == size_of::<usize>());
};

/// A length in memory as a `DWORD`.
pub(crate) fn length(elements: usize) -> Dword {
    // Nothing that a call answers is that long.
    Dword::try_from(elements).unwrap_or(AUTOALLOCATE - 1)
}

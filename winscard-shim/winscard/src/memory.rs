//! The program's memory: places to write to, buffers, texts, lists.
//!
//! What a program says of its memory is believed, as in any C library: values of these types come from C alone, as
//! parameters of exported functions and members of structures, and whoever makes one has promised what it says. Reads and
//! writes are unaligned, because some programs pack the structures that they point into.

use core::ffi::c_void;
use core::{fmt, slice};

use scard_types::database::Guid;
use scard_types::{ScardCode, SecretBytes};

use crate::blocks;
use crate::layouts::{AUTOALLOCATE, Dword, length};
use crate::text::{self, Unit};

/// The longest text or list of texts that is read, in units: an end is looked for up to there.
const MAX_UNITS: usize = 1 << 16;

/// What may be read from memory whatever the bits are.
///
/// # Safety
/// Every pattern of bits is a value of the type.
pub(crate) unsafe trait Plain: Copy {}

// SAFETY: numbers, and bytes.
unsafe impl Plain for u8 {}
// SAFETY: as above.
unsafe impl Plain for u16 {}
// SAFETY: as above.
unsafe impl Plain for u32 {}
// SAFETY: as above.
unsafe impl Plain for usize {}
// SAFETY: as above.
unsafe impl<const N: usize> Plain for [u8; N] {}

/// Where a program wants something, or NULL: it does not want to know.
#[derive(Clone, Copy)]
#[repr(transparent)]
pub struct Place<T>(*mut T);

/// What a program hands in, one or several of them; or NULL.
#[derive(Clone, Copy)]
#[repr(transparent)]
pub struct Input<T>(*const T);

/// A text with its NUL, or a multi-string; or NULL.
#[derive(Clone, Copy)]
#[repr(transparent)]
pub struct Text<C>(*const C);

/// Room for an answer whose length the program may not know, the place for a pointer to memory that we allocate, or
/// NULL; which of them, the length beside it says.
#[derive(Clone, Copy)]
#[repr(transparent)]
pub struct Buffer<T>(*mut T);

// SAFETY: pointers, which are not followed by reading them.
unsafe impl<T: Copy> Plain for Place<T> {}
// SAFETY: as above.
unsafe impl<T: Copy> Plain for Input<T> {}
// SAFETY: as above.
unsafe impl<C: Copy> Plain for Text<C> {}
// SAFETY: as above.
unsafe impl<T: Copy> Plain for Buffer<T> {}

impl<T> Place<T> {
    /// Whether the program does not want to know.
    pub(crate) fn is_null(&self) -> bool {
        self.0.is_null()
    }

    /// The place of one of several, from the first.
    pub(crate) fn at(&self, index: usize) -> Self {
        Self(self.0.wrapping_add(index))
    }

    /// A place that has to be there.
    ///
    /// # Errors
    /// [`ScardCode::InvalidParameter`] for NULL.
    pub(crate) fn required(&self) -> Result<&Self, ScardCode> {
        if self.0.is_null() { Err(ScardCode::InvalidParameter) } else { Ok(self) }
    }

    /// Writes, unless the program does not want to know.
    pub(crate) fn put(&self, value: T) {
        if !self.0.is_null() {
            // SAFETY: not NULL, so valid for writes as the program promised.
            unsafe { self.0.write_unaligned(value) }
        }
    }
}

impl<T: Plain> Place<T> {
    /// What stands there.
    ///
    /// # Errors
    /// [`ScardCode::InvalidParameter`] for NULL.
    pub(crate) fn read(&self) -> Result<T, ScardCode> {
        self.required()?;
        // SAFETY: not NULL, so valid for reads as the program promised.
        Ok(unsafe { self.0.read_unaligned() })
    }

    /// The place of a member of the structure that stands here; see [`member!`].
    pub(crate) fn at_offset<M>(&self, offset: usize, _: fn(&T) -> M) -> Place<M> {
        if self.0.is_null() {
            Place(core::ptr::null_mut())
        } else {
            Place(self.0.wrapping_byte_add(offset).cast())
        }
    }
}

/// The place of a member: `member!(place, Structure, name)`. The type of the member comes with its name.
macro_rules! member {
    ($place:expr, $structure:ty, $name:ident) => {
        $place.at_offset(core::mem::offset_of!($structure, $name), |all| all.$name)
    };
}
pub(crate) use member;

impl<T: Plain> Input<T> {
    /// Whether the program says nothing.
    pub(crate) fn is_null(&self) -> bool {
        self.0.is_null()
    }

    /// The one that is there; `None` for NULL.
    pub(crate) fn one(&self) -> Option<T> {
        // SAFETY: not NULL, so one of them is there as the program promised.
        (!self.0.is_null()).then(|| unsafe { self.0.read_unaligned() })
    }

    /// One of several. Only those count that the program announced.
    pub(crate) fn nth(&self, index: usize) -> Option<T> {
        Self(self.0.wrapping_add(if self.0.is_null() { 0 } else { index })).one()
    }

    /// Copies of all; none for a count of 0, whatever the pointer.
    ///
    /// # Errors
    /// [`ScardCode::InvalidParameter`] for NULL with a count.
    pub(crate) fn all(&self, count: Dword) -> Result<Vec<T>, ScardCode> {
        let count = usize::try_from(count).map_err(|_| ScardCode::InvalidParameter)?;
        let read = |index| self.nth(index).ok_or(ScardCode::InvalidParameter);
        (0..count).map(read).collect()
    }
}

impl Input<u8> {
    /// Bytes that may be a secret: there is no copy but this one.
    ///
    /// # Errors
    /// [`ScardCode::InvalidParameter`] for NULL with a count.
    pub(crate) fn secret(&self, count: Dword) -> Result<SecretBytes, ScardCode> {
        if count == 0 {
            return Ok(SecretBytes::from(&[][..]));
        }
        if self.0.is_null() {
            return Err(ScardCode::InvalidParameter);
        }
        let count = usize::try_from(count).map_err(|_| ScardCode::InvalidParameter)?;
        // SAFETY: not NULL, so as many are there as the program promised.
        Ok(SecretBytes::from(unsafe { slice::from_raw_parts(self.0, count) }))
    }
}

impl Input<[u8; 16]> {
    /// The GUID that is there; `None` for NULL.
    pub(crate) fn guid(&self) -> Option<Guid> {
        self.one().map(Guid)
    }

    /// All GUIDs.
    ///
    /// # Errors
    /// [`ScardCode::InvalidParameter`] for NULL with a count, and for more than any card type has.
    pub(crate) fn guids(&self, count: Dword) -> Result<Vec<Guid>, ScardCode> {
        let most = scard_types::database::MAX_INTERFACES;
        if usize::try_from(count).map_or(true, |count| count > most) {
            return Err(ScardCode::InvalidParameter);
        }
        Ok(self.all(count)?.into_iter().map(Guid).collect())
    }
}

impl<C: Unit + Plain> Text<C> {
    /// Whether the program says nothing.
    pub(crate) fn is_null(&self) -> bool {
        self.0.is_null()
    }

    /// A text; `None` for NULL, and for one without an end.
    pub(crate) fn read(&self) -> Option<String> {
        let mut units = Vec::new();
        self.read_until(&mut units, |_, unit| unit == C::default())?;
        Some(C::decode(&units))
    }

    /// A text that has to be there.
    ///
    /// # Errors
    /// [`ScardCode::InvalidParameter`] for NULL.
    pub(crate) fn required(&self) -> Result<String, ScardCode> {
        self.read().ok_or(ScardCode::InvalidParameter)
    }

    /// The texts of a multi-string; `None` for NULL, and for one without an end.
    pub(crate) fn list(&self) -> Option<Vec<String>> {
        let mut units = Vec::new();
        let nul = C::default();
        self.read_until(&mut units, |before, unit| {
            unit == nul && before.last().is_none_or(|last| *last == nul)
        })?;
        Some(text::texts(&units))
    }

    fn read_until(&self, units: &mut Vec<C>, is_end: impl Fn(&[C], C) -> bool) -> Option<()> {
        let all = Input(self.0);
        while units.len() < MAX_UNITS {
            // What was announced goes on, for no end has come.
            let unit = all.nth(units.len())?;
            if is_end(units, unit) {
                return Some(());
            }
            units.push(unit);
        }
        None
    }
}

impl<T: Plain> Buffer<T> {
    /// Whether there is none.
    pub(crate) fn is_null(&self) -> bool {
        self.0.is_null()
    }

    /// Gives the program its answer, and says in `count` how long it is, in elements.
    ///
    /// # Errors
    /// [`ScardCode::InsufficientBuffer`], and the program knows the length then; [`ScardCode::NoMemory`];
    /// [`ScardCode::InvalidParameter`] without a place for the length, or for an allocation without one for its pointer.
    pub(crate) fn fill(&self, count: &Place<Dword>, elements: &[T]) -> Result<(), ScardCode> {
        let room = count.read()?;
        if room == AUTOALLOCATE && self.is_null() {
            return Err(ScardCode::InvalidParameter);
        }
        if room != AUTOALLOCATE {
            return self.copy(count, room, elements);
        }
        let memory = blocks::allocate(size_of_val(elements));
        if memory.is_null() {
            return Err(ScardCode::NoMemory);
        }
        let block = Self(memory.cast());
        // SAFETY: freshly allocated with that length.
        unsafe { block.copy_all(elements) }
        Place(self.0.cast::<*mut c_void>()).put(memory);
        count.put(length(elements.len()));
        Ok(())
    }

    /// The same for calls that never allocate, `room` being what the program announced.
    ///
    /// # Errors
    /// [`ScardCode::InsufficientBuffer`].
    pub(crate) fn copy(
        &self,
        count: &Place<Dword>,
        room: Dword,
        elements: &[T],
    ) -> Result<(), ScardCode> {
        let needed = length(elements.len());
        count.put(needed);
        if self.is_null() {
            return Ok(());
        }
        if room < needed {
            return Err(ScardCode::InsufficientBuffer);
        }
        // SAFETY: there is room for `room` elements as the program promised, and there are not more.
        unsafe { self.copy_all(elements) }
        Ok(())
    }

    /// # Safety
    /// There is room for all.
    unsafe fn copy_all(&self, elements: &[T]) {
        // Bytes, for the program's memory may not be aligned.
        let (from, bytes) = (elements.as_ptr().cast::<u8>(), size_of_val(elements));
        // SAFETY: by the caller's duty; it is never our own memory.
        unsafe { self.0.cast::<u8>().copy_from_nonoverlapping(from, bytes) }
    }
}

impl<T> fmt::Debug for Place<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:p}", self.0)
    }
}

/// Memory that the program got from us, or something else.
#[repr(transparent)]
pub struct Block(*mut c_void);

impl Block {
    /// Gives it back. NULL is nothing.
    ///
    /// # Errors
    /// [`ScardCode::InvalidValue`] for what is not ours, or no longer.
    pub(crate) fn free(&self) -> Result<(), ScardCode> {
        if self.0.is_null() { Ok(()) } else { blocks::free(self.0) }
    }
}

/// What a parameter carries that nobody looks at.
#[derive(Clone, Copy)]
#[repr(transparent)]
pub struct Opaque(*const c_void);

// SAFETY: a pointer, which nobody follows.
unsafe impl Plain for Opaque {}

impl Opaque {
    /// Nothing.
    pub(crate) const NONE: Self = Self(core::ptr::null());
}

#[cfg(test)]
mod tests {
    use core::ptr;

    use super::*;

    #[test]
    fn without_a_buffer_only_the_length_is_told() {
        let mut count = 0;
        let place = Place(&raw mut count);
        assert_eq!(Buffer::<u16>(ptr::null_mut()).fill(&place, &[1, 2, 3]), Ok(()));
        assert_eq!(place.read(), Ok(3));
    }

    #[test]
    fn a_buffer_that_is_too_small_stays_as_it_was() {
        let mut buffer = [0xEEEE_u16; 4];
        for room in 0..3 {
            let mut count = room;
            let told = Buffer(buffer.as_mut_ptr()).fill(&Place(&raw mut count), &[1, 2, 3]);
            assert_eq!(told, Err(ScardCode::InsufficientBuffer));
            assert_eq!((count, buffer), (3, [0xEEEE; 4]));
        }
        let mut count = 3;
        assert_eq!(Buffer(buffer.as_mut_ptr()).fill(&Place(&raw mut count), &[1, 2, 3]), Ok(()));
        assert_eq!((count, buffer), (3, [1, 2, 3, 0xEEEE]));
    }

    #[test]
    fn what_is_allocated_is_given_back_once() {
        let (mut memory, mut count) = (ptr::null_mut::<c_void>(), AUTOALLOCATE);
        let buffer = Buffer((&raw mut memory).cast::<u8>());
        assert_eq!(buffer.fill(&Place(&raw mut count), b"answer"), Ok(()));
        assert_eq!(count, 6);
        assert_eq!(Input(memory.cast::<u8>().cast_const()).all(6).as_deref(), Ok(&b"answer"[..]));
        assert_eq!(Block(memory).free(), Ok(()));
        assert_eq!(Block(memory).free(), Err(ScardCode::InvalidValue));
        count = AUTOALLOCATE;
        let nowhere = Buffer::<u8>(ptr::null_mut()).fill(&Place(&raw mut count), b"answer");
        assert_eq!(nowhere, Err(ScardCode::InvalidParameter));
    }

    #[test]
    fn texts_end_at_their_nul_and_lists_at_two() {
        assert_eq!(Text(c"name".as_ptr().cast::<u8>()).read().as_deref(), Some("name"));
        assert_eq!(Text(b"a\0b\0\0c".as_ptr()).list(), Some(vec!["a".into(), "b".into()]));
        assert_eq!(Text(b"\0c".as_ptr()).list(), Some(vec![]));
        assert_eq!(Text([0x61_u16, 0, 0].as_ptr()).list(), Some(vec!["a".into()]));
        assert_eq!(Text::<u8>(ptr::null()).read(), None);
        assert_eq!(Text([0x61_u8; MAX_UNITS].as_ptr()).read(), None);
    }
}

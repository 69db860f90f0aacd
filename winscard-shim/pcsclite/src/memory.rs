//! The program's memory: out-pointers, buffers whose length it may not know, and names.
//!
//! What a program says of its memory is believed, as in any C library; a NULL is not an error unless the call says so.
//! Reads and writes are unaligned, because some programs pack the structures that they point into.

use core::ffi::{CStr, c_char, c_void};
use core::{ptr, slice};

use scard_types::ScardCode;

use crate::types::{AUTOALLOCATE, Dword, dword};

/// Writes through an out-pointer; NULL means that the program does not want to know.
///
/// # Safety
/// `place` is NULL or valid for writes.
pub(crate) unsafe fn put<T>(place: *mut T, value: T) {
    if !place.is_null() {
        // SAFETY: not NULL, so valid for writes by the caller's duty.
        unsafe { place.write_unaligned(value) }
    }
}

/// Reads a number; 0 where there is none.
///
/// # Safety
/// `place` is NULL or valid for reads.
pub(crate) unsafe fn read_or_zero(place: *const Dword) -> Dword {
    if place.is_null() {
        return 0;
    }
    // SAFETY: not NULL, so valid for reads by the caller's duty.
    unsafe { place.read_unaligned() }
}

/// The bytes that a program hands in; none for a length of 0, whatever the pointer.
///
/// # Errors
/// [`ScardCode::InvalidParameter`] for NULL with a length.
///
/// # Safety
/// `bytes` is NULL or valid for reads of `length` bytes while the result lives.
pub(crate) unsafe fn input<'a>(bytes: *const u8, length: Dword) -> Result<&'a [u8], ScardCode> {
    if length == 0 {
        return Ok(&[]);
    }
    if bytes.is_null() {
        return Err(ScardCode::InvalidParameter);
    }
    let length = usize::try_from(length).map_err(|_| ScardCode::InvalidParameter)?;
    // SAFETY: not NULL, so valid for `length` bytes by the caller's duty.
    Ok(unsafe { slice::from_raw_parts(bytes, length) })
}

/// A name that a program hands in, `None` for NULL.
///
/// # Safety
/// `text` is NULL or points to a NUL-terminated string that lives as long as the result.
pub(crate) unsafe fn text<'a>(text: *const c_char) -> Option<&'a CStr> {
    if text.is_null() {
        return None;
    }
    // SAFETY: not NULL, so NUL-terminated by the caller's duty.
    Some(unsafe { CStr::from_ptr(text) })
}

/// Copies as much of `bytes` as the program has room for.
///
/// # Safety
/// `to` is NULL or valid for writes of `bytes.len()` bytes.
pub(crate) unsafe fn copy_out(bytes: &[u8], to: *mut u8) {
    if !to.is_null() {
        // SAFETY: valid for that many bytes by the caller's duty, and never our own memory.
        unsafe { ptr::copy_nonoverlapping(bytes.as_ptr(), to, bytes.len()) }
    }
}

/// A buffer for an answer whose length the program may not know, and the place for that length.
///
/// With [`AUTOALLOCATE`] for a length the buffer is the place for a pointer to memory that the library allocates;
/// without a buffer the program asks for the length only.
pub(crate) struct Answer {
    buffer: *mut u8,
    length: *mut Dword,
    room: Dword,
}

impl Answer {
    /// Takes both as the program gave them; without a place for the length there is no room.
    ///
    /// # Safety
    /// `length` is NULL or valid for reads and writes; `buffer` is NULL, or valid for writes of `*length` bytes, or
    /// of a pointer if `*length` is [`AUTOALLOCATE`]. All of it holds until the value is dropped.
    pub(crate) unsafe fn new(buffer: *mut u8, length: *mut Dword) -> Self {
        // SAFETY: by the caller's duty.
        Self { buffer, length, room: unsafe { read_or_zero(length) } }
    }

    /// Whether memory is to be allocated and there is no place for the pointer.
    pub(crate) fn leads_nowhere(&self) -> bool {
        self.room == AUTOALLOCATE && self.buffer.is_null()
    }

    /// Says a length, and nothing else.
    pub(crate) fn tell_length(&self, length: Dword) {
        // SAFETY: NULL or valid for writes by the duty of `new`.
        unsafe { put(self.length, length) }
    }

    /// Gives the program its answer.
    ///
    /// # Errors
    /// [`ScardCode::InsufficientBuffer`], and the program knows the length then; [`ScardCode::NoMemory`];
    /// [`ScardCode::InvalidParameter`] for an allocation without a place for the pointer.
    pub(crate) fn fill(&self, bytes: &[u8]) -> Result<(), ScardCode> {
        if self.leads_nowhere() {
            return Err(ScardCode::InvalidParameter);
        }
        let needed = dword(bytes.len());
        self.tell_length(needed);
        if self.buffer.is_null() {
            return Ok(());
        }
        if self.room == AUTOALLOCATE {
            let memory = allocate(bytes)?;
            // SAFETY: not NULL, and the place for a pointer by the duty of `new`.
            unsafe { self.buffer.cast::<*mut u8>().write_unaligned(memory) }
            return Ok(());
        }
        if self.room < needed {
            return Err(ScardCode::InsufficientBuffer);
        }
        // SAFETY: `room` bytes are valid by the duty of `new`, and it is not less than the length.
        unsafe { copy_out(bytes, self.buffer) }
        Ok(())
    }
}

/// A copy in memory of the C library: programs give it back with `SCardFreeMemory` or with `free`.
fn allocate(bytes: &[u8]) -> Result<*mut u8, ScardCode> {
    // SAFETY: any size is allowed; one byte at least, so that NULL means that there is no memory.
    let memory = unsafe { libc::malloc(bytes.len().max(1)) }.cast::<u8>();
    if memory.is_null() {
        return Err(ScardCode::NoMemory);
    }
    // SAFETY: freshly allocated with that length.
    unsafe { copy_out(bytes, memory) }
    Ok(memory)
}

/// Gives back what [`Answer::fill`] allocated.
///
/// # Safety
/// `memory` is NULL or came from `malloc` and was not given back yet.
pub(crate) unsafe fn free(memory: *const c_void) {
    // SAFETY: by the caller's duty.
    unsafe { libc::free(memory.cast_mut()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fill(buffer: *mut u8, length: &mut Dword) -> Result<(), ScardCode> {
        // SAFETY: each test hands in what `new` asks for.
        unsafe { Answer::new(buffer, length) }.fill(b"answer")
    }

    #[test]
    fn without_a_buffer_only_the_length_is_told() {
        let mut length = 0;
        assert_eq!(fill(ptr::null_mut(), &mut length), Ok(()));
        assert_eq!(length, 6);
    }

    #[test]
    fn a_buffer_that_is_too_small_stays_as_it_was() {
        let mut buffer = [0xEE; 8];
        for room in 0..6 {
            let mut length = room;
            assert_eq!(fill(buffer.as_mut_ptr(), &mut length), Err(ScardCode::InsufficientBuffer));
            assert_eq!((length, buffer), (6, [0xEE; 8]));
        }
        let mut length = 6;
        assert_eq!(fill(buffer.as_mut_ptr(), &mut length), Ok(()));
        assert_eq!((length, &buffer), (6, b"answer\xEE\xEE"));
    }

    #[test]
    fn what_is_allocated_can_be_freed_by_the_program() {
        let (mut memory, mut length) = (ptr::null_mut::<u8>(), AUTOALLOCATE);
        assert_eq!(fill((&raw mut memory).cast(), &mut length), Ok(()));
        // SAFETY: six bytes were allocated by `malloc`.
        unsafe {
            assert_eq!(slice::from_raw_parts(memory, 6), b"answer");
            libc::free(memory.cast());
        }
        length = AUTOALLOCATE;
        assert_eq!(fill(ptr::null_mut(), &mut length), Err(ScardCode::InvalidParameter));
    }
}

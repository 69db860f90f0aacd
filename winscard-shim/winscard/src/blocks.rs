//! What calls allocated for the program (`SCARD_AUTOALLOCATE`), so that a pointer that is none of ours is found.

use core::ffi::c_void;
use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use scard_guest::PerProcess;
use scard_types::ScardCode;

/// Addresses of what was not given back yet.
fn blocks() -> MutexGuard<'static, BTreeSet<usize>> {
    static BLOCKS: PerProcess<Mutex<BTreeSet<usize>>> =
        PerProcess::new(Mutex::new(BTreeSet::new()));
    BLOCKS.get(Mutex::default).lock().unwrap_or_else(PoisonError::into_inner)
}

/// Memory of the C library, aligned for anything. NULL where there is none.
pub(crate) fn allocate(bytes: usize) -> *mut c_void {
    // SAFETY: any size is allowed; one byte at least, so that NULL means that there is no memory.
    let memory = unsafe { libc::malloc(bytes.max(1)) };
    if !memory.is_null() {
        blocks().insert(memory.addr());
    }
    memory
}

/// Gives memory back.
///
/// # Errors
/// [`ScardCode::InvalidValue`] for what is not ours, or no longer.
pub(crate) fn free(memory: *mut c_void) -> Result<(), ScardCode> {
    let mut blocks = blocks();
    if !blocks.remove(&memory.addr()) {
        return Err(ScardCode::InvalidValue);
    }
    // An empty set keeps no memory: nobody would free it when the library is unloaded.
    if blocks.is_empty() {
        *blocks = BTreeSet::new();
    }
    // SAFETY: it came from `malloc`, and its address was in the set until now.
    unsafe { libc::free(memory) }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_allocated_is_freed_and_only_once() {
        let memory = allocate(8);
        assert_eq!(free(memory.wrapping_byte_add(1)), Err(ScardCode::InvalidValue));
        assert_eq!(free(memory), Ok(()));
        assert_eq!(free(memory), Err(ScardCode::InvalidValue));
    }
}

//! `SCardGetStatusChange`.

use scard_guest::tables;
use scard_types::ScardCode;
use scard_types::call::{KnownReader, SeenReader};
use scard_types::status_change::{EMPTY, IGNORE, PRESENT, UNAVAILABLE, UNKNOWN};

use crate::types::{
    ContextNumber, Dword, INFINITE, Long, MAX_ATR_SIZE, ReaderState, dword, low_half,
};
use crate::{edge, memory};

/// One of them is set for every entry that stands for a slot.
const SLOT: u32 = PRESENT | EMPTY | UNAVAILABLE | UNKNOWN;

/// `SCardGetStatusChange`. The states are written on a change and at the end of the time.
///
/// # Safety
/// `rgReaderStates` is NULL or holds `cReaders` entries; each `szReader` is NULL or NUL-terminated.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn SCardGetStatusChange(
    hContext: ContextNumber,
    dwTimeout: Dword,
    rgReaderStates: *mut ReaderState,
    cReaders: Dword,
) -> Long {
    edge::answer(|| {
        if cReaders == 0 {
            return Ok(());
        }
        if rgReaderStates.is_null() {
            return Err(ScardCode::InvalidParameter);
        }
        let count = usize::try_from(cReaders).map_err(|_| ScardCode::InvalidParameter)?;
        // SAFETY: not NULL, so `count` entries are there by the caller's duty.
        let readers = unsafe { known(rgReaderStates, count) }?;
        // Nothing to wait for: success at once, whatever the time and the context.
        if readers.iter().all(|reader| reader.current_state & IGNORE != 0) {
            return Ok(());
        }
        let (changed, seen) = tables::context(hContext)?.look(&readers, timeout(dwTimeout))?;
        // SAFETY: one was seen for each of the `count` that are there.
        unsafe { tell(rgReaderStates, &seen) }
        if changed { Ok(()) } else { Err(ScardCode::Timeout) }
    })
}

/// What the program believes. Its array is not held on to while the call waits: only copies leave here.
///
/// # Safety
/// `states` holds `count` entries; each `szReader` is NULL or NUL-terminated.
unsafe fn known(states: *const ReaderState, count: usize) -> Result<Vec<KnownReader>, ScardCode> {
    let mut readers = Vec::new();
    for at in 0..count {
        // SAFETY: `at` is below `count`.
        let state = unsafe { states.add(at).read_unaligned() };
        // SAFETY: by the caller's duty.
        let name = unsafe { memory::text(state.reader) }.ok_or(ScardCode::InvalidValue)?;
        readers.push(KnownReader {
            // No reader has a name with the character that stands for what is no UTF-8.
            name: name.to_string_lossy().into_owned(),
            current_state: low_half(state.current_state),
        });
    }
    Ok(readers)
}

/// Writes what was seen; the rest of each entry is the program's, the ATR too where an entry stands for no slot
/// (ignored, or for readers that come and go).
///
/// # Safety
/// `states` holds as many entries as `seen`.
unsafe fn tell(states: *mut ReaderState, seen: &[SeenReader]) {
    for (at, seen) in seen.iter().enumerate() {
        // SAFETY: `at` is below the count.
        let state = unsafe { states.add(at) };
        // pcsc-lite does not repeat that an entry is ignored.
        let event_state = Dword::from(seen.event_state & !IGNORE);
        // SAFETY: a member of an entry that is there.
        unsafe { memory::put(&raw mut (*state).event_state, event_state) }
        if seen.event_state & SLOT == 0 {
            continue;
        }
        let atr = seen.atr.as_ref().map_or(&[][..], |atr| atr.as_bytes());
        let mut bytes = [0; MAX_ATR_SIZE];
        for (to, from) in bytes.iter_mut().zip(atr) {
            *to = *from;
        }
        // SAFETY: two members of an entry that is there.
        unsafe {
            memory::put(&raw mut (*state).atr_length, dword(atr.len().min(MAX_ATR_SIZE)));
            memory::put(&raw mut (*state).atr, bytes);
        }
    }
}

/// Milliseconds, `None` for ever.
fn timeout(given: Dword) -> Option<u32> {
    if given == INFINITE || given == Dword::MAX {
        return None;
    }
    // The longest time that is not for ever: 49 days.
    Some(u32::try_from(given).unwrap_or(u32::MAX).min(u32::MAX - 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ways_to_say_for_ever_are_understood() {
        assert_eq!(timeout(0xFFFF_FFFF), None);
        assert_eq!(timeout(Dword::MAX), None);
        assert_eq!(timeout(0), Some(0));
        assert_eq!(timeout(0xFFFF_FFFE), Some(0xFFFF_FFFE));
    }

    #[test]
    #[cfg(target_pointer_width = "64")]
    fn a_time_beyond_32_bits_is_the_longest_there_is() {
        assert_eq!(timeout(0x1_0000_0000), Some(0xFFFF_FFFE));
    }
}

//! The border between C and Rust.

use std::mem;
use std::panic::{self, AssertUnwindSafe};

use scard_types::ScardCode;

use crate::codes;
use crate::types::Long;

/// Runs the body of a call and turns its outcome into a `LONG`.
///
/// An unwind ends here as `SCARD_F_INTERNAL_ERROR`: the program is a stranger's, and it goes on.
pub(crate) fn answer(call: impl FnOnce() -> Result<(), ScardCode>) -> Long {
    // Whatever an unwind leaves half done is a table behind a lock whose steps are single insertions and removals.
    match panic::catch_unwind(AssertUnwindSafe(call)) {
        Ok(Ok(())) => codes::SUCCESS,
        Ok(Err(code)) => codes::number(code),
        Err(payload) => {
            // Its destructor could unwind once more.
            mem::forget(payload);
            codes::number(ScardCode::InternalError)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unwind_becomes_an_internal_error() {
        assert_eq!(answer(|| panic!("planted")), codes::number(ScardCode::InternalError));
        assert_eq!(answer(|| Err(ScardCode::Timeout)), codes::number(ScardCode::Timeout));
        assert_eq!(answer(|| Ok(())), codes::SUCCESS);
    }
}

//! The border between C and Rust.

use scard_types::ScardCode;

use crate::codes;
use crate::types::Long;

/// Runs the body of a call and turns its outcome into a `LONG`.
pub(crate) fn answer(call: impl FnOnce() -> Result<(), ScardCode>) -> Long {
    match scard_guest::guard(call) {
        Ok(()) => codes::SUCCESS,
        Err(code) => codes::number(code),
    }
}

//! The border between C and Rust.

use std::mem;
use std::panic::{self, AssertUnwindSafe};

use scard_types::ScardCode;

/// Runs the body of a call.
///
/// # Errors
/// As the body; an unwind ends here as [`ScardCode::InternalError`]: the program is a stranger's, and it goes on.
pub fn guard<T, E: From<ScardCode>>(call: impl FnOnce() -> Result<T, E>) -> Result<T, E> {
    // Whatever an unwind leaves half done is a table behind a lock whose steps are single insertions and removals.
    panic::catch_unwind(AssertUnwindSafe(call)).unwrap_or_else(|payload| {
        // Its destructor could unwind once more.
        mem::forget(payload);
        Err(ScardCode::InternalError.into())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unwind_becomes_an_internal_error() {
        let planted = || -> Result<(), ScardCode> { panic!("planted") };
        assert_eq!(guard(planted), Err(ScardCode::InternalError));
        assert_eq!(guard::<(), _>(|| Err(ScardCode::Timeout)), Err(ScardCode::Timeout));
        assert_eq!(guard::<_, ScardCode>(|| Ok(1)), Ok(1));
    }
}

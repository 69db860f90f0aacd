//! What a call returns: pcsc-lite's numbers in a `LONG`.

use scard_types::{ScardCode, abi};

use crate::types::{Dword, Long};

/// `SCARD_S_SUCCESS`.
pub(crate) const SUCCESS: Long = 0;

/// The code as a program sees it: positive where `LONG` has 64 bits, negative where it has 32.
pub(crate) fn number(code: ScardCode) -> Long {
    Long::from_ne_bytes(Dword::from(abi::pcsclite_number(code)).to_ne_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(target_pointer_width = "64")]
    fn codes_are_positive_where_long_has_64_bits() {
        assert_eq!(number(ScardCode::Timeout), 0x8010_000A);
        assert_eq!(number(ScardCode::UnsupportedFeature), 0x8010_001F);
    }
}

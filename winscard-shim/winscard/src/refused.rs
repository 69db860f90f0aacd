//! What a call returns when it fails: Windows' numbers in a `LONG`, which are negative for the codes of smart cards.

use scard_types::ScardCode;
use scard_types::call::Refusal;

use crate::exports::Long;

/// `ERROR_INVALID_HANDLE`, which `SCardIsValidContext` answers (its page in the reference).
pub(crate) const ERROR_INVALID_HANDLE: Refused = Refused::System(6);
/// `ERROR_NOT_SUPPORTED`, which `SCardGetAttrib` answers (its page in the reference).
pub(crate) const ERROR_NOT_SUPPORTED: Refused = Refused::System(50);

/// Why a call fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    /// A code of smart cards.
    Code(ScardCode),
    /// One of the errors that all of Windows has.
    System(Long),
}

/// What becomes of a call.
pub(crate) type Outcome = Result<(), Refused>;

impl From<ScardCode> for Refused {
    fn from(code: ScardCode) -> Self {
        Self::Code(code)
    }
}

impl From<Refusal> for Refused {
    fn from(refusal: Refusal) -> Self {
        Self::Code(refusal.code)
    }
}

/// The number as a program sees it.
pub(crate) const fn number(refused: Refused) -> Long {
    match refused {
        Refused::Code(code) => Long::from_ne_bytes(code.number().to_ne_bytes()),
        Refused::System(number) => number,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_of_cards_are_negative_and_those_of_the_system_positive() {
        assert_eq!(number(ScardCode::Timeout.into()), -2_146_435_062);
        assert_eq!(number(ScardCode::UnsupportedFeature.into()), -2_146_435_038);
        assert_eq!(number(ERROR_INVALID_HANDLE), 6);
    }
}

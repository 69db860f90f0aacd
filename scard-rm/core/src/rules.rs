//! Where contexts differ by character, and connections by wire: the one place that asks.

use scard_types::{Character, Millis, ScardCode};

use crate::event::Wire;
use crate::queue::OpKind;

/// How long a stock client of pcsc-lite is kept before it is sent back to try again; the 100 ms are pcscd's own.
pub(crate) const PATIENCE: Millis = Millis(100);
/// How long a client that was sent back keeps its place: a few of its retries.
pub(crate) const TICKET: Millis = Millis(500);
/// How long a transaction of Windows may be held without use.
const WINDOWS_IDLE_TRANSACTION: Millis = Millis(5_000);

/// What decides about a request's patience.
#[derive(Clone, Copy)]
pub(crate) struct Asking {
    pub(crate) wire: Wire,
    /// Whether other handles are open on the same connection. On the pcsc-lite wire a parked call keeps their threads
    /// from being served, and one of them may be the very owner of the lock.
    pub(crate) has_other_handles: bool,
}

/// How long a request may be kept waiting by another handle's transaction; `None` is for ever.
///
/// DIFFERS: pcscd answers BEGIN, TRANSMIT, STATUS and RECONNECT after 100 ms at the latest and its library repeats them;
/// CONNECT, and DISCONNECT with a reset, it keeps for ever, even if that is a deadlock.
pub(crate) const fn patience(asking: Asking, kind: OpKind) -> Option<Millis> {
    match kind {
        OpKind::Begin | OpKind::Connect | OpKind::Disconnect => {
            match (asking.wire, asking.has_other_handles) {
                (Wire::PcscLite, true) => Some(PATIENCE),
                (Wire::PcscLite, false) | (Wire::Native, _) => None,
            }
        }
        OpKind::Transmit | OpKind::Status | OpKind::Reconnect => Some(PATIENCE),
        OpKind::Control | OpKind::Attribute | OpKind::End => Some(Millis(0)),
    }
}

/// Whether a request that is sent back keeps its place for a retry.
pub(crate) const fn keeps_a_ticket(kind: OpKind) -> bool {
    match kind {
        OpKind::Begin | OpKind::Connect | OpKind::Transmit | OpKind::Status | OpKind::Reconnect => {
            true
        }
        OpKind::Disconnect | OpKind::Control | OpKind::Attribute | OpKind::End => false,
    }
}

/// Whether `SCardCancel` ends such a request where it is parked.
pub(crate) const fn cancel_ends(character: Character, kind: OpKind) -> bool {
    match character {
        Character::PcscLite => false,
        Character::Windows => matches!(kind, OpKind::Begin | OpKind::Connect),
    }
}

/// What `SCardEndTransaction` answers while another handle is in a transaction.
pub(crate) const fn end_of_a_foreign_transaction(character: Character) -> ScardCode {
    match character {
        Character::PcscLite => ScardCode::SharingViolation,
        Character::Windows => ScardCode::NotTransacted,
    }
}

/// How long a transaction may be held without use, `configured` being what the administrator wrote; `None` is for ever.
///
/// pcsc-lite knows no such limit. Windows ends a transaction after 5 s without an operation on its card
/// (`SCardBeginTransaction`, remarks).
pub(crate) const fn idle_limit(character: Character, configured: Option<Millis>) -> Option<Millis> {
    match (character, configured) {
        (_, Some(Millis(0))) => None,
        (_, Some(limit)) => Some(limit),
        (Character::PcscLite, None) => None,
        (Character::Windows, None) => Some(WINDOWS_IDLE_TRANSACTION),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_administrator_wrote_comes_before_what_a_character_is_used_to() {
        use Character::{PcscLite, Windows};
        assert_eq!(idle_limit(PcscLite, None), None);
        assert_eq!(idle_limit(Windows, None), Some(Millis(5_000)));
        for character in [PcscLite, Windows] {
            assert_eq!(idle_limit(character, Some(Millis(7))), Some(Millis(7)));
            assert_eq!(idle_limit(character, Some(Millis(0))), None);
        }
    }

    #[test]
    fn only_a_call_that_could_block_its_own_side_is_sent_back_from_a_connect() {
        let alone = Asking { wire: Wire::PcscLite, has_other_handles: false };
        let crowd = Asking { wire: Wire::PcscLite, has_other_handles: true };
        let native = Asking { wire: Wire::Native, has_other_handles: true };
        for kind in [OpKind::Begin, OpKind::Connect, OpKind::Disconnect] {
            assert_eq!(patience(alone, kind), None);
            assert_eq!(patience(crowd, kind), Some(PATIENCE));
            assert_eq!(patience(native, kind), None);
        }
        for kind in [OpKind::Transmit, OpKind::Status, OpKind::Reconnect] {
            assert_eq!(patience(native, kind), Some(PATIENCE));
        }
        assert_eq!(patience(alone, OpKind::Control), Some(Millis(0)));
    }
}

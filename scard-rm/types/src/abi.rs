//! Numbers of the two C ABIs: the only place that knows them.
//!
//! *pcsc-lite* is the shape of `libpcsclite.so.1` and of its wire (`winscard.h`, `pcsclite.h` of pcsc-lite);
//! *Windows* is the shape of `winscard.h` and `winsmcrd.h`. Where only one number exists for both, there is one function.

use crate::{CardState, Disposition, Protocol, Protocols, ScardCode, ShareMode};

/// `SCARD_S_SUCCESS` of both ABIs.
pub const SUCCESS: u32 = 0;

/// `SCARD_CTL_CODE(n)` of pcsc-lite.
#[must_use]
pub const fn pcsclite_control_code(function: u32) -> u32 {
    0x4200_0000_u32.wrapping_add(function)
}

/// `SCARD_CTL_CODE(n)` of Windows.
#[must_use]
pub const fn windows_control_code(function: u32) -> u32 {
    0x0031_0000 | (function << 2)
}

/// The function number in a control code of either ABI.
#[must_use]
pub const fn control_function(code: u32) -> Option<u32> {
    if code & 0xFF00_0000 == 0x4200_0000 {
        Some(code & 0x00FF_FFFF)
    } else if code & 0xFFFF_0003 == 0x0031_0000 {
        Some((code & 0xFFFF) >> 2)
    } else {
        None
    }
}

/// A code in pcsc-lite's numbers.
///
/// pcsc-lite itself differs from Windows in `SCARD_E_UNSUPPORTED_FEATURE`, which is 0x1F there.
#[must_use]
pub const fn pcsclite_number(code: ScardCode) -> u32 {
    match code {
        ScardCode::UnsupportedFeature => 0x8010_001F,
        other => other.number(),
    }
}

/// A code from pcsc-lite's number. 0x1F is read as "unsupported feature": pcscd sends it in that sense only.
#[must_use]
pub const fn code_from_pcsclite(number: u32) -> Option<ScardCode> {
    match number {
        0x8010_001F => Some(ScardCode::UnsupportedFeature),
        other => ScardCode::from_number(other),
    }
}

/// `SCARD_SHARE_*`, the same in both.
#[must_use]
pub const fn share_mode_number(share: ShareMode) -> u32 {
    match share {
        ShareMode::Exclusive => 1,
        ShareMode::Shared => 2,
        ShareMode::Direct => 3,
    }
}

/// `SCARD_SHARE_*`, the same in both.
#[must_use]
pub const fn share_mode(number: u32) -> Option<ShareMode> {
    match number {
        1 => Some(ShareMode::Exclusive),
        2 => Some(ShareMode::Shared),
        3 => Some(ShareMode::Direct),
        _ => None,
    }
}

/// `SCARD_LEAVE_CARD` and its kin, the same in both.
#[must_use]
pub const fn disposition_number(disposition: Disposition) -> u32 {
    match disposition {
        Disposition::Leave => 0,
        Disposition::Reset => 1,
        Disposition::Unpower => 2,
        Disposition::Eject => 3,
    }
}

/// `SCARD_LEAVE_CARD` and its kin, the same in both.
#[must_use]
pub const fn disposition(number: u32) -> Option<Disposition> {
    match number {
        0 => Some(Disposition::Leave),
        1 => Some(Disposition::Reset),
        2 => Some(Disposition::Unpower),
        3 => Some(Disposition::Eject),
        _ => None,
    }
}

/// `SCARD_PROTOCOL_*` of pcsc-lite: T0 1, T1 2, raw 4; none is 0 (`SCARD_PROTOCOL_UNDEFINED`).
#[must_use]
pub const fn pcsclite_protocol_number(protocol: Option<Protocol>) -> u32 {
    match protocol {
        None => 0,
        Some(Protocol::T0) => 1,
        Some(Protocol::T1) => 2,
        Some(Protocol::Raw) => 4,
    }
}

/// A single protocol of pcsc-lite.
#[must_use]
pub const fn pcsclite_protocol(number: u32) -> Option<Protocol> {
    match number {
        1 => Some(Protocol::T0),
        2 => Some(Protocol::T1),
        4 => Some(Protocol::Raw),
        _ => None,
    }
}

/// A mask of protocols of pcsc-lite. `SCARD_PROTOCOL_ANY_OLD` (0x1000) is read as T=0 or T=1; T=15 (8) has no member.
///
/// DIFFERS: pcscd reads it so only while no protocol is agreed, in a reconnect too.
#[must_use]
pub const fn pcsclite_protocols(mask: u32) -> Protocols {
    let any_old = mask & 0x1000 != 0;
    Protocols { t0: any_old || mask & 1 != 0, t1: any_old || mask & 2 != 0, raw: mask & 4 != 0 }
}

/// The mask of a set of protocols, pcsc-lite.
#[must_use]
pub const fn pcsclite_protocols_mask(protocols: Protocols) -> u32 {
    let t0 = if protocols.t0 { 1 } else { 0 };
    let t1 = if protocols.t1 { 2 } else { 0 };
    let raw = if protocols.raw { 4 } else { 0 };
    t0 | t1 | raw
}

/// The state of a card as pcsc-lite's bit field: unknown 1, absent 2, present 4, swallowed 8, powered 0x10,
/// negotiable 0x20, specific 0x40. A card that answered reads 0x34, negotiated or not, as in pcscd.
///
/// DIFFERS: in pcscd it reads 0x04 after a disconnect that took its power.
#[must_use]
pub const fn pcsclite_card_state(state: CardState) -> u32 {
    match state {
        CardState::Unknown => 0x01,
        CardState::Absent => 0x02,
        CardState::Swallowed => 0x04 | 0x08,
        CardState::Negotiable | CardState::Specific => 0x04 | 0x10 | 0x20,
    }
}

/// The state of a card from pcsc-lite's bit field.
#[must_use]
pub const fn card_state_from_pcsclite(bits: u32) -> CardState {
    if bits & 0x02 != 0 {
        CardState::Absent
    } else if bits & 0x08 != 0 {
        CardState::Swallowed
    } else if bits & 0x40 != 0 {
        CardState::Specific
    } else if bits & 0x04 != 0 {
        CardState::Negotiable
    } else {
        CardState::Unknown
    }
}

/// `SCARD_PROTOCOL_*` of Windows: T0 1, T1 2, raw 0x10000; none is 0 (`SCARD_PROTOCOL_UNDEFINED`).
#[must_use]
pub const fn windows_protocol_number(protocol: Option<Protocol>) -> u32 {
    match protocol {
        None => 0,
        Some(Protocol::T0) => 1,
        Some(Protocol::T1) => 2,
        Some(Protocol::Raw) => 0x0001_0000,
    }
}

/// A single protocol of Windows.
#[must_use]
pub const fn windows_protocol(number: u32) -> Option<Protocol> {
    match number {
        1 => Some(Protocol::T0),
        2 => Some(Protocol::T1),
        0x0001_0000 => Some(Protocol::Raw),
        _ => None,
    }
}

/// A mask of protocols of Windows. `SCARD_PROTOCOL_DEFAULT` (`0x8000_0000`) leaves the parameters to the reader; alone it is
/// read as T=0 or T=1.
#[must_use]
pub const fn windows_protocols(mask: u32) -> Protocols {
    let any = mask == 0x8000_0000;
    Protocols { t0: any || mask & 1 != 0, t1: any || mask & 2 != 0, raw: mask & 0x0001_0000 != 0 }
}

/// The state of a card as Windows counts it: unknown 0, absent 1, present 2, swallowed 3, powered 4, negotiable 5,
/// specific 6. A card that does not answer stands in position and has no power: swallowed.
#[must_use]
pub const fn windows_card_state(state: CardState) -> u32 {
    match state {
        CardState::Unknown => 0,
        CardState::Absent => 1,
        CardState::Swallowed => 3,
        CardState::Negotiable => 5,
        CardState::Specific => 6,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_that_have_a_meaning_come_back_and_others_have_none() {
        for number in 0..=8 {
            if let Some(share) = share_mode(number) {
                assert_eq!(share_mode_number(share), number);
            }
            if let Some(what) = disposition(number) {
                assert_eq!(disposition_number(what), number);
            }
            if let Some(protocol) = pcsclite_protocol(number) {
                assert_eq!(pcsclite_protocol_number(Some(protocol)), number);
            }
        }
        assert_eq!((share_mode(0), share_mode(4)), (None, None));
        assert_eq!(disposition(4), None);
        for mask in 0..8 {
            assert_eq!(pcsclite_protocols_mask(pcsclite_protocols(mask)), mask);
        }
        assert_eq!(pcsclite_protocols(0x1000), Protocols::ANY);
    }

    #[test]
    fn protocols_of_windows_come_back() {
        for protocol in [Protocol::T0, Protocol::T1, Protocol::Raw] {
            let number = windows_protocol_number(Some(protocol));
            assert_eq!(windows_protocol(number), Some(protocol));
            assert_eq!(windows_protocols(number), Protocols::NONE.with(protocol));
        }
        assert_eq!(windows_protocol(4), None);
        assert_eq!(windows_protocols(0x8000_0000), Protocols::ANY);
        assert_eq!(windows_protocols(0), Protocols::NONE);
    }

    #[test]
    fn both_encodings_of_a_control_code_name_one_function() {
        assert_eq!(pcsclite_control_code(3400), 0x4200_0D48);
        assert_eq!(windows_control_code(3400), 0x0031_3520);
        assert_eq!(control_function(0x4200_0D48), Some(3400));
        assert_eq!(control_function(0x0031_3520), Some(3400));
        assert_eq!(control_function(0x1234_5678), None);
    }

    #[test]
    fn every_code_has_a_number_in_pcsc_lite_and_most_come_back() {
        for code in ScardCode::ALL {
            let back = code_from_pcsclite(pcsclite_number(*code));
            match code {
                // One number for two names there.
                ScardCode::Unexpected => assert_eq!(back, Some(ScardCode::UnsupportedFeature)),
                other => assert_eq!(back, Some(*other)),
            }
        }
    }
}

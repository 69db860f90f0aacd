//! What an answer to reset says about transmission, ISO 7816-3:2006, 8.3, 10 and 11.4.

use alloc::vec::Vec;
use core::fmt;

use scard_types::Protocol;
use scard_types::atr::{AtrError, InterfaceBytes};
use scard_types::{Atr, atr::AtrParts};

use crate::Rate;

/// T=15: not a protocol, but the mark of global interface bytes.
const GLOBAL: u8 = 15;

/// What a card wants, what it can, and what it begins with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CardParameters {
    /// TS is 3F: inverse convention.
    pub inverse: bool,
    /// The protocols of ours that it offers, its first choice first.
    pub offered: Vec<Protocol>,
    /// Whether there is something to agree on.
    pub mode: Mode,
    /// TA1: the rate that the card takes; Fd and Dd if it names none, or one that is reserved.
    pub rate: Rate,
    /// TC1: extra guard time, in etu; 255 is the least that the protocol allows.
    pub extra_guard_etu: u8,
    /// For T=0.
    pub t0: T0Parameters,
    /// For T=1.
    pub t1: T1Parameters,
    /// The first TA for T=15, high bits: in which state the clock may be stopped.
    pub clock_stop: ClockStop,
    /// The first TA for T=15, low bits: at which voltages the card works.
    pub classes: OperatingClasses,
}

/// ISO 7816-3:2006, 6.3.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// PPS may be done. Without one, the first protocol is spoken at the default rate.
    Negotiable {
        /// The first protocol, if it is one of ours.
        first: Option<Protocol>,
    },
    /// TA2: one protocol and one rate, now, and no PPS.
    Specific {
        /// The protocol, if it is one of ours.
        protocol: Option<Protocol>,
        /// Whether a reset may bring the card into negotiable mode.
        changeable: bool,
        /// The rate is not that of TA1 but one that both have to know from elsewhere.
        implicit: bool,
    },
}

/// T=0, ISO 7816-3:2006, 10.2.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct T0Parameters {
    /// TC2: work waiting time integer WI, 1 to 255.
    pub wi: u8,
}

/// T=1, ISO 7816-3:2006, 11.4.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct T1Parameters {
    /// The first TA for T=1: information field size of the card, 1 to 254.
    pub ifsc: u8,
    /// The first TB for T=1, high half: block waiting time integer, 0 to 9.
    pub bwi: u8,
    /// The first TB for T=1, low half: character waiting time integer, 0 to 15.
    pub cwi: u8,
    /// The first TC for T=1: whether blocks end with CRC instead of LRC.
    pub crc: bool,
}

/// ISO 7816-3:2006, 6.3.2.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ClockStop {
    /// Not at all.
    #[default]
    No,
    /// At the low level.
    Low,
    /// At the high level.
    High,
    /// At either.
    Either,
}

/// ISO 7816-3:2006, 5.1.3. A card that says nothing works at 5 V.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OperatingClasses {
    /// 5 V.
    pub a: bool,
    /// 3 V.
    pub b: bool,
    /// 1.8 V.
    pub c: bool,
}

/// Why an answer to reset says nothing that can be worked with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ParameterError {
    /// It cannot be taken apart.
    Atr(AtrError),
    /// It offers protocols, but none of ours.
    NoProtocol,
}

impl fmt::Display for ParameterError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Atr(error) => error.fmt(f),
            Self::NoProtocol => f.write_str("the card speaks neither T=0 nor T=1"),
        }
    }
}

impl core::error::Error for ParameterError {}

impl Default for T0Parameters {
    fn default() -> Self {
        Self { wi: 10 }
    }
}

impl Default for T1Parameters {
    fn default() -> Self {
        Self { ifsc: 32, bwi: 4, cwi: 13, crc: false }
    }
}

impl CardParameters {
    /// Reads an answer to reset. A wrong check character is not looked at: readers accept such cards. Values that the
    /// standard reserves count as if they were not there.
    ///
    /// # Errors
    /// See [`ParameterError`].
    pub fn of(atr: &Atr) -> Result<Self, ParameterError> {
        let parts = atr.layout().map_err(ParameterError::Atr)?;
        let first = group(&parts, 1);
        let second = group(&parts, 2);
        let offered = offered(&parts);
        let negotiable =
            || Mode::Negotiable { first: protocol(first.td.map_or(0, |td| td & 0x0F)) };
        let mode = second.ta.map_or_else(negotiable, specific);
        if offered.is_empty() {
            return Err(ParameterError::NoProtocol);
        }
        let global = first_for(&parts, GLOBAL).and_then(|group| group.ta);
        Ok(Self {
            inverse: parts.inverse,
            offered,
            mode,
            rate: first.ta.and_then(Rate::from_byte).unwrap_or(Rate::DEFAULT),
            extra_guard_etu: first.tc.unwrap_or(0),
            t0: second
                .tc
                .filter(|wi| *wi > 0)
                .map_or(T0Parameters::default(), |wi| T0Parameters { wi }),
            t1: first_for(&parts, 1).map_or_else(T1Parameters::default, t1),
            clock_stop: global.map_or(ClockStop::No, clock_stop),
            classes: global.and_then(classes).unwrap_or(OperatingClasses {
                a: true,
                b: false,
                c: false,
            }),
        })
    }

    /// What is spoken if nobody negotiates, if it is one of ours.
    #[must_use]
    pub fn default_protocol(&self) -> Option<Protocol> {
        match self.mode {
            Mode::Specific { protocol, .. } => protocol,
            Mode::Negotiable { first } => first,
        }
    }
}

/// Group `index`, counted from 1 as the standard does; empty where there is none.
fn group(parts: &AtrParts, index: usize) -> InterfaceBytes {
    index.checked_sub(1).and_then(|at| parts.interface.get(at)).copied().unwrap_or_default()
}

/// The first group of protocol `number` from the third on: its bytes are specific to that protocol.
fn first_for(parts: &AtrParts, number: u8) -> Option<InterfaceBytes> {
    let names = |group: &InterfaceBytes| group.td.is_some_and(|td| td & 0x0F == number);
    let pairs = parts.interface.iter().zip(parts.interface.iter().skip(1));
    // The first pair is TD1 with group 2, whose bytes are global.
    pairs.skip(1).find(|(naming, _)| names(naming)).map(|(_, group)| *group)
}

fn protocol(number: u8) -> Option<Protocol> {
    match number {
        0 => Some(Protocol::T0),
        1 => Some(Protocol::T1),
        _ => None,
    }
}

/// In the card's order; T=0 where no TD names any (ISO 7816-3:2006, 8.2.3).
fn offered(parts: &AtrParts) -> Vec<Protocol> {
    let mut offered = Vec::new();
    let mut named = false;
    for number in parts.interface.iter().filter_map(|group| group.td).map(|td| td & 0x0F) {
        named |= number != GLOBAL;
        if let Some(protocol) = protocol(number).filter(|protocol| !offered.contains(protocol)) {
            offered.push(protocol);
        }
    }
    if !named {
        offered.push(Protocol::T0);
    }
    offered
}

fn specific(ta2: u8) -> Mode {
    Mode::Specific {
        protocol: protocol(ta2 & 0x0F),
        changeable: ta2 & 0x80 == 0,
        implicit: ta2 & 0x10 != 0,
    }
}

fn t1(group: InterfaceBytes) -> T1Parameters {
    let default = T1Parameters::default();
    let waiting = group.tb.filter(|tb| tb >> 4 <= 9);
    T1Parameters {
        // 255 is reserved; cards that say it mean the most.
        ifsc: match group.ta {
            None | Some(0) => default.ifsc,
            Some(ifsc) => ifsc.min(254),
        },
        bwi: waiting.map_or(default.bwi, |tb| tb >> 4),
        cwi: waiting.map_or(default.cwi, |tb| tb & 0x0F),
        crc: group.tc.is_some_and(|tc| tc & 1 == 1),
    }
}

fn clock_stop(ta: u8) -> ClockStop {
    match ta >> 6 {
        0 => ClockStop::No,
        1 => ClockStop::Low,
        2 => ClockStop::High,
        _ => ClockStop::Either,
    }
}

fn classes(ta: u8) -> Option<OperatingClasses> {
    let bits = ta & 0x3F;
    let has = |bit| bits & bit != 0;
    (1..=7).contains(&bits).then(|| OperatingClasses { a: has(1), b: has(2), c: has(4) })
}

#[cfg(test)]
mod tests;

//! Protocol and parameters selection, ISO 7816-3:2006, 9: the fastest speed that both sides allow.

use alloc::vec::Vec;
use core::fmt;

use scard_types::Protocol;

use crate::{CardParameters, Mode, Rate};

/// PPSS, the first byte of both messages.
const PPSS: u8 = 0xFF;
/// In PPS0: PPS1 follows.
const HAS_PPS1: u8 = 0x10;
/// In PPS0: reserved.
const RESERVED: u8 = 0x80;
/// In PPS0: PPS2 and PPS3 follow.
const HAS_OTHERS: u8 = 0x60;

/// What a reader can do on the line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReaderLimits {
    /// The clock that it gives to the card, in kHz.
    pub clock_khz: u32,
    /// The highest rate, in bit/s.
    pub max_bits_per_second: u32,
    /// The rates that it knows, in bit/s; empty if it knows all up to the highest.
    pub rates: Vec<u32>,
}

impl ReaderLimits {
    /// Readers round their own figures.
    const ROUNDING: u32 = 2;

    fn allow(&self, rate: Rate) -> bool {
        let bits = rate.bits_per_second(self.clock_khz);
        let near = |known: &u32| known.abs_diff(bits) <= Self::ROUNDING;
        let known = self.rates.is_empty() || self.rates.iter().any(near);
        known && bits <= self.max_bits_per_second.saturating_add(Self::ROUNDING)
    }
}

/// What is to be spoken from now on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Agreement {
    /// The protocol.
    pub protocol: Protocol,
    /// The rate.
    pub rate: Rate,
}

/// How an agreement is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Plan {
    /// It is there already: no PPS.
    Agreed(Agreement),
    /// Send [`Request::message`] and see what the card says.
    Negotiate(Request),
}

/// Why there is no agreement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PpsError {
    /// The card does not offer that protocol, or speaks another one in specific mode.
    NotOffered {
        /// Which was wanted.
        wanted: Protocol,
    },
    /// The card insists on a rate that the reader does not know.
    RateNotSupported {
        /// In bit/s at the reader's clock.
        bits_per_second: u32,
    },
    /// The card insists on parameters that it does not tell.
    Implicit,
    /// The card's answer is no PPS response, or its check byte is wrong.
    Malformed,
    /// The card answers something that was not proposed.
    Refused,
}

impl fmt::Display for PpsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotOffered { wanted } => write!(f, "the card does not speak {wanted:?}"),
            Self::RateNotSupported { bits_per_second } => {
                write!(
                    f,
                    "the card insists on {bits_per_second} bit/s, the reader does not know them"
                )
            }
            Self::Implicit => f.write_str("the card insists on parameters that it does not tell"),
            Self::Malformed => f.write_str("the card's answer is no PPS response"),
            Self::Refused => f.write_str("the card refuses what was proposed"),
        }
    }
}

impl core::error::Error for PpsError {}

/// Chooses protocol and rate. Nothing is negotiated that is so already.
///
/// # Errors
/// [`PpsError::NotOffered`], [`PpsError::RateNotSupported`], [`PpsError::Implicit`].
pub fn choose(
    card: &CardParameters,
    reader: &ReaderLimits,
    wanted: Protocol,
) -> Result<Plan, PpsError> {
    let default = Agreement { protocol: wanted, rate: Rate::DEFAULT };
    match card.mode {
        Mode::Specific { protocol, .. } if protocol != Some(wanted) => {
            Err(PpsError::NotOffered { wanted })
        }
        Mode::Specific { implicit: true, .. } => Err(PpsError::Implicit),
        Mode::Specific { .. } if !reader.allow(card.rate) => {
            let bits_per_second = card.rate.bits_per_second(reader.clock_khz);
            Err(PpsError::RateNotSupported { bits_per_second })
        }
        Mode::Specific { .. } => Ok(Plan::Agreed(Agreement { rate: card.rate, ..default })),
        Mode::Negotiable { .. } if !card.offered.contains(&wanted) => {
            Err(PpsError::NotOffered { wanted })
        }
        Mode::Negotiable { first } => {
            let fits = |rate: &Rate| reader.allow(*rate);
            let is_faster = |rate: &Rate| {
                let bits = |rate: Rate| rate.bits_per_second(reader.clock_khz);
                bits(*rate) > bits(Rate::DEFAULT)
            };
            let rate = card.rate.downwards().find(fits).filter(is_faster).unwrap_or(Rate::DEFAULT);
            let agreement = Agreement { rate, ..default };
            if rate == Rate::DEFAULT && first == Some(wanted) {
                Ok(Plan::Agreed(agreement))
            } else {
                Ok(Plan::Negotiate(Request { proposed: agreement }))
            }
        }
    }
}

/// A PPS request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Request {
    proposed: Agreement,
}

impl Request {
    /// What is proposed.
    #[must_use]
    pub const fn proposed(&self) -> Agreement {
        self.proposed
    }

    /// The request: PPSS, PPS0, PPS1 where the rate is not the default, PCK.
    #[must_use]
    pub fn message(&self) -> Vec<u8> {
        let number = number_of(self.proposed.protocol);
        let mut message = alloc::vec![PPSS];
        if self.proposed.rate == Rate::DEFAULT {
            message.push(number);
        } else {
            message.extend([number | HAS_PPS1, self.proposed.rate.byte()]);
        }
        message.push(sum(&message));
        message
    }

    /// How many bytes the response has, once its PPS0 is there.
    #[must_use]
    pub fn response_bytes(pps0: u8) -> usize {
        let others = [HAS_PPS1, 0x20, 0x40].into_iter().filter(|bit| pps0 & bit != 0).count();
        // PPSS, PPS0, PCK.
        others.saturating_add(3)
    }

    /// Reads the response, ISO 7816-3:2006, 9.3: the request again, or without PPS1, which leaves the default rate.
    ///
    /// # Errors
    /// [`PpsError::Malformed`], [`PpsError::Refused`]: the card is to be reset.
    pub fn understand(&self, response: &[u8]) -> Result<Agreement, PpsError> {
        let [PPSS, pps0, rest @ .., _] = response else { return Err(PpsError::Malformed) };
        if response.len() != Self::response_bytes(*pps0) || sum(response) != 0 {
            return Err(PpsError::Malformed);
        }
        let same_protocol = pps0 & 0x0F == number_of(self.proposed.protocol);
        if !same_protocol || pps0 & (RESERVED | HAS_OTHERS) != 0 {
            return Err(PpsError::Refused);
        }
        match rest {
            [] => Ok(Agreement { rate: Rate::DEFAULT, ..self.proposed }),
            [pps1] if *pps1 == self.proposed.rate.byte() && self.proposed.rate != Rate::DEFAULT => {
                Ok(self.proposed)
            }
            _ => Err(PpsError::Refused),
        }
    }
}

/// The number in PPS0; a protocol that is none is asked for by nobody.
const fn number_of(protocol: Protocol) -> u8 {
    match protocol {
        Protocol::T0 => 0,
        Protocol::T1 => 1,
        Protocol::Raw => 0x0F,
    }
}

fn sum(bytes: &[u8]) -> u8 {
    bytes.iter().fold(0, |sum, byte| sum ^ byte)
}

#[cfg(test)]
mod tests {
    use super::*;
    use scard_types::Atr;
    use scard_types::Protocol::{T0, T1};

    /// T=0 and T=1, TA1 = 18: 129,032 bit/s at 4 MHz.
    const TWO_PROTOCOLS: &[u8] = &[0x3B, 0x90, 0x18, 0x80, 0x01, 0x09];
    const SPECIFIC_T1: &[u8] = &[0x3B, 0x90, 0x96, 0x91, 0x81, 0x31, 0xFE, 0x45, 0x00];

    fn reader(max_bits_per_second: u32, rates: &[u32]) -> ReaderLimits {
        ReaderLimits { clock_khz: 4_000, max_bits_per_second, rates: rates.to_vec() }
    }

    fn plan(atr: &[u8], reader: &ReaderLimits, wanted: Protocol) -> Result<Plan, PpsError> {
        choose(&CardParameters::of(&Atr::new(atr).unwrap()).unwrap(), reader, wanted)
    }

    #[track_caller]
    fn proposes(atr: &[u8], reader: &ReaderLimits, wanted: Protocol, message: &[u8]) -> Request {
        match plan(atr, reader, wanted) {
            Ok(Plan::Negotiate(request)) => {
                assert_eq!(request.message(), message);
                request
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_fastest_rate_that_both_know_is_proposed() {
        proposes(TWO_PROTOCOLS, &reader(500_000, &[]), T0, &[0xFF, 0x10, 0x18, 0xF7]);
        proposes(TWO_PROTOCOLS, &reader(500_000, &[]), T1, &[0xFF, 0x11, 0x18, 0xF6]);
        proposes(TWO_PROTOCOLS, &reader(100_000, &[]), T1, &[0xFF, 0x11, 0x14, 0xFA]);
        let some = reader(500_000, &[10_753, 43_011, 344_086]);
        proposes(TWO_PROTOCOLS, &some, T0, &[0xFF, 0x10, 0x13, 0xFC]);
    }

    #[test]
    fn nothing_is_negotiated_that_is_so_already() {
        let slow = reader(10_753, &[]);
        let default = Agreement { protocol: T0, rate: Rate::DEFAULT };
        assert_eq!(plan(TWO_PROTOCOLS, &slow, T0), Ok(Plan::Agreed(default)));
        proposes(TWO_PROTOCOLS, &slow, T1, &[0xFF, 0x01, 0xFE]);
        // The card begins with a protocol that is none of ours.
        proposes(&[0x3B, 0x80, 0x8E, 0x01, 0x0F], &slow, T1, &[0xFF, 0x01, 0xFE]);
        assert_eq!(plan(&[0x3B, 0x00], &reader(500_000, &[]), T0), Ok(Plan::Agreed(default)));
    }

    #[test]
    fn a_card_in_specific_mode_is_taken_as_it_is_or_not_at_all() {
        let agreed = Agreement { protocol: T1, rate: Rate::from_byte(0x96).unwrap() };
        assert_eq!(plan(SPECIFIC_T1, &reader(500_000, &[]), T1), Ok(Plan::Agreed(agreed)));
        assert_eq!(
            plan(SPECIFIC_T1, &reader(100_000, &[]), T1),
            Err(PpsError::RateNotSupported { bits_per_second: 250_000 })
        );
        let fast = reader(500_000, &[]);
        assert_eq!(plan(SPECIFIC_T1, &fast, T0), Err(PpsError::NotOffered { wanted: T0 }));
        assert_eq!(plan(&[0x3B, 0x90, 0x96, 0x11, 0x11, 0x06], &fast, T1), Err(PpsError::Implicit));
        assert_eq!(plan(&[0x3B, 0x80, 0x10, 0x10], &fast, T0), Err(PpsError::Implicit));
        assert_eq!(plan(&[0x3B, 0x00], &fast, T1), Err(PpsError::NotOffered { wanted: T1 }));
    }

    #[test]
    fn responses() {
        let request = proposes(TWO_PROTOCOLS, &reader(500_000, &[]), T1, &[0xFF, 0x11, 0x18, 0xF6]);
        assert_eq!(request.understand(&[0xFF, 0x11, 0x18, 0xF6]), Ok(request.proposed()));
        let default = Agreement { protocol: T1, rate: Rate::DEFAULT };
        assert_eq!(request.understand(&[0xFF, 0x01, 0xFE]), Ok(default));
        for refused in [
            &[0xFF, 0x10, 0x18, 0xF7][..],
            &[0xFF, 0x11, 0x13, 0xFD],
            &[0xFF, 0x81, 0x7E],
            &[0xFF, 0x41, 0x00, 0xBE],
            &[0xFF, 0x00, 0xFF],
        ] {
            assert_eq!(request.understand(refused), Err(PpsError::Refused), "{refused:02X?}");
        }
        for malformed in [
            &[][..],
            &[0xFF],
            &[0xFF, 0x11],
            &[0xFF, 0x11, 0x18],
            &[0xFF, 0x11, 0x18, 0xF7],
            &[0xFE, 0x11, 0x18, 0xF7],
            &[0xFF, 0x01, 0xFE, 0x00],
        ] {
            assert_eq!(request.understand(malformed), Err(PpsError::Malformed), "{malformed:02X?}");
        }
    }
}

//! Waiting times, ISO 7816-3:2006, 10.2 and 11.4.3: how long a card may be silent.

use core::time::Duration;

use crate::{CardParameters, Rate};

/// Prologue, information field, CRC.
const LONGEST_BLOCK_BYTES: u32 = 3 + 254 + 2;
/// Header, a procedure byte, data, status word.
const LONGEST_TPDU_BYTES: u32 = 5 + 1 + 256 + 2;

/// The line as it was agreed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Line {
    /// The clock that the reader gives to the card, in kHz.
    pub clock_khz: u32,
    /// Fi and Di.
    pub rate: Rate,
}

impl Line {
    /// That many elementary time units.
    #[must_use]
    pub fn etu(&self, count: u64) -> Duration {
        let cycles = count.saturating_mul(self.rate.fi().into());
        self.cycles(cycles.div_ceil(u64::from(self.rate.di()).max(1)))
    }

    /// That many clock cycles, in microseconds, rounded up.
    fn cycles(&self, cycles: u64) -> Duration {
        let micros = cycles.saturating_mul(1_000).div_ceil(u64::from(self.clock_khz).max(1));
        Duration::from_micros(micros)
    }

    /// T=0: the longest silence before a character, WT = WI x 960 x Fi / f.
    #[must_use]
    pub fn work_waiting_time(&self, card: &CardParameters) -> Duration {
        let cycles =
            u64::from(card.t0.wi).saturating_mul(960).saturating_mul(card.rate.fi().into());
        self.cycles(cycles)
    }

    /// T=1: the longest silence before a block, BWT = 11 etu + 2^BWI x 960 x Fd / f.
    #[must_use]
    pub fn block_waiting_time(&self, card: &CardParameters) -> Duration {
        let cycles = (960_u64 * 372).saturating_mul(1 << card.t1.bwi.min(9));
        self.etu(11).saturating_add(self.cycles(cycles))
    }

    /// T=1: the longest silence between two characters of a block, CWT = 11 etu + 2^CWI etu.
    #[must_use]
    pub fn character_waiting_time(&self, card: &CardParameters) -> Duration {
        self.etu(11_u64.saturating_add(1 << card.t1.cwi.min(15)))
    }

    /// T=1: within which a block of any length is sent and another one is back; `patience` is that of the step.
    #[must_use]
    pub fn longest_block_exchange(&self, card: &CardParameters, patience: u8) -> Duration {
        let sent = self.guard_time(card, true).saturating_mul(LONGEST_BLOCK_BYTES);
        let silent = self.block_waiting_time(card).saturating_mul(patience.into());
        let back = self.character_waiting_time(card).saturating_mul(LONGEST_BLOCK_BYTES);
        sent.saturating_add(silent).saturating_add(back)
    }

    /// T=0: within which a TPDU of any length is answered by a card that sends no NULL and is as slow as it may be.
    #[must_use]
    pub fn longest_tpdu_exchange(&self, card: &CardParameters) -> Duration {
        let sent = self.guard_time(card, false).saturating_mul(LONGEST_TPDU_BYTES);
        sent.saturating_add(self.work_waiting_time(card).saturating_mul(LONGEST_TPDU_BYTES))
    }

    /// The least from one character to the next that the card takes (GT), TC1 255 being the least of the protocol.
    #[must_use]
    pub fn guard_time(&self, card: &CardParameters, is_t1: bool) -> Duration {
        match card.extra_guard_etu {
            255 => self.etu(if is_t1 { 11 } else { 12 }),
            extra => self.etu(12_u64.saturating_add(extra.into())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use scard_types::Atr;

    fn card(atr: &[u8]) -> CardParameters {
        CardParameters::of(&Atr::new(atr).unwrap()).unwrap()
    }

    #[test]
    fn the_times_of_the_standards_defaults() {
        // At 3.57 MHz the standard's figures: 9,600 bit/s, work waiting time 1 s, block waiting time 1.6 s.
        let line = Line { clock_khz: 3_571, rate: Rate::DEFAULT };
        let default = card(&[0x3B, 0x00]);
        assert_eq!(line.etu(9_600), Duration::from_micros(1_000_057));
        assert_eq!(line.work_waiting_time(&default), Duration::from_micros(1_000_057));
        assert_eq!(line.block_waiting_time(&default), Duration::from_micros(1_601_236));
        assert_eq!(line.character_waiting_time(&default), line.etu(8_203));
        assert_eq!(line.guard_time(&default, false), line.etu(12));
    }

    #[test]
    fn a_faster_line_shortens_characters_and_not_the_patience_for_a_block() {
        let card = card(&[
            0x3B, 0xFD, 0x13, 0x00, 0xFF, 0x81, 0x31, 0xFE, 0x15, 0x80, 0x73, 0xC0, 0x21, 0xC0,
            0x57, 0x59, 0x75, 0x62, 0x69, 0x4B, 0x65, 0x79, 0xBF,
        ]);
        let slow = Line { clock_khz: 4_000, rate: Rate::DEFAULT };
        let fast = Line { clock_khz: 4_000, rate: card.rate };
        assert_eq!(fast.etu(4), slow.etu(1));
        let (slow_block, fast_block) =
            (slow.block_waiting_time(&card), fast.block_waiting_time(&card));
        assert!(
            slow_block - fast_block < Duration::from_micros(1_100),
            "{slow_block:?} {fast_block:?}"
        );
        assert_eq!(fast.guard_time(&card, true), fast.etu(11));
    }
}

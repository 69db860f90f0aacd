//! Fi and Di, ISO 7816-3:2006, 8.3: how fast characters follow each other.

/// Clock rate conversion integer Fi and highest clock in kHz, by the high half of TA1 (table 7).
const FI: [Option<(u16, u32)>; 16] = [
    Some((372, 4_000)),
    Some((372, 5_000)),
    Some((558, 6_000)),
    Some((744, 8_000)),
    Some((1_116, 12_000)),
    Some((1_488, 16_000)),
    Some((1_860, 20_000)),
    None,
    None,
    Some((512, 5_000)),
    Some((768, 7_500)),
    Some((1_024, 10_000)),
    Some((1_536, 15_000)),
    Some((2_048, 20_000)),
    None,
    None,
];

/// Baud rate adjustment integer Di, by the low half of TA1 (table 8).
const DI: [Option<u8>; 16] = [
    None,
    Some(1),
    Some(2),
    Some(4),
    Some(8),
    Some(16),
    Some(32),
    Some(64),
    Some(12),
    Some(20),
    None,
    None,
    None,
    None,
    None,
    None,
];

/// A pair of Fi and Di, as TA1 and PPS1 write it: one elementary time unit (etu) is Fi / Di clock cycles.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    ta1: u8,
    fi: u16,
    di: u8,
}

impl Rate {
    /// Fd = 372, Dd = 1: what every card begins with (ISO 7816-3:2006, 8.1).
    pub const DEFAULT: Self = Self { ta1: 0x11, fi: 372, di: 1 };

    /// The pair that a byte stands for; `None` for values that are reserved.
    #[must_use]
    pub fn from_byte(ta1: u8) -> Option<Self> {
        let (fi, _) = (*FI.get(usize::from(ta1 >> 4))?)?;
        let di = (*DI.get(usize::from(ta1 & 0x0F))?)?;
        Some(Self { ta1, fi, di })
    }

    /// The byte.
    #[must_use]
    pub const fn byte(self) -> u8 {
        self.ta1
    }

    /// Fi.
    #[must_use]
    pub const fn fi(self) -> u16 {
        self.fi
    }

    /// Di.
    #[must_use]
    pub const fn di(self) -> u8 {
        self.di
    }

    /// The highest clock that the card takes with this Fi, in kHz.
    #[must_use]
    pub fn max_clock_khz(self) -> u32 {
        FI.get(usize::from(self.ta1 >> 4)).copied().flatten().map_or(5_000, |(_, clock)| clock)
    }

    /// Bits in a second at that clock, rounded down.
    #[must_use]
    pub fn bits_per_second(self, clock_khz: u32) -> u32 {
        let cycles = u64::from(clock_khz).saturating_mul(1_000).saturating_mul(self.di.into());
        let bits = cycles.checked_div(self.fi.into()).unwrap_or(0);
        u32::try_from(bits).unwrap_or(u32::MAX)
    }

    /// This one and all that are slower with the same Fi, from the fastest down: what may be proposed instead
    /// (ISO 7816-3:2006, 9.2).
    pub(crate) fn downwards(self) -> impl Iterator<Item = Self> {
        let slower = |other: &Self| other.di <= self.di;
        let mut rates: alloc::vec::Vec<Self> = (0..=0x0F)
            .filter_map(|low| Self::from_byte(self.ta1 & 0xF0 | low))
            .filter(slower)
            .collect();
        rates.sort_by_key(|rate| core::cmp::Reverse(rate.di));
        rates.into_iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_rates() {
        for (byte, fi, di, clock_khz, bits) in [
            (0x11, 372, 1, 4_000, 10_752),
            (0x13, 372, 4, 4_000, 43_010),
            (0x18, 372, 12, 4_000, 129_032),
            (0x95, 512, 16, 4_000, 125_000),
            (0x96, 512, 32, 4_800, 300_000),
            (0x97, 512, 64, 5_000, 625_000),
        ] {
            let rate = Rate::from_byte(byte).unwrap();
            assert_eq!((rate.fi(), rate.di(), rate.byte()), (fi, di, byte));
            assert_eq!(rate.bits_per_second(clock_khz), bits);
        }
        for reserved in [0x10, 0x71, 0x81, 0xE1, 0x9A, 0xFF] {
            assert_eq!(Rate::from_byte(reserved), None);
        }
        assert_eq!(Rate::from_byte(0x11), Some(Rate::DEFAULT));
    }

    #[test]
    fn slower_rates_come_in_order() {
        let downwards: alloc::vec::Vec<u8> =
            Rate::from_byte(0x96).unwrap().downwards().map(Rate::byte).collect();
        assert_eq!(downwards, [0x96, 0x99, 0x95, 0x98, 0x94, 0x93, 0x92, 0x91]);
    }
}

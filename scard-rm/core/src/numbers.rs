//! Numbers for contexts, handles and jobs.

/// A stream of numbers from a seed (splitmix64, after Steele, Lea and Flood, 2014). Numbers are spread so that programs
/// do not come to rely on their order; they are no secret, since each is worth something on its own connection only.
pub(crate) struct Numbers {
    state: u64,
}

impl Numbers {
    pub(crate) const fn new(seed: u64) -> Self {
        Self { state: seed }
    }

    fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A number of 31 bits that is not zero and not `taken`. Ends because the quotas keep most numbers free.
    pub(crate) fn fresh(&mut self, taken: impl Fn(u32) -> bool) -> u32 {
        loop {
            let number = u32::try_from(self.next() >> 33).unwrap_or(0);
            if number != 0 && !taken(number) {
                return number;
            }
        }
    }
}

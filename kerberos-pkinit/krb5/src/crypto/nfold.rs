//! The n-fold of RFC 3961, 5.1.
#![expect(clippy::arithmetic_side_effects, reason = "remainders of lengths that are not zero")]

use alloc::vec::Vec;

/// Stretches or folds `input` to `length` bytes, so that each bit of the input has the same weight.
///
/// The input is repeated, each copy turned right by 13 bits more than the one before, until its length is a common
/// multiple of both; then pieces of `length` bytes are added in one's complement.
#[must_use]
pub fn nfold(input: &[u8], length: usize) -> Vec<u8> {
    let mut folded = alloc::vec![0_u8; length];
    if input.is_empty() || length == 0 {
        return folded;
    }
    let total = lcm(input.len(), length);
    let mut carry = 0_u16;
    for at in (0..total).rev() {
        let place = at % length;
        let Some(to) = folded.get_mut(place) else { continue };
        let sum = carry.wrapping_add(u16::from(*to)).wrapping_add(u16::from(turned(input, at)));
        let [high, low] = sum.to_be_bytes();
        *to = low;
        carry = u16::from(high);
    }
    // The carry out of the first byte comes in again at the last.
    while carry != 0 {
        for to in folded.iter_mut().rev() {
            let [high, low] = carry.wrapping_add(u16::from(*to)).to_be_bytes();
            *to = low;
            carry = u16::from(high);
        }
    }
    folded
}

/// The byte at a place of the repeated and turned input.
fn turned(input: &[u8], at: usize) -> u8 {
    let bits = input.len().saturating_mul(8);
    let copy = at.checked_div(input.len()).unwrap_or(0);
    let turn = copy.wrapping_mul(13) % bits;
    let place = at % input.len();
    // The first bit of this byte stood `turn` bits further left.
    let first = place.saturating_mul(8).saturating_add(bits).saturating_sub(turn) % bits;
    let byte = |index: usize| input.get(index % input.len()).copied().map_or(0, u16::from);
    let index = first / 8;
    let pair = (byte(index) << 8) | byte(index.saturating_add(1));
    let shift = u32::try_from(first % 8).unwrap_or(0);
    let [top, _] = (pair << shift).to_be_bytes();
    top
}

fn lcm(a: usize, b: usize) -> usize {
    let (mut x, mut y) = (a, b);
    while y != 0 {
        (x, y) = (y, x % y);
    }
    a.checked_div(x).unwrap_or(0).saturating_mul(b)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 3961, appendix A.1.
    #[test]
    fn the_values_of_the_standard() {
        for (input, expected) in [
            (&b"012345"[..], &[0xbe, 0x07, 0x26, 0x31, 0x27, 0x6b, 0x19, 0x55][..]),
            (b"password", &[0x78, 0xa0, 0x7b, 0x6c, 0xaf, 0x85, 0xfa]),
            (
                b"Rough Consensus, and Running Code",
                &[0xbb, 0x6e, 0xd3, 0x08, 0x70, 0xb7, 0xf0, 0xe0],
            ),
            (
                b"password",
                &[
                    0x59, 0xe4, 0xa8, 0xca, 0x7c, 0x03, 0x85, 0xc3, 0xc3, 0x7b, 0x3f, 0x6d, 0x20,
                    0x00, 0x24, 0x7c, 0xb6, 0xe6, 0xbd, 0x5b, 0x3e,
                ],
            ),
            (
                b"Q",
                &[
                    0x51, 0x8a, 0x54, 0xa2, 0x15, 0xa8, 0x45, 0x2a, 0x51, 0x8a, 0x54, 0xa2, 0x15,
                    0xa8, 0x45, 0x2a, 0x51, 0x8a, 0x54, 0xa2, 0x15,
                ],
            ),
            (
                b"ba",
                &[
                    0xfb, 0x25, 0xd5, 0x31, 0xae, 0x89, 0x74, 0x49, 0x9f, 0x52, 0xfd, 0x92, 0xea,
                    0x98, 0x57, 0xc4, 0xba, 0x24, 0xcf, 0x29, 0x7e,
                ],
            ),
            (b"kerberos", b"kerberos"),
            (
                b"kerberos",
                &[
                    0x6b, 0x65, 0x72, 0x62, 0x65, 0x72, 0x6f, 0x73, 0x7b, 0x9b, 0x5b, 0x2b, 0x93,
                    0x13, 0x2b, 0x93,
                ],
            ),
        ] {
            assert_eq!(nfold(input, expected.len()), expected, "{input:02X?}");
        }
        assert_eq!(nfold(b"", 4), [0; 4]);
        assert_eq!(nfold(b"x", 0), []);
    }
}

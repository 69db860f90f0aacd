//! The features of a reader as it lists them: the control codes in the list become those of Windows.

use scard_types::abi;

/// `CM_IOCTL_GET_FEATURE_REQUEST`, PC/SC part 10, 2.2.
pub(crate) const REQUEST: u32 = 3400;
/// A tag, a length of 4, and a code with its highest byte first (PC/SC part 10, 2.2).
const ENTRY_BYTES: usize = 6;
/// Function numbers that a code of Windows has room for.
const FUNCTIONS: u32 = 1 << 14;

/// Translates the codes of a list; what is no list of features stays as it is.
pub(crate) fn in_windows_codes(list: &mut [u8]) {
    for entry in list.chunks_exact_mut(ENTRY_BYTES) {
        let [_, 4, code @ ..] = entry else { return };
        let Ok(number) = <[u8; 4]>::try_from(&*code) else { return };
        let function = abi::control_function(u32::from_be_bytes(number));
        // A vendor's number that is too large stays; the resource manager knows it in this form, too.
        if let Some(function) = function.filter(|function| *function < FUNCTIONS) {
            code.copy_from_slice(&abi::windows_control_code(function).to_be_bytes());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_of_pcsc_lite_become_those_of_windows() {
        let cases: [(&[u8], &[u8]); 5] = [
            (&[], &[]),
            (&[6, 4, 0x42, 0x00, 0x0D, 0x48], &[6, 4, 0x00, 0x31, 0x35, 0x20]),
            // A vendor's.
            (&[18, 4, 0x42, 0x33, 0x00, 0x12], &[18, 4, 0x42, 0x33, 0x00, 0x12]),
            (&[6, 4, 0x00, 0x31, 0x35, 0x20], &[6, 4, 0x00, 0x31, 0x35, 0x20]),
            // No list.
            (&[6, 5, 0x42, 0x00, 0x0D, 0x48, 1], &[6, 5, 0x42, 0x00, 0x0D, 0x48, 1]),
        ];
        for (given, expected) in cases {
            let mut list = given.to_vec();
            in_windows_codes(&mut list);
            assert_eq!(list, expected, "{given:02X?}");
        }
    }
}

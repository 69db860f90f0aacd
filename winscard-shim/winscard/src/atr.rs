//! How long an answer to reset is that comes without a length (`SCardListCards`, `SCardIntroduceCardType`).

use scard_types::Atr;

/// The length that the bytes announce themselves (ISO 7816-3:2006, 8.2). `byte` is asked for bytes in order and never for
/// one that was not announced; `None` if they are no answer to reset.
pub(crate) fn announced_length(mut byte: impl FnMut(usize) -> u8) -> Option<usize> {
    if !matches!(byte(0), 0x3B | 0x3F) {
        return None;
    }
    let format = byte(1);
    let (mut length, mut groups, mut has_check) = (2, format >> 4, false);
    while groups != 0 {
        let members = usize::try_from(groups.count_ones()).ok()?;
        length += members;
        // The last member of a group announces the next one.
        let next = if groups & 8 == 0 { 0 } else { byte(within(length)? - 1) };
        has_check |= next & 0x0F != 0;
        groups = next >> 4;
    }
    within(length + usize::from(format & 0x0F) + usize::from(has_check))
}

fn within(length: usize) -> Option<usize> {
    (length <= Atr::MAX_BYTES).then_some(length)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_length_is_found_without_a_look_beyond_the_end() {
        let answers: [&[u8]; 4] = [
            &[0x3B, 0x00],
            &[0x3B, 0x02, 0x14, 0x50],
            &[
                0x3B, 0xFD, 0x13, 0x00, 0x00, 0x81, 0x31, 0xFE, 0x15, 0x80, 0x73, 0xC0, 0x21, 0xC0,
                0x57, 0x59, 0x75, 0x62, 0x69, 0x4B, 0x65, 0x79, 0x40,
            ],
            &[0x3F, 0x80, 0x01, 0x00],
        ];
        for answer in answers {
            let length = announced_length(|at| answer[at]);
            // TD1 = 01 of the last one announces a check character.
            assert_eq!(length, Some(answer.len()), "{answer:02X?}");
        }
    }

    #[test]
    fn what_goes_on_for_ever_is_no_answer() {
        assert_eq!(announced_length(|at| if at == 0 { 0x3B } else { 0xFF }), None);
        assert_eq!(announced_length(|_| 0x00), None);
    }
}

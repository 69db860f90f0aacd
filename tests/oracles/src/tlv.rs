//! BER-TLV, whatever a card sends for it.

use scard_types::tlv::{self, MAX_DEPTH, Tlv};

/// Elements lie inside the input one after another, and each survives being written and read again.
pub(crate) fn check(bytes: &[u8]) {
    walk(bytes, MAX_DEPTH);
}

fn walk(bytes: &[u8], depth: usize) {
    let mut rest = bytes;
    let mut seen = Vec::new();
    for element in tlv::elements(bytes) {
        let Ok(element) = element else {
            assert!(Tlv::read(rest).is_err(), "one view refuses what the other reads");
            return;
        };
        let Ok((again, after)) = Tlv::read(rest) else {
            panic!("one view reads what the other refuses");
        };
        assert_eq!(again, element);
        let used = rest.len() - after.len();
        assert!(used >= element.value.len() + 2, "an element is longer than its bytes");
        rest = after;

        let written = tlv::element(element.tag, element.value);
        assert!(written.len() <= used, "what is written is the shortest form");
        let read = Tlv::read(&written);
        assert!(read == Ok((element, &[])), "{element:?} is read as {read:?}");
        if !seen.contains(&element.tag) {
            seen.push(element.tag);
            assert_eq!(tlv::find(bytes, element.tag), Some(element.value));
        }
        if element.is_constructed() && depth > 0 {
            walk(element.value, depth - 1);
        }
    }
    assert!(rest.is_empty(), "bytes are left and nobody says so");
}

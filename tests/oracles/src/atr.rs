//! An answer to reset, whatever a card sends for one.

use scard_types::Atr;
use scard_types::atr::AtrParts;

/// What was taken apart can be put together again, cut short it is never taken for whole, and all views of it agree.
pub(crate) fn check(bytes: &[u8]) {
    let Ok(atr) = Atr::new(bytes) else { return };
    assert_eq!(atr.as_bytes(), bytes, "an answer is kept as it came");
    assert!(bytes.len() <= Atr::MAX_BYTES, "{} bytes are kept", bytes.len());
    assert_eq!(atr.to_string().len(), bytes.len() * 3 - 1, "two digits a byte");
    let protocols = atr.protocols();
    assert!((1..=2).contains(&protocols.len()), "{protocols:?}");
    let Ok(parts) = atr.layout() else {
        assert!(atr.parts().is_err(), "the stricter view takes what the other refuses");
        return;
    };
    assert_eq!(put_together(bytes, &parts), bytes, "nothing is lost or invented");
    if let Ok(strict) = atr.parts() {
        assert_eq!(strict, parts);
        let end = bytes.len() - parts.trailing.len();
        let checked = &bytes[1..end];
        let sum = checked.iter().fold(0, |sum, byte| sum ^ byte);
        assert!(parts.check.is_none() || sum == 0, "a wrong check character passed");
    }
    let whole = bytes.len() - parts.trailing.len();
    for end in 2..whole {
        let cut = Atr::new(&bytes[..end]).map(|atr| atr.layout());
        assert!(cut.is_ok_and(|layout| layout.is_err()), "cut at {end} it is taken for whole");
    }
}

fn put_together(bytes: &[u8], parts: &AtrParts) -> Vec<u8> {
    let mut whole = vec![bytes[0], parts.format];
    for group in &parts.interface {
        whole.extend([group.ta, group.tb, group.tc, group.td].into_iter().flatten());
    }
    whole.extend(&parts.historical);
    whole.extend(parts.check);
    whole.extend(&parts.trailing);
    whole
}

//! What must hold for any bytes of a card that are shown to people, for the fuzz targets.

use scard_types::Atr;

use crate::atr;

/// Takes `bytes` for an answer to reset, as `scard atr` and `scard list` explain it.
///
/// # Panics
/// If the explanation cannot be written, or would tell a terminal what to do: the bytes are a stranger's.
pub fn explanation(bytes: &[u8]) {
    let Ok(explained) = Atr::new(bytes).and_then(|atr| atr::explain(&atr)) else { return };
    let json = serde_json::to_string(&explained);
    assert!(json.is_ok_and(|json| !json.chars().any(char::is_control)), "no JSON on one line");
    let mut text = Vec::new();
    assert!(atr::write(&explained, &mut text).is_ok(), "an explanation that cannot be written");
    let text = anstream::adapter::strip_bytes(&text).into_vec();
    let text = String::from_utf8_lossy(&text);
    let orders = text.chars().any(|letter| letter.is_control() && letter != '\n');
    assert!(!orders && !text.contains('\u{FFFD}'), "a terminal is told what to do");
}

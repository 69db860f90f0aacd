//! Command APDUs, and what of them may be shown.

use scard_types::secret_commands::{Visibility, carries_pin, visibility};
use scard_types::{CommandApdu, ResponseApdu};

/// A command means the same after it was written and read again, shows nothing of its data, and a PIN is hidden in every
/// form that a command can have.
pub(crate) fn check(bytes: &[u8]) {
    if let Some(response) = ResponseApdu::parse(bytes) {
        let status = response.status.0.to_be_bytes();
        assert_eq!([response.data.expose(), &status].concat(), bytes);
    }
    let parsed = CommandApdu::parse(bytes);
    let shown = visibility(bytes, false);
    assert!(shown == Visibility::HeaderOnly || bytes.len() >= 4, "a broken header is shown");
    if carries_pin(bytes) && bytes[0] & 0xEC == 0 {
        assert_eq!(shown, Visibility::HeaderOnly, "a PIN is shown");
    }
    if shown == Visibility::HeaderOnly {
        assert_eq!(visibility(bytes, true), Visibility::HeaderOnly, "a PIN makes others bolder");
    }
    let Ok(command) = parsed else { return };
    assert!(command.data.len() < bytes.len());
    let again = CommandApdu::parse(command.to_bytes().expose());
    assert!(again.as_ref() == Ok(&command), "{command:?} is read as {again:?}");
    assert!(command.to_bytes().len() <= bytes.len(), "the shortest form is longer");
    let printed = format!("{command:?}");
    assert!(printed.len() < 40, "more than header and lengths is printed: {printed}");
    for chained in [0x10, 0x01] {
        let mut other = bytes.to_vec();
        other[0] |= chained;
        let same = bytes[0] & 0xEC != 0 || visibility(&other, false) == shown;
        assert!(same, "chaining or a channel changes what is shown");
    }
}

//! What must hold for any text whatever: configuration files and orders of readers, for the fuzz targets.

use std::fmt::Debug;

use crate::config::ConfigFile;
use crate::drivers::ReaderSpec;

/// Takes `bytes` for a configuration file.
///
/// # Panics
/// If a file is taken that has a word in it that we do not know, or if a comment changes what it means.
pub fn configuration(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    // A byte order mark counts at the beginning only.
    let text = text.trim_start_matches('\u{FEFF}');
    let file = ConfigFile::parse(text);
    let shown = format!("{file:?}");
    let Ok(file) = file else { return };
    let same = |other: &str| shown == format!("{:?}", ConfigFile::parse(other));
    assert!(same(&format!("# nothing\n{text}\n# nothing")), "a comment means something");
    let unknown = ConfigFile::parse(&format!("unknown-word = 1\n{text}"));
    assert!(unknown.is_err(), "a word that we do not know is taken");
    let limits = file.limits.limits(16);
    assert_eq!(limits.table_slots, 16, "the reader table is not configured");
    let _ = file.limits.patience();
    for reader in &file.readers {
        reader_order(reader.as_bytes());
    }
}

/// Takes `bytes` for the order of a reader: `DRIVER:REST`.
///
/// # Panics
/// If a PIN that stands in the order is shown, in an error or in what was understood.
pub fn reader_order(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let order = text.parse::<ReaderSpec>();
    if let Err(error) = &order {
        conceals(text, &error.to_string());
    }
    if let Some(order) = text.strip_prefix("sim:") {
        conceals_all(text, &order.parse::<sim_reader::SimSpec>());
    }
    if let Some(order) = text.strip_prefix("vpcd:") {
        conceals_all(text, &order.parse::<reader_vpcd::PortSpec>());
    }
}

fn conceals_all(order: &str, understood: &impl Debug) {
    conceals(order, &format!("{understood:?}"));
}

/// A PIN or PUK of digits that is long enough to be one, and stands in the order only once.
fn conceals(order: &str, shown: &str) {
    for key in [",pin=", ",puk=", ",global-pin="] {
        let Some((_, rest)) = order.split_once(key) else { continue };
        let secret = rest.split([',', '"']).find(|part| !part.is_empty()).unwrap_or_default();
        let digits = secret.len() >= 6 && secret.bytes().all(|byte| byte.is_ascii_digit());
        let once = digits && order.matches(secret).count() == 1;
        assert!(!once || !shown.contains(secret), "{key} is shown");
    }
}

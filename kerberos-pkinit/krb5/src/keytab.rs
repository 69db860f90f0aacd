//! Keytabs of version 2: the long-term keys of services.
//!
//! Layout, all big endian: `05 02`, then entries behind a length of four bytes; a negative length is a hole.

use alloc::vec::Vec;

use crate::binary::{FileError, Input, Output, Result, length, principal, text};
use crate::crypto::{EncryptionType, Key};
use crate::{KerberosTime, Principal};

const VERSION: [u8; 2] = [5, 2];

/// A key of a service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeytabEntry {
    /// Whose.
    pub principal: Principal,
    /// When it was written.
    pub timestamp: KerberosTime,
    /// Its version.
    pub kvno: u32,
    /// The key.
    pub key: Key,
}

/// The keys of a file, those of encryption types that we do not know left out.
///
/// # Errors
/// [`FileError`].
pub fn read(bytes: &[u8]) -> Result<Vec<KeytabEntry>> {
    let mut input = Input(bytes);
    let version = [input.byte()?, input.byte()?];
    if version != VERSION {
        return Err(FileError::Version { got: version });
    }
    let mut entries = Vec::new();
    while !input.0.is_empty() {
        let size = i32::from_be_bytes(input.word()?.to_be_bytes());
        let entry =
            input.take(usize::try_from(size.unsigned_abs()).map_err(|_| FileError::Short)?)?;
        if size > 0 {
            entries.extend(read_entry(&mut Input(entry))?);
        }
    }
    Ok(entries)
}

fn read_entry(input: &mut Input<'_>) -> Result<Option<KeytabEntry>> {
    let count = input.half()?;
    let realm = input.short_bytes()?;
    let mut principal = principal(0, realm, u32::from(count), || text(input.short_bytes()?))?;
    principal.name.name_type.0 = i32::from_be_bytes(input.word()?.to_be_bytes());
    let timestamp = KerberosTime::from_unix(i64::from(input.word()?));
    let short_kvno = input.byte()?;
    let etype = i32::from(input.half()?);
    let bytes = input.short_bytes()?;
    // A version above 255 stands behind the key; zeros there are padding.
    let kvno = match input.word() {
        Ok(kvno) if kvno != 0 => kvno,
        _ => u32::from(short_kvno),
    };
    let key = EncryptionType::from_number(etype).and_then(|etype| Key::new(etype, bytes).ok());
    Ok(key.map(|key| KeytabEntry { principal, timestamp, kvno, key }))
}

/// Writes a file, as a test's KDC does for its services.
#[must_use]
pub fn write(entries: &[KeytabEntry]) -> Vec<u8> {
    let mut out = VERSION.to_vec();
    for entry in entries {
        let mut body = Vec::new();
        let name = &entry.principal.name;
        body.half(u16::try_from(name.components.len()).unwrap_or(u16::MAX));
        body.short_bytes(entry.principal.realm.as_str().as_bytes());
        for component in &name.components {
            body.short_bytes(component.as_bytes());
        }
        body.extend_from_slice(&name.name_type.0.to_be_bytes());
        body.word(u32::try_from(entry.timestamp.unix().max(0)).unwrap_or(u32::MAX));
        let [.., low] = entry.kvno.to_be_bytes();
        body.push(low);
        body.half(u16::try_from(entry.key.etype().number()).unwrap_or(0));
        body.short_bytes(entry.key.expose());
        body.word(entry.kvno);
        out.word(length(body.len()));
        out.extend_from_slice(&body);
    }
    out
}

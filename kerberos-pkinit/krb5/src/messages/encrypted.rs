//! `EncryptedData` and `EncryptionKey`, RFC 4120, 5.2.9.

use alloc::vec::Vec;

use zeroize::Zeroizing;

use crate::crypto::{CryptoError, EncryptionType, Key, KeyUsage};
use crate::der::{DerError, Reader, Result, Writer, context};

/// A ciphertext, and which kind of key opens it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EncryptedData {
    /// The encryption type, which may be none that we know.
    pub etype: i32,
    /// The version of a long-term key.
    pub kvno: Option<u32>,
    /// The ciphertext.
    pub cipher: Vec<u8>,
}

impl EncryptedData {
    /// Encrypts.
    #[must_use]
    pub fn seal(key: &Key, usage: KeyUsage, confounder: [u8; 16], plain: &[u8]) -> Self {
        let cipher = key.encrypt(usage, confounder, plain);
        Self { etype: key.etype().number(), kvno: None, cipher }
    }

    /// Decrypts.
    ///
    /// # Errors
    /// [`CryptoError::Integrity`] for a key of another type too.
    pub fn open(
        &self,
        key: &Key,
        usage: KeyUsage,
    ) -> core::result::Result<Zeroizing<Vec<u8>>, CryptoError> {
        if self.etype != key.etype().number() {
            return Err(CryptoError::Integrity);
        }
        key.decrypt(usage, &self.cipher)
    }

    /// Reads it.
    ///
    /// # Errors
    /// [`DerError`].
    pub fn read(reader: &mut Reader<'_>) -> Result<Self> {
        reader.sequence(|data| {
            Ok(Self {
                etype: data.within(context(0), Reader::int32)?,
                kvno: data.optional(context(1), Reader::uint32)?,
                cipher: data.within(context(2), |field| field.octets().map(<[u8]>::to_vec))?,
            })
        })
    }

    /// Writes it.
    pub fn write(&self, writer: &mut Writer) {
        writer.sequence(|data| {
            data.within(context(0), |field| field.integer(self.etype));
            data.optional(context(1), self.kvno, Writer::integer);
            data.within(context(2), |field| field.octets(&self.cipher));
        });
    }
}

/// Reads an `EncryptionKey`.
///
/// # Errors
/// [`DerError::Value`] if its type is none that we know, or its length is another.
pub fn read_key(reader: &mut Reader<'_>) -> Result<Key> {
    reader.sequence(|key| {
        let etype = key.within(context(0), Reader::int32)?;
        let etype = EncryptionType::from_number(etype).ok_or(DerError::Value)?;
        key.within(context(1), |field| {
            Key::new(etype, field.octets()?).map_err(|_| DerError::Value)
        })
    })
}

/// Writes an `EncryptionKey`.
pub fn write_key(key: &Key, writer: &mut Writer) {
    writer.sequence(|fields| {
        fields.within(context(0), |field| field.integer(key.etype().number()));
        fields.within(context(1), |field| field.octets(key.expose()));
    });
}

//! The certificate of a key as the card stores it, SP 800-73-4 part 1, table 10 and appendix A.

use std::io::Read as _;

use flate2::read::GzDecoder;
use scard_types::tlv;
use x509_parser::prelude::{FromDer as _, X509Certificate};

use super::KeyAlgorithm;
use crate::{CardKeyError, Malformation};

/// The longest certificate that is taken, opened, in bytes. The standard's cards hold about 3 kB.
pub const MAX_CERTIFICATE_BYTES: usize = 32_768;

/// `CertInfo`: stored compressed with gzip. Windows' mini drivers set the highest bit for the same.
const COMPRESSED: u8 = 0x81;

/// A certificate from a card.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Certificate {
    /// X.509 in DER.
    pub der: Vec<u8>,
    /// Whether the card stores it compressed.
    pub compressed: bool,
}

impl Certificate {
    pub(super) fn parse(content: &[u8]) -> Result<Self, Malformation> {
        let mut stored = None;
        let mut info = 0;
        for element in tlv::elements(content) {
            let element = element.map_err(Malformation::Tlv)?;
            match (element.tag, element.value) {
                (0x70, value) => stored = Some(value),
                (0x71, [value]) => info = *value,
                (0x71, value) => {
                    return Err(Malformation::WrongLength { tag: 0x71, got: value.len() });
                }
                _ => {}
            }
        }
        let stored = stored.ok_or(Malformation::Missing { tag: 0x70 })?;
        let compressed = info & COMPRESSED != 0;
        let der = if compressed { open(stored)? } else { stored.to_vec() };
        if der.len() > MAX_CERTIFICATE_BYTES {
            return Err(Malformation::CertificateTooLong);
        }
        Ok(Self { der, compressed })
    }

    /// The kind of key that the certificate speaks of.
    ///
    /// # Errors
    /// [`CardKeyError::UnsupportedKey`], also where the certificate cannot be read at all.
    pub fn key_algorithm(&self) -> Result<KeyAlgorithm, CardKeyError> {
        let (_, certificate) =
            X509Certificate::from_der(&self.der).map_err(|_| CardKeyError::UnsupportedKey)?;
        KeyAlgorithm::of(certificate.public_key()).ok_or(CardKeyError::UnsupportedKey)
    }
}

/// Inflates one gzip member, up to one byte more than is allowed: a small card can hold a large bomb.
fn open(stored: &[u8]) -> Result<Vec<u8>, Malformation> {
    let mut der = vec![0; MAX_CERTIFICATE_BYTES.saturating_add(1)];
    let mut filled = 0_usize;
    let mut opened = GzDecoder::new(stored);
    while let Some(room @ [_, ..]) = der.get_mut(filled..) {
        match opened.read(room).map_err(|_| Malformation::Gzip)? {
            0 => break,
            count => filled = filled.saturating_add(count),
        }
    }
    der.truncate(filled);
    Ok(der)
}

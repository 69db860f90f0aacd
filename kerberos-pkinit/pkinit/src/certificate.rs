//! Reading certificates: X.509 by its parser, the signed bytes by their DER.

use krb5_words::der::{DerError, Reader, Result as DerResult, SEQUENCE, context};
use x509_parser::certificate::X509Certificate;
use x509_parser::prelude::FromDer;

/// The bytes are no certificate, or there are more than one has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unreadable;

/// Reads a certificate that is all there is.
///
/// # Errors
/// [`Unreadable`].
pub fn read(bytes: &[u8]) -> Result<X509Certificate<'_>, Unreadable> {
    match X509Certificate::from_der(bytes) {
        Ok(([], certificate)) => Ok(certificate),
        _ => Err(Unreadable),
    }
}

/// What is signed, the algorithm beside the signature, the algorithm within what is signed, and the signature.
pub(crate) type SignedParts<'a> = (&'a [u8], &'a [u8], &'a [u8], &'a [u8]);

/// The parts of a certificate that a signature is about.
pub(crate) fn signed_parts(bytes: &[u8]) -> DerResult<SignedParts<'_>> {
    let mut reader = Reader::new(bytes);
    let parts = reader.sequence(|fields| {
        let (tag, contents, whole) = fields.any()?;
        if tag != SEQUENCE {
            return Err(DerError::Tag { expected: SEQUENCE, got: tag });
        }
        let mut inside = Reader::new(contents);
        if inside.peek() == Some(context(0)) {
            inside.any()?;
        }
        // The number of the certificate.
        inside.any()?;
        let inner = inside.any()?.2;
        Ok((whole, fields.any()?.2, inner, fields.bits()?))
    })?;
    reader.end()?;
    Ok(parts)
}

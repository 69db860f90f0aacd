//! `AuthPack`, RFC 4556, 3.2.1: what the client signs.

use krb5_words::KerberosTime;
use krb5_words::der::{DerError, Reader, Result, Writer, context};

use crate::kdf::Kdf;
use crate::signature::{AlgorithmIdentifier, Hash};

/// A second checksum over the body of the request, with a digest other than SHA-1 (MS-PKCA, 2.2.3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checksum2 {
    /// The digest of the body.
    pub checksum: Vec<u8>,
    /// Which one.
    pub hash: Hash,
}

/// `PKAuthenticator`: binds the signature to this request and this moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PkAuthenticator {
    /// Microseconds, 0 to 999,999.
    pub cusec: u32,
    /// The time.
    pub ctime: KerberosTime,
    /// A random number that the KDC's signature repeats.
    pub nonce: u32,
    /// SHA-1 over the body of the request. The standard makes it optional, no KDC does.
    pub checksum: Option<Vec<u8>>,
    /// What the KDC gave, so that it knows that the key is here now (RFC 8070).
    pub freshness_token: Option<Vec<u8>>,
    /// With another digest.
    pub checksum2: Option<Checksum2>,
}

impl PkAuthenticator {
    fn write(&self, writer: &mut Writer) {
        writer.sequence(|fields| {
            fields.within(context(0), |field| field.integer(self.cusec));
            fields.within(context(1), |field| self.ctime.write(field));
            fields.within(context(2), |field| field.integer(self.nonce));
            fields.optional(context(3), self.checksum.as_deref(), Writer::octets);
            fields.optional(context(4), self.freshness_token.as_deref(), Writer::octets);
            fields.optional(context(5), self.checksum2.as_ref(), |field, second| {
                field.sequence(|fields| {
                    fields.within(context(0), |field| field.octets(&second.checksum));
                    fields.within(context(1), |field| second.hash.write(field));
                });
            });
        });
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self> {
        let octets = |field: &mut Reader<'_>| field.octets().map(<[u8]>::to_vec);
        reader.sequence(|fields| {
            let read = Self {
                cusec: fields.within(context(0), Reader::uint32)?,
                ctime: fields.within(context(1), KerberosTime::read)?,
                nonce: fields.within(context(2), Reader::uint32)?,
                checksum: fields.optional(context(3), octets)?,
                freshness_token: fields.optional(context(4), octets)?,
                checksum2: fields.optional(context(5), |field| {
                    field.sequence(|fields| {
                        let checksum = fields.within(context(0), octets)?;
                        let algorithm = fields.within(context(1), AlgorithmIdentifier::read)?;
                        let hash = Hash::from_oid(algorithm.oid).ok_or(DerError::Value)?;
                        Ok(Checksum2 { checksum, hash })
                    })
                })?,
            };
            fields.skip_extensions()?;
            Ok(read)
        })
    }
}

/// What the client signs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuthPack {
    /// Which request, and when.
    pub authenticator: PkAuthenticator,
    /// The DER of our half of the agreement, a `SubjectPublicKeyInfo`. Without it the KDC would encrypt the reply key
    /// for our RSA key.
    pub client_public_value: Option<Vec<u8>>,
    /// Bound into the reply key, if the KDC uses its half more than once.
    pub client_dh_nonce: Option<Vec<u8>>,
    /// The key derivation functions that we offer (RFC 8636), the best first; empty for none of them.
    pub supported_kdfs: Vec<Kdf>,
}

impl AuthPack {
    /// Its DER.
    #[must_use]
    pub fn to_der(&self) -> Vec<u8> {
        let mut writer = Writer::new();
        writer.sequence(|fields| {
            fields.within(context(0), |field| self.authenticator.write(field));
            fields.optional(context(1), self.client_public_value.as_deref(), Writer::raw);
            fields.optional(context(3), self.client_dh_nonce.as_deref(), Writer::octets);
            if !self.supported_kdfs.is_empty() {
                fields.within(context(4), |field| {
                    field.sequence_of(&self.supported_kdfs, |list, kdf| kdf.write(list));
                });
            }
        });
        writer.into_bytes()
    }

    /// Reads it, as a KDC does. Key derivation functions that are not known are left out.
    ///
    /// # Errors
    /// [`DerError`].
    pub fn from_der(bytes: &[u8]) -> Result<Self> {
        Reader::whole(bytes, |reader| {
            reader.sequence(|fields| {
                let authenticator = fields.within(context(0), PkAuthenticator::read)?;
                let client_public_value = fields
                    .optional(context(1), |field| field.any().map(|(.., whole)| whole.to_vec()))?;
                // supportedCMSTypes: a hint that nobody follows.
                fields.optional(context(2), Reader::skip_extensions)?;
                let client_dh_nonce =
                    fields.optional(context(3), |field| field.octets().map(<[u8]>::to_vec))?;
                let kdfs = fields.optional(context(4), |field| field.sequence_of(Kdf::read))?;
                fields.skip_extensions()?;
                Ok(Self {
                    authenticator,
                    client_public_value,
                    client_dh_nonce,
                    supported_kdfs: kdfs.unwrap_or_default().into_iter().flatten().collect(),
                })
            })
        })
    }
}

//! PA-PK-AS-REQ and PA-PK-AS-REP, RFC 4556, 3.2.1 and 3.2.3, and what is signed in the latter.

use krb5_words::KerberosTime;
use krb5_words::crypto::Key;
use krb5_words::der::{Reader, Result, Writer, context, implicit};
use krb5_words::messages::{Checksum, read_key, write_key};

use super::typed_data::ExternalPrincipalIdentifier;
use crate::kdf::Kdf;

/// The value of PA-PK-AS-REQ.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PaPkAsReq {
    /// A `ContentInfo` with the signed `AuthPack`.
    pub signed_auth_pack: Vec<u8>,
    /// Whom the client trusts, if it says so.
    pub trusted_certifiers: Vec<ExternalPrincipalIdentifier>,
}

impl PaPkAsReq {
    /// Its DER.
    #[must_use]
    pub fn to_der(&self) -> Vec<u8> {
        let mut writer = Writer::new();
        writer.sequence(|fields| {
            fields.element(implicit(0), &self.signed_auth_pack);
            if !self.trusted_certifiers.is_empty() {
                fields.within(context(1), |field| {
                    field.sequence_of(&self.trusted_certifiers, |list, id| id.write(list));
                });
            }
        });
        writer.into_bytes()
    }

    /// Reads it, as a KDC does.
    ///
    /// # Errors
    /// [`krb5_words::der::DerError`].
    pub fn from_der(bytes: &[u8]) -> Result<Self> {
        Reader::whole(bytes, |reader| {
            reader.sequence(|fields| {
                let signed_auth_pack = fields.value(implicit(0))?.to_vec();
                let certifiers = fields.optional(context(1), |field| {
                    field.sequence_of(ExternalPrincipalIdentifier::read)
                })?;
                fields.skip_extensions()?;
                Ok(Self { signed_auth_pack, trusted_certifiers: certifiers.unwrap_or_default() })
            })
        })
    }
}

/// `DHRepInfo`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DhRepInfo {
    /// A `ContentInfo` with the signed `KDCDHKeyInfo`.
    pub signed_data: Vec<u8>,
    /// Bound into the reply key, if the KDC uses its half more than once.
    pub server_dh_nonce: Option<Vec<u8>>,
    /// The key derivation function of RFC 8636 that the KDC chose: inside, `None` for one that we do not know.
    pub kdf: Option<Option<Kdf>>,
}

/// The value of PA-PK-AS-REP.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PaPkAsRep {
    /// The reply key comes from an agreement.
    DhInfo(DhRepInfo),
    /// The reply key is encrypted for our RSA key: a `ContentInfo` with `EnvelopedData`.
    EncKeyPack(Vec<u8>),
}

impl PaPkAsRep {
    /// Reads it.
    ///
    /// # Errors
    /// [`krb5_words::der::DerError`].
    pub fn from_der(bytes: &[u8]) -> Result<Self> {
        let mut reader = Reader::new(bytes);
        if reader.peek() == Some(implicit(1)) {
            let pack = reader.value(implicit(1))?.to_vec();
            reader.end()?;
            return Ok(Self::EncKeyPack(pack));
        }
        let info = reader.within(context(0), |choice| {
            choice.sequence(|fields| {
                let info = DhRepInfo {
                    signed_data: fields.value(implicit(0))?.to_vec(),
                    server_dh_nonce: fields
                        .optional(context(1), |field| field.octets().map(<[u8]>::to_vec))?,
                    kdf: fields.optional(context(2), Kdf::read)?,
                };
                fields.skip_extensions()?;
                Ok(info)
            })
        })?;
        reader.end()?;
        Ok(Self::DhInfo(info))
    }

    /// Writes it, as a KDC does.
    #[must_use]
    pub fn to_der(&self) -> Vec<u8> {
        let mut writer = Writer::new();
        match self {
            Self::EncKeyPack(pack) => writer.element(implicit(1), pack),
            Self::DhInfo(info) => writer.within(context(0), |choice| {
                choice.sequence(|fields| {
                    fields.element(implicit(0), &info.signed_data);
                    fields.optional(context(1), info.server_dh_nonce.as_deref(), Writer::octets);
                    let kdf = info.kdf.flatten();
                    fields.optional(context(2), kdf, |field, kdf| kdf.write(field));
                });
            }),
        }
        writer.into_bytes()
    }
}

/// `KDCDHKeyInfo`: the KDC's half of the agreement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KdcDhKeyInfo {
    /// The contents of the BIT STRING: for MODP the DER of an INTEGER, for a curve the point.
    pub public_key: Vec<u8>,
    /// The client's nonce.
    pub nonce: u32,
    /// Until when the KDC uses this half, if more than once.
    pub key_expiration: Option<KerberosTime>,
}

impl KdcDhKeyInfo {
    /// Reads it.
    ///
    /// # Errors
    /// [`krb5_words::der::DerError`].
    pub fn from_der(bytes: &[u8]) -> Result<Self> {
        Reader::whole(bytes, |reader| {
            reader.sequence(|fields| {
                let read = Self {
                    public_key: fields
                        .within(context(0), |field| field.bits().map(<[u8]>::to_vec))?,
                    nonce: fields.within(context(1), Reader::uint32)?,
                    key_expiration: fields.optional(context(2), KerberosTime::read)?,
                };
                fields.skip_extensions()?;
                Ok(read)
            })
        })
    }

    /// Writes it, as a KDC does.
    #[must_use]
    pub fn to_der(&self) -> Vec<u8> {
        let mut writer = Writer::new();
        writer.sequence(|fields| {
            fields.within(context(0), |field| field.bits(&self.public_key));
            fields.within(context(1), |field| field.integer(self.nonce));
            fields.optional(context(2), self.key_expiration, |field, time| time.write(field));
        });
        writer.into_bytes()
    }
}

/// `ReplyKeyPack`: a reply key that was encrypted for our RSA key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReplyKeyPack {
    /// The reply key.
    pub reply_key: Key,
    /// A checksum over the whole AS-REQ with that key.
    pub checksum: Checksum,
}

impl ReplyKeyPack {
    /// Reads it. The form of Windows 2000, with a nonce in place of the checksum, is no such pack.
    ///
    /// # Errors
    /// [`krb5_words::der::DerError`].
    pub fn from_der(bytes: &[u8]) -> Result<Self> {
        Reader::whole(bytes, |reader| {
            reader.sequence(|fields| {
                let read = Self {
                    reply_key: fields.within(context(0), read_key)?,
                    checksum: fields.within(context(1), Checksum::read)?,
                };
                fields.skip_extensions()?;
                Ok(read)
            })
        })
    }

    /// Writes it, as a KDC does.
    #[must_use]
    pub fn to_der(&self) -> Vec<u8> {
        let mut writer = Writer::new();
        writer.sequence(|fields| {
            fields.within(context(0), |field| write_key(&self.reply_key, field));
            fields.within(context(1), |field| self.checksum.write(field));
        });
        writer.into_bytes()
    }
}

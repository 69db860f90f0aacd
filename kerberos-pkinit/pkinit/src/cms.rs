//! `SignedData` of CMS (RFC 5652, 5) as PKINIT uses it: one signer, its certificates, signed attributes.
//!
//! The card signs, not we: [`Unsigned`] gives the bytes to be signed and takes the signature.

use krb5_words::der::{
    DerError, OBJECT_IDENTIFIER, Reader, Result as DerResult, SEQUENCE, SET, Writer, context,
    implicit,
};
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::ParsedExtension;

use crate::certificate::{self, Unreadable};
use crate::signature::{AlgorithmIdentifier, Hash, PublicKey, SignatureAlgorithm, SignatureError};

/// 1.2.840.113549.1.7.2, signedData.
const SIGNED_DATA: &[u8] = &[0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x07, 0x02];
/// 1.2.840.113549.1.9.3, the attribute contentType.
const CONTENT_TYPE: &[u8] = &[0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x09, 0x03];
/// 1.2.840.113549.1.9.4, the attribute messageDigest.
const MESSAGE_DIGEST: &[u8] = &[0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x09, 0x04];
/// The most certificates that a KDC may send.
const MAX_CERTIFICATES: usize = 32;

/// What is signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ContentType {
    /// id-pkinit-authData: the client's `AuthPack`.
    AuthData,
    /// id-pkinit-DHKeyData: the KDC's half of the agreement.
    DhKeyData,
    /// id-pkinit-rkeyData: a reply key, encrypted for the client's RSA key.
    ReplyKeyData,
}

impl ContentType {
    /// The contents of its object identifier, 1.3.6.1.5.2.3.n.
    #[must_use]
    pub const fn oid(self) -> [u8; 7] {
        let last = match self {
            Self::AuthData => 1,
            Self::DhKeyData => 2,
            Self::ReplyKeyData => 3,
        };
        [0x2B, 0x06, 0x01, 0x05, 0x02, 0x03, last]
    }
}

/// Why `SignedData` is not believed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CmsError {
    /// It is not encoded as it must be.
    Encoding(DerError),
    /// The content of the CMS is none that is signed: its object identifier.
    NotSigned(Vec<u8>),
    /// Another thing is signed than the one expected: its object identifier.
    ContentType(Vec<u8>),
    /// So many signers, where one is wanted. None is the anonymous form.
    Signers(usize),
    /// More certificates than anybody needs.
    TooManyCertificates,
    /// The signer signed no attributes.
    NoAttributes,
    /// The attribute contentType is missing, double, or another than the content's.
    ContentTypeAttribute,
    /// The attribute messageDigest is missing, double, or another than the content's.
    MessageDigest,
    /// The signer's certificate is not among those sent.
    NoCertificate,
    /// The signer's certificate cannot be read.
    Certificate,
    /// The signature is not believed.
    Signature(SignatureError),
}

impl std::fmt::Display for CmsError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Encoding(error) => write!(f, "the signed data are broken: {error}"),
            Self::NotSigned(oid) => write!(f, "the data are not signed (type {oid:02X?})"),
            Self::ContentType(oid) => write!(f, "another thing was signed (type {oid:02X?})"),
            Self::Signers(0) => f.write_str("nobody signed the data"),
            Self::Signers(count) => write!(f, "{count} signers where one is wanted"),
            Self::TooManyCertificates => f.write_str("there are too many certificates"),
            Self::NoAttributes => f.write_str("the signature covers no attributes"),
            Self::ContentTypeAttribute => f.write_str("the signature is for another content type"),
            Self::MessageDigest => f.write_str("the signature is over another content"),
            Self::NoCertificate => f.write_str("the certificate of the signer is missing"),
            Self::Certificate => f.write_str("the certificate cannot be read"),
            Self::Signature(error) => write!(f, "{error}"),
        }
    }
}

impl std::error::Error for CmsError {}

impl From<DerError> for CmsError {
    fn from(error: DerError) -> Self {
        Self::Encoding(error)
    }
}

impl From<Unreadable> for CmsError {
    fn from(_: Unreadable) -> Self {
        Self::Certificate
    }
}

impl From<SignatureError> for CmsError {
    fn from(error: SignatureError) -> Self {
        Self::Signature(error)
    }
}

/// `SignedData` to which only the signature is missing.
#[derive(Clone, Debug)]
pub struct Unsigned {
    content_type: ContentType,
    content: Vec<u8>,
    certificates: Vec<Vec<u8>>,
    signer: Vec<u8>,
    algorithm: SignatureAlgorithm,
    attributes: Vec<u8>,
}

impl Unsigned {
    /// Content to be signed with the key of a certificate. `intermediates` go with it, as the KDC may not have them.
    ///
    /// # Errors
    /// [`CmsError::Certificate`], [`CmsError::Signature`]: the signer's certificate cannot be used.
    pub fn new(
        content_type: ContentType,
        content: Vec<u8>,
        certificate: &[u8],
        intermediates: &[Vec<u8>],
        algorithm: SignatureAlgorithm,
    ) -> Result<Self, CmsError> {
        let parsed = certificate::read(certificate)?;
        let mut signer = Writer::new();
        signer.sequence(|fields| {
            fields.raw(parsed.issuer().as_raw());
            fields.element(krb5_words::der::INTEGER, parsed.raw_serial());
        });
        let mut certificates = vec![certificate.to_vec()];
        certificates.extend_from_slice(intermediates);
        let attributes = [
            attribute(CONTENT_TYPE, |value| {
                value.element(OBJECT_IDENTIFIER, &content_type.oid());
            }),
            attribute(MESSAGE_DIGEST, |value| {
                value.octets(&algorithm.hash().digest(&content));
            }),
        ];
        let attributes = set_of(SET, attributes.to_vec());
        let signer = signer.into_bytes();
        Ok(Self { content_type, content, certificates, signer, algorithm, attributes })
    }

    /// What the key signs: the attributes, as a SET.
    #[must_use]
    pub fn to_be_signed(&self) -> &[u8] {
        &self.attributes
    }

    /// How the key signs it.
    #[must_use]
    pub const fn algorithm(&self) -> SignatureAlgorithm {
        self.algorithm
    }

    /// The `ContentInfo`, with the signature. One of ECDSA is a SEQUENCE of r and s.
    #[must_use]
    pub fn sign(self, signature: &[u8]) -> Vec<u8> {
        let hash = self.algorithm.hash();
        let mut writer = Writer::new();
        writer.sequence(|info| {
            info.element(OBJECT_IDENTIFIER, SIGNED_DATA);
            info.within(context(0), |content| {
                content.sequence(|data| {
                    // 3: the content is other than plain data (RFC 5652, 5.1).
                    data.integer(3);
                    data.within(SET, |digests| hash.write(digests));
                    data.sequence(|inner| {
                        inner.element(OBJECT_IDENTIFIER, &self.content_type.oid());
                        inner.within(context(0), |field| field.octets(&self.content));
                    });
                    data.raw(&set_of(context(0), self.certificates));
                    data.within(SET, |signers| {
                        signers.sequence(|fields| {
                            fields.integer(1);
                            fields.raw(&self.signer);
                            hash.write(fields);
                            // The same bytes as were signed, under the tag of the field.
                            let attributes = self.attributes.get(1..).unwrap_or_default();
                            fields.raw(&[&[context(0)], attributes].concat());
                            self.algorithm.write(fields);
                            fields.octets(signature);
                        });
                    });
                });
            });
        });
        writer.into_bytes()
    }
}

fn attribute(oid: &[u8], value: impl FnOnce(&mut Writer)) -> Vec<u8> {
    let mut writer = Writer::new();
    writer.sequence(|fields| {
        fields.element(OBJECT_IDENTIFIER, oid);
        fields.within(SET, value);
    });
    writer.into_bytes()
}

/// A SET OF in the order of DER, X.690, 11.6.
fn set_of(tag: u8, mut elements: Vec<Vec<u8>>) -> Vec<u8> {
    elements.sort();
    let mut writer = Writer::new();
    writer.element(tag, &elements.concat());
    writer.into_bytes()
}

/// `SignedData` of a KDC, as it came: nothing is verified but its form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedData<'a> {
    /// The contents of the content's object identifier.
    pub content_type: &'a [u8],
    /// The content.
    pub content: &'a [u8],
    /// The certificates, in no order.
    pub certificates: Vec<&'a [u8]>,
    signer: Signer<'a>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Signer<'a> {
    id: SignerId<'a>,
    digest: AlgorithmIdentifier<'a>,
    /// The contents of the signed attributes.
    attributes: &'a [u8],
    algorithm: AlgorithmIdentifier<'a>,
    signature: &'a [u8],
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum SignerId<'a> {
    IssuerAndSerial { issuer: &'a [u8], serial: &'a [u8] },
    SubjectKey(&'a [u8]),
}

/// A signature that was verified with the key of a certificate, of which nothing is known yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified<'a> {
    /// The signer's certificate.
    pub certificate: &'a [u8],
    /// How it was signed: whether SHA-1 will do is the caller's question.
    pub algorithm: SignatureAlgorithm,
}

impl<'a> SignedData<'a> {
    /// Reads a `ContentInfo` with `SignedData` in it.
    ///
    /// # Errors
    /// [`CmsError::Encoding`], [`CmsError::NotSigned`], [`CmsError::Signers`], [`CmsError::NoAttributes`],
    /// [`CmsError::TooManyCertificates`].
    pub fn from_der(bytes: &'a [u8]) -> Result<Self, CmsError> {
        let mut reader = Reader::new(bytes);
        let (kind, inner) = reader.sequence(|info| {
            let kind = info.value(OBJECT_IDENTIFIER)?;
            Ok((kind, info.value(context(0))?))
        })?;
        reader.end()?;
        if kind != SIGNED_DATA {
            return Err(CmsError::NotSigned(kind.to_vec()));
        }
        let mut reader = Reader::new(inner);
        let mut data = Reader::new(reader.value(SEQUENCE)?);
        reader.end()?;
        data.integer()?;
        data.value(SET)?;
        let (content_type, content) = data.sequence(|inner| {
            let oid = inner.value(OBJECT_IDENTIFIER)?;
            let content = inner.optional(context(0), Reader::octets)?;
            Ok((oid, content.unwrap_or_default()))
        })?;
        let mut certificates = Vec::new();
        if data.peek() == Some(context(0)) {
            let mut set = Reader::new(data.value(context(0))?);
            while !set.is_empty() {
                // Other forms than certificates of X.509 have other tags, and are of no use.
                let (tag, _, whole) = set.any()?;
                if tag == SEQUENCE {
                    certificates.push(whole);
                }
            }
        }
        if certificates.len() > MAX_CERTIFICATES {
            return Err(CmsError::TooManyCertificates);
        }
        if data.peek() == Some(context(1)) {
            data.value(context(1))?;
        }
        let mut signers = Reader::new(data.value(SET)?);
        data.end()?;
        let (mut all, mut count) = (signers, 0_usize);
        while !all.is_empty() {
            all.any()?;
            count = count.saturating_add(1);
        }
        if count != 1 {
            return Err(CmsError::Signers(count));
        }
        let signer = signers.sequence(signer)?.ok_or(CmsError::NoAttributes)?;
        Ok(Self { content_type, content, certificates, signer })
    }

    /// Checks the type of the content, the attributes and the signature, in this order.
    ///
    /// # Errors
    /// [`CmsError`].
    pub fn verify(&self, expected: ContentType) -> Result<Verified<'a>, CmsError> {
        if self.content_type != expected.oid() {
            return Err(CmsError::ContentType(self.content_type.to_vec()));
        }
        let signer = &self.signer;
        let mut content_type = Reader::new(
            only_value(signer.attributes, CONTENT_TYPE)?.ok_or(CmsError::ContentTypeAttribute)?,
        );
        if content_type.value(OBJECT_IDENTIFIER)? != self.content_type {
            return Err(CmsError::ContentTypeAttribute);
        }
        content_type.end()?;
        let hash = Hash::from_oid(signer.digest.oid)
            .ok_or_else(|| SignatureError::Algorithm(signer.digest.oid.to_vec()))?;
        let mut digest = Reader::new(
            only_value(signer.attributes, MESSAGE_DIGEST)?.ok_or(CmsError::MessageDigest)?,
        );
        if digest.octets()? != hash.digest(self.content) {
            return Err(CmsError::MessageDigest);
        }
        digest.end()?;
        let certificate = self.signer_certificate()?;
        let parsed = certificate::read(certificate)?;
        let key = PublicKey::from_der(parsed.public_key().raw)?;
        let algorithm = SignatureAlgorithm::of_signer(signer.digest, signer.algorithm, &key)?;
        let mut signed = Writer::new();
        signed.element(SET, signer.attributes);
        key.verify(algorithm, &signed.into_bytes(), signer.signature)?;
        Ok(Verified { certificate, algorithm })
    }

    fn signer_certificate(&self) -> Result<&'a [u8], CmsError> {
        let is_signers = |certificate: &X509Certificate<'_>| match self.signer.id {
            SignerId::IssuerAndSerial { issuer, serial } => {
                certificate.issuer().as_raw() == issuer && certificate.raw_serial() == serial
            }
            SignerId::SubjectKey(id) => subject_key(certificate) == Some(id),
        };
        let found = self.certificates.iter().find(|certificate| {
            certificate::read(certificate).is_ok_and(|certificate| is_signers(&certificate))
        });
        found.copied().ok_or(CmsError::NoCertificate)
    }
}

/// The fields of a `SignerInfo`; `None` if it has no signed attributes.
fn signer<'a>(fields: &mut Reader<'a>) -> DerResult<Option<Signer<'a>>> {
    fields.integer()?;
    let id = if fields.peek() == Some(implicit(0)) {
        SignerId::SubjectKey(fields.value(implicit(0))?)
    } else {
        fields.sequence(|id| {
            let issuer = id.any()?.2;
            Ok(SignerId::IssuerAndSerial { issuer, serial: id.value(krb5_words::der::INTEGER)? })
        })?
    };
    let digest = AlgorithmIdentifier::read(fields)?;
    let has_attributes = fields.peek() == Some(context(0));
    let attributes = if has_attributes { fields.value(context(0))? } else { &[] };
    let algorithm = AlgorithmIdentifier::read(fields)?;
    let signature = fields.octets()?;
    if fields.peek() == Some(context(1)) {
        fields.value(context(1))?;
    }
    Ok(has_attributes.then_some(Signer { id, digest, attributes, algorithm, signature }))
}

/// The one value of the one attribute of that type; `None` if there are none or several.
fn only_value<'a>(attributes: &'a [u8], wanted: &[u8]) -> DerResult<Option<&'a [u8]>> {
    let mut reader = Reader::new(attributes);
    let (mut found, mut count) = (None, 0_usize);
    while !reader.is_empty() {
        let (oid, values) =
            reader.sequence(|fields| Ok((fields.value(OBJECT_IDENTIFIER)?, fields.value(SET)?)))?;
        if oid == wanted {
            found = Some(values);
            count = count.saturating_add(1);
        }
    }
    Ok(found.filter(|_| count == 1))
}

fn subject_key<'a>(certificate: &'a X509Certificate<'_>) -> Option<&'a [u8]> {
    certificate.iter_extensions().find_map(|extension| match extension.parsed_extension() {
        ParsedExtension::SubjectKeyIdentifier(id) => Some(id.0),
        _ => None,
    })
}

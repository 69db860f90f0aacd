//! Signatures of certificates and of CMS: RSA PKCS#1 v1.5 and PSS (RFC 8017), ECDSA (RFC 5758).
//!
//! The key in the certificate chooses the verifier, the algorithm identifier only the digest and the padding.

use krb5_words::der::{
    DerError, NULL, OBJECT_IDENTIFIER, Reader, Result as DerResult, Writer, context,
};
use p256::ecdsa::signature::hazmat::PrehashVerifier;
use rsa::traits::PublicKeyParts;
use rsa::{BigUint, Pkcs1v15Sign, Pss, RsaPublicKey};
use sha1::Sha1;
use sha2::{Digest, Sha256, Sha384, Sha512};

/// 1.2.840.113549.1.1.n: n is the last byte.
const PKCS1: &[u8] = &[0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x01];
const RSA_ENCRYPTION: u8 = 1;
const SHA1_WITH_RSA: u8 = 5;
const MGF1: u8 = 8;
const RSASSA_PSS: u8 = 10;
const SHA256_WITH_RSA: u8 = 11;
const SHA384_WITH_RSA: u8 = 12;
const SHA512_WITH_RSA: u8 = 13;
/// 1.2.840.10045.4.1, ecdsa-with-SHA1.
const ECDSA_SHA1: &[u8] = &[0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x04, 0x01];
/// 1.2.840.10045.4.3.n: ecdsa-with-SHA2, n is 2, 3 or 4.
const ECDSA_SHA2: &[u8] = &[0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x04, 0x03];
/// 1.2.840.10045.2.1, id-ecPublicKey.
const EC_PUBLIC_KEY: &[u8] = &[0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x02, 0x01];
/// 1.2.840.10045.3.1.7.
const P256: &[u8] = &[0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x03, 0x01, 0x07];
/// 1.3.132.0.34.
const P384: &[u8] = &[0x2B, 0x81, 0x04, 0x00, 0x22];

/// RSA keys below are no proof of anything any more (SP 800-131A).
const MIN_RSA_BITS: usize = 2048;
/// RSA keys above cost more than any real one is worth.
const MAX_RSA_BITS: usize = 8192;

/// A digest. MD5 and older are not here: nothing that they sign is believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Hash {
    /// SHA-1: whether it will do is the caller's question.
    Sha1,
    /// SHA-256.
    Sha256,
    /// SHA-384.
    Sha384,
    /// SHA-512.
    Sha512,
}

impl Hash {
    const ALL: [Self; 4] = [Self::Sha1, Self::Sha256, Self::Sha384, Self::Sha512];

    /// The contents of its object identifier.
    #[must_use]
    pub const fn oid(self) -> &'static [u8] {
        match self {
            Self::Sha1 => &[0x2B, 0x0E, 0x03, 0x02, 0x1A],
            Self::Sha256 => &[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01],
            Self::Sha384 => &[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x02],
            Self::Sha512 => &[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x03],
        }
    }

    /// The one with that object identifier.
    #[must_use]
    pub fn from_oid(oid: &[u8]) -> Option<Self> {
        Self::ALL.into_iter().find(|hash| hash.oid() == oid)
    }

    /// The digest of a message.
    #[must_use]
    pub fn digest(self, message: &[u8]) -> Vec<u8> {
        match self {
            Self::Sha1 => Sha1::digest(message).to_vec(),
            Self::Sha256 => Sha256::digest(message).to_vec(),
            Self::Sha384 => Sha384::digest(message).to_vec(),
            Self::Sha512 => Sha512::digest(message).to_vec(),
        }
    }

    /// Writes its `AlgorithmIdentifier`, without parameters (RFC 5754, 2).
    pub fn write(self, writer: &mut Writer) {
        writer.sequence(|algorithm| algorithm.element(OBJECT_IDENTIFIER, self.oid()));
    }

    const fn pkcs1(self) -> u8 {
        match self {
            Self::Sha1 => SHA1_WITH_RSA,
            Self::Sha256 => SHA256_WITH_RSA,
            Self::Sha384 => SHA384_WITH_RSA,
            Self::Sha512 => SHA512_WITH_RSA,
        }
    }
}

/// Why a signature is not believed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SignatureError {
    /// An algorithm or a key is not encoded as it must be.
    Encoding(DerError),
    /// An algorithm that is not believed: its object identifier.
    Algorithm(Vec<u8>),
    /// A kind of key that is not supported: its object identifier.
    Key(Vec<u8>),
    /// An RSA key with so many bits, which is too few or too many.
    KeySize(usize),
    /// The algorithm is none of that kind of key.
    OtherKind,
    /// The signature was made by another key or over other bytes.
    Wrong,
}

impl std::fmt::Display for SignatureError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Encoding(error) => write!(f, "the key or its algorithm is broken: {error}"),
            Self::Algorithm(oid) => write!(f, "an algorithm that is not accepted ({oid:02X?})"),
            Self::Key(oid) => write!(f, "a kind of key that is not supported ({oid:02X?})"),
            Self::KeySize(bits) => write!(f, "an RSA key of {bits} bits is not accepted"),
            Self::OtherKind => f.write_str("the algorithm is none of that kind of key"),
            Self::Wrong => f.write_str("the signature does not verify"),
        }
    }
}

impl std::error::Error for SignatureError {}

impl From<DerError> for SignatureError {
    fn from(error: DerError) -> Self {
        Self::Encoding(error)
    }
}

/// An `AlgorithmIdentifier` as it came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AlgorithmIdentifier<'a> {
    /// The contents of its object identifier.
    pub oid: &'a [u8],
    /// Its parameters, whole; `None` for NULL too.
    pub parameters: Option<&'a [u8]>,
}

impl<'a> AlgorithmIdentifier<'a> {
    /// Reads it.
    ///
    /// # Errors
    /// [`DerError`].
    pub fn read(reader: &mut Reader<'a>) -> DerResult<Self> {
        reader.sequence(|fields| {
            let oid = fields.value(OBJECT_IDENTIFIER)?;
            let parameters = match fields.peek() {
                None => None,
                Some(NULL) => {
                    fields.value(NULL)?;
                    None
                }
                Some(_) => Some(fields.any()?.2),
            };
            Ok(Self { oid, parameters })
        })
    }

    /// Reads one that is all there is.
    ///
    /// # Errors
    /// [`DerError`].
    pub fn from_der(bytes: &'a [u8]) -> DerResult<Self> {
        Reader::whole(bytes, Self::read)
    }

    fn pkcs1(self) -> Option<u8> {
        match self.oid.strip_prefix(PKCS1)? {
            [last] => Some(*last),
            _ => None,
        }
    }
}

/// How a signature is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignatureAlgorithm {
    /// RSA PKCS#1 v1.5 with that digest.
    RsaPkcs1(Hash),
    /// RSA PSS; MGF1 has the same digest.
    RsaPss {
        /// The digest.
        hash: Hash,
        /// The length of the salt, in bytes.
        salt: usize,
    },
    /// ECDSA with that digest; the signature is a SEQUENCE of r and s.
    Ecdsa(Hash),
}

impl SignatureAlgorithm {
    /// Its digest.
    #[must_use]
    pub const fn hash(self) -> Hash {
        match self {
            Self::RsaPkcs1(hash) | Self::RsaPss { hash, .. } | Self::Ecdsa(hash) => hash,
        }
    }

    /// What an algorithm identifier says that names a digest too, as certificates have it.
    ///
    /// # Errors
    /// [`SignatureError::Algorithm`], [`SignatureError::Encoding`].
    pub fn read(algorithm: AlgorithmIdentifier<'_>) -> Result<Self, SignatureError> {
        let unknown = || SignatureError::Algorithm(algorithm.oid.to_vec());
        if algorithm.pkcs1() == Some(RSASSA_PSS) {
            return pss(algorithm.parameters.ok_or_else(unknown)?);
        }
        if let Some(last) = algorithm.pkcs1() {
            let hash = Hash::ALL.into_iter().find(|hash| hash.pkcs1() == last);
            return hash.map(Self::RsaPkcs1).ok_or_else(unknown);
        }
        match algorithm.oid.strip_prefix(ECDSA_SHA2) {
            Some([2]) => Ok(Self::Ecdsa(Hash::Sha256)),
            Some([3]) => Ok(Self::Ecdsa(Hash::Sha384)),
            Some([4]) => Ok(Self::Ecdsa(Hash::Sha512)),
            _ if algorithm.oid == ECDSA_SHA1 => Ok(Self::Ecdsa(Hash::Sha1)),
            _ => Err(unknown()),
        }
    }

    /// What the two algorithm identifiers of a CMS signer say, for the key of its certificate.
    ///
    /// KDCs of MIT before 1.22 with an EC key write sha256WithRSAEncryption; the key tells that this is ECDSA, and this
    /// one wrong label is read as what it means.
    ///
    /// # Errors
    /// [`SignatureError::Algorithm`]; [`SignatureError::OtherKind`] if the two digests differ.
    pub fn of_signer(
        digest: AlgorithmIdentifier<'_>,
        signature: AlgorithmIdentifier<'_>,
        key: &PublicKey,
    ) -> Result<Self, SignatureError> {
        let hash = Hash::from_oid(digest.oid)
            .ok_or_else(|| SignatureError::Algorithm(digest.oid.to_vec()))?;
        let is_ec = !matches!(key, PublicKey::Rsa(_));
        let named = match signature.pkcs1() {
            Some(RSA_ENCRYPTION) => Self::RsaPkcs1(hash),
            Some(SHA256_WITH_RSA) if is_ec => Self::Ecdsa(hash),
            _ => Self::read(signature)?,
        };
        if named.hash() == hash { Ok(named) } else { Err(SignatureError::OtherKind) }
    }

    /// Writes its `AlgorithmIdentifier`. PSS is only read: Heimdal and Samba refuse it in a request.
    pub fn write(self, writer: &mut Writer) {
        let mut oid = Vec::new();
        let is_rsa = match self {
            Self::RsaPkcs1(hash) | Self::RsaPss { hash, .. } => {
                oid.extend_from_slice(PKCS1);
                oid.push(hash.pkcs1());
                true
            }
            Self::Ecdsa(Hash::Sha1) => {
                oid.extend_from_slice(ECDSA_SHA1);
                false
            }
            Self::Ecdsa(hash) => {
                oid.extend_from_slice(ECDSA_SHA2);
                oid.push(match hash {
                    Hash::Sha384 => 3,
                    Hash::Sha512 => 4,
                    Hash::Sha1 | Hash::Sha256 => 2,
                });
                false
            }
        };
        writer.sequence(|algorithm| {
            algorithm.element(OBJECT_IDENTIFIER, &oid);
            if is_rsa {
                algorithm.element(NULL, &[]);
            }
        });
    }
}

/// `RSASSA-PSS-params`, RFC 4055, 3.1.
fn pss(parameters: &[u8]) -> Result<SignatureAlgorithm, SignatureError> {
    let mut reader = Reader::new(parameters);
    let (hash, mask, salt) = reader.sequence(|fields| {
        let hash = fields.optional(context(0), AlgorithmIdentifier::read)?;
        let mask = fields.optional(context(1), AlgorithmIdentifier::read)?;
        let salt = fields.optional(context(2), Reader::uint32)?;
        if fields.optional(context(3), Reader::integer)?.is_some_and(|trailer| trailer != 1) {
            return Err(DerError::Value);
        }
        Ok((hash, mask, salt))
    })?;
    reader.end()?;
    let known = |algorithm: AlgorithmIdentifier<'_>| {
        Hash::from_oid(algorithm.oid)
            .ok_or_else(|| SignatureError::Algorithm(algorithm.oid.to_vec()))
    };
    let hash = hash.map_or(Ok(Hash::Sha1), known)?;
    let mask_hash = match mask {
        None => Hash::Sha1,
        Some(mask) if mask.pkcs1() == Some(MGF1) => {
            let inner = mask.parameters.ok_or(DerError::Short)?;
            known(AlgorithmIdentifier::from_der(inner)?)?
        }
        Some(mask) => return Err(SignatureError::Algorithm(mask.oid.to_vec())),
    };
    if mask_hash != hash {
        return Err(SignatureError::OtherKind);
    }
    let salt = usize::try_from(salt.unwrap_or(20)).map_err(|_| DerError::Value)?;
    Ok(SignatureAlgorithm::RsaPss { hash, salt })
}

/// A public key that we can verify with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PublicKey {
    /// RSA.
    Rsa(Box<RsaPublicKey>),
    /// The curve P-256.
    P256(p256::ecdsa::VerifyingKey),
    /// The curve P-384.
    P384(p384::ecdsa::VerifyingKey),
}

impl PublicKey {
    /// Reads a `SubjectPublicKeyInfo`.
    ///
    /// # Errors
    /// [`SignatureError::Key`], [`SignatureError::KeySize`], [`SignatureError::Encoding`].
    pub fn from_der(bytes: &[u8]) -> Result<Self, SignatureError> {
        let mut reader = Reader::new(bytes);
        let (algorithm, bits) =
            reader.sequence(|info| Ok((AlgorithmIdentifier::read(info)?, info.bits()?)))?;
        reader.end()?;
        let broken = |_| SignatureError::Encoding(DerError::Value);
        if algorithm.pkcs1() == Some(RSA_ENCRYPTION) {
            return rsa_key(bits);
        }
        let unknown = |oid: &[u8]| SignatureError::Key(oid.to_vec());
        if algorithm.oid != EC_PUBLIC_KEY {
            return Err(unknown(algorithm.oid));
        }
        let parameters = algorithm.parameters.unwrap_or_default();
        match Reader::new(parameters).value(OBJECT_IDENTIFIER)? {
            P256 => {
                p256::ecdsa::VerifyingKey::from_sec1_bytes(bits).map(Self::P256).map_err(broken)
            }
            P384 => {
                p384::ecdsa::VerifyingKey::from_sec1_bytes(bits).map(Self::P384).map_err(broken)
            }
            curve => Err(unknown(curve)),
        }
    }

    /// How a request is signed with this key, so that every KDC takes it.
    #[must_use]
    pub const fn own_algorithm(&self) -> SignatureAlgorithm {
        match self {
            Self::Rsa(_) => SignatureAlgorithm::RsaPkcs1(Hash::Sha256),
            Self::P256(_) => SignatureAlgorithm::Ecdsa(Hash::Sha256),
            Self::P384(_) => SignatureAlgorithm::Ecdsa(Hash::Sha384),
        }
    }

    /// Verifies a signature.
    ///
    /// # Errors
    /// [`SignatureError::OtherKind`], [`SignatureError::Wrong`].
    pub fn verify(
        &self,
        algorithm: SignatureAlgorithm,
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), SignatureError> {
        let digest = algorithm.hash().digest(message);
        let is_good = match (self, algorithm) {
            (Self::Rsa(key), SignatureAlgorithm::RsaPkcs1(hash)) => {
                key.verify(pkcs1_padding(hash), &digest, signature).is_ok()
            }
            (Self::Rsa(key), SignatureAlgorithm::RsaPss { hash, salt }) => {
                key.verify(pss_padding(hash, salt), &digest, signature).is_ok()
            }
            (Self::P256(key), SignatureAlgorithm::Ecdsa(_)) => {
                p256::ecdsa::Signature::from_der(signature)
                    .is_ok_and(|signature| key.verify_prehash(&digest, &signature).is_ok())
            }
            (Self::P384(key), SignatureAlgorithm::Ecdsa(_)) => {
                p384::ecdsa::Signature::from_der(signature)
                    .is_ok_and(|signature| key.verify_prehash(&digest, &signature).is_ok())
            }
            _ => return Err(SignatureError::OtherKind),
        };
        if is_good { Ok(()) } else { Err(SignatureError::Wrong) }
    }
}

fn pkcs1_padding(hash: Hash) -> Pkcs1v15Sign {
    match hash {
        Hash::Sha1 => Pkcs1v15Sign::new::<Sha1>(),
        Hash::Sha256 => Pkcs1v15Sign::new::<Sha256>(),
        Hash::Sha384 => Pkcs1v15Sign::new::<Sha384>(),
        Hash::Sha512 => Pkcs1v15Sign::new::<Sha512>(),
    }
}

fn pss_padding(hash: Hash, salt: usize) -> Pss {
    match hash {
        Hash::Sha1 => Pss::new_with_salt::<Sha1>(salt),
        Hash::Sha256 => Pss::new_with_salt::<Sha256>(salt),
        Hash::Sha384 => Pss::new_with_salt::<Sha384>(salt),
        Hash::Sha512 => Pss::new_with_salt::<Sha512>(salt),
    }
}

fn rsa_key(bits: &[u8]) -> Result<PublicKey, SignatureError> {
    let mut reader = Reader::new(bits);
    let (modulus, exponent) = reader.sequence(|key| Ok((key.positive()?, key.positive()?)))?;
    reader.end()?;
    let size = modulus.len().saturating_mul(8);
    if size > MAX_RSA_BITS {
        return Err(SignatureError::KeySize(size));
    }
    let (modulus, exponent) = (BigUint::from_bytes_be(modulus), BigUint::from_bytes_be(exponent));
    let key = RsaPublicKey::new_with_max_size(modulus, exponent, MAX_RSA_BITS)
        .map_err(|_| DerError::Value)?;
    let size = key.n().bits();
    if size < MIN_RSA_BITS {
        return Err(SignatureError::KeySize(size));
    }
    Ok(PublicKey::Rsa(Box::new(key)))
}

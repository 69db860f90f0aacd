//! A certificate in a few words, and its public key put to the test.

use std::fmt;

use card_key::piv::{Certificate, KeyAlgorithm};
use p256::ecdsa::signature::hazmat::PrehashVerifier;
use rsa::pkcs1::DecodeRsaPublicKey as _;
use scard_types::tlv;
use serde::Serialize;
use sha2::Sha256;
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::{FromDer as _, X509Certificate};
use x509_parser::time::ASN1Time;

use crate::process::plain;

/// `szOID_NT_PRINCIPAL_NAME`: the name to log on with, as Windows writes it.
const PRINCIPAL_NAME: &str = "1.3.6.1.4.1.311.20.2.3";

/// A certificate in a few words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Described {
    pub(crate) subject: String,
    pub(crate) issuer: String,
    /// Names to log on with, and mail addresses.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) names: Vec<String>,
    /// The kind of key, if it is known here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) key: Option<String>,
    pub(crate) not_before: String,
    pub(crate) not_after: String,
    pub(crate) bytes: usize,
    /// Whether the card stores it compressed.
    pub(crate) compressed: bool,
}

/// Describes a certificate; `None` if it is no X.509.
pub(crate) fn describe(certificate: &Certificate) -> Option<Described> {
    let (_, parsed) = X509Certificate::from_der(&certificate.der).ok()?;
    let names = parsed.subject_alternative_name().ok().flatten();
    let names = names.map(|names| names.value.general_names.iter().filter_map(name).collect());
    Some(Described {
        subject: plain(&parsed.subject().to_string()),
        issuer: plain(&parsed.issuer().to_string()),
        names: names.unwrap_or_default(),
        key: KeyAlgorithm::of(parsed.public_key()).map(|key| key.to_string()),
        not_before: day(parsed.validity().not_before),
        not_after: day(parsed.validity().not_after),
        bytes: certificate.der.len(),
        compressed: certificate.compressed,
    })
}

fn name(name: &GeneralName<'_>) -> Option<String> {
    match name {
        GeneralName::RFC822Name(address) => Some(plain(address)),
        GeneralName::OtherName(kind, value) if kind.to_id_string() == PRINCIPAL_NAME => {
            // [0] EXPLICIT UTF8String
            let inner = tlv::find(value, 0xA0)?;
            let text = tlv::find(inner, 0x0C)?;
            Some(plain(std::str::from_utf8(text).ok()?))
        }
        _ => None,
    }
}

fn day(time: ASN1Time) -> String {
    let time = time.to_datetime();
    format!("{:04}-{:02}-{:02}", time.year(), u8::from(time.month()), time.day())
}

impl fmt::Display for Described {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { subject, names, key, not_after, .. } = self;
        let key = key.as_deref().unwrap_or("unknown kind of key");
        write!(f, "{subject}, {key}, until {not_after}")?;
        if names.is_empty() { Ok(()) } else { write!(f, ", {}", names.join(", ")) }
    }
}

/// Whether a signature over `digest` (SHA-256) is of the key in the certificate. `None` for a key of an unknown kind.
pub(crate) fn verify(
    certificate: &Certificate,
    digest: &[u8; 32],
    signature: &[u8],
) -> Option<bool> {
    let (_, parsed) = X509Certificate::from_der(&certificate.der).ok()?;
    let key = parsed.public_key();
    let bytes = &key.subject_public_key.data;
    let holds = match KeyAlgorithm::of(key)? {
        KeyAlgorithm::P256 => {
            let key = p256::ecdsa::VerifyingKey::from_sec1_bytes(bytes).ok()?;
            p256::ecdsa::Signature::from_der(signature)
                .is_ok_and(|signature| key.verify_prehash(digest, &signature).is_ok())
        }
        KeyAlgorithm::P384 => {
            let key = p384::ecdsa::VerifyingKey::from_sec1_bytes(bytes).ok()?;
            p384::ecdsa::Signature::from_der(signature)
                .is_ok_and(|signature| key.verify_prehash(digest, &signature).is_ok())
        }
        _ => {
            let key = rsa::RsaPublicKey::from_pkcs1_der(bytes).ok()?;
            let key = rsa::pkcs1v15::VerifyingKey::<Sha256>::new(key);
            rsa::pkcs1v15::Signature::try_from(signature)
                .is_ok_and(|signature| key.verify_prehash(digest, &signature).is_ok())
        }
    };
    Some(holds)
}

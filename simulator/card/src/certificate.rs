//! The certificates that the card signs for its own keys, so that it is useful without any preparation.
//! RFC 5280, SP 800-73-4 part 1, 3.1 for what each key may be used for.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::str::FromStr;
use core::time::Duration;

use der::asn1::{BitString, GeneralizedTime, OctetString, UtcTime};
use der::flagset::FlagSet;
use der::oid::AssociatedOid;
use der::oid::db::{rfc5280, rfc5912};
use der::{Decode, Encode};
use rand_chacha::ChaCha20Rng;
use rsa::signature::{RandomizedSigner, SignatureEncoding};
use sha2::{Digest, Sha256, Sha384};
use x509_cert::certificate::{Certificate, TbsCertificate, Version};
use x509_cert::ext::pkix::{
    BasicConstraints, ExtendedKeyUsage, KeyUsage, KeyUsages, SubjectKeyIdentifier,
};
use x509_cert::ext::{Extension, Extensions};
use x509_cert::name::RdnSequence;
use x509_cert::serial_number::SerialNumber;
use x509_cert::spki::{AlgorithmIdentifierOwned, SubjectPublicKeyInfoOwned};
use x509_cert::time::{Time, Validity as X509Validity};

use crate::key::PrivateKey;
use crate::slot::KeySlot;

/// From when until when the certificates hold, in seconds since 1970-01-01 00:00 UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Validity {
    /// The first second.
    pub not_before: u64,
    /// The last second; it is the expiry date of the CHUID too.
    pub not_after: u64,
}

impl Validity {
    /// The last day as YYYYMMDD; the end of the calendar for dates that it does not have.
    pub(crate) fn last_day(&self) -> String {
        der::DateTime::from_unix_duration(Duration::from_secs(self.not_after)).map_or_else(
            |_| String::from("99991231"),
            |day| format!("{:04}{:02}{:02}", day.year(), day.month(), day.day()),
        )
    }
}

/// A certificate for the key in a slot, signed by that key. `None` only for dates that X.509 cannot write.
pub(crate) fn self_signed(
    slot: KeySlot,
    key: &PrivateKey,
    card_serial: u32,
    validity: &Validity,
    rng: &mut ChaCha20Rng,
) -> Option<Vec<u8>> {
    let name = RdnSequence::from_str(&format!(
        "CN={},OU=Card {card_serial},O=scard virtual PIV card",
        purpose(slot)
    ))
    .ok()?;
    let public_key_info = key.public_key_info()?;
    let validity = X509Validity {
        not_before: time(validity.not_before)?,
        not_after: time(validity.not_after)?,
    };
    let statement = Statement {
        serial_number: serial_number(slot, &public_key_info)?,
        issuer: name.clone(),
        validity,
        subject: name,
        extensions: extensions(slot, key, &public_key_info)?,
        public_key_info,
    };
    statement.sign(key, rng)
}

/// What a certificate says.
pub(crate) struct Statement {
    pub(crate) serial_number: SerialNumber,
    pub(crate) issuer: RdnSequence,
    pub(crate) validity: X509Validity,
    pub(crate) subject: RdnSequence,
    /// DER.
    pub(crate) public_key_info: Vec<u8>,
    pub(crate) extensions: Extensions,
}

impl Statement {
    /// The certificate, DER.
    pub(crate) fn sign(self, key: &PrivateKey, rng: &mut ChaCha20Rng) -> Option<Vec<u8>> {
        let signature_algorithm = signature_algorithm(key);
        let tbs_certificate = TbsCertificate {
            version: Version::V3,
            serial_number: self.serial_number,
            signature: signature_algorithm.clone(),
            issuer: self.issuer,
            validity: self.validity,
            subject: self.subject,
            subject_public_key_info: SubjectPublicKeyInfoOwned::from_der(&self.public_key_info)
                .ok()?,
            issuer_unique_id: None,
            subject_unique_id: None,
            extensions: Some(self.extensions),
        };
        let signature = sign(key, &tbs_certificate.to_der().ok()?, rng)?;
        Certificate {
            tbs_certificate,
            signature_algorithm,
            signature: BitString::from_bytes(&signature).ok()?,
        }
        .to_der()
        .ok()
    }
}

fn purpose(slot: KeySlot) -> String {
    String::from(match slot {
        KeySlot::Authentication => "PIV Authentication",
        KeySlot::Signature => "Digital Signature",
        KeySlot::KeyManagement => "Key Management",
        KeySlot::CardAuthentication => "Card Authentication",
        KeySlot::Retired(key) => return format!("Retired Key Management {}", key.number()),
        KeySlot::Attestation => "PIV Attestation",
    })
}

/// Eight bytes that two keys do not share, positive.
fn serial_number(slot: KeySlot, public_key_info: &[u8]) -> Option<SerialNumber> {
    let digest = Sha256::digest(public_key_info);
    let mut serial = Vec::from([slot.reference() & 0x7F]);
    serial.extend(digest.iter().take(7));
    SerialNumber::new(&serial).ok()
}

fn signature_algorithm(key: &PrivateKey) -> AlgorithmIdentifierOwned {
    let (oid, parameters) = match key {
        PrivateKey::Rsa(_) => (rfc5912::SHA_256_WITH_RSA_ENCRYPTION, Some(der::asn1::Null.into())),
        PrivateKey::P256(_) => (rfc5912::ECDSA_WITH_SHA_256, None),
        PrivateKey::P384(_) => (rfc5912::ECDSA_WITH_SHA_384, None),
    };
    AlgorithmIdentifierOwned { oid, parameters }
}

fn sign(key: &PrivateKey, message: &[u8], rng: &mut ChaCha20Rng) -> Option<Vec<u8>> {
    match key {
        PrivateKey::Rsa(rsa) => {
            let signer = rsa::pkcs1v15::SigningKey::<Sha256>::new(rsa.as_ref().clone());
            Some(signer.try_sign_with_rng(rng, message).ok()?.to_vec())
        }
        PrivateKey::P256(_) => Some(key.sign_ecdsa(&Sha256::digest(message))?.expose().to_vec()),
        PrivateKey::P384(_) => Some(key.sign_ecdsa(&Sha384::digest(message))?.expose().to_vec()),
    }
}

/// `UTCTime` up to 2049, `GeneralizedTime` from then on (RFC 5280, 4.1.2.5).
fn time(seconds: u64) -> Option<Time> {
    let since = Duration::from_secs(seconds);
    match UtcTime::from_unix_duration(since) {
        Ok(time) => Some(Time::UtcTime(time)),
        Err(_) => Some(Time::GeneralTime(GeneralizedTime::from_unix_duration(since).ok()?)),
    }
}

fn extensions(slot: KeySlot, key: &PrivateKey, public_key_info: &[u8]) -> Option<Extensions> {
    let public_key = SubjectPublicKeyInfoOwned::from_der(public_key_info).ok()?;
    let is_attestation = slot == KeySlot::Attestation;
    let constraints =
        BasicConstraints { ca: is_attestation, path_len_constraint: is_attestation.then_some(0) };
    // Method (1) of RFC 5280, 4.2.1.2 with a newer hash, cut to its length (RFC 7093, 2).
    let key_hash = Sha256::digest(public_key.subject_public_key.raw_bytes());
    let identifier = OctetString::new(key_hash.get(..20)?).ok()?;
    let mut extensions = Vec::from([
        extension(&constraints, true)?,
        extension(&KeyUsage(key_usage(slot, key)), true)?,
        extension(&SubjectKeyIdentifier(identifier), false)?,
    ]);
    if slot == KeySlot::Authentication {
        let usage = ExtendedKeyUsage(Vec::from([rfc5280::ID_KP_CLIENT_AUTH]));
        extensions.push(extension(&usage, false)?);
    }
    Some(extensions)
}

fn key_usage(slot: KeySlot, key: &PrivateKey) -> FlagSet<KeyUsages> {
    match (slot, key) {
        (KeySlot::Authentication | KeySlot::CardAuthentication, _) => {
            KeyUsages::DigitalSignature.into()
        }
        (KeySlot::Signature, _) => KeyUsages::DigitalSignature | KeyUsages::NonRepudiation,
        (KeySlot::Attestation, _) => KeyUsages::KeyCertSign.into(),
        (KeySlot::KeyManagement | KeySlot::Retired(_), PrivateKey::Rsa(_)) => {
            KeyUsages::KeyEncipherment.into()
        }
        (
            KeySlot::KeyManagement | KeySlot::Retired(_),
            PrivateKey::P256(_) | PrivateKey::P384(_),
        ) => KeyUsages::KeyAgreement.into(),
    }
}

fn extension<E: AssociatedOid + Encode>(value: &E, critical: bool) -> Option<Extension> {
    let extn_value = OctetString::new(value.to_der().ok()?).ok()?;
    Some(Extension { extn_id: E::OID, critical, extn_value })
}

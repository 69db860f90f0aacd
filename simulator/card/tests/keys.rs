//! What the card does with its keys, judged against its certificates.
#![allow(clippy::as_conversions, clippy::cast_possible_truncation, reason = "small numbers")]

mod host;

use host::Host;
use p256::ecdsa::signature::hazmat::PrehashVerifier;
use p256::pkcs8::DecodePublicKey;
use sha2::{Digest, Sha256};
use sim_card::{KeyAlgorithm, KeySlot};
use x509_parser::prelude::{FromDer, X509Certificate};

/// The `SubjectPublicKeyInfo` in a certificate.
fn public_key(certificate: &[u8]) -> Vec<u8> {
    let (rest, certificate) = X509Certificate::from_der(certificate).unwrap();
    assert!(rest.is_empty());
    certificate.public_key().raw.to_vec()
}

fn verify_p256(public_key: &[u8], prehash: &[u8], signature: &[u8]) {
    let key = p256::ecdsa::VerifyingKey::from_public_key_der(public_key).unwrap();
    let signature = p256::ecdsa::Signature::from_der(signature).unwrap();
    key.verify_prehash(prehash, &signature).unwrap();
}

#[test]
fn each_slot_signs_with_the_key_of_its_certificate() {
    let mut host = Host::new();
    for slot in KeySlot::ALL {
        let key = public_key(&host.certificate(slot));
        let hash = Sha256::digest(slot.reference().to_be_bytes());
        host.verify_pin();
        let signature = host.use_key(KeyAlgorithm::P256, slot, 0x81, &hash).unwrap();
        verify_p256(&key, &hash, &signature);
    }
}

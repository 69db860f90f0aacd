//! What Yubico's extensions give out, judged from outside: imported keys, attestations.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests panic")]

mod host;

use host::{Host, inside, profile};
use p256::pkcs8::DecodePublicKey;
use rand_core::SeedableRng;
use rsa::RsaPrivateKey;
use rsa::traits::{PrivateKeyParts, PublicKeyParts};
use scard_types::{StatusWord, tlv};
use sha2::{Digest, Sha256};
use sim_card::{
    Card, Firmware, KeyAlgorithm, KeySlot, KeySource, ManagementAlgorithm, PivCard, PrivateKey,
    SlotProfile,
};
use x509_parser::prelude::{FromDer, X509Certificate};

fn yubikey(firmware: [u8; 3]) -> Host {
    Host(PivCard::new(profile().as_yubikey(Firmware(firmware))).unwrap())
}

/// The five numbers of an RSA key as programs send them.
fn parts(key: &RsaPrivateKey) -> [Vec<u8>; 5] {
    let [p, q] = key.primes() else { panic!("two primes") };
    let inverse = key.qinv().unwrap().to_biguint().unwrap();
    [p, q, key.dp().unwrap(), key.dq().unwrap(), &inverse].map(rsa::BigUint::to_bytes_be)
}

fn template(parts: &[Vec<u8>]) -> Vec<u8> {
    let mut template = Vec::new();
    for (tag, part) in (1..).zip(parts) {
        tlv::write(&mut template, tag, part);
    }
    template
}

#[test]
fn an_imported_rsa_key_decrypts_and_its_parts_belong_together() {
    let mut rng = rand_chacha::ChaCha20Rng::from_seed([5; 32]);
    let key = RsaPrivateKey::new(&mut rng, 2048).unwrap();
    let mut host = yubikey([5, 4, 3]);
    host.open_management(ManagementAlgorithm::TripleDes);
    let slot = KeySlot::KeyManagement;
    let algorithm = KeyAlgorithm::Rsa2048;
    let import = |host: &mut Host, parts: &[Vec<u8>]| {
        host.send(0xFE, algorithm.identifier(), slot.reference(), &template(parts)).1
    };
    let whole = parts(&key);
    for at in 0..whole.len() {
        let mut wrong = whole.clone();
        *wrong[at].last_mut().unwrap() ^= 2;
        assert_eq!(import(&mut host, &wrong), StatusWord(0x6A80), "part {at} changed");
        assert_eq!(import(&mut host, &whole[..at]), StatusWord(0x6A80), "parts up to {at}");
    }
    assert_eq!(import(&mut host, &whole), StatusWord::OK);

    host.verify_pin();
    let cryptogram =
        key.to_public_key().encrypt(&mut rng, rsa::Pkcs1v15Encrypt, b"a session key").unwrap();
    let padded = host.use_key(algorithm, slot, 0x81, &cryptogram).unwrap();
    assert!(padded.ends_with(b"\x00a session key"));

    // And again from memory.
    host = Host(PivCard::from_memory(host.0.memory().expose(), [0; 32]).unwrap());
    host.verify_pin();
    assert_eq!(host.use_key(algorithm, slot, 0x81, &cryptogram), Ok(padded));
    let metadata = host.ask(0xF7, 0, slot.reference(), &[]);
    assert_eq!(inside(&metadata, &[0x04, 0x81]), key.n().to_bytes_be());
}

#[test]
fn an_attestation_says_which_card_made_the_key_and_is_signed_by_f9() {
    let mut host = yubikey([5, 4, 3]);
    host.open_management(ManagementAlgorithm::TripleDes);
    let policies = [0xAC, 9, 0x80, 1, 0x14, 0xAA, 1, 3, 0xAB, 1, 2];
    let made = host.ask(0x47, 0, 0x83, &policies);
    assert!(!host.0.is_quick(&[0x00, 0xF9, 0x83, 0x00]));
    let attestation = host.ask(0xF9, 0x83, 0x00, &[]);
    let (rest, attestation) = X509Certificate::from_der(&attestation).unwrap();
    assert!(rest.is_empty());
    let issuer = host.certificate(KeySlot::Attestation);
    let (_, issuer) = X509Certificate::from_der(&issuer).unwrap();
    assert!(issuer.is_ca());

    assert_eq!(attestation.subject().to_string(), "CN=YubiKey PIV Attestation 83");
    assert_eq!(attestation.issuer(), issuer.subject());
    assert_eq!(attestation.validity(), issuer.validity());
    assert_eq!(
        attestation.public_key().subject_public_key.data.as_ref(),
        inside(&made, &[0x7F49, 0x86])
    );
    let extension = |last: u64| {
        let oid = x509_parser::der_parser::Oid::from(&[1, 3, 6, 1, 4, 1, 41482, 3, last]).unwrap();
        attestation.get_extension_unique(&oid).unwrap().unwrap().value
    };
    assert_eq!(extension(3), [5, 4, 3]);
    assert_eq!(extension(7), [0x02, 0x01, 0x07]);
    assert_eq!(extension(8), [3, 2]);
    assert_eq!(extension(9), [0]);

    let key = rsa::RsaPublicKey::from_public_key_der(issuer.public_key().raw).unwrap();
    let digest = Sha256::digest(attestation.tbs_certificate.as_ref());
    let scheme = rsa::Pkcs1v15Sign::new::<Sha256>();
    key.verify(scheme, &digest, &attestation.signature_value.data).unwrap();
}

#[test]
fn attestation_has_another_certificate_when_it_is_given_one() {
    let mut host = yubikey([5, 4, 3]);
    host.open_management(ManagementAlgorithm::TripleDes);
    let put = |host: &mut Host, certificate: &[u8]| {
        let mut data = vec![0x5C, 0x03, 0x5F, 0xFF, 0x01];
        tlv::write(&mut data, 0x53, &tlv::element(0x70, certificate));
        host.ask(0xDB, 0x3F, 0xFF, &data);
    };
    put(&mut host, b"no certificate");
    assert_eq!(host.send(0xF9, 0x9A, 0x00, &[]).1, StatusWord(0x6A88));
    let other = host.certificate(KeySlot::Signature);
    put(&mut host, &other);
    let attestation = host.ask(0xF9, 0x9A, 0x00, &[]);
    let (_, attestation) = X509Certificate::from_der(&attestation).unwrap();
    let (_, other) = X509Certificate::from_der(&other).unwrap();
    assert_eq!(attestation.issuer(), other.subject());
}

#[test]
fn a_start_over_keeps_the_key_that_attests() {
    let mut host = yubikey([5, 7, 1]);
    let before = host.certificate(KeySlot::Attestation);
    for _ in 0..3 {
        host.send(0x20, 0x00, 0x80, &[0xFF; 8]);
        host.send(0x2C, 0x00, 0x80, &[0xFF; 16]);
    }
    host.ask(0xFB, 0x00, 0x00, &[]);
    host.open_management(ManagementAlgorithm::Aes192);
    assert_eq!(host.certificate(KeySlot::Attestation), before);
    host.ask(0x47, 0x00, 0x9A, &[0xAC, 3, 0x80, 1, 0x11]);
    host.ask(0xF9, 0x9A, 0x00, &[]);
}

#[test]
fn retired_keys_are_told_in_the_key_history() {
    let mut profile = profile();
    for slot in KeySlot::retired().take(2) {
        let key = KeySource::Made(KeyAlgorithm::P256);
        profile.slots.insert(slot, SlotProfile { key, certificate: None });
    }
    let mut host = Host(PivCard::new(profile).unwrap());
    let (history, _) = host.object(0x5F_C10C);
    assert_eq!(inside(&history, &[0x53]), [0xC1, 1, 2, 0xC2, 1, 0, 0xFE, 0]);
    let last = KeySlot::retired().nth(1).unwrap();
    let (_, certificate) = X509Certificate::from_der(&host.certificate(last))
        .map(|parsed| (parsed.0.len(), parsed.1.subject().to_string()))
        .unwrap();
    assert!(certificate.ends_with("CN=Retired Key Management 2"), "{certificate}");
    let missing = KeySlot::retired().nth(2).unwrap();
    assert_eq!(host.object(missing.certificate_tag()).1, StatusWord(0x6A82));
    // The standard has no way to make them on the card.
    host.open_management(ManagementAlgorithm::TripleDes);
    let made = host.send(0x47, 0x00, last.reference(), &[0xAC, 3, 0x80, 1, 0x11]);
    assert_eq!(made.1, StatusWord(0x6A86));
    host.verify_pin();
    assert!(host.use_key(KeyAlgorithm::P256, last, 0x81, &[1; 32]).is_ok());
}

#[test]
fn a_given_key_is_not_attested() {
    let mut rng = rand_chacha::ChaCha20Rng::from_seed([9; 32]);
    let key = PrivateKey::generate(KeyAlgorithm::P256, &mut rng).unwrap();
    let mut profile = profile().as_yubikey(Firmware([5, 4, 3]));
    let given = SlotProfile { key: KeySource::Given(key), certificate: None };
    profile.slots.insert(KeySlot::Authentication, given);
    let mut host = Host(PivCard::new(profile).unwrap());
    assert_eq!(host.send(0xF9, 0x9A, 0x00, &[]).1, StatusWord(0x6A80));
}

//! What the card does with its keys, judged against its certificates by the crates' verifying halves.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests panic")]

mod host;

use host::{Host, card_with, inside};
use p256::ecdsa::signature::hazmat::PrehashVerifier;
use p256::elliptic_curve::sec1::ToEncodedPoint;
use p256::pkcs8::DecodePublicKey;
use rand_core::SeedableRng;
use rsa::RsaPublicKey;
use rsa::traits::PublicKeyParts;
use scard_types::{StatusWord, tlv};
use sha2::{Digest, Sha256, Sha384};
use sim_card::{Card, KeyAlgorithm, KeySlot, ManagementAlgorithm};
use x509_parser::prelude::{FromDer, X509Certificate};

const BAD_DATA: StatusWord = StatusWord(0x6A80);
/// DER of the beginning of a `DigestInfo` with SHA-256, RFC 8017, 9.2, note 1.
const DIGEST_INFO_SHA_256: [u8; 19] = [
    0x30, 0x31, 0x30, 0x0D, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05,
    0x00, 0x04, 0x20,
];

/// The `SubjectPublicKeyInfo` in a certificate.
fn public_key(certificate: &[u8]) -> Vec<u8> {
    let (rest, certificate) = X509Certificate::from_der(certificate).unwrap();
    assert!(rest.is_empty());
    certificate.public_key().raw.to_vec()
}

/// Verifies a signature over a hash, whatever the kind of the key.
fn verify(public_key: &[u8], hash: &[u8], signature: &[u8]) {
    if let Ok(key) = p256::ecdsa::VerifyingKey::from_public_key_der(public_key) {
        let signature = p256::ecdsa::Signature::from_der(signature).unwrap();
        key.verify_prehash(hash, &signature).unwrap();
    } else if let Ok(key) = p384::ecdsa::VerifyingKey::from_public_key_der(public_key) {
        let signature = p384::ecdsa::Signature::from_der(signature).unwrap();
        key.verify_prehash(hash, &signature).unwrap();
    } else {
        let key = RsaPublicKey::from_public_key_der(public_key).unwrap();
        key.verify(rsa::Pkcs1v15Sign::new::<Sha256>(), hash, signature).unwrap();
    }
}

/// What a program sends to have SHA-256 `hash` signed: the hash, or for RSA the whole padded block.
fn to_sign(algorithm: KeyAlgorithm, hash: &[u8]) -> Vec<u8> {
    let modulus_bytes = match algorithm {
        KeyAlgorithm::P256 | KeyAlgorithm::P384 => return hash.to_vec(),
        KeyAlgorithm::Rsa2048 => 256,
        KeyAlgorithm::Rsa3072 => 384,
        KeyAlgorithm::Rsa4096 => 512,
    };
    let mut block = vec![0xFF; modulus_bytes - DIGEST_INFO_SHA_256.len() - hash.len()];
    block[..2].copy_from_slice(&[0x00, 0x01]);
    *block.last_mut().unwrap() = 0x00;
    block.extend_from_slice(&DIGEST_INFO_SHA_256);
    block.extend_from_slice(hash);
    block
}

#[test]
fn each_slot_signs_with_the_key_of_its_certificate() {
    for algorithm in [KeyAlgorithm::P256, KeyAlgorithm::P384] {
        let mut host = card_with(algorithm);
        for slot in KeySlot::STANDARD {
            let key = public_key(&host.certificate(slot));
            let hash = Sha384::digest([slot.reference()]);
            let hash = if algorithm == KeyAlgorithm::P256 { &hash[..32] } else { &hash[..] };
            host.verify_pin();
            let signature = host.use_key(algorithm, slot, 0x81, hash).unwrap();
            verify(&key, hash, &signature);
        }
    }
}

#[test]
fn an_rsa_key_is_made_when_it_is_needed_signs_and_decrypts() {
    let mut host = card_with(KeyAlgorithm::Rsa2048);
    let read = [0x00, 0xCB, 0x3F, 0xFF, 0x05, 0x5C, 0x03, 0x5F, 0xC1, 0x05, 0x00];
    assert!(!host.0.is_quick(&read), "the key has to be made for its certificate");
    let certificate = host.certificate(KeySlot::Authentication);
    assert!(host.0.is_quick(&read));
    let key = public_key(&certificate);

    host.verify_pin();
    let hash = Sha256::digest(b"to be signed");
    let block = to_sign(KeyAlgorithm::Rsa2048, &hash);
    let mut on_card =
        |input: &[u8]| host.use_key(KeyAlgorithm::Rsa2048, KeySlot::Authentication, 0x81, input);
    verify(&key, &hash, &on_card(&block).unwrap());

    let public = RsaPublicKey::from_public_key_der(&key).unwrap();
    let mut rng = rand_chacha::ChaCha20Rng::from_seed([3; 32]);
    let cryptogram = public.encrypt(&mut rng, rsa::Pkcs1v15Encrypt, b"a session key").unwrap();
    let padded = on_card(&cryptogram).unwrap();
    assert_eq!(padded.len(), 256);
    assert!(padded.starts_with(&[0x00, 0x02]) && padded.ends_with(b"\x00a session key"));

    assert_eq!(on_card(&[]), Err(BAD_DATA));
    assert_eq!(on_card(&block[1..]), Err(BAD_DATA));
    assert_eq!(on_card(&[0xFF; 256]), Err(BAD_DATA), "not below the modulus");
    assert_eq!(on_card(&public.n().to_bytes_be()), Err(BAD_DATA));
    assert_eq!(on_card(&[0x00; 256]).unwrap(), [0x00; 256]);
}

#[test]
fn long_rsa_keys_are_made_and_sign() {
    for (algorithm, modulus_bits) in [(KeyAlgorithm::Rsa3072, 3072), (KeyAlgorithm::Rsa4096, 4096)]
    {
        let mut host = Host::new();
        let slot = KeySlot::CardAuthentication;
        host.open_management(ManagementAlgorithm::TripleDes);
        let template = [0xAC, 0x03, 0x80, 0x01, algorithm.identifier()];
        let answer = host.ask(0x47, 0x00, slot.reference(), &template);
        let number = |tag| rsa::BigUint::from_bytes_be(&inside(&answer, &[0x7F49, tag]));
        let key = RsaPublicKey::new(number(0x81), number(0x82)).unwrap();
        assert_eq!(key.n().bits(), modulus_bits);
        let hash = Sha256::digest(b"to be signed");
        let signature = host.use_key(algorithm, slot, 0x81, &to_sign(algorithm, &hash)).unwrap();
        key.verify(rsa::Pkcs1v15Sign::new::<Sha256>(), &hash, &signature).unwrap();
    }
}

#[test]
fn ecdsa_takes_a_hash_of_any_length() {
    for (algorithm, field_bytes) in [(KeyAlgorithm::P256, 32), (KeyAlgorithm::P384, 48)] {
        let mut host = card_with(algorithm);
        let slot = KeySlot::CardAuthentication;
        let key = public_key(&host.certificate(slot));
        for length in [0, 1, 20, 31, 32, 33, 47, 48, 49, 64, 100, 300] {
            let hash: Vec<u8> = (1..=u8::MAX).cycle().take(length).collect();
            let signature = host.use_key(algorithm, slot, 0x81, &hash).unwrap();
            let mut as_number = vec![0; field_bytes - hash.len().min(field_bytes)];
            as_number.extend(hash.iter().take(field_bytes));
            verify(&key, &as_number, &signature);
        }
    }
}

#[test]
fn both_sides_agree_on_a_secret() {
    let mut rng = rand_chacha::ChaCha20Rng::from_seed([4; 32]);
    let mut host = card_with(KeyAlgorithm::P256);
    host.verify_pin();
    let key = public_key(&host.certificate(KeySlot::KeyManagement));
    let own = p256::SecretKey::random(&mut rng);
    let point = own.public_key().to_encoded_point(false);
    let theirs = p256::PublicKey::from_public_key_der(&key).unwrap();
    let expected = p256::ecdh::diffie_hellman(own.to_nonzero_scalar(), theirs.as_affine());
    let secret =
        host.use_key(KeyAlgorithm::P256, KeySlot::KeyManagement, 0x85, point.as_bytes()).unwrap();
    assert_eq!(secret, expected.raw_secret_bytes().as_slice());

    let mut off_curve = point.as_bytes().to_vec();
    *off_curve.last_mut().unwrap() ^= 1;
    for bad in [&off_curve[..], &point.as_bytes()[..64], &[0x00], &[]] {
        let answer = host.use_key(KeyAlgorithm::P256, KeySlot::KeyManagement, 0x85, bad);
        assert_eq!(answer, Err(BAD_DATA));
    }

    let mut host = card_with(KeyAlgorithm::P384);
    host.verify_pin();
    let key = public_key(&host.certificate(KeySlot::KeyManagement));
    let own = p384::SecretKey::random(&mut rng);
    let point = own.public_key().to_encoded_point(false);
    let theirs = p384::PublicKey::from_public_key_der(&key).unwrap();
    let expected = p384::ecdh::diffie_hellman(own.to_nonzero_scalar(), theirs.as_affine());
    let secret =
        host.use_key(KeyAlgorithm::P384, KeySlot::KeyManagement, 0x85, point.as_bytes()).unwrap();
    assert_eq!(secret, expected.raw_secret_bytes().as_slice());
}

#[test]
fn a_generated_key_replaces_the_old_one_and_leaves_the_certificate() {
    let mut host = Host::new();
    let slot = KeySlot::Authentication;
    for algorithm in [KeyAlgorithm::P256, KeyAlgorithm::P384, KeyAlgorithm::Rsa2048] {
        host.0.reset();
        host.open_management(ManagementAlgorithm::TripleDes);
        let template = [0xAC, 0x03, 0x80, 0x01, algorithm.identifier()];
        let answer = host.ask(0x47, 0x00, slot.reference(), &template);
        host.verify_pin();
        let hash = Sha384::digest(b"to be signed");
        let hash = if algorithm == KeyAlgorithm::P384 { &hash[..] } else { &hash[..32] };
        let signature = host.use_key(algorithm, slot, 0x81, &to_sign(algorithm, hash)).unwrap();
        let key_info = match algorithm {
            KeyAlgorithm::P256 => {
                let point = inside(&answer, &[0x7F49, 0x86]);
                let key = p256::PublicKey::from_sec1_bytes(&point).unwrap();
                p256::pkcs8::EncodePublicKey::to_public_key_der(&key)
            }
            KeyAlgorithm::P384 => {
                let point = inside(&answer, &[0x7F49, 0x86]);
                let key = p384::PublicKey::from_sec1_bytes(&point).unwrap();
                p256::pkcs8::EncodePublicKey::to_public_key_der(&key)
            }
            KeyAlgorithm::Rsa2048 | KeyAlgorithm::Rsa3072 | KeyAlgorithm::Rsa4096 => {
                let number = |tag| rsa::BigUint::from_bytes_be(&inside(&answer, &[0x7F49, tag]));
                let key = RsaPublicKey::new(number(0x81), number(0x82)).unwrap();
                p256::pkcs8::EncodePublicKey::to_public_key_der(&key)
            }
        };
        let key_info = key_info.unwrap();
        verify(key_info.as_bytes(), hash, &signature);
        let old = public_key(&host.certificate(slot));
        assert_ne!(old, key_info.as_bytes());
        assert_eq!(old, public_key(&Host::new().certificate(slot)), "the first one's");
    }
}

#[test]
fn the_management_key_opens_both_ways_with_every_cipher() {
    for algorithm in [
        ManagementAlgorithm::TripleDes,
        ManagementAlgorithm::Aes128,
        ManagementAlgorithm::Aes192,
        ManagementAlgorithm::Aes256,
    ] {
        let mut profile = host::profile();
        profile.management_key = sim_card::ManagementKey::well_known(algorithm);
        let mut host = Host(sim_card::PivCard::new(profile).unwrap());
        let delete = [0x5C, 0x03, 0x5F, 0xC1, 0x06, 0x53, 0x00];
        let put = |host: &mut Host| host.send(0xDB, 0x3F, 0xFF, &delete).1;

        host.open_management(algorithm);
        assert_eq!(put(&mut host), StatusWord::OK);
        host.0.reset();
        assert_eq!(put(&mut host), StatusWord(0x6982));

        let answer = host.ask(0x87, algorithm.identifier(), 0x9B, &[0x7C, 0x02, 0x81, 0x00]);
        let challenge = inside(&answer, &[0x7C, 0x81]);
        let key: Vec<u8> = (1..=8).cycle().take(algorithm.key_bytes()).collect();
        let response = tlv::element(0x82, &host::crypt(algorithm, &key, &challenge, true));
        let response = tlv::element(0x7C, &response);
        assert_eq!(host.ask(0x87, algorithm.identifier(), 0x9B, &response), []);
        assert_eq!(put(&mut host), StatusWord::OK);
        // A challenge is good for one try.
        let again = host.send(0x87, algorithm.identifier(), 0x9B, &response);
        assert_eq!(again, (vec![], BAD_DATA));
        assert_eq!(put(&mut host), StatusWord(0x6982));
    }
}

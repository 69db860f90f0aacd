//! What a new card holds: certificates, identifiers; and what can be put on it.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests panic")]

mod host;

use host::{Host, VALIDITY, card_with, inside, profile};
use p256::ecdsa::signature::Verifier;
use p256::pkcs8::DecodePublicKey;
use p256::pkcs8::EncodePrivateKey;
use rand_core::SeedableRng;
use rsa::pkcs1::EncodeRsaPrivateKey;
use scard_types::{Pin, StatusWord, tlv};
use sha2::Sha256;
use sim_card::{
    Firmware, KeyAlgorithm, KeyError, KeySlot, KeySource, MAX_OBJECT_BYTES, ManagementAlgorithm,
    PivCard, PrivateKey, ProfileError, SlotProfile,
};
use x509_parser::prelude::{FromDer, X509Certificate};

#[test]
fn certificates_are_signed_by_their_own_keys_and_say_what_those_are_for() {
    let cases = [
        (KeySlot::Authentication, "PIV Authentication", "Digital Signature"),
        (KeySlot::Signature, "Digital Signature", "Digital Signature, Non Repudiation"),
        (KeySlot::KeyManagement, "Key Management", "Key Agreement"),
        (KeySlot::CardAuthentication, "Card Authentication", "Digital Signature"),
    ];
    let mut host = Host::new();
    for (slot, name, usage) in cases {
        let der = host.certificate(slot);
        let (rest, certificate) = X509Certificate::from_der(&der).unwrap();
        assert!(rest.is_empty());
        let subject = certificate.subject().to_string();
        assert_eq!(subject, format!("O=scard virtual PIV card, OU=Card 7, CN={name}"));
        assert_eq!(certificate.issuer(), certificate.subject());
        let key_usage = certificate.key_usage().unwrap().unwrap();
        assert!(key_usage.critical);
        assert_eq!(key_usage.value.to_string(), usage);
        assert!(!certificate.is_ca());
        let dates = certificate.validity();
        let seconds = [dates.not_before.timestamp(), dates.not_after.timestamp()];
        let seconds = seconds.map(|second| u64::try_from(second).unwrap());
        assert_eq!(seconds, [VALIDITY.not_before, VALIDITY.not_after]);

        let key =
            p256::ecdsa::VerifyingKey::from_public_key_der(certificate.public_key().raw).unwrap();
        let signature =
            p256::ecdsa::Signature::from_der(&certificate.signature_value.data).unwrap();
        key.verify(certificate.tbs_certificate.as_ref(), &signature).unwrap();
    }
}

#[test]
fn an_rsa_certificate_is_signed_by_its_own_key() {
    let der = card_with(KeyAlgorithm::Rsa2048).certificate(KeySlot::KeyManagement);
    let (_, certificate) = X509Certificate::from_der(&der).unwrap();
    assert_eq!(certificate.key_usage().unwrap().unwrap().value.to_string(), "Key Encipherment");
    let key = rsa::RsaPublicKey::from_public_key_der(certificate.public_key().raw).unwrap();
    let signature =
        rsa::pkcs1v15::Signature::try_from(&certificate.signature_value.data[..]).unwrap();
    rsa::pkcs1v15::VerifyingKey::<Sha256>::new(key)
        .verify(certificate.tbs_certificate.as_ref(), &signature)
        .unwrap();
}

#[test]
fn the_same_profile_makes_the_same_card_whatever_is_used_first() {
    let mut forward = Host::new();
    let mut backward = Host::new();
    let one: Vec<_> = KeySlot::STANDARD.map(|slot| forward.certificate(slot)).into();
    let mut other: Vec<_> =
        KeySlot::STANDARD.into_iter().rev().map(|slot| backward.certificate(slot)).collect();
    other.reverse();
    assert_eq!(one, other);

    let mut another = profile();
    another.seed = [0x22; 32];
    assert_ne!(Host(PivCard::new(another).unwrap()).certificate(KeySlot::Authentication), one[0]);
}

#[test]
fn two_cards_have_different_identifiers() {
    let guid = |serial| {
        let mut profile = profile();
        profile.serial = serial;
        let (chuid, _) = Host(PivCard::new(profile).unwrap()).object(0x5F_C102);
        inside(&chuid, &[0x53, 0x34])
    };
    assert_eq!(guid(1).len(), 16);
    assert_eq!(guid(1), guid(1));
    assert_ne!(guid(1), guid(2));
}

#[test]
fn a_card_that_claims_to_be_a_yubikey_tells_version_and_serial_number() {
    let mut profile = profile();
    profile.firmware = Some(Firmware([5, 4, 3]));
    let mut host = Host(PivCard::new(profile).unwrap());
    assert_eq!(host.ask(0xFD, 0, 0, &[]), [5, 4, 3]);
    assert_eq!(host.ask(0xF8, 0, 0, &[]), [0, 0, 0, 7]);
    assert_eq!(host.send(0xFD, 1, 0, &[]).1, StatusWord(0x6A86));
}

#[test]
fn a_long_object_travels_in_chains_both_ways_up_to_its_limit() {
    let put = |host: &mut Host, length: usize| {
        let mut data = vec![0x5C, 0x03, 0x5F, 0xC1, 0x05];
        let object: Vec<u8> = (0..=u8::MAX).cycle().take(length).collect();
        tlv::write(&mut data, 0x53, &object);
        (host.send(0xDB, 0x3F, 0xFF, &data).1, object)
    };
    let mut host = Host::new();
    host.open_management(ManagementAlgorithm::TripleDes);
    for length in [1, 255, 256, 257, 2_048, MAX_OBJECT_BYTES] {
        let (status, object) = put(&mut host, length);
        assert_eq!(status, StatusWord::OK);
        assert_eq!(host.object(0x5F_C105), (tlv::element(0x53, &object), StatusWord::OK));
    }
    assert_eq!(put(&mut host, MAX_OBJECT_BYTES + 1).0, StatusWord(0x6A84));
    // 65,535 bytes are the most that a chain may build up.
    assert_eq!(host.object(0x5F_C105).0.len(), MAX_OBJECT_BYTES + 4);
}

#[test]
fn a_chain_that_grows_too_long_is_refused_and_forgotten() {
    use scard_types::CommandApdu;
    use sim_card::Card;
    let mut card = PivCard::new(profile()).unwrap();
    let part = |length| CommandApdu::new(0x10, 0xDB, 0x3F, 0xFF).with_data(vec![0x53; length]);
    assert_eq!(card.transmit(part(65_535).to_bytes().expose()).expose(), [0x90, 0x00]);
    assert_eq!(card.transmit(part(1).to_bytes().expose()).expose(), [0x67, 0x00]);
    assert_eq!(card.transmit(part(1).to_bytes().expose()).expose(), [0x90, 0x00]);
}

#[test]
fn keys_are_read_from_every_form_of_pem() {
    let mut rng = rand_chacha::ChaCha20Rng::from_seed([9; 32]);
    let p256 = p256::SecretKey::random(&mut rng);
    let p384 = p384::SecretKey::random(&mut rng);
    let rsa = rsa::RsaPrivateKey::new(&mut rng, 2048).unwrap();
    let ending = Default::default;
    let sec1 = p256.to_sec1_pem(ending()).unwrap();
    let cases = [
        (KeyAlgorithm::P256, p256.to_pkcs8_pem(ending()).unwrap()),
        (KeyAlgorithm::P256, sec1.clone()),
        (KeyAlgorithm::P384, p384.to_pkcs8_pem(ending()).unwrap()),
        (KeyAlgorithm::P384, p384.to_sec1_pem(ending()).unwrap()),
        (KeyAlgorithm::Rsa2048, rsa.to_pkcs8_pem(ending()).unwrap()),
        (KeyAlgorithm::Rsa2048, rsa.to_pkcs1_pem(ending()).unwrap()),
    ];
    for (algorithm, pem) in &cases {
        let key = PrivateKey::from_pem(pem).unwrap();
        assert_eq!(key.algorithm(), *algorithm);
        for end in (0..pem.trim_end().len()).step_by(7) {
            assert!(PrivateKey::from_pem(&pem[..end]).is_err(), "cut at {end}");
        }
    }
    let parameters =
        "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n";
    assert!(PrivateKey::from_pem(&format!("{parameters}{}", *sec1)).is_ok());

    let refused = |pem: &str, error| assert_eq!(PrivateKey::from_pem(pem).err(), Some(error));
    refused("", KeyError::NoPrivateKey);
    refused(parameters, KeyError::NoPrivateKey);
    refused("-----BEGIN ENCRYPTED PRIVATE KEY-----\n", KeyError::Encrypted);
    let small = rsa::RsaPrivateKey::new(&mut rng, 1024).unwrap();
    refused(&small.to_pkcs8_pem(ending()).unwrap(), KeyError::RsaLength { bits: 1024 });
}

#[test]
fn a_given_key_and_certificate_are_used_as_they_are() {
    let mut rng = rand_chacha::ChaCha20Rng::from_seed([9; 32]);
    let given = |certificate: Option<Vec<u8>>, rng: &mut rand_chacha::ChaCha20Rng| {
        let key = KeySource::Given(PrivateKey::generate(KeyAlgorithm::P384, rng).unwrap());
        let mut profile = profile();
        profile.slots.clear();
        profile.slots.insert(KeySlot::Authentication, SlotProfile { key, certificate });
        PivCard::new(profile)
    };
    let mut host = Host(given(Some(vec![0x30, 0x00]), &mut rng).unwrap());
    assert_eq!(host.certificate(KeySlot::Authentication), [0x30, 0x00]);
    assert_eq!(host.object(KeySlot::Signature.certificate_tag()).1, StatusWord(0x6A82));
    let unused = host.use_key(KeyAlgorithm::P256, KeySlot::CardAuthentication, 0x81, &[1]);
    assert_eq!(unused, Err(StatusWord(0x6A88)));

    let mut host = Host(given(None, &mut rng).unwrap());
    let certificate = host.certificate(KeySlot::Authentication);
    let (_, certificate) = X509Certificate::from_der(&certificate).unwrap();
    assert!(p384::PublicKey::from_public_key_der(certificate.public_key().raw).is_ok());

    let slot = KeySlot::Authentication;
    let long = given(Some(vec![0x30; MAX_OBJECT_BYTES]), &mut rng).err();
    assert_eq!(long, Some(ProfileError::LongCertificate { slot }));
}

#[test]
fn a_profile_with_a_bad_pin_makes_no_card() {
    for (pin, puk, error) in [
        ("12345", "1", ProfileError::BadPin),
        ("123456789", "1", ProfileError::BadPin),
        ("12345a", "1", ProfileError::BadPin),
        ("123456", "123456789", ProfileError::BadPuk),
    ] {
        let mut profile = profile();
        profile.pin = Pin::new(pin.as_bytes()).unwrap();
        profile.puk = Pin::new(puk.as_bytes()).unwrap();
        assert_eq!(PivCard::new(profile).err(), Some(error));
    }
}

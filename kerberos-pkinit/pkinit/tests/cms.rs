//! What is signed is read back and verified; whatever was changed is found.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test says no by a panic")]

mod pki;

use krb5_words::der::{DerError, NULL, OBJECT_IDENTIFIER, SET, Writer, context};
use pki::{SUBJECT_KEY, Template, TestKey, der};
use pkinit::cms::{CmsError, ContentType, SignedData, Unsigned};
use pkinit::signature::{AlgorithmIdentifier, Hash, PublicKey, SignatureAlgorithm, SignatureError};

fn certificate(key: &TestKey) -> Vec<u8> {
    Template::new("signer", vec![]).self_signed(key)
}

fn signed(key: &TestKey, algorithm: SignatureAlgorithm, content_type: ContentType) -> Vec<u8> {
    let content = b"the content".to_vec();
    let certificate = certificate(key);
    let data = Unsigned::new(content_type, content, &certificate, &[], algorithm).unwrap();
    let signature = key.sign(algorithm, data.to_be_signed());
    data.sign(&signature)
}

fn verify(bytes: &[u8]) -> Result<SignatureAlgorithm, CmsError> {
    let data = SignedData::from_der(bytes)?;
    Ok(data.verify(ContentType::DhKeyData)?.algorithm)
}

#[test]
fn what_a_key_signs_verifies_with_its_certificate() {
    for key in [TestKey::rsa(1), TestKey::p256(1), TestKey::p384(1)] {
        let algorithm = key.algorithm();
        let bytes = signed(&key, algorithm, ContentType::DhKeyData);
        assert_eq!(verify(&bytes), Ok(algorithm));
        let data = SignedData::from_der(&bytes).unwrap();
        assert_eq!(data.content, b"the content");
        assert_eq!(data.certificates, [certificate(&key)]);
        let key = PublicKey::from_der(&key.public()).unwrap();
        assert_eq!(key.own_algorithm(), algorithm);
    }
}

#[test]
fn rsa_signs_with_every_digest_and_sha_1_is_told() {
    let key = TestKey::rsa(1);
    for hash in [Hash::Sha1, Hash::Sha256, Hash::Sha384, Hash::Sha512] {
        let algorithm = SignatureAlgorithm::RsaPkcs1(hash);
        let bytes = signed(&key, algorithm, ContentType::DhKeyData);
        assert_eq!(verify(&bytes).map(SignatureAlgorithm::hash), Ok(hash));
    }
}

#[test]
fn intermediates_go_along_and_sets_are_in_order() {
    let key = TestKey::p256(1);
    let certificate = certificate(&key);
    let other = vec![0x30, 1, 0];
    let content = b"the content".to_vec();
    let algorithm = key.algorithm();
    let data = Unsigned::new(
        ContentType::AuthData,
        content,
        &certificate,
        std::slice::from_ref(&other),
        algorithm,
    )
    .unwrap();
    // contentType has the shorter encoding, so it stands before messageDigest.
    let attributes = data.to_be_signed();
    assert_eq!(attributes[0], SET);
    assert_eq!(attributes[2..4], [0x30, 0x16]);
    let signature = key.sign(algorithm, attributes);
    let bytes = data.sign(&signature);
    let read = SignedData::from_der(&bytes).unwrap();
    assert_eq!(read.certificates, [other, certificate]);
    assert!(read.verify(ContentType::AuthData).is_ok());
}

#[test]
fn a_content_type_that_was_not_expected_is_refused() {
    let key = TestKey::p256(1);
    let bytes = signed(&key, key.algorithm(), ContentType::AuthData);
    let oid = ContentType::AuthData.oid().to_vec();
    assert_eq!(verify(&bytes), Err(CmsError::ContentType(oid)));
}

#[test]
fn a_change_of_any_byte_is_found() {
    let key = TestKey::p256(1);
    let bytes = signed(&key, key.algorithm(), ContentType::DhKeyData);
    // The certificate proves itself in its chain; here only its key, name and number count.
    let certificate = certificate(&key);
    let start = bytes.windows(certificate.len()).position(|part| part == certificate).unwrap();
    for at in (0..start).chain(start + certificate.len()..bytes.len()) {
        let mut changed = bytes.clone();
        changed[at] ^= 1;
        if let Ok(read) = SignedData::from_der(&changed) {
            // Versions and the list of digests say nothing that is not said elsewhere.
            let original = SignedData::from_der(&bytes).unwrap();
            let is_same = read == original;
            assert!(is_same || read.verify(ContentType::DhKeyData).is_err(), "byte {at}");
        }
    }
}

#[test]
fn what_is_cut_off_anywhere_is_an_error() {
    let key = TestKey::p256(1);
    let bytes = signed(&key, key.algorithm(), ContentType::DhKeyData);
    for cut in 0..bytes.len() {
        assert_eq!(verify(&bytes[..cut]), Err(CmsError::Encoding(DerError::Short)));
    }
    let longer = [&bytes[..], &[0]].concat();
    assert_eq!(verify(&longer), Err(CmsError::Encoding(DerError::Surplus)));
}

/// A `SignedData` whose signer is given.
fn with_signers(signers: &[Vec<u8>], certificate: &[u8]) -> Vec<u8> {
    der(|writer| {
        writer.sequence(|info| {
            let oid = [0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x07, 0x02];
            info.element(OBJECT_IDENTIFIER, &oid);
            info.within(context(0), |content| {
                content.sequence(|data| {
                    data.integer(3);
                    data.within(SET, |_| {});
                    data.sequence(|inner| {
                        inner.element(OBJECT_IDENTIFIER, &ContentType::DhKeyData.oid());
                        inner.within(context(0), |field| field.octets(b"content"));
                    });
                    data.within(context(0), |set| set.raw(certificate));
                    data.within(SET, |set| signers.iter().for_each(|signer| set.raw(signer)));
                });
            });
        });
    })
}

/// What a signer may do differently.
struct Odd<'a> {
    attributes: &'a [(&'a [u8], Vec<u8>)],
    label: &'a [u8],
    key_id: &'a [u8],
}

const CONTENT_TYPE: &[u8] = &[0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x09, 0x03];
const MESSAGE_DIGEST: &[u8] = &[0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x09, 0x04];
const SHA256_WITH_RSA: &[u8] = &[0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x01, 0x0B];
const ECDSA_SHA256: &[u8] = &[0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x04, 0x03, 0x02];

fn odd(odd: &Odd<'_>) -> Result<SignatureAlgorithm, CmsError> {
    let key = TestKey::p256(1);
    let id = (SUBJECT_KEY.to_vec(), false, vec![4, 2, 7, 7]);
    let certificate = Template::new("signer", vec![id]).self_signed(&key);
    let attributes = der(|writer| {
        for (oid, values) in odd.attributes {
            writer.sequence(|fields| {
                fields.element(OBJECT_IDENTIFIER, oid);
                fields.within(SET, |set| set.raw(values));
            });
        }
    });
    let signature = key.sign(key.algorithm(), &der(|writer| writer.element(SET, &attributes)));
    let signer = der(|writer| {
        writer.sequence(|fields| {
            fields.integer(3);
            fields.element(0x80, odd.key_id);
            Hash::Sha256.write(fields);
            if !attributes.is_empty() {
                fields.element(context(0), &attributes);
            }
            fields.sequence(|algorithm| algorithm.element(OBJECT_IDENTIFIER, odd.label));
            fields.octets(&signature);
        });
    });
    verify(&with_signers(&[signer], &certificate))
}

#[test]
fn signers_are_held_to_their_attributes() {
    let kind = der(|w: &mut Writer| w.element(OBJECT_IDENTIFIER, &ContentType::DhKeyData.oid()));
    let other = der(|w: &mut Writer| w.element(OBJECT_IDENTIFIER, &ContentType::AuthData.oid()));
    let digest = der(|w: &mut Writer| w.octets(&Hash::Sha256.digest(b"content")));
    let wrong = der(|w: &mut Writer| w.octets(&Hash::Sha256.digest(b"another")));
    let good = [(CONTENT_TYPE, kind.clone()), (MESSAGE_DIGEST, digest.clone())];
    let ours = Odd { attributes: &good, label: ECDSA_SHA256, key_id: &[7, 7] };
    let ok = Ok(SignatureAlgorithm::Ecdsa(Hash::Sha256));
    assert_eq!(odd(&ours), ok, "a signer named by its key identifier");
    assert_eq!(odd(&Odd { label: SHA256_WITH_RSA, ..ours }), ok, "the label of old MIT KDCs");
    assert_eq!(odd(&Odd { key_id: &[7], ..ours }), Err(CmsError::NoCertificate));
    assert_eq!(odd(&Odd { attributes: &[], ..ours }), Err(CmsError::NoAttributes));
    let sha512_with_rsa = &[0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x01, 0x0D];
    let wrong_kind = Err(CmsError::Signature(SignatureError::OtherKind));
    assert_eq!(odd(&Odd { label: sha512_with_rsa, ..ours }), wrong_kind, "no other label");
    let ecdsa_sha384 = &[0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x04, 0x03, 0x03];
    let wrong_digest = Err(CmsError::Signature(SignatureError::OtherKind));
    assert_eq!(odd(&Odd { label: ecdsa_sha384, ..ours }), wrong_digest, "two digests");
    for (attributes, error) in [
        (vec![good[1].clone()], CmsError::ContentTypeAttribute),
        (vec![good[0].clone()], CmsError::MessageDigest),
        (vec![(CONTENT_TYPE, other), good[1].clone()], CmsError::ContentTypeAttribute),
        (vec![good[0].clone(), (MESSAGE_DIGEST, wrong)], CmsError::MessageDigest),
        (vec![good[0].clone(), good[0].clone(), good[1].clone()], CmsError::ContentTypeAttribute),
        (
            vec![good[0].clone(), (MESSAGE_DIGEST, [digest.clone(), digest].concat())],
            CmsError::Encoding(DerError::Surplus),
        ),
    ] {
        assert_eq!(odd(&Odd { attributes: &attributes, ..ours }), Err(error));
    }
}

#[test]
fn exactly_one_signs() {
    let certificate = certificate(&TestKey::p256(1));
    let nobody = with_signers(&[], &certificate);
    assert_eq!(verify(&nobody), Err(CmsError::Signers(0)));
    let two = with_signers(&[vec![0x30, 0], vec![0x30, 0]], &certificate);
    assert_eq!(verify(&two), Err(CmsError::Signers(2)));
    let many = with_signers(&[vec![0x30, 0]], &[0x30, 0].repeat(33));
    assert_eq!(verify(&many), Err(CmsError::TooManyCertificates));
    let data = der(|writer| {
        writer.sequence(|info| {
            info.element(OBJECT_IDENTIFIER, &[1]);
            info.within(context(0), |_| {});
        });
    });
    assert_eq!(verify(&data), Err(CmsError::NotSigned(vec![1])));
}

#[test]
fn a_foreign_signature_is_refused() {
    for (ours, other) in [(TestKey::rsa(1), TestKey::rsa(2)), (TestKey::p256(1), TestKey::p256(2))]
    {
        let algorithm = ours.algorithm();
        let content = b"the content".to_vec();
        let certificate = certificate(&ours);
        let data =
            Unsigned::new(ContentType::DhKeyData, content, &certificate, &[], algorithm).unwrap();
        let signature = other.sign(algorithm, data.to_be_signed());
        let error = CmsError::Signature(SignatureError::Wrong);
        assert_eq!(verify(&data.sign(&signature)), Err(error));
    }
}

fn pss_identifier(hash: Hash, mask: Hash, salt: u8, trailer: u8) -> Vec<u8> {
    der(|writer| {
        writer.sequence(|algorithm| {
            let oid = [0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x01, 0x0A];
            algorithm.element(OBJECT_IDENTIFIER, &oid);
            algorithm.sequence(|parameters| {
                parameters.within(context(0), |field| hash.write(field));
                parameters.within(context(1), |field| {
                    field.sequence(|mgf| {
                        let oid = [0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x01, 0x08];
                        mgf.element(OBJECT_IDENTIFIER, &oid);
                        mask.write(mgf);
                    });
                });
                parameters.within(context(2), |field| field.integer(salt));
                parameters.within(context(3), |field| field.integer(trailer));
            });
        });
    })
}

fn read_algorithm(bytes: &[u8]) -> Result<SignatureAlgorithm, SignatureError> {
    let mut reader = krb5_words::der::Reader::new(bytes);
    SignatureAlgorithm::read(AlgorithmIdentifier::read(&mut reader)?)
}

#[test]
fn pss_signatures_verify_with_their_parameters() {
    let key = TestKey::rsa(1);
    let public = PublicKey::from_der(&key.public()).unwrap();
    for hash in [Hash::Sha1, Hash::Sha256, Hash::Sha384, Hash::Sha512] {
        let algorithm = read_algorithm(&pss_identifier(hash, hash, 20, 1)).unwrap();
        assert_eq!(algorithm, SignatureAlgorithm::RsaPss { hash, salt: 20 });
        let signature = key.sign(algorithm, b"message");
        assert_eq!(public.verify(algorithm, b"message", &signature), Ok(()));
        let wrong = Err(SignatureError::Wrong);
        assert_eq!(public.verify(algorithm, b"massage", &signature), wrong);
        let other_salt = SignatureAlgorithm::RsaPss { hash, salt: 32 };
        assert_eq!(public.verify(other_salt, b"message", &signature), wrong);
    }
    let trailer = pss_identifier(Hash::Sha256, Hash::Sha256, 20, 2);
    assert_eq!(read_algorithm(&trailer), Err(SignatureError::Encoding(DerError::Value)));
    let mixed = pss_identifier(Hash::Sha256, Hash::Sha1, 20, 1);
    assert_eq!(read_algorithm(&mixed), Err(SignatureError::OtherKind));
}

#[test]
fn md5_and_other_keys_are_refused_by_name() {
    let md5_with_rsa = [0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x01, 0x04];
    let identifier = der(|writer| {
        writer.sequence(|algorithm| {
            algorithm.element(OBJECT_IDENTIFIER, &md5_with_rsa);
            algorithm.element(NULL, &[]);
        });
    });
    let error = SignatureError::Algorithm(md5_with_rsa.to_vec());
    assert_eq!(read_algorithm(&identifier), Err(error));
    let ed25519 = [0x2B, 0x65, 0x70];
    let key = der(|writer| {
        writer.sequence(|info| {
            info.sequence(|algorithm| algorithm.element(OBJECT_IDENTIFIER, &ed25519));
            info.bits(&[1; 32]);
        });
    });
    assert_eq!(PublicKey::from_der(&key), Err(SignatureError::Key(ed25519.to_vec())));
    for (bytes, bits) in [(128, 1024), (1025, 8200)] {
        let key = der(|writer| {
            writer.sequence(|info| {
                info.sequence(|algorithm| {
                    let oid = [0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x01, 0x01];
                    algorithm.element(OBJECT_IDENTIFIER, &oid);
                });
                let number = der(|writer| {
                    writer.sequence(|key| {
                        key.positive(&vec![0xFF; bytes]);
                        key.positive(&[1, 0, 1]);
                    });
                });
                info.bits(&number);
            });
        });
        assert_eq!(PublicKey::from_der(&key), Err(SignatureError::KeySize(bits)));
    }
    let public = PublicKey::from_der(&TestKey::p256(1).public()).unwrap();
    let rsa = SignatureAlgorithm::RsaPkcs1(Hash::Sha256);
    assert_eq!(public.verify(rsa, b"", b""), Err(SignatureError::OtherKind));
}

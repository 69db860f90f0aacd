//! Keys and certificates for the tests: a CA that makes whatever is asked for, right or wrong.
#![allow(dead_code, reason = "each test file uses its part")]
#![allow(unreachable_pub, reason = "shared by test files")]

use krb5_words::KerberosTime;
use krb5_words::der::{BOOLEAN, NULL, OBJECT_IDENTIFIER, SET, Writer, context, implicit};
use p256::ecdsa::signature::hazmat::PrehashSigner;
use pkinit::signature::{Hash, SignatureAlgorithm};
use rand_core::SeedableRng;
use rsa::pkcs1::EncodeRsaPublicKey;
use rsa::pkcs8::DecodePrivateKey;
use rsa::{Pkcs1v15Sign, Pss, RsaPrivateKey};
use sha1::Sha1;
use sha2::{Sha256, Sha384, Sha512};

/// 2030-01-01.
pub const NOW: KerberosTime = KerberosTime::from_unix(1_893_456_000);
pub const DAY: i64 = 86_400;

pub const BASIC_CONSTRAINTS: &[u8] = &[0x55, 0x1D, 0x13];
pub const KEY_USAGE: &[u8] = &[0x55, 0x1D, 0x0F];
pub const SUBJECT_ALT_NAME: &[u8] = &[0x55, 0x1D, 0x11];
pub const NAME_CONSTRAINTS: &[u8] = &[0x55, 0x1D, 0x1E];
pub const EXTENDED_KEY_USAGE: &[u8] = &[0x55, 0x1D, 0x25];
pub const SUBJECT_KEY: &[u8] = &[0x55, 0x1D, 0x0E];
/// 1.3.6.1.5.2.3.5.
pub const KP_KDC: &[u8] = &[0x2B, 0x06, 0x01, 0x05, 0x02, 0x03, 0x05];
/// 1.3.6.1.5.5.7.3.n.
pub const SERVER_AUTH: &[u8] = &[0x2B, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x01];
pub const CLIENT_AUTH: &[u8] = &[0x2B, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x02];

#[derive(Clone)]
pub enum TestKey {
    Rsa(Box<RsaPrivateKey>),
    P256(p256::SecretKey),
    P384(p384::SecretKey),
}

impl TestKey {
    pub fn rsa(number: u8) -> Self {
        let pem = match number {
            1 => include_str!("../data/rsa-1.pem"),
            _ => include_str!("../data/rsa-2.pem"),
        };
        Self::Rsa(Box::new(RsaPrivateKey::from_pkcs8_pem(pem).unwrap()))
    }

    pub fn p256(seed: u8) -> Self {
        Self::P256(p256::SecretKey::from_slice(&[seed; 32]).unwrap())
    }

    pub fn p384(seed: u8) -> Self {
        Self::P384(p384::SecretKey::from_slice(&[seed; 48]).unwrap())
    }

    /// What this key is signed with by default.
    pub fn algorithm(&self) -> SignatureAlgorithm {
        match self {
            Self::Rsa(_) => SignatureAlgorithm::RsaPkcs1(Hash::Sha256),
            Self::P256(_) => SignatureAlgorithm::Ecdsa(Hash::Sha256),
            Self::P384(_) => SignatureAlgorithm::Ecdsa(Hash::Sha384),
        }
    }

    pub fn public(&self) -> Vec<u8> {
        let curve = |oid: &[u8], point: &[u8]| {
            let mut writer = Writer::new();
            writer.sequence(|info| {
                info.sequence(|algorithm| {
                    let kind = [0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x02, 0x01];
                    algorithm.element(OBJECT_IDENTIFIER, &kind);
                    algorithm.element(OBJECT_IDENTIFIER, oid);
                });
                info.bits(point);
            });
            writer.into_bytes()
        };
        match self {
            Self::Rsa(key) => {
                let mut writer = Writer::new();
                writer.sequence(|info| {
                    info.sequence(|algorithm| {
                        let kind = [0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x01, 0x01];
                        algorithm.element(OBJECT_IDENTIFIER, &kind);
                        algorithm.element(NULL, &[]);
                    });
                    info.bits(key.to_public_key().to_pkcs1_der().unwrap().as_bytes());
                });
                writer.into_bytes()
            }
            Self::P256(key) => curve(
                &[0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x03, 0x01, 0x07],
                &key.public_key().to_sec1_bytes(),
            ),
            Self::P384(key) => {
                curve(&[0x2B, 0x81, 0x04, 0x00, 0x22], &key.public_key().to_sec1_bytes())
            }
        }
    }

    pub fn sign(&self, algorithm: SignatureAlgorithm, message: &[u8]) -> Vec<u8> {
        let digest = algorithm.hash().digest(message);
        match (self, algorithm) {
            (Self::Rsa(key), SignatureAlgorithm::RsaPkcs1(hash)) => {
                let padding = match hash {
                    Hash::Sha1 => Pkcs1v15Sign::new::<Sha1>(),
                    Hash::Sha256 => Pkcs1v15Sign::new::<Sha256>(),
                    Hash::Sha384 => Pkcs1v15Sign::new::<Sha384>(),
                    Hash::Sha512 => Pkcs1v15Sign::new::<Sha512>(),
                };
                key.sign(padding, &digest).unwrap()
            }
            (Self::Rsa(key), SignatureAlgorithm::RsaPss { hash, salt }) => {
                let padding = match hash {
                    Hash::Sha1 => Pss::new_with_salt::<Sha1>(salt),
                    Hash::Sha256 => Pss::new_with_salt::<Sha256>(salt),
                    Hash::Sha384 => Pss::new_with_salt::<Sha384>(salt),
                    Hash::Sha512 => Pss::new_with_salt::<Sha512>(salt),
                };
                let mut random = rand_chacha::ChaCha8Rng::seed_from_u64(7);
                key.sign_with_rng(&mut random, padding, &digest).unwrap()
            }
            (Self::P256(key), _) => {
                let signature: p256::ecdsa::Signature =
                    p256::ecdsa::SigningKey::from(key).sign_prehash(&digest).unwrap();
                signature.to_der().as_bytes().to_vec()
            }
            (Self::P384(key), _) => {
                let signature: p384::ecdsa::Signature =
                    p384::ecdsa::SigningKey::from(key).sign_prehash(&digest).unwrap();
                signature.to_der().as_bytes().to_vec()
            }
            (Self::Rsa(_), SignatureAlgorithm::Ecdsa(_)) => panic!("an RSA key makes no ECDSA"),
        }
    }
}

pub type Extension = (Vec<u8>, bool, Vec<u8>);

pub fn der(write: impl FnOnce(&mut Writer)) -> Vec<u8> {
    let mut writer = Writer::new();
    write(&mut writer);
    writer.into_bytes()
}

pub fn ca(path_length: Option<u8>) -> Extension {
    let value = der(|writer| {
        writer.sequence(|fields| {
            fields.boolean(true);
            if let Some(length) = path_length {
                fields.integer(length);
            }
        });
    });
    (BASIC_CONSTRAINTS.to_vec(), true, value)
}

/// Bit 0 is the highest: digitalSignature 0x80, keyCertSign 0x04.
pub fn key_usage(bits: u8) -> Extension {
    (KEY_USAGE.to_vec(), true, vec![3, 2, 0, bits])
}

pub fn purposes(oids: &[&[u8]]) -> Extension {
    let value = der(|writer| {
        writer.sequence_of(oids, |list, oid| list.element(OBJECT_IDENTIFIER, oid));
    });
    (EXTENDED_KEY_USAGE.to_vec(), false, value)
}

pub fn names(entries: &[Vec<u8>]) -> Extension {
    let value = der(|writer| writer.sequence_of(entries, |list, entry| list.raw(entry)));
    (SUBJECT_ALT_NAME.to_vec(), false, value)
}

pub fn dns_name(name: &str) -> Vec<u8> {
    der(|writer| writer.element(implicit(2), name.as_bytes()))
}

/// The SAN of a principal in a realm.
pub fn principal_name(realm: &str, components: &[&str]) -> Vec<u8> {
    der(|writer| {
        writer.within(context(0), |other| {
            other.element(OBJECT_IDENTIFIER, &[0x2B, 0x06, 0x01, 0x05, 0x02, 0x02]);
            other.within(context(0), |value| {
                value.sequence(|fields| {
                    fields.within(context(0), |field| field.string(realm.as_bytes()));
                    fields.within(context(1), |field| {
                        krb5_words::PrincipalName::new(krb5_words::NameType(1), components)
                            .write(field);
                    });
                });
            });
        });
    })
}

/// A certificate to be made.
#[derive(Clone)]
pub struct Template {
    pub subject: String,
    pub serial: u8,
    pub not_before: KerberosTime,
    pub not_after: KerberosTime,
    pub extensions: Vec<Extension>,
    pub algorithm: Option<SignatureAlgorithm>,
    /// What the signed part says of the algorithm, if not the truth.
    pub inner_algorithm: Option<SignatureAlgorithm>,
    /// Of the version 1, which has no extensions.
    pub is_old: bool,
}

impl Template {
    pub fn new(subject: &str, extensions: Vec<Extension>) -> Self {
        Self {
            subject: subject.into(),
            serial: 1,
            not_before: NOW.plus(-DAY),
            not_after: NOW.plus(365 * DAY),
            extensions,
            algorithm: None,
            inner_algorithm: None,
            is_old: false,
        }
    }

    /// Issues it.
    pub fn issue(&self, key: &TestKey, issuer: &str, issuer_key: &TestKey) -> Vec<u8> {
        let algorithm = self.algorithm.unwrap_or_else(|| issuer_key.algorithm());
        let to_be_signed = der(|writer| {
            writer.sequence(|fields| {
                if !self.is_old {
                    fields.within(context(0), |version| version.integer(2));
                }
                fields.integer(self.serial);
                self.inner_algorithm.unwrap_or(algorithm).write(fields);
                fields.raw(&common_name(issuer));
                fields.sequence(|validity| {
                    self.not_before.write(validity);
                    self.not_after.write(validity);
                });
                fields.raw(&common_name(&self.subject));
                fields.raw(&key.public());
                if !self.extensions.is_empty() {
                    fields.within(context(3), |field| {
                        field.sequence_of(&self.extensions, |list, (oid, is_critical, value)| {
                            list.sequence(|extension| {
                                extension.element(OBJECT_IDENTIFIER, oid);
                                if *is_critical {
                                    extension.element(BOOLEAN, &[0xFF]);
                                }
                                extension.octets(value);
                            });
                        });
                    });
                }
            });
        });
        let signature = issuer_key.sign(algorithm, &to_be_signed);
        der(|writer| {
            writer.sequence(|certificate| {
                certificate.raw(&to_be_signed);
                algorithm.write(certificate);
                certificate.bits(&signature);
            });
        })
    }

    pub fn self_signed(&self, key: &TestKey) -> Vec<u8> {
        self.issue(key, &self.subject.clone(), key)
    }
}

pub fn common_name(name: &str) -> Vec<u8> {
    der(|writer| {
        writer.sequence(|names| {
            names.within(SET, |set| {
                set.sequence(|attribute| {
                    attribute.element(OBJECT_IDENTIFIER, &[0x55, 0x04, 0x03]);
                    attribute.element(0x0C, name.as_bytes());
                });
            });
        });
    })
}

//! From the shared secret to the reply key: RFC 4556, 3.2.3.1, and RFC 8636, 6.

use krb5_words::Principal;
use krb5_words::crypto::{EncryptionType, Key};
use krb5_words::der::{OBJECT_IDENTIFIER, Reader, Result as DerResult, Writer, context};
use sha1::Sha1;
use sha2::{Digest, Sha256, Sha384, Sha512};
use zeroize::Zeroizing;

use crate::messages::write_principal;

/// A key derivation function of RFC 8636.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kdf {
    /// id-pkinit-kdf-ah-sha1.
    Sha1,
    /// id-pkinit-kdf-ah-sha256.
    Sha256,
    /// id-pkinit-kdf-ah-sha384.
    Sha384,
    /// id-pkinit-kdf-ah-sha512.
    Sha512,
}

impl Kdf {
    /// What we offer, the best first. SHA-1 is never offered: whoever has only that has no list at all.
    pub const OFFERED: [Self; 3] = [Self::Sha256, Self::Sha384, Self::Sha512];

    /// The contents of its object identifier, 1.3.6.1.5.2.3.6.n; the order of n is the standard's.
    #[must_use]
    pub const fn oid(self) -> [u8; 8] {
        let last = match self {
            Self::Sha1 => 1,
            Self::Sha256 => 2,
            Self::Sha512 => 3,
            Self::Sha384 => 4,
        };
        [0x2B, 0x06, 0x01, 0x05, 0x02, 0x03, 0x06, last]
    }

    /// The one with that object identifier.
    #[must_use]
    pub fn from_oid(oid: &[u8]) -> Option<Self> {
        [Self::Sha1, Self::Sha256, Self::Sha384, Self::Sha512]
            .into_iter()
            .find(|kdf| kdf.oid() == oid)
    }

    /// Reads a `KDFAlgorithmId`; `None` inside for one that we do not know.
    ///
    /// # Errors
    /// [`krb5_words::der::DerError`].
    pub fn read(reader: &mut Reader<'_>) -> DerResult<Option<Self>> {
        reader.sequence(|fields| {
            let oid = fields.within(context(0), |field| field.value(OBJECT_IDENTIFIER))?;
            fields.skip_extensions()?;
            Ok(Self::from_oid(oid))
        })
    }

    /// Writes a `KDFAlgorithmId`.
    pub fn write(self, writer: &mut Writer) {
        writer.sequence(|fields| {
            fields.within(context(0), |field| field.element(OBJECT_IDENTIFIER, &self.oid()));
        });
    }

    fn hash(self, parts: &[&[u8]]) -> Vec<u8> {
        fn run<D: Digest>(parts: &[&[u8]]) -> Vec<u8> {
            let mut digest = D::new();
            parts.iter().for_each(|part| digest.update(part));
            digest.finalize().to_vec()
        }
        match self {
            Self::Sha1 => run::<Sha1>(parts),
            Self::Sha256 => run::<Sha256>(parts),
            Self::Sha384 => run::<Sha384>(parts),
            Self::Sha512 => run::<Sha512>(parts),
        }
    }
}

/// What a derivation of RFC 8636 is bound to, so that nobody in between can change any of it.
#[derive(Clone, Copy, Debug)]
pub struct Binding<'a> {
    /// The client, as the request named it.
    pub client: &'a Principal,
    /// The service, as the request named it.
    pub server: &'a Principal,
    /// The AS-REQ as it was sent.
    pub as_req: &'a [u8],
    /// The value of PA-PK-AS-REP as it came.
    pub pk_as_rep: &'a [u8],
}

/// The reply key by RFC 8636: hash( counter || Z || `OtherInfo` ), counted from 1 until there is enough.
///
/// `secret` is padded to the size of the group already.
#[must_use]
pub fn derive(
    kdf: Kdf,
    etype: EncryptionType,
    secret: &[u8],
    binding: &Binding<'_>,
) -> Option<Key> {
    let other_info = other_info(kdf, etype, binding);
    expand(etype, |counter| kdf.hash(&[&u32::from(counter).to_be_bytes(), secret, &other_info]), 1)
}

/// The reply key by RFC 4556, octetstring2key: SHA1( counter || x ), counted from 0, where x is the secret and, if the
/// KDC sent a nonce of its own, both nonces.
#[must_use]
pub fn octet_string_to_key(
    etype: EncryptionType,
    secret: &[u8],
    nonces: Option<(&[u8], &[u8])>,
) -> Option<Key> {
    let (client, server) = nonces.unwrap_or_default();
    expand(etype, |counter| Kdf::Sha1.hash(&[&[counter], secret, client, server]), 0)
}

/// As many rounds as a key needs, the first with the counter `from`.
fn expand(etype: EncryptionType, round: impl Fn(u8) -> Vec<u8>, from: u8) -> Option<Key> {
    let need = etype.key_bytes();
    let mut bytes = Zeroizing::new(Vec::with_capacity(need.saturating_add(64)));
    let mut counter = from;
    while bytes.len() < need {
        bytes.extend_from_slice(&Zeroizing::new(round(counter)));
        counter = counter.checked_add(1)?;
    }
    Key::new(etype, bytes.get(..need)?).ok()
}

/// `OtherInfo` of RFC 8636, 6, which is `PkinitSuppPubInfo` and two names in the form of NIST SP 800-56A.
fn other_info(kdf: Kdf, etype: EncryptionType, binding: &Binding<'_>) -> Vec<u8> {
    let principal = |principal: &Principal| {
        let mut writer = Writer::new();
        write_principal(principal, &mut writer);
        writer.into_bytes()
    };
    let public = {
        let mut writer = Writer::new();
        writer.sequence(|fields| {
            fields.within(context(0), |field| field.integer(etype.number()));
            fields.within(context(1), |field| field.octets(binding.as_req));
            fields.within(context(2), |field| field.octets(binding.pk_as_rep));
        });
        writer.into_bytes()
    };
    let mut writer = Writer::new();
    writer.sequence(|info| {
        info.sequence(|algorithm| algorithm.element(OBJECT_IDENTIFIER, &kdf.oid()));
        info.within(context(0), |field| field.octets(&principal(binding.client)));
        info.within(context(1), |field| field.octets(&principal(binding.server)));
        info.within(context(2), |field| field.octets(&public));
    });
    writer.into_bytes()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test says no by a panic")]

    use krb5_words::{NameType, PrincipalName, Realm};

    use super::*;

    fn hex(bytes: &[u8]) -> String {
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// RFC 8636, 8, has values for SHA-1 and SHA-256 with the etype 18; those for the others were made by a script of
    /// another hand.
    #[test]
    fn the_values_of_rfc_8636() {
        let realm = Realm::new("SU.SE").unwrap();
        let client = Principal {
            name: PrincipalName::new(NameType::PRINCIPAL, &["lha"]),
            realm: realm.clone(),
        };
        let name = PrincipalName::new(NameType::PRINCIPAL, &["krbtgt", "SU.SE"]);
        let server = Principal { name, realm };
        let binding = Binding {
            client: &client,
            server: &server,
            as_req: &[0xAA; 10],
            pk_as_rep: &[0xBB; 9],
        };
        for (kdf, expected) in [
            (Kdf::Sha1, "e6ab38c9413e035bb079201ed0b6b73d8d49a814a737c04ee6649614206f73ad"),
            (Kdf::Sha256, "77ef4e48c420ae3fec75109d7981697eed5d295c90c62564f7bfd101fa9bc1d5"),
            (Kdf::Sha512, "dd58cdbee7077eca0c3b150725437adbb00bdc5f293fb5cd6764796576ca904e"),
            (Kdf::Sha384, "2da9824ca429ccdaeb553a09727346730a0a6c6a89a01b3c2e4987fc70800da2"),
        ] {
            let key = derive(kdf, EncryptionType::Aes256Sha1, &[0; 256], &binding).unwrap();
            assert_eq!(hex(key.expose()), expected, "{kdf:?}");
        }
    }

    #[test]
    fn octet_strings_make_the_keys_of_rfc_4556() {
        for (zeros, expected) in [
            (256, "5ee50d675c809fe59e4a7762c54b65837547eafb159bd8cdc75ffca5911e4c41"),
            (128, "acf7707c08973ddfdb27cd361442ccfba355c8884cb472f37da636d07d56787e"),
        ] {
            let secret = vec![0; zeros];
            let key = octet_string_to_key(EncryptionType::Aes256Sha1, &secret, None).unwrap();
            assert_eq!(hex(key.expose()), expected);
        }
        let plain = octet_string_to_key(EncryptionType::Aes128Sha1, &[1, 2, 3], None).unwrap();
        let with =
            octet_string_to_key(EncryptionType::Aes128Sha1, &[1], Some((&[2], &[3]))).unwrap();
        assert_eq!(plain, with, "nonces stand behind the secret");
    }

    #[test]
    fn the_identifiers_come_back_as_they_went() {
        for kdf in [Kdf::Sha1, Kdf::Sha256, Kdf::Sha384, Kdf::Sha512] {
            let mut writer = Writer::new();
            kdf.write(&mut writer);
            let bytes = writer.into_bytes();
            assert_eq!(Kdf::read(&mut Reader::new(&bytes)), Ok(Some(kdf)));
        }
        let unknown = [0x30, 0x05, 0xA0, 0x03, 0x06, 0x01, 0x2A];
        assert_eq!(Kdf::read(&mut Reader::new(&unknown)), Ok(None));
    }
}

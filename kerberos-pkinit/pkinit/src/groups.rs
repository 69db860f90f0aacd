//! Key agreement: the MODP groups of RFC 3526 and the curves of RFC 5349.
//!
//! | group | bits | who takes it |
//! | --- | --- | --- |
//! | MODP 14 | 2048 | every KDC |
//! | MODP 16 | 4096 | MIT |
//! | P-256, P-384 | | MIT from 1.22 |
//!
//! Smaller groups are not here, so no error of a KDC can talk us into one.

use crypto_bigint::modular::runtime_mod::{DynResidue, DynResidueParams};
use crypto_bigint::{Encoding, U2048, U4096};
use krb5_words::der::{DerError, OBJECT_IDENTIFIER, Reader, Writer};
use p256::elliptic_curve::sec1::ToEncodedPoint;
use zeroize::{Zeroize, Zeroizing};

/// The contents of the object identifier 1.2.840.10046.2.1, dhpublicnumber (X9.42).
const DH_PUBLIC_NUMBER: &[u8] = &[0x2A, 0x86, 0x48, 0xCE, 0x3E, 0x02, 0x01];
/// 1.2.840.10045.2.1, id-ecPublicKey.
const EC_PUBLIC_KEY: &[u8] = &[0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x02, 0x01];
/// 1.2.840.10045.3.1.7.
const P256: &[u8] = &[0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x03, 0x01, 0x07];
/// 1.3.132.0.34.
const P384: &[u8] = &[0x2B, 0x81, 0x04, 0x00, 0x22];

/// RFC 3526, 3.
const PRIME_14: U2048 = U2048::from_be_hex(
    "\
    FFFFFFFFFFFFFFFFC90FDAA22168C234C4C6628B80DC1CD129024E088A67CC74020BBEA63B139B22514A0879\
    8E3404DDEF9519B3CD3A431B302B0A6DF25F14374FE1356D6D51C245E485B576625E7EC6F44C42E9A637ED6B\
    0BFF5CB6F406B7EDEE386BFB5A899FA5AE9F24117C4B1FE649286651ECE45B3DC2007CB8A163BF0598DA4836\
    1C55D39A69163FA8FD24CF5F83655D23DCA3AD961C62F356208552BB9ED529077096966D670C354E4ABC9804\
    F1746C08CA18217C32905E462E36CE3BE39E772C180E86039B2783A2EC07A28FB5C55DF06F4C52C9DE2BCBF6\
    955817183995497CEA956AE515D2261898FA051015728E5A8AACAA68FFFFFFFFFFFFFFFF",
);
/// RFC 3526, 5.
const PRIME_16: U4096 = U4096::from_be_hex(
    "\
    FFFFFFFFFFFFFFFFC90FDAA22168C234C4C6628B80DC1CD129024E088A67CC74020BBEA63B139B22514A0879\
    8E3404DDEF9519B3CD3A431B302B0A6DF25F14374FE1356D6D51C245E485B576625E7EC6F44C42E9A637ED6B\
    0BFF5CB6F406B7EDEE386BFB5A899FA5AE9F24117C4B1FE649286651ECE45B3DC2007CB8A163BF0598DA4836\
    1C55D39A69163FA8FD24CF5F83655D23DCA3AD961C62F356208552BB9ED529077096966D670C354E4ABC9804\
    F1746C08CA18217C32905E462E36CE3BE39E772C180E86039B2783A2EC07A28FB5C55DF06F4C52C9DE2BCBF6\
    955817183995497CEA956AE515D2261898FA051015728E5A8AAAC42DAD33170D04507A33A85521ABDF1CBA64\
    ECFB850458DBEF0A8AEA71575D060C7DB3970F85A6E1E4C7ABF5AE8CDB0933D71E8C94E04A25619DCEE3D226\
    1AD2EE6BF12FFA06D98A0864D87602733EC86A64521F2B18177B200CBBE117577A615D6C770988C0BAD946E2\
    08E24FA074E5AB3143DB5BFCE0FD108E4B82D120A92108011A723C12A787E6D788719A10BDBA5B2699C32718\
    6AF4E23C1A946834B6150BDA2583E9CA2AD44CE8DBBBC2DB04DE8EF92E8EFC141FBECAA6287C59474E6BC05D\
    99B2964FA090C3A2233BA186515BE7ED1F612970CEE2D7AFB81BDD762170481CD0069127D5B05AA993B4EA98\
    8D8FDDC186FFB7DC90A6C08F4DF435C934063199FFFFFFFFFFFFFFFF",
);

/// A group that both sides may agree in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Group {
    /// MODP 14 of RFC 3526, 2048 bits.
    Modp14,
    /// MODP 16 of RFC 3526, 4096 bits.
    Modp16,
    /// The curve P-256.
    P256,
    /// The curve P-384.
    P384,
}

/// Why there is no shared secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum GroupError {
    /// The other side's public value is no value of the group, or one that makes the secret known to everybody: 0, 1,
    /// p - 1, a point that is not on the curve.
    PublicValue,
    /// It is not encoded as it must be.
    Encoding(DerError),
}

impl std::fmt::Display for GroupError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::PublicValue => f.write_str("the KDC's public value is not one of the group"),
            Self::Encoding(error) => write!(f, "the KDC's public value is broken: {error}"),
        }
    }
}

impl std::error::Error for GroupError {}

impl Group {
    /// All, in the order in which they are offered.
    pub const ALL: [Self; 4] = [Self::Modp14, Self::Modp16, Self::P256, Self::P384];

    /// How many random bytes make a secret: for MODP twice the strength of the group, for curves its order's size.
    #[must_use]
    pub const fn secret_bytes(self) -> usize {
        match self {
            Self::Modp14 | Self::P256 => 32,
            Self::Modp16 | Self::P384 => 48,
        }
    }

    /// How long the shared secret is, in bytes, leading zeros included.
    #[must_use]
    pub const fn shared_bytes(self) -> usize {
        match self {
            Self::Modp14 => 256,
            Self::Modp16 => 512,
            Self::P256 => 32,
            Self::P384 => 48,
        }
    }

    /// Writes the `AlgorithmIdentifier`: for MODP with p, g and q, in this order.
    pub fn write_algorithm(self, writer: &mut Writer) {
        writer.sequence(|algorithm| match self {
            Self::Modp14 => modp_parameters(&PRIME_14.to_be_bytes(), algorithm),
            Self::Modp16 => modp_parameters(&PRIME_16.to_be_bytes(), algorithm),
            Self::P256 => curve_parameters(P256, algorithm),
            Self::P384 => curve_parameters(P384, algorithm),
        });
    }

    /// The group that an `AlgorithmIdentifier` names, as in TD-DH-PARAMETERS; `None` for one that we do not take.
    ///
    /// # Errors
    /// [`DerError`].
    pub fn read_algorithm(reader: &mut Reader<'_>) -> Result<Option<Self>, DerError> {
        reader.sequence(|algorithm| {
            let oid = algorithm.value(OBJECT_IDENTIFIER)?;
            if oid == EC_PUBLIC_KEY {
                let curve = algorithm.value(OBJECT_IDENTIFIER)?;
                return Ok(match curve {
                    P256 => Some(Self::P256),
                    P384 => Some(Self::P384),
                    _ => None,
                });
            }
            if oid != DH_PUBLIC_NUMBER {
                algorithm.skip_extensions()?;
                return Ok(None);
            }
            algorithm.sequence(|parameters| {
                let (prime, generator) = (parameters.positive()?, parameters.positive()?);
                parameters.skip_extensions()?;
                let is = |ours: &[u8]| prime == ours && generator == [2];
                Ok(if is(&PRIME_14.to_be_bytes()) {
                    Some(Self::Modp14)
                } else if is(&PRIME_16.to_be_bytes()) {
                    Some(Self::Modp16)
                } else {
                    None
                })
            })
        })
    }
}

fn modp_parameters(prime: &[u8], algorithm: &mut Writer) {
    // q = (p - 1) / 2: p is odd, so a shift by one bit.
    let mut order = Vec::with_capacity(prime.len());
    let mut carry = 0;
    for byte in prime {
        order.push((byte >> 1) | carry);
        carry = byte << 7;
    }
    algorithm.element(OBJECT_IDENTIFIER, DH_PUBLIC_NUMBER);
    algorithm.sequence(|parameters| {
        parameters.positive(prime);
        parameters.integer(2);
        parameters.positive(&order);
    });
}

fn curve_parameters(curve: &[u8], algorithm: &mut Writer) {
    algorithm.element(OBJECT_IDENTIFIER, EC_PUBLIC_KEY);
    algorithm.element(OBJECT_IDENTIFIER, curve);
}

/// Our half of an agreement, for one exchange.
pub struct Ephemeral {
    group: Group,
    secret: Secret,
    /// What stands in the BIT STRING of the `SubjectPublicKeyInfo`.
    public: Vec<u8>,
}

enum Secret {
    Modp(Zeroizing<Vec<u8>>),
    P256(p256::SecretKey),
    P384(p384::SecretKey),
}

impl std::fmt::Debug for Ephemeral {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Ephemeral({:?})", self.group)
    }
}

impl Ephemeral {
    /// Our half, from [`Group::secret_bytes`] random bytes. `None`: they are too few, or, for a curve and once in 2^32,
    /// no number below its order; then others are needed.
    #[must_use]
    pub fn new(group: Group, random: &[u8]) -> Option<Self> {
        let random = random.get(..group.secret_bytes())?;
        let (secret, public) = match group {
            Group::Modp14 => (
                Secret::Modp(random.to_vec().into()),
                integer(&power_14(&U2048::from_u8(2), random)?),
            ),
            Group::Modp16 => (
                Secret::Modp(random.to_vec().into()),
                integer(&power_16(&U4096::from_u8(2), random)?),
            ),
            Group::P256 => {
                let secret = p256::SecretKey::from_slice(random).ok()?;
                let public = secret.public_key().to_encoded_point(false).as_bytes().to_vec();
                (Secret::P256(secret), public)
            }
            Group::P384 => {
                let secret = p384::SecretKey::from_slice(random).ok()?;
                let public = secret.public_key().to_encoded_point(false).as_bytes().to_vec();
                (Secret::P384(secret), public)
            }
        };
        Some(Self { group, secret, public })
    }

    /// The group.
    #[must_use]
    pub const fn group(&self) -> Group {
        self.group
    }

    /// What stands in the BIT STRING: for MODP the DER of an INTEGER, for a curve the point, uncompressed.
    #[must_use]
    pub fn public(&self) -> &[u8] {
        &self.public
    }

    /// Writes our `SubjectPublicKeyInfo`.
    pub fn write_public_key(&self, writer: &mut Writer) {
        writer.sequence(|info| {
            self.group.write_algorithm(info);
            info.bits(&self.public);
        });
    }

    /// The shared secret, padded to the size of the group. `public` is the contents of the other side's BIT STRING.
    ///
    /// # Errors
    /// [`GroupError`].
    pub fn agree(&self, public: &[u8]) -> Result<Zeroizing<Vec<u8>>, GroupError> {
        let shared = match (&self.secret, self.group) {
            (Secret::P256(secret), _) => {
                let other = p256::PublicKey::from_sec1_bytes(public)
                    .map_err(|_| GroupError::PublicValue)?;
                let shared =
                    p256::ecdh::diffie_hellman(secret.to_nonzero_scalar(), other.as_affine());
                shared.raw_secret_bytes().to_vec()
            }
            (Secret::P384(secret), _) => {
                let other = p384::PublicKey::from_sec1_bytes(public)
                    .map_err(|_| GroupError::PublicValue)?;
                let shared =
                    p384::ecdh::diffie_hellman(secret.to_nonzero_scalar(), other.as_affine());
                shared.raw_secret_bytes().to_vec()
            }
            (Secret::Modp(secret), group) => {
                let mut reader = Reader::new(public);
                let value = reader.positive().map_err(GroupError::Encoding)?;
                reader.end().map_err(GroupError::Encoding)?;
                let padded = padded(value, group.shared_bytes()).ok_or(GroupError::PublicValue)?;
                let shared = if group == Group::Modp14 {
                    let value = U2048::from_be_slice(&padded);
                    let is_good = value > U2048::ONE && value < PRIME_14.wrapping_sub(&U2048::ONE);
                    is_good.then(|| power_14(&value, secret))
                } else {
                    let value = U4096::from_be_slice(&padded);
                    let is_good = value > U4096::ONE && value < PRIME_16.wrapping_sub(&U4096::ONE);
                    is_good.then(|| power_16(&value, secret))
                };
                shared.flatten().ok_or(GroupError::PublicValue)?
            }
        };
        Ok(Zeroizing::new(shared))
    }
}

macro_rules! power {
    ($name:ident, $uint:ty, $prime:expr) => {
        /// `base` to the power of `exponent`, in constant time, padded to the size of the group.
        fn $name(base: &$uint, exponent: &[u8]) -> Option<Vec<u8>> {
            let parameters = DynResidueParams::new(&$prime);
            let bits = exponent.len().checked_mul(8)?;
            let mut number = <$uint>::from_be_slice(&padded(exponent, <$uint>::BYTES)?);
            let power = DynResidue::new(base, parameters).pow_bounded_exp(&number, bits);
            number.zeroize();
            Some(power.retrieve().to_be_bytes().to_vec())
        }
    };
}
power!(power_14, U2048, PRIME_14);
power!(power_16, U4096, PRIME_16);

/// Bytes with zeros in front of them; `None` if they are too many.
fn padded(bytes: &[u8], length: usize) -> Option<Zeroizing<Vec<u8>>> {
    let zeros = length.checked_sub(bytes.len())?;
    let mut padded = Zeroizing::new(vec![0; zeros]);
    padded.extend_from_slice(bytes);
    Some(padded)
}

/// The DER of an INTEGER.
fn integer(magnitude: &[u8]) -> Vec<u8> {
    let mut writer = Writer::new();
    writer.positive(magnitude);
    writer.into_bytes()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test says no by a panic")]

    use sha2::{Digest, Sha256};

    use super::*;

    fn half(group: Group, seed: u8) -> Ephemeral {
        let random: Vec<u8> =
            (0..group.secret_bytes()).map(|at| u8::try_from(at).unwrap() ^ seed).collect();
        Ephemeral::new(group, &random).unwrap()
    }

    #[test]
    fn the_primes_are_those_of_rfc_3526() {
        let start = |bytes: &[u8]| Sha256::digest(bytes)[..8].to_vec();
        assert_eq!(
            start(&PRIME_14.to_be_bytes()),
            [0xd6, 0x64, 0x36, 0xf7, 0x9b, 0xbd, 0x6b, 0x2e]
        );
        assert_eq!(
            start(&PRIME_16.to_be_bytes()),
            [0x4e, 0xe9, 0x51, 0x87, 0x68, 0x2b, 0xcb, 0x23]
        );
    }

    #[test]
    fn both_sides_have_the_same_secret_in_its_full_length() {
        for group in Group::ALL {
            let (ours, theirs) = (half(group, 1), half(group, 2));
            let secret = ours.agree(theirs.public()).unwrap();
            assert_eq!(secret, theirs.agree(ours.public()).unwrap());
            assert_eq!(secret.len(), group.shared_bytes());
            assert_ne!(secret, ours.agree(half(group, 3).public()).unwrap());
        }
    }

    #[test]
    fn values_that_give_the_secret_away_are_refused() {
        for (group, prime) in [
            (Group::Modp14, PRIME_14.to_be_bytes().to_vec()),
            (Group::Modp16, PRIME_16.to_be_bytes().to_vec()),
        ] {
            let ours = half(group, 1);
            let mut below = prime.clone();
            *below.last_mut().unwrap() -= 1;
            let mut above = prime.clone();
            above.insert(0, 1);
            for value in [&[1][..], &prime, &below, &above] {
                assert_eq!(ours.agree(&integer(value)), Err(GroupError::PublicValue));
            }
            for broken in [&[][..], &[2, 1, 0], &[2, 1, 0x80], &[2, 1, 5, 0], &[4, 1, 5]] {
                assert!(
                    matches!(ours.agree(broken), Err(GroupError::Encoding(_))),
                    "{broken:02X?}"
                );
            }
            assert!(ours.agree(&integer(&[2])).is_ok());
        }
        for group in [Group::P256, Group::P384] {
            let ours = half(group, 1);
            let mut off = half(group, 2).public().to_vec();
            *off.last_mut().unwrap() ^= 1;
            let cut = ours.public()[..20].to_vec();
            // The point at infinity, a point off the curve, half a point.
            for value in [vec![0], off, cut, vec![]] {
                assert_eq!(ours.agree(&value), Err(GroupError::PublicValue));
            }
        }
    }

    #[test]
    fn a_group_is_known_by_its_parameters() {
        for group in Group::ALL {
            let mut writer = Writer::new();
            group.write_algorithm(&mut writer);
            let bytes = writer.into_bytes();
            assert_eq!(Group::read_algorithm(&mut Reader::new(&bytes)), Ok(Some(group)));
            for cut in 0..bytes.len() {
                assert!(Group::read_algorithm(&mut Reader::new(&bytes[..cut])).is_err());
            }
        }
        let mut foreign = Writer::new();
        foreign.sequence(|algorithm| {
            algorithm.element(OBJECT_IDENTIFIER, DH_PUBLIC_NUMBER);
            algorithm.sequence(|parameters| {
                parameters.positive(&[0xFF; 96]);
                parameters.integer(2);
            });
        });
        let bytes = foreign.into_bytes();
        assert_eq!(Group::read_algorithm(&mut Reader::new(&bytes)), Ok(None));
    }

    #[test]
    fn too_few_random_bytes_make_no_secret() {
        for group in Group::ALL {
            assert!(Ephemeral::new(group, &[7; 31]).is_none());
        }
        assert!(Ephemeral::new(Group::P256, &[0xFF; 32]).is_none());
        assert!(Ephemeral::new(Group::P256, &[0; 32]).is_none());
    }

    #[test]
    fn a_secret_does_not_print() {
        assert_eq!(format!("{:?}", half(Group::Modp14, 1)), "Ephemeral(Modp14)");
    }
}

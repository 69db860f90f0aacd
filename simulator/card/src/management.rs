//! The card management key, reference 9B: who may write objects and make keys.
//! GENERAL AUTHENTICATE with a symmetric key, SP 800-73-4 part 2, 3.2.4 and appendix A.1.

use aes::cipher::{BlockEncrypt, Key, KeyInit};
use aes::{Aes128, Aes192, Aes256};
use alloc::vec::Vec;
use core::fmt;
use des::TdesEde3;
use rand_core::RngCore;
use scard_types::{CommandApdu, StatusWord, tlv};
use zeroize::Zeroizing;

use crate::PivCard;
use crate::authenticate::Template;
use crate::policy::TouchPolicy;
use crate::reference::equal;
use crate::status::{Answer, BAD_DATA, BAD_P1_P2, DONE, SECURITY_STATUS_NOT_SATISFIED};

/// P2 of the card management key.
pub(crate) const MANAGEMENT_KEY: u8 = 0x9B;
/// P1 "whatever cipher the key has" (in old texts 3DES); OpenSC asks for random numbers with it.
const DEFAULT_ALGORITHM: u8 = 0x00;
/// The key that every tool tries first.
const WELL_KNOWN_KEY: [u8; 24] =
    [1, 2, 3, 4, 5, 6, 7, 8, 1, 2, 3, 4, 5, 6, 7, 8, 1, 2, 3, 4, 5, 6, 7, 8];

/// The cipher of a management key, SP 800-78-4, table 6-2.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ManagementAlgorithm {
    /// Three-key triple DES, identifier 03.
    TripleDes,
    /// AES-128, identifier 08.
    Aes128,
    /// AES-192, identifier 0A.
    Aes192,
    /// AES-256, identifier 0C.
    Aes256,
}

impl ManagementAlgorithm {
    /// Its number in P1.
    #[must_use]
    pub const fn identifier(self) -> u8 {
        match self {
            Self::TripleDes => 0x03,
            Self::Aes128 => 0x08,
            Self::Aes192 => 0x0A,
            Self::Aes256 => 0x0C,
        }
    }

    /// The cipher of a number in P1.
    #[must_use]
    pub fn from_identifier(identifier: u8) -> Option<Self> {
        [Self::TripleDes, Self::Aes128, Self::Aes192, Self::Aes256]
            .into_iter()
            .find(|algorithm| algorithm.identifier() == identifier)
    }

    /// How long its keys are, in bytes.
    #[must_use]
    pub const fn key_bytes(self) -> usize {
        match self {
            Self::Aes128 => 16,
            Self::TripleDes | Self::Aes192 => 24,
            Self::Aes256 => 32,
        }
    }

    const fn block_bytes(self) -> usize {
        match self {
            Self::TripleDes => 8,
            Self::Aes128 | Self::Aes192 | Self::Aes256 => 16,
        }
    }
}

/// A management key. It does not print.
#[derive(Clone)]
pub struct ManagementKey {
    algorithm: ManagementAlgorithm,
    key: Zeroizing<Vec<u8>>,
}

/// Why bytes are no management key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ManagementKeyError {
    /// The cipher wants another length.
    WrongLength {
        /// What it wants, in bytes.
        need: usize,
        /// What was given, in bytes.
        got: usize,
    },
}

impl fmt::Display for ManagementKeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::WrongLength { need, got } => {
                write!(f, "a management key of this cipher has {need} bytes, not {got}")
            }
        }
    }
}

impl core::error::Error for ManagementKeyError {}

impl ManagementKey {
    /// Takes a key.
    ///
    /// # Errors
    /// [`ManagementKeyError::WrongLength`].
    pub fn new(algorithm: ManagementAlgorithm, key: &[u8]) -> Result<Self, ManagementKeyError> {
        let need = algorithm.key_bytes();
        if key.len() != need {
            return Err(ManagementKeyError::WrongLength { need, got: key.len() });
        }
        Ok(Self { algorithm, key: Zeroizing::new(key.to_vec()) })
    }

    /// The bytes 01 to 08 over and over, as long as the cipher wants them: three times for the well-known key.
    #[must_use]
    pub fn well_known(algorithm: ManagementAlgorithm) -> Self {
        let key = WELL_KNOWN_KEY.iter().copied().cycle().take(algorithm.key_bytes()).collect();
        Self { algorithm, key: Zeroizing::new(key) }
    }

    /// Its cipher.
    #[must_use]
    pub const fn algorithm(&self) -> ManagementAlgorithm {
        self.algorithm
    }

    /// The key itself, for the card's memory.
    pub(crate) fn expose(&self) -> &[u8] {
        &self.key
    }

    /// Whether it is the one that every tool tries first.
    pub(crate) fn is_well_known(&self) -> bool {
        equal(&self.key, &Self::well_known(self.algorithm).key)
    }

    /// One block, encrypted; `None` if it is no block.
    fn encrypt(&self, block: &[u8]) -> Option<Vec<u8>> {
        match self.algorithm {
            ManagementAlgorithm::TripleDes => encrypt::<TdesEde3>(&self.key, block),
            ManagementAlgorithm::Aes128 => encrypt::<Aes128>(&self.key, block),
            ManagementAlgorithm::Aes192 => encrypt::<Aes192>(&self.key, block),
            ManagementAlgorithm::Aes256 => encrypt::<Aes256>(&self.key, block),
        }
    }
}

impl fmt::Debug for ManagementKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ManagementKey({:?})", self.algorithm)
    }
}

fn encrypt<C: KeyInit + BlockEncrypt>(key: &[u8], block: &[u8]) -> Option<Vec<u8>> {
    if key.len() != size_of::<Key<C>>() || block.len() != C::block_size() {
        return None;
    }
    let cipher = C::new_from_slice(key).ok()?;
    let mut block = block.iter().copied().collect();
    cipher.encrypt_block(&mut block);
    Some(block.to_vec())
}

/// What the card waits for.
#[derive(Default)]
enum Handshake {
    #[default]
    Idle,
    /// The challenge that it sent, to come back encrypted.
    External(Vec<u8>),
    /// The witness that it sent encrypted, to come back in clear.
    Mutual(Zeroizing<Vec<u8>>),
}

/// The key and what it has opened.
pub(crate) struct Management {
    key: ManagementKey,
    pub(crate) touch: TouchPolicy,
    handshake: Handshake,
    authenticated: bool,
}

impl Management {
    pub(crate) const fn new(key: ManagementKey) -> Self {
        Self { key, touch: TouchPolicy::Never, handshake: Handshake::Idle, authenticated: false }
    }

    pub(crate) const fn key(&self) -> &ManagementKey {
        &self.key
    }

    /// Another key; whoever has set it need not prove it.
    pub(crate) fn replace(&mut self, key: ManagementKey, touch: TouchPolicy) {
        (self.key, self.touch, self.handshake) = (key, touch, Handshake::Idle);
    }

    /// What is left of it after a reset.
    pub(crate) fn forget(&mut self) {
        self.handshake = Handshake::Idle;
        self.authenticated = false;
    }

    pub(crate) const fn require(&self) -> Result<(), StatusWord> {
        if self.authenticated { Ok(()) } else { Err(SECURITY_STATUS_NOT_SATISFIED) }
    }

    /// A step of one of the two handshakes. Each number is good for one try; a failure closes what was open.
    fn step(&mut self, template: &Template<'_>, rng: &mut impl RngCore) -> Answer {
        let handshake = core::mem::take(&mut self.handshake);
        match (template, handshake) {
            (Template { challenge: Some([]), .. }, _) if template.only(0x81) => {
                let challenge = self.random_block(rng);
                let answer = tlv::element(0x7C, &tlv::element(0x81, &challenge));
                self.handshake = Handshake::External(challenge);
                Ok(answer.into())
            }
            (Template { response: Some(response), .. }, Handshake::External(challenge))
                if template.only(0x82) =>
            {
                self.authenticated = false;
                let expected = self.encrypt(&challenge)?;
                self.accept_if(equal(&expected, response))?;
                DONE
            }
            (Template { witness: Some([]), .. }, _) if template.only(0x80) => {
                let witness = Zeroizing::new(self.random_block(rng));
                let answer = tlv::element(0x7C, &tlv::element(0x80, &self.encrypt(&witness)?));
                self.handshake = Handshake::Mutual(witness);
                Ok(answer.into())
            }
            (
                Template {
                    witness: Some(returned),
                    challenge: Some(challenge),
                    response: None | Some([]),
                    exponentiation: None,
                },
                Handshake::Mutual(witness),
            ) => {
                self.authenticated = false;
                let response = self.encrypt(challenge)?;
                self.accept_if(equal(&witness, returned))?;
                Ok(tlv::element(0x7C, &tlv::element(0x82, &response)).into())
            }
            _ => {
                self.authenticated = false;
                Err(BAD_DATA)
            }
        }
    }

    fn accept_if(&mut self, right: bool) -> Result<(), StatusWord> {
        self.authenticated = right;
        self.require()
    }

    pub(crate) fn encrypt(&self, block: &[u8]) -> Result<Vec<u8>, StatusWord> {
        self.key.encrypt(block).ok_or(BAD_DATA)
    }

    fn random_block(&self, rng: &mut impl RngCore) -> Vec<u8> {
        let mut block = alloc::vec![0; self.key.algorithm.block_bytes()];
        rng.fill_bytes(&mut block);
        block
    }
}

impl PivCard {
    pub(crate) fn authenticate_management(&mut self, command: &CommandApdu) -> Answer {
        let own = self.management.key.algorithm.identifier();
        if command.p1 != own && command.p1 != DEFAULT_ALGORITHM {
            return Err(BAD_P1_P2);
        }
        let template = Template::parse(command.data.expose())?;
        self.management.step(&template, &mut self.rng)
    }
}

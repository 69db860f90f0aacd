//! From a card's order to the card: reads the files that it names.

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use rand_core::{OsRng, RngCore};
use scard_types::Pin;
use sim_card::{
    BlankCard, KeyError, KeySource, PivCard, PivProfile, PrivateKey, ProfileError, SlotProfile,
    Validity, default_atr, yubikey_5_atr,
};

use crate::keep::{MemoryFile, MemoryFileError, VirtualCard};
use crate::spec::{CardSpec, Preset, SlotSpec};

const DAY_SECONDS: u64 = 24 * 60 * 60;
/// How long the certificates hold that a card signs itself.
const VALIDITY_DAYS: u64 = 10 * 365;

/// Why an order makes no card.
#[derive(Debug)]
#[non_exhaustive]
pub enum MakeError {
    /// A file cannot be read.
    Unreadable {
        /// Which.
        path: PathBuf,
        /// Why.
        error: std::io::Error,
    },
    /// A file holds no key for the card.
    Key {
        /// Which.
        path: PathBuf,
        /// Why.
        error: KeyError,
    },
    /// A file holds no certificate.
    Certificate {
        /// Which.
        path: PathBuf,
    },
    /// The memory of a card cannot be kept.
    Memory(MemoryFileError),
    /// Something does not fit on the card.
    Profile(ProfileError),
    /// The system gives no random numbers.
    Random,
}

impl fmt::Display for MakeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable { path, error } => write!(f, "{}: {error}", path.display()),
            Self::Key { path, error } => write!(f, "{}: {error}", path.display()),
            Self::Certificate { path } => {
                write!(f, "{}: no certificate in PEM or DER", path.display())
            }
            Self::Memory(error) => error.fmt(f),
            Self::Profile(error) => error.fmt(f),
            Self::Random => f.write_str("the system gives no random numbers; use seed=N"),
        }
    }
}

impl std::error::Error for MakeError {}

impl CardSpec {
    /// Makes the card, or has the one again that is in the file. A new one has this number: the caller counts, from
    /// `self.serial` where that was ordered.
    ///
    /// # Errors
    /// See [`MakeError`].
    pub fn make(&self, serial: u32) -> Result<VirtualCard, MakeError> {
        if self.is_blank {
            let atr = self.atr.unwrap_or_else(default_atr);
            return Ok(VirtualCard::blank(BlankCard::new(atr), serial));
        }
        let Some(path) = &self.state else { return Ok(VirtualCard::new(self.new_card(serial)?)) };
        let file = MemoryFile::open(path).map_err(MakeError::Memory)?;
        // Not from the order's seed: a key made after each start would be the same one.
        let card = match file.card(random_seed()?).map_err(MakeError::Memory)? {
            Some(card) => card,
            None => self.new_card(serial)?,
        };
        VirtualCard::kept(card, file).map_err(MakeError::Memory)
    }

    fn new_card(&self, serial: u32) -> Result<PivCard, MakeError> {
        let mut profile = PivProfile::new(serial, self.seed_bytes(serial)?, validity());
        if let Some(firmware) = self.firmware() {
            profile = profile.as_yubikey(firmware);
        }
        if self.preset == Some(Preset::Yubikey5) {
            profile.atr = yubikey_5_atr();
        }
        profile.atr = self.atr.unwrap_or(profile.atr);
        if let Some(pin) = &self.pin {
            profile.pin = copy(pin, ProfileError::BadPin)?;
        }
        if let Some(pin) = &self.global_pin {
            profile.global_pin = Some(copy(pin, ProfileError::BadPin)?);
        }
        if let Some(puk) = &self.puk {
            profile.puk = copy(puk, ProfileError::BadPuk)?;
        }
        if let Some(key) = &self.management_key {
            profile.management_key = key.clone();
        }
        for (slot, content) in &self.slots {
            match content.load()? {
                Some(content) => profile.slots.insert(*slot, content),
                None => profile.slots.remove(slot),
            };
        }
        PivCard::new(profile).map_err(MakeError::Profile)
    }

    /// The same seed and serial number make the same card.
    fn seed_bytes(&self, serial: u32) -> Result<[u8; 32], MakeError> {
        let Some(seed) = self.seed else { return random_seed() };
        let mut bytes = [0; 32];
        let given = seed.to_le_bytes().into_iter().chain(serial.to_le_bytes());
        bytes.iter_mut().zip(given).for_each(|(place, byte)| *place = byte);
        Ok(bytes)
    }
}

fn random_seed() -> Result<[u8; 32], MakeError> {
    let mut bytes = [0; 32];
    OsRng.try_fill_bytes(&mut bytes).map_err(|_| MakeError::Random)?;
    Ok(bytes)
}

impl SlotSpec {
    /// Reads key and certificate; `None` for a slot that is to be empty.
    fn load(&self) -> Result<Option<SlotProfile>, MakeError> {
        let key = match (&self.key, self.kind) {
            (Some(path), _) => KeySource::Given(private_key(path)?),
            (None, Some(None)) => return Ok(None),
            (None, Some(Some(kind))) => KeySource::Made(kind),
            (None, None) => KeySource::Made(sim_card::KeyAlgorithm::P256),
        };
        let certificate = self.certificate.as_deref().map(certificate).transpose()?;
        Ok(Some(SlotProfile { key, certificate }))
    }
}

fn read(path: &Path) -> Result<Vec<u8>, MakeError> {
    std::fs::read(path).map_err(|error| MakeError::Unreadable { path: path.to_owned(), error })
}

fn private_key(path: &Path) -> Result<PrivateKey, MakeError> {
    let bad = |error| MakeError::Key { path: path.to_owned(), error };
    let text = scard_types::SecretBytes::new(read(path)?);
    let text = std::str::from_utf8(text.expose()).map_err(|_| bad(KeyError::NoPrivateKey))?;
    PrivateKey::from_pem(text).map_err(bad)
}

/// The certificate as DER. The card does not look into it: a damaged one on a card is worth a test too, but what is
/// neither PEM nor a DER sequence is a wrong file name.
fn certificate(path: &Path) -> Result<Vec<u8>, MakeError> {
    let bytes = read(path)?;
    if bytes.first() == Some(&0x30) {
        return Ok(bytes);
    }
    let bad = || MakeError::Certificate { path: path.to_owned() };
    let text = std::str::from_utf8(&bytes).map_err(|_| bad())?;
    let block = text.find("-----BEGIN CERTIFICATE-----").and_then(|at| text.get(at..));
    let (_, document) = der::Document::from_pem(block.ok_or_else(bad)?).map_err(|_| bad())?;
    Ok(document.into_vec())
}

fn copy(pin: &Pin, error: ProfileError) -> Result<Pin, MakeError> {
    Pin::new(pin.expose()).map_err(|_| MakeError::Profile(error))
}

/// From the beginning of yesterday (UTC), so that no time zone sees a certificate of the future.
fn validity() -> Validity {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let today = now.saturating_sub(now.checked_rem(DAY_SECONDS).unwrap_or(0));
    Validity {
        not_before: today.saturating_sub(DAY_SECONDS),
        not_after: today.saturating_add(VALIDITY_DAYS.saturating_mul(DAY_SECONDS)),
    }
}

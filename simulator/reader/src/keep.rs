//! A card whose memory is in a file.
//!
//! What a command has changed is in the file before its answer leaves: written beside it, synced, renamed over it. Whoever is
//! killed at any point leaves the memory as it was before the command or after it.

use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock};
use scard_types::{Atr, SecretBytes};
use sim_card::{BlankCard, Card, MemoryError, PivCard};

/// 6581, memory failure: what the command did is not in the file.
const MEMORY_FAILURE: [u8; 2] = [0x65, 0x81];

/// A virtual card of either kind.
pub struct VirtualCard(Kind);

enum Kind {
    /// With or without a file that keeps its memory.
    Piv {
        card: Box<PivCard>,
        file: Option<MemoryFile>,
    },
    Blank {
        card: BlankCard,
        serial: u32,
    },
}

impl VirtualCard {
    pub(crate) fn new(card: PivCard) -> Self {
        Self(Kind::Piv { card: Box::new(card), file: None })
    }

    /// A card without an application.
    pub(crate) const fn blank(card: BlankCard, serial: u32) -> Self {
        Self(Kind::Blank { card, serial })
    }

    /// A card whose memory is in that file from now on.
    pub(crate) fn kept(card: PivCard, mut file: MemoryFile) -> Result<Self, MemoryFileError> {
        file.keep(card.memory())?;
        Ok(Self(Kind::Piv { card: Box::new(card), file: Some(file) }))
    }

    /// The serial number.
    #[must_use]
    pub fn serial(&self) -> u32 {
        match &self.0 {
            Kind::Piv { card, .. } => card.serial(),
            Kind::Blank { serial, .. } => *serial,
        }
    }

    fn card(&self) -> &dyn Card {
        match &self.0 {
            Kind::Piv { card, .. } => card.as_ref(),
            Kind::Blank { card, .. } => card,
        }
    }
}

impl Card for VirtualCard {
    fn atr(&self) -> Atr {
        self.card().atr()
    }

    fn reset(&mut self) {
        match &mut self.0 {
            Kind::Piv { card, .. } => card.reset(),
            Kind::Blank { card, .. } => card.reset(),
        }
    }

    fn transmit(&mut self, command: &[u8]) -> SecretBytes {
        let (card, file) = match &mut self.0 {
            Kind::Piv { card, file } => (card, file),
            Kind::Blank { card, .. } => return card.transmit(command),
        };
        // What takes its time may have made a key that was due. Once it has been shown it stays, whatever a later
        // version of this program would make of the seed.
        let may_change = PivCard::may_change_memory(command) || !card.is_quick(command);
        let answer = card.transmit(command);
        match file {
            Some(file) if may_change => match file.keep(card.memory()) {
                Ok(()) => answer,
                Err(_) => MEMORY_FAILURE.as_slice().into(),
            },
            _ => answer,
        }
    }

    /// Writing takes as long as the disk does.
    fn is_quick(&self, command: &[u8]) -> bool {
        let writes = matches!(&self.0, Kind::Piv { file: Some(_), .. })
            && PivCard::may_change_memory(command);
        !writes && self.card().is_quick(command)
    }
}

/// Why a file cannot keep the memory of a card.
#[derive(Debug)]
#[non_exhaustive]
pub enum MemoryFileError {
    /// It cannot be read, locked or written.
    Io {
        /// Which.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// Another card has it, here or in another process.
    InUse {
        /// Which.
        path: PathBuf,
    },
    /// Something else stands in it.
    Content {
        /// Which.
        path: PathBuf,
        /// What is wrong.
        error: MemoryError,
    },
}

impl fmt::Display for MemoryFileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io { path, error } => write!(f, "{}: {error}", path.display()),
            Self::InUse { path } => {
                write!(f, "{}: another virtual card keeps its memory there", path.display())
            }
            Self::Content { path, error } => write!(f, "{}: {error}", path.display()),
        }
    }
}

impl std::error::Error for MemoryFileError {}

/// The file, and the right to write it.
pub(crate) struct MemoryFile {
    path: PathBuf,
    /// What stands in it, as far as this card knows.
    kept: SecretBytes,
    /// `FILE.lock`: a lock on the file itself would go with the first new one.
    _lock: File,
}

impl MemoryFile {
    /// Takes the file for one card alone, whether it is there yet or not.
    pub(crate) fn open(path: &Path) -> Result<Self, MemoryFileError> {
        let failed = |error| MemoryFileError::Io { path: path.to_owned(), error };
        let lock = private().open(beside(path, ".lock")).map_err(failed)?;
        flock(&lock, FlockOperation::NonBlockingLockExclusive).map_err(|error| match error {
            rustix::io::Errno::WOULDBLOCK => MemoryFileError::InUse { path: path.to_owned() },
            error => failed(error.into()),
        })?;
        let kept = match std::fs::read(path) {
            Ok(memory) => SecretBytes::new(memory),
            Err(error) if error.kind() == ErrorKind::NotFound => SecretBytes::default(),
            Err(error) => return Err(failed(error)),
        };
        Ok(Self { path: path.to_owned(), kept, _lock: lock })
    }

    /// The card that is in it; none if there is no file yet.
    pub(crate) fn card(&self, seed: [u8; 32]) -> Result<Option<PivCard>, MemoryFileError> {
        if self.kept.is_empty() {
            return Ok(None);
        }
        let wrong = |error| MemoryFileError::Content { path: self.path.clone(), error };
        PivCard::from_memory(self.kept.expose(), seed).map(Some).map_err(wrong)
    }

    /// Writes the memory down, unless nothing has changed.
    fn keep(&mut self, memory: SecretBytes) -> Result<(), MemoryFileError> {
        if memory == self.kept {
            return Ok(());
        }
        self.replace(memory.expose())
            .map_err(|error| MemoryFileError::Io { path: self.path.clone(), error })?;
        self.kept = memory;
        Ok(())
    }

    fn replace(&self, memory: &[u8]) -> io::Result<()> {
        let new = beside(&self.path, ".new");
        let mut file = private().truncate(true).open(&new)?;
        file.write_all(memory)?;
        file.sync_all()?;
        std::fs::rename(&new, &self.path)?;
        // The new name is on the disk when its folder is.
        let folder = match self.path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        };
        File::open(folder)?.sync_all()
    }
}

/// For the eyes of its owner only: there are keys in it.
fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true).create(true).mode(0o600);
    options
}

fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    name.into()
}

//! How many entries the reader table of pcsc-lite's wire 4:6 has. Clients break when it shrinks, also over a restart of
//! the daemon, so it is kept in the state directory.

use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use tracing::warn;

use crate::state_file;

const FILE: &str = "reader-table-entries";
/// Above this, what the file says cannot be true.
const MOST: u32 = 65_536;

/// The size, and where it is kept.
pub(crate) struct TableSize {
    entries: usize,
    directory: Option<PathBuf>,
}

impl TableSize {
    /// Reads what an earlier daemon left. Without a directory, or with a file that makes no sense, it begins anew.
    pub(crate) fn load(directory: Option<PathBuf>) -> Self {
        let entries = directory.as_deref().map_or(Ok(0), read).unwrap_or_else(|error| {
            warn!(%error, "size of the reader table not read");
            0
        });
        Self { entries, directory }
    }

    /// The most entries that there ever were.
    pub(crate) const fn entries(&self) -> usize {
        self.entries
    }

    /// Takes note of the size now.
    pub(crate) fn note(&mut self, entries: usize) {
        if entries <= self.entries {
            return;
        }
        self.entries = entries;
        let kept = self.directory.as_deref().map_or(Ok(()), |directory| write(directory, entries));
        if let Err(error) = kept {
            warn!(%error, "size of the reader table not kept");
        }
    }
}

fn read(directory: &Path) -> io::Result<usize> {
    let entries = state_file::read(directory, FILE, MOST)?;
    usize::try_from(entries).map_err(|_| ErrorKind::InvalidData.into())
}

fn write(directory: &Path, entries: usize) -> io::Result<()> {
    let entries = u32::try_from(entries).map_err(|_| ErrorKind::InvalidData)?;
    state_file::write(directory, FILE, entries)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn the_size_outlives_the_daemon_and_never_shrinks() {
        let directory = std::env::temp_dir().join(format!("scard-table-{}", std::process::id()));
        fs::create_dir_all(&directory).expect("a temporary directory can be made");
        let mut size = TableSize::load(Some(directory.clone()));
        assert_eq!(size.entries(), 0);
        size.note(20);
        size.note(17);
        assert_eq!(TableSize::load(Some(directory.clone())).entries(), 20);
        fs::write(directory.join(FILE), "99999999").expect("the file can be written");
        assert_eq!(TableSize::load(Some(directory.clone())).entries(), 0);
        fs::remove_dir_all(directory).expect("the directory can be removed");
    }

    #[test]
    fn without_a_directory_it_lasts_as_long_as_the_daemon() {
        let mut size = TableSize::load(None);
        size.note(20);
        assert_eq!(size.entries(), 20);
    }
}

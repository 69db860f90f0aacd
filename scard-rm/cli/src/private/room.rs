//! The directory of a private resource manager: nobody else may look into it, and nobody has to clean up after it.

use std::fs::{self, File, Permissions};
use std::io;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock};
use tempfile::TempDir;

use crate::failure::Failure;

/// What the names of all these directories begin with.
const PREFIX: &str = "scard-run-";
/// The file whose lock says that the owner is alive. The kernel drops the lock with its last holder.
const LOCK: &str = "lock";
/// The longest path of a Unix socket, without the NUL at its end.
const MAX_SOCKET_PATH_BYTES: usize = 107;

/// A fresh directory with mode 0700, locked as long as it is in use. Dropping it removes it with everything inside.
#[derive(Debug)]
pub(crate) struct Room {
    // INVARIANT: removed before the lock is given up, so that nobody else takes it for abandoned meanwhile.
    directory: TempDir,
    _lock: File,
}

impl Room {
    /// Opens a room in the first of `bases` where one can be, and sweeps out there what dead owners left behind.
    ///
    /// # Errors
    /// [`Failure::NoRoom`].
    pub(crate) fn open(bases: &[PathBuf]) -> Result<Self, Failure> {
        let mut tried = Vec::new();
        for base in bases {
            sweep(base);
            match Self::open_in(base) {
                Ok(room) => return Ok(room),
                Err(error) => tried.push((base.clone(), error)),
            }
        }
        Err(Failure::NoRoom { tried })
    }

    fn open_in(base: &Path) -> io::Result<Self> {
        loop {
            let directory = tempfile::Builder::new()
                .prefix(PREFIX)
                .permissions(Permissions::from_mode(0o700))
                .tempdir_in(base)?;
            if let Some(lock) = lock(directory.path(), FlockOperation::LockExclusive)? {
                let room = Self { directory, _lock: lock };
                if room.socket().as_os_str().len() > MAX_SOCKET_PATH_BYTES {
                    return Err(io::Error::other("the path is too long for a socket"));
                }
                return Ok(room);
            }
            // Somebody swept it between its making and its locking: make another one.
        }
    }

    /// Where the socket is to be.
    #[must_use]
    pub(crate) fn socket(&self) -> PathBuf {
        self.directory.path().join("socket")
    }

    /// A new file for the log of the resource manager.
    ///
    /// # Errors
    /// If it cannot be made.
    pub(crate) fn log(&self) -> io::Result<File> {
        File::create(self.log_path())
    }

    /// The last lines of that log, on one line.
    #[must_use]
    pub(crate) fn last_words(&self) -> String {
        let log = fs::read_to_string(self.log_path()).unwrap_or_default();
        let lines: Vec<&str> = log.lines().filter(|line| !line.trim().is_empty()).collect();
        lines.get(lines.len().saturating_sub(3)..).unwrap_or_default().join("; ")
    }

    fn log_path(&self) -> PathBuf {
        self.directory.path().join("log")
    }
}

/// Removes the rooms in `base` whose owners are dead. Failures are left to the next time.
fn sweep(base: &Path) {
    let Ok(entries) = fs::read_dir(base) else { return };
    for entry in entries.flatten() {
        let is_room = entry.file_name().to_string_lossy().starts_with(PREFIX);
        if is_room && is_private_directory(&entry.path()) {
            // Held while the directory is removed: whoever made it just now waits for it, and sees that it is gone.
            if let Ok(Some(_lock)) = lock(&entry.path(), FlockOperation::NonBlockingLockExclusive) {
                let _ = fs::remove_dir_all(entry.path());
            }
        }
    }
}

/// A directory, not a link to one, of this user and nobody else's to open: made by us.
fn is_private_directory(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|metadata| {
        metadata.is_dir()
            && metadata.uid() == rustix::process::geteuid().as_raw()
            && metadata.mode() & 0o077 == 0
    })
}

/// Locks a room; `None` if it is removed already, or was in the meantime.
fn lock(room: &Path, how: FlockOperation) -> io::Result<Option<File>> {
    let path = room.join(LOCK);
    let opened = File::options().create(true).truncate(false).write(true).mode(0o600).open(&path);
    let file = match opened {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        other => other?,
    };
    flock(&file, how)?;
    let ours = file.metadata()?;
    let is_still_there = fs::metadata(&path)
        .is_ok_and(|there| (there.dev(), there.ino()) == (ours.dev(), ours.ino()));
    Ok(is_still_there.then_some(file))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rooms(base: &Path) -> usize {
        fs::read_dir(base).unwrap().count()
    }

    #[test]
    fn a_room_is_private_and_leaves_nothing_behind() {
        let base = tempfile::tempdir().unwrap();
        let room = Room::open(&[base.path().to_owned()]).unwrap();
        let directory = room.socket().parent().unwrap().to_owned();
        assert_eq!(fs::metadata(&directory).unwrap().mode() & 0o777, 0o700);
        drop(room);
        assert_eq!(rooms(base.path()), 0);
    }

    #[test]
    fn the_first_base_that_works_is_taken() {
        let base = tempfile::tempdir().unwrap();
        let missing = base.path().join("missing");
        let long = base.path().join("x".repeat(100));
        fs::create_dir(&long).unwrap();
        let bases = [missing.clone(), long.clone(), base.path().to_owned()];
        let room = Room::open(&bases).unwrap();
        assert_eq!(room.socket().parent().unwrap().parent().unwrap(), base.path());
        assert_eq!(rooms(&long), 0);
        let failure = Room::open(&[missing, long]).unwrap_err().to_string();
        assert!(failure.contains("the path is too long for a socket"), "{failure}");
    }

    #[test]
    fn only_rooms_whose_owners_are_dead_are_swept() {
        let base = tempfile::tempdir().unwrap();
        let alive = Room::open(&[base.path().to_owned()]).unwrap();
        // What SIGKILL leaves: the directory, and a lock that nobody holds.
        let dead = base.path().join("scard-run-dead");
        fs::create_dir(&dead).unwrap();
        fs::set_permissions(&dead, Permissions::from_mode(0o700)).unwrap();
        for file in ["lock", "socket", "log"] {
            fs::write(dead.join(file), "").unwrap();
        }
        let stranger = base.path().join("scard-run-open-to-all");
        fs::create_dir(&stranger).unwrap();
        fs::set_permissions(&stranger, Permissions::from_mode(0o755)).unwrap();
        fs::write(base.path().join("scard-run-file"), "").unwrap();

        sweep(base.path());
        assert!(!dead.exists());
        assert!(stranger.exists());
        assert!(base.path().join("scard-run-file").exists());
        assert!(alive.socket().parent().unwrap().exists());
    }

    #[test]
    fn makers_and_sweepers_do_not_get_in_each_others_way() {
        let base = tempfile::tempdir().unwrap();
        std::thread::scope(|threads| {
            for _ in 0..4 {
                threads.spawn(|| {
                    for _ in 0..50 {
                        let room = Room::open(&[base.path().to_owned()]).unwrap();
                        assert!(room.log().is_ok());
                    }
                });
            }
        });
        assert_eq!(rooms(base.path()), 0);
    }
}

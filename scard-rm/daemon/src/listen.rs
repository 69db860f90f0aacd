//! The daemon's sockets: bound so that nobody can slip in between, and left so that nobody trips over them.
//!
//! A socket is bound under a temporary name, opened to everybody, and only then renamed to the name that clients know:
//! whoever finds the name finds a socket that answers. The directory must belong to root or to us and be closed to
//! other writers. A socket that answers is never taken away.

use std::fmt;
use std::fs::{self, DirBuilder, File, Metadata, Permissions};
use std::io::{self, ErrorKind};
use std::os::fd::OwnedFd;
use std::os::unix::fs::{DirBuilderExt, FileTypeExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;
use rustix::net::{
    AddressFamily, SocketAddrUnix, SocketFlags, SocketType, bind, connect, listen, socket_with,
};

use crate::process::is_administrator;

/// How many clients may wait to be accepted; the kernel cuts it to `net.core.somaxconn`.
const BACKLOG: i32 = 4096;
/// Anybody may connect; who may do what is decided by the peer's credentials.
const SOCKET_MODE: u32 = 0o666;
/// Of a directory that we make for a socket.
const DIRECTORY_MODE: u32 = 0o755;
/// The group may write into a directory.
const GROUP_WRITES: u32 = 0o020;
/// Anybody may write into a directory.
const OTHERS_WRITE: u32 = 0o002;
/// Only its owner may rename or remove a file in a directory.
const STICKY: u32 = 0o1000;

/// Why a socket cannot be had.
#[derive(Debug)]
#[non_exhaustive]
pub enum ListenError {
    /// The path has no last component.
    NoName,
    /// The directory is not there and cannot be made, or cannot be looked at.
    Directory(PathBuf, io::Error),
    /// The directory belongs to somebody who is neither root nor us.
    ForeignDirectory(PathBuf, u32),
    /// Others can write into the directory, and take our socket away.
    OpenDirectory(PathBuf, u32),
    /// Something that is no socket has the name.
    NotASocket,
    /// A socket of somebody else has the name.
    ForeignSocket(u32),
    /// A daemon answers there.
    InUse,
    /// The kernel refuses.
    Refused(io::Error),
}

impl fmt::Display for ListenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoName => f.write_str("the path names no file"),
            Self::Directory(path, error) => write!(f, "directory {}: {error}", path.display()),
            Self::ForeignDirectory(path, uid) => write!(
                f,
                "directory {} belongs to uid {uid}: it must belong to root or to the user of the daemon",
                path.display()
            ),
            Self::OpenDirectory(path, mode) => write!(
                f,
                "others can write into directory {} (mode {mode:o}): take that away with chmod go-w, or use another",
                path.display()
            ),
            Self::NotASocket => f.write_str("something that is no socket has this name"),
            Self::ForeignSocket(uid) => {
                write!(
                    f,
                    "a socket of uid {uid} has this name: remove it if it should not be there"
                )
            }
            Self::InUse => f.write_str(
                "a daemon answers there: stop it first, or name another path with --socket",
            ),
            Self::Refused(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for ListenError {}

impl From<Errno> for ListenError {
    fn from(error: Errno) -> Self {
        Self::Refused(error.into())
    }
}

/// The name of a socket that we bound ourselves. Dropping it removes the name, if it is still ours; the socket itself
/// must be open until then, for it keeps its inode number from being used again.
#[derive(Debug)]
pub(crate) struct BoundSocket {
    path: PathBuf,
    identity: (u64, u64),
}

impl Drop for BoundSocket {
    fn drop(&mut self) {
        let ours =
            fs::symlink_metadata(&self.path).is_ok_and(|now| identity(&now) == self.identity);
        if ours {
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Binds `path` and listens there.
///
/// # Errors
/// See [`ListenError`].
pub(crate) fn bind_at(path: &Path) -> Result<(OwnedFd, BoundSocket), ListenError> {
    let name = path.file_name().ok_or(ListenError::NoName)?;
    let directory = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let directory = safe_directory(directory)?;
    let path = directory.join(name);

    // Two daemons that start at once take turns, so that the second one finds the first one's socket.
    let turn =
        File::open(&directory).map_err(|error| ListenError::Directory(directory.clone(), error))?;
    flock(&turn, FlockOperation::LockExclusive)?;
    make_way(&path)?;

    let temporary = directory.join(format!(".{}", std::process::id()));
    let _ = fs::remove_file(&temporary);
    let socket = stream_socket(SocketFlags::CLOEXEC | SocketFlags::NONBLOCK)?;
    bind(&socket, &SocketAddrUnix::new(&temporary)?)?;
    let settle = || -> io::Result<(u64, u64)> {
        fs::set_permissions(&temporary, Permissions::from_mode(SOCKET_MODE))?;
        listen(&socket, BACKLOG)?;
        let identity = identity(&fs::symlink_metadata(&temporary)?);
        fs::rename(&temporary, &path)?;
        Ok(identity)
    };
    match settle() {
        Ok(identity) => Ok((socket, BoundSocket { path, identity })),
        Err(error) => {
            let _ = fs::remove_file(&temporary);
            Err(ListenError::Refused(error))
        }
    }
}

/// The directory without symbolic links, made if only its last component is missing, and checked.
fn safe_directory(directory: &Path) -> Result<PathBuf, ListenError> {
    let failed = |error| ListenError::Directory(directory.to_owned(), error);
    match DirBuilder::new().mode(DIRECTORY_MODE).create(directory) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => return Err(failed(error)),
        _ => {}
    }
    let directory = directory.canonicalize().map_err(failed)?;
    let metadata = fs::metadata(&directory).map_err(failed)?;
    if !is_administrator(metadata.uid()) {
        return Err(ListenError::ForeignDirectory(directory, metadata.uid()));
    }
    let mode = metadata.mode() & 0o7777;
    let own_group = metadata.gid() == rustix::process::getegid().as_raw();
    let open = mode & OTHERS_WRITE != 0 || (mode & GROUP_WRITES != 0 && !own_group);
    if open && mode & STICKY == 0 {
        return Err(ListenError::OpenDirectory(directory, mode));
    }
    Ok(directory)
}

/// Makes sure that renaming over `path` takes nothing away from anybody: it is free, or a socket that nobody serves.
fn make_way(path: &Path) -> Result<(), ListenError> {
    let metadata = match fs::symlink_metadata(path) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(ListenError::Refused(error)),
    };
    if !metadata.file_type().is_socket() {
        return Err(ListenError::NotASocket);
    }
    if !is_administrator(metadata.uid()) {
        return Err(ListenError::ForeignSocket(metadata.uid()));
    }
    let probe = stream_socket(SocketFlags::CLOEXEC | SocketFlags::NONBLOCK)?;
    match connect(&probe, &SocketAddrUnix::new(path)?) {
        Err(Errno::CONNREFUSED | Errno::NOENT) => Ok(()),
        // A full backlog (`EAGAIN`) is a daemon too.
        Ok(()) | Err(Errno::AGAIN) => Err(ListenError::InUse),
        Err(error) => Err(error.into()),
    }
}

fn stream_socket(flags: SocketFlags) -> Result<OwnedFd, Errno> {
    socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None)
}

fn identity(metadata: &Metadata) -> (u64, u64) {
    (metadata.dev(), metadata.ino())
}

#[cfg(test)]
mod tests;

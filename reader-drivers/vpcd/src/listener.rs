//! The socket of a port, and what comes in by it.

use std::fmt;
use std::fs;
use std::io::{self, ErrorKind};
use std::net;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::os::unix::net as unix;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};
use tracing::warn;

use crate::address::Address;
use crate::connection::Wire;

/// How long to wait before accepting again where it failed: for want of descriptors, it would fail at once again.
const EXHAUSTED: Duration = Duration::from_secs(1);

/// Why a port cannot listen.
#[derive(Debug)]
pub struct ListenError {
    address: Address,
    error: io::Error,
}

impl fmt::Display for ListenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { address, error } = self;
        match error.kind() {
            ErrorKind::AddrInUse => write!(
                f,
                "{address}: somebody listens there already; a pcscd with vpcd does at ports 35963 and 35964"
            ),
            _ => write!(f, "{address}: {error}"),
        }
    }
}

impl std::error::Error for ListenError {}

/// A socket that listens, and is not served yet. It needs no runtime.
pub(crate) enum Bound {
    Unix(unix::UnixListener, SocketName),
    Tcp(net::TcpListener),
}

impl Bound {
    /// Listens.
    ///
    /// # Errors
    /// [`ListenError`].
    pub(crate) fn at(address: &Address) -> Result<Self, ListenError> {
        let bind = || -> io::Result<Self> {
            match address {
                Address::Tcp(address) => {
                    let listener = net::TcpListener::bind(address)?;
                    listener.set_nonblocking(true)?;
                    Ok(Self::Tcp(listener))
                }
                Address::Unix(path) => {
                    let (listener, name) = bind_unix(path)?;
                    listener.set_nonblocking(true)?;
                    Ok(Self::Unix(listener, name))
                }
            }
        };
        bind().map_err(|error| ListenError { address: address.clone(), error })
    }

    /// Where: the port that the system chose, if it was left to it.
    pub(crate) fn address(&self) -> io::Result<Address> {
        match self {
            Self::Unix(_, name) => Ok(Address::Unix(name.path.clone())),
            Self::Tcp(listener) => listener.local_addr().map(Address::Tcp),
        }
    }

    /// The card that has connected already, if one has.
    pub(crate) fn first(&self) -> Option<Box<dyn Wire>> {
        match self {
            Self::Unix(listener, _) => {
                let (stream, _) = listener.accept().ok()?;
                stream.set_nonblocking(true).ok()?;
                Some(Box::new(UnixStream::from_std(stream).ok()?))
            }
            Self::Tcp(listener) => {
                let (stream, _) = listener.accept().ok()?;
                stream.set_nonblocking(true).ok()?;
                Some(tcp(TcpStream::from_std(stream).ok()?))
            }
        }
    }

    /// The same in a runtime.
    pub(crate) fn serve(self) -> io::Result<Listener> {
        match self {
            Self::Unix(listener, name) => {
                Ok(Listener::Unix(UnixListener::from_std(listener)?, name))
            }
            Self::Tcp(listener) => TcpListener::from_std(listener).map(Listener::Tcp),
        }
    }
}

/// A socket that accepts.
pub(crate) enum Listener {
    Unix(UnixListener, #[expect(dead_code, reason = "dropping it removes the name")] SocketName),
    Tcp(TcpListener),
}

impl Listener {
    /// The next who connects. Cancel safe.
    pub(crate) async fn accept(&self) -> Box<dyn Wire> {
        loop {
            let accepted: io::Result<Box<dyn Wire>> = match self {
                Self::Unix(listener, _) => {
                    listener.accept().await.map(|(stream, _)| -> Box<dyn Wire> { Box::new(stream) })
                }
                Self::Tcp(listener) => listener.accept().await.map(|(stream, _)| tcp(stream)),
            };
            match accepted {
                Ok(wire) => return wire,
                Err(error) => {
                    warn!(%error, "no card can be accepted");
                    tokio::time::sleep(EXHAUSTED).await;
                }
            }
        }
    }
}

fn tcp(stream: TcpStream) -> Box<dyn Wire> {
    // A message is one write, so nothing would ever be gained by waiting for more. It fails if the card is gone again.
    let _ = stream.set_nodelay(true);
    Box::new(stream)
}

/// The name of a socket that we bound; dropping it removes the name, if it is still ours.
pub(crate) struct SocketName {
    path: PathBuf,
    identity: (u64, u64),
}

impl Drop for SocketName {
    fn drop(&mut self) {
        if identity(&self.path).is_ok_and(|now| now == self.identity) {
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Binds a path, also where one who is dead has left a socket.
fn bind_unix(path: &Path) -> io::Result<(unix::UnixListener, SocketName)> {
    let listener = match unix::UnixListener::bind(path) {
        Err(error) if error.kind() == ErrorKind::AddrInUse && is_left_over(path) => {
            fs::remove_file(path)?;
            unix::UnixListener::bind(path)?
        }
        outcome => outcome?,
    };
    Ok((listener, SocketName { path: path.to_owned(), identity: identity(path)? }))
}

fn is_left_over(path: &Path) -> bool {
    let is_socket = fs::symlink_metadata(path).is_ok_and(|found| found.file_type().is_socket());
    let refused = |error: io::Error| error.kind() == ErrorKind::ConnectionRefused;
    is_socket && unix::UnixStream::connect(path).is_err_and(refused)
}

fn identity(path: &Path) -> io::Result<(u64, u64)> {
    fs::symlink_metadata(path).map(|found| (found.dev(), found.ino()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(address: &Address) -> String {
        Bound::at(address).err().map(|error| error.to_string()).unwrap_or_default()
    }

    #[test]
    fn a_socket_that_nobody_serves_is_taken_over_and_no_other() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("port");
        let address = Address::Unix(path.clone());
        // What is left when a process is killed.
        drop(unix::UnixListener::bind(&path).unwrap());
        let bound = Bound::at(&address).unwrap();
        assert!(error(&address).contains("somebody listens there already"));
        drop(bound);
        assert!(!path.exists(), "the name goes with the port");

        fs::write(&path, "no socket").unwrap();
        assert!(error(&address).contains("somebody listens there already"));
        assert_eq!(fs::read(&path).unwrap(), b"no socket");
    }

    #[test]
    fn a_name_that_somebody_else_has_taken_meanwhile_stays() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("port");
        let bound = Bound::at(&Address::Unix(path.clone())).unwrap();
        let aside = folder.path().join("aside");
        fs::rename(&path, &aside).unwrap();
        let _other = unix::UnixListener::bind(&path).unwrap();
        drop(bound);
        assert!(path.exists());
    }

    #[test]
    fn the_system_may_choose_the_port() {
        let bound = Bound::at(&"127.0.0.1:0".parse().unwrap()).unwrap();
        let address = bound.address().unwrap();
        assert!(matches!(&address, Address::Tcp(chosen) if chosen.port() != 0));
        assert!(error(&address).contains("a pcscd with vpcd does at ports 35963 and 35964"));
    }
}

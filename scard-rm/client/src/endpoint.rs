//! Where the daemon listens.

use std::env;
use std::ffi::OsString;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// Where pcscd has always listened.
pub const DEFAULT_SOCKET: &str = "/run/pcscd/pcscd.comm";

/// Our own variable, looked at first.
const OUR_VARIABLE: &str = "SCARD_SOCKET";
/// pcsc-lite's variable.
const PCSCLITE_VARIABLE: &str = "PCSCLITE_CSOCK_NAME";
/// `AT_SECURE` of the auxiliary vector, getauxval(3).
const AT_SECURE: usize = 23;

/// The path of the daemon's socket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    path: PathBuf,
}

impl Endpoint {
    /// As the user wants it: `SCARD_SOCKET`, else `PCSCLITE_CSOCK_NAME`, else the default path.
    ///
    /// Programs that run with more rights than their caller (setuid, file capabilities) take the default path.
    #[must_use]
    pub fn from_environment() -> Self {
        let named = [OUR_VARIABLE, PCSCLITE_VARIABLE]
            .into_iter()
            .filter_map(env::var_os)
            .find(|path: &OsString| !path.is_empty());
        match named {
            Some(path) if !has_borrowed_rights() => Self::at(path),
            _ => Self::default(),
        }
    }

    /// At that path.
    pub fn at(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    /// The path.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Default for Endpoint {
    fn default() -> Self {
        Self::at(DEFAULT_SOCKET)
    }
}

/// What `secure_getenv` asks. The kernel's word for it stands in the auxiliary vector, which a program with borrowed rights
/// may be forbidden to read.
fn has_borrowed_rights() -> bool {
    use rustix::process::{getegid, geteuid, getgid, getuid};
    if getuid() != geteuid() || getgid() != getegid() {
        return true;
    }
    match std::fs::read("/proc/self/auxv") {
        Ok(vector) => says_secure(&vector),
        Err(error) => error.kind() == ErrorKind::PermissionDenied,
    }
}

/// The vector is pairs of machine words: tag, value.
fn says_secure(vector: &[u8]) -> bool {
    const WORD: usize = size_of::<usize>();
    let words: Vec<usize> = vector
        .chunks_exact(WORD)
        .filter_map(|word| word.try_into().ok().map(usize::from_ne_bytes))
        .collect();
    words.chunks_exact(2).any(|pair| matches!(pair, [AT_SECURE, value] if *value != 0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_auxiliary_vector_is_read() {
        let vector = |pairs: &[[usize; 2]]| -> Vec<u8> {
            pairs.iter().flatten().flat_map(|word| word.to_ne_bytes()).collect()
        };
        assert!(says_secure(&vector(&[[6, 4096], [AT_SECURE, 1], [0, 0]])));
        assert!(!says_secure(&vector(&[[6, AT_SECURE], [AT_SECURE, 0], [0, 0]])));
        assert!(!says_secure(&[1, 2, 3]));
    }
}

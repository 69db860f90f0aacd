//! What the process was given by its environment. Nothing else here reads it.

use std::env;
use std::ffi::OsString;
use std::path::PathBuf;

use scard_client::Endpoint;

/// What the process was given by its environment.
#[derive(Clone, Debug)]
pub(crate) struct Surroundings {
    /// This very executable.
    pub(crate) program: PathBuf,
    /// Where directories of private resource managers may be, the best first.
    pub(crate) private_bases: Vec<PathBuf>,
    /// `LD_LIBRARY_PATH`.
    pub(crate) library_path: Option<OsString>,
}

impl Surroundings {
    /// Reads the environment.
    #[must_use]
    pub(crate) fn read() -> Self {
        let named = ["XDG_RUNTIME_DIR", "TMPDIR"].into_iter().filter_map(env::var_os);
        let mut private_bases: Vec<PathBuf> = named.map(PathBuf::from).collect();
        private_bases.retain(|base| base.is_absolute());
        private_bases.push(PathBuf::from("/tmp"));
        Self {
            program: env::current_exe().unwrap_or_else(|_| PathBuf::from("/proc/self/exe")),
            private_bases,
            library_path: env::var_os("LD_LIBRARY_PATH"),
        }
    }
}

/// Where the client library finds the resource manager, and which variable says so.
pub(crate) fn endpoint() -> (Endpoint, &'static str) {
    let endpoint = Endpoint::from_environment();
    let names_it = |variable: &&str| {
        env::var_os(variable).is_some_and(|path| path == endpoint.path().as_os_str())
    };
    let origin = ["SCARD_SOCKET", "PCSCLITE_CSOCK_NAME"].into_iter().find(names_it);
    (endpoint, origin.unwrap_or("the default"))
}

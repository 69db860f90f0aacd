//! What the process was given by its environment, read once.

use std::env;
use std::ffi::OsString;
use std::path::PathBuf;

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

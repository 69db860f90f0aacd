//! The configuration file.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::access::{AccessTable, Mode, ReaderRuleTable, Who};
use crate::limits::LimitsTable;

/// The configuration file as it is written. A word that is not in here is an error: a typing mistake in a limit must not pass.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub(crate) struct ConfigFile {
    /// `sockets = ["/run/pcscd/pcscd.comm"]`
    pub(crate) sockets: Vec<PathBuf>,
    /// `readers = ["sim:piv"]`
    pub(crate) readers: Vec<String>,
    /// `state-dir = "/var/lib/scard"`
    pub(crate) state_dir: Option<PathBuf>,
    /// `card-types = ["/usr/share/scard/card-types", "/etc/scard/card-types"]`
    pub(crate) card_types: Vec<PathBuf>,
    /// `log = "info"`
    pub(crate) log: Option<String>,
    /// `[limits]`
    pub(crate) limits: LimitsTable,
    /// `access = "local"`
    access: Option<Mode>,
    /// `allow-users = ["sssd", 1001]`
    allow_users: Option<Vec<Who>>,
    /// `allow-groups = ["staff"]`
    allow_groups: Option<Vec<Who>>,
    /// `[[reader-rule]]`
    pub(crate) reader_rule: Vec<ReaderRuleTable>,
}

/// Why a configuration file cannot be used.
#[derive(Debug)]
#[non_exhaustive]
pub enum ConfigError {
    /// It cannot be read.
    Unreadable(io::Error),
    /// It is no TOML, or says something that we do not know.
    Malformed(Box<toml::de::Error>),
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable(error) => write!(f, "cannot be read: {error}"),
            Self::Malformed(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for ConfigError {}

impl ConfigFile {
    /// Who may use the daemon, and the readers without a rule of their own.
    pub(crate) fn access_table(&self) -> AccessTable {
        AccessTable {
            access: self.access,
            allow_users: self.allow_users.clone(),
            allow_groups: self.allow_groups.clone(),
        }
    }

    /// Reads the file at `path`.
    ///
    /// # Errors
    /// See [`ConfigError`].
    pub(crate) fn read(path: &Path) -> Result<Self, ConfigError> {
        Self::parse(&std::fs::read_to_string(path).map_err(ConfigError::Unreadable)?)
    }

    /// Reads what stands in one.
    ///
    /// # Errors
    /// [`ConfigError::Malformed`].
    pub(crate) fn parse(text: &str) -> Result<Self, ConfigError> {
        toml::from_str(text).map_err(|error| ConfigError::Malformed(Box::new(error)))
    }
}

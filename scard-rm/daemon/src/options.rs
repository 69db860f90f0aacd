//! What the daemon was told: its command line, joined with its configuration file.

use std::fmt;
use std::path::{Path, PathBuf};

use crate::access::{AccessTable, Policy, ReaderRuleTable};
use crate::config::{ConfigError, ConfigFile};
use crate::drivers::{ReaderSpec, SpecError};
use crate::limits::LimitsTable;

/// Where the daemon listens if nobody says otherwise: where every client of pcsc-lite looks for it.
pub const DEFAULT_SOCKET: &str = "/run/pcscd/pcscd.comm";

/// Where card types ship as files: the distribution's, then the administrator's.
const CARD_TYPES: [&str; 2] = ["/usr/share/scard/card-types", "/etc/scard/card-types"];

/// The command line of the daemon.
#[derive(clap::Parser, Clone, Debug, Default)]
#[command(name = "scard-rm", version, about = "The smart-card resource manager")]
pub struct Options {
    /// Listen on this socket; may be given several times [default: /run/pcscd/pcscd.comm]
    #[arg(long = "socket", value_name = "PATH")]
    pub sockets: Vec<PathBuf>,

    /// Serve this reader, written DRIVER:REST, for instance "sim:piv", or "vpcd:unix:/path" for a card that connects
    /// there; may be given several times
    #[arg(long = "reader", value_name = "SPEC")]
    pub readers: Vec<String>,

    /// Read this configuration file (TOML: sockets, readers, who may use them, limits); readers, access and limits are
    /// read again on SIGHUP
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,

    /// Keep here what must outlive a restart
    #[arg(long, value_name = "DIR")]
    pub state_dir: Option<PathBuf>,

    /// Read card types from the *.toml files in this folder; may be given several times, a file in a later one hides one
    /// of the same name [default: /usr/share/scard/card-types and /etc/scard/card-types]
    #[arg(long, value_name = "DIR")]
    pub card_types: Vec<PathBuf>,

    #[expect(clippy::doc_markdown, reason = "shown as it stands by --help")]
    /// What to log, for instance "debug" or "warn,scard_rm=trace" [default: info]
    #[arg(long, value_name = "FILTER")]
    pub log: Option<String>,

    /// Write the line "ready" to this inherited descriptor once clients are served
    #[arg(long, value_name = "N")]
    pub ready_fd: Option<u32>,

    /// Stop when this inherited descriptor reads end of file, because whoever started the daemon is gone
    #[arg(long, value_name = "N")]
    pub exit_on_eof_of_fd: Option<u32>,
}

/// Everything that was decided before the daemon starts, or by a reload.
#[derive(Debug)]
pub(crate) struct Settings {
    /// Where to listen. Empty: nowhere was named.
    pub(crate) sockets: Vec<PathBuf>,
    /// Which readers to serve beyond those that drivers find by themselves, each once per mention.
    pub(crate) readers: Vec<ReaderSpec>,
    /// Where to keep what must outlive a restart.
    pub(crate) state_dir: Option<PathBuf>,
    /// Where card types ship as files.
    pub(crate) card_types: Vec<PathBuf>,
    /// What to log.
    pub(crate) log: Option<String>,
    /// How much one user may have.
    pub(crate) limits: LimitsTable,
    /// Who may use the daemon and its readers, as it is written.
    pub(crate) access: AccessTable,
    /// What is written for some readers.
    pub(crate) reader_rules: Vec<ReaderRuleTable>,
}

impl Settings {
    /// The rules, with the names of users and groups looked up.
    pub(crate) fn policy(&self) -> Policy {
        Policy::new(&self.access, &self.reader_rules)
    }
}

/// Why the options make no sense.
#[derive(Debug)]
#[non_exhaustive]
pub enum SettingsError {
    /// The configuration file.
    Config {
        /// Which.
        path: PathBuf,
        /// What is wrong with it.
        error: ConfigError,
    },
    /// A reader.
    Reader(SpecError),
}

impl fmt::Display for SettingsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Config { path, error } => write!(f, "{}: {error}", path.display()),
            Self::Reader(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for SettingsError {}

impl Settings {
    /// Joins command line and configuration file. The command line wins; readers of both are served.
    ///
    /// # Errors
    /// See [`SettingsError`].
    pub(crate) fn gather(options: &Options) -> Result<Self, SettingsError> {
        let file = options.config.as_deref().map_or_else(|| Ok(ConfigFile::default()), read)?;
        let readers = options
            .readers
            .iter()
            .chain(&file.readers)
            .map(|text| text.parse().map_err(SettingsError::Reader))
            .collect::<Result<_, _>>()?;
        Ok(Self {
            access: file.access_table(),
            reader_rules: file.reader_rule,
            sockets: if options.sockets.is_empty() {
                file.sockets
            } else {
                options.sockets.clone()
            },
            readers,
            state_dir: options.state_dir.clone().or(file.state_dir),
            card_types: [options.card_types.clone(), file.card_types]
                .into_iter()
                .find(|folders| !folders.is_empty())
                .unwrap_or_else(|| CARD_TYPES.map(PathBuf::from).into()),
            log: options.log.clone().or(file.log),
            limits: file.limits,
        })
    }
}

fn read(path: &Path) -> Result<ConfigFile, SettingsError> {
    ConfigFile::read(path).map_err(|error| SettingsError::Config { path: path.to_owned(), error })
}

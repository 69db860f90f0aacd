//! Why a command failed: an exit status that stays the same, a sentence, and what to do about it.

use std::fmt;
use std::io;
use std::path::PathBuf;

use card_key::CardKeyError;
use reader_vpcd::Address;
use scard_types::apdu::ApduError;
use scard_types::atr::AtrError;
use scard_types::{ScardCode, StatusWord};
use sim_reader::{MakeError, SpecError};

use crate::hex::HexError;

/// The exit statuses, as the manual page and `--help` show them.
pub(crate) const EXIT_STATUSES: &str = "\
Exit status:
  0  done
  1  failed for a reason that has no number of its own
  2  wrong usage
  3  no resource manager answers
  4  no such reader, or no card in it
  5  somebody else holds the card
  6  access denied: wrong, blocked or missing PIN, or not allowed for this user
  7  the card refused a command";

/// How `scard run` tells COMMAND where to connect, and what it returns: for its own manual page and `--help`.
pub(crate) const RUN_NOTES: &str = "\
Environment of COMMAND:
  SCARD_SOCKET, PCSCLITE_CSOCK_NAME  the socket of the private resource manager
  LD_LIBRARY_PATH                    with --our-library: the directory of our libpcsclite.so.1 in front

Exit status:
  that of COMMAND, or 128 + n if signal n ended it
  125  scard run itself failed
  126  COMMAND was found and cannot be executed
  127  COMMAND was not found";

/// Why a command failed.
#[derive(Debug)]
#[non_exhaustive]
pub(crate) enum Failure {
    /// Standard output, or a file that was named.
    Output(io::Error),
    /// A file that was named could not be read or written.
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// An argument is no row of bytes.
    BadHex(HexError),
    /// The bytes are no answer to reset.
    BadAtr(AtrError),
    /// A line of a script, or an argument, is no command APDU.
    BadCommand {
        /// Which.
        place: Place,
        /// Why.
        why: BadCommand,
    },
    /// Nobody listens on the socket.
    NoService {
        /// Where we looked, and who told us to.
        tried: String,
    },
    /// There is no reader at all.
    NoReaders,
    /// There is no reader of that name.
    NoSuchReader {
        /// What was asked for.
        wanted: String,
        /// What there is.
        readers: Vec<String>,
    },
    /// More than one reader fits.
    Ambiguous {
        /// Those that fit.
        readers: Vec<String>,
    },
    /// The reader has no card.
    NoCard {
        /// Which reader.
        reader: String,
    },
    /// Somebody else holds the card.
    Held {
        /// Which reader.
        reader: String,
        /// Who, in words.
        holders: Vec<String>,
    },
    /// The resource manager refused.
    Scard {
        /// What was tried.
        doing: &'static str,
        /// Its answer.
        code: ScardCode,
    },
    /// The card did not do what it should.
    Card(CardKeyError),
    /// The card refused a command that was sent as it was given.
    Status(StatusWord),
    /// The resource manager has no word for a trace.
    NoTrace,
    /// The resource manager serves no virtual reader.
    NoSimulator,
    /// The simulator did not do what it should.
    Simulator {
        /// Its answer.
        answer: String,
    },
    /// The text orders no card.
    CardOrder(SpecError),
    /// The card that was ordered cannot be made.
    CardMade(MakeError),
    /// Nobody listens for a card.
    NoPort {
        /// Where.
        address: Address,
        /// What the system says.
        error: io::Error,
    },
    /// The reader closed the connection before it asked anything.
    CardNotTaken {
        /// Where.
        address: Address,
    },
    /// The private resource manager did not start.
    Daemon {
        /// What it said.
        said: String,
    },
    /// No directory for the private socket.
    NoRoom {
        /// What was tried.
        tried: Vec<(PathBuf, io::Error)>,
    },
    /// `--our-library` and no library beside the program.
    NoLibrary {
        /// Where it was looked for.
        tried: Vec<PathBuf>,
    },
    /// COMMAND could not be started.
    Command {
        /// Its name.
        name: String,
        /// Why.
        error: io::Error,
    },
    /// A step of the demonstration did not hold.
    Demo {
        /// What was expected.
        expected: &'static str,
    },
}

/// Where a command stands, counted from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// Among the arguments.
    Argument(usize),
    /// In a script.
    Line(usize),
}

/// Why text is no command APDU.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum BadCommand {
    /// No row of bytes.
    Hex(HexError),
    /// No command APDU.
    Apdu(ApduError),
}

impl Failure {
    /// The exit status.
    #[must_use]
    pub(crate) const fn exit_status(&self) -> u8 {
        match self {
            Self::BadHex(_) | Self::BadAtr(_) | Self::BadCommand { .. } | Self::CardOrder(_) => 2,
            Self::NoService { .. } | Self::NoPort { .. } => 3,
            Self::NoReaders
            | Self::NoSuchReader { .. }
            | Self::Ambiguous { .. }
            | Self::NoCard { .. } => 4,
            Self::Held { .. } | Self::CardNotTaken { .. } => 5,
            Self::Scard { code, .. } => code_status(*code),
            Self::Card(error) => card_status(error),
            Self::Status(status) => status_word_status(*status),
            Self::NoRoom { .. }
            | Self::Daemon { .. }
            | Self::NoLibrary { .. }
            | Self::Command { .. }
            | Self::Output(_)
            | Self::File { .. }
            | Self::NoTrace
            | Self::NoSimulator
            | Self::Simulator { .. }
            | Self::CardMade(_)
            | Self::Demo { .. } => 1,
        }
    }

    /// The exit status of `scard run`, which leaves the low ones to COMMAND.
    #[must_use]
    pub(crate) fn run_exit_status(&self) -> u8 {
        match self {
            Self::Command { error, .. } if error.kind() == io::ErrorKind::NotFound => 127,
            Self::Command { .. } => 126,
            _ => 125,
        }
    }

    /// What to do about it, where there is something to do.
    #[must_use]
    pub(crate) fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::BadCommand { why: BadCommand::Apdu(ApduError::WrongLength { .. }), .. } => {
                "--unchecked sends it as it is"
            }
            Self::NoService { .. } => {
                "start it (scard-rm), or name its socket with --socket, SCARD_SOCKET or \
                 PCSCLITE_CSOCK_NAME; scard run gives one command a resource manager and a virtual \
                 card of its own"
            }
            Self::NoTrace => "it is a stock pcscd, or a scard-rm older than this program",
            Self::NoSimulator => "start it with --reader sim:piv",
            Self::NoReaders => "scard watch tells when one is plugged in",
            Self::Ambiguous { .. } => "name the one you mean; a unique part of its name is enough",
            Self::NoSuchReader { .. } => "scard list shows the readers",
            Self::Held { .. } => "close the program that holds it, or wait until it is done",
            Self::Scard { code: ScardCode::SharingViolation, .. } => {
                "scard list shows who holds the card"
            }
            Self::Scard { code: ScardCode::UnsupportedFeature, .. } => {
                "a stock pcscd answers on this socket; this needs scard-rm"
            }
            Self::Scard { code: ScardCode::SecurityViolation | ScardCode::NoAccess, .. } => {
                "the user who runs the resource manager, and root, may do this; others by its rules (see its log)"
            }
            Self::Scard { code: ScardCode::ProtocolMismatch, .. } => {
                "scard atr shows what the card speaks"
            }
            Self::NoPort { .. } => {
                "start pcscd with the driver vpcd, or scard-rm --reader vpcd:ADDRESS; --wait waits for it"
            }
            Self::NoRoom { .. } => {
                "set XDG_RUNTIME_DIR or TMPDIR to a short path that you may write to"
            }
            Self::NoLibrary { .. } => {
                "cargo xtask dist DIR lays the library out beside the program"
            }
            Self::Card(CardKeyError::PinBlocked) => {
                "unblock it with the PUK: yubico-piv-tool -a unblock-pin, or pkcs11-tool --unlock-pin"
            }
            _ => return None,
        };
        Some(hint.to_owned())
    }

    /// Whether nobody reads our output any more: no failure of ours, and nobody to tell.
    #[must_use]
    pub(crate) fn is_broken_pipe(&self) -> bool {
        matches!(self, Self::Output(error) if error.kind() == io::ErrorKind::BrokenPipe)
    }
}

const fn code_status(code: ScardCode) -> u8 {
    match code {
        ScardCode::NoService | ScardCode::ServiceStopped => 3,
        ScardCode::UnknownReader
        | ScardCode::NoReadersAvailable
        | ScardCode::ReaderUnavailable
        | ScardCode::NoSmartcard
        | ScardCode::RemovedCard => 4,
        ScardCode::SharingViolation => 5,
        ScardCode::SecurityViolation
        | ScardCode::NoAccess
        | ScardCode::WrongChv
        | ScardCode::ChvBlocked => 6,
        _ => 1,
    }
}

const fn card_status(error: &CardKeyError) -> u8 {
    match error {
        CardKeyError::Exchange(code) => code_status(*code),
        CardKeyError::Refused { status, .. } | CardKeyError::NoApplication { status } => {
            status_word_status(*status)
        }
        CardKeyError::PinLength { .. }
        | CardKeyError::WrongPin { .. }
        | CardKeyError::PinBlocked
        | CardKeyError::PinRequired { .. } => 6,
        _ => 1,
    }
}

const fn status_word_status(status: StatusWord) -> u8 {
    match status.0 {
        0x6982 | 0x6983 | 0x63C0..=0x63CF => 6,
        _ => 7,
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Output(error) => write!(f, "writing the output: {error}"),
            Self::File { path, error } => write!(f, "{}: {error}", path.display()),
            Self::BadHex(error) => write!(f, "{error}"),
            Self::BadAtr(error) => write!(f, "this is no answer to reset: {error}"),
            Self::BadCommand { place, why } => {
                match place {
                    Place::Argument(number) => write!(f, "command {number}: ")?,
                    Place::Line(number) => write!(f, "line {number}: ")?,
                }
                match why {
                    BadCommand::Hex(error) => error.fmt(f),
                    BadCommand::Apdu(error) => error.fmt(f),
                }
            }
            Self::NoService { tried } => {
                write!(f, "no resource manager answers: is scard-rm running? tried {tried}")
            }
            Self::NoReaders => f.write_str("no reader"),
            Self::NoSuchReader { wanted, readers } if readers.is_empty() => {
                write!(f, "no reader {wanted:?}; there is none at all")
            }
            Self::NoSuchReader { wanted, readers } => {
                write!(f, "no reader {wanted:?}; there is {}", quoted(readers))
            }
            Self::Ambiguous { readers } => {
                write!(f, "which reader? there is {}", quoted(readers))
            }
            Self::NoCard { reader } => write!(f, "no card in {reader:?}"),
            Self::Held { reader, holders } if holders.is_empty() => {
                write!(f, "somebody else holds the card in {reader:?}")
            }
            Self::Held { reader, holders } => {
                write!(f, "the card in {reader:?} is held by {}", holders.join(" and by "))
            }
            Self::Scard { doing, code } => write!(f, "{doing}: {code}"),
            Self::Card(error) => write!(f, "{error}"),
            Self::Status(status) => {
                write!(f, "the card says {status}, {}", status.meaning())
            }
            Self::NoTrace => f.write_str("this resource manager cannot trace"),
            Self::NoSimulator => f.write_str("this resource manager serves no virtual reader"),
            Self::Simulator { answer } => write!(f, "the simulator says: {answer}"),
            Self::CardOrder(error) => error.fmt(f),
            Self::CardMade(error) => error.fmt(f),
            Self::NoPort { address, error } => {
                write!(f, "no reader listens for a card at {address}: {error}")
            }
            Self::CardNotTaken { address } => {
                write!(f, "the reader at {address} does not take the card: another one is in it")
            }
            Self::Daemon { said } if said.is_empty() => {
                f.write_str("the private resource manager ended before it was ready")
            }
            Self::Daemon { said } => {
                write!(f, "the private resource manager did not start: {said}")
            }
            Self::NoRoom { tried } => {
                f.write_str("no directory for the private socket:")?;
                tried
                    .iter()
                    .try_for_each(|(path, error)| write!(f, " {}: {error};", path.display()))
            }
            Self::NoLibrary { tried } => {
                f.write_str("no libpcsclite.so.1 beside this program: looked in")?;
                tried.iter().try_for_each(|path| write!(f, " {}", path.display()))
            }
            Self::Command { name, error } => write!(f, "{name}: {error}"),
            Self::Demo { expected } => write!(f, "this did not hold: {expected}"),
        }
    }
}

fn quoted(names: &[String]) -> String {
    names.iter().map(|name| format!("{name:?}")).collect::<Vec<_>>().join(", ")
}

impl std::error::Error for Failure {}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Output(error)
    }
}

impl From<CardKeyError> for Failure {
    fn from(error: CardKeyError) -> Self {
        Self::Card(error)
    }
}

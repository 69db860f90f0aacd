//! Finding the resource manager, and the reader that is meant.

use std::path::PathBuf;

use scard_client::{Context, Endpoint, Protocols, ReaderEntry, ScardCode, ShareMode};
use scard_types::call::{Answer, Call, Holder, ReaderDescription};

use crate::failure::Failure;
use crate::process;
use crate::surroundings;

const SOCKET_HELP: &str = "The socket of the resource manager [default: $SCARD_SOCKET, else \
    $PCSCLITE_CSOCK_NAME, else /run/pcscd/pcscd.comm]";

/// Where the resource manager is.
#[derive(Clone, Debug, Default, clap::Args)]
pub(crate) struct Connection {
    /// The socket of the resource manager.
    #[arg(long, value_name = "PATH", help = SOCKET_HELP)]
    socket: Option<PathBuf>,
}

impl Connection {
    /// At that socket.
    pub(crate) fn at(socket: PathBuf) -> Self {
        Self { socket: Some(socket) }
    }

    /// A context of its own connection.
    pub(crate) fn context(&self) -> Result<Context, Failure> {
        let (endpoint, origin) = match &self.socket {
            Some(path) => (Endpoint::at(path), "--socket"),
            None => surroundings::endpoint(),
        };
        Context::establish_at(&endpoint).map_err(|code| match code {
            ScardCode::NoService => {
                Failure::NoService { tried: format!("{} ({origin})", endpoint.path().display()) }
            }
            code => Failure::Scard { doing: "connecting to the resource manager", code },
        })
    }
}

/// All readers, with those who hold them.
pub(crate) fn describe(context: &Context) -> Result<Vec<ReaderDescription>, Failure> {
    let doing = "asking for the readers";
    match context.call(|_| Call::DescribeReaders) {
        Ok(Answer::Described(readers)) => Ok(readers),
        Ok(_) => Err(Failure::Scard { doing, code: ScardCode::CommError }),
        Err(refusal) => Err(Failure::Scard { doing, code: refusal.code }),
    }
}

/// The reader that is meant: by its name, by a part of it that no other has; without a name the only reader, or the
/// only one with a card.
pub(crate) fn choose(
    wanted: Option<&str>,
    readers: &[ReaderDescription],
) -> Result<ReaderDescription, Failure> {
    let names = |readers: &[&ReaderDescription]| -> Vec<String> {
        readers.iter().map(|reader| reader.entry.name.to_string()).collect()
    };
    let all: Vec<&ReaderDescription> = readers.iter().collect();
    let mut fitting = all.clone();
    match wanted {
        Some(wanted) => {
            let part = wanted.to_lowercase();
            fitting.retain(|reader| reader.entry.name.as_str().to_lowercase().contains(&part));
            if let Some(exact) = all.iter().find(|reader| reader.entry.name.as_str() == wanted) {
                fitting = vec![*exact];
            }
            if fitting.is_empty() {
                let wanted = wanted.to_owned();
                return Err(Failure::NoSuchReader { wanted, readers: names(&all) });
            }
        }
        None if all.is_empty() => return Err(Failure::NoReaders),
        None if all.len() > 1 => {
            fitting.retain(|reader| reader.entry.atr.is_some());
            if fitting.is_empty() {
                fitting = all;
            }
        }
        None => {}
    }
    match fitting.as_slice() {
        [reader] => Ok((*reader).clone()),
        readers => Err(Failure::Ambiguous { readers: names(readers) }),
    }
}

/// Opens a handle of the card in a reader; a refusal says who is in the way.
pub(crate) fn connect(
    context: &Context,
    reader: &ReaderEntry,
    share: ShareMode,
) -> Result<scard_client::Card, Failure> {
    let name = reader.name.as_str();
    context.connect(name, share, Protocols::ANY).map_err(|code| match code {
        ScardCode::NoSmartcard | ScardCode::RemovedCard => Failure::NoCard { reader: name.into() },
        ScardCode::SharingViolation => {
            let readers = describe(context).unwrap_or_default();
            let holders = readers.iter().find(|there| there.entry.name == reader.name);
            let holders = holders.map(|there| there.holders.as_slice()).unwrap_or_default();
            Failure::Held { reader: name.into(), holders: holders.iter().map(holder).collect() }
        }
        code => Failure::Scard { doing: "connecting to the card", code },
    })
}

/// Who has a handle, in words: `pid 4711 (scdaemon), uid 1000, exclusive`.
pub(crate) fn holder(holder: &Holder) -> String {
    let mut words = format!("pid {}", holder.peer.pid);
    if let Some(program) = process::program(holder.peer, holder.started) {
        words.push_str(&format!(" ({})", program.name));
    }
    words.push_str(&format!(", uid {}", holder.peer.uid));
    words.push_str(match holder.share {
        ShareMode::Exclusive => ", exclusive",
        ShareMode::Shared => ", shared",
        ShareMode::Direct => ", direct",
    });
    if holder.in_transaction {
        words.push_str(", in a transaction");
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;
    use scard_client::{Atr, ReaderName};
    use scard_types::CardState;
    use scard_types::call::Sharing;

    /// `*` before a name: with a card.
    fn readers(names: &[&str]) -> Vec<ReaderDescription> {
        let reader = |name: &&str| {
            let atr = name.strip_prefix('*').map(|_| Atr::new(&[0x3B, 0x00]).unwrap());
            let state = if atr.is_some() { CardState::Negotiable } else { CardState::Absent };
            let name = ReaderName::new(name.trim_start_matches('*')).unwrap();
            let entry = ReaderEntry {
                name,
                event_counter: 0,
                state,
                sharing: Sharing::Free,
                atr,
                protocol: None,
            };
            ReaderDescription { entry, driver: "sim".into(), holders: Vec::new() }
        };
        names.iter().map(reader).collect()
    }

    fn check(wanted: Option<&str>, names: &[&str], expected: &str) {
        let chosen = match choose(wanted, &readers(names)) {
            Ok(reader) => reader.entry.name.to_string(),
            Err(failure) => format!("{}: {failure}", failure.exit_status()),
        };
        assert_eq!(chosen, expected);
    }

    #[test]
    fn the_reader_that_is_meant_is_found() {
        check(None, &["A 00 00"], "A 00 00");
        check(None, &["A 00 00", "*B 01 00"], "B 01 00");
        check(Some("b 01"), &["A 00 00", "B 01 00"], "B 01 00");
        check(Some("A"), &["A", "A 01"], "A");
    }

    #[test]
    fn what_cannot_be_chosen_is_said() {
        check(None, &[], "4: no reader");
        check(None, &["A", "B"], r#"4: which reader? there is "A", "B""#);
        check(None, &["*A", "*B", "C"], r#"4: which reader? there is "A", "B""#);
        check(Some("a"), &["A 0", "A 1", "B"], r#"4: which reader? there is "A 0", "A 1""#);
        check(Some("X"), &["A"], r#"4: no reader "X"; there is "A""#);
        check(Some("X"), &[], r#"4: no reader "X"; there is none at all"#);
    }
}

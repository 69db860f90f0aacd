//! Driver commands: text in, JSON out.
//!
//! | command | does | answer |
//! | --- | --- | --- |
//! | `status` | tells what there is | `{"readers":[READER...]}` |
//! | `insert READER [SPEC]` | puts a card in: the one that was there before, as it was but for its security state, or a new one as ordered by SPEC (`piv,...`, see [`CardSpec`]) | `READER` as it is now |
//! | `remove READER` | takes the card out | `READER` as it is now |
//! | `readers`, then one line for each order (a [`SimSpec`]) | has exactly the readers of these orders from now on; those of an order that was given before stay as they are | as to `status` |
//!
//! `READER` in a command is the reader's number, its name, or a part of its name that no other reader has; a name
//! may stand in double quotes. In an answer it is
//! `{"number":0,"name":"...","inserted":true,"card":{"serial":1,"atr":"3B ..."}}`; `card` is the one in the reader
//! or beside it. A command that fails is answered by `{"error":"..."}`.

use serde_json::{Value, json};
use std::fmt;

use crate::bay::Bay;
use crate::driver::SimDriver;
use crate::make::MakeError;
use crate::spec::{CardSpec, SimSpec, SpecError};

/// Why a command fails.
#[derive(Debug)]
enum CommandError<'a> {
    NotUtf8,
    Unknown,
    NoReader(&'a str),
    ManyReaders(&'a str),
    AlreadyInserted(String),
    NoCard(String),
    Spec(SpecError),
    Make(MakeError),
}

impl fmt::Display for CommandError<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotUtf8 => f.write_str("a command is UTF-8 text"),
            Self::Unknown => f.write_str(
                "the commands are: status, insert READER [SPEC], remove READER, readers",
            ),
            Self::NoReader(text) => write!(f, "no virtual reader is called {text:?}"),
            Self::ManyReaders(text) => write!(f, "more than one virtual reader matches {text:?}"),
            Self::AlreadyInserted(name) => write!(f, "there is a card in {name:?} already"),
            Self::NoCard(name) => write!(f, "there is no card in {name:?}"),
            Self::Spec(error) => error.fmt(f),
            Self::Make(error) => error.fmt(f),
        }
    }
}

impl SimDriver {
    /// Obeys one command.
    pub(crate) fn obey(&mut self, command: &[u8]) -> Vec<u8> {
        let answer = match std::str::from_utf8(command) {
            Ok(text) => self.obey_text(text.trim()),
            Err(_) => Err(CommandError::NotUtf8),
        };
        let answer = answer.unwrap_or_else(|error| json!({ "error": error.to_string() }));
        answer.to_string().into_bytes()
    }

    fn obey_text<'a>(&mut self, text: &'a str) -> Result<Value, CommandError<'a>> {
        let mut lines = text.lines();
        if lines.next() == Some("readers") {
            let wanted = lines.map(str::parse).collect::<Result<Vec<SimSpec>, _>>();
            self.reorder(&wanted.map_err(CommandError::Spec)?).map_err(CommandError::Make)?;
            return Ok(self.status());
        }
        let (verb, rest) = text.split_once(' ').unwrap_or((text, ""));
        let rest = rest.trim();
        match verb {
            "status" if rest.is_empty() => Ok(self.status()),
            "insert" if !rest.is_empty() => {
                let (reader, spec) = reader_and_spec(rest);
                let at = self.find(reader)?;
                let other = match spec {
                    Some(spec) => {
                        let spec: CardSpec = spec.parse().map_err(CommandError::Spec)?;
                        Some(self.make_card(&spec, 0).map_err(CommandError::Make)?)
                    }
                    None => None,
                };
                self.change(at, |bay| bay.insert(other), CommandError::AlreadyInserted)
            }
            "remove" if !rest.is_empty() => {
                let at = self.find(unquoted(rest))?;
                self.change(at, |bay| bay.remove(), CommandError::NoCard)
            }
            _ => Err(CommandError::Unknown),
        }
    }

    fn status(&mut self) -> Value {
        let readers: Vec<Value> =
            self.bays().iter().enumerate().map(|(at, bay)| describe(at, bay)).collect();
        json!({ "readers": readers })
    }

    fn change<'a>(
        &mut self,
        at: usize,
        change: impl FnOnce(&mut Bay) -> bool,
        refused: fn(String) -> CommandError<'a>,
    ) -> Result<Value, CommandError<'a>> {
        let bay = self.bays().get_mut(at).ok_or(CommandError::Unknown)?;
        if !change(bay) {
            return Err(refused(bay.state().name.clone()));
        }
        Ok(describe(at, bay))
    }

    /// By name, by number, by a part of the name.
    fn find<'a>(&mut self, text: &'a str) -> Result<usize, CommandError<'a>> {
        let bays = self.bays();
        if let Some(at) = bays.iter().position(|bay| bay.state().name == text) {
            return Ok(at);
        }
        if let Ok(number) = text.parse::<usize>() {
            return if number < bays.len() {
                Ok(number)
            } else {
                Err(CommandError::NoReader(text))
            };
        }
        let mut matching =
            bays.iter().enumerate().filter(|(_, bay)| bay.state().name.contains(text));
        match (matching.next(), matching.next()) {
            (Some((at, _)), None) => Ok(at),
            (None, _) => Err(CommandError::NoReader(text)),
            (Some(_), Some(_)) => Err(CommandError::ManyReaders(text)),
        }
    }
}

fn describe(number: usize, bay: &Bay) -> Value {
    let state = bay.state();
    json!({
        "number": number,
        "name": state.name,
        "inserted": state.inserted.is_some(),
        "card": { "serial": state.resident.serial, "atr": state.resident.atr.to_string() },
    })
}

fn unquoted(text: &str) -> &str {
    text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or(text)
}

/// `READER`, `READER SPEC`, `"READER" SPEC`: an order begins with the word `piv`, alone or with a comma.
fn reader_and_spec(text: &str) -> (&str, Option<&str>) {
    if let Some((reader, spec)) = text.strip_prefix('"').and_then(|text| text.split_once('"')) {
        let spec = spec.trim();
        return (reader, (!spec.is_empty()).then_some(spec));
    }
    if let Some(reader) = text.strip_suffix(" piv") {
        return (reader.trim(), Some("piv"));
    }
    match text.find(" piv,") {
        Some(at) => match text.split_at_checked(at) {
            Some((reader, spec)) => (reader.trim(), Some(spec.trim())),
            None => (text, None),
        },
        None => (text, None),
    }
}

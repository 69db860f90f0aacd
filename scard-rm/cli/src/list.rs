//! `scard list`: readers, the cards in them, who holds them, and what is on those that nobody holds.

mod card;

use std::io::{self, Write};

use scard_client::{Context, ReaderEntry, ShareMode};
use scard_types::CardState;
use scard_types::call::{Holder, ReaderDescription, Sharing};
use serde::Serialize;

use crate::connection::{Connection, describe, holder};
use crate::failure::Failure;
use crate::output::{Output, STRONG, WEAK, WRONG};
use crate::process::{self, Program};
use card::Contents;

/// List readers, cards, who holds them, and the applications and certificates of cards that nobody holds.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    connection: Connection,

    /// Look into cards that others hold, too. This may disturb them: another application is selected for a moment.
    #[arg(long)]
    probe: bool,

    /// Print one JSON document.
    #[arg(long)]
    json: bool,
}

/// The JSON document.
#[derive(Debug, Serialize)]
struct Document {
    readers: Vec<Reader>,
}

/// One reader.
#[derive(Debug, Serialize)]
struct Reader {
    name: String,
    /// The driver that serves it; a stock pcscd does not tell.
    #[serde(skip_serializing_if = "Option::is_none")]
    driver: Option<String>,
    /// `absent`, `present`, `mute` or `unknown`.
    card: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    atr: Option<String>,
    /// The product, if it is known by its answer to reset.
    #[serde(skip_serializing_if = "Option::is_none")]
    product: Option<&'static str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    protocols: Vec<String>,
    /// `free`, `shared` or `exclusive`.
    sharing: &'static str,
    holders: Vec<ShownHolder>,
    /// What is on the card, if it was opened.
    #[serde(skip_serializing_if = "Option::is_none")]
    contents: Option<Contents>,
    /// Why it was not, or what went wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<String>,
}

/// Who has a handle.
#[derive(Debug, Serialize)]
struct ShownHolder {
    pid: u32,
    uid: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    program: Option<Program>,
    share: &'static str,
    in_transaction: bool,
    #[serde(skip)]
    words: String,
}

/// Carries the command out.
pub(crate) fn run(arguments: &Arguments, output: &mut Output) -> Result<(), Failure> {
    let context = arguments.connection.context()?;
    let readers: Vec<Reader> =
        describe(&context)?.iter().map(|reader| look(&context, reader, arguments.probe)).collect();
    if arguments.json {
        return output.json(&Document { readers });
    }
    if readers.is_empty() {
        writeln!(output, "no reader")?;
    }
    Ok(readers.iter().try_for_each(|reader| reader.write(output))?)
}

fn look(context: &Context, reader: &ReaderDescription, probe: bool) -> Reader {
    let ReaderDescription { entry, driver, holders } = reader;
    let (contents, note) = match entry.atr {
        None => (None, None),
        Some(_) => match obstacle(entry, holders, probe) {
            Some(note) => (None, Some(note.to_owned())),
            None => match card::open(context, entry) {
                Ok(contents) => (Some(contents), None),
                Err(failure) => (None, Some(failure.to_string())),
            },
        },
    };
    Reader {
        name: entry.name.to_string(),
        driver: (!driver.is_empty()).then(|| driver.clone()),
        card: card_word(entry.state),
        atr: entry.atr.map(|atr| atr.to_string()),
        product: entry.atr.as_ref().and_then(crate::atr::card_name),
        protocols: entry
            .atr
            .map(|atr| atr.protocols().iter().map(ToString::to_string).collect())
            .unwrap_or_default(),
        sharing: sharing_word(entry.sharing),
        holders: holders.iter().map(ShownHolder::new).collect(),
        contents,
        note,
    }
}

/// Why a card must not be opened: looking does not disturb, and never waits for somebody else.
fn obstacle(entry: &ReaderEntry, holders: &[Holder], probe: bool) -> Option<&'static str> {
    let is_busy = holders.iter().any(|holder| holder.in_transaction);
    match entry.sharing {
        Sharing::Free | Sharing::Shared(0) => None,
        Sharing::Exclusive => Some("not opened: it is held exclusively"),
        Sharing::Shared(_) if is_busy => Some("not opened: somebody is in a transaction with it"),
        Sharing::Shared(_) if probe => None,
        Sharing::Shared(_) => Some("not opened: somebody holds it (--probe opens it all the same)"),
    }
}

/// The state of a slot in one word.
pub(crate) const fn card_word(state: CardState) -> &'static str {
    match state {
        CardState::Unknown => "unknown",
        CardState::Absent => "absent",
        CardState::Swallowed => "mute",
        CardState::Negotiable | CardState::Specific => "present",
    }
}

/// How a reader is shared, in one word.
pub(crate) const fn sharing_word(sharing: Sharing) -> &'static str {
    match sharing {
        Sharing::Free | Sharing::Shared(0) => "free",
        Sharing::Shared(_) => "shared",
        Sharing::Exclusive => "exclusive",
    }
}

impl ShownHolder {
    fn new(of: &Holder) -> Self {
        Self {
            pid: of.peer.pid,
            uid: of.peer.uid,
            program: process::program(of.peer, of.started),
            share: match of.share {
                ShareMode::Exclusive => "exclusive",
                ShareMode::Shared => "shared",
                ShareMode::Direct => "direct",
            },
            in_transaction: of.in_transaction,
            words: holder(of),
        }
    }
}

impl Reader {
    fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        write!(out, "{STRONG}{}{STRONG:#}", self.name)?;
        match &self.driver {
            Some(driver) => writeln!(out, " {WEAK}({driver}){WEAK:#}")?,
            None => writeln!(out)?,
        }
        match (&self.atr, self.card) {
            (Some(atr), _) => {
                writeln!(out, "  card  {atr}")?;
                let product = self.product.map(|product| format!("{product}, "));
                let speaks = self.protocols.join(" or ");
                writeln!(out, "        {}speaks {speaks}", product.unwrap_or_default())?;
            }
            (None, "absent") => writeln!(out, "  {WEAK}no card{WEAK:#}")?,
            (None, "mute") => writeln!(out, "  card  {WRONG}does not answer{WRONG:#}")?,
            (None, _) => {
                writeln!(out, "  {WEAK}the driver cannot tell whether there is a card{WEAK:#}")?;
            }
        }
        for holder in &self.holders {
            writeln!(out, "  held  by {}", holder.words)?;
        }
        if let Some(contents) = &self.contents {
            contents.write(out)?;
        }
        if let Some(note) = &self.note {
            writeln!(out, "        {WEAK}{note}{WEAK:#}")?;
        }
        Ok(())
    }
}

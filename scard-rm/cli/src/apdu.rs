//! `scard apdu`: commands for a card, and its answers in words.

mod instruction;
mod script;
mod shown;

use std::fs::File;
use std::io::{BufReader, Write};
use std::path::{Path, PathBuf};
use std::time::Instant;

use card_key::MAX_ROUNDS;
use scard_client::{Card, Disposition, Protocols, ScardCode, SecretBytes, ShareMode, Transaction};
use scard_types::StatusWord;
use scard_types::mask::{Mask, Masked};

use crate::connection::{Connection, choose, connect, describe};
use crate::failure::Failure;
use crate::output::{Output, WEAK};
use script::{Check, Step};

pub(crate) use shown::{Exchange, Parts, duration};

/// Send commands to a card and show its answers, decoded. PINs and keys are not shown.
///
/// All commands are sent in one transaction. If one of them carried a PIN, the card is reset at the end. A PIN on the
/// command line can be seen by every user of the machine: put it into a script or type it.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    connection: Connection,

    /// The reader, or a part of its name that no other has; not needed if only one has a card.
    #[arg(long, value_name = "NAME")]
    reader: Option<String>,

    /// Commands in hexadecimal, one an argument; single bytes are one command together. The word reset resets the card.
    /// Without any they are read from standard input, one a line.
    #[arg(value_name = "HEX")]
    commands: Vec<String>,

    /// Read the commands from this file, one a line; # begins a comment, - is standard input.
    #[arg(long, value_name = "FILE", conflicts_with = "commands")]
    script: Option<PathBuf>,

    /// Keep everybody else from the card meanwhile.
    #[arg(long)]
    exclusive: bool,

    /// Fetch the rest of long answers (61xx) with GET RESPONSE.
    #[arg(long)]
    follow: bool,

    /// Send commands whose lengths do not fit as they are.
    #[arg(long)]
    unchecked: bool,

    /// Print one JSON object on a line for each exchange.
    #[arg(long)]
    json: bool,
}

/// Carries the command out. The first refusal of the card decides about the exit status; the rest is sent all the same.
pub(crate) fn run(arguments: &Arguments, output: &mut Output) -> Result<(), Failure> {
    let mut steps = steps(arguments)?;
    let context = arguments.connection.context()?;
    let reader = choose(arguments.reader.as_deref(), &describe(&context)?)?.entry;
    let share = if arguments.exclusive { ShareMode::Exclusive } else { ShareMode::Shared };
    let card = connect(&context, &reader, share)?;
    let mut talk = Talk {
        share,
        follow: arguments.follow,
        json: arguments.json,
        output,
        mask: Mask::default(),
        refusal: None,
    };
    let card = talk.carry_out(card, &mut steps)?;
    let disposition = if talk.mask.pin_seen() { Disposition::Reset } else { Disposition::Leave };
    card.disconnect(disposition).map_err(failure)?;
    talk.refusal.map_or(Ok(()), |status| Err(Failure::Status(status)))
}

type Steps = Box<dyn Iterator<Item = Result<Step, Failure>>>;

fn steps(arguments: &Arguments) -> Result<Steps, Failure> {
    let check = if arguments.unchecked { Check::Header } else { Check::Lengths };
    if !arguments.commands.is_empty() {
        let steps = script::from_arguments(&arguments.commands, check)?;
        return Ok(Box::new(steps.into_iter().map(Ok)));
    }
    match &arguments.script {
        Some(path) if path != Path::new("-") => {
            let opened = File::open(path);
            let file = opened.map_err(|error| Failure::File { path: path.clone(), error })?;
            Ok(Box::new(script::from_lines(BufReader::new(file), path.clone(), check)))
        }
        Some(_) | None => {
            let path = PathBuf::from("standard input");
            Ok(Box::new(script::from_lines(std::io::stdin().lock(), path, check)))
        }
    }
}

/// One talk with a card.
struct Talk<'o> {
    share: ShareMode,
    follow: bool,
    json: bool,
    output: &'o mut Output,
    mask: Mask,
    refusal: Option<StatusWord>,
}

impl Talk<'_> {
    /// Each stretch between two resets is one transaction.
    fn carry_out(&mut self, mut card: Card, steps: &mut Steps) -> Result<Card, Failure> {
        loop {
            let transaction = card.transaction().map_err(failure)?;
            let mut wants_reset = false;
            for step in &mut *steps {
                match step? {
                    Step::Command(command) => self.exchange(&transaction, command)?,
                    Step::Reset => {
                        wants_reset = true;
                        break;
                    }
                }
            }
            transaction.end(Disposition::Leave).map_err(failure)?;
            if !wants_reset {
                return Ok(card);
            }
            card.reconnect(self.share, Protocols::ANY, Disposition::Reset).map_err(failure)?;
            self.mask.reset();
            if !self.json {
                writeln!(self.output, "{WEAK}the card was reset{WEAK:#}")?;
            }
        }
    }

    /// Sends one command, and GET RESPONSE after it as long as the card has more.
    fn exchange(&mut self, card: &Transaction<'_>, command: SecretBytes) -> Result<(), Failure> {
        let mut command = command;
        let mut parts = Parts::default();
        for _ in 0..MAX_ROUNDS {
            let visibility = self.mask.look(command.expose());
            let begun = Instant::now();
            let answer = card.transmit(command.expose()).map_err(failure)?;
            let elapsed = begun.elapsed();
            self.mask.answered(answer.expose());
            let shown = Masked::command(command.expose(), visibility);
            let response = Masked::response(answer.expose(), visibility);
            let exchange = Exchange::new(&shown, Some(&response), &mut parts, elapsed);
            if self.json {
                self.output.json_line(&exchange)?;
            } else {
                exchange.write(self.output)?;
                self.output.flush()?;
            }
            let Some(&[sw1, sw2]) = answer.expose().last_chunk::<2>() else {
                return Ok(());
            };
            let status = StatusWord(u16::from_be_bytes([sw1, sw2]));
            if !status.is_success() && self.refusal.is_none() {
                self.refusal = Some(status);
            }
            if sw1 != 0x61 || !self.follow {
                return Ok(());
            }
            let channel = command.expose().first().copied().unwrap_or_default() & 0x03;
            command = SecretBytes::from(vec![channel, 0xC0, 0x00, 0x00, sw2]);
        }
        Err(Failure::Card(card_key::CardKeyError::TooManyRounds))
    }
}

fn failure(code: ScardCode) -> Failure {
    Failure::Scard { doing: "talking to the card", code }
}

//! `scard sim`: cards go in and out of virtual readers.

use std::io::Write;

use scard_client::{Context, ScardCode};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::connection::Connection;
use crate::failure::Failure;
use crate::output::{Output, STRONG, WEAK};

/// Insert and remove virtual cards. Only the user who runs the resource manager, and root, may do this.
#[derive(Debug, clap::Args)]
#[command(subcommand_required = true, arg_required_else_help = true)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Subcommand,
}

#[derive(Debug, clap::Subcommand)]
enum Subcommand {
    /// Put a card into a virtual reader.
    Insert {
        #[command(flatten)]
        target: Target,

        /// Another card than the one that was in the reader before, for instance piv,serial=7.
        #[arg(long = "card", value_name = "SPEC")]
        card: Option<String>,
    },
    /// Take the card out of a virtual reader.
    Remove {
        #[command(flatten)]
        target: Target,
    },
    /// Show the virtual readers and their cards.
    Status {
        #[command(flatten)]
        connection: Connection,

        /// Print one JSON document.
        #[arg(long)]
        json: bool,
    },
}

/// Which reader.
#[derive(Debug, clap::Args)]
struct Target {
    /// The reader: its name, a part of it that no other has, or its number among the virtual readers; not needed if
    /// there is only one.
    #[arg(value_name = "READER")]
    reader: Option<String>,

    #[command(flatten)]
    connection: Connection,

    /// Print one JSON document.
    #[arg(long)]
    json: bool,
}

/// What the simulator says about a reader.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct VirtualReader {
    number: usize,
    pub(crate) name: String,
    inserted: bool,
    card: VirtualCard,
}

/// The card in a virtual reader, or beside it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct VirtualCard {
    serial: u32,
    atr: String,
}

/// The document of `status`.
#[derive(Debug, Serialize, Deserialize)]
struct Status {
    readers: Vec<VirtualReader>,
}

/// Carries the command out.
pub(crate) fn run(arguments: &Arguments, output: &mut Output) -> Result<(), Failure> {
    match &arguments.command {
        Subcommand::Insert { target, card } => {
            let order = card.as_deref().map(|card| format!(" {card}")).unwrap_or_default();
            change(target, output, |number| format!("insert {number}{order}"))
        }
        Subcommand::Remove { target } => {
            change(target, output, |number| format!("remove {number}"))
        }
        Subcommand::Status { connection, json } => {
            let status = status(&connection.context()?)?;
            if *json {
                return output.json(&status);
            }
            if status.readers.is_empty() {
                writeln!(output, "no virtual reader")?;
            }
            status.readers.iter().try_for_each(|reader| reader.write(output))
        }
    }
}

fn change(
    target: &Target,
    output: &mut Output,
    command: impl FnOnce(usize) -> String,
) -> Result<(), Failure> {
    let context = target.connection.context()?;
    let reader = choose(target.reader.as_deref(), &status(&context)?.readers)?.number;
    let reader: VirtualReader = ask(&context, &command(reader))?;
    if target.json { output.json(&reader) } else { reader.write(output) }
}

fn status(context: &Context) -> Result<Status, Failure> {
    ask(context, "status")
}

/// Puts the card into the reader of that name.
pub(crate) fn insert(context: &Context, name: &str) -> Result<VirtualReader, Failure> {
    ask(context, &format!("insert \"{name}\""))
}

/// Takes the card out of the reader of that name.
pub(crate) fn remove(context: &Context, name: &str) -> Result<VirtualReader, Failure> {
    ask(context, &format!("remove \"{name}\""))
}

/// One command of the simulator and its answer.
fn ask<T: for<'d> Deserialize<'d>>(context: &Context, command: &str) -> Result<T, Failure> {
    let answer = context.session().driver_command("sim", command.as_bytes()).map_err(refused)?;
    let understood = serde_json::from_slice::<Value>(&answer).and_then(|answer| {
        if let Some(error) = answer.get("error").and_then(Value::as_str) {
            return Ok(Err(Failure::Simulator { answer: error.to_owned() }));
        }
        serde_json::from_value(answer).map(Ok)
    });
    understood.unwrap_or_else(|_| {
        Err(Failure::Simulator { answer: "something that is not understood here".to_owned() })
    })
}

fn refused(code: ScardCode) -> Failure {
    match code {
        // The simulator is off unless one of its readers is named.
        ScardCode::ReaderUnsupported => Failure::NoSimulator,
        code => Failure::Scard { doing: "speaking to the simulator", code },
    }
}

fn choose<'r>(
    wanted: Option<&str>,
    readers: &'r [VirtualReader],
) -> Result<&'r VirtualReader, Failure> {
    let names = |readers: &[&VirtualReader]| readers.iter().map(|it| it.name.clone()).collect();
    let all: Vec<&VirtualReader> = readers.iter().collect();
    let fitting: Vec<&VirtualReader> = match wanted {
        None => all.clone(),
        Some(wanted) => {
            let number = wanted.parse().ok();
            let exact = all.iter().find(|it| it.name == wanted || Some(it.number) == number);
            let part = wanted.to_lowercase();
            let has_part = |it: &&&VirtualReader| it.name.to_lowercase().contains(&part);
            exact.map_or_else(|| all.iter().filter(has_part).copied().collect(), |it| vec![*it])
        }
    };
    match (fitting.as_slice(), wanted) {
        ([reader], _) => Ok(reader),
        ([], Some(wanted)) => {
            Err(Failure::NoSuchReader { wanted: wanted.to_owned(), readers: names(&all) })
        }
        ([], None) => Err(Failure::NoReaders),
        (readers, _) => Err(Failure::Ambiguous { readers: names(readers) }),
    }
}

impl VirtualReader {
    fn write(&self, out: &mut Output) -> Result<(), Failure> {
        let Self { number, name, inserted, card } = self;
        let (place, VirtualCard { serial, atr }) =
            (if *inserted { "in it" } else { "beside it" }, card);
        writeln!(
            out,
            "{number}  {STRONG}{name}{STRONG:#}  card {serial} {place} {WEAK}{atr}{WEAK:#}"
        )?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(wanted: Option<&str>, names: &[&str], expected: &str) {
        let card = VirtualCard { serial: 1, atr: "3B 00".into() };
        let readers: Vec<VirtualReader> = (0..)
            .zip(names)
            .map(|(number, name)| VirtualReader {
                number,
                name: (*name).to_owned(),
                inserted: false,
                card: card.clone(),
            })
            .collect();
        let chosen = match choose(wanted, &readers) {
            Ok(reader) => reader.name.clone(),
            Err(failure) => format!("{}: {failure}", failure.exit_status()),
        };
        assert_eq!(chosen, expected);
    }

    #[test]
    fn a_resource_manager_without_virtual_readers_says_how_to_get_one() {
        let failure = refused(ScardCode::ReaderUnsupported);
        assert_eq!(failure.to_string(), "this resource manager serves no virtual reader");
        assert_eq!(failure.hint().as_deref(), Some("start it with --reader sim:piv"));
        assert_eq!(refused(ScardCode::SecurityViolation).exit_status(), 6);
    }

    #[test]
    fn a_virtual_reader_is_named_by_number_name_or_part() {
        check(None, &["Only"], "Only");
        check(Some("1"), &["A", "B"], "B");
        check(Some("b"), &["A", "B"], "B");
        check(Some("A"), &["A", "A 1"], "A");
        check(None, &["A", "B"], r#"4: which reader? there is "A", "B""#);
        check(Some("7"), &["A"], r#"4: no reader "7"; there is "A""#);
        check(None, &[], "4: no reader");
    }
}

//! The command line of scard, as a library: `main` is one call.
#![forbid(unsafe_code)]

mod apdu;
mod atr;
mod certificate;
mod connection;
mod demo;
mod failure;
mod hex;
mod list;
mod manual;
#[doc(hidden)]
pub mod oracle;
mod output;
mod private;
mod process;
mod run;
mod sim;
mod surroundings;
mod trace;
mod tree;
mod watch;

use std::ffi::OsString;
use std::io::Write;
use std::process::ExitCode;

use clap::{CommandFactory, Parser};

use failure::{EXIT_STATUSES, Failure};
use output::Output;
use surroundings::Surroundings;

/// Smart cards on the command line: what readers and cards are there, who holds them, and what the cards say.
#[derive(Debug, Parser)]
#[command(name = "scard", version, after_help = EXIT_STATUSES, propagate_version = true)]
#[command(subcommand_required = true, arg_required_else_help = true)]
struct Arguments {
    #[command(subcommand)]
    command: Subcommand,
}

/// The subcommands, in the order of `--help`.
#[derive(Debug, clap::Subcommand)]
enum Subcommand {
    Demo(demo::Arguments),
    List(list::Arguments),
    Watch(watch::Arguments),
    Trace(trace::Arguments),
    Apdu(apdu::Arguments),
    Atr(atr::Arguments),
    Sim(sim::Arguments),
    Run(run::Arguments),
    Completions(manual::CompletionArguments),
}

/// What this program is for other parts of scard: in no help, no completion and no manual page.
#[derive(Debug, Parser)]
#[command(name = "scard", version, about = "What scard is for other parts of scard")]
enum Internal {
    Man(manual::Arguments),
    /// Be the resource manager: scard run and scard demo start themselves again with this.
    Daemon(Box<scard_rm::Options>),
}

/// The command tree, for completions, manual pages and tests.
#[must_use]
pub fn command() -> clap::Command {
    Arguments::command()
}

/// The command tree of what is in no help.
#[must_use]
pub fn internal_command() -> clap::Command {
    Internal::command()
}

/// Everything between the start of the process and its exit status.
#[must_use]
pub fn main() -> ExitCode {
    let words: Vec<OsString> = std::env::args_os().collect();
    let first = words.get(1).and_then(|word| word.to_str());
    let is_run = first == Some("run");
    let done = match first {
        Some("man" | "daemon") => Internal::try_parse_from(words).map(serve),
        _ => Arguments::try_parse_from(words)
            .map(|arguments| carry_out(&arguments.command, &mut Output::stdout())),
    };
    match done {
        Ok(Ok(status)) => ExitCode::from(status),
        Ok(Err(failure)) if failure.is_broken_pipe() => ExitCode::SUCCESS,
        Ok(Err(failure)) => {
            complain(&failure);
            ExitCode::from(if is_run { failure.run_exit_status() } else { failure.exit_status() })
        }
        Err(usage) => {
            let _ = usage.print();
            match usage.use_stderr() {
                false => ExitCode::SUCCESS,
                true if is_run => ExitCode::from(125),
                true => ExitCode::from(2),
            }
        }
    }
}

fn carry_out(command: &Subcommand, output: &mut Output) -> Result<u8, Failure> {
    let done = match command {
        Subcommand::Run(arguments) => return run::run(arguments, &Surroundings::read()),
        Subcommand::Demo(arguments) => demo::run(arguments, &Surroundings::read(), output),
        Subcommand::List(arguments) => list::run(arguments, output),
        Subcommand::Watch(arguments) => watch::run(arguments, output),
        Subcommand::Trace(arguments) => trace::run(arguments, output),
        Subcommand::Apdu(arguments) => apdu::run(arguments, output),
        Subcommand::Atr(arguments) => atr::run(arguments, output),
        Subcommand::Sim(arguments) => sim::run(arguments, output),
        Subcommand::Completions(arguments) => manual::completions(arguments, output),
    };
    done.map(|()| 0)
}

fn serve(internal: Internal) -> Result<u8, Failure> {
    match internal {
        Internal::Man(arguments) => manual::run(&arguments)?,
        Internal::Daemon(options) => scard_rm::run(*options)
            .map_err(|error| Failure::Daemon { said: format!("{error:#}") })?,
    }
    Ok(0)
}

fn complain(failure: &Failure) {
    let mut err = anstream::stderr();
    let (wrong, weak) = (output::WRONG, output::WEAK);
    let _ = writeln!(err, "{wrong}error:{wrong:#} {failure}");
    if let Some(hint) = failure.hint() {
        let _ = writeln!(err, "{weak}hint:{weak:#} {hint}");
    }
}

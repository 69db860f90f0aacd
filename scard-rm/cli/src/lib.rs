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
mod output;
mod private;
mod process;
mod run;
mod sim;
mod surroundings;
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
    Apdu(apdu::Arguments),
    Atr(atr::Arguments),
    Sim(sim::Arguments),
    Run(run::Arguments),
    Completions(manual::CompletionArguments),
    #[command(hide = true)]
    Man(manual::Arguments),
    /// Be the resource manager (scard run and scard demo start themselves again with this).
    #[command(hide = true)]
    Daemon(Box<scard_rm::Options>),
}

/// The command tree, for completions, manual pages and tests.
#[must_use]
pub fn command() -> clap::Command {
    Arguments::command()
}

/// Everything between the start of the process and its exit status.
#[must_use]
pub fn main() -> ExitCode {
    let words: Vec<OsString> = std::env::args_os().collect();
    let is_run = words.get(1).is_some_and(|word| word == "run");
    let arguments = match Arguments::try_parse_from(words) {
        Ok(arguments) => arguments,
        Err(error) => {
            let _ = error.print();
            return match error.use_stderr() {
                false => ExitCode::SUCCESS,
                true if is_run => ExitCode::from(125),
                true => ExitCode::from(2),
            };
        }
    };
    match carry_out(&arguments.command, &mut Output::stdout()) {
        Ok(status) => ExitCode::from(status),
        Err(failure) if failure.is_broken_pipe() => ExitCode::SUCCESS,
        Err(failure) => {
            complain(&failure);
            ExitCode::from(if is_run { failure.run_exit_status() } else { failure.exit_status() })
        }
    }
}

fn carry_out(command: &Subcommand, output: &mut Output) -> Result<u8, Failure> {
    match command {
        Subcommand::Demo(arguments) => {
            demo::run(arguments, &Surroundings::read(), output).map(|()| 0)
        }
        Subcommand::List(arguments) => list::run(arguments, output).map(|()| 0),
        Subcommand::Watch(arguments) => watch::run(arguments, output).map(|()| 0),
        Subcommand::Apdu(arguments) => apdu::run(arguments, output).map(|()| 0),
        Subcommand::Sim(arguments) => sim::run(arguments, output).map(|()| 0),
        Subcommand::Atr(arguments) => atr::run(arguments, output).map(|()| 0),
        Subcommand::Run(arguments) => run::run(arguments, &Surroundings::read()),
        Subcommand::Completions(arguments) => manual::completions(arguments, output).map(|()| 0),
        Subcommand::Man(arguments) => manual::run(arguments).map(|()| 0),
        Subcommand::Daemon(options) => {
            scard_rm::run(options.as_ref().clone())
                .map_err(|error| Failure::Daemon { said: format!("{error:#}") })?;
            Ok(0)
        }
    }
}

fn complain(failure: &Failure) {
    let mut err = anstream::stderr();
    let (wrong, weak) = (output::WRONG, output::WEAK);
    let _ = writeln!(err, "{wrong}error:{wrong:#} {failure}");
    if let Some(hint) = failure.hint() {
        let _ = writeln!(err, "{weak}hint:{weak:#} {hint}");
    }
}

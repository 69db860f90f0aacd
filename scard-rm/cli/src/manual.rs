//! `scard completions` and `scard man`: what is generated from the command tree.

use std::fs;
use std::path::PathBuf;

use clap::CommandFactory;

use crate::failure::Failure;
use crate::output::Output;

/// Print a script that makes a shell complete the arguments of scard.
#[derive(Debug, clap::Args)]
pub(crate) struct CompletionArguments {
    /// The shell.
    #[arg(value_enum)]
    shell: clap_complete::Shell,
}

/// Write the manual pages.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The directory that the pages go to; it is made if it is missing.
    #[arg(value_name = "DIR")]
    directory: PathBuf,
}

/// Carries `scard completions` out.
///
/// # Errors
/// [`Failure::Output`].
pub(crate) fn completions(
    arguments: &CompletionArguments,
    output: &mut Output,
) -> Result<(), Failure> {
    // clap_complete panics where writing fails, as into a closed pipe.
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut crate::command(), "scard", &mut script);
    Ok(std::io::Write::write_all(output, &script)?)
}

/// Carries `scard man` out: `scard.1`, one page for each subcommand, and `scard-rm.1`.
///
/// # Errors
/// [`Failure::File`].
pub(crate) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let failure = |error| Failure::File { path: arguments.directory.clone(), error };
    fs::create_dir_all(&arguments.directory).map_err(failure)?;
    for program in [crate::command(), scard_rm::Options::command()] {
        clap_mangen::generate_to(program, &arguments.directory).map_err(failure)?;
    }
    Ok(())
}

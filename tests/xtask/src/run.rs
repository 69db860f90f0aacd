//! Running other programs, and saying so.

use std::fmt;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

/// Why a command of ours ends early.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The command line is wrong.
    Usage(String),
    /// A program ended with a failure; it has said why itself.
    Program {
        /// The command line.
        line: String,
        /// How it ended.
        how: String,
    },
    /// A file or program could not be used.
    Io {
        /// What was to be done.
        what: String,
        /// What the system said.
        error: std::io::Error,
    },
    /// A step went wrong in a way of its own.
    Step(String),
}

impl fmt::Display for Failure {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Usage(text) | Self::Step(text) => out.write_str(text),
            Self::Program { line, how } => write!(out, "`{line}` ended with {how}"),
            Self::Io { what, error } => write!(out, "{what}: {error}"),
        }
    }
}

/// Adds what was to be done to an error of the system.
pub(crate) fn during(what: impl fmt::Display) -> impl FnOnce(std::io::Error) -> Failure {
    move |error| Failure::Io { what: what.to_string(), error }
}

/// The top of the working tree.
pub(crate) fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).unwrap_or(here).to_path_buf()
}

/// Whether nobody watches: then nothing may be left out.
pub(crate) fn under_ci() -> bool {
    std::env::var_os("CI").is_some_and(|value| value == "true")
}

/// A `cargo` to be run at the top of the working tree.
pub(crate) fn cargo(arguments: &[&str]) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(arguments).current_dir(root());
    // `cargo run` made these for this program, not for its children.
    command.env_remove("LD_LIBRARY_PATH").env_remove("CARGO_MANIFEST_DIR");
    command
}

/// Runs a program with our standard output; anything but exit status 0 is a failure.
pub(crate) fn run(command: &mut Command) -> Result<(), Failure> {
    println!("  $ {}", line_of(command));
    let status = command.status().map_err(during(line_of(command)))?;
    ended(command, status)
}

/// Runs a program and hands over each line that it prints on standard output. True if its exit status is 0.
pub(crate) fn run_lines(
    command: &mut Command,
    mut take: impl FnMut(&str),
) -> Result<bool, Failure> {
    println!("  $ {}", line_of(command));
    let line = line_of(command);
    let mut child = command.stdout(Stdio::piped()).spawn().map_err(during(&line))?;
    if let Some(output) = child.stdout.take() {
        for text in BufReader::new(output).split(b'\n') {
            take(&String::from_utf8_lossy(&text.map_err(during(&line))?));
        }
    }
    Ok(child.wait().map_err(during(&line))?.success())
}

/// Runs a program and gives what it prints on standard output.
pub(crate) fn output(command: &mut Command) -> Result<Vec<u8>, Failure> {
    let output = command.stderr(Stdio::inherit()).output().map_err(during(line_of(command)))?;
    ended(command, output.status)?;
    Ok(output.stdout)
}

/// The target that the compiler builds for by itself.
pub(crate) fn machine() -> Result<String, Failure> {
    let said = output(Command::new("rustc").arg("-vV"))?;
    let said = String::from_utf8_lossy(&said);
    let host = said.lines().find_map(|line| line.strip_prefix("host: "));
    host.map(str::to_owned).ok_or_else(|| Failure::Step("rustc does not tell its host".into()))
}

fn ended(command: &Command, status: std::process::ExitStatus) -> Result<(), Failure> {
    if status.success() {
        return Ok(());
    }
    Err(Failure::Program { line: line_of(command), how: status.to_string() })
}

/// One step: says when it begins, how it ended and how long it took.
pub(crate) fn step<T>(name: &str, work: impl FnOnce() -> Result<T, Failure>) -> Result<T, Failure> {
    println!("==> {name}");
    let begin = Instant::now();
    let outcome = work();
    let ending = if outcome.is_ok() { "done" } else { "FAILED" };
    println!("<== {name}: {ending} after {:.1} s", begin.elapsed().as_secs_f64());
    outcome
}

fn line_of(command: &Command) -> String {
    let program = Path::new(command.get_program());
    let mut line = program.file_name().unwrap_or_default().to_string_lossy().into_owned();
    for argument in command.get_args() {
        line.push(' ');
        line.push_str(&argument.to_string_lossy());
    }
    line
}

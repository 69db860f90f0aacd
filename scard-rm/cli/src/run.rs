//! `scard run`: a command with a resource manager and virtual cards of its own.

use std::ffi::OsString;
use std::io;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;

use rustix::process::{Pid, Signal, getpgrp, kill_process};
use tokio::process::{Child, Command};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;

use crate::failure::{Failure, RUN_NOTES};
use crate::private::PrivateDaemon;
use crate::surroundings::Surroundings;

/// Run a command with a resource manager and virtual cards of its own, and return its exit status.
///
/// Nothing is left behind, nothing has to be configured, no special rights are needed.
#[derive(Debug, clap::Args)]
#[command(after_help = RUN_NOTES)]
pub(crate) struct Arguments {
    /// A reader with a virtual card, for instance piv or piv,serial=7,pin=654321; may be given several times.
    #[arg(long = "card", value_name = "SPEC", default_value = "piv")]
    cards: Vec<String>,

    /// Let the command load our libpcsclite.so.1 instead of the system's.
    #[arg(long)]
    our_library: bool,

    /// The command and its arguments.
    #[arg(required = true, trailing_var_arg = true, value_name = "COMMAND")]
    command: Vec<OsString>,
}

/// Carries the command out and gives back its exit status.
///
/// # Errors
/// [`Failure::Command`] if it could not be started; everything else is our own failure.
pub(crate) fn run(arguments: &Arguments, surroundings: &Surroundings) -> Result<u8, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .build()
        .map_err(|error| Failure::Daemon { said: error.to_string() })?;
    runtime.block_on(attend(arguments, surroundings))
}

async fn attend(arguments: &Arguments, surroundings: &Surroundings) -> Result<u8, Failure> {
    let Some((name, rest)) = arguments.command.split_first() else { return Ok(0) };
    let mut command = Command::new(name);
    command.args(rest);
    if arguments.our_library {
        command.env("LD_LIBRARY_PATH", library_path(surroundings)?);
    }

    // From here on a signal is the command's: whoever sends one to us means it.
    let mut signals = listen().map_err(|error| Failure::Daemon { said: error.to_string() })?;
    let readers: Vec<String> = arguments.cards.iter().map(|card| format!("sim:{card}")).collect();
    let mut daemon =
        PrivateDaemon::start(&surroundings.program, &surroundings.private_bases, &readers)?;
    command.env("SCARD_SOCKET", daemon.socket()).env("PCSCLITE_CSOCK_NAME", daemon.socket());
    let failure = |error| Failure::Command { name: name.to_string_lossy().into_owned(), error };
    let mut child = command.spawn().map_err(failure)?;
    let status = loop {
        tokio::select! {
            status = child.wait() => break status.map_err(failure)?,
            Some(signal) = signals.recv() => forward(signal, &child),
        }
    };
    daemon.check()?;
    Ok(exit_status(status))
}

/// The exit status as a shell shows it.
fn exit_status(status: ExitStatus) -> u8 {
    let code = match (status.code(), status.signal()) {
        (Some(code), _) => code,
        (None, Some(signal)) => signal.saturating_add(128),
        (None, None) => 125,
    };
    u8::try_from(code).unwrap_or(125)
}

/// Signals that are meant for the command.
fn listen() -> io::Result<mpsc::UnboundedReceiver<Signal>> {
    let (sender, receiver) = mpsc::unbounded_channel();
    let kinds = [
        (SignalKind::interrupt(), Signal::INT),
        (SignalKind::quit(), Signal::QUIT),
        (SignalKind::terminate(), Signal::TERM),
        (SignalKind::hangup(), Signal::HUP),
        (SignalKind::user_defined1(), Signal::USR1),
        (SignalKind::user_defined2(), Signal::USR2),
    ];
    for (kind, number) in kinds {
        let mut stream = signal(kind)?;
        let sender = sender.clone();
        tokio::spawn(async move {
            while stream.recv().await.is_some() {
                if sender.send(number).is_err() {
                    return;
                }
            }
        });
    }
    Ok(receiver)
}

fn forward(signal: Signal, child: &Child) {
    // The keys of a terminal send these two to the command as well: it must not get them twice.
    let is_key = signal == Signal::INT || signal == Signal::QUIT;
    if is_key && is_in_foreground() {
        return;
    }
    let pid = child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
    if let Some(pid) = pid {
        // It may have ended just now; its status comes next.
        let _ = kill_process(pid, signal);
    }
}

/// Whether this process is in the foreground of its terminal, if it has one.
fn is_in_foreground() -> bool {
    std::fs::File::open("/dev/tty")
        .is_ok_and(|terminal| rustix::termios::tcgetpgrp(terminal) == Ok(getpgrp()))
}

/// The search path of the dynamic linker with the directory of our library in front.
fn library_path(surroundings: &Surroundings) -> Result<OsString, Failure> {
    let beside = surroundings.program.parent().unwrap_or(Path::new("/"));
    // As installed (bin and lib side by side), and as laid out by hand.
    let tried: Vec<PathBuf> = vec![beside.join("../lib"), beside.to_owned()];
    let Some(found) = tried.iter().find(|path| path.join("libpcsclite.so.1").exists()) else {
        return Err(Failure::NoLibrary { tried });
    };
    let mut path = found.clone().into_os_string();
    if let Some(others) = surroundings.library_path.as_deref().filter(|path| !path.is_empty()) {
        path.push(":");
        path.push(others);
    }
    Ok(path)
}

//! The resource manager daemon: sockets, sessions, drivers and slots around the pure core.
//!
//! Everything runs on one thread (only a driver's long computations do not). `engine` holds the core and is the one
//! place where events go in and actions are carried out; a `session` reads and writes one connection, a task of
//! `slots` owns one slot while it works, `drivers` runs the drivers, `door` accepts, `access` says who may do what, `daemon` starts and stops it all.
#![forbid(unsafe_code)]

mod access;
mod alarm;
mod backlog;
mod caller;
mod card_types;
mod client;
mod config;
mod connection;
mod conversation;
mod daemon;
mod door;
mod drivers;
mod engine;
mod inherited;
mod kept_out;
mod limits;
mod listen;
mod logging;
mod notices;
mod options;
#[doc(hidden)]
pub mod oracle;
mod process;
mod session;
mod slots;
mod starts;
mod state_file;
mod store;
mod table_size;
mod trace;

use anyhow::Context;

pub use config::ConfigError;
pub use drivers::SpecError;
pub use listen::ListenError;
pub use options::{DEFAULT_SOCKET, Options, SettingsError};

/// Runs the daemon until it is told to stop. It takes the process over: log, panic hook, limits and signals.
///
/// # Errors
/// If it cannot start: options that make no sense, a socket that cannot be had. Once it serves it ends well.
pub fn run(options: Options) -> anyhow::Result<()> {
    let settings = options::Settings::gather(&options)?;
    logging::start(settings.log.as_deref())?;
    let ready = match options.ready_fd {
        Some(number) => Some(
            inherited::ReadyDescriptor::take(number)
                .with_context(|| format!("--ready-fd {number} cannot be used"))?,
        ),
        None => None,
    };
    process::prepare();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let served = runtime.block_on(daemon::serve(options, settings, ready));
    // A virtual card may be in the middle of a long computation; nobody waits for it any more.
    runtime.shutdown_background();
    served
}

//! The log: on standard error, in one format, for people and the journal alike.

use std::io::{IsTerminal, stderr};

use tracing::error;
use tracing_subscriber::EnvFilter;

/// What is logged if nobody says otherwise: start and stop, readers and cards, and what is wrong.
const STANDARD: &str = "info";

/// Starts the log, and sees to it that a panic stands in it and ends the process: a daemon whose state is in doubt must
/// not serve on.
///
/// # Errors
/// If `filter` is none.
pub(crate) fn start(filter: Option<&str>) -> anyhow::Result<()> {
    let filter = EnvFilter::builder().parse(filter.unwrap_or(STANDARD))?;
    // A program that has its own log keeps it.
    let _ = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(stderr)
        .with_ansi(stderr().is_terminal())
        .try_init();
    std::panic::set_hook(Box::new(|panic| {
        error!(%panic, "this is a fault of the daemon, it stops");
        std::process::abort();
    }));
    Ok(())
}

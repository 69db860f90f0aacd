//! `scard watch`: events as they come.

mod change;
mod source;

use std::io::Write;

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::connection::Connection;
use crate::failure::Failure;
use crate::output::{Output, STRONG, WEAK};
use change::Changes;
use source::Source;

/// Print what happens to readers and cards as it happens, until it is interrupted.
///
/// What is there already comes first, also after a restart of the resource manager.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    connection: Connection,

    /// Print one JSON object on a line for each event.
    #[arg(long)]
    json: bool,
}

/// Carries the command out. It ends only with an error, or with its reader.
pub(crate) fn run(arguments: &Arguments, output: &mut Output) -> Result<(), Failure> {
    let mut source = Source::open(arguments.connection.context()?)?;
    let mut changes = Changes::default();
    loop {
        let news = source.next()?;
        let time = now();
        for change in changes.of(news) {
            if arguments.json {
                output.json_line(&change.timed(&time))?;
            } else {
                // Hours to milliseconds, and Z: the date is known to whoever watches.
                let clock = time.get(11..).unwrap_or(&time);
                let words = change.words();
                write!(output, "{WEAK}{clock}{WEAK:#}  ")?;
                match &change.reader {
                    Some(reader) => writeln!(output, "{STRONG}{reader}{STRONG:#}  {words}")?,
                    None => writeln!(output, "{words}")?,
                }
                output.flush()?;
            }
        }
    }
}

/// The time in UTC, to the millisecond.
fn now() -> String {
    let now = OffsetDateTime::now_utc();
    let now = now.replace_nanosecond(now.nanosecond() / 1_000_000 * 1_000_000).unwrap_or(now);
    now.format(&Rfc3339).unwrap_or_default()
}

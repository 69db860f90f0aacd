//! An event of a trace for people: a line, and below it what was said with the card.

use std::io::{self, Write};

use scard_types::trace::{Item, Value};

use super::entry::{Entry, Kind, Who};
use crate::apdu::duration;
use crate::output::{RIGHT, STRONG, WEAK, WRONG};
use crate::process::plain;

/// Writes an event. What a card was told and answered says more than the arguments of the call around it, which are
/// left out then; `apdus_only` leaves its line shorter still.
pub(super) fn write(entry: &Entry<'_>, apdus_only: bool, out: &mut dyn Write) -> io::Result<()> {
    // Hours to microseconds, and Z: the date is known to whoever watches.
    let clock = entry.time.get(11..).unwrap_or(&entry.time);
    write!(out, "{WEAK}{clock}{WEAK:#}")?;
    if let Some(who) = &entry.who {
        write!(out, "  {STRONG}{}{STRONG:#}", name(who))?;
    }
    if let Some(reader) = entry.reader {
        write!(out, "  {}", plain(reader))?;
    }
    match entry.event {
        Kind::Call | Kind::Waits if apdus_only => writeln!(out)?,
        Kind::Call => write_call(entry, out)?,
        Kind::Waits => {
            write!(out, "  {STRONG}{}{STRONG:#}", plain(entry.call.unwrap_or_default()))?;
            write_items(entry.arguments, out)?;
            writeln!(out, "  waits")?;
        }
        kind => writeln!(out, "  {}", words(kind, entry))?,
    }
    if let Some(exchange) = &entry.apdu {
        exchange.write(out)?;
    }
    out.flush()
}

fn write_call(entry: &Entry<'_>, out: &mut dyn Write) -> io::Result<()> {
    write!(out, "  {STRONG}{}{STRONG:#}", plain(entry.call.unwrap_or_default()))?;
    if entry.apdu.is_none() {
        write_items(entry.arguments, out)?;
    }
    let code = entry.code.unwrap_or_default();
    if code == "SCARD_S_SUCCESS" {
        write!(out, "  {RIGHT}ok{RIGHT:#}")?;
    } else {
        write!(out, "  {WRONG}{code}{WRONG:#}")?;
    }
    if entry.apdu.is_none() {
        write_items(entry.results, out)?;
    }
    writeln!(out, "  {WEAK}{}{WEAK:#}", duration(entry.took_us.unwrap_or_default()))
}

fn write_items(items: Option<&[Item]>, out: &mut dyn Write) -> io::Result<()> {
    for item in items.unwrap_or_default() {
        let value = match &item.value {
            Value::Number(number) => number.to_string(),
            Value::Text(text) => plain(text),
            Value::Texts(texts) => {
                texts.iter().map(|text| plain(text)).collect::<Vec<_>>().join(", ")
            }
        };
        let quote = if value.contains(' ') || value.is_empty() { "\"" } else { "" };
        write!(out, " {WEAK}{}={WEAK:#}{quote}{value}{quote}", plain(&item.name))?;
    }
    Ok(())
}

/// `scdaemon[4711]`.
fn name(who: &Who) -> String {
    match (&who.program, who.pid) {
        (Some(program), Some(pid)) => format!("{program}[{pid}]"),
        (None, Some(pid)) if pid != 0 => format!("pid {pid}"),
        // Of another world of processes, or its arrival was missed.
        _ => format!("client {}", who.client),
    }
}

fn words(kind: Kind, entry: &Entry<'_>) -> String {
    let with_atr = |words: &str| match &entry.atr {
        Some(atr) => format!("{words}: {atr}"),
        None => words.to_owned(),
    };
    match kind {
        Kind::ClientArrived => {
            let wire = entry.wire.as_deref().unwrap_or_default();
            let uid = entry.who.as_ref().and_then(|who| who.uid).unwrap_or(u32::MAX);
            format!("arrives, uid {uid}, speaks {wire}")
        }
        Kind::ClientGone => match entry.unanswered {
            None | Some(0) => "leaves".to_owned(),
            Some(1) => "leaves, 1 call unanswered".to_owned(),
            Some(calls) => format!("leaves, {calls} calls unanswered"),
        },
        Kind::WatchFired => "is told that something changed".to_owned(),
        Kind::WatchCancelled => "is told that its wait was cancelled".to_owned(),
        Kind::ReaderArrived => "reader arrived".to_owned(),
        Kind::ReaderGone => "reader gone".to_owned(),
        Kind::CardInserted => "card inserted".to_owned(),
        Kind::CardRemoved => "card removed".to_owned(),
        Kind::CardReplaced => "card replaced".to_owned(),
        Kind::CardPoweredOn => with_atr("card powered on"),
        Kind::CardReset => with_atr("card reset"),
        Kind::CardPoweredOff => "card powered off".to_owned(),
        Kind::CardMute => "the card does not answer".to_owned(),
        Kind::Lost => match entry.events.unwrap_or_default() {
            1 => "1 event lost: this trace was not read fast enough".to_owned(),
            events => format!("{events} events lost: this trace was not read fast enough"),
        },
        Kind::Tracing => "tracing".to_owned(),
        Kind::Call | Kind::Waits | Kind::Unknown => {
            "something that this version has no word for".to_owned()
        }
    }
}

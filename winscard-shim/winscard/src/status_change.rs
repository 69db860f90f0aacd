//! `SCardGetStatusChange`.
//!
//! A reader that nobody knows does not make the call fail, as it does in pcsc-lite: its entry says so, and a program that
//! knows it already waits until some reader comes.

use std::time::{Duration, Instant};

use scard_client::Context;
use scard_guest::tables;
use scard_types::call::{KnownReader, SeenReader};
use scard_types::status_change::{
    CHANGED, EMPTY, IGNORE, PNP_READER, PRESENT, UNAVAILABLE, UNKNOWN,
};
use scard_types::{Atr, ScardCode};

use crate::layouts::{ATR_ROOM, ContextNumber, Dword, INFINITE, ReaderState, length};
use crate::memory::{Place, Plain, Text, member};
use crate::refused::Outcome;
use crate::text::Unit;

/// One of them is set for every entry that stands for a slot.
const SLOT: u32 = PRESENT | EMPTY | UNAVAILABLE;
/// The most readers in one call.
const MOST_ENTRIES: Dword = 1 << 12;

twins! {
    /// `SCardGetStatusChange`.
    SCardGetStatusChangeA, SCardGetStatusChangeW = status_change(
        hContext: ContextNumber, dwTimeout: Dword, rgReaderStates: Place<ReaderState<Char>>, cReaders: Dword,
    );
}

fn status_change<C: Unit + Plain>(
    context: ContextNumber,
    timeout: Dword,
    states: Place<ReaderState<C>>,
    count: Dword,
) -> Outcome {
    let context = tables::context(context)?;
    let known = known(&states, count)?;
    // Nothing to wait for: success at once, whatever the time.
    if known.iter().all(is_ignored) {
        return Ok(());
    }
    let timeout = (timeout != INFINITE).then(|| Duration::from_millis(timeout.into()));
    let (changed, seen) = look(&context, &known, timeout)?;
    tell(&states, &seen);
    if changed { Ok(()) } else { Err(ScardCode::Timeout.into()) }
}

/// What the program believes. Its array is not held on to while the call waits: only copies leave here.
pub(crate) fn known<C: Unit + Plain>(
    states: &Place<ReaderState<C>>,
    count: Dword,
) -> Result<Vec<KnownReader>, ScardCode> {
    if count > MOST_ENTRIES {
        return Err(ScardCode::InvalidParameter);
    }
    (0..usize::try_from(count).unwrap_or(0))
        .map(|at| {
            let state = states.required()?.at(at).read()?;
            let reader: Text<C> = state.reader;
            let name = reader.read().ok_or(ScardCode::InvalidValue)?;
            Ok(KnownReader { name, current_state: state.current_state })
        })
        .collect()
}

/// Writes what was seen; the rest of each entry is the program's.
pub(crate) fn tell<C: Unit + Plain>(states: &Place<ReaderState<C>>, seen: &[SeenReader]) {
    for (at, seen) in seen.iter().enumerate() {
        let state = states.at(at);
        member!(state, ReaderState<C>, event_state).put(seen.event_state);
        if seen.event_state & SLOT == 0 {
            continue;
        }
        let atr = seen.atr.as_ref().map_or(&[][..], Atr::as_bytes);
        let mut bytes = [0; ATR_ROOM];
        for (to, from) in bytes.iter_mut().zip(atr) {
            *to = *from;
        }
        member!(state, ReaderState<C>, atr_length).put(length(atr.len()));
        member!(state, ReaderState<C>, atr).put(bytes);
    }
}

/// Waits until something differs; false with the states as they are if nothing did in the time.
pub(crate) fn look(
    context: &Context,
    known: &[KnownReader],
    timeout: Option<Duration>,
) -> Result<(bool, Vec<SeenReader>), ScardCode> {
    let ends = timeout.map(|timeout| Instant::now() + timeout);
    loop {
        let left = ends.map(|ends| ends.saturating_duration_since(Instant::now()));
        match context.look(known, left.map(milliseconds)) {
            Err(ScardCode::UnknownReader) => {}
            Err(code) => return Err(code),
            Ok((changed, seen)) => {
                return Ok((changed, seen.into_iter().map(as_windows_says).collect()));
            }
        }
        // Taken first, so that a reader which comes from here on is not missed.
        let comings = comings(context)?;
        let unknown = unknown_among(context, known)?;
        let is_over = left.is_some_and(|left| left.is_zero());
        let is_news = known.iter().zip(&unknown).any(|(known, unknown)| {
            *unknown && !is_ignored(known) && known.current_state & UNKNOWN == 0
        });
        // Who knows that a reader is unknown waits for readers to come.
        let left = if is_news { Some(Duration::ZERO) } else { left };
        let asked: Vec<_> =
            known.iter().zip(&unknown).map(|entry| stand_in(entry, comings)).collect();
        let (changed, seen) = match context.look(&asked, left.map(milliseconds)) {
            // One more went meanwhile.
            Err(ScardCode::UnknownReader) => continue,
            looked => looked?,
        };
        let news_of_known = seen
            .iter()
            .zip(&unknown)
            .any(|(seen, unknown)| !unknown && seen.event_state & CHANGED != 0);
        if is_news || news_of_known || !changed || is_over {
            let seen = seen.into_iter().zip(known.iter().zip(&unknown)).map(said).collect();
            return Ok((is_news || news_of_known, seen));
        }
    }
}

/// What is asked in the place of a reader that nobody knows.
fn stand_in((known, unknown): (&KnownReader, &bool), comings: u32) -> KnownReader {
    if *unknown && !is_ignored(known) {
        KnownReader { name: PNP_READER.into(), current_state: comings }
    } else {
        known.clone()
    }
}

/// What the program is told of an entry.
fn said((seen, (known, unknown)): (SeenReader, (&KnownReader, &bool))) -> SeenReader {
    if *unknown && !is_ignored(known) {
        SeenReader { event_state: UNKNOWN | CHANGED | IGNORE, atr: None }
    } else {
        as_windows_says(seen)
    }
}

/// A reader that is not there (any more) is not only unknown: the program is to be told, and to ask no more.
fn as_windows_says(seen: SeenReader) -> SeenReader {
    if seen.event_state & UNKNOWN == 0 {
        return seen;
    }
    SeenReader { event_state: UNKNOWN | CHANGED | IGNORE, atr: None }
}

/// How often readers came and went, as the state of the reader that stands for it.
fn comings(context: &Context) -> Result<u32, ScardCode> {
    let any = [KnownReader { name: PNP_READER.into(), current_state: 0 }];
    let (_, seen) = context.look(&any, Some(0))?;
    Ok(seen.first().map_or(0, |seen| seen.event_state & 0xFFFF_0000))
}

/// Which of these readers nobody knows.
fn unknown_among(context: &Context, known: &[KnownReader]) -> Result<Vec<bool>, ScardCode> {
    let is_unknown =
        |reader: &KnownReader| match context.look(core::slice::from_ref(reader), Some(0)) {
            Ok(_) => Ok(false),
            Err(ScardCode::UnknownReader) => Ok(true),
            Err(code) => Err(code),
        };
    known.iter().map(is_unknown).collect()
}

const fn is_ignored(reader: &KnownReader) -> bool {
    reader.current_state & IGNORE != 0
}

/// All ones is for ever on the wires.
fn milliseconds(time: Duration) -> u32 {
    u32::try_from(time.as_millis()).unwrap_or(u32::MAX).min(u32::MAX - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_of_a_reader_that_nobody_knows_says_so_unless_it_is_ignored() {
        let known = |current_state| KnownReader { name: "nobody's".into(), current_state };
        let seen = SeenReader { event_state: 0x1_0002, atr: None };
        let told = said((seen.clone(), (&known(0), &true)));
        assert_eq!(told.event_state, UNKNOWN | CHANGED | IGNORE);
        assert_eq!(stand_in((&known(UNKNOWN), &true), 0x7_0000).current_state, 0x7_0000);
        assert_eq!(said((seen.clone(), (&known(IGNORE), &true))), seen);
        assert_eq!(stand_in((&known(0), &false), 0), known(0));
        let gone = SeenReader { event_state: UNKNOWN | UNAVAILABLE, atr: None };
        assert_eq!(as_windows_says(gone).event_state, UNKNOWN | CHANGED | IGNORE);
    }
}

//! `SCardGetStatusChange` over restarts of the daemon: a restart is a change of every reader, and each is told once.
//!
//! What a program knows of a reader it knows from a daemon that is gone: the card may have been another one meanwhile,
//! and the counter of its comings and goings belongs to another story. So the first look after a restart is a change,
//! with the state as it is now. Nothing is made up: no reader is said to be gone that is there.

use scard_types::ScardCode;
use scard_types::call::{Answer, Call, KnownReader, SeenReader};
use scard_types::status_change::{
    CHANGED, IGNORE, PNP_READER, UNAVAILABLE, UNKNOWN, is_pnp_reader,
};

use crate::healing::{Generation, Healing};

type Looked = Result<(bool, Vec<SeenReader>), ScardCode>;

/// Waits until something differs from what is known; false if nothing did in the time.
///
/// DIFFERS: in pcsc-lite the context is lost with the daemon, and the wait with it.
pub(crate) fn look(healing: &Healing, readers: &[KnownReader], timeout_ms: Option<u32>) -> Looked {
    let wait = healing.wait();
    let names: Vec<&str> = readers.iter().map(topic).collect();
    let (now, mut untold) = healing.untold(&names);
    for (untold, reader) in untold.iter_mut().zip(readers) {
        *untold &= !is_ignored(reader);
    }
    let has_news = untold.contains(&true);
    let timeout_ms = if has_news { Some(0) } else { timeout_ms };
    let call = Call::StatusChange { context: now.context, timeout_ms, readers: readers.to_vec() };
    let reply = now.session.call(call);
    if now.is_lost_with(&reply) {
        let healed = healing.heal(&now, Some(&wait))?;
        let seen = look_at_each(&healed, readers)?;
        healing.tell(&healed, &names);
        return Ok((true, seen));
    }
    let (changed, mut seen) = seen(reply.map_err(|refusal| refusal.code)?, readers.len())?;
    if has_news {
        let news = seen.iter_mut().zip(&untold).filter(|(_, untold)| **untold);
        news.for_each(|(seen, _)| seen.event_state |= CHANGED);
        healing.tell(&now, &names);
    }
    Ok((changed || has_news, seen))
}

/// What the next daemon says to a wait that its predecessor did not end. A reader that is not there any more went
/// during the wait, and does not make the whole call fail.
fn look_at_each(now: &Generation, readers: &[KnownReader]) -> Result<Vec<SeenReader>, ScardCode> {
    let gone = SeenReader { event_state: UNKNOWN | UNAVAILABLE, atr: None };
    let look = |reader: &KnownReader| {
        let readers = vec![reader.clone()];
        let call = Call::StatusChange { context: now.context, timeout_ms: Some(0), readers };
        let mut seen = match now.session.call(call) {
            Ok(answer) => seen(answer, 1)?.1.pop().unwrap_or_default(),
            Err(refusal) if refusal.code == ScardCode::UnknownReader => gone.clone(),
            Err(refusal) => return Err(refusal.code),
        };
        if !is_ignored(reader) {
            seen.event_state |= CHANGED;
        }
        Ok(seen)
    };
    readers.iter().map(look).collect()
}

fn seen(answer: Answer, count: usize) -> Looked {
    match answer {
        Answer::StatusChange { changed, readers } if readers.len() == count => {
            Ok((changed, readers))
        }
        _ => Err(ScardCode::CommError),
    }
}

const fn is_ignored(reader: &KnownReader) -> bool {
    reader.current_state & IGNORE != 0
}

/// Under what it is remembered that a reader's watchers know of the restart.
fn topic(reader: &KnownReader) -> &str {
    if is_pnp_reader(&reader.name) { PNP_READER } else { &reader.name }
}

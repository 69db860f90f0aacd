//! Where events come from: pushed by scard-rm, or found out from a stock pcscd; and from the one that follows it.

use std::collections::VecDeque;
use std::sync::Arc;

use scard_client::{Context, KnownReader, ReaderEntry, ScardCode, Session, status_change};
use scard_types::call::{Call, ReaderEvent};

use crate::connection::describe;
use crate::failure::Failure;

/// What there is to tell.
#[derive(Debug)]
pub(super) enum News {
    /// Of a reader.
    Reader(ReaderEvent),
    /// The resource manager is another one: what follows is there now, whatever was there before.
    Restarted,
}

/// Where events come from.
#[derive(Debug)]
pub(super) struct Source {
    context: Context,
    /// Restarts that were told of.
    restarts: u64,
    way: Way,
}

/// How to learn of them.
#[derive(Debug)]
enum Way {
    /// Pushes of the native wire.
    Pushed(Arc<Session>),
    /// `SCardGetStatusChange`, again and again.
    Asked { known: Option<Vec<ReaderEntry>>, found: VecDeque<ReaderEvent> },
}

impl Source {
    /// Asks for pushes; what cannot push will be asked.
    pub(super) fn open(context: Context) -> Result<Self, Failure> {
        let (way, restarts) = (Way::of(&context)?, context.restarts());
        Ok(Self { context, restarts, way })
    }

    /// Waits for the next event.
    pub(super) fn next(&mut self) -> Result<News, Failure> {
        loop {
            if self.context.restarts() != self.restarts {
                self.restarts = self.context.restarts();
                self.way = Way::of(&self.context)?;
                return Ok(News::Restarted);
            }
            match &mut self.way {
                Way::Pushed(session) => match session.next_event(None) {
                    Ok(Some(event)) => return Ok(News::Reader(event)),
                    Ok(None) => {}
                    Err(_) if session.is_lost() => {
                        self.context.heal().map_err(failure)?;
                    }
                    Err(code) => return Err(failure(code)),
                },
                Way::Asked { known, found } => {
                    if let Some(event) = found.pop_front() {
                        return Ok(News::Reader(event));
                    }
                    ask(&self.context, known, found)?;
                }
            }
        }
    }
}

impl Way {
    fn of(context: &Context) -> Result<Self, Failure> {
        let session = context.session();
        match session.call(Call::Subscribe) {
            Ok(_) => Ok(Self::Pushed(session)),
            Err(refusal) if refusal.code == ScardCode::UnsupportedFeature => {
                Ok(Self::Asked { known: None, found: VecDeque::new() })
            }
            // It went again: the next event is that it did.
            Err(_) if session.is_lost() => Ok(Self::Pushed(session)),
            Err(refusal) => Err(failure(refusal.code)),
        }
    }
}

/// Waits for a change, but not the first time, and finds out what it was.
fn ask(
    context: &Context,
    known: &mut Option<Vec<ReaderEntry>>,
    found: &mut VecDeque<ReaderEvent>,
) -> Result<(), Failure> {
    if let Some(known) = known {
        wait(context, known).map_err(failure)?;
    }
    let now: Vec<ReaderEntry> = describe(context)?.into_iter().map(|reader| reader.entry).collect();
    found.extend(differences(known.as_deref().unwrap_or_default(), &now));
    if known.is_none() {
        found.push_back(ReaderEvent::Caught);
    }
    *known = Some(now);
    Ok(())
}

/// Waits until something differs from what is known.
fn wait(context: &Context, known: &[ReaderEntry]) -> Result<(), ScardCode> {
    let mut readers: Vec<KnownReader> = known.iter().map(as_known).collect();
    readers.push(KnownReader { name: status_change::PNP_READER.to_owned(), current_state: 0 });
    match context.status_change(readers, None) {
        // A reader that went between two looks is a change like any other.
        Ok(_) | Err(ScardCode::UnknownReader) => Ok(()),
        Err(code) => Err(code),
    }
}

/// What we believe of a reader, in the bits of `SCardGetStatusChange`.
fn as_known(entry: &ReaderEntry) -> KnownReader {
    let seen = status_change::compare(status_change::UNAWARE, Some(entry));
    let current_state = seen.event_state & !status_change::CHANGED;
    KnownReader { name: entry.name.to_string(), current_state }
}

/// The events that lead from one table to the other.
fn differences(before: &[ReaderEntry], after: &[ReaderEntry]) -> Vec<ReaderEvent> {
    let in_table = |table: &[ReaderEntry], entry: &ReaderEntry| {
        table.iter().find(|other| other.name == entry.name).cloned()
    };
    let gone = before.iter().filter(|entry| in_table(after, entry).is_none());
    let gone = gone.map(|entry| ReaderEvent::ReaderGone(entry.name.clone()));
    let changed = after.iter().filter_map(|entry| match in_table(before, entry) {
        None => Some(ReaderEvent::ReaderArrived(entry.clone())),
        Some(was) if was != *entry => Some(ReaderEvent::StateChanged(entry.clone())),
        Some(_) => None,
    });
    gone.chain(changed).collect()
}

/// Nothing is sent while we watch, so a connection that fails is a resource manager that went.
fn failure(code: ScardCode) -> Failure {
    let code = if code == ScardCode::CommError { ScardCode::ServiceStopped } else { code };
    Failure::Scard { doing: "watching", code }
}

#[cfg(test)]
mod tests {
    use super::*;
    use scard_client::ReaderName;
    use scard_types::CardState;
    use scard_types::call::Sharing;

    fn entry(name: &str, event_counter: u32) -> ReaderEntry {
        ReaderEntry {
            name: ReaderName::new(name).unwrap(),
            event_counter,
            state: CardState::Absent,
            sharing: Sharing::Free,
            atr: None,
            protocol: None,
        }
    }

    #[test]
    fn two_tables_make_the_events_between_them() {
        let before = [entry("A", 0), entry("B", 0), entry("C", 0)];
        let after = [entry("A", 0), entry("C", 1), entry("D", 0)];
        let expected = [
            ReaderEvent::ReaderGone(ReaderName::new("B").unwrap()),
            ReaderEvent::StateChanged(entry("C", 1)),
            ReaderEvent::ReaderArrived(entry("D", 0)),
        ];
        assert_eq!(differences(&before, &after), expected);
        assert_eq!(differences(&after, &after), []);
    }
}

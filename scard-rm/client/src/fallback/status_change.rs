//! `SCardGetStatusChange` over pcsc-lite's wire: the comparison is the client's work there.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use scard_types::ScardCode;
use scard_types::call::{Answer, KnownReader, ReaderEntry, Reply, SeenReader};
use scard_types::status_change::{CHANGED, IGNORE, compare, compare_pnp, is_pnp_reader};

use super::connection::{Connection, Watched};

/// How long the ATR of a card that was just inserted may take: pcscd shows the card before it has power.
const ATR_LOOKS: u32 = 10;
const ATR_LOOK_EVERY: Duration = Duration::from_millis(if cfg!(fuzzing) { 0 } else { 40 });

/// Whether a thread waits, for the threads that cancel.
#[derive(Debug, Default)]
pub(super) struct Wait {
    is_waiting: AtomicBool,
    is_cancelled: AtomicBool,
}

impl Wait {
    /// Says that the wait is to end; false if there is none. It sees that as soon as it registers again; one that is
    /// registered already is pcscd's to end.
    /// DIFFERS: in libpcsclite a cancel between two registrations is lost.
    pub(super) fn cancel(&self) -> bool {
        let is_waiting = self.is_waiting.load(Ordering::SeqCst);
        self.is_cancelled.store(is_waiting, Ordering::SeqCst);
        is_waiting
    }

    fn begin(&self) -> Waiting<'_> {
        self.is_cancelled.store(false, Ordering::SeqCst);
        self.is_waiting.store(true, Ordering::SeqCst);
        Waiting(self)
    }
}

/// A thread that waits, until it is dropped.
struct Waiting<'w>(&'w Wait);

impl Waiting<'_> {
    fn is_cancelled(&self) -> bool {
        self.0.is_cancelled.load(Ordering::SeqCst)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.is_waiting.store(false, Ordering::SeqCst);
    }
}

/// Waits until something differs from what the program knows.
///
/// The order is libpcsclite's: nothing to wait for is success at once, an unknown name is an error before any wait.
pub(super) fn wait(
    connection: &mut Connection,
    wait: &Wait,
    timeout_ms: Option<u32>,
    known: &[KnownReader],
) -> Reply {
    if known.iter().all(|known| known.current_state & IGNORE != 0) {
        let ignored = SeenReader { event_state: IGNORE, atr: None };
        let readers = known.iter().map(|_| ignored.clone()).collect();
        return Ok(Answer::StatusChange { changed: true, readers });
    }
    let deadline =
        timeout_ms.and_then(|ms| Instant::now().checked_add(Duration::from_millis(u64::from(ms))));
    let mut table = readers(connection.table()?);
    if known.iter().any(|known| !is_pnp_reader(&known.name) && find(&table, known).is_none()) {
        return Err(ScardCode::UnknownReader.into());
    }
    let at_entry = PnpCount::now(connection, known, &table)?;
    let is_poll = timeout_ms == Some(0);
    let waiting = wait.begin();
    loop {
        if !is_poll {
            table = readers(connection.watch()?);
            if waiting.is_cancelled() {
                connection.stop_watching()?;
                return Err(ScardCode::Cancelled.into());
            }
        }
        let mut now = PnpCount::now(connection, known, &table)?;
        let mut seen = look(known, &table, at_entry, now);
        if seen.iter().any(is_changed) {
            if !is_poll {
                connection.stop_watching()?;
            }
            for _ in 0..ATR_LOOKS {
                if !misses_atr(known, &table) {
                    break;
                }
                thread::sleep(ATR_LOOK_EVERY);
                table = readers(connection.table()?);
                now = PnpCount::now(connection, known, &table)?;
                seen = look(known, &table, at_entry, now);
            }
            return Ok(Answer::StatusChange { changed: true, readers: seen });
        }
        if is_poll || connection.watched(deadline)? == Watched::TimedOut {
            return Ok(Answer::StatusChange { changed: false, readers: seen });
        }
    }
}

/// What the plug-and-play pseudo reader counts: arrivals and departures from 4:5 on, before that only how many readers there are.
#[derive(Clone, Copy)]
enum PnpCount {
    Events(u32),
    Readers(usize),
}

impl PnpCount {
    fn now(
        connection: &mut Connection,
        known: &[KnownReader],
        table: &[ReaderEntry],
    ) -> Result<Self, ScardCode> {
        let is_asked_for = known.iter().any(|known| is_pnp_reader(&known.name));
        let events = if is_asked_for { connection.reader_events()? } else { None };
        Ok(events.map_or(Self::Readers(table.len()), Self::Events))
    }

    fn compare(self, now: Self, current_state: u32) -> SeenReader {
        match (self, now) {
            (Self::Events(at_entry), Self::Events(events)) => {
                compare_pnp(current_state, at_entry, events)
            }
            (Self::Readers(at_entry), Self::Readers(readers)) if at_entry == readers => {
                SeenReader::default()
            }
            _ => SeenReader { event_state: CHANGED, atr: None },
        }
    }
}

fn look(
    known: &[KnownReader],
    table: &[ReaderEntry],
    at_entry: PnpCount,
    now: PnpCount,
) -> Vec<SeenReader> {
    let look = |known: &KnownReader| match known.current_state {
        ignored if ignored & IGNORE != 0 => SeenReader { event_state: IGNORE, atr: None },
        state if is_pnp_reader(&known.name) => at_entry.compare(now, state),
        state => compare(state, find(table, known)),
    };
    known.iter().map(look).collect()
}

fn is_changed(seen: &SeenReader) -> bool {
    seen.event_state & CHANGED != 0
}

/// Whether a card that the program asks for is there and not yet powered.
fn misses_atr(known: &[KnownReader], table: &[ReaderEntry]) -> bool {
    use scard_types::CardState::{Negotiable, Specific};
    known
        .iter()
        .filter_map(|known| find(table, known))
        .any(|reader| matches!(reader.state, Negotiable | Specific) && reader.atr.is_none())
}

fn readers(table: Vec<Option<ReaderEntry>>) -> Vec<ReaderEntry> {
    table.into_iter().flatten().collect()
}

fn find<'t>(table: &'t [ReaderEntry], known: &KnownReader) -> Option<&'t ReaderEntry> {
    table.iter().find(|reader| reader.name.as_str() == known.name)
}

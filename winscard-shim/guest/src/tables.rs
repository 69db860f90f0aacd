//! The contexts and card handles of this process.
//!
//! A number is the one that the resource manager gave, unless another connection's is the same; then the next free
//! one. It stays when the resource manager is restarted: the context behind it gets another number there, and a card
//! handle stands for one that is no more until the program closes it. The lock is held for a look-up, an insertion or a
//! removal, never while a call waits.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use scard_client::{Context, Session};
use scard_types::ScardCode;
use scard_types::call::{Answer, Call, CardHandle, Reply};

use crate::PerProcess;

/// A card handle: on which connection it was opened, and how the resource manager there calls it. With the connection
/// it is lost, though its context may have another one by then.
#[derive(Clone, Debug)]
pub struct Card {
    session: Arc<Session>,
    /// Its number on that connection.
    pub handle: CardHandle,
}

impl Card {
    /// Asks the resource manager.
    ///
    /// # Errors
    /// What it says.
    pub fn ask(&self, call: Call) -> Result<Answer, ScardCode> {
        self.call(call).map_err(|refusal| refusal.code)
    }

    /// The same, with the length that was needed where a buffer was too small.
    ///
    /// # Errors
    /// What the resource manager says.
    pub fn call(&self, call: Call) -> Reply {
        self.session.call(call)
    }
}

#[derive(Default)]
struct Tables {
    contexts: BTreeMap<i32, Arc<Context>>,
    cards: BTreeMap<i32, (i32, Card)>,
}

impl Tables {
    const fn new() -> Self {
        Self { contexts: BTreeMap::new(), cards: BTreeMap::new() }
    }
}

/// The highest number: 31 bits, as some programs keep handles in an `int`.
const HIGHEST: i32 = i32::MAX;

fn tables() -> MutexGuard<'static, Tables> {
    static TABLES: PerProcess<Mutex<Tables>> = PerProcess::new(Mutex::new(Tables::new()));
    TABLES.get(Mutex::default).lock().unwrap_or_else(PoisonError::into_inner)
}

/// Takes a new context in.
#[must_use]
pub fn enter_context(context: Context) -> i32 {
    let mut tables = tables();
    let number = vacant(&tables.contexts, context.id().0);
    tables.contexts.insert(number, Arc::new(context));
    number
}

/// The context of that number.
///
/// # Errors
/// [`ScardCode::InvalidHandle`] if there is none.
pub fn context(number: impl TryInto<i32>) -> Result<Arc<Context>, ScardCode> {
    let number = known(number)?;
    tables().contexts.get(&number).cloned().ok_or(ScardCode::InvalidHandle)
}

/// Takes a context out, with all its card handles. A call that is under way keeps its connection until it returns.
///
/// # Errors
/// [`ScardCode::InvalidHandle`] if there is none.
pub fn remove_context(number: impl TryInto<i32>) -> Result<Arc<Context>, ScardCode> {
    let number = known(number)?;
    let mut tables = tables();
    let context = tables.contexts.remove(&number).ok_or(ScardCode::InvalidHandle)?;
    tables.cards.retain(|_, (owner, _)| *owner != number);
    give_back(&mut tables);
    Ok(context)
}

/// Takes a new card handle in, unless its context was released in the meantime.
///
/// # Errors
/// [`ScardCode::InvalidHandle`] if it was.
pub fn enter_card(
    owner: impl TryInto<i32>,
    context: &Arc<Context>,
    session: Arc<Session>,
    handle: CardHandle,
) -> Result<i32, ScardCode> {
    let owner = known(owner)?;
    let mut tables = tables();
    if !tables.contexts.get(&owner).is_some_and(|there| Arc::ptr_eq(there, context)) {
        return Err(ScardCode::InvalidHandle);
    }
    let number = vacant(&tables.cards, handle.0);
    tables.cards.insert(number, (owner, Card { session, handle }));
    Ok(number)
}

/// The card handle of that number.
///
/// # Errors
/// [`ScardCode::InvalidHandle`] if there is none.
pub fn card(number: impl TryInto<i32>) -> Result<Card, ScardCode> {
    let number = known(number)?;
    match tables().cards.get(&number) {
        Some((_, card)) => Ok(card.clone()),
        None => Err(ScardCode::InvalidHandle),
    }
}

/// The context in which a card handle was opened.
///
/// # Errors
/// [`ScardCode::InvalidHandle`] if there is no such handle.
pub fn context_of_card(number: impl TryInto<i32>) -> Result<Arc<Context>, ScardCode> {
    let number = known(number)?;
    let tables = tables();
    let (owner, _) = tables.cards.get(&number).ok_or(ScardCode::InvalidHandle)?;
    tables.contexts.get(owner).cloned().ok_or(ScardCode::InvalidHandle)
}

/// Takes a card handle out.
pub fn remove_card(number: impl TryInto<i32>) {
    let Ok(number) = known(number) else { return };
    let mut tables = tables();
    // The last reference to a connection closes it: not under the lock.
    let removed = tables.cards.remove(&number);
    give_back(&mut tables);
    drop(tables);
    drop(removed);
}

/// An empty table keeps no memory: nobody would free it when the library is unloaded.
fn give_back(tables: &mut Tables) {
    if tables.contexts.is_empty() {
        tables.contexts = BTreeMap::new();
    }
    if tables.cards.is_empty() {
        tables.cards = BTreeMap::new();
    }
}

/// What is no number of 31 bits stands for nothing.
fn known(number: impl TryInto<i32>) -> Result<i32, ScardCode> {
    number.try_into().map_err(|_| ScardCode::InvalidHandle)
}

/// The first free number from `wanted` on.
fn vacant<T>(taken: &BTreeMap<i32, T>, wanted: u32) -> i32 {
    let wanted = i32::try_from(wanted).unwrap_or(1).max(1);
    (wanted..=HIGHEST)
        .chain(1..wanted)
        .find(|number| !taken.contains_key(number))
        .unwrap_or(HIGHEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_that_is_taken_gives_way_to_the_next_free_one() {
        let taken: BTreeMap<i32, ()> = [5, 6, HIGHEST].map(|number| (number, ())).into();
        assert_eq!(vacant(&taken, 4), 4);
        assert_eq!(vacant(&taken, 5), 7);
        assert_eq!(vacant(&taken, 0x7FFF_FFFF), 1);
        assert_eq!(vacant(&taken, 0), 1);
        assert_eq!(vacant(&taken, u32::MAX), 1);
    }
}

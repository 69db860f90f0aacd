//! Turns at an authority: a few for each user at a time, so that one who asks without end keeps nobody else waiting.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Questions of one user that may be open at a time.
const OPEN: usize = 4;

/// The turns of all users; one who asks nothing leaves no trace for long.
#[derive(Default)]
pub(crate) struct Turns(Mutex<BTreeMap<u32, Weak<Semaphore>>>);

impl Turns {
    /// Waits for a turn, in the order of arrival; it ends when the permit is dropped.
    pub(crate) async fn take(&self, uid: u32) -> Option<OwnedSemaphorePermit> {
        let turns = self.of(uid);
        turns.acquire_owned().await.ok()
    }

    fn of(&self, uid: u32) -> Arc<Semaphore> {
        let mut users = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(turns) = users.get(&uid).and_then(Weak::upgrade) {
            return turns;
        }
        users.retain(|_, turns| turns.strong_count() > 0);
        let turns = Arc::new(Semaphore::new(OPEN));
        users.insert(uid, Arc::downgrade(&turns));
        turns
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_waits_for_himself_alone_and_leaves_no_trace() {
        let turns = Turns::default();
        let taken: Vec<_> =
            (0..OPEN).map(|_| turns.of(7).try_acquire_owned().expect("there is a turn")).collect();
        assert!(turns.of(7).try_acquire_owned().is_err());
        assert!(turns.of(8).try_acquire_owned().is_ok());
        drop(taken);
        assert!(turns.of(7).try_acquire_owned().is_ok());
        drop(turns.of(9));
        assert_eq!(turns.0.lock().expect("nobody panicked").len(), 1);
    }
}

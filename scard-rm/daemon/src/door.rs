//! The door: accepts connections and lets nobody take the place of others.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rustix::io::Errno;
use scard_core::Quota;
use scard_types::call::Peer;
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::Notify;
use tracing::{debug, warn};

/// How long to wait for a descriptor to become free when none is left, if no connection ends before.
const EXHAUSTED: Duration = Duration::from_secs(1);
const ROOT: u32 = 0;

/// Counts the connections of each user from the moment they are accepted. The core counts them too, but it knows only
/// those that have said which wire they speak.
pub(crate) struct Door {
    quota: Mutex<Quota>,
    inside: Mutex<BTreeMap<u32, u32>>,
    somebody_left: Notify,
}

/// The right to be connected, given back when it is dropped.
pub(crate) struct Admission {
    door: Arc<Door>,
    uid: u32,
}

impl Door {
    /// A door that nobody has passed.
    pub(crate) fn new(quota: Quota) -> Arc<Self> {
        let (quota, inside) = (Mutex::new(quota), Mutex::new(BTreeMap::new()));
        Arc::new(Self { quota, inside, somebody_left: Notify::new() })
    }

    /// The quota is another one from now on; who is inside stays.
    pub(crate) fn set_quota(&self, quota: Quota) {
        *self.quota.lock().unwrap_or_else(PoisonError::into_inner) = quota;
    }

    /// Accepts for ever and hands each connection to `welcome`.
    pub(crate) async fn accept(
        self: Arc<Self>,
        listener: UnixListener,
        welcome: impl Fn(UnixStream, Peer, Admission),
    ) {
        loop {
            match listener.accept().await {
                Ok((stream, _)) => match peer(&stream) {
                    Ok(peer) => match self.admit(peer.uid) {
                        Some(admission) => welcome(stream, peer, admission),
                        None => debug!(uid = peer.uid, "too many connections of this user"),
                    },
                    Err(error) => debug!(%error, "a client without credentials"),
                },
                Err(error) if is_exhaustion(&error) => {
                    warn!(%error, "no connection can be accepted");
                    let patience = tokio::time::timeout(EXHAUSTED, self.somebody_left.notified());
                    let _ = patience.await;
                }
                Err(error) => debug!(%error, "a client left before it was accepted"),
            }
        }
    }

    fn admit(self: &Arc<Self>, uid: u32) -> Option<Admission> {
        let mut inside = self.inside.lock().unwrap_or_else(PoisonError::into_inner);
        let all = inside.values().fold(0, |all: u32, of_one| all.saturating_add(*of_one));
        let own = inside.get(&uid).copied().unwrap_or(0);
        let quota = *self.quota.lock().unwrap_or_else(PoisonError::into_inner);
        let Quota { per_user, total, root_reserve } = quota;
        let room = match uid {
            ROOT => all < total,
            _ => own < per_user && all < total.saturating_sub(root_reserve),
        };
        room.then(|| {
            inside.insert(uid, own + 1);
            Admission { door: Arc::clone(self), uid }
        })
    }
}

impl Drop for Admission {
    fn drop(&mut self) {
        let mut inside = self.door.inside.lock().unwrap_or_else(PoisonError::into_inner);
        let left = inside.get(&self.uid).map_or(0, |own| own.saturating_sub(1));
        if left == 0 {
            inside.remove(&self.uid);
        } else {
            inside.insert(self.uid, left);
        }
        self.door.somebody_left.notify_waiters();
    }
}

/// Who is there, as the kernel says it (`SO_PEERCRED`).
fn peer(stream: &UnixStream) -> io::Result<Peer> {
    let credentials = stream.peer_cred()?;
    // A process of a foreign PID namespace has the number 0.
    let pid = credentials.pid().and_then(|pid| u32::try_from(pid).ok()).unwrap_or(0);
    Ok(Peer { uid: credentials.uid(), gid: credentials.gid(), pid })
}

/// Whether accepting again at once would fail again at once.
fn is_exhaustion(error: &io::Error) -> bool {
    matches!(
        Errno::from_io_error(error),
        Some(Errno::MFILE | Errno::NFILE | Errno::NOBUFS | Errno::NOMEM)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_fills_his_own_share_and_root_gets_in() {
        let door = Door::new(Quota::new(2, 4, 1));
        let mut inside: Vec<_> = [7, 7, 8].iter().filter_map(|uid| door.admit(*uid)).collect();
        assert_eq!(inside.len(), 3);
        assert!(door.admit(7).is_none(), "the share of uid 7 is used up");
        assert!(door.admit(9).is_none(), "the rest is for root");
        let root = door.admit(0);
        assert!(root.is_some());
        assert!(door.admit(0).is_none(), "the house is full");
        drop(root);
        inside.remove(0);
        assert!(door.admit(7).is_some());
    }

    #[test]
    fn a_user_who_left_leaves_no_trace() {
        let door = Door::new(Quota::new(2, 4, 1));
        drop((door.admit(7), door.admit(7)));
        assert!(door.inside.lock().expect("nobody panicked").is_empty());
    }
}

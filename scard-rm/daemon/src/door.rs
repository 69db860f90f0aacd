//! The door: accepts connections and lets nobody take the place of others.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rustix::io::Errno;
use scard_core::{Limits, Quota};
use scard_types::call::Peer;
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::Notify;
use tracing::{debug, warn};

/// How long to wait for a descriptor to become free when none is left, if no connection ends before.
const EXHAUSTED: Duration = Duration::from_secs(1);
const ROOT: u32 = 0;
/// Connections beyond the quota that a user may have for a moment each, see [`Admission::only_to_cancel`].
const CANCELLERS: u32 = 4;

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
    only_to_cancel: bool,
}

impl Admission {
    /// Whether the quota is used up. pcsc-lite's library cancels a wait over a connection of its own: whoever has all
    /// his connections waiting must be able to end that.
    pub(crate) const fn only_to_cancel(&self) -> bool {
        self.only_to_cancel
    }
}

impl Door {
    /// The limits that the core has to grant, so that those can ask it whom the door lets in to cancel.
    pub(crate) const fn limits_inside(mut limits: Limits) -> Limits {
        let Quota { per_user, total, root_reserve } = limits.connections;
        let (per_user, total) =
            (per_user.saturating_add(CANCELLERS), total.saturating_add(CANCELLERS));
        limits.connections = Quota { per_user, total, root_reserve };
        limits
    }

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
        let room_for = |more: u32| match uid {
            ROOT => all < total.saturating_add(more),
            _ => {
                own < per_user.saturating_add(more)
                    && all < total.saturating_sub(root_reserve).saturating_add(more)
            }
        };
        room_for(CANCELLERS).then(|| {
            inside.insert(uid, own + 1);
            Admission { door: Arc::clone(self), uid, only_to_cancel: !room_for(0) }
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
        let served = |uid| door.admit(uid).filter(|admission| !admission.only_to_cancel());
        let mut inside: Vec<_> = [7, 7, 8].into_iter().filter_map(served).collect();
        assert_eq!(inside.len(), 3);
        assert!(served(7).is_none(), "the share of uid 7 is used up");
        assert!(served(9).is_none(), "the rest is for root");
        let root = served(0);
        assert!(root.is_some());
        assert!(served(0).is_none(), "the house is full");
        drop(root);
        inside.remove(0);
        assert!(served(7).is_some());
    }

    #[test]
    fn a_few_more_get_in_only_to_cancel() {
        let door = Door::new(Quota::new(2, 4, 1));
        let inside: Vec<_> = (0..100).filter_map(|_| door.admit(7)).collect();
        let to_cancel: Vec<_> = inside.iter().map(Admission::only_to_cancel).collect();
        assert_eq!(to_cancel, [false, false, true, true, true, true]);
        assert!(door.admit(8).is_some(), "they take nothing from others");
    }

    #[test]
    fn a_user_who_left_leaves_no_trace() {
        let door = Door::new(Quota::new(2, 4, 1));
        drop((door.admit(7), door.admit(7)));
        assert!(door.inside.lock().expect("nobody panicked").is_empty());
    }
}

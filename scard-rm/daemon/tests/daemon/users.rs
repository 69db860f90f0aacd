//! Other users in one program: on Linux each thread has a user of its own, and the kernel tells the daemon that one.

use std::panic::resume_unwind;
use std::thread::{self, Scope, ScopedJoinHandle};

use rustix::process::{Gid, Uid, geteuid};
use rustix::thread::{set_thread_groups, set_thread_res_gid, set_thread_res_uid};

/// Who attacks.
pub(crate) const ATTACKER: u32 = 65_534;
/// Who works meanwhile.
pub(crate) const VICTIM: u32 = 65_533;

/// Whether there can be several users: only root can become another one.
pub(crate) fn are_several() -> bool {
    let several = geteuid().is_root();
    if !several {
        eprintln!("not run without root: this with several users");
    }
    several
}

/// Does something in a thread of that user; without root, of our own.
pub(crate) fn work_as<T: Send>(uid: u32, work: impl FnOnce() -> T + Send) -> T {
    thread::scope(|scope| {
        let working = scope.spawn(|| as_user(uid, work));
        working.join().unwrap_or_else(|panic| resume_unwind(panic))
    })
}

/// The same beside what else goes on.
pub(crate) fn in_thread<'scope, T: Send + 'scope>(
    scope: &'scope Scope<'scope, '_>,
    uid: u32,
    work: impl FnOnce() -> T + Send + 'scope,
) -> ScopedJoinHandle<'scope, T> {
    scope.spawn(move || as_user(uid, work))
}

fn as_user<T>(uid: u32, work: impl FnOnce() -> T) -> T {
    if geteuid().is_root() {
        become_user(uid).expect("root may become anybody");
    }
    work()
}

/// For this thread and those that it starts, for good.
fn become_user(uid: u32) -> rustix::io::Result<()> {
    let (user, group) = (Uid::from_raw(uid), Gid::from_raw(uid));
    set_thread_groups(&[])?;
    set_thread_res_gid(group, group, group)?;
    set_thread_res_uid(user, user, user)
}

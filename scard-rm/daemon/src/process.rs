//! What the process asks of the kernel for itself, and whose it is. All that is asked is best effort: a kernel that refuses is no reason not to serve.

use rustix::process::{
    DumpableBehavior, Resource, Rlimit, getrlimit, set_dumpable_behavior, setrlimit,
};
use tracing::debug;

const ROOT: u32 = 0;

/// Whether a user is root, or the one who runs this daemon: nothing of it is kept from either.
pub(crate) fn is_administrator(uid: u32) -> bool {
    uid == ROOT || uid == rustix::process::geteuid().as_raw()
}

/// Room for many clients; nothing of our memory, which sees PINs pass, in a core file or a debugger's hands.
pub(crate) fn prepare() {
    let files = getrlimit(Resource::Nofile);
    let wanted = [
        (Resource::Nofile, Rlimit { current: files.maximum, maximum: files.maximum }),
        (Resource::Core, Rlimit { current: Some(0), maximum: Some(0) }),
    ];
    for (resource, limit) in wanted {
        if let Err(error) = setrlimit(resource, limit) {
            debug!(?resource, %error, "limit not set");
        }
    }
    if let Err(error) = set_dumpable_behavior(DumpableBehavior::NotDumpable) {
        debug!(%error, "process stays dumpable");
    }
}

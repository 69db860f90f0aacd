//! `access = "polkit"`: the actions of pcsc-lite, so that rules that were written for pcscd go on to count.
//!
//! polkit's `CheckAuthorization`, with the caller's process as the subject: a descriptor of it, which polkit goes by
//! since version 124, and beside it number and beginning for older ones, and for kernels that give no descriptor.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::runtime::Handle;
use zbus::zvariant::{Fd, Value};

use super::bus::{Bus, Object};
use super::{Authority, Refusal};
use crate::caller::Caller;

const AUTHORITY: Object<'static> = Object {
    name: "org.freedesktop.PolicyKit1",
    path: "/org/freedesktop/PolicyKit1/Authority",
    interface: "org.freedesktop.PolicyKit1.Authority",
};
const ACCESS_DAEMON: &str = "org.debian.pcsc-lite.access_pcsc";
const ACCESS_READER: &str = "org.debian.pcsc-lite.access_card";
/// polkit may ask the user, or an administrator, for a password.
const ALLOW_USER_INTERACTION: u32 = 1;

/// Whether polkit authorizes the caller to use the daemon, or that reader.
pub(crate) async fn ask(
    bus: &Arc<Bus>,
    caller: &Caller,
    reader: Option<&str>,
) -> Result<(), Refusal> {
    let action = if reader.is_some() { ACCESS_READER } else { ACCESS_DAEMON };
    let no_answer = |error| Refusal::NoAnswer { authority: Authority::Polkit, error };
    let subject = subject(caller).ok_or(Refusal::Unknown)?;
    let details: HashMap<&str, &str> = reader.map(|name| ("reader", name)).into_iter().collect();
    let mut open = Open::new(bus);
    let arguments = (subject, action, details, ALLOW_USER_INTERACTION, open.id.as_str());
    let answer = bus.call(&AUTHORITY, "CheckAuthorization", &arguments).await;
    open.is_answered = true;
    let (is_authorized, _, _): (bool, bool, HashMap<String, String>) = answer.map_err(no_answer)?;
    if is_authorized { Ok(()) } else { Err(Refusal::NotAuthorized { action }) }
}

/// `(sa{sv})`
type Subject<'a> = (&'static str, HashMap<&'static str, Value<'a>>);

fn subject(caller: &Caller) -> Option<Subject<'_>> {
    let peer = caller.peer();
    let uid = i32::try_from(peer.uid).ok()?;
    let mut details = HashMap::from([("uid", Value::from(uid))]);
    if let Some(process) = caller.process() {
        details.insert("pidfd", Value::from(Fd::from(process)));
    }
    match caller.started() {
        Some(started) => {
            details.insert("pid", Value::from(peer.pid));
            details.insert("start-time", Value::from(started));
        }
        // The descriptor alone is enough for a polkit that knows it.
        None if caller.process().is_some() && caller.lives() => {}
        None => return None,
    }
    Some(("unix-process", details))
}

/// A question at polkit. Dropped without an answer it is taken back, so that no dialog stays on a screen.
struct Open {
    bus: Arc<Bus>,
    id: String,
    is_answered: bool,
}

impl Open {
    fn new(bus: &Arc<Bus>) -> Self {
        static LAST: AtomicU64 = AtomicU64::new(0);
        let number = LAST.fetch_add(1, Ordering::Relaxed);
        Self { bus: Arc::clone(bus), id: format!("scard-rm-{number}"), is_answered: false }
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        let (false, Ok(runtime)) = (self.is_answered, Handle::try_current()) else { return };
        let (bus, id) = (Arc::clone(&self.bus), std::mem::take(&mut self.id));
        runtime.spawn(async move {
            let _: Result<(), _> =
                bus.call(&AUTHORITY, "CancelCheckAuthorization", &(id.as_str(),)).await;
        });
    }
}

//! `access = "seat"`: who sits at this machine, as systemd-logind knows it.
//!
//! It is asked over the bus; the files in `/run/systemd` that hold the same are documented as private to systemd.

use std::collections::HashMap;

use zbus::Error;
use zbus::zvariant::{OwnedObjectPath, OwnedValue};

use super::bus::{Bus, Object};
use super::{Authority, Refusal};
use crate::caller::Caller;

const LOGIND: &str = "org.freedesktop.login1";
const MANAGER: Object<'static> = Object {
    name: LOGIND,
    path: "/org/freedesktop/login1",
    interface: "org.freedesktop.login1.Manager",
};
/// Of a user without a session that has a display.
const NOWHERE: &str = "/";

/// Whether the caller's session is the active one of a local seat.
pub(crate) async fn ask(bus: &Bus, caller: &Caller) -> Result<(), Refusal> {
    if caller.peer().pid == 0 {
        return Err(Refusal::Unknown);
    }
    let found = is_at_a_seat(bus, caller.peer().pid).await;
    // The answer was about a number; it is about the caller if he still has it.
    match found {
        _ if !caller.lives() => Err(Refusal::Unknown),
        Ok(true) => Ok(()),
        Ok(false) => Err(Refusal::NotAtASeat),
        Err(error) => Err(Refusal::NoAnswer { authority: Authority::Logind, error }),
    }
}

async fn is_at_a_seat(bus: &Bus, pid: u32) -> Result<bool, Error> {
    let Some(session) = session_of(bus, pid).await? else { return Ok(false) };
    let all: HashMap<String, OwnedValue> =
        bus.call(&properties(&session), "GetAll", &("org.freedesktop.login1.Session",)).await?;
    let flag = |name: &str| all.get(name).and_then(|value| bool::try_from(value).ok());
    let seat = all.get("Seat").and_then(|value| value.try_clone().ok());
    let seat = seat.and_then(|seat| <(String, OwnedObjectPath)>::try_from(seat).ok());
    let has_seat = seat.is_some_and(|(name, _)| !name.is_empty());
    Ok(flag("Active") == Some(true) && flag("Remote") == Some(false) && has_seat)
}

/// The session of a process; for one that runs beside the sessions, as what `systemd --user` starts, the session with
/// the display of its user.
async fn session_of(bus: &Bus, pid: u32) -> Result<Option<OwnedObjectPath>, Error> {
    match bus.call::<_, OwnedObjectPath>(&MANAGER, "GetSessionByPID", &(pid,)).await {
        Ok(session) => return Ok(Some(session)),
        Err(error) if is(&error, "org.freedesktop.login1.NoSessionForPID") => {}
        Err(error) => return Err(error),
    }
    let user = match bus.call::<_, OwnedObjectPath>(&MANAGER, "GetUserByPID", &(pid,)).await {
        Ok(user) => user,
        Err(error) if is(&error, "org.freedesktop.login1.NoUserForPID") => return Ok(None),
        Err(error) => return Err(error),
    };
    let wanted = ("org.freedesktop.login1.User", "Display");
    let display: OwnedValue = bus.call(&properties(&user), "Get", &wanted).await?;
    let (_, session) = <(String, OwnedObjectPath)>::try_from(display)?;
    Ok((session.as_str() != NOWHERE).then_some(session))
}

fn properties(of: &OwnedObjectPath) -> Object<'_> {
    Object { name: LOGIND, path: of.as_str(), interface: "org.freedesktop.DBus.Properties" }
}

fn is(error: &Error, name: &str) -> bool {
    matches!(error, Error::MethodError(got, _, _) if got.as_str() == name)
}

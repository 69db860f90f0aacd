//! What the log says of those who were kept out: of the daemon, of a reader, of a card that somebody holds.

use std::fmt;

use scard_core::ReaderId;
use scard_types::ShareMode;
use tokio::time::Instant;
use tracing::{info, warn};

use crate::access::{Refusal, Written};
use crate::caller::Caller;
use crate::client::Client;
use crate::notices::Notices;

/// The lines that were written lately.
pub(crate) struct KeptOut {
    /// By reader, process that is refused, process that holds the card.
    violations: Notices<(ReaderId, u32, u32)>,
    /// By user and reader.
    refusals: Notices<(u32, Option<String>)>,
}

/// How somebody holds a card.
#[derive(Clone, Copy)]
pub(crate) struct Hold {
    pub(crate) share: ShareMode,
    pub(crate) in_transaction: bool,
}

impl KeptOut {
    pub(crate) const fn new() -> Self {
        Self { violations: Notices::new(), refusals: Notices::new() }
    }

    /// A client was told of a sharing violation.
    pub(crate) fn of_a_card(
        &mut self,
        reader: (ReaderId, &str),
        refused: &Client,
        holder: &Client,
        hold: Hold,
    ) {
        let key = (reader.0, refused.peer().pid, holder.peer().pid);
        if let Some(repeated) = self.violations.due(Instant::now(), key) {
            let (refused, holder) = (Named(refused.caller()), Named(holder.caller()));
            info!(
                reader = reader.1,
                repeated, "sharing violation: {refused} is refused, {holder} {hold}"
            );
        }
    }

    /// A client was refused what the rules do not grant.
    pub(crate) fn by_a_rule(
        &mut self,
        reader: Option<&str>,
        refused: &Client,
        rule: &Written,
        why: &Refusal,
    ) {
        let uid = refused.peer().uid;
        if let Some(repeated) = self.refusals.due(Instant::now(), (uid, reader.map(str::to_owned)))
        {
            let (refused, advice) = (Named(refused.caller()), Advice { uid, why });
            warn!(reader, repeated, "access refused to {refused} by {rule}: {why}; {advice}");
        }
    }
}

/// `scdaemon (pid 4711, uid 1000)`
pub(crate) struct Named(pub(crate) Caller);

impl fmt::Display for Named {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let peer = self.0.peer();
        match self.0.program() {
            // A program may be called what it likes.
            Some(name) => write!(f, "{}", name.escape_debug())?,
            None => f.write_str("a program")?,
        }
        write!(f, " (pid {}, uid {})", peer.pid, peer.uid)
    }
}

impl fmt::Display for Hold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.share {
            ShareMode::Exclusive => "holds the card exclusively",
            ShareMode::Shared => "shares the card",
            ShareMode::Direct => "holds the reader directly",
        })?;
        f.write_str(if self.in_transaction { ", in a transaction" } else { "" })
    }
}

/// What to write to let somebody in.
struct Advice<'a> {
    uid: u32,
    why: &'a Refusal,
}

impl fmt::Display for Advice<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "to let this user in, add to that rule allow-users = [{}]", self.uid)?;
        match self.why {
            Refusal::NotAuthorized { action } => write!(f, ", or a rule for {action} to polkit"),
            _ => Ok(()),
        }
    }
}

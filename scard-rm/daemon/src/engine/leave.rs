//! Leave: what the rules say to a request before the core hears of it.

use std::collections::BTreeMap;

use scard_core::{ClientId, Event, ReaderId, RequestId};
use scard_types::ScardCode;
use scard_types::call::{Call, ReaderDescription};

use super::State;
use crate::access::{Authority, Need, Question, Refusal, Verdict, Wanted, need};

/// What the rules say.
pub(super) enum Leave {
    /// It may go on.
    Granted,
    /// Somebody has to be asked first.
    Open(Authority),
    /// It may not.
    Refused(Refusal),
}

impl State {
    /// What the rules say to a call.
    pub(super) fn leave(&mut self, id: ClientId, call: &Call) -> Leave {
        if self.rules.policy.is_open() {
            return Leave::Granted;
        }
        let Some(client) = self.clients.get_mut(&id) else { return Leave::Granted };
        let reader = match need(call) {
            Need::Nothing => return Leave::Granted,
            Need::Daemon if client.is_admitted() => return Leave::Granted,
            Need::Daemon => None,
            Need::Reader(name) => match self.core.driver_of(name) {
                Some(driver) => Some(Wanted { name, driver }),
                // The core will say that there is no such reader.
                None => return Leave::Granted,
            },
        };
        let groups = || client.caller().groups();
        match self.rules.policy.judge(client.peer().uid, groups, reader) {
            Verdict::Granted => {
                if reader.is_none() {
                    client.admit();
                }
                Leave::Granted
            }
            Verdict::NotListed => Leave::Refused(Refusal::NotListed),
            Verdict::AskLogind => Leave::Open(Authority::Logind),
            Verdict::AskPolkit => Leave::Open(Authority::Polkit),
        }
    }

    /// Puts a request aside until somebody has given his word about it.
    pub(super) fn question(
        &mut self,
        id: ClientId,
        request: RequestId,
        call: Call,
        authority: Authority,
    ) -> Option<Question> {
        let client = self.clients.get_mut(&id)?;
        client.ask_about();
        Some(Question { request, call, caller: client.caller(), authority })
    }

    /// Tells a client that it may not, and the administrator why.
    ///
    /// DIFFERS: pcscd closes the connection of whom polkit refuses.
    pub(super) fn refuse(
        &mut self,
        id: ClientId,
        request: RequestId,
        reader: Option<&str>,
        why: &Refusal,
    ) {
        let Some(client) = self.clients.get(&id) else { return };
        let driver = reader.and_then(|name| self.core.driver_of(name)).unwrap_or_default();
        let wanted = reader.map(|name| Wanted { name, driver });
        let rule = self.rules.policy.written(wanted);
        self.kept_out.by_a_rule(reader, client, &rule, why);
        self.reply(id, request, &Err(ScardCode::SecurityViolation.into()));
    }

    /// How long a transaction with a reader may be idle, as the rules have it.
    pub(super) fn limit_of(&self, reader: ReaderId) -> Event {
        let name = self.readers.get(&reader).map_or("", crate::slots::Reader::name);
        let driver = self.core.driver_of(name).unwrap_or_default();
        let idle_transaction = self.rules.policy.idle_transaction(Wanted { name, driver });
        Event::ReaderLimited { reader, idle_transaction }
    }

    /// Adds when the processes of holders began, of which the core knows nothing.
    pub(super) fn date_holders(&self, readers: &mut [ReaderDescription]) {
        let mut known = BTreeMap::new();
        for holder in readers.iter_mut().flat_map(|reader| &mut reader.holders) {
            holder.started = *known.entry(holder.peer).or_insert_with(|| {
                self.clients
                    .values()
                    .find(|client| client.peer() == holder.peer)?
                    .caller()
                    .started()
            });
        }
    }
}

//! Connections: their beginning, and an end that leaves no trace.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;

use scard_types::call::{ContextId, Peer};

use crate::Core;
use crate::event::{Action, ClientId, DropReason, RequestId, Wire};
use crate::quotas::Kind;
use crate::requests::Whereabouts;

/// A connection.
pub(crate) struct Client {
    pub(crate) peer: Peer,
    pub(crate) wire: Wire,
    pub(crate) contexts: BTreeSet<ContextId>,
    /// Requests that are owed an answer.
    pub(crate) requests: BTreeMap<RequestId, Whereabouts>,
    /// How many handles it has open.
    pub(crate) handles: u32,
}

impl Core {
    pub(crate) fn client_connected(&mut self, id: ClientId, peer: Peer, wire: Wire) {
        if self.clients.contains_key(&id) {
            return;
        }
        if !self.quotas.take(&self.limits, peer.uid, Kind::Connection) {
            let reason = DropReason::TooManyConnections { uid: peer.uid };
            return self.out.push(Action::Drop { client: id, reason });
        }
        let client =
            Client { peer, wire, contexts: BTreeSet::new(), requests: BTreeMap::new(), handles: 0 };
        self.clients.insert(id, client);
    }

    /// We close a connection: to us it is gone from now on.
    pub(crate) fn drop_client(&mut self, id: ClientId, reason: DropReason) {
        self.out.push(Action::Drop { client: id, reason });
        self.client_gone(id);
    }

    /// A connection ended at whatever point. Its requests are owed to nobody any more; work that a slot already does
    /// for it comes to its end, and the result goes nowhere.
    pub(crate) fn client_gone(&mut self, id: ClientId) {
        let Some(client) = self.clients.get(&id) else { return };
        let contexts: Vec<_> = client.contexts.iter().copied().collect();
        let requests: Vec<_> = client.requests.iter().map(|(id, at)| (*id, *at)).collect();
        for (_, whereabouts) in requests {
            match whereabouts {
                Whereabouts::Parked(reader, place) => drop(self.unpark(reader, place)),
                Whereabouts::Waiting(wait) if !cfg!(scard_fault = "stale_wait") => {
                    drop(self.take_wait(wait));
                }
                Whereabouts::Here | Whereabouts::Waiting(_) => {}
            }
        }
        for context in contexts {
            self.drop_context(context);
        }
        self.forget_watch(id);
        self.subscribers.remove(&id);
        self.forget_trace(id);
        if let Some(client) = self.clients.remove(&id) {
            self.quotas.give_back(client.peer.uid, Kind::Connection);
        }
    }
}

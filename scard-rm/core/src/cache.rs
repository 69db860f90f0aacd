//! The card cache: `SCardReadCache` and `SCardWriteCache`. Each user has a cache of its own, so that nobody can feed
//! another a false certificate. It knows no readers: what is kept of a card stays when the card goes.
//!
//! DIFFERS: Windows has one cache for all users.

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;

use scard_types::ScardCode;
use scard_types::cache::{CacheCall, CacheEntry, MAX_ITEM_BYTES};
use scard_types::call::{Answer, ContextId};
use scard_types::database::{Guid, MAX_NAME_BYTES};

use crate::Core;
use crate::event::ClientId;
use crate::quotas::ROOT;
use crate::requests::Outcome;

/// What an item costs beside its name and its bytes.
const OVERHEAD_BYTES: usize = 128;
/// The most items of a user. Looking for the one that goes first reads them all, so this bounds the time, too.
const MAX_ITEMS_PER_USER: usize = 1_024;

struct Item {
    freshness: u32,
    bytes: Vec<u8>,
    /// When it was read or written last, in steps of the cache.
    used: u64,
}

impl Item {
    fn cost(&self, name: &str) -> usize {
        self.bytes.len() + name.len() + OVERHEAD_BYTES
    }

    /// Whether it is older than what the caller asks for; freshness counts round.
    const fn is_older_than(&self, asked: u32) -> bool {
        let ahead = asked.wrapping_sub(self.freshness);
        ahead != 0 && ahead < 1 << 31
    }
}

#[derive(Default)]
struct Card {
    items: BTreeMap<String, Item>,
    bytes: usize,
}

#[derive(Default)]
struct Shelf {
    cards: BTreeMap<Guid, Card>,
    items: usize,
    bytes: usize,
}

impl Shelf {
    fn remove(&mut self, card: Guid, name: &str) -> usize {
        let Some(shelf) = self.cards.get_mut(&card) else { return 0 };
        let Some(item) = shelf.items.remove(name) else { return 0 };
        let cost = item.cost(name);
        shelf.bytes -= cost;
        if shelf.items.is_empty() {
            self.cards.remove(&card);
        }
        self.items -= 1;
        self.bytes -= cost;
        cost
    }

    /// The item that was not used for the longest time, among those of one card or of all.
    fn stalest(&self, of: Option<Guid>) -> Option<(Guid, String)> {
        let cards = self.cards.iter().filter(|(card, _)| of.is_none_or(|of| of == **card));
        cards
            .flat_map(|(card, shelf)| shelf.items.iter().map(|(name, item)| (*card, name, item)))
            .min_by_key(|(_, _, item)| item.used)
            .map(|(card, name, _)| (card, name.clone()))
    }
}

/// What all users keep.
#[derive(Default)]
pub(crate) struct Cache {
    users: BTreeMap<u32, Shelf>,
    bytes: usize,
    steps: u64,
}

/// How much the cache keeps, in bytes; names and a fixed part for each item are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CacheLimits {
    /// Of one card, for one user.
    pub per_card: usize,
    /// Of one user.
    pub per_user: usize,
    /// Of all users together. Above it the user who has most gives up first.
    pub total: usize,
}

impl Default for CacheLimits {
    fn default() -> Self {
        Self { per_card: 1 << 20, per_user: 4 << 20, total: 64 << 20 }
    }
}

impl Cache {
    fn read(&mut self, uid: u32, card: Guid, freshness: u32, name: &str) -> Outcome {
        let not_found = Outcome::refused(ScardCode::CacheItemNotFound);
        let Some(shelf) = self.users.get_mut(&uid) else { return not_found };
        let Some(items) = shelf.cards.get_mut(&card) else { return not_found };
        let Some(item) = items.items.get_mut(name) else { return not_found };
        if item.freshness == freshness {
            self.steps += 1;
            item.used = self.steps;
            return Outcome::Now(Ok(Answer::CacheItem(item.bytes.clone())));
        }
        // An old reader does not drive out what a newer one wrote.
        if item.is_older_than(freshness) {
            self.forget(uid, card, name);
        }
        Outcome::refused(ScardCode::CacheItemStale)
    }

    fn write(
        &mut self,
        limits: CacheLimits,
        uid: u32,
        card: Guid,
        name: String,
        item: (u32, Vec<u8>),
    ) -> Outcome {
        let (freshness, bytes) = item;
        self.steps += 1;
        let item = Item { freshness, bytes, used: self.steps };
        let cost = item.cost(&name);
        let most = limits.per_card.min(limits.per_user).min(limits.total);
        if item.bytes.len() > MAX_ITEM_BYTES || cost > most {
            return Outcome::refused(ScardCode::CacheItemTooBig);
        }
        self.forget(uid, card, &name);
        self.make_room(limits, uid, card, cost);
        let shelf = self.users.entry(uid).or_default();
        let items = shelf.cards.entry(card).or_default();
        items.items.insert(name, item);
        items.bytes += cost;
        shelf.items += 1;
        shelf.bytes += cost;
        self.bytes += cost;
        Outcome::Now(Ok(Answer::Done))
    }

    /// Lets what was not used for longest go, until `cost` more bytes fit: of that card, of that user, of all.
    fn make_room(&mut self, limits: CacheLimits, uid: u32, card: Guid, cost: usize) {
        loop {
            let shelf = self.users.get(&uid);
            let of_card =
                shelf.and_then(|shelf| shelf.cards.get(&card)).map_or(0, |card| card.bytes);
            let (of_user, items) = shelf.map_or((0, 0), |shelf| (shelf.bytes, shelf.items));
            let victim = if of_card + cost > limits.per_card {
                shelf.and_then(|shelf| shelf.stalest(Some(card))).map(|item| (uid, item))
            } else if of_user + cost > limits.per_user || items >= MAX_ITEMS_PER_USER {
                shelf.and_then(|shelf| shelf.stalest(None)).map(|item| (uid, item))
            } else if self.bytes + cost > limits.total {
                let largest = self.users.iter().max_by_key(|(_, shelf)| shelf.bytes);
                largest.and_then(|(uid, shelf)| shelf.stalest(None).map(|item| (*uid, item)))
            } else {
                None
            };
            let Some((owner, (card, name))) = victim else { return };
            self.forget(owner, card, &name);
        }
    }

    fn forget(&mut self, uid: u32, card: Guid, name: &str) {
        let Some(shelf) = self.users.get_mut(&uid) else { return };
        self.bytes -= shelf.remove(card, name);
        if shelf.items == 0 {
            self.users.remove(&uid);
        }
    }

    fn purge(&mut self, uid: u32, card: Option<Guid>) {
        let Some(shelf) = self.users.get_mut(&uid) else { return };
        let Some(card) = card else {
            self.bytes -= shelf.bytes;
            self.users.remove(&uid);
            return;
        };
        let Some(gone) = shelf.cards.remove(&card) else { return };
        shelf.items -= gone.items.len();
        shelf.bytes -= gone.bytes;
        self.bytes -= gone.bytes;
        if shelf.items == 0 {
            self.users.remove(&uid);
        }
    }

    /// What a user may see described: its own, and everybody's for root.
    fn describe(&self, uid: u32) -> Vec<CacheEntry> {
        let seen = self.users.iter().filter(|(owner, _)| uid == ROOT || uid == **owner);
        seen.flat_map(|(owner, shelf)| {
            shelf.cards.iter().flat_map(move |(card, items)| {
                items.items.iter().map(move |(name, item)| CacheEntry {
                    uid: *owner,
                    card: *card,
                    name: name.clone(),
                    freshness: item.freshness,
                    size_bytes: u32::try_from(item.bytes.len()).unwrap_or(u32::MAX),
                })
            })
        })
        .collect()
    }

    /// How many bytes it keeps, as its limits count them.
    pub(crate) const fn bytes(&self) -> usize {
        self.bytes
    }
}

impl Core {
    /// A call on the cache of the caller's user.
    pub(crate) fn cache_call(
        &mut self,
        client: ClientId,
        context: ContextId,
        call: CacheCall,
    ) -> Outcome {
        if !self.owns_context(client, context) {
            return Outcome::refused(ScardCode::InvalidHandle);
        }
        let Some(uid) = self.clients.get(&client).map(|client| client.peer.uid) else {
            return Outcome::Later;
        };
        match call {
            CacheCall::Read { card, freshness, name } => {
                self.cache.read(uid, card, freshness, &name)
            }
            CacheCall::Write { name, .. } if name.len() > MAX_NAME_BYTES => {
                Outcome::refused(ScardCode::InvalidParameter)
            }
            CacheCall::Write { card, freshness, name, item } => {
                self.cache.write(self.limits.cache, uid, card, name, (freshness, item))
            }
            CacheCall::Describe => Outcome::Now(Ok(Answer::CacheEntries(self.cache.describe(uid)))),
            CacheCall::Purge { card } => {
                self.cache.purge(uid, card);
                Outcome::Now(Ok(Answer::Done))
            }
            // A call that a later version of the words knows.
            _ => Outcome::refused(ScardCode::UnsupportedFeature),
        }
    }
}

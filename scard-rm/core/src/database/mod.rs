//! The smart-card database: card types, other names of readers, groups.
//!
//! Three layers: what the administrator ships as files, what was introduced for the whole system, what a user
//! introduced for itself. An entry hides one of the same name in a layer below. Names and groups hang on the device's
//! identity, not on the reader's name of the day, so they stay when it is plugged in again.
//!
//! A change is seen at once and answered when the daemon has it on disk ([`Action::Store`], [`Event::Stored`]).
//!
//! [`Event::Stored`]: crate::Event::Stored

mod card_types;
mod groups;

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;

use scard_types::ScardCode;
use scard_types::call::{Answer, ContextId};
use scard_types::database::{AtrPattern, CardType, DatabaseCall, Guid};

use crate::Core;
use crate::event::{Action, StoreTicket};
use crate::queue::Asker;
use crate::quotas::ROOT;
use crate::requests::Outcome;

/// The most entries that one user may have in each table; the system has sixteen times as many.
const MAX_ENTRIES_PER_USER: usize = 256;
const MAX_ENTRIES_OF_SYSTEM: usize = 16 * MAX_ENTRIES_PER_USER;

/// The most changes of one user that are on their way to the disk.
const MAX_PENDING_PER_USER: usize = 32;

/// Whose entry it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Owner {
    /// Everybody's: read by all, changed by the administrator.
    System,
    /// One user's.
    User(u32),
}

/// What an entry is found by.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Key {
    /// A card type, by its name.
    CardType(String),
    /// Another name of a reader.
    Alias(String),
    /// A reader in a group.
    Member {
        /// The group.
        group: String,
        /// The reader's identity.
        reader: String,
    },
}

/// What stands under a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// Of a card type.
    CardType {
        /// Which cards are of it.
        pattern: AtrPattern,
        /// The primary service provider.
        primary: Option<Guid>,
        /// The interfaces of its cards.
        interfaces: Vec<Guid>,
        /// Names of its providers by number.
        providers: Vec<(u32, String)>,
    },
    /// Of another name: the reader's identity.
    Alias(String),
    /// Whether the reader is in the group. Every reader is in `SCard$DefaultReaders` until it is taken out.
    Member(bool),
}

/// One entry that is written or, without a value, removed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Whose.
    pub owner: Owner,
    /// Where.
    pub key: Key,
    /// What.
    pub value: Option<Value>,
}

/// A change on its way to the disk.
struct Pending {
    asker: Asker,
    uid: u32,
    changes: Vec<Change>,
    /// What stood there before.
    before: Vec<Option<Value>>,
}

/// Everything that was introduced.
#[derive(Default)]
pub(crate) struct Database {
    shipped: BTreeMap<String, Value>,
    entries: BTreeMap<Owner, BTreeMap<Key, Value>>,
    pending: BTreeMap<StoreTicket, Pending>,
    last_ticket: u64,
}

impl Database {
    fn get(&self, owner: Owner, key: &Key) -> Option<&Value> {
        self.entries.get(&owner)?.get(key)
    }

    fn of(&self, owner: Owner) -> impl Iterator<Item = (&Key, &Value)> {
        self.entries.get(&owner).into_iter().flatten()
    }

    fn put(&mut self, owner: Owner, key: Key, value: Option<Value>) -> Option<Value> {
        let Some(value) = value else {
            let entries = self.entries.get_mut(&owner)?;
            let old = entries.remove(&key);
            if entries.is_empty() {
                self.entries.remove(&owner);
            }
            return old;
        };
        self.entries.entry(owner).or_default().insert(key, value)
    }

    /// Whether an owner may have one more entry of that kind of key.
    fn has_room(&self, owner: Owner, key: &Key) -> bool {
        let most = match owner {
            Owner::System => MAX_ENTRIES_OF_SYSTEM,
            Owner::User(_) => MAX_ENTRIES_PER_USER,
        };
        let kind = core::mem::discriminant(key);
        let like = self.of(owner).filter(|(other, _)| core::mem::discriminant(*other) == kind);
        self.get(owner, key).is_some() || like.count() < most
    }
}

/// Who asks the database, for whom.
#[derive(Clone, Copy)]
struct Caller {
    asker: Asker,
    uid: u32,
    /// Whose entries it changes.
    owner: Owner,
}

impl Core {
    /// Takes in what was on disk, and the card types that the administrator ships as files.
    pub fn load_database(&mut self, shipped: Vec<CardType>, stored: Vec<Change>) {
        self.database.shipped = shipped
            .into_iter()
            .map(|card_type| (card_type.name.clone(), card_types::value_of(card_type)))
            .collect();
        for Change { owner, key, value } in stored {
            self.database.put(owner, key, value);
        }
    }

    /// A call on the database.
    pub(crate) fn database_call(
        &mut self,
        asker: Asker,
        context: ContextId,
        call: DatabaseCall,
    ) -> Outcome {
        let Some(caller) = self.caller(asker, context) else {
            return Outcome::refused(ScardCode::InvalidHandle);
        };
        let changes = match call {
            DatabaseCall::CardTypes { names } => return self.card_types(caller.uid, &names),
            DatabaseCall::ReaderGroups => {
                return Outcome::Now(Ok(Answer::ReaderGroups(self.reader_groups(caller.uid))));
            }
            DatabaseCall::IntroduceCardType(card_type) => self.introduce_card_type(card_type),
            DatabaseCall::ForgetCardType { name } => self.forget_card_type(caller.owner, name),
            DatabaseCall::SetCardTypeProvider { name, provider, value } => {
                self.set_card_type_provider(caller, name, provider, value)
            }
            DatabaseCall::IntroduceReader { name, device } => {
                self.introduce_reader(caller.uid, name, &device)
            }
            DatabaseCall::ForgetReader { name } => self.forget_reader(caller, name),
            DatabaseCall::AddReaderToGroup { reader, group } => {
                self.change_member(caller, &reader, group, true)
            }
            DatabaseCall::RemoveReaderFromGroup { reader, group } => {
                self.change_member(caller, &reader, group, false)
            }
            DatabaseCall::ForgetReaderGroup { group } => self.forget_group(caller.owner, &group),
            // A call that a later version of the words knows.
            _ => Err(ScardCode::UnsupportedFeature),
        };
        match changes {
            Ok(changes) => self.store(caller, changes),
            Err(code) => Outcome::refused(code),
        }
    }

    fn caller(&self, asker: Asker, context: ContextId) -> Option<Caller> {
        let context = self.contexts.get(&context).filter(|own| own.client == asker.client)?;
        let uid = self.clients.get(&asker.client)?.peer.uid;
        let owner = if context.changes_the_system() { Owner::System } else { Owner::User(uid) };
        Some(Caller { asker, uid, owner })
    }

    /// Makes changes, all or none, and answers when they are on disk.
    fn store(&mut self, caller: Caller, changes: Vec<(Key, Option<Value>)>) -> Outcome {
        let Caller { asker, uid, owner } = caller;
        if owner == Owner::System && uid != ROOT && uid != self.limits.administrator {
            return Outcome::refused(ScardCode::NoAccess);
        }
        let on_the_way = self.database.pending.values().filter(|pending| pending.uid == uid);
        if on_the_way.count() >= MAX_PENDING_PER_USER {
            return Outcome::refused(ScardCode::ServerTooBusy);
        }
        let too_many = |(key, value): &(Key, Option<Value>)| {
            value.is_some() && !self.database.has_room(owner, key)
        };
        if changes.iter().any(too_many) {
            return Outcome::refused(ScardCode::NoMemory);
        }
        let changes: Vec<_> =
            changes.into_iter().map(|(key, value)| Change { owner, key, value }).collect();
        let before = changes
            .iter()
            .map(|change| self.database.put(owner, change.key.clone(), change.value.clone()))
            .collect();
        self.database.last_ticket += 1;
        let ticket = StoreTicket(self.database.last_ticket);
        self.out.push(Action::Store { ticket, changes: changes.clone() });
        self.database.pending.insert(ticket, Pending { asker, uid, changes, before });
        Outcome::Later
    }

    /// The disk has it, or will not have it: then things are as before, unless somebody has changed them since.
    pub(crate) fn stored(&mut self, ticket: StoreTicket, kept: bool) {
        let Some(Pending { asker, changes, before, .. }) = self.database.pending.remove(&ticket)
        else {
            return;
        };
        if kept {
            return self.reply(asker, Ok(Answer::Done));
        }
        for (change, before) in changes.into_iter().zip(before) {
            if self.database.get(change.owner, &change.key) == change.value.as_ref() {
                self.database.put(change.owner, change.key, before);
            }
        }
        self.reply(asker, Err(ScardCode::InternalError.into()));
    }
}

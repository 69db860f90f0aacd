//! Other names of readers, and groups of readers. Both hang on the identity of the device.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use scard_types::database::{
    ALL_READERS, DEFAULT_READERS, LOCAL_READERS, ReaderGroup, SYSTEM_READERS,
};
use scard_types::status_change::is_pnp_reader;
use scard_types::{MAX_READER_NAME_BYTES, ScardCode};

use super::card_types::is_name;
use super::{Caller, Key, Owner, Value};
use crate::Core;
use crate::event::{ClientId, ReaderId};

type Changes = Result<Vec<(Key, Option<Value>)>, ScardCode>;

impl Core {
    /// The reader that a user means by a name: the reader's own, or one that the user or the system gave it.
    pub(crate) fn reader_called(&self, uid: u32, name: &str) -> Option<ReaderId> {
        if let Some(id) = self.by_name.get(name) {
            return Some(*id);
        }
        let key = Key::Alias(name.into());
        let alias = [Owner::User(uid), Owner::System]
            .into_iter()
            .find_map(|owner| self.database.get(owner, &key));
        let Some(Value::Alias(identity)) = alias else { return None };
        self.by_identity.get(identity).copied()
    }

    /// The reader that a client means by a name.
    pub(crate) fn reader_of(&self, client: ClientId, name: &str) -> Option<ReaderId> {
        let uid = self.clients.get(&client)?.peer.uid;
        self.reader_called(uid, name)
    }

    /// The other names of a reader, as a user sees them.
    pub(crate) fn aliases_of(&self, uid: u32, reader: ReaderId) -> Vec<String> {
        let Some(reader) = self.readers.get(&reader) else { return Vec::new() };
        let identity = Value::Alias(reader.device.reader());
        let mut names = BTreeMap::new();
        for owner in [Owner::System, Owner::User(uid)] {
            for (key, value) in self.database.of(owner) {
                if let Key::Alias(name) = key {
                    // One that means another reader to this user is not this reader's.
                    names.insert(name, *value == identity);
                }
            }
        }
        names.into_iter().filter(|(_, its)| *its).map(|(name, _)| name.clone()).collect()
    }

    pub(super) fn introduce_reader(&self, uid: u32, name: String, device: &str) -> Changes {
        let Some(id) = self.reader_called(uid, device) else {
            return Err(ScardCode::UnknownReader);
        };
        if !is_name(&name) || name.len() > MAX_READER_NAME_BYTES || is_pnp_reader(&name) {
            return Err(ScardCode::InvalidParameter);
        }
        if self.reader_called(uid, &name).is_some() {
            return Err(ScardCode::DuplicateReader);
        }
        let Some(reader) = self.readers.get(&id) else { return Err(ScardCode::UnknownReader) };
        Ok(alloc::vec![(Key::Alias(name), Some(Value::Alias(reader.device.reader())))])
    }

    /// A name that was given goes; the reader's own name stays, and only its places in groups go.
    pub(super) fn forget_reader(&self, caller: Caller, name: String) -> Changes {
        let key = Key::Alias(name);
        if self.database.get(caller.owner, &key).is_some() {
            return Ok(alloc::vec![(key, None)]);
        }
        let Key::Alias(name) = &key else { return Err(ScardCode::InternalError) };
        let Some(reader) = self.by_name.get(name).and_then(|id| self.readers.get(id)) else {
            return Err(ScardCode::UnknownReader);
        };
        let its = reader.device.reader();
        let places = self.database.of(caller.owner).filter_map(|(key, value)| match key {
            Key::Member { reader, .. } if *reader == its && *value == Value::Member(true) => {
                Some((key.clone(), None))
            }
            _ => None,
        });
        Ok(places.collect())
    }

    pub(super) fn change_member(
        &self,
        caller: Caller,
        reader: &str,
        group: String,
        belongs: bool,
    ) -> Changes {
        if !is_name(&group) || [ALL_READERS, LOCAL_READERS, SYSTEM_READERS].contains(&&*group) {
            return Err(ScardCode::InvalidParameter);
        }
        let id = self.reader_called(caller.uid, reader).ok_or(ScardCode::UnknownReader)?;
        let identity = self.readers.get(&id).map(|reader| reader.device.reader());
        let key = Key::Member { reader: identity.ok_or(ScardCode::UnknownReader)?, group };
        let without = self.belongs_without(caller.owner, &key);
        let value = (belongs != without).then_some(Value::Member(belongs));
        Ok(alloc::vec![(key, value)])
    }

    /// Whether a reader would be in a group if this owner said nothing of it. Every reader is in the group of defaults
    /// of its own accord, and in no other.
    fn belongs_without(&self, owner: Owner, key: &Key) -> bool {
        let by_itself = matches!(key, Key::Member { group, .. } if group == DEFAULT_READERS);
        match (owner, self.database.get(Owner::System, key)) {
            (Owner::User(_), Some(Value::Member(belongs))) => *belongs,
            _ => by_itself,
        }
    }

    pub(super) fn forget_group(&self, owner: Owner, group: &str) -> Changes {
        if [ALL_READERS, DEFAULT_READERS, LOCAL_READERS, SYSTEM_READERS].contains(&group) {
            return Err(ScardCode::InvalidParameter);
        }
        let members = self.database.of(owner).filter_map(|(key, _)| match key {
            Key::Member { group: other, .. } if other == group => Some((key.clone(), None)),
            _ => None,
        });
        Ok(members.collect())
    }

    /// The groups that have a reader, as a user sees them, with the readers that are there by the names it knows.
    pub(super) fn reader_groups(&self, uid: u32) -> Vec<ReaderGroup> {
        let mut places: BTreeMap<(&str, &str), bool> = BTreeMap::new();
        for owner in [Owner::System, Owner::User(uid)] {
            for (key, value) in self.database.of(owner) {
                if let (Key::Member { group, reader }, Value::Member(belongs)) = (key, value) {
                    places.insert((group, reader), *belongs);
                }
            }
        }
        let mut groups: BTreeMap<&str, Vec<String>> = BTreeMap::new();
        let named: BTreeSet<&str> =
            places.keys().map(|(group, _)| *group).chain([DEFAULT_READERS]).collect();
        for (id, reader) in self.readers_with_numbers() {
            let identity = reader.device.reader();
            let mut called = vec![String::from(reader.name.as_str())];
            called.extend(self.aliases_of(uid, id));
            for group in &named {
                let by_itself = *group == DEFAULT_READERS;
                let belongs = places.get(&(*group, identity.as_str()));
                if belongs.copied().unwrap_or(by_itself) {
                    groups.entry(group).or_default().extend_from_slice(&called);
                }
            }
        }
        let group =
            |(name, readers): (&str, Vec<String>)| ReaderGroup { name: name.into(), readers };
        groups.into_iter().map(group).collect()
    }
}

//! Card types: which ATRs are of which card, and which modules serve it.

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;

use scard_types::ScardCode;
use scard_types::call::Answer;
use scard_types::database::{CardType, MAX_INTERFACES, MAX_NAME_BYTES, MAX_PROVIDER_BYTES, Scope};

use super::{Caller, Key, Owner, Value};
use crate::Core;
use crate::requests::Outcome;

/// The most providers of one card type.
const MAX_PROVIDERS: usize = 16;

type Changes = Result<Vec<(Key, Option<Value>)>, ScardCode>;

pub(super) fn value_of(card_type: CardType) -> Value {
    let CardType { pattern, primary, interfaces, providers, .. } = card_type;
    Value::CardType { pattern, primary, interfaces, providers }
}

fn card_type(name: &str, value: &Value, scope: Scope) -> Option<CardType> {
    let Value::CardType { pattern, primary, interfaces, providers } = value else { return None };
    Some(CardType {
        name: name.into(),
        pattern: pattern.clone(),
        primary: *primary,
        interfaces: interfaces.clone(),
        providers: providers.clone(),
        scope,
    })
}

impl Core {
    /// The card types that a user sees, in the order of the names asked for, or by name.
    pub(super) fn card_types(&self, uid: u32, names: &[String]) -> Outcome {
        let mut seen: BTreeMap<&str, CardType> = BTreeMap::new();
        let shipped =
            self.database.shipped.iter().map(|(name, value)| (name, value, Scope::System));
        let of = |owner, scope| {
            self.database.of(owner).filter_map(move |(key, value)| match key {
                Key::CardType(name) => Some((name, value, scope)),
                _ => None,
            })
        };
        // A later layer hides an earlier one.
        let layers = shipped
            .chain(of(Owner::System, Scope::System))
            .chain(of(Owner::User(uid), Scope::User));
        for (name, value, scope) in layers {
            seen.extend(card_type(name, value, scope).map(|entry| (name.as_str(), entry)));
        }
        let chosen = if names.is_empty() {
            Some(seen.into_values().collect())
        } else {
            names.iter().map(|name| seen.get(name.as_str()).cloned()).collect::<Option<Vec<_>>>()
        };
        match chosen {
            Some(card_types) => Outcome::Now(Ok(Answer::CardTypes(card_types))),
            None => Outcome::refused(ScardCode::UnknownCard),
        }
    }

    pub(super) fn introduce_card_type(&self, card_type: CardType) -> Changes {
        let providers = &card_type.providers;
        let fits = is_name(&card_type.name)
            && card_type.interfaces.len() <= MAX_INTERFACES
            && providers.len() <= MAX_PROVIDERS
            && providers.iter().all(|(_, value)| value.len() <= MAX_PROVIDER_BYTES);
        if !fits {
            return Err(ScardCode::InvalidParameter);
        }
        Ok(alloc::vec![(Key::CardType(card_type.name.clone()), Some(value_of(card_type)))])
    }

    pub(super) fn forget_card_type(&self, owner: Owner, name: String) -> Changes {
        let is_shipped = owner == Owner::System && self.database.shipped.contains_key(&name);
        let key = Key::CardType(name);
        match self.database.get(owner, &key) {
            Some(_) => Ok(alloc::vec![(key, None)]),
            // It stands in a file of the administrator's, not in the store.
            None if is_shipped => Err(ScardCode::NoAccess),
            None => Err(ScardCode::UnknownCard),
        }
    }

    /// The whole entry is kept in the caller's scope from then on, so that a user may have another module than others.
    pub(super) fn set_card_type_provider(
        &self,
        caller: Caller,
        name: String,
        provider: u32,
        value: String,
    ) -> Changes {
        if value.is_empty() || value.len() > MAX_PROVIDER_BYTES {
            return Err(ScardCode::InvalidParameter);
        }
        let key = Key::CardType(name);
        let Key::CardType(name) = &key else { return Err(ScardCode::InternalError) };
        let own = (caller.owner != Owner::System).then(|| self.database.get(caller.owner, &key));
        let entry = own
            .flatten()
            .or_else(|| self.database.get(Owner::System, &key))
            .or_else(|| self.database.shipped.get(name));
        let Some(mut entry) = entry.cloned() else { return Err(ScardCode::UnknownCard) };
        let Value::CardType { providers, .. } = &mut entry else {
            return Err(ScardCode::InternalError);
        };
        match providers.iter().position(|(number, _)| *number == provider) {
            Some(at) => providers[at].1 = value,
            None if providers.len() >= MAX_PROVIDERS => return Err(ScardCode::NoMemory),
            None => providers.push((provider, value)),
        }
        Ok(alloc::vec![(key, Some(entry))])
    }
}

/// Whether a text can be the name of something: not empty, not too long, and no character that ends it elsewhere.
pub(super) fn is_name(name: &str) -> bool {
    !name.is_empty() && name.len() <= MAX_NAME_BYTES && !name.chars().any(char::is_control)
}

//! Entries of the database as text: keys and values are JSON, so that an administrator can read them, and a later
//! version can tell its own from ours.

use scard_core::{Change, Key, Owner, Value};
use scard_types::database::{AtrPattern, Guid};
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct KeyText {
    /// Absent: the system's.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    user: Option<u32>,
    #[serde(flatten)]
    what: What,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum What {
    CardType(String),
    ReaderName(String),
    Member { group: String, reader: String },
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
enum ValueText {
    CardType {
        atr: String,
        mask: String,
        #[serde(skip_serializing_if = "Option::is_none", default)]
        primary: Option<String>,
        #[serde(skip_serializing_if = "Vec::is_empty", default)]
        interfaces: Vec<String>,
        #[serde(skip_serializing_if = "Vec::is_empty", default)]
        providers: Vec<(u32, String)>,
    },
    Reader(String),
    Belongs(bool),
}

/// The texts of a change; the second is missing where the entry is to go.
pub(super) fn write(change: &Change) -> Option<(String, Option<String>)> {
    let user = match change.owner {
        Owner::System => None,
        Owner::User(uid) => Some(uid),
    };
    let what = match &change.key {
        Key::CardType(name) => What::CardType(name.clone()),
        Key::Alias(name) => What::ReaderName(name.clone()),
        Key::Member { group, reader } => {
            What::Member { group: group.clone(), reader: reader.clone() }
        }
    };
    let key = serde_json::to_string(&KeyText { user, what }).ok()?;
    let value = change.value.as_ref().map(|value| match value {
        Value::CardType { pattern, primary, interfaces, providers } => ValueText::CardType {
            atr: hex(pattern.atr()),
            mask: hex(pattern.mask()),
            primary: primary.map(|guid| guid.to_string()),
            interfaces: interfaces.iter().map(Guid::to_string).collect(),
            providers: providers.clone(),
        },
        Value::Alias(reader) => ValueText::Reader(reader.clone()),
        Value::Member(belongs) => ValueText::Belongs(*belongs),
    });
    let value = match value {
        Some(value) => Some(serde_json::to_string(&value).ok()?),
        None => None,
    };
    Some((key, value))
}

/// The entry that two texts say; `None` if they make no sense.
pub(super) fn read(key: &str, value: &str) -> Option<Change> {
    let KeyText { user, what } = serde_json::from_str(key).ok()?;
    let owner = user.map_or(Owner::System, Owner::User);
    let (key, value) = match (what, serde_json::from_str(value).ok()?) {
        (
            What::CardType(name),
            ValueText::CardType { atr, mask, primary, interfaces, providers },
        ) => {
            let value = Value::CardType {
                pattern: AtrPattern::new(bytes(&atr)?, bytes(&mask)?)?,
                primary: match primary {
                    Some(text) => Some(text.parse().ok()?),
                    None => None,
                },
                interfaces: interfaces
                    .iter()
                    .map(|text| text.parse().ok())
                    .collect::<Option<_>>()?,
                providers,
            };
            (Key::CardType(name), value)
        }
        (What::ReaderName(name), ValueText::Reader(reader)) => {
            (Key::Alias(name), Value::Alias(reader))
        }
        (What::Member { group, reader }, ValueText::Belongs(belongs)) => {
            (Key::Member { group, reader }, Value::Member(belongs))
        }
        _ => return None,
    };
    Some(Change { owner, key, value: Some(value) })
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02X}")).collect()
}

pub(crate) fn bytes(hex: &str) -> Option<Vec<u8>> {
    let digits: Vec<char> = hex.chars().filter(|digit| !matches!(digit, ' ' | ':')).collect();
    let byte = |pair: &[char]| match pair {
        [high, low] => {
            let value = (high.to_digit(16)? << 4) | low.to_digit(16)?;
            u8::try_from(value).ok()
        }
        _ => None,
    };
    digits.chunks(2).map(byte).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(change: &Change, key: &str, value: &str) {
        let texts = write(change).expect("texts");
        assert_eq!(texts, (key.to_owned(), Some(value.to_owned())));
        assert_eq!(read(key, value).as_ref(), Some(change));
        for end in 0..value.len() {
            assert_eq!(read(key, &value[..end]), None);
        }
    }

    #[test]
    fn every_kind_of_entry_comes_back_as_it_went() {
        let card_type = Change {
            owner: Owner::System,
            key: Key::CardType("A \"card\"".into()),
            value: Some(Value::CardType {
                pattern: AtrPattern::new(vec![0x3B, 0], vec![0xFF, 0]).expect("a pattern"),
                primary: Some(Guid([1; 16])),
                interfaces: vec![],
                providers: vec![(0x8000_0001, "/m.so".into())],
            }),
        };
        check(
            &card_type,
            r#"{"card-type":"A \"card\""}"#,
            r#"{"card-type":{"atr":"3B00","mask":"FF00","primary":"{01010101-0101-0101-0101-010101010101}","providers":[[2147483649,"/m.so"]]}}"#,
        );
        let alias = Change {
            owner: Owner::User(7),
            key: Key::Alias("Desk".into()),
            value: Some(Value::Alias("usb:1/0".into())),
        };
        check(&alias, r#"{"user":7,"reader-name":"Desk"}"#, r#"{"reader":"usb:1/0"}"#);
        let member = Change {
            owner: Owner::User(7),
            key: Key::Member { group: "G".into(), reader: "usb:1/0".into() },
            value: Some(Value::Member(false)),
        };
        check(
            &member,
            r#"{"user":7,"member":{"group":"G","reader":"usb:1/0"}}"#,
            r#"{"belongs":false}"#,
        );
        let gone = Change { value: None, ..alias };
        assert_eq!(write(&gone), Some((r#"{"user":7,"reader-name":"Desk"}"#.into(), None)));
    }

    #[test]
    fn what_makes_no_sense_is_none() {
        let name = r#"{"reader-name":"x"}"#;
        for (key, value) in [
            ("", ""),
            (name, ""),
            (name, r#"{"belongs":true}"#),
            (r#"{"reader-name":"x","more":1}"#, r#"{"belongs":true}"#),
            (r#"{"card-type":"x"}"#, r#"{"card-type":{"atr":"3B","mask":"0"}}"#),
            (r#"{"card-type":"x"}"#, r#"{"card-type":{"atr":"3B","mask":"00"}}"#),
            (r#"{"card-type":"x"}"#, r#"{"card-type":{"atr":"3B","mask":"FF","primary":"x"}}"#),
        ] {
            assert_eq!(read(key, value), None, "{key} {value}");
        }
    }
}

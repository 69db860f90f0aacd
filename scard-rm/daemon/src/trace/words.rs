//! What calls are made with and what they bring, in the words of the field.

use scard_types::cache::CacheCall;
use scard_types::call::{Answer, Call, KnownReader, Refusal, Sharing};
use scard_types::database::DatabaseCall;
use scard_types::trace::{Item, Value};
use scard_types::{Character, Disposition, Protocol, Protocols, ShareMode, status_change};

/// More readers than this of one wait are a number.
const READERS: usize = 16;

/// The arguments of a call. The command of a Transmit is none of them.
pub(super) fn arguments(call: &Call) -> Vec<Item> {
    match call {
        Call::EstablishContext { scope, character } => {
            let rules = match character {
                Character::PcscLite => "pcsc-lite",
                Character::Windows => "Windows",
            };
            vec![Item::number("scope", *scope), Item::text("rules", rules)]
        }
        Call::ReleaseContext { context }
        | Call::ListReaders { context }
        | Call::Cancel { context } => vec![Item::number("context", context.0)],
        Call::Connect { context, share, protocols, reader: _ } => {
            vec![Item::number("context", context.0), shared(*share), accepted(*protocols)]
        }
        Call::Reconnect { card, share, protocols, initialization } => vec![
            Item::number("card", card.0),
            shared(*share),
            accepted(*protocols),
            disposed(*initialization),
        ],
        Call::Disconnect { card, disposition } | Call::EndTransaction { card, disposition } => {
            vec![Item::number("card", card.0), disposed(*disposition)]
        }
        Call::BeginTransaction { card } | Call::Status { card } => {
            vec![Item::number("card", card.0)]
        }
        Call::Transmit { card, protocol, command, receive_limit } => vec![
            Item::number("card", card.0),
            Item::text("protocol", protocol.map_or("as negotiated", protocol_word)),
            Item::length("command_bytes", command.len()),
            Item::number("receive_limit", *receive_limit),
        ],
        Call::Control { card, code, input, output_limit } => vec![
            Item::number("card", card.0),
            Item::text("code", format!("0x{code:08X}")),
            Item::length("input_bytes", input.len()),
            Item::number("output_limit", *output_limit),
        ],
        Call::GetAttribute { card, tag } => {
            vec![Item::number("card", card.0), Item::text("tag", format!("0x{tag:08X}"))]
        }
        Call::SetAttribute { card, tag, value } => vec![
            Item::number("card", card.0),
            Item::text("tag", format!("0x{tag:08X}")),
            Item::length("value_bytes", value.len()),
        ],
        Call::StatusChange { context, timeout_ms, readers } => {
            let timeout = match timeout_ms {
                Some(ms) => Item::number("timeout_ms", *ms),
                None => Item::text("timeout_ms", "for ever"),
            };
            let names = |reader: &KnownReader| reader.name.clone();
            let states = |reader: &KnownReader| state_words(reader.current_state);
            vec![
                Item::number("context", context.0),
                timeout,
                Item::length("reader_count", readers.len()),
                texts("readers", readers.iter().map(names)),
                texts("known", readers.iter().map(states)),
            ]
        }
        Call::Database { context, call } => {
            [vec![Item::number("context", context.0)], named(call)].concat()
        }
        Call::Cache { context, call } => {
            [vec![Item::number("context", context.0)], cached(call)].concat()
        }
        Call::ReaderIcon { context, reader } => {
            vec![Item::number("context", context.0), Item::text("name", reader.clone())]
        }
        Call::Audit { context, event } => {
            vec![Item::number("context", context.0), Item::number("event", *event)]
        }
        Call::ReaderDevices { context } | Call::AuditTrail { context } => {
            vec![Item::number("context", context.0)]
        }
        Call::TransmitCount { card } => vec![Item::number("card", card.0)],
        // Without arguments.
        _ => Vec::new(),
    }
}

/// What a call of the database is about.
fn named(call: &DatabaseCall) -> Vec<Item> {
    let text = |name, text: &String| Item::text(name, text.clone());
    match call {
        DatabaseCall::CardTypes { names } => vec![texts("names", names.iter().cloned())],
        DatabaseCall::IntroduceCardType(card) => vec![text("name", &card.name)],
        DatabaseCall::ForgetCardType { name } | DatabaseCall::ForgetReader { name } => {
            vec![text("name", name)]
        }
        DatabaseCall::SetCardTypeProvider { name, provider, value } => {
            vec![text("name", name), Item::number("provider", *provider), text("value", value)]
        }
        DatabaseCall::IntroduceReader { name, device } => {
            vec![text("name", name), text("device", device)]
        }
        DatabaseCall::AddReaderToGroup { reader, group }
        | DatabaseCall::RemoveReaderFromGroup { reader, group } => {
            vec![text("name", reader), text("group", group)]
        }
        DatabaseCall::ForgetReaderGroup { group } => vec![text("group", group)],
        // Without arguments.
        _ => Vec::new(),
    }
}

/// What a call of the card cache is about. What is kept there is its user's.
fn cached(call: &CacheCall) -> Vec<Item> {
    match call {
        CacheCall::Read { name, freshness, .. } => {
            vec![Item::text("name", name.clone()), Item::number("freshness", *freshness)]
        }
        CacheCall::Write { name, freshness, item, .. } => vec![
            Item::text("name", name.clone()),
            Item::number("freshness", *freshness),
            Item::length("item_bytes", item.len()),
        ],
        _ => Vec::new(),
    }
}

/// What a call brought. The response of a Transmit is none of it.
pub(super) fn results(answer: &Answer) -> Vec<Item> {
    match answer {
        Answer::Context(context) => vec![Item::number("context", context.0)],
        Answer::Connected { card, protocol } => {
            vec![Item::number("card", card.0), spoken(*protocol)]
        }
        Answer::Reconnected { protocol } => vec![spoken(*protocol)],
        Answer::Transmitted { protocol, response } => {
            vec![spoken(Some(*protocol)), Item::length("response_bytes", response.len())]
        }
        Answer::Controlled(output) => vec![Item::length("output_bytes", output.len())],
        Answer::Attribute(value) => vec![Item::length("value_bytes", value.len())],
        Answer::Status(reader) => {
            let sharing = match reader.sharing {
                Sharing::Free => "free",
                Sharing::Shared(_) => "shared",
                Sharing::Exclusive => "exclusive",
            };
            let atr = reader.atr.map_or(String::new(), |atr| atr.to_string());
            let counter = Item::number("counter", reader.event_counter);
            vec![Item::text("atr", atr), Item::text("sharing", sharing), counter]
        }
        Answer::Readers(names) => {
            vec![
                Item::length("reader_count", names.len()),
                texts("readers", names.iter().map(ToString::to_string)),
            ]
        }
        Answer::StatusChange { changed, readers } => {
            let states = readers.iter().map(|reader| state_words(reader.event_state));
            let changed = if *changed { "yes" } else { "no" };
            vec![Item::text("changed", changed), texts("states", states)]
        }
        Answer::Stopped { was_watching } => {
            vec![Item::text("was_watching", if *was_watching { "yes" } else { "no" })]
        }
        Answer::ReaderTable(table) => {
            vec![Item::length("reader_count", table.iter().flatten().count())]
        }
        Answer::ReaderEvents(events) => vec![Item::number("events", *events)],
        Answer::Described(readers) => vec![Item::length("reader_count", readers.len())],
        // Nothing but success.
        _ => Vec::new(),
    }
}

/// What a refusal says beside its code.
pub(super) fn needed(refusal: Refusal) -> Vec<Item> {
    refusal.needed.map(|bytes| Item::number("needed_bytes", bytes)).into_iter().collect()
}

fn texts(name: &'static str, texts: impl Iterator<Item = String>) -> Item {
    Item { name: name.into(), value: Value::Texts(texts.take(READERS).collect()) }
}

fn shared(share: ShareMode) -> Item {
    let word = match share {
        ShareMode::Exclusive => "exclusive",
        ShareMode::Shared => "shared",
        ShareMode::Direct => "direct",
    };
    Item::text("share", word)
}

fn accepted(protocols: Protocols) -> Item {
    let all = [Protocol::T0, Protocol::T1, Protocol::Raw];
    let accepted = all.into_iter().filter(|protocol| protocols.contains(*protocol));
    texts("protocols", accepted.map(|protocol| protocol.to_string()))
}

fn spoken(protocol: Option<Protocol>) -> Item {
    Item::text("protocol", protocol.map_or("none", protocol_word))
}

const fn protocol_word(protocol: Protocol) -> &'static str {
    match protocol {
        Protocol::T0 => "T=0",
        Protocol::T1 => "T=1",
        Protocol::Raw => "raw",
    }
}

fn disposed(disposition: Disposition) -> Item {
    let word = match disposition {
        Disposition::Leave => "leave",
        Disposition::Reset => "reset",
        Disposition::Unpower => "unpower",
        Disposition::Eject => "eject",
    };
    Item::text("disposition", word)
}

/// `dwCurrentState` and `dwEventState`: the names of their bits, and the counter of events if it is not 0.
fn state_words(state: u32) -> String {
    const BITS: [(u32, &str); 10] = [
        (status_change::IGNORE, "ignore"),
        (status_change::CHANGED, "changed"),
        (status_change::UNKNOWN, "unknown"),
        (status_change::UNAVAILABLE, "unavailable"),
        (status_change::EMPTY, "empty"),
        (status_change::PRESENT, "present"),
        (status_change::ATRMATCH, "atrmatch"),
        (status_change::EXCLUSIVE, "exclusive"),
        (status_change::INUSE, "inuse"),
        (status_change::MUTE, "mute"),
    ];
    if state == status_change::UNAWARE {
        return "unaware".to_owned();
    }
    let set = BITS.iter().filter(|(bit, _)| state & bit != 0).map(|(_, word)| (*word).to_owned());
    let counter = Some(state >> 16).filter(|counter| *counter != 0);
    let words = set.chain(counter.map(|counter| format!("#{counter}")));
    words.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_is_said_in_words() {
        for (state, expected) in [
            (0, "unaware"),
            (0x0003_0122, "changed present inuse #3"),
            (0x0010, "empty"),
            (0x0001_0000, "#1"),
        ] {
            assert_eq!(state_words(state), expected);
        }
    }
}

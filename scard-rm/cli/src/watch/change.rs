//! What an event changed, in words.

use std::collections::BTreeMap;

use scard_client::ReaderEntry;
use scard_types::CardState;
use scard_types::call::{ReaderEvent, Sharing};
use serde::Serialize;

use super::source::News;
use crate::list::{card_word, sharing_word};

/// One change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Change {
    event: Kind,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) reader: Option<String>,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    state: Option<State>,
}

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
enum Kind {
    /// The reader was there when the watch began.
    ReaderThere,
    ReaderArrived,
    ReaderGone,
    CardInserted,
    CardRemoved,
    /// Removed and inserted again, or another one.
    CardReplaced,
    /// The card answers no more, or again, or the driver cannot tell any more.
    CardChanged,
    SharingChanged,
    /// Everything before this was there when the watch began.
    Watching,
    /// Another resource manager is there, and what it has follows.
    Restarted,
}

/// How things stand after it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct State {
    card: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    atr: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    product: Option<&'static str>,
    sharing: &'static str,
    handles: u32,
    counter: u32,
}

/// A change with its time.
#[derive(Serialize)]
pub(super) struct Timed<'a> {
    time: &'a str,
    #[serde(flatten)]
    change: &'a Change,
}

/// Holds each event against what was there before.
#[derive(Debug, Default)]
pub(super) struct Changes {
    readers: BTreeMap<String, ReaderEntry>,
    is_watching: bool,
}

impl Changes {
    /// What an event changed: several things at once, or nothing that is worth a word.
    pub(super) fn of(&mut self, news: News) -> Vec<Change> {
        match news {
            News::Reader(event) => self.of_reader(event),
            News::Restarted => {
                *self = Self::default();
                vec![Change { event: Kind::Restarted, reader: None, state: None }]
            }
        }
    }

    fn of_reader(&mut self, event: ReaderEvent) -> Vec<Change> {
        match event {
            ReaderEvent::ReaderArrived(entry) => {
                let kind = if self.is_watching { Kind::ReaderArrived } else { Kind::ReaderThere };
                let change = Change::of_reader(kind, &entry);
                self.readers.insert(entry.name.to_string(), entry);
                vec![change]
            }
            ReaderEvent::ReaderGone(name) => {
                self.readers.remove(name.as_str());
                let reader = Some(name.to_string());
                vec![Change { event: Kind::ReaderGone, reader, state: None }]
            }
            ReaderEvent::StateChanged(entry) => {
                let before = self.readers.insert(entry.name.to_string(), entry.clone());
                let kinds = before.map_or(vec![Kind::CardChanged], |before| kinds(&before, &entry));
                kinds.into_iter().map(|kind| Change::of_reader(kind, &entry)).collect()
            }
            ReaderEvent::Caught => {
                self.is_watching = true;
                vec![Change { event: Kind::Watching, reader: None, state: None }]
            }
            // An event of a later version: nothing that has words here.
            _ => Vec::new(),
        }
    }
}

fn kinds(before: &ReaderEntry, after: &ReaderEntry) -> Vec<Kind> {
    let has_card = |entry: &ReaderEntry| {
        matches!(entry.state, CardState::Swallowed | CardState::Negotiable | CardState::Specific)
    };
    let counted = before.event_counter != after.event_counter;
    let mut kinds = Vec::new();
    match (has_card(before), has_card(after)) {
        (false, true) => kinds.push(Kind::CardInserted),
        (true, false) => kinds.push(Kind::CardRemoved),
        (true, true) if counted => kinds.push(Kind::CardReplaced),
        _ if card_word(before.state) != card_word(after.state) || before.atr != after.atr => {
            kinds.push(Kind::CardChanged);
        }
        _ => {}
    }
    if before.sharing != after.sharing {
        kinds.push(Kind::SharingChanged);
    }
    kinds
}

impl Change {
    fn of_reader(event: Kind, entry: &ReaderEntry) -> Self {
        let state = State {
            card: card_word(entry.state),
            atr: entry.atr.map(|atr| atr.to_string()),
            product: entry.atr.as_ref().and_then(crate::atr::card_name),
            sharing: sharing_word(entry.sharing),
            handles: match entry.sharing {
                Sharing::Free => 0,
                Sharing::Shared(handles) => handles,
                Sharing::Exclusive => 1,
            },
            counter: entry.event_counter,
        };
        Self { event, reader: Some(entry.name.to_string()), state: Some(state) }
    }

    pub(super) const fn timed<'a>(&'a self, time: &'a str) -> Timed<'a> {
        Timed { time, change: self }
    }

    /// The change for people.
    pub(super) fn words(&self) -> String {
        let state = self.state.as_ref();
        let card = state.map_or(String::new(), |state| match (&state.atr, state.product) {
            (Some(atr), Some(product)) => format!(": {atr} ({product})"),
            (Some(atr), None) => format!(": {atr}"),
            (None, _) => String::new(),
        });
        let content = state.map_or("", |state| match state.card {
            "absent" => "no card",
            "mute" => "a card that does not answer",
            "present" => "a card",
            _ => "the driver cannot tell whether there is a card",
        });
        match self.event {
            Kind::ReaderThere => format!("{content}{card}"),
            Kind::ReaderArrived => format!("reader arrived, {content}{card}"),
            Kind::ReaderGone => "reader gone".to_owned(),
            Kind::CardInserted => format!("card inserted{card}"),
            Kind::CardRemoved => "card removed".to_owned(),
            Kind::CardReplaced => format!("card replaced{card}"),
            Kind::CardChanged => format!("now {content}{card}"),
            Kind::SharingChanged => match state.map(|state| (state.sharing, state.handles)) {
                Some(("exclusive", _)) => "held exclusively".to_owned(),
                Some(("shared", 1)) => "held by 1 handle".to_owned(),
                Some(("shared", handles)) => format!("held by {handles} handles"),
                Some(_) | None => "free".to_owned(),
            },
            Kind::Watching => "watching".to_owned(),
            Kind::Restarted => "the resource manager was restarted".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use scard_client::{Atr, ReaderName};

    fn entry(counter: u32, has_card: bool, sharing: Sharing) -> ReaderEntry {
        ReaderEntry {
            name: ReaderName::new("R").unwrap(),
            event_counter: counter,
            state: if has_card { CardState::Negotiable } else { CardState::Absent },
            sharing,
            atr: has_card.then(|| Atr::new(&[0x3B, 0x00]).unwrap()),
            protocol: None,
        }
    }

    #[test]
    fn each_event_becomes_the_words_for_what_changed() {
        let events = [
            (ReaderEvent::ReaderArrived(entry(0, false, Sharing::Free)), "no card"),
            (ReaderEvent::Caught, "watching"),
            (ReaderEvent::StateChanged(entry(1, true, Sharing::Free)), "card inserted: 3B 00"),
            (ReaderEvent::StateChanged(entry(1, true, Sharing::Shared(1))), "held by 1 handle"),
            (ReaderEvent::StateChanged(entry(1, true, Sharing::Exclusive)), "held exclusively"),
            (
                ReaderEvent::StateChanged(entry(3, true, Sharing::Free)),
                "card replaced: 3B 00; free",
            ),
            (ReaderEvent::StateChanged(entry(4, false, Sharing::Free)), "card removed"),
            (ReaderEvent::StateChanged(entry(4, false, Sharing::Free)), ""),
            (ReaderEvent::ReaderGone(ReaderName::new("R").unwrap()), "reader gone"),
            (
                ReaderEvent::ReaderArrived(entry(0, true, Sharing::Free)),
                "reader arrived, a card: 3B 00",
            ),
        ];
        let mut changes = Changes::default();
        for (event, expected) in events {
            let words: Vec<String> = changes.of_reader(event).iter().map(Change::words).collect();
            assert_eq!(words.join("; "), expected);
        }
    }

    #[test]
    fn a_program_reads_one_flat_object() {
        let change = Change::of_reader(Kind::CardInserted, &entry(1, true, Sharing::Free));
        assert_eq!(
            serde_json::to_string(&change.timed("2026-01-02T03:04:05.678Z")).unwrap(),
            r#"{"time":"2026-01-02T03:04:05.678Z","event":"card-inserted","reader":"R","#
                .to_owned()
                + r#""card":"present","atr":"3B 00","sharing":"free","handles":0,"counter":1}"#
        );
    }
}

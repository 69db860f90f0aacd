//! An event of a trace as it is shown: for programs one flat object, whose members [docs/trace.md] lists.

use std::collections::BTreeMap;
use std::time::Duration;

use scard_types::Atr;
use scard_types::call::Peer;
use scard_types::trace::{
    Dialect, Item, ReaderTrace, TraceEvent, Traced, TracedAnswer, TracedCall, Value,
};
use serde::{Serialize, Serializer};

use crate::apdu::{Exchange, Parts};
use crate::process;

/// Who is there, and how far the answers of cards have come.
#[derive(Debug, Default)]
pub(super) struct Scene {
    clients: BTreeMap<u64, Who>,
    answers: BTreeMap<String, Parts>,
}

/// A client.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Who {
    pub(super) client: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) pid: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) uid: Option<u32>,
    /// Its program, if it could be found out in time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) program: Option<String>,
}

impl Scene {
    /// Takes note of who comes, and of what was missed.
    pub(super) fn note(&mut self, traced: &Traced) {
        match &traced.event {
            TraceEvent::ClientArrived { client, peer, .. } => {
                self.clients.insert(*client, Who::new(*client, *peer));
            }
            TraceEvent::Lost { .. } => self.answers.clear(),
            _ => {}
        }
    }

    pub(super) fn pid(&self, client: u64) -> Option<u32> {
        self.clients.get(&client).and_then(|who| who.pid)
    }

    /// A client whose arrival was missed has a number and nothing else.
    fn who(&self, client: u64) -> Who {
        let unknown = || Who { client, pid: None, uid: None, program: None };
        self.clients.get(&client).cloned().unwrap_or_else(unknown)
    }
}

impl Who {
    fn new(client: u64, peer: Peer) -> Self {
        let program = process::program(peer, None).map(|program| program.name);
        Self { client, pid: Some(peer.pid), uid: Some(peer.uid), program }
    }
}

/// An event with all that is said of it.
#[derive(Debug, Default, Serialize)]
pub(super) struct Entry<'t> {
    pub(super) time: String,
    pub(super) event: Kind,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub(super) who: Option<Who>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) wire: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) reader: Option<&'t str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) atr: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) call: Option<&'t str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    number: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "items")]
    pub(super) arguments: Option<&'t [Item]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) code: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "items")]
    pub(super) results: Option<&'t [Item]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) took_us: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) apdu: Option<Exchange>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) unanswered: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) events: Option<u64>,
}

/// What happened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Kind {
    ClientArrived,
    ClientGone,
    Waits,
    Call,
    WatchFired,
    WatchCancelled,
    ReaderArrived,
    ReaderGone,
    CardInserted,
    CardRemoved,
    CardReplaced,
    CardPoweredOn,
    CardReset,
    CardPoweredOff,
    CardMute,
    /// Events are missing here.
    Lost,
    /// Everything before this was there when the trace began.
    Tracing,
    /// Of a later version.
    #[default]
    Unknown,
}

impl<'t> Entry<'t> {
    pub(super) fn new(traced: &'t Traced, scene: &mut Scene) -> Self {
        let mut entry = Self { time: stamp(traced.time_us), ..Self::default() };
        match &traced.event {
            TraceEvent::ClientArrived { client, dialect, .. } => {
                entry.of(Kind::ClientArrived, scene, *client);
                entry.wire = Some(match dialect {
                    Dialect::PcscLite { minor } => format!("pcsc-lite 4:{minor}"),
                    Dialect::Native { version } => format!("native {version}"),
                });
            }
            TraceEvent::ClientGone { client, unanswered } => {
                entry.of(Kind::ClientGone, scene, *client);
                entry.unanswered = Some(*unanswered);
                scene.clients.remove(client);
            }
            TraceEvent::Waits(call) => entry.called(Kind::Waits, scene, call),
            TraceEvent::Answered(call, answer) => {
                entry.called(Kind::Call, scene, call);
                entry.answered(scene, call, answer);
            }
            TraceEvent::WatchFired { client, cancelled } => {
                let kind = if *cancelled { Kind::WatchCancelled } else { Kind::WatchFired };
                entry.of(kind, scene, *client);
            }
            TraceEvent::Reader { reader, what } => {
                entry.reader = Some(reader.as_str());
                let (kind, atr) = reader_event(what);
                entry.event = kind;
                entry.atr = atr.map(ToString::to_string);
                if kind != Kind::CardMute {
                    scene.answers.remove(reader.as_str());
                }
            }
            TraceEvent::Lost { events } => {
                entry.event = Kind::Lost;
                entry.events = Some(*events);
            }
            TraceEvent::Begins => entry.event = Kind::Tracing,
            _ => {}
        }
        entry
    }

    fn of(&mut self, kind: Kind, scene: &Scene, client: u64) {
        self.event = kind;
        self.who = Some(scene.who(client));
    }

    fn called(&mut self, kind: Kind, scene: &Scene, call: &'t TracedCall) {
        self.of(kind, scene, call.client);
        self.call = Some(&call.name);
        self.number = Some(call.number);
        self.reader = call.reader.as_deref();
        self.arguments = Some(&call.arguments);
    }

    fn answered(&mut self, scene: &mut Scene, call: &TracedCall, answer: &'t TracedAnswer) {
        self.code = Some(answer.refusal.map_or("SCARD_S_SUCCESS", |code| code.name()));
        self.results = Some(&answer.results);
        self.took_us = Some(answer.took_us);
        self.apdu = answer.exchange.as_ref().map(|exchange| {
            let reader = call.reader.clone().unwrap_or_default();
            let parts = scene.answers.entry(reader).or_default();
            let elapsed = Duration::from_micros(exchange.took_us);
            Exchange::new(&exchange.command, exchange.response.as_ref(), parts, elapsed)
        });
    }

    /// Without what the card was told and answered.
    pub(super) fn leave_out_the_card(&mut self) {
        self.apdu = None;
    }
}

fn reader_event(what: &ReaderTrace) -> (Kind, Option<&Atr>) {
    match what {
        ReaderTrace::Arrived => (Kind::ReaderArrived, None),
        ReaderTrace::Gone => (Kind::ReaderGone, None),
        ReaderTrace::Inserted => (Kind::CardInserted, None),
        ReaderTrace::Removed => (Kind::CardRemoved, None),
        ReaderTrace::Replaced => (Kind::CardReplaced, None),
        ReaderTrace::PoweredOn(atr) => (Kind::CardPoweredOn, Some(atr)),
        ReaderTrace::Reset(atr) => (Kind::CardReset, Some(atr)),
        ReaderTrace::PoweredOff => (Kind::CardPoweredOff, None),
        ReaderTrace::Mute => (Kind::CardMute, None),
    }
}

/// An object, in the order in which the items stand.
fn items<S: Serializer>(items: &Option<&[Item]>, serializer: S) -> Result<S::Ok, S::Error> {
    let items = items.unwrap_or_default();
    serializer.collect_map(items.iter().map(|item| (&item.name, Shown(&item.value))))
}

/// A value for programs.
struct Shown<'v>(&'v Value);

impl Serialize for Shown<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Value::Number(number) => serializer.serialize_u32(*number),
            Value::Text(text) => serializer.serialize_str(text),
            Value::Texts(texts) => serializer.collect_seq(texts),
        }
    }
}

/// The time in UTC, to the microsecond.
fn stamp(time_us: u64) -> String {
    let time = time::OffsetDateTime::UNIX_EPOCH + Duration::from_micros(time_us);
    let (date, clock) = (time.date(), time.time());
    format!(
        "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:06}Z",
        date.year(),
        u8::from(date.month()),
        date.day(),
        clock.hour(),
        clock.minute(),
        clock.second(),
        clock.microsecond()
    )
}

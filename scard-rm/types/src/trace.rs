//! What a trace tells: which client did what with which card. Bodies are [`Masked`] before they become part of it, and
//! what may hold a secret in a way that nobody can look into (control codes, attributes, commands for drivers) is a
//! length.

use alloc::borrow::Cow;
use alloc::string::String;
use alloc::vec::Vec;

use crate::call::Peer;
use crate::mask::Masked;
use crate::{Atr, ReaderName, ScardCode};

/// Something that happened, and when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Traced {
    /// Microseconds since 1970 in UTC.
    pub time_us: u64,
    /// What.
    pub event: TraceEvent,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TraceEvent {
    /// A client says its first word, or was there when the trace began.
    ClientArrived {
        /// Its number in this trace.
        client: u64,
        /// Who it is.
        peer: Peer,
        /// What it speaks.
        dialect: Dialect,
    },
    /// A client is gone.
    ClientGone {
        /// Its number.
        client: u64,
        /// How many of its calls were under way.
        unanswered: u32,
    },
    /// A call has to wait: for another's transaction, for a reader that is busy, for something to change.
    Waits(TracedCall),
    /// A call is answered.
    Answered(TracedCall, TracedAnswer),
    /// Somebody who had registered for the next change is told, without a call (pcsc-lite's wire).
    WatchFired {
        /// Who.
        client: u64,
        /// Whether it was cancelled instead.
        cancelled: bool,
    },
    /// Something happened to a card or a reader.
    Reader {
        /// Which.
        reader: ReaderName,
        /// What.
        what: ReaderTrace,
    },
    /// So many events are missing here: whoever reads this trace did not read in time.
    Lost {
        /// How many.
        events: u64,
    },
    /// The trace begins; all that stands before it was there already.
    Begins,
}

/// What a client speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// pcsc-lite's wire 4:minor, the newest if the client named none.
    PcscLite {
        /// The minor version.
        minor: u16,
    },
    /// Our own.
    Native {
        /// Its version.
        version: u16,
    },
}

/// What happened to a reader or its card.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReaderTrace {
    /// The reader came.
    Arrived,
    /// The reader went.
    Gone,
    /// A card came.
    Inserted,
    /// The card went.
    Removed,
    /// Another card, or the same one again.
    Replaced,
    /// The card was powered on, a cold reset.
    PoweredOn(Atr),
    /// The card was reset, keeping its power.
    Reset(Atr),
    /// The card has no power any more.
    PoweredOff,
    /// The card does not answer to power on or reset.
    Mute,
}

/// A call, without what is secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TracedCall {
    /// Who calls.
    pub client: u64,
    /// The number of the call, unique among those of this client that are under way.
    pub number: u32,
    /// What it is, [`crate::call::Call::name`].
    pub name: Cow<'static, str>,
    /// The reader that it is about.
    pub reader: Option<String>,
    /// What it was called with.
    pub arguments: Vec<Item>,
}

/// What a call brought.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TracedAnswer {
    /// Why it failed; `None`: it did not.
    pub refusal: Option<ScardCode>,
    /// What it brought.
    pub results: Vec<Item>,
    /// From the call to the answer, in microseconds.
    pub took_us: u64,
    /// What was said with the card.
    pub exchange: Option<TracedExchange>,
}

/// A command and its response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TracedExchange {
    /// The command, as far as it is no secret.
    pub command: Masked,
    /// The response, as far as it is no secret; `None` if there was none.
    pub response: Option<Masked>,
    /// From the turn of the command to the answer, in microseconds; 0 if the card never got it.
    pub took_us: u64,
}

/// A value with its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// What it is: a lower-case word.
    pub name: Cow<'static, str>,
    /// The value.
    pub value: Value,
}

/// What an argument or a result is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// A number.
    Number(u32),
    /// A word, or somebody's text.
    Text(Cow<'static, str>),
    /// Several texts.
    Texts(Vec<String>),
}

impl Item {
    /// A number with its name.
    #[must_use]
    pub const fn number(name: &'static str, number: u32) -> Self {
        Self { name: Cow::Borrowed(name), value: Value::Number(number) }
    }

    /// A text with its name.
    #[must_use]
    pub fn text(name: &'static str, text: impl Into<Cow<'static, str>>) -> Self {
        Self { name: Cow::Borrowed(name), value: Value::Text(text.into()) }
    }

    /// How many bytes of something there were.
    #[must_use]
    pub fn length(name: &'static str, bytes: usize) -> Self {
        Self::number(name, u32::try_from(bytes).unwrap_or(u32::MAX))
    }
}

//! Pushes of a trace, in both directions of the translation.

use alloc::borrow::Cow;
use alloc::string::String;
use alloc::vec::Vec;

use scard_types::ScardCode;
use scard_types::call::Peer;
use scard_types::mask::Masked;
use scard_types::trace::{
    Dialect, Item, ReaderTrace, TraceEvent, Traced, TracedAnswer, TracedCall, TracedExchange, Value,
};

use super::frame::{self, ReplyKind};
use super::words::{Reader, Words};

/// Writes an event of a trace into `out` as one frame.
pub fn encode_trace(traced: &Traced, out: &mut Vec<u8>) {
    let kind = match &traced.event {
        TraceEvent::ClientArrived { .. } => ReplyKind::TraceClient,
        TraceEvent::ClientGone { .. } => ReplyKind::TraceClientGone,
        TraceEvent::Waits(_) => ReplyKind::TraceWaits,
        TraceEvent::Answered(..) => ReplyKind::TraceAnswered,
        TraceEvent::WatchFired { .. } => ReplyKind::TraceFired,
        TraceEvent::Reader { .. } => ReplyKind::TraceReader,
        TraceEvent::Lost { .. } => ReplyKind::TraceLost,
        TraceEvent::Begins => ReplyKind::TraceBegins,
        // An event of a later day: this wire has no kind for it.
        _ => return,
    };
    let start = frame::open(0, kind.number(), out);
    out.long(traced.time_us);
    match &traced.event {
        TraceEvent::ClientArrived { client, peer, dialect } => {
            out.long(*client);
            out.word(peer.uid);
            out.word(peer.gid);
            out.word(peer.pid);
            let (dialect, version) = match dialect {
                Dialect::PcscLite { minor } => (0, *minor),
                Dialect::Native { version } => (1, *version),
            };
            out.byte(dialect);
            out.extend_from_slice(&version.to_le_bytes());
        }
        TraceEvent::ClientGone { client, unanswered } => {
            out.long(*client);
            out.word(*unanswered);
        }
        TraceEvent::Waits(call) => encode_call(call, out),
        TraceEvent::Answered(call, answer) => {
            encode_call(call, out);
            encode_answer(answer, out);
        }
        TraceEvent::WatchFired { client, cancelled } => {
            out.long(*client);
            out.byte(u8::from(*cancelled));
        }
        TraceEvent::Reader { reader, what } => {
            out.text(reader.as_str());
            encode_what(*what, out);
        }
        TraceEvent::Lost { events } => out.long(*events),
        _ => {}
    }
    frame::close(start, &[], out);
}

fn encode_what(what: ReaderTrace, out: &mut Vec<u8>) {
    let (number, atr) = match what {
        ReaderTrace::Arrived => (0, None),
        ReaderTrace::Gone => (1, None),
        ReaderTrace::Inserted => (2, None),
        ReaderTrace::Removed => (3, None),
        ReaderTrace::Replaced => (4, None),
        ReaderTrace::PoweredOn(atr) => (5, Some(atr)),
        ReaderTrace::Reset(atr) => (6, Some(atr)),
        ReaderTrace::PoweredOff => (7, None),
        ReaderTrace::Mute => (8, None),
    };
    out.byte(number);
    out.atr(atr.as_ref());
}

fn encode_call(call: &TracedCall, out: &mut Vec<u8>) {
    out.long(call.client);
    out.word(call.number);
    out.text(&call.name);
    out.byte(u8::from(call.reader.is_some()));
    out.text(call.reader.as_deref().unwrap_or_default());
    encode_items(&call.arguments, out);
}

fn encode_answer(answer: &TracedAnswer, out: &mut Vec<u8>) {
    out.word(answer.refusal.map_or(0, ScardCode::number));
    encode_items(&answer.results, out);
    out.long(answer.took_us);
    out.byte(u8::from(answer.exchange.is_some()));
    if let Some(exchange) = &answer.exchange {
        encode_masked(&exchange.command, out);
        out.byte(u8::from(exchange.response.is_some()));
        if let Some(response) = &exchange.response {
            encode_masked(response, out);
        }
        out.long(exchange.took_us);
    }
}

fn encode_items(items: &[Item], out: &mut Vec<u8>) {
    out.length(items.len());
    for item in items {
        out.text(&item.name);
        match &item.value {
            Value::Number(number) => {
                out.byte(0);
                out.word(*number);
            }
            Value::Text(text) => {
                out.byte(1);
                out.text(text);
            }
            Value::Texts(texts) => {
                out.byte(2);
                out.length(texts.len());
                for text in texts {
                    out.text(text);
                }
            }
        }
    }
}

fn encode_masked(masked: &Masked, out: &mut Vec<u8>) {
    out.length(masked.shown().len());
    out.extend_from_slice(masked.shown());
    out.byte(u8::from(masked.hidden().is_some()));
    out.word(masked.hidden().unwrap_or(0));
}

/// Reads the body of a push of a trace; `None` if it is broken or none.
pub(crate) fn decode(kind: ReplyKind, body: &[u8]) -> Option<Traced> {
    let mut body = Reader(body);
    let time_us = body.long()?;
    let event = match kind {
        ReplyKind::TraceClient => TraceEvent::ClientArrived {
            client: body.long()?,
            peer: Peer { uid: body.word()?, gid: body.word()?, pid: body.word()? },
            dialect: match (body.byte()?, u16::from_le_bytes([body.byte()?, body.byte()?])) {
                (0, minor) => Dialect::PcscLite { minor },
                (1, version) => Dialect::Native { version },
                _ => return None,
            },
        },
        ReplyKind::TraceClientGone => {
            TraceEvent::ClientGone { client: body.long()?, unanswered: body.word()? }
        }
        ReplyKind::TraceWaits => TraceEvent::Waits(call(&mut body)?),
        ReplyKind::TraceAnswered => TraceEvent::Answered(call(&mut body)?, answer(&mut body)?),
        ReplyKind::TraceFired => {
            TraceEvent::WatchFired { client: body.long()?, cancelled: body.flag()? }
        }
        ReplyKind::TraceReader => {
            TraceEvent::Reader { reader: body.reader_name()?, what: what(&mut body)? }
        }
        ReplyKind::TraceLost => TraceEvent::Lost { events: body.long()? },
        ReplyKind::TraceBegins => TraceEvent::Begins,
        _ => return None,
    };
    body.end()?;
    Some(Traced { time_us, event })
}

fn what(body: &mut Reader<'_>) -> Option<ReaderTrace> {
    Some(match (body.byte()?, body.atr()?) {
        (0, None) => ReaderTrace::Arrived,
        (1, None) => ReaderTrace::Gone,
        (2, None) => ReaderTrace::Inserted,
        (3, None) => ReaderTrace::Removed,
        (4, None) => ReaderTrace::Replaced,
        (5, Some(atr)) => ReaderTrace::PoweredOn(atr),
        (6, Some(atr)) => ReaderTrace::Reset(atr),
        (7, None) => ReaderTrace::PoweredOff,
        (8, None) => ReaderTrace::Mute,
        _ => return None,
    })
}

fn call(body: &mut Reader<'_>) -> Option<TracedCall> {
    Some(TracedCall {
        client: body.long()?,
        number: body.word()?,
        name: name(body)?,
        reader: {
            let (is_named, text) = (body.flag()?, body.text()?);
            if !is_named && !text.is_empty() {
                return None;
            }
            is_named.then(|| String::from(text))
        },
        arguments: body.list(item)?,
    })
}

fn answer(body: &mut Reader<'_>) -> Option<TracedAnswer> {
    Some(TracedAnswer {
        refusal: match body.word()? {
            0 => None,
            number => Some(ScardCode::from_number(number)?),
        },
        results: body.list(item)?,
        took_us: body.long()?,
        exchange: if body.flag()? { Some(exchange(body)?) } else { None },
    })
}

fn exchange(body: &mut Reader<'_>) -> Option<TracedExchange> {
    Some(TracedExchange {
        command: masked(body)?,
        response: if body.flag()? { Some(masked(body)?) } else { None },
        took_us: body.long()?,
    })
}

fn item(body: &mut Reader<'_>) -> Option<Item> {
    let name = name(body)?;
    let value = match body.byte()? {
        0 => Value::Number(body.word()?),
        1 => Value::Text(Cow::Owned(body.owned_text()?)),
        2 => Value::Texts(body.list(Reader::owned_text)?),
        _ => return None,
    };
    Some(Item { name, value })
}

fn masked(body: &mut Reader<'_>) -> Option<Masked> {
    let shown = body.bytes()?.to_vec();
    match (body.flag()?, body.word()?) {
        (true, hidden) => Some(Masked::told(shown, Some(hidden))),
        (false, 0) => Some(Masked::told(shown, None)),
        (false, _) => None,
    }
}

fn name(body: &mut Reader<'_>) -> Option<Cow<'static, str>> {
    body.owned_text().map(Cow::Owned)
}

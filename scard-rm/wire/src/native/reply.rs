//! Replies and pushes, in both directions of the translation.

use alloc::string::String;
use alloc::vec::Vec;

use scard_types::ScardCode;
use scard_types::apdu::MAX_BUFFER_BYTES;
use scard_types::call::{
    Answer, CardHandle, ContextId, Holder, Peer, ReaderDescription, ReaderEvent, Refusal, Reply,
    SeenReader,
};

use super::database;
use super::frame::{self, MAX_REPLY_BYTES, ReplyKind};
use super::words::{Reader, Words};

/// Writes a reply into `out` as one frame; what is returned goes out right behind it, in the same write.
///
/// An answer larger than a frame may be goes out as `E_NO_MEMORY`, one that belongs to the other dialect as
/// `E_UNSUPPORTED_FEATURE`.
pub fn encode_reply<'r>(number: u32, reply: &'r Reply, out: &mut Vec<u8>) -> &'r [u8] {
    let start = out.len();
    let refusal = match reply {
        Err(refusal) => *refusal,
        Ok(answer) => match encode_answer(number, answer, out) {
            Ok(tail) if frame::close(start, tail, out) <= MAX_REPLY_BYTES => return tail,
            Ok(_) => ScardCode::NoMemory.into(),
            Err(code) => code.into(),
        },
    };
    out.truncate(start);
    frame::open(number, ReplyKind::Refused.number(), out);
    out.word(refusal.code.number());
    out.byte(u8::from(refusal.needed.is_some()));
    out.word(refusal.needed.unwrap_or(0));
    frame::close(start, &[], out);
    &[]
}

/// Writes a push into `out` as one frame.
pub fn encode_push(event: &ReaderEvent, out: &mut Vec<u8>) {
    let (kind, entry) = match event {
        ReaderEvent::ReaderArrived(entry) => (ReplyKind::ReaderArrived, Some(entry)),
        ReaderEvent::StateChanged(entry) => (ReplyKind::StateChanged, Some(entry)),
        ReaderEvent::ReaderGone(_) => (ReplyKind::ReaderGone, None),
        ReaderEvent::Caught => (ReplyKind::Caught, None),
        // An event of a later day: this wire has no kind for it.
        _ => return,
    };
    let start = frame::open(0, kind.number(), out);
    if let Some(entry) = entry {
        out.reader(entry);
    }
    if let ReaderEvent::ReaderGone(name) = event {
        out.text(name.as_str());
    }
    frame::close(start, &[], out);
}

fn encode_answer<'r>(
    number: u32,
    answer: &'r Answer,
    out: &mut Vec<u8>,
) -> Result<&'r [u8], ScardCode> {
    frame::open(number, kind_of(answer)?.number(), out);
    let mut tail: &[u8] = &[];
    match answer {
        Answer::Context(context) => out.word(context.0),
        Answer::Connected { card, protocol } => {
            out.word(card.0);
            out.protocol(*protocol);
        }
        Answer::Reconnected { protocol } => out.protocol(*protocol),
        Answer::Transmitted { protocol, response } => {
            out.protocol(Some(*protocol));
            out.length(response.len());
            tail = response.expose();
        }
        Answer::Controlled(output) => {
            out.length(output.len());
            tail = output.expose();
        }
        Answer::Attribute(value) => {
            out.length(value.len());
            tail = value;
        }
        Answer::Status(entry) => out.reader(entry),
        Answer::Readers(names) => {
            out.length(names.len());
            for name in names {
                out.text(name.as_str());
            }
        }
        Answer::StatusChange { changed, readers } => {
            out.byte(u8::from(*changed));
            out.length(readers.len());
            for reader in readers {
                out.word(reader.event_state);
                out.atr(reader.atr.as_ref());
            }
        }
        Answer::Described(readers) => {
            out.length(readers.len());
            for reader in readers {
                encode_description(reader, out);
            }
        }
        // Without a body, or of the database; `kind_of` knows the others.
        other => tail = database::encode_answer(other, out),
    }
    Ok(tail)
}

fn encode_description(description: &ReaderDescription, out: &mut Vec<u8>) {
    out.reader(&description.entry);
    out.text(&description.driver);
    out.length(description.holders.len());
    for holder in &description.holders {
        out.word(holder.peer.uid);
        out.word(holder.peer.gid);
        out.word(holder.peer.pid);
        out.long(holder.started.unwrap_or(0));
        out.share(holder.share);
        out.byte(u8::from(holder.in_transaction));
    }
}

/// Reads the body of a reply; `None` if it is broken.
pub(crate) fn decode_reply(kind: ReplyKind, body: &[u8]) -> Option<Reply> {
    let mut body = Reader(body);
    let answer = match kind {
        ReplyKind::Refused => {
            let code = ScardCode::from_number(body.word()?).unwrap_or(ScardCode::UnknownError);
            let (has_size, size) = (body.flag()?, body.word()?);
            body.end()?;
            return Some(Err(Refusal { code, needed: has_size.then_some(size) }));
        }
        ReplyKind::Done => Answer::Done,
        ReplyKind::Context => Answer::Context(ContextId(body.word()?)),
        ReplyKind::Connected => {
            Answer::Connected { card: CardHandle(body.word()?), protocol: body.protocol()? }
        }
        ReplyKind::Reconnected => Answer::Reconnected { protocol: body.protocol()? },
        ReplyKind::Transmitted => {
            let (protocol, response) = (body.protocol()??, body.secret()?);
            if response.len() > MAX_BUFFER_BYTES {
                return None;
            }
            Answer::Transmitted { protocol, response }
        }
        ReplyKind::Controlled => Answer::Controlled(body.secret()?),
        ReplyKind::Attribute => Answer::Attribute(body.bytes()?.to_vec()),
        ReplyKind::Status => Answer::Status(body.reader()?),
        ReplyKind::Readers => Answer::Readers(body.list(Reader::reader_name)?),
        ReplyKind::StatusChange => Answer::StatusChange {
            changed: body.flag()?,
            readers: body
                .list(|body| Some(SeenReader { event_state: body.word()?, atr: body.atr()? }))?,
        },
        ReplyKind::Described => Answer::Described(body.list(description)?),
        other => database::decode_answer(other, &mut body)?,
    };
    body.end()?;
    Some(Ok(answer))
}

/// Reads the body of a push; `None` if it is broken or none.
pub(crate) fn decode_push(kind: ReplyKind, body: &[u8]) -> Option<ReaderEvent> {
    let mut body = Reader(body);
    let event = match kind {
        ReplyKind::ReaderArrived => ReaderEvent::ReaderArrived(body.reader()?),
        ReplyKind::StateChanged => ReaderEvent::StateChanged(body.reader()?),
        ReplyKind::ReaderGone => ReaderEvent::ReaderGone(body.reader_name()?),
        ReplyKind::Caught => ReaderEvent::Caught,
        _ => return None,
    };
    body.end()?;
    Some(event)
}

fn description(body: &mut Reader<'_>) -> Option<ReaderDescription> {
    Some(ReaderDescription {
        entry: body.reader()?,
        driver: body.text().map(String::from)?,
        holders: body.list(|body| {
            Some(Holder {
                peer: Peer { uid: body.word()?, gid: body.word()?, pid: body.word()? },
                started: body.long().map(|started| Some(started).filter(|at| *at != 0))?,
                share: body.share()?,
                in_transaction: body.flag()?,
            })
        })?,
    })
}

fn kind_of(answer: &Answer) -> Result<ReplyKind, ScardCode> {
    Ok(match answer {
        Answer::Done => ReplyKind::Done,
        Answer::Context(_) => ReplyKind::Context,
        Answer::Connected { .. } => ReplyKind::Connected,
        Answer::Reconnected { .. } => ReplyKind::Reconnected,
        Answer::Transmitted { .. } => ReplyKind::Transmitted,
        Answer::Controlled(_) => ReplyKind::Controlled,
        Answer::Attribute(_) => ReplyKind::Attribute,
        Answer::Status(_) => ReplyKind::Status,
        Answer::Readers(_) => ReplyKind::Readers,
        Answer::StatusChange { .. } => ReplyKind::StatusChange,
        Answer::Described(_) => ReplyKind::Described,
        other => return database::reply_kind_of(other).ok_or(ScardCode::UnsupportedFeature),
    })
}

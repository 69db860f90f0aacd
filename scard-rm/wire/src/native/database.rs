//! The calls that only Windows has: the smart-card database, the cache, devices of readers, the audit.

use alloc::string::String;
use alloc::vec::Vec;

use scard_types::ScardCode;
use scard_types::cache::{CacheCall, CacheEntry};
use scard_types::call::{
    Answer, AuditEvent, AuditRecord, Call, CardHandle, ContextId, Peer, ReaderDevice,
};
use scard_types::database::{
    AtrPattern, CardType, DatabaseCall, Guid, MAX_INTERFACES, ReaderGroup, Scope,
};

use super::frame::{ReplyKind, RequestKind};
use super::words::{Reader, Words};

/// Which kind of request a call is; `None` if it is none of these.
pub(crate) fn kind_of(call: &Call) -> Option<RequestKind> {
    Some(match call {
        Call::Database { call, .. } => match call {
            DatabaseCall::CardTypes { .. } => RequestKind::CardTypes,
            DatabaseCall::IntroduceCardType(_) => RequestKind::IntroduceCardType,
            DatabaseCall::ForgetCardType { .. } => RequestKind::ForgetCardType,
            DatabaseCall::SetCardTypeProvider { .. } => RequestKind::SetCardTypeProvider,
            DatabaseCall::IntroduceReader { .. } => RequestKind::IntroduceReader,
            DatabaseCall::ForgetReader { .. } => RequestKind::ForgetReader,
            DatabaseCall::ReaderGroups => RequestKind::ReaderGroups,
            DatabaseCall::AddReaderToGroup { .. } => RequestKind::AddReaderToGroup,
            DatabaseCall::RemoveReaderFromGroup { .. } => RequestKind::RemoveReaderFromGroup,
            DatabaseCall::ForgetReaderGroup { .. } => RequestKind::ForgetReaderGroup,
            _ => return None,
        },
        Call::Cache { call, .. } => match call {
            CacheCall::Read { .. } => RequestKind::ReadCache,
            CacheCall::Write { .. } => RequestKind::WriteCache,
            CacheCall::Describe => RequestKind::DescribeCache,
            CacheCall::Purge { .. } => RequestKind::PurgeCache,
            _ => return None,
        },
        Call::ReaderDevices { .. } => RequestKind::ReaderDevices,
        Call::ReaderIcon { .. } => RequestKind::ReaderIcon,
        Call::TransmitCount { .. } => RequestKind::TransmitCount,
        Call::Audit { .. } => RequestKind::Audit,
        Call::AuditTrail { .. } => RequestKind::AuditTrail,
        _ => return None,
    })
}

/// Writes the body of a request; what is returned goes out right behind it.
pub(crate) fn encode_call<'c>(call: &'c Call, out: &mut Vec<u8>) -> &'c [u8] {
    match call {
        Call::Database { context, call } => {
            out.word(context.0);
            encode_database(call, out);
        }
        Call::Cache { context, call } => {
            out.word(context.0);
            return encode_cache(call, out);
        }
        Call::ReaderDevices { context } | Call::AuditTrail { context } => out.word(context.0),
        Call::ReaderIcon { context, reader } => {
            out.word(context.0);
            out.text(reader);
        }
        Call::TransmitCount { card } => out.word(card.0),
        Call::Audit { context, event } => {
            out.word(context.0);
            out.word(*event);
        }
        // `kind_of` knows no others.
        _ => {}
    }
    &[]
}

fn encode_database(call: &DatabaseCall, out: &mut Vec<u8>) {
    match call {
        DatabaseCall::CardTypes { names } => texts(names, out),
        DatabaseCall::IntroduceCardType(card_type) => encode_card_type(card_type, out),
        DatabaseCall::ForgetCardType { name } | DatabaseCall::ForgetReader { name } => {
            out.text(name);
        }
        DatabaseCall::SetCardTypeProvider { name, provider, value } => {
            out.text(name);
            out.word(*provider);
            out.text(value);
        }
        DatabaseCall::IntroduceReader { name, device } => {
            out.text(name);
            out.text(device);
        }
        DatabaseCall::AddReaderToGroup { reader, group }
        | DatabaseCall::RemoveReaderFromGroup { reader, group } => {
            out.text(reader);
            out.text(group);
        }
        DatabaseCall::ForgetReaderGroup { group } => out.text(group),
        // Without a body beside the context; `kind_of` knows the others.
        _ => {}
    }
}

fn encode_cache<'c>(call: &'c CacheCall, out: &mut Vec<u8>) -> &'c [u8] {
    match call {
        CacheCall::Read { card, freshness, name } => item(*card, *freshness, name, out),
        CacheCall::Write { card, freshness, name, item: bytes } => {
            item(*card, *freshness, name, out);
            out.length(bytes.len());
            return bytes;
        }
        CacheCall::Purge { card } => {
            out.byte(u8::from(card.is_some()));
            out.guid(card.unwrap_or_default());
        }
        // Without a body beside the context; `kind_of` knows the others.
        _ => {}
    }
    &[]
}

fn item(card: Guid, freshness: u32, name: &str, out: &mut Vec<u8>) {
    out.guid(card);
    out.word(freshness);
    out.text(name);
}

/// Reads the body of a request; `None` if it is broken or of another kind.
pub(crate) fn decode_call(kind: RequestKind, body: &mut Reader<'_>) -> Option<Call> {
    if let RequestKind::TransmitCount = kind {
        return Some(Call::TransmitCount { card: CardHandle(body.word()?) });
    }
    let context = ContextId(body.word()?);
    let database = |call| Some(Call::Database { context, call });
    let cache = |call| Some(Call::Cache { context, call });
    match kind {
        RequestKind::CardTypes => {
            database(DatabaseCall::CardTypes { names: body.list(Reader::owned_text)? })
        }
        RequestKind::IntroduceCardType => {
            database(DatabaseCall::IntroduceCardType(card_type(body)?))
        }
        RequestKind::ForgetCardType => {
            database(DatabaseCall::ForgetCardType { name: body.owned_text()? })
        }
        RequestKind::SetCardTypeProvider => database(DatabaseCall::SetCardTypeProvider {
            name: body.owned_text()?,
            provider: body.word()?,
            value: body.owned_text()?,
        }),
        RequestKind::IntroduceReader => database(DatabaseCall::IntroduceReader {
            name: body.owned_text()?,
            device: body.owned_text()?,
        }),
        RequestKind::ForgetReader => {
            database(DatabaseCall::ForgetReader { name: body.owned_text()? })
        }
        RequestKind::ReaderGroups => database(DatabaseCall::ReaderGroups),
        RequestKind::AddReaderToGroup => database(DatabaseCall::AddReaderToGroup {
            reader: body.owned_text()?,
            group: body.owned_text()?,
        }),
        RequestKind::RemoveReaderFromGroup => database(DatabaseCall::RemoveReaderFromGroup {
            reader: body.owned_text()?,
            group: body.owned_text()?,
        }),
        RequestKind::ForgetReaderGroup => {
            database(DatabaseCall::ForgetReaderGroup { group: body.owned_text()? })
        }
        RequestKind::ReadCache => cache(CacheCall::Read {
            card: body.guid()?,
            freshness: body.word()?,
            name: body.owned_text()?,
        }),
        RequestKind::WriteCache => cache(CacheCall::Write {
            card: body.guid()?,
            freshness: body.word()?,
            name: body.owned_text()?,
            item: body.bytes()?.to_vec(),
        }),
        RequestKind::DescribeCache => cache(CacheCall::Describe),
        RequestKind::PurgeCache => {
            let (one, card) = (body.flag()?, body.guid()?);
            cache(CacheCall::Purge { card: one.then_some(card) })
        }
        RequestKind::ReaderDevices => Some(Call::ReaderDevices { context }),
        RequestKind::ReaderIcon => Some(Call::ReaderIcon { context, reader: body.owned_text()? }),
        RequestKind::Audit => Some(Call::Audit { context, event: body.word()? }),
        RequestKind::AuditTrail => Some(Call::AuditTrail { context }),
        _ => None,
    }
}

/// Which kind of reply an answer is; `None` if it is none of these.
pub(crate) fn reply_kind_of(answer: &Answer) -> Option<ReplyKind> {
    Some(match answer {
        Answer::CardTypes(_) => ReplyKind::CardTypes,
        Answer::ReaderGroups(_) => ReplyKind::ReaderGroups,
        Answer::CacheItem(_) => ReplyKind::CacheItem,
        Answer::CacheEntries(_) => ReplyKind::CacheEntries,
        Answer::ReaderDevices(_) => ReplyKind::ReaderDevices,
        Answer::ReaderIcon(_) => ReplyKind::ReaderIcon,
        Answer::TransmitCount(_) => ReplyKind::TransmitCount,
        Answer::AuditTrail(_) => ReplyKind::AuditTrail,
        _ => return None,
    })
}

/// Writes the body of a reply; what is returned goes out right behind it.
pub(crate) fn encode_answer<'a>(answer: &'a Answer, out: &mut Vec<u8>) -> &'a [u8] {
    match answer {
        Answer::CardTypes(card_types) => {
            each(card_types, out, encode_card_type);
        }
        Answer::ReaderGroups(groups) => each(groups, out, |group, out| {
            out.text(&group.name);
            texts(&group.readers, out);
        }),
        Answer::CacheItem(bytes) | Answer::ReaderIcon(bytes) => {
            out.length(bytes.len());
            return bytes;
        }
        Answer::CacheEntries(entries) => each(entries, out, |entry, out| {
            out.word(entry.uid);
            item(entry.card, entry.freshness, &entry.name, out);
            out.word(entry.size_bytes);
        }),
        Answer::ReaderDevices(devices) => each(devices, out, |device, out| {
            out.text(&device.name);
            out.word(device.device_type);
            out.text(&device.instance_id);
        }),
        Answer::TransmitCount(count) => out.word(*count),
        Answer::AuditTrail(records) => each(records, out, encode_record),
        // `reply_kind_of` knows no others.
        _ => {}
    }
    &[]
}

/// Reads the body of a reply; `None` if it is broken or of another kind.
pub(crate) fn decode_answer(kind: ReplyKind, body: &mut Reader<'_>) -> Option<Answer> {
    Some(match kind {
        ReplyKind::CardTypes => Answer::CardTypes(body.list(card_type)?),
        ReplyKind::ReaderGroups => Answer::ReaderGroups(body.list(|body| {
            Some(ReaderGroup { name: body.owned_text()?, readers: body.list(Reader::owned_text)? })
        })?),
        ReplyKind::CacheItem => Answer::CacheItem(body.bytes()?.to_vec()),
        ReplyKind::CacheEntries => Answer::CacheEntries(body.list(|body| {
            Some(CacheEntry {
                uid: body.word()?,
                card: body.guid()?,
                freshness: body.word()?,
                name: body.owned_text()?,
                size_bytes: body.word()?,
            })
        })?),
        ReplyKind::ReaderDevices => Answer::ReaderDevices(body.list(|body| {
            Some(ReaderDevice {
                name: body.owned_text()?,
                device_type: body.word()?,
                instance_id: body.owned_text()?,
            })
        })?),
        ReplyKind::ReaderIcon => Answer::ReaderIcon(body.bytes()?.to_vec()),
        ReplyKind::TransmitCount => Answer::TransmitCount(body.word()?),
        ReplyKind::AuditTrail => Answer::AuditTrail(body.list(record)?),
        _ => return None,
    })
}

fn encode_card_type(card_type: &CardType, out: &mut Vec<u8>) {
    out.text(&card_type.name);
    for bytes in [card_type.pattern.atr(), card_type.pattern.mask()] {
        out.length(bytes.len());
        out.extend_from_slice(bytes);
    }
    out.byte(u8::from(card_type.primary.is_some()));
    out.guid(card_type.primary.unwrap_or_default());
    each(&card_type.interfaces, out, |guid, out| out.guid(*guid));
    each(&card_type.providers, out, |(number, name), out| {
        out.word(*number);
        out.text(name);
    });
    out.byte(match card_type.scope {
        Scope::User => 0,
        Scope::System => 2,
    });
}

fn card_type(body: &mut Reader<'_>) -> Option<CardType> {
    let name = body.owned_text()?;
    let pattern = AtrPattern::new(body.bytes()?.to_vec(), body.bytes()?.to_vec())?;
    let (has_primary, primary) = (body.flag()?, body.guid()?);
    let interfaces = body.list(Reader::guid)?;
    Some(CardType {
        name,
        pattern,
        primary: has_primary.then_some(primary),
        interfaces: Some(interfaces).filter(|guids| guids.len() <= MAX_INTERFACES)?,
        providers: body.list(|body| Some((body.word()?, body.owned_text()?)))?,
        scope: match body.byte()? {
            0 => Scope::User,
            2 => Scope::System,
            _ => return None,
        },
    })
}

fn encode_record(record: &AuditRecord, out: &mut Vec<u8>) {
    out.long(record.number);
    out.long(record.unix_ms);
    out.word(record.peer.uid);
    out.word(record.peer.gid);
    out.word(record.peer.pid);
    out.byte(match record.event {
        AuditEvent::ClaimedChvFailure => 0,
        AuditEvent::ClaimedChvSuccess => 1,
        AuditEvent::Connected => 2,
        AuditEvent::Disconnected => 3,
        AuditEvent::Denied => 4,
        // An event of a later day: this wire has no number for it.
        _ => 0xFF,
    });
    out.text(record.reader.as_ref().map_or("", |reader| reader.as_str()));
    out.atr(record.atr.as_ref());
}

fn record(body: &mut Reader<'_>) -> Option<AuditRecord> {
    Some(AuditRecord {
        number: body.long()?,
        unix_ms: body.long()?,
        peer: Peer { uid: body.word()?, gid: body.word()?, pid: body.word()? },
        event: match body.byte()? {
            0 => AuditEvent::ClaimedChvFailure,
            1 => AuditEvent::ClaimedChvSuccess,
            2 => AuditEvent::Connected,
            3 => AuditEvent::Disconnected,
            4 => AuditEvent::Denied,
            _ => return None,
        },
        reader: body.optional_reader_name()?,
        atr: body.atr()?,
    })
}

fn each<T>(list: &[T], out: &mut Vec<u8>, mut write: impl FnMut(&T, &mut Vec<u8>)) {
    out.length(list.len());
    for entry in list {
        write(entry, out);
    }
}

fn texts(list: &[String], out: &mut Vec<u8>) {
    each(list, out, |text, out| out.text(text));
}

/// What the library says of a call that is too long to be written: an item, or names.
pub(crate) fn too_long(call: &Call) -> Option<ScardCode> {
    let item = matches!(call, Call::Cache { call: CacheCall::Write { .. }, .. });
    item.then_some(ScardCode::CacheItemTooBig)
}

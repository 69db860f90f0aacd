//! The calls that only Windows has: one of each, for the tests that go over all.

use scard_types::cache::{CacheCall, CacheEntry, MAX_ITEM_BYTES};
use scard_types::call::{
    Answer, AuditEvent, AuditRecord, Call, CardHandle, ContextId, Peer, ReaderDevice, Reply,
};
use scard_types::database::{AtrPattern, CardType, DatabaseCall, Guid, ReaderGroup, Scope};
use scard_types::{ReaderName, ScardCode};
use scard_wire::native::{RequestKind, encode_call};

use super::{reader, reply_bytes, request_bytes};

#[test]
fn golden_frames_of_the_database() {
    let read = Call::Cache {
        context: ContextId(1),
        call: CacheCall::Read { card: Guid([0xAA; 16]), freshness: 7, name: "cert".into() },
    };
    let mut expected = b"\x1e\0\0\0\x05\0\0\0\x60\0\0\0\x01\0\0\0".to_vec();
    expected.extend_from_slice(&[0xAA; 16]);
    expected.extend_from_slice(b"\x07\0\0\0\x04\0cert");
    assert_eq!(request_bytes(5, &read), expected);
    let item = Ok(Answer::CacheItem(vec![1, 2]));
    assert_eq!(reply_bytes(5, &item), b"\x06\0\0\0\x05\0\0\0\x60\x80\0\0\x02\0\0\0\x01\x02");
    let groups = Ok(Answer::ReaderGroups(vec![group()]));
    assert_eq!(
        reply_bytes(6, &groups),
        b"\x10\0\0\0\x06\0\0\0\x50\x80\0\0\x01\0\0\0\x01\0G\x01\0\0\0\x03\0r 0"
    );
}

#[test]
fn an_item_above_the_limit_is_told_by_its_code() {
    let write = |bytes| Call::Cache {
        context: ContextId(1),
        call: CacheCall::Write {
            card: Guid::default(),
            freshness: 0,
            name: "n".repeat(256),
            item: vec![0; bytes],
        },
    };
    let mut out = Vec::new();
    assert!(encode_call(1, &write(MAX_ITEM_BYTES), &mut out).is_ok());
    out.clear();
    let refused = encode_call(1, &write(MAX_ITEM_BYTES + 1), &mut out).map(|_| ());
    assert_eq!(refused, Err(ScardCode::CacheItemTooBig));
    assert_eq!(out, []);
}

pub(super) fn calls() -> Vec<Call> {
    let context = ContextId(3);
    let database = |call| Call::Database { context, call };
    let cache = |call| Call::Cache { context, call };
    let (card, name) = (Guid([7; 16]), || String::from("name"));
    vec![
        database(DatabaseCall::CardTypes { names: vec![] }),
        database(DatabaseCall::CardTypes { names: vec![name(), String::new()] }),
        database(DatabaseCall::IntroduceCardType(card_type())),
        database(DatabaseCall::ForgetCardType { name: name() }),
        database(DatabaseCall::SetCardTypeProvider { name: name(), provider: 3, value: name() }),
        database(DatabaseCall::IntroduceReader { name: name(), device: "other".into() }),
        database(DatabaseCall::ForgetReader { name: name() }),
        database(DatabaseCall::ReaderGroups),
        database(DatabaseCall::AddReaderToGroup { reader: "r".into(), group: name() }),
        database(DatabaseCall::RemoveReaderFromGroup { reader: "r".into(), group: name() }),
        database(DatabaseCall::ForgetReaderGroup { group: name() }),
        cache(CacheCall::Read { card, freshness: u32::MAX, name: name() }),
        cache(CacheCall::Write { card, freshness: 1, name: name(), item: vec![1, 2, 3] }),
        cache(CacheCall::Describe),
        cache(CacheCall::Purge { card: None }),
        cache(CacheCall::Purge { card: Some(card) }),
        Call::ReaderDevices { context },
        Call::ReaderIcon { context, reader: name() },
        Call::TransmitCount { card: CardHandle(9) },
        Call::Audit { context, event: 1 },
        Call::AuditTrail { context },
    ]
}

pub(super) fn replies() -> Vec<(RequestKind, Reply)> {
    let entry =
        CacheEntry { uid: 5, card: Guid([1; 16]), name: "n".into(), freshness: 2, size_bytes: 9 };
    let device =
        ReaderDevice { name: "r".into(), device_type: 0x20, instance_id: "usb:1-1".into() };
    let peer = Peer { uid: 1, gid: 2, pid: 3 };
    let event = AuditEvent::ClaimedChvFailure;
    let claim = AuditRecord { number: 1, unix_ms: 1 << 40, peer, event, reader: None, atr: None };
    let seen = AuditRecord {
        event: AuditEvent::Denied,
        reader: Some(ReaderName::new("r 0").unwrap()),
        atr: reader().atr,
        ..claim.clone()
    };
    let plain = CardType { primary: None, interfaces: vec![], scope: Scope::System, ..card_type() };
    vec![
        (RequestKind::CardTypes, Ok(Answer::CardTypes(vec![card_type(), plain]))),
        (RequestKind::ReaderGroups, Ok(Answer::ReaderGroups(vec![group()]))),
        (RequestKind::ReadCache, Ok(Answer::CacheItem(vec![0; 3]))),
        (RequestKind::DescribeCache, Ok(Answer::CacheEntries(vec![entry]))),
        (RequestKind::ReaderDevices, Ok(Answer::ReaderDevices(vec![device]))),
        (RequestKind::ReaderIcon, Ok(Answer::ReaderIcon(b"\x89PNG".to_vec()))),
        (RequestKind::TransmitCount, Ok(Answer::TransmitCount(u32::MAX))),
        (RequestKind::AuditTrail, Ok(Answer::AuditTrail(vec![claim, seen]))),
    ]
}

fn group() -> ReaderGroup {
    ReaderGroup { name: "G".into(), readers: vec!["r 0".into()] }
}

fn card_type() -> CardType {
    CardType {
        name: "Card".into(),
        pattern: AtrPattern::new(vec![0x3B, 0x80], vec![0xFF, 0xF0]).unwrap(),
        primary: Some(Guid([2; 16])),
        interfaces: vec![Guid([3; 16]), Guid([4; 16])],
        providers: vec![(3, "provider".into()), (0x8000_0001, "/usr/lib/module.so".into())],
        scope: Scope::User,
    }
}

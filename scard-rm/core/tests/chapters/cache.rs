//! The card cache: freshness, users, room.

use scard_core::{CacheLimits, Limits, Wire};
use scard_types::ScardCode::{CacheItemNotFound, CacheItemStale, CacheItemTooBig, InvalidHandle};
use scard_types::cache::{CacheCall, MAX_ITEM_BYTES};
use scard_types::call::{Answer, Call, ContextId};
use scard_types::database::Guid;
use scard_types::{CardEvent, ScardCode};

use crate::bench::Bench;

const CARD: Guid = Guid([1; 16]);
const OTHER_CARD: Guid = Guid([2; 16]);

/// A user at the bench.
struct User<'b> {
    bench: &'b mut Bench,
    client: u64,
    context: ContextId,
}

impl User<'_> {
    fn call(&mut self, call: CacheCall) -> Result<Vec<u8>, ScardCode> {
        match self.bench.call(self.client, Call::Cache { context: self.context, call }) {
            Ok(Answer::CacheItem(bytes)) => Ok(bytes),
            Ok(Answer::Done) => Ok(vec![]),
            Ok(other) => panic!("{other:?}"),
            Err(refusal) => Err(refusal.code),
        }
    }

    fn write(
        &mut self,
        card: Guid,
        freshness: u32,
        name: &str,
        bytes: usize,
    ) -> Result<(), ScardCode> {
        let item = vec![0xCE; bytes];
        self.call(CacheCall::Write { card, freshness, name: name.into(), item }).map(|_| ())
    }

    fn read(&mut self, card: Guid, freshness: u32, name: &str) -> Result<usize, ScardCode> {
        self.call(CacheCall::Read { card, freshness, name: name.into() }).map(|bytes| bytes.len())
    }

    fn names(&mut self) -> Vec<(u32, String)> {
        let call = Call::Cache { context: self.context, call: CacheCall::Describe };
        match self.bench.call(self.client, call) {
            Ok(Answer::CacheEntries(entries)) => {
                entries.into_iter().map(|entry| (entry.uid, entry.name)).collect()
            }
            other => panic!("{other:?}"),
        }
    }
}

fn user(bench: &mut Bench, client: u64, uid: u32) -> User<'_> {
    bench.client(client, uid, Wire::Native);
    let context = bench.context(client);
    User { bench, client, context }
}

#[test]
fn freshness_must_be_equal_and_only_an_older_item_goes() {
    // What is stored, what is asked for, the answer, and whether the item is still there afterwards.
    for (stored, asked, expected, stays) in [
        (7, 7, Ok(3), true),
        (7, 8, Err(CacheItemStale), false),
        (7, 6, Err(CacheItemStale), true),
        (u32::MAX, 0, Err(CacheItemStale), false),
        (0, u32::MAX, Err(CacheItemStale), true),
        (0, 1 << 31, Err(CacheItemStale), true),
        (0, (1 << 31) - 1, Err(CacheItemStale), false),
    ] {
        let mut bench = Bench::new();
        let mut user = user(&mut bench, 1, 1_000);
        assert_eq!(user.read(CARD, asked, "n"), Err(CacheItemNotFound));
        assert_eq!(user.write(CARD, stored, "n", 3), Ok(()));
        assert_eq!(user.read(CARD, asked, "n"), expected, "stored {stored}, asked {asked}");
        let after = if stays { Ok(3) } else { Err(CacheItemNotFound) };
        assert_eq!(user.read(CARD, stored, "n"), after, "stored {stored}, asked {asked}");
    }
}

#[test]
fn a_key_is_card_and_name_and_writing_replaces() {
    let mut bench = Bench::new();
    let mut user = user(&mut bench, 1, 1_000);
    assert_eq!(user.write(CARD, 1, "a", 10), Ok(()));
    assert_eq!(user.write(CARD, 2, "a", 20), Ok(()));
    assert_eq!(user.write(OTHER_CARD, 2, "a", 30), Ok(()));
    assert_eq!(user.read(CARD, 2, "a"), Ok(20));
    assert_eq!(user.read(OTHER_CARD, 2, "a"), Ok(30));
    assert_eq!(user.read(CARD, 2, "A"), Err(CacheItemNotFound));
    assert_eq!(user.write(CARD, 2, "", 0), Ok(()));
    assert_eq!(user.read(CARD, 2, ""), Ok(0));
    assert_eq!(user.call(CacheCall::Purge { card: Some(CARD) }), Ok(vec![]));
    assert_eq!(user.read(CARD, 2, "a"), Err(CacheItemNotFound));
    assert_eq!(user.read(OTHER_CARD, 2, "a"), Ok(30));
}

#[test]
fn no_user_sees_or_drives_out_what_another_keeps() {
    let total = 3 * (1_000 + 128 + 1);
    let cache = CacheLimits { total, ..CacheLimits::default() };
    let mut bench = Bench::with_limits(Limits { cache, ..Limits::default() });
    assert_eq!(user(&mut bench, 1, 1_000).write(CARD, 1, "a", 1_000), Ok(()));
    let mut other = user(&mut bench, 2, 1_001);
    assert_eq!(other.read(CARD, 1, "a"), Err(CacheItemNotFound));
    assert_eq!(other.names(), []);
    for name in ["b", "c", "d", "e"] {
        assert_eq!(other.write(CARD, 1, name, 1_000), Ok(()));
    }
    assert_eq!(other.names(), [(1_001, "d".into()), (1_001, "e".into())]);
    assert_eq!(other.call(CacheCall::Purge { card: None }), Ok(vec![]));
    let everything = [(1_000, String::from("a"))];
    assert_eq!(user(&mut bench, 3, 0).names(), everything);
    assert_eq!(user(&mut bench, 4, 1_000).read(CARD, 1, "a"), Ok(1_000));
}

#[test]
fn what_was_not_used_for_longest_goes_first() {
    let cache = CacheLimits { per_card: 3 * 229, ..CacheLimits::default() };
    let mut bench = Bench::with_limits(Limits { cache, ..Limits::default() });
    let mut user = user(&mut bench, 1, 1_000);
    for name in ["a", "b", "c"] {
        assert_eq!(user.write(CARD, 1, name, 100), Ok(()));
    }
    assert_eq!(user.read(CARD, 1, "a"), Ok(100));
    assert_eq!(user.write(OTHER_CARD, 1, "x", 100), Ok(()), "another card has room of its own");
    assert_eq!(user.write(CARD, 1, "d", 100), Ok(()));
    assert_eq!(user.read(CARD, 1, "b"), Err(CacheItemNotFound));
    for name in ["a", "c", "d"] {
        assert_eq!(user.read(CARD, 1, name), Ok(100));
    }
}

#[test]
fn an_item_that_can_never_fit_is_too_big_and_drives_nothing_out() {
    let mut bench = Bench::new();
    let mut user = user(&mut bench, 1, 1_000);
    assert_eq!(user.write(CARD, 1, "a", MAX_ITEM_BYTES), Ok(()));
    assert_eq!(user.write(CARD, 1, "a", MAX_ITEM_BYTES + 1), Err(CacheItemTooBig));
    assert_eq!(user.read(CARD, 1, "a"), Ok(MAX_ITEM_BYTES));
    let long = "n".repeat(257);
    assert_eq!(user.write(CARD, 1, &long, 1), Err(ScardCode::InvalidParameter));
}

#[test]
fn the_cache_outlives_cards_and_connections_and_is_bounded() {
    let mut bench = Bench::new();
    bench.reader(1, "R");
    bench.card(1, CardEvent::Inserted);
    let mut user = user(&mut bench, 1, 1_000);
    for number in 0..2_000_u32 {
        let card = Guid([u8::try_from(number % 7).unwrap(); 16]);
        assert_eq!(user.write(card, 1, &number.to_string(), 4_000), Ok(()));
    }
    let kept = user.names().len();
    assert!((900..=1_024).contains(&kept), "{kept} items");
    bench.card(1, CardEvent::Removed);
    bench.gone(1);
    let bytes = bench.core.census().cache_bytes;
    assert!(bytes > 3 << 20 && bytes <= 4 << 20, "{bytes} bytes");
    let foreign = Call::Cache { context: ContextId(1), call: CacheCall::Describe };
    bench.client(2, 1_000, Wire::Native);
    assert_eq!(bench.code(2, foreign), Err(InvalidHandle));
}

//! The card cache of Windows' `winscard.h`: what programs keep about a card, so that the next one need not read it.

use alloc::string::String;
use alloc::vec::Vec;

use crate::database::Guid;

/// The largest item, in bytes.
pub const MAX_ITEM_BYTES: usize = 64 * 1024;

/// A call on the cache. Each user has a cache of its own.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum CacheCall {
    /// `SCardReadCache`. Another freshness than the stored one is `W_CACHE_ITEM_STALE`, and an older item goes.
    Read {
        /// Which card.
        card: Guid,
        /// The freshness that the caller read from the card.
        freshness: u32,
        /// Which item.
        name: String,
    },
    /// `SCardWriteCache`; takes the place of an item with the same card and name.
    Write {
        /// Which card.
        card: Guid,
        /// The freshness that the caller gives it.
        freshness: u32,
        /// Which item.
        name: String,
        /// At most [`MAX_ITEM_BYTES`], else `W_CACHE_ITEM_TOO_BIG`.
        item: Vec<u8>,
    },
    /// What there is, without the items.
    Describe,
    /// Forget all items of one card, or of all.
    Purge {
        /// Which card.
        card: Option<Guid>,
    },
}

impl CacheCall {
    /// What it is, without what it carries, for the log.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Read { .. } => "ReadCache",
            Self::Write { .. } => "WriteCache",
            Self::Describe => "DescribeCache",
            Self::Purge { .. } => "PurgeCache",
        }
    }
}

impl core::fmt::Debug for CacheCall {
    /// Without the items: they belong to their user.
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(self.name())
    }
}

/// One item, described.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CacheEntry {
    /// Whose it is.
    pub uid: u32,
    /// Which card.
    pub card: Guid,
    /// Which item.
    pub name: String,
    /// The freshness that it was written with.
    pub freshness: u32,
    /// How large it is, in bytes.
    pub size_bytes: u32,
}

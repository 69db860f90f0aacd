//! `[limits]` of the configuration file: what is written there replaces our own numbers.

use std::time::Duration;

use scard_core::{CacheLimits, Limits, Quota};
use scard_types::Millis;
use serde::Deserialize;

/// Limits as they are written; what is not written stays as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub(crate) struct LimitsTable {
    connections: QuotaTable,
    contexts: QuotaTable,
    handles: QuotaTable,
    waits: QuotaTable,
    parked: QuotaTable,
    requests_per_connection: Option<usize>,
    readers_per_wait: Option<usize>,
    grace_ms: Option<u64>,
    cache: CacheTable,
    message_ms: Option<u64>,
    quiet_ms: Option<u64>,
    access_ms: Option<u64>,
    idle_transaction_ms: Option<u64>,
}

/// How long a connection may keep us waiting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Patience {
    /// From the first byte of a message to its last.
    pub(crate) message: Duration,
    /// Without a context, a subscription or a request; also, without reading what it is sent.
    pub(crate) quiet: Duration,
    /// While somebody else is asked whether it may.
    pub(crate) access: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        let quiet = Duration::from_secs(30);
        // Long enough to type a password into the dialog of polkit.
        Self { message: Duration::from_secs(5), quiet, access: Duration::from_secs(60) }
    }
}

/// `{ per-user = 512, total = 4096, root-reserve = 64 }`, each of the three if it is to change.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
struct QuotaTable {
    per_user: Option<u32>,
    total: Option<u32>,
    root_reserve: Option<u32>,
}

impl LimitsTable {
    /// The limits, with a reader table of at least `table_slots`.
    pub(crate) fn limits(&self, table_slots: usize) -> Limits {
        let standard = Limits::default();
        Limits {
            connections: self.connections.over(standard.connections),
            contexts: self.contexts.over(standard.contexts),
            handles: self.handles.over(standard.handles),
            waits: self.waits.over(standard.waits),
            parked: self.parked.over(standard.parked),
            requests_per_connection: self
                .requests_per_connection
                .unwrap_or(standard.requests_per_connection),
            readers_per_wait: self.readers_per_wait.unwrap_or(standard.readers_per_wait),
            table_slots,
            grace: self.grace_ms.map_or(standard.grace, Millis),
            idle_transaction: self.idle_transaction_ms.map(Millis),
            administrator: rustix::process::geteuid().as_raw(),
            cache: self.cache.over(standard.cache),
            ..standard
        }
    }

    /// How long a connection may keep us waiting.
    pub(crate) fn patience(&self) -> Patience {
        let standard = Patience::default();
        Patience {
            message: self.message_ms.map_or(standard.message, Duration::from_millis),
            quiet: self.quiet_ms.map_or(standard.quiet, Duration::from_millis),
            access: self.access_ms.map_or(standard.access, Duration::from_millis),
        }
    }
}

/// `{ per-card = 1048576, per-user = 4194304, total = 67108864 }` in bytes, each of the three if it is to change.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
struct CacheTable {
    per_card: Option<usize>,
    per_user: Option<usize>,
    total: Option<usize>,
}

impl CacheTable {
    fn over(self, standard: CacheLimits) -> CacheLimits {
        CacheLimits {
            per_card: self.per_card.unwrap_or(standard.per_card),
            per_user: self.per_user.unwrap_or(standard.per_user),
            total: self.total.unwrap_or(standard.total),
        }
    }
}

impl QuotaTable {
    fn over(self, standard: Quota) -> Quota {
        Quota::new(
            self.per_user.unwrap_or(standard.per_user),
            self.total.unwrap_or(standard.total),
            self.root_reserve.unwrap_or(standard.root_reserve),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_written_stays_as_it_is() {
        assert_eq!(LimitsTable::default().limits(0), Limits::default());
        assert_eq!(LimitsTable::default().patience(), Patience::default());
        let written = "grace-ms = 10\ncontexts = { per-user = 3 }";
        let table: LimitsTable = toml::from_str(written).expect("the table is well-formed");
        let (limits, standard) = (table.limits(17), Limits::default());
        assert_eq!((limits.grace, limits.table_slots), (Millis(10), 17));
        assert_eq!(limits.contexts, Quota { per_user: 3, ..standard.contexts });
        assert_eq!(limits.handles, standard.handles);
    }

    #[test]
    fn a_word_that_we_do_not_know_is_an_error() {
        assert!(toml::from_str::<LimitsTable>("conections = {}").is_err());
        assert!(toml::from_str::<LimitsTable>("waits = { peruser = 1 }").is_err());
    }
}

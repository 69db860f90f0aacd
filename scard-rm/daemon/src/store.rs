//! The smart-card database on disk: what was introduced outlives the daemon, and a kill -9 loses nothing that was
//! answered.
//!
//! One transactional file, `database.redb` in the state directory, made by the first change. Each change of the core is
//! one transaction; it is written beside the daemon's one thread, in the order of the changes, and answered when it is
//! on disk. Without a state directory, what is introduced lasts as long as the daemon.

mod records;

pub(crate) use records::bytes as hex_bytes;

use std::path::{Path, PathBuf};

use redb::{Database, ReadableTable, StorageError, TableDefinition, TableError};
use scard_core::{Change, StoreTicket};
use tokio::sync::mpsc;
use tracing::{error, warn};

const FILE: &str = "database.redb";
const ENTRIES: TableDefinition<'_, &str, &str> = TableDefinition::new("entries");

type Result<T> = core::result::Result<T, Box<redb::Error>>;

/// A change on its way to the disk.
pub(crate) type Order = (StoreTicket, Vec<Change>);

/// The database on disk.
pub(crate) struct Store {
    path: PathBuf,
    open: Option<Database>,
}

impl Store {
    /// Opens what an earlier daemon left and reads it. What cannot be understood is left alone and told.
    ///
    /// # Errors
    /// If there is a file and it is no database, or another daemon has it open.
    pub(crate) fn load(directory: &Path) -> Result<(Self, Vec<Change>)> {
        let path = directory.join(FILE);
        if !path.exists() {
            return Ok((Self { path, open: None }, Vec::new()));
        }
        let database = open(&path)?;
        let stored = read(&database)?;
        Ok((Self { path, open: Some(database) }, stored))
    }

    /// Writes changes, all or none, and says whether the disk has them.
    fn keep(&mut self, changes: &[Change]) -> bool {
        let written = match &self.open {
            Some(database) => write(database, changes),
            None => open(&self.path).and_then(|database| {
                write(&database, changes)?;
                self.open = Some(database);
                Ok(())
            }),
        };
        if let Err(error) = &written {
            error!(file = %self.path.display(), %error, "the database cannot be written");
        }
        written.is_ok()
    }

    /// Writes what is ordered, one after the other, and tells of each; ends with the orders.
    pub(crate) async fn serve(
        mut self,
        mut orders: mpsc::UnboundedReceiver<Order>,
        tell: impl Fn(StoreTicket, bool),
    ) {
        while let Some((ticket, changes)) = orders.recv().await {
            let write = move || {
                let kept = self.keep(&changes);
                (self, kept)
            };
            let Ok((store, kept)) = tokio::task::spawn_blocking(write).await else {
                // A panic there is logged, and ends the daemon.
                return;
            };
            self = store;
            tell(ticket, kept);
        }
    }
}

fn open(path: &Path) -> Result<Database> {
    let mut builder = Database::builder();
    // What is read is read once.
    builder.set_cache_size(1 << 20);
    Ok(builder.create(path).map_err(redb::Error::from)?)
}

fn read(database: &Database) -> Result<Vec<Change>> {
    read_all(database).map_err(Box::new)
}

#[expect(clippy::result_large_err, reason = "boxed by the caller")]
fn read_all(database: &Database) -> core::result::Result<Vec<Change>, redb::Error> {
    let transaction = database.begin_read()?;
    let table = match transaction.open_table(ENTRIES) {
        Ok(table) => table,
        Err(TableError::TableDoesNotExist(_)) => return Ok(Vec::new()),
        Err(error) => return Err(error.into()),
    };
    let mut stored = Vec::new();
    for entry in table.iter()? {
        let (key, value) = entry?;
        match records::read(key.value(), value.value()) {
            Some(change) => stored.push(change),
            None => warn!(entry = key.value(), "an entry of the database makes no sense"),
        }
    }
    Ok(stored)
}

fn write(database: &Database, changes: &[Change]) -> Result<()> {
    write_all(database, changes).map_err(Box::new)
}

#[expect(clippy::result_large_err, reason = "boxed by the caller")]
fn write_all(database: &Database, changes: &[Change]) -> core::result::Result<(), redb::Error> {
    let transaction = database.begin_write()?;
    {
        let mut table = transaction.open_table(ENTRIES)?;
        for change in changes {
            let (key, value) = records::write(change).ok_or(StorageError::ValueTooLarge(0))?;
            match value {
                Some(value) => table.insert(key.as_str(), value.as_str())?,
                None => table.remove(key.as_str())?,
            };
        }
    }
    Ok(transaction.commit()?)
}

#[cfg(test)]
mod tests {
    use scard_core::{Key, Owner, Value};

    use super::*;

    fn alias(name: &str, value: Option<&str>) -> Change {
        let value = value.map(|identity| Value::Alias(identity.into()));
        Change { owner: Owner::User(1_000), key: Key::Alias(name.into()), value }
    }

    #[test]
    fn what_was_kept_is_there_after_a_restart() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let (mut store, stored) = Store::load(directory.path()).expect("nothing is a database");
        assert_eq!(stored, []);
        assert!(!directory.path().join(FILE).exists(), "made by the first change only");
        assert!(store.keep(&[alias("a", Some("x")), alias("b", Some("y"))]));
        assert!(store.keep(&[alias("a", None), alias("c", Some("z"))]));
        drop(store);
        let (store, stored) = Store::load(directory.path()).expect("a database");
        assert_eq!(stored, [alias("b", Some("y")), alias("c", Some("z"))]);
        assert!(Store::load(directory.path()).is_err(), "another daemon has it");
        drop(store);
    }

    #[test]
    fn a_file_that_is_no_database_is_told_and_left_alone() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let path = directory.path().join(FILE);
        std::fs::write(&path, "no database").expect("it can be written");
        assert!(Store::load(directory.path()).is_err());
        assert_eq!(std::fs::read(&path).expect("it is there"), b"no database");
    }

    #[test]
    fn a_disk_that_refuses_is_told() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let missing = directory.path().join("missing");
        let (mut store, _) = Store::load(&missing).expect("nothing is a database");
        assert!(!store.keep(&[alias("a", Some("x"))]));
        std::fs::create_dir(&missing).expect("it can be made");
        assert!(store.keep(&[alias("a", Some("x"))]), "as soon as it can");
    }
}

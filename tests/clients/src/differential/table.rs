//! The table of readers as a daemon hands it to every client of pcsc-lite 4:4: what everybody can see.

use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

const VERSION: u32 = 0x11;
const READERS_STATE: u32 = 0x12;
const ENTRIES: usize = 16;
const ENTRY_BYTES: usize = 184;
const NAME_BYTES: usize = 128;

/// A connection that asks for nothing else.
pub(crate) struct Table(UnixStream);

/// A reader in the table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Entry {
    /// Insertions and removals.
    pub(crate) events: u32,
    /// `SCARD_PRESENT` and so on.
    pub(crate) state: u32,
    /// -1 is exclusive, else the number of handles.
    pub(crate) sharing: i32,
    pub(crate) atr: Vec<u8>,
    pub(crate) protocol: u32,
}

impl Entry {
    const PRESENT: u32 = 4;

    pub(crate) fn has_card(&self) -> bool {
        self.state & Self::PRESENT != 0
    }
}

impl Table {
    pub(crate) fn open(socket: &Path) -> io::Result<Self> {
        let mut stream = UnixStream::connect(socket)?;
        stream.set_read_timeout(Some(Duration::from_secs(5)))?;
        let words = [12, VERSION, 4, 4, 0].map(u32::to_ne_bytes);
        stream.write_all(words.as_flattened())?;
        stream.read_exact(&mut [0; 12])?;
        Ok(Self(stream))
    }

    /// Two readers of a test.
    pub(crate) fn read(&mut self, readers: &[String; 2]) -> io::Result<[Entry; 2]> {
        self.0.write_all([0, READERS_STATE].map(u32::to_ne_bytes).as_flattened())?;
        let mut bytes = vec![0; ENTRIES * ENTRY_BYTES];
        self.0.read_exact(&mut bytes)?;
        let entry = |name: &String| {
            let named = |entry: &&[u8]| {
                entry.starts_with(name.as_bytes()) && entry.get(name.len()) == Some(&0)
            };
            bytes.chunks(ENTRY_BYTES).find(named).map(parse).unwrap_or_default()
        };
        Ok(readers.each_ref().map(entry))
    }
}

fn parse(bytes: &[u8]) -> Entry {
    let word = |at: usize| {
        let word = bytes[NAME_BYTES + at..][..4].try_into().expect("four bytes");
        u32::from_ne_bytes(word)
    };
    let length = usize::try_from(word(48)).unwrap_or(0).min(33);
    Entry {
        events: word(0),
        state: word(4),
        sharing: i32::from_ne_bytes(word(8).to_ne_bytes()),
        atr: bytes[NAME_BYTES + 12..][..length].to_vec(),
        protocol: word(52),
    }
}

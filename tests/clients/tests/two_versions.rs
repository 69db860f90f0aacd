//! A client of 2013 and one of 2026 at the same daemon, byte by byte: pcsc-lite's wire 4:3 and 4:6.
//!
//! Written from the layout of the messages alone; no code of the house encodes or decodes here.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;

use clients::child::HANGS;
use clients::daemon::Service;
use clients::stage::Manager;

const ESTABLISH: u32 = 0x01;
const CONNECT: u32 = 0x04;
const TRANSMIT: u32 = 0x09;
const VERSION: u32 = 0x11;
const READER_STATES: u32 = 0x12;
const WAIT: u32 = 0x13;
const STOP_WAITING: u32 = 0x14;
const READER_EVENTS: u32 = 0x15;
const READER_STATES_SIZE: u32 = 0x16;
const READER_STATES_ARRAY: u32 = 0x17;

/// readerName 128, eventCounter 4, readerState 4, readerSharing 4, cardAtr 33 + 3, cardAtrLength 4, cardProtocol 4.
const ENTRY_BYTES: usize = 184;
/// In the table of old clients, always; for new ones at least.
const ENTRIES: usize = 16;

const ABSENT: u32 = 0x02;
const PRESENT: u32 = 0x04;

struct Client(UnixStream);

impl Client {
    /// Connects and agrees on a version of the wire.
    fn open(service: &Service, minor: u32) -> Self {
        let stream = UnixStream::connect(service.socket().unwrap()).unwrap();
        stream.set_read_timeout(Some(HANGS)).unwrap();
        let mut client = Self(stream);
        client.send(VERSION, &words(&[4, minor, 0]));
        assert_eq!(client.words(3), [4, minor, 0], "the version is echoed");
        client.send(ESTABLISH, &words(&[2, 0, 0]));
        let answer = client.words(3);
        assert!(answer[1] != 0 && answer[1] < 0x8000_0000 && answer[2] == 0, "{answer:?}");
        client
    }

    /// Header and body in separate writes, as libpcsclite does.
    fn send(&mut self, command: u32, body: &[u8]) {
        let size = u32::try_from(body.len()).unwrap();
        self.0.write_all(&words(&[size, command])).unwrap();
        self.0.write_all(body).unwrap();
    }

    fn read(&mut self, bytes: usize) -> Vec<u8> {
        let mut answer = vec![0; bytes];
        self.0.read_exact(&mut answer).unwrap();
        answer
    }

    fn words(&mut self, count: usize) -> Vec<u32> {
        let bytes = self.read(4 * count);
        (0..count).map(|index| word(&bytes, 4 * index)).collect()
    }

    /// The table of 4:6, which tells its length first.
    fn table(&mut self) -> Vec<u8> {
        self.send(READER_STATES_SIZE, &[]);
        let entries = usize::try_from(self.words(1)[0]).unwrap();
        assert!(entries >= ENTRIES);
        self.send(READER_STATES_ARRAY, &[]);
        self.read(entries * ENTRY_BYTES)
    }

    fn connect(&mut self, context: u32, reader: &str) -> u32 {
        let mut body = words(&[context]);
        body.extend(padded(reader));
        // Shared, T=0 or T=1.
        body.extend(words(&[2, 3, 0, 0, 0]));
        self.send(CONNECT, &body);
        let answer = self.read(152);
        assert_eq!((word(&answer, 144), word(&answer, 148)), (2, 0), "T=1, success");
        word(&answer, 140)
    }

    fn transmit(&mut self, card: u32, command: &[u8]) -> Vec<u8> {
        let length = u32::try_from(command.len()).unwrap();
        self.send(TRANSMIT, &words(&[card, 2, 16, length, 3, 16, 300, 0]));
        self.0.write_all(command).unwrap();
        let answer = self.words(8);
        assert_eq!((answer[0], answer[7]), (card, 0));
        self.read(usize::try_from(answer[6]).unwrap())
    }
}

#[test]
fn a_client_of_4_3_and_one_of_4_6_are_served_side_by_side() {
    let mut service = Service::start(Manager::Ours, "two-versions", "piv");
    let mut old = Client::open(&service, 3);
    let mut new = Client::open(&service, 6);

    old.send(READER_STATES, &[]);
    check_table(&old.read(ENTRIES * ENTRY_BYTES), ABSENT, 0);
    check_table(&new.table(), ABSENT, 0);
    new.send(READER_EVENTS, &[]);
    assert_eq!(new.words(2), [3, 0], "counted from 1, and two readers came");

    // Nothing answers a registration; a client reads the table behind it, so that it misses nothing in between. Up to
    // 4:3 it has a body.
    old.send(WAIT, &words(&[0, 0]));
    old.send(READER_STATES, &[]);
    check_table(&old.read(ENTRIES * ENTRY_BYTES), ABSENT, 0);
    new.send(WAIT, &[]);
    check_table(&new.table(), ABSENT, 0);
    service.insert(0);
    assert_eq!(old.words(2), [0, 0], "woken");
    assert_eq!(new.words(2), [0, 0], "woken");

    // The card may have been powered between two looks; a registration that fired is not answered any more.
    let table = loop {
        old.send(READER_STATES, &[]);
        let table = old.read(ENTRIES * ENTRY_BYTES);
        if word(&table, 176) > 0 && word(&table, 132) & PRESENT != 0 {
            break table;
        }
    };
    check_table(&table, PRESENT, 1);
    assert_eq!(table[140], 0x3B, "the answer to reset");
    old.send(WAIT, &words(&[0, 0]));
    old.send(STOP_WAITING, &words(&[0, 0]));
    assert_eq!(old.words(2), [0, 0], "stopped, or told of a change: once");

    let select = [0x00, 0xA4, 0x04, 0x00, 0x05, 0xA0, 0x00, 0x00, 0x03, 0x08];
    for client in [&mut old, &mut new] {
        client.send(ESTABLISH, &words(&[2, 0, 0]));
        let context = client.words(3)[1];
        let card = client.connect(context, "Virtual PCD 00 00");
        let answer = client.transmit(card, &select);
        assert_eq!(answer[0], 0x61, "{answer:X?}");
        assert_eq!(answer[answer.len() - 2..], [0x90, 0x00], "{answer:X?}");
    }
}

/// Two readers, of which the first is in a state, and free places after them.
fn check_table(table: &[u8], first_state: u32, first_counter: u32) {
    let (first, rest) = table.split_at(ENTRY_BYTES);
    let (second, free) = rest.split_at(ENTRY_BYTES);
    assert_eq!(first[..128], padded("Virtual PCD 00 00"));
    assert_eq!(second[..128], padded("Virtual PCD 00 01"));
    assert_eq!(word(first, 128) & 0xFFFF, first_counter);
    assert_ne!(word(first, 132) & first_state, 0);
    assert_ne!(word(second, 132) & ABSENT, 0);
    assert_eq!((word(first, 136), word(second, 136)), (0, 0), "nobody has a handle");
    assert!(word(first, 176) <= 33 && word(second, 176) <= 33);
    for entry in free.chunks(ENTRY_BYTES) {
        assert_eq!(entry[..128], [0; 128], "a free place has no name");
    }
}

fn padded(name: &str) -> [u8; 128] {
    let mut bytes = [0; 128];
    bytes[..name.len()].copy_from_slice(name.as_bytes());
    bytes
}

fn words(words: &[u32]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_ne_bytes()).collect()
}

fn word(bytes: &[u8], offset: usize) -> u32 {
    u32::from_ne_bytes(bytes[offset..offset + 4].try_into().unwrap())
}

//! Driver commands, and what the slots show of them.
#![allow(clippy::unwrap_used, reason = "tests panic")]

use reader_api::{Announcement, DriverCommand, NewReader, ReaderDriver};
use scard_types::{
    CardEvent, Protocol, ReaderName, ReaderNaming, ResponseApdu, SlotError, StatusWord,
};
use serde_json::{Value, json};
use sim_reader::SimDriver;
use tokio::sync::{mpsc, oneshot};

/// A running driver and its readers.
struct Bench {
    commands: mpsc::Sender<DriverCommand>,
    announcements: mpsc::Receiver<Announcement>,
    readers: Vec<NewReader>,
}

impl Bench {
    async fn new(specs: &[&str]) -> Self {
        let mut driver = SimDriver::new();
        for spec in specs {
            driver.add(&spec.parse().unwrap()).unwrap();
        }
        let (announce, mut announcements) = mpsc::channel(1);
        let (commands, receiver) = mpsc::channel(1);
        tokio::spawn(Box::new(driver).run(announce, receiver));
        let mut readers = Vec::new();
        while let Some(Announcement::Reader(reader)) = announcements.recv().await {
            readers.push(reader);
        }
        Self { commands, announcements, readers }
    }

    async fn command(&self, text: &str) -> Value {
        let (answer, done) = oneshot::channel();
        let command = text.as_bytes().to_vec();
        self.commands.send(DriverCommand { command, answer }).await.unwrap();
        serde_json::from_slice(&done.await.unwrap()).unwrap()
    }

    async fn check(&self, command: &str, expected: Value) {
        assert_eq!(self.command(command).await, expected, "{command}");
    }

    async fn event(&mut self, reader: usize) -> Option<CardEvent> {
        self.readers[reader].events.next().await
    }

    /// The status word of a short command to a powered card.
    async fn status(&mut self, reader: usize, command: &[u8]) -> Result<StatusWord, SlotError> {
        let slot = &mut self.readers[reader].slot;
        let answer = slot.transmit(Protocol::T1, command.into()).await?;
        Ok(ResponseApdu::parse(answer.expose()).unwrap().status)
    }
}

const ASK_PIN: &[u8] = b"\x00\x20\x00\x80";
const DEFAULT_ATR: &str = "3B 9B 96 81 31 FE 45 80 73 C0 21 C0 55 73 63 61 72 64 E6";

fn reader(number: u32, name: &str, inserted: bool, serial: u32) -> Value {
    let card = json!({ "serial": serial, "atr": DEFAULT_ATR });
    json!({ "number": number, "name": name, "inserted": inserted, "card": card })
}

#[tokio::test]
async fn readers_are_announced_as_ordered() {
    let specs = ["piv,count=2", "piv,name=\"A, B\",serial=70,count=2,empty", "piv"];
    let bench = Bench::new(&specs).await;
    let namings: Vec<_> =
        bench.readers.iter().map(|reader| (reader.naming.clone(), reader.occupied)).collect();
    let base = "scard Virtual PIV Reader".to_owned();
    let numbered = (ReaderNaming::Indexed { base, slot: 0 }, true);
    let named = (ReaderNaming::Verbatim(ReaderName::new("A, B").unwrap()), false);
    assert_eq!(namings, [numbered.clone(), numbered.clone(), named.clone(), named, numbered]);
    let status = bench.command("status").await;
    let serials: Vec<_> = status["readers"]
        .as_array()
        .unwrap()
        .iter()
        .map(|reader| reader["card"]["serial"].as_u64().unwrap())
        .collect();
    assert_eq!(serials, [1, 2, 70, 71, 3]);
}

#[tokio::test]
async fn a_yubikey_is_known_by_the_name_of_its_reader_and_its_answer_to_reset() {
    let mut bench = Bench::new(&["piv,preset=yubikey-5", "piv,preset=yubikey-5,name=Mine"]).await;
    let base = "Yubico YubiKey CCID".to_owned();
    assert_eq!(bench.readers[0].naming, ReaderNaming::Indexed { base, slot: 0 });
    let name = ReaderName::new("Mine").unwrap();
    assert_eq!(bench.readers[1].naming, ReaderNaming::Verbatim(name));
    for reader in [0, 1] {
        let atr = bench.readers[reader].slot.power_on().await.unwrap();
        assert_eq!(atr, sim_card::yubikey_5_atr());
        let version = b"\x00\xFD\x00\x00".as_slice().into();
        let answer = bench.readers[reader].slot.transmit(Protocol::T1, version).await.unwrap();
        assert_eq!(answer.expose(), [5, 4, 3, 0x90, 0x00]);
    }
}

#[tokio::test]
async fn cards_come_and_go() {
    let mut bench = Bench::new(&["piv,name=One", "piv,name=Two,empty"]).await;
    let both =
        |one, two| json!({ "readers": [reader(0, "One", one, 1), reader(1, "Two", two, 2)] });
    bench.check("status", both(true, false)).await;
    bench.check("insert Two", reader(1, "Two", true, 2)).await;
    bench.check("insert Two", json!({ "error": "there is a card in \"Two\" already" })).await;
    bench.check("remove 0", reader(0, "One", false, 1)).await;
    bench.check("remove One", json!({ "error": "there is no card in \"One\"" })).await;
    bench.check("status", both(false, true)).await;
    bench.check("insert \"One\"", reader(0, "One", true, 1)).await;
    assert_eq!(bench.event(0).await, Some(CardEvent::Inserted));
    assert_eq!(bench.event(0).await, Some(CardEvent::Removed));
    assert_eq!(bench.event(0).await, Some(CardEvent::Inserted));
    assert_eq!(bench.event(1).await, Some(CardEvent::Inserted));
}

#[tokio::test]
async fn a_reader_is_found_by_the_name_that_the_resource_manager_gave_it() {
    let mut bench = Bench::new(&["piv,count=2"]).await;
    for (number, reader) in bench.readers.iter_mut().enumerate() {
        let name = format!("scard Virtual PIV Reader {number:02X} 00");
        reader.slot.named(&ReaderName::new(name).unwrap());
    }
    let named = |number, inserted| {
        reader(number, &format!("scard Virtual PIV Reader {number:02X} 00"), inserted, number + 1)
    };
    bench.check("remove scard Virtual PIV Reader 01 00", named(1, false)).await;
    bench.check("remove 00 00", named(0, false)).await;
    bench.check("insert Reader 01", named(1, true)).await;
    let many = json!({ "error": "more than one virtual reader matches \"Virtual\"" });
    bench.check("insert Virtual", many).await;
    let none = json!({ "error": "no virtual reader is called \"Gemalto\"" });
    bench.check("insert Gemalto", none).await;
    bench.check("insert 7", json!({ "error": "no virtual reader is called \"7\"" })).await;
}

#[tokio::test]
async fn another_card_can_be_inserted() {
    let mut bench = Bench::new(&["piv,name=My Reader,empty"]).await;
    bench.check("insert My Reader piv", reader(0, "My Reader", true, 2)).await;
    bench.command("remove 0").await;
    bench
        .check("insert My Reader piv,serial=99,pin=654321", reader(0, "My Reader", true, 99))
        .await;
    bench.readers[0].slot.power_on().await.unwrap();
    let verify = b"\x00\x20\x00\x80\x08654321\xFF\xFF";
    assert_eq!(bench.status(0, verify).await, Ok(StatusWord::OK));
    bench.command("remove 0").await;
    bench.check("insert \"My Reader\" piv,serial=98", reader(0, "My Reader", true, 98)).await;
    bench.command("remove 0").await;
    let wrong = json!({ "error": "pin takes six to eight digits" });
    bench.check("insert 0 piv,pin=1", wrong).await;
    let missing = bench.command("insert 0 piv,9a.key=/no/such/file").await;
    assert!(missing["error"].as_str().unwrap().starts_with("/no/such/file: "));
    bench.check("insert 0", reader(0, "My Reader", true, 98)).await;
}

#[tokio::test]
async fn a_new_list_of_readers_keeps_those_that_were_on_the_old_one() {
    let mut bench = Bench::new(&["piv,name=One", "piv,name=Two"]).await;
    bench.command("remove Two").await;
    let wrong = bench.command("readers\npiv,name=Three\npiv,9a.key=/no/such/file").await;
    assert!(wrong["error"].is_string());
    let unchanged = json!({ "readers": [reader(0, "One", true, 1), reader(1, "Two", false, 2)] });
    bench.check("status", unchanged).await;

    let status = bench.command("readers\npiv,name=Two\npiv,name=Four,serial=40").await;
    let expected = json!({ "readers": [reader(0, "Two", false, 2), reader(1, "Four", true, 40)] });
    assert_eq!(status, expected);
    assert_eq!(bench.event(0).await, Some(CardEvent::Inserted));
    assert_eq!(bench.event(0).await, None, "its driver has let go of it");
    let four = bench.announcements.recv().await;
    let Some(Announcement::Reader(four)) = four else { unreachable!("a reader was ordered") };
    assert_eq!(four.naming, ReaderNaming::Verbatim(ReaderName::new("Four").unwrap()));
    bench.check("readers", json!({ "readers": [] })).await;
}

#[tokio::test]
async fn other_commands_are_refused() {
    let bench = Bench::new(&["piv"]).await;
    let unknown = "the commands are: status, insert READER [SPEC], remove READER, readers";
    for command in ["", "insert", "remove ", "status 1", "eject 0", "STATUS"] {
        bench.check(command, json!({ "error": unknown })).await;
    }
    let (answer, done) = oneshot::channel();
    bench.commands.send(DriverCommand { command: vec![0xFF], answer }).await.unwrap();
    assert_eq!(done.await.unwrap(), br#"{"error":"a command is UTF-8 text"}"#);
}

#[tokio::test]
async fn a_removed_card_keeps_its_tries_and_loses_what_the_pin_opened() {
    let mut bench = Bench::new(&["piv"]).await;
    bench.readers[0].slot.power_on().await.unwrap();
    let wrong = b"\x00\x20\x00\x80\x08999999\xFF\xFF";
    let right = b"\x00\x20\x00\x80\x08123456\xFF\xFF";
    assert_eq!(bench.status(0, right).await, Ok(StatusWord::OK));
    assert_eq!(bench.status(0, ASK_PIN).await, Ok(StatusWord::OK));
    bench.command("remove 0").await;
    bench.command("insert 0").await;
    bench.readers[0].slot.power_on().await.unwrap();
    assert_eq!(bench.status(0, ASK_PIN).await, Ok(StatusWord(0x63C3)));
    assert_eq!(bench.status(0, wrong).await, Ok(StatusWord(0x63C2)));
    bench.command("remove 0").await;
    bench.command("insert 0").await;
    assert_eq!(bench.status(0, ASK_PIN).await, Err(SlotError::NoCard), "not powered");
    bench.readers[0].slot.power_on().await.unwrap();
    assert_eq!(bench.status(0, ASK_PIN).await, Ok(StatusWord(0x63C2)));
}

//! Ports that come and go, and the second card at one port.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests panic")]

use std::io::Read;
use std::os::unix::net::UnixStream;
use std::path::Path;

use reader_api::{Announcement, DriverCommand, NewReader, ReaderDriver};
use reader_vpcd::VpcdDriver;
use scard_types::{CardEvent, ReaderNaming};
use tokio::sync::{mpsc, oneshot};

struct Running {
    announced: mpsc::Receiver<Announcement>,
    commands: mpsc::Sender<DriverCommand>,
}

impl Running {
    fn start(orders: &[String]) -> Self {
        let mut driver = VpcdDriver::new();
        for order in orders {
            driver.add(&order.parse().unwrap()).unwrap();
        }
        let (announce, announced) = mpsc::channel(8);
        let (commands, obeyed) = mpsc::channel(1);
        tokio::spawn(Box::new(driver).run(announce, obeyed));
        Self { announced, commands }
    }

    async fn reader(&mut self) -> NewReader {
        match self.announced.recv().await.unwrap() {
            Announcement::Reader(reader) => reader,
            Announcement::Settled => panic!("no further reader"),
        }
    }

    async fn settled(&mut self) {
        assert!(matches!(self.announced.recv().await, Some(Announcement::Settled)));
    }

    async fn command(&self, command: &str) -> String {
        let (answer, answered) = oneshot::channel();
        let command = DriverCommand { command: command.into(), answer };
        assert!(self.commands.send(command).await.is_ok());
        String::from_utf8(answered.await.unwrap()).unwrap()
    }
}

fn order(folder: &Path, name: &str) -> String {
    format!("unix:{}", folder.join(name).display())
}

#[tokio::test]
async fn a_second_card_is_sent_away_and_the_first_one_stays() {
    let folder = tempfile::tempdir().unwrap();
    let mut driver = Running::start(&[order(folder.path(), "port")]);
    let NewReader { naming, occupied, slot: _slot, mut events, .. } = driver.reader().await;
    assert_eq!(naming, ReaderNaming::Indexed { base: "Virtual PCD".to_owned(), slot: 0 });
    assert!(!occupied);
    let first = UnixStream::connect(folder.path().join("port")).unwrap();
    assert_eq!(events.next().await, Some(CardEvent::Inserted));
    let mut second = UnixStream::connect(folder.path().join("port")).unwrap();
    let read = tokio::task::spawn_blocking(move || second.read(&mut [0; 1]).unwrap());
    assert_eq!(read.await.unwrap(), 0, "closed at once");
    drop(first);
    assert_eq!(events.next().await, Some(CardEvent::Removed));
    let _third = UnixStream::connect(folder.path().join("port")).unwrap();
    assert_eq!(events.next().await, Some(CardEvent::Inserted));
}

#[tokio::test]
async fn ports_of_orders_that_stay_are_not_touched() {
    let folder = tempfile::tempdir().unwrap();
    let [stays, goes, comes] = ["stays", "goes", "comes"].map(|name| order(folder.path(), name));
    let mut driver = Running::start(&[stays.clone(), goes.clone()]);
    let (mut stayed, mut gone) = (driver.reader().await, driver.reader().await);
    driver.settled().await;
    let _card = UnixStream::connect(folder.path().join("stays")).unwrap();
    assert_eq!(stayed.events.next().await, Some(CardEvent::Inserted));

    let told = driver.command(&format!("readers\n{stays}\n{comes},name=Mine")).await;
    assert_eq!(told, format!("ports: {stays}, {comes}"));
    assert_eq!(gone.events.next().await, None);
    assert!(!folder.path().join("goes").exists());
    let new = driver.reader().await;
    assert!(matches!(new.naming, ReaderNaming::Verbatim(name) if name.as_str() == "Mine"));

    // Another order for the same address: the old port makes way.
    let told = driver.command(&format!("readers\n{stays}\n{comes},answer-within=5")).await;
    assert_eq!(told, format!("ports: {stays}, {comes}"));
    let _newer = driver.reader().await;

    let told = driver.command("readers\nunix:").await;
    assert!(told.starts_with("error: \"unix:\" is no address"), "{told}");
    let told = driver.command("insert 0").await;
    assert!(told.starts_with("error: the command is"), "{told}");
    assert!(folder.path().join("stays").exists(), "after an error nothing has changed");
    std::fs::write(folder.path().join("taken"), "").unwrap();
    let taken = order(folder.path(), "taken");
    let told = driver.command(&format!("readers\n{stays}\n{taken}")).await;
    assert!(told.starts_with(&format!("error: {taken}: somebody listens")), "{told}");
    assert!(folder.path().join("stays").exists(), "the other ports are served");
}

#[tokio::test]
async fn the_end_of_the_slot_is_the_end_of_the_port() {
    let folder = tempfile::tempdir().unwrap();
    let mut driver = Running::start(&[order(folder.path(), "port")]);
    let NewReader { slot, mut events, .. } = driver.reader().await;
    drop(slot);
    assert_eq!(events.next().await, None);
}

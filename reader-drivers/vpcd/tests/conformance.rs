//! A port with a card at it behaves as every reader must, over both kinds of socket.
#![allow(clippy::unwrap_used, reason = "tests panic")]

use std::sync::{Arc, Mutex};

use reader_api::conformance::{Bench, Hand, check};
use reader_api::{DriverFuture, ReaderDriver};
use reader_vpcd::message::{Control, Inbox, Question, encode};
use reader_vpcd::{Address, VpcdDriver};
use scard_types::Protocol;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpStream, UnixStream};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

/// T=1.
const ATR: &[u8] = &[0x3B, 0x80, 0x01, 0x81];
const SLOW: &[u8] = &[0x00, 0x47, 0x00, 0x00];

trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

async fn connect(address: &Address) -> Box<dyn Stream> {
    match address {
        Address::Unix(path) => Box::new(UnixStream::connect(path).await.unwrap()),
        Address::Tcp(address) => Box::new(TcpStream::connect(address).await.unwrap()),
    }
}

/// A card that answers everything with its length and 9000.
async fn answer(mut wire: Box<dyn Stream>) {
    let mut inbox = Inbox::default();
    loop {
        while let Some(content) = inbox.take() {
            let answer = match Question::read(content.expose()) {
                Question::Control(Control::AnswerToReset) => encode(ATR),
                Question::Control(_) | Question::Unknown(_) => continue,
                Question::Command(command) => {
                    if command == SLOW {
                        tokio::task::yield_now().await;
                    }
                    let [high, low] = u16::try_from(command.len()).unwrap().to_be_bytes();
                    encode(&[high, low, 0x90, 0x00])
                }
            };
            wire.write_all(answer.unwrap().expose()).await.unwrap();
        }
        match wire.read(inbox.room()).await {
            Ok(0) | Err(_) => return,
            Ok(count) => inbox.fill(count),
        }
    }
}

/// Where the card is, if it is connected.
type Place = Arc<Mutex<Option<JoinHandle<()>>>>;

async fn insert(place: Place, address: Address) {
    let card = tokio::spawn(answer(connect(&address).await));
    *place.lock().unwrap() = Some(card);
}

async fn remove(place: Place) {
    let card = place.lock().unwrap().take().unwrap();
    card.abort();
    let _ = card.await;
}

async fn conforms(address: Address) {
    let mut driver = VpcdDriver::new();
    driver.add(&address.to_string().parse().unwrap()).unwrap();
    assert_eq!(driver.name(), "vpcd");
    let place = Place::default();
    insert(Arc::clone(&place), address.clone()).await;
    let (_commands, commands) = mpsc::channel(1);
    let hand = |work: Box<dyn Fn() -> DriverFuture<'static, ()> + Send>| -> Hand { work };
    let (in_it, out_of_it) = (Arc::clone(&place), place);
    check(Bench {
        driver: Box::new(driver),
        commands,
        protocol: Protocol::T1,
        command: b"\x00\xA4\x04\x00".to_vec(),
        slow_command: SLOW.to_vec(),
        remove: hand(Box::new(move || Box::pin(remove(Arc::clone(&out_of_it))))),
        insert: hand(Box::new(move || Box::pin(insert(Arc::clone(&in_it), address.clone())))),
    })
    .await;
}

#[tokio::test]
async fn a_port_in_the_file_system_conforms() {
    let folder = tempfile::tempdir().unwrap();
    conforms(Address::Unix(folder.path().join("port"))).await;
}

#[tokio::test]
async fn a_port_of_tcp_conforms() {
    // Free a moment ago; the kernel gives it to nobody else so soon.
    let probe = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let address = Address::Tcp(probe.local_addr().unwrap());
    drop(probe);
    conforms(address).await;
}

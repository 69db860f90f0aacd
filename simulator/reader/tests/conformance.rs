//! A virtual reader behaves as every reader must.

use reader_api::conformance::{Bench, Hand, check};
use reader_api::{DriverCommand, DriverFuture};
use scard_types::Protocol;
use sim_reader::SimDriver;
use tokio::sync::{mpsc, oneshot};

/// GENERAL AUTHENTICATE with 9E: a signature, not quick.
const SIGN: &[u8] = b"\x00\x87\x11\x9E\x0A\x7C\x08\x82\x00\x81\x04\x01\x02\x03\x04\x00";

fn hand(commands: &mpsc::Sender<DriverCommand>, text: &'static str) -> Hand {
    let commands = commands.clone();
    Box::new(move || -> DriverFuture<'static, ()> {
        let commands = commands.clone();
        Box::pin(async move {
            let (answer, done) = oneshot::channel();
            let command = text.as_bytes().to_vec();
            assert!(commands.send(DriverCommand { command, answer }).await.is_ok());
            assert!(done.await.is_ok_and(|answer| !answer.starts_with(b"{\"error\"")));
        })
    })
}

#[tokio::test]
async fn a_virtual_reader_conforms() {
    let mut driver = SimDriver::new();
    driver.add(&"piv,seed=1".parse().unwrap()).unwrap();
    let (sender, commands) = mpsc::channel(1);
    check(Bench {
        driver: Box::new(driver),
        commands,
        protocol: Protocol::T1,
        command: b"\x00\xCB\x3F\xFF\x03\x5C\x01\x7E\x00".to_vec(),
        slow_command: SIGN.to_vec(),
        remove: hand(&sender, "remove 0"),
        insert: hand(&sender, "insert 0"),
    })
    .await;
}

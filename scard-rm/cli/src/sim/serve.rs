//! `scard sim serve`: a virtual card at a port of vpcd, as in the reader of a stock pcscd.

use std::io::{self, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::thread::sleep;
use std::time::Duration;

use reader_vpcd::Address;
use reader_vpcd::message::{Control, Inbox, Question, encode};
use scard_types::SecretBytes;
use sim_card::Card;
use sim_reader::CardSpec;

use crate::failure::Failure;
use crate::output::Output;

/// How long to wait before trying again where nobody listens, or nobody wants the card.
const PAUSE: Duration = Duration::from_millis(500);
/// Of a card that was ordered without a number of its own.
const SERIAL: u32 = 1;

/// Be a virtual card in the reader that listens at a port of vpcd, until interrupted.
///
/// A stock pcscd with the driver vpcd listens at 127.0.0.1:35963 and :35964, scard-rm where --reader vpcd:ADDRESS says.
/// When the reader goes, the card waits until it is back.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Where the reader listens: IP address and port, as in 127.0.0.1:35963, or unix: and a path.
    #[arg(long, value_name = "ADDRESS")]
    vpcd: Address,

    /// The card, for instance piv or piv,serial=7,pin=654321.
    #[arg(long = "card", value_name = "SPEC", default_value = "piv")]
    card: String,

    /// Wait for the reader also at the beginning, instead of failing if nobody listens.
    #[arg(long)]
    wait: bool,

    /// End when the reader goes, instead of waiting until it is back.
    #[arg(long)]
    once: bool,
}

/// Carries the command out. The card keeps its memory from one connection to the next.
pub(super) fn run(arguments: &Arguments, output: &mut Output) -> Result<(), Failure> {
    let Arguments { vpcd: address, card, wait, once } = arguments;
    let order: CardSpec = card.parse().map_err(Failure::CardOrder)?;
    let mut card = order.make(order.serial.unwrap_or(SERIAL)).map_err(Failure::CardMade)?;
    let mut is_known = *wait;
    loop {
        match connect(address) {
            Ok(mut reader) => {
                let was_in = attend(&mut *reader, &mut card, || announce("in", address, output))?;
                // Without a reader it has no power.
                card.reset();
                if was_in {
                    announce("out of", address, output)?;
                } else if !is_known {
                    return Err(Failure::CardNotTaken { address: address.clone() });
                }
                if *once {
                    return Ok(());
                }
            }
            Err(error) if !is_known => {
                return Err(Failure::NoPort { address: address.clone(), error });
            }
            Err(_) => {}
        }
        is_known = true;
        sleep(PAUSE);
    }
}

fn announce(place: &str, address: &Address, output: &mut Output) -> Result<(), Failure> {
    writeln!(output, "{place} the reader at {address}")?;
    Ok(output.flush()?)
}

/// A stream to a reader.
trait Wire: Read + Write {
    /// The beginning of a question came. Stock vpcd writes length and content apart, and the kernel keeps the second
    /// back until the first is acknowledged: 40 ms, if that is left to the kernel on our side.
    fn acknowledge(&self) {}
}

impl Wire for UnixStream {}

impl Wire for TcpStream {
    fn acknowledge(&self) {
        // It is for this moment only. Where it fails, the rest comes later.
        let _ = rustix::net::sockopt::set_tcp_quickack(self, true);
    }
}

fn connect(address: &Address) -> io::Result<Box<dyn Wire>> {
    match address {
        Address::Unix(path) => Ok(Box::new(UnixStream::connect(path)?)),
        Address::Tcp(address) => {
            let stream = TcpStream::connect(address)?;
            stream.set_nodelay(true)?;
            Ok(Box::new(stream))
        }
    }
}

/// Answers until the reader closes the connection; whether it ever asked. At its first question the card is noticed.
fn attend(
    reader: &mut dyn Wire,
    card: &mut impl Card,
    noticed: impl FnOnce() -> Result<(), Failure>,
) -> Result<bool, Failure> {
    let mut inbox = Inbox::default();
    let mut noticed = Some(noticed);
    loop {
        while let Some(question) = inbox.take() {
            if let Some(noticed) = noticed.take() {
                noticed()?;
            }
            let message = answer(card, question.expose()).and_then(|it| encode(it.expose()).ok());
            if message.is_some_and(|message| reader.write_all(message.expose()).is_err()) {
                return Ok(true);
            }
        }
        if inbox.is_partial() {
            reader.acknowledge();
        }
        match reader.read(inbox.room()) {
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Ok(0) | Err(_) => return Ok(noticed.is_none()),
            Ok(count) => inbox.fill(count),
        }
    }
}

fn answer(card: &mut impl Card, question: &[u8]) -> Option<SecretBytes> {
    match Question::read(question) {
        Question::Control(Control::AnswerToReset) => Some(card.atr().as_bytes().into()),
        Question::Control(Control::PowerOff | Control::PowerOn | Control::Reset) => {
            card.reset();
            None
        }
        Question::Unknown(_) => None,
        Question::Command(command) => Some(card.transmit(command)),
    }
}

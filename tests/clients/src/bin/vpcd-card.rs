//! A virtual card for Debian's vpcd driver: `vpcd-card PORT SPEC`. It is in as long as its standard input is open.
//!
//! vpcd's frames are a big-endian u16 length and that many bytes; single bytes from the reader's side are controls.
#![forbid(unsafe_code)]

use std::io::{self, Read, Write, stdin};
use std::net::{Ipv4Addr, TcpStream};
use std::{env, process, thread};

use sim_card::Card;
use sim_reader::SimSpec;

const POWER_OFF: u8 = 0;
const POWER_ON: u8 = 1;
const RESET: u8 = 2;
const ANSWER_TO_RESET: u8 = 4;

fn main() -> io::Result<()> {
    let [_, port, spec] = &env::args().collect::<Vec<_>>()[..] else { panic!("PORT SPEC") };
    let spec: SimSpec = spec.parse().expect("a card of the simulator");
    let mut card = spec.card.make(1).expect("a card of the simulator");
    let mut reader = TcpStream::connect((Ipv4Addr::LOCALHOST, port.parse().expect("a port")))?;
    println!("inserted");
    thread::spawn(|| {
        let _ = io::copy(&mut stdin().lock(), &mut io::sink());
        process::exit(0);
    });
    let mut length = [0; 2];
    while reader.read_exact(&mut length).is_ok() {
        let mut message = vec![0; u16::from_be_bytes(length).into()];
        reader.read_exact(&mut message)?;
        match message[..] {
            [POWER_OFF | POWER_ON | RESET] => card.reset(),
            [ANSWER_TO_RESET] => answer(&mut reader, card.atr().as_bytes())?,
            _ => answer(&mut reader, card.transmit(&message).expose())?,
        }
    }
    Ok(())
}

/// One write for the whole frame: two would wait for each other's acknowledgement.
fn answer(reader: &mut TcpStream, bytes: &[u8]) -> io::Result<()> {
    let length = u16::try_from(bytes.len()).expect("no answer is that long");
    reader.write_all(&[&length.to_be_bytes(), bytes].concat())
}

//! Lists the readers and asks each card for its PIV application: `cargo run -p scard-client --example select`.
#![expect(clippy::print_stdout, reason = "an example shows what it found")]

use scard_client::{Context, Disposition, Protocols, ScardCode, ShareMode};

/// SELECT by name, the right-truncated AID of PIV (SP 800-73-4 part 2, 3.1.1).
const SELECT_PIV: [u8; 11] = [0x00, 0xA4, 0x04, 0x00, 0x05, 0xA0, 0x00, 0x00, 0x03, 0x08, 0x00];

fn main() -> Result<(), ScardCode> {
    let context = Context::establish()?;
    for reader in context.readers()? {
        match context.connect(reader.as_str(), ShareMode::Shared, Protocols::ANY) {
            Ok(mut card) => {
                let transaction = card.transaction()?;
                let answer = transaction.transmit(&SELECT_PIV)?;
                let status = answer.expose().last_chunk::<2>().copied().map(u16::from_be_bytes);
                println!("{reader}: {:04X}", status.unwrap_or(0));
                transaction.end(Disposition::Leave)?;
            }
            Err(code) => println!("{reader}: {code}"),
        }
    }
    Ok(())
}

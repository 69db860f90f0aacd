//! The steps of the demonstration, each with what has to hold.

use std::thread;
use std::time::{Duration, Instant};

use card_key::piv::{Certificate, Digest, KeySlot, PinReference, PinStatus, Piv};
use scard_client::status_change::{CHANGED, EMPTY, PRESENT};
use scard_client::{
    Card, Context, Disposition, KnownReader, Protocols, ScardCode, SeenReader, ShareMode,
    Transaction,
};
use scard_types::Pin;
use sha2::Digest as _;

use super::{Story, hold};
use crate::certificate::{describe, verify};
use crate::connection::Connection;
use crate::failure::Failure;
use crate::sim;

/// What virtual cards are made with, as everybody knows it.
const PIN: &[u8] = b"123456";
/// What is signed.
const MESSAGE: &[u8] = b"signed by a card";
/// How long anything may take here.
const PATIENCE: Duration = Duration::from_secs(60);

/// Plays all steps with the reader of that name.
pub(super) fn play(
    connection: &Connection,
    reader: &str,
    story: &mut Story<'_>,
) -> Result<(), Failure> {
    let context = connection.context()?;
    let readers = context.readers().map_err(refused("listing the readers"))?;
    hold(readers.iter().any(|name| name.as_str() == reader), "the reader is listed")?;
    story.tell("readers listed", reader)?;

    let seen = wait_for(connection, reader, EMPTY, || sim::insert(&context, reader).map(drop))?;
    hold(seen.event_state & PRESENT != 0, "the card is seen")?;
    let atr = seen.atr.ok_or(Failure::Demo { expected: "the card has an answer to reset" })?;
    story.tell("card inserted", &format!("ATR {atr}"))?;

    let mut card = connect(&context, reader)?;
    let protocol = card.protocol().ok_or(Failure::Demo { expected: "a protocol is negotiated" })?;
    story.tell("connected", &format!("{protocol}, shared"))?;

    // Somebody else has the card open and will want it while we work.
    let other = connection.context()?;
    let mut others_card = connect(&other, reader)?;
    let transaction = card.transaction().map_err(refused("beginning a transaction"))?;
    let handed_over = thread::scope(|threads| {
        let waiting = threads.spawn(|| {
            let transaction = others_card.transaction()?;
            let granted = Instant::now();
            transaction.end(Disposition::Leave).map(|()| granted)
        });
        let signed = sign(&transaction, story);
        let ended = Instant::now();
        let end = transaction.end(Disposition::Leave).map_err(refused("ending the transaction"));
        let granted = waiting.join().unwrap_or(Err(ScardCode::InternalError));
        signed.and(end)?;
        let granted = granted.map_err(refused("waiting for the transaction"))?;
        Ok::<_, Failure>(granted.checked_duration_since(ended))
    })?;
    let waited = handed_over
        .ok_or(Failure::Demo { expected: "nobody gets into the transaction before its end" })?;
    let waited = format!("the next in line had it {} us after its end", waited.as_micros());
    story.tell("transaction handed over", &waited)?;

    let seen = wait_for(connection, reader, PRESENT, || sim::remove(&context, reader).map(drop))?;
    hold(seen.event_state & EMPTY != 0, "the removal is seen")?;
    let answer = card.transmit(&[0x00, 0xA4, 0x04, 0x00]);
    let is_told = matches!(answer, Err(ScardCode::RemovedCard));
    hold(is_told, "the open handle answers SCARD_W_REMOVED_CARD")?;
    story.tell("card removed", "the open handle answers SCARD_W_REMOVED_CARD")
}

/// The part of the story that only one may tell at a time.
fn sign(transaction: &Transaction<'_>, story: &mut Story<'_>) -> Result<(), Failure> {
    let mut piv = Piv::select(transaction)?;
    let label = piv.application().label.clone().unwrap_or_else(|| "without a label".to_owned());
    story.tell("PIV selected", &label)?;

    let before = piv.pin_status(PinReference::Application)?;
    let PinStatus::TriesLeft(tries) = before else {
        return Err(Failure::Demo { expected: "the PIN is not verified yet" });
    };
    let pin = Pin::new(PIN).map_err(|_| Failure::Demo { expected: "a PIN" })?;
    piv.verify(PinReference::Application, &pin)?;
    let is_verified = piv.pin_status(PinReference::Application)? == PinStatus::Verified;
    hold(is_verified, "the PIN is verified")?;
    story.tell("PIN verified", &format!("{tries} tries were left"))?;

    let slot = KeySlot::Authentication;
    let certificate = piv.certificate(slot)?;
    let certificate = certificate.ok_or(Failure::Demo { expected: "a certificate in 9A" })?;
    let words = describe(&certificate);
    let words = words.ok_or(Failure::Demo { expected: "the certificate is X.509" })?.to_string();
    story.tell("certificate read", &format!("{slot}: {words}"))?;

    let digest: [u8; 32] = sha2::Sha256::digest(MESSAGE).into();
    let algorithm = certificate.key_algorithm()?;
    let signature = piv.sign(slot, algorithm, Digest::Sha256(&digest))?;
    story.tell("signed on the card", &format!("{algorithm}, {} bytes", signature.len()))?;

    check(&certificate, &digest, &signature, story)
}

fn check(
    certificate: &Certificate,
    digest: &[u8; 32],
    signature: &[u8],
    story: &mut Story<'_>,
) -> Result<(), Failure> {
    let holds = verify(certificate, digest, signature) == Some(true);
    hold(holds, "the signature is of the key in the certificate")?;
    let other: [u8; 32] = sha2::Sha256::digest(b"something else").into();
    let is_refused = verify(certificate, &other, signature) == Some(false);
    hold(is_refused, "the signature does not fit anything else")?;
    story
        .tell("signature verified", "with the public key of the certificate, and with nothing else")
}

/// Waits for a change of the reader, as a program does that knows nothing of virtual cards, while `cause` is done.
fn wait_for(
    connection: &Connection,
    reader: &str,
    current_state: u32,
    cause: impl FnOnce() -> Result<(), Failure>,
) -> Result<SeenReader, Failure> {
    let context = connection.context()?;
    let seen = thread::scope(|threads| {
        let known = vec![KnownReader { name: reader.to_owned(), current_state }];
        let waiting = threads.spawn(|| context.status_change(known, Some(PATIENCE)));
        let caused = cause();
        if caused.is_err() {
            // Nothing will change; the wait is ended rather than waited for.
            let _ = context.cancel();
        }
        let seen = waiting.join().unwrap_or(Err(ScardCode::InternalError));
        caused.and(seen.map_err(refused("waiting for the card")))
    })?;
    let seen = seen.into_iter().find(|seen| seen.event_state & CHANGED != 0);
    seen.ok_or(Failure::Demo { expected: "a change is seen" })
}

fn connect(context: &Context, reader: &str) -> Result<Card, Failure> {
    context
        .connect(reader, ShareMode::Shared, Protocols::ANY)
        .map_err(refused("connecting to the card"))
}

fn refused(doing: &'static str) -> impl FnOnce(ScardCode) -> Failure {
    move |code| Failure::Scard { doing, code }
}

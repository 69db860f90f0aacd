//! A card that answers whatever it likes, under the host side of PIV.

use card_key::piv::{
    Container, Digest, KeyAlgorithm, KeySlot, MAX_CERTIFICATE_BYTES, PinReference, Piv,
};
use card_key::{Exchange, MAX_ANSWER_BYTES, MAX_ROUNDS};
use scard_types::{Pin, ScardCode, SecretBytes};

use crate::input::Input;

/// What the host side may make of one answer at most, in commands: the parts of a chain, and the fetching.
const MOST_COMMANDS: usize = MAX_ROUNDS + 4;

/// Each answer is cut off the input by a length of two bytes; where the input ends, the card is gone. The host bounds
/// what it takes and how often it asks, and every error has its words.
pub(crate) fn check(bytes: &[u8]) {
    let mut card = Liar { answers: Input::new(bytes), asked: 0 };
    let Ok(mut piv) = Piv::select(&mut card) else { return };
    let label = piv.application().label.as_ref().map_or(0, String::len);
    assert!(label <= MAX_ANSWER_BYTES, "a label of {label} bytes");
    for slot in KeySlot::STANDARD {
        if let Some(certificate) = said(piv.certificate(slot)).flatten() {
            assert!(certificate.der.len() <= MAX_CERTIFICATE_BYTES, "a certificate too long");
            let _ = said(certificate.key_algorithm());
        }
    }
    for container in [Container::Chuid, Container::Discovery, Container::KeyHistory] {
        let content = said(piv.read(container)).flatten().unwrap_or_default();
        assert!(content.len() <= MAX_ANSWER_BYTES);
    }
    let _ = (said(piv.chuid()), said(piv.discovery()), said(piv.key_history()));
    let _ = said(piv.pin_status(PinReference::Global));
    let pin = Pin::new(b"73519248").map(|pin| said(piv.verify(PinReference::Application, &pin)));
    assert!(pin.is_ok());
    for algorithm in [KeyAlgorithm::P256, KeyAlgorithm::Rsa2048] {
        let signed = piv.sign(KeySlot::Authentication, algorithm, Digest::Sha256(&[7; 32]));
        if let Some(signature) = said(signed) {
            assert!(!signature.is_empty(), "an empty signature is believed");
        }
    }
    assert!(card.asked <= 14 * MOST_COMMANDS, "{} commands", card.asked);
}

/// Errors are shown to people, and the PIN stands in none.
fn said<T>(outcome: Result<T, card_key::CardKeyError>) -> Option<T> {
    outcome
        .map_err(|error| {
            let text = format!("{error} {error:?}");
            assert!(!text.contains("73519248"), "the PIN stands in an error");
        })
        .ok()
}

struct Liar<'i> {
    answers: Input<'i>,
    asked: usize,
}

impl Exchange for Liar<'_> {
    fn transmit(&mut self, _command: &[u8]) -> Result<SecretBytes, ScardCode> {
        self.asked += 1;
        if self.answers.is_empty() {
            return Err(ScardCode::RemovedCard);
        }
        let length = self.answers.word();
        Ok(SecretBytes::from(self.answers.bytes(usize::from(length))))
    }
}

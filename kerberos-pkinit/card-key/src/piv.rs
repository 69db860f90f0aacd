//! The host side of the PIV card edge, SP 800-73-4 part 2.

mod application;
mod certificate;
mod container;
mod key;
mod objects;
mod pin;
mod sign;
mod slot;

use scard_types::{CommandApdu, ResponseApdu, StatusWord, tlv};

pub use application::Application;
pub use certificate::{Certificate, MAX_CERTIFICATE_BYTES};
pub use container::Container;
pub use key::{Digest, KeyAlgorithm};
pub use objects::{Chuid, Discovery, KeyHistory};
pub use pin::{PinReference, PinStatus};
pub use slot::KeySlot;

use crate::{CardKeyError, Exchange, Malformation, Operation, send};

/// The right-truncated AID that every PIV card answers to: RID and PIX without the version.
const AID: [u8; 9] = [0xA0, 0x00, 0x00, 0x03, 0x08, 0x00, 0x00, 0x10, 0x00];

/// "Security status not satisfied": a PIN is wanted.
const SECURITY_STATUS: StatusWord = StatusWord(0x6982);
/// "File or application not found": the container is empty.
const NOT_FOUND: StatusWord = StatusWord(0x6A82);
/// "Authentication method blocked": no try left.
const BLOCKED: StatusWord = StatusWord(0x6983);

/// A card whose PIV application is selected.
///
/// Other programs may select another application between two calls: use it inside a transaction.
#[derive(Debug)]
pub struct Piv<E> {
    card: E,
    application: Application,
}

impl<E: Exchange> Piv<E> {
    /// Selects the application, SP 800-73-4 part 2, 3.1.1.
    ///
    /// # Errors
    /// [`CardKeyError::NoApplication`] if the card has none; else what [`send`] gives, and
    /// [`CardKeyError::Malformed`] if the answer is not that of a PIV application.
    pub fn select(mut card: E) -> Result<Self, CardKeyError> {
        let command =
            CommandApdu::new(0x00, 0xA4, 0x04, 0x00).with_data(&AID[..]).with_expected(256);
        let answer = send(&mut card, &command)?;
        if answer.status != StatusWord::OK {
            return Err(CardKeyError::NoApplication { status: answer.status });
        }
        let application = Application::parse(answer.data.expose())
            .map_err(|what| CardKeyError::Malformed { operation: Operation::Select, what })?;
        Ok(Self { card, application })
    }

    /// What the application said of itself when it was selected.
    pub const fn application(&self) -> &Application {
        &self.application
    }

    /// The content of a container: what stands inside 53, or inside the container's own template.
    /// `None` if the card has no such container or it is empty. SP 800-73-4 part 2, 3.1.2.
    ///
    /// # Errors
    /// [`CardKeyError::PinRequired`] if the container is only shown after a PIN; else [`CardKeyError::Refused`],
    /// [`CardKeyError::Malformed`] and what [`send`] gives.
    pub fn read(&mut self, container: Container) -> Result<Option<Vec<u8>>, CardKeyError> {
        let operation = Operation::Read(container);
        let tag = container.tag().to_be_bytes();
        let leading_zeros = tag.iter().take_while(|byte| **byte == 0).count();
        let tag_list = tlv::element(0x5C, tag.get(leading_zeros..).unwrap_or_default());
        let command =
            CommandApdu::new(0x00, 0xCB, 0x3F, 0xFF).with_data(tag_list).with_expected(256);
        let answer = self.ask(operation, &command);
        let data = match answer {
            Ok(answer) => answer.data,
            Err(CardKeyError::Refused { status: NOT_FOUND, .. }) => return Ok(None),
            Err(error) => return Err(error),
        };
        let malformed = |what| CardKeyError::Malformed { operation, what };
        let tag = container.template_tag();
        let (template, _) =
            tlv::Tlv::read(data.expose()).map_err(|error| malformed(Malformation::Tlv(error)))?;
        if template.tag != tag {
            return Err(malformed(Malformation::Missing { tag }));
        }
        Ok((!template.value.is_empty()).then(|| template.value.to_vec()))
    }

    /// The certificate of a slot, opened if it is stored compressed.
    ///
    /// # Errors
    /// As [`Piv::read`].
    pub fn certificate(&mut self, slot: KeySlot) -> Result<Option<Certificate>, CardKeyError> {
        self.read_as(Container::Certificate(slot), Certificate::parse)
    }

    /// The card holder unique identifier.
    ///
    /// # Errors
    /// As [`Piv::read`].
    pub fn chuid(&mut self) -> Result<Option<Chuid>, CardKeyError> {
        self.read_as(Container::Chuid, Chuid::parse)
    }

    /// The discovery object: which PINs the card knows.
    ///
    /// # Errors
    /// As [`Piv::read`].
    pub fn discovery(&mut self) -> Result<Option<Discovery>, CardKeyError> {
        self.read_as(Container::Discovery, Discovery::parse)
    }

    /// How many retired keys there are.
    ///
    /// # Errors
    /// As [`Piv::read`].
    pub fn key_history(&mut self) -> Result<Option<KeyHistory>, CardKeyError> {
        self.read_as(Container::KeyHistory, KeyHistory::parse)
    }

    fn read_as<T>(
        &mut self,
        container: Container,
        parse: impl FnOnce(&[u8]) -> Result<T, Malformation>,
    ) -> Result<Option<T>, CardKeyError> {
        let Some(content) = self.read(container)? else { return Ok(None) };
        parse(&content)
            .map(Some)
            .map_err(|what| CardKeyError::Malformed { operation: Operation::Read(container), what })
    }

    /// Sends a command that has to succeed.
    fn ask(
        &mut self,
        operation: Operation,
        command: &CommandApdu,
    ) -> Result<ResponseApdu, CardKeyError> {
        let answer = send(&mut self.card, command)?;
        match answer.status {
            StatusWord::OK => Ok(answer),
            SECURITY_STATUS => Err(CardKeyError::PinRequired { operation }),
            status => Err(CardKeyError::Refused { operation, status }),
        }
    }
}

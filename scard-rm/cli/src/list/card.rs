//! What is on a card: applications, certificates, tries left.

use std::io::{self, Write};

use card_key::CardKeyError;
use card_key::piv::{Certificate, KeySlot, PinStatus, Piv};
use scard_client::{Context, Disposition, ReaderEntry, ShareMode, Transaction};
use serde::Serialize;

use crate::certificate::{self, Described};
use crate::connection::connect;
use crate::failure::Failure;
use crate::hex;
use crate::output::{STRONG, WEAK, WRONG};
use crate::process::plain;

/// What is on a card.
#[derive(Debug, Serialize)]
pub(super) struct Contents {
    applications: Vec<Application>,
}

/// An application.
#[derive(Debug, Serialize)]
struct Application {
    /// `PIV`.
    name: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    label: Option<String>,
    /// Of the card holder unique identifier.
    #[serde(skip_serializing_if = "Option::is_none")]
    guid: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pin: Option<Pin>,
    certificates: Vec<Entry>,
}

/// How things stand with the PIN.
#[derive(Debug, Serialize)]
struct Pin {
    verified: bool,
    blocked: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    tries_left: Option<u16>,
}

/// A certificate.
#[derive(Debug, Serialize)]
struct Entry {
    slot: String,
    purpose: &'static str,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    certificate: Option<Described>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

/// Opens the card in a reader, looks, and leaves it as it is.
pub(super) fn open(context: &Context, reader: &ReaderEntry) -> Result<Contents, Failure> {
    let mut card = connect(context, reader, ShareMode::Shared)?;
    let refused = |code| Failure::Scard { doing: "looking at the card", code };
    let transaction = card.transaction().map_err(refused)?;
    let applications = piv(&transaction);
    transaction.end(Disposition::Leave).map_err(refused)?;
    card.disconnect(Disposition::Leave).map_err(refused)?;
    Ok(Contents { applications: applications?.into_iter().collect() })
}

fn piv(transaction: &Transaction<'_>) -> Result<Option<Application>, CardKeyError> {
    let mut piv = match Piv::select(transaction) {
        Ok(piv) => piv,
        Err(CardKeyError::NoApplication { .. }) => return Ok(None),
        Err(error) => return Err(error),
    };
    let label = piv.application().label.as_deref().map(plain);
    let guid = piv.chuid().ok().flatten().map(|chuid| hex::packed(&chuid.guid));
    let pin = piv.discovery().ok().flatten().map(|discovery| discovery.preferred);
    let pin = piv.pin_status(pin.unwrap_or_default()).ok().map(Pin::new);
    let retired = piv.key_history().ok().flatten().map_or(0, |history| history.on_card);
    let retired = (1..=retired.min(20)).filter_map(KeySlot::retired);
    let mut certificates = Vec::new();
    for slot in KeySlot::STANDARD.into_iter().chain(retired) {
        let read = match piv.certificate(slot) {
            Ok(None) => continue,
            Ok(Some(certificate)) => describe(&certificate),
            Err(CardKeyError::Exchange(code)) => return Err(CardKeyError::Exchange(code)),
            Err(error) => Err(error.to_string()),
        };
        let (certificate, error) = match read {
            Ok(certificate) => (Some(certificate), None),
            Err(error) => (None, Some(error)),
        };
        let purpose = slot.purpose();
        certificates.push(Entry { slot: slot.to_string(), purpose, certificate, error });
    }
    Ok(Some(Application { name: "PIV", label, guid, pin, certificates }))
}

fn describe(certificate: &Certificate) -> Result<Described, String> {
    certificate::describe(certificate).ok_or_else(|| "the certificate is no X.509".to_owned())
}

impl Pin {
    const fn new(status: PinStatus) -> Self {
        let (verified, blocked, tries_left) = match status {
            PinStatus::Verified => (true, false, None),
            PinStatus::TriesLeft(tries) => (false, false, Some(tries)),
            PinStatus::Blocked => (false, true, Some(0)),
        };
        Self { verified, blocked, tries_left }
    }
}

impl Contents {
    pub(super) fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        if self.applications.is_empty() {
            writeln!(out, "        {WEAK}no application that is known here{WEAK:#}")?;
        }
        self.applications.iter().try_for_each(|application| application.write(out))
    }
}

impl Application {
    fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        write!(out, "  {STRONG}{:<5}{STRONG:#}", self.name)?;
        if let Some(label) = &self.label {
            write!(out, " {label:?}")?;
        }
        if let Some(guid) = &self.guid {
            write!(out, " GUID {guid}")?;
        }
        match &self.pin {
            Some(Pin { verified: true, .. }) => write!(out, " PIN verified")?,
            Some(Pin { blocked: true, .. }) => write!(out, " {WRONG}PIN blocked{WRONG:#}")?,
            Some(Pin { tries_left: Some(1), .. }) => {
                write!(out, " {WRONG}PIN: 1 try left{WRONG:#}")?;
            }
            Some(Pin { tries_left: Some(tries), .. }) => write!(out, " PIN: {tries} tries left")?,
            Some(_) | None => {}
        }
        writeln!(out)?;
        for Entry { slot, purpose, certificate, error } in &self.certificates {
            write!(out, "    {STRONG}{slot}{STRONG:#}  ")?;
            if let Some(certificate) = certificate {
                writeln!(out, "{certificate} {WEAK}({purpose}){WEAK:#}")?;
            }
            if let Some(error) = error {
                writeln!(out, "{WRONG}{error}{WRONG:#} {WEAK}({purpose}){WEAK:#}")?;
            }
        }
        Ok(())
    }
}

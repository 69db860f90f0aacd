//! `scard atr`: an answer to reset, every byte by its name (ISO 7816-3:2006, 8.2; ISO 7816-4:2020, 12.1).

mod historical;
mod interface;
mod known;

use std::io::{self, Write};

use scard_types::Atr;
use scard_types::atr::{AtrError, AtrParts};
use serde::Serialize;

use crate::failure::Failure;
use crate::hex;
use crate::output::{Output, STRONG, WEAK, WRONG};

pub(crate) use known::card_name;

/// Explain an answer to reset, byte by byte.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The answer to reset in hexadecimal, with or without blanks.
    #[arg(required = true, value_name = "HEX")]
    bytes: Vec<String>,

    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

/// An answer to reset, explained.
#[derive(Debug, Serialize)]
pub(crate) struct Explained {
    /// The bytes.
    atr: String,
    /// The product, if it is known by this answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    card: Option<&'static str>,
    /// What the card speaks, its first choice first.
    protocols: Vec<String>,
    /// Byte by byte.
    fields: Vec<Field>,
}

/// One byte, or some bytes that belong together.
#[derive(Debug, Serialize)]
struct Field {
    /// The name in the standard.
    name: String,
    /// The bytes.
    value: String,
    /// What they say.
    meaning: String,
    /// Whether they break a rule.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    wrong: bool,
    /// What stands inside.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    fields: Vec<Self>,
}

impl Field {
    fn new(name: impl Into<String>, bytes: &[u8], meaning: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            value: hex::spaced(bytes),
            meaning: meaning.into(),
            wrong: false,
            fields: Vec::new(),
        }
    }

    fn wrong(mut self) -> Self {
        self.wrong = true;
        self
    }
}

/// Carries the command out.
///
/// # Errors
/// [`Failure::BadAtr`] and [`Failure::BadHex`].
pub(crate) fn run(arguments: &Arguments, output: &mut Output) -> Result<(), Failure> {
    let bytes = hex::parse(&arguments.bytes.join(" ")).map_err(Failure::BadHex)?;
    let explained = Atr::new(&bytes).and_then(|atr| explain(&atr)).map_err(Failure::BadAtr)?;
    if arguments.json { output.json(&explained) } else { Ok(write(&explained, output)?) }
}

/// Explains an answer to reset. A wrong check character is shown, not refused.
///
/// # Errors
/// [`AtrError::Short`].
pub(crate) fn explain(atr: &Atr) -> Result<Explained, AtrError> {
    let parts = atr.layout()?;
    let right_check = match atr.parts() {
        Err(AtrError::BadCheckCharacter { expected, .. }) => Some(expected),
        _ => None,
    };
    let mut fields = vec![initial_character(&parts), format_character(&parts)];
    fields.extend(interface::fields(&parts.interface));
    if !parts.historical.is_empty() {
        fields.push(historical::field(&parts.historical));
    }
    if let Some(check) = parts.check {
        fields.push(match right_check {
            None => Field::new("TCK", &[check], "check character, right"),
            Some(right) => Field::new(
                "TCK",
                &[check],
                format!("check character, wrong: {right:02X} would be right"),
            )
            .wrong(),
        });
    }
    if !parts.trailing.is_empty() {
        fields.push(Field::new("rest", &parts.trailing, "bytes after the end").wrong());
    }
    Ok(Explained {
        atr: atr.to_string(),
        card: card_name(atr),
        protocols: protocols(&parts),
        fields,
    })
}

/// What the card offers, also where its check character is wrong. T=0 if it says nothing; T=15 is no protocol.
fn protocols(parts: &AtrParts) -> Vec<String> {
    let mut offered: Vec<String> = Vec::new();
    for td in parts.interface.iter().filter_map(|group| group.td) {
        let protocol = format!("T={}", td & 0x0F);
        if td & 0x0F != 15 && !offered.contains(&protocol) {
            offered.push(protocol);
        }
    }
    if offered.is_empty() { vec!["T=0".to_owned()] } else { offered }
}

fn initial_character(parts: &AtrParts) -> Field {
    if parts.inverse {
        Field::new("TS", &[0x3F], "inverse convention")
    } else {
        Field::new("TS", &[0x3B], "direct convention")
    }
}

fn format_character(parts: &AtrParts) -> Field {
    let historical = match parts.format & 0x0F {
        0 => "no historical bytes".to_owned(),
        1 => "1 historical byte".to_owned(),
        count => format!("{count} historical bytes"),
    };
    let follow = interface::announced(parts.format, 1);
    Field::new("T0", &[parts.format], format!("{follow}, {historical}"))
}

pub(crate) fn write(explained: &Explained, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "{STRONG}{}{STRONG:#}", explained.atr)?;
    if let Some(card) = explained.card {
        writeln!(out, "known as {STRONG}{card}{STRONG:#}")?;
    }
    writeln!(out, "speaks {}", explained.protocols.join(", "))?;
    writeln!(out)?;
    for field in &explained.fields {
        write_field(field, 0, out)?;
    }
    Ok(())
}

fn write_field(field: &Field, depth: usize, out: &mut dyn Write) -> io::Result<()> {
    let Field { name, value, meaning, wrong, fields } = field;
    let indent = "  ".repeat(depth);
    let width = if fields.is_empty() && !meaning.is_empty() { 8 } else { 0 };
    write!(out, "{indent}{name:<5} {STRONG}{value:<width$}{STRONG:#}")?;
    if !meaning.is_empty() {
        let style = if *wrong { WRONG } else { WEAK };
        write!(out, "  {style}{meaning}{style:#}")?;
    }
    writeln!(out)?;
    fields.iter().try_for_each(|inner| write_field(inner, depth.saturating_add(1), out))
}

#[cfg(test)]
mod tests;

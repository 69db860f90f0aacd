//! One exchange as it is shown: what was sent, what came back, and what it means.

use std::io::{self, Write};
use std::time::Duration;

use scard_types::StatusWord;
use scard_types::mask::Masked;
use serde::Serialize;

use super::instruction;
use crate::hex;
use crate::output::{RIGHT, STRONG, WEAK, WRONG};
use crate::tree::{self, Node};

const GET_RESPONSE: u8 = 0xC0;
/// SW1 of "there is more to be fetched".
const MORE: u8 = 0x61;

/// One exchange. What is secret is not in it.
#[derive(Debug, Serialize)]
pub(crate) struct Exchange {
    /// The command, or its header.
    command: String,
    /// The bytes after the header that are not shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    command_bytes_hidden: Option<u32>,
    /// What the instruction is called.
    #[serde(skip_serializing_if = "Option::is_none")]
    instruction: Option<&'static str>,
    /// The data of the answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    response: Option<String>,
    /// How many bytes of data the answer has.
    response_bytes: u32,
    /// The status word, if the answer is long enough to have one.
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<String>,
    /// What it means.
    meaning: &'static str,
    /// The data as BER-TLV, if they are.
    #[serde(skip_serializing_if = "Option::is_none")]
    tlv: Option<Vec<Node>>,
    /// How long it took, in microseconds.
    elapsed_us: u64,
    #[serde(skip)]
    is_success: bool,
}

/// An answer that comes in parts, by GET RESPONSE, is decoded as the whole that it is so far.
#[derive(Debug, Default)]
pub(crate) struct Parts {
    /// The data object that the first command asked for.
    object: Option<u32>,
    /// What came and has not ended.
    before: Vec<u8>,
}

impl Parts {
    /// The whole so far, after this exchange; `None` if part of it is secret.
    fn whole(&mut self, command: &Masked, response: Option<&Masked>) -> Option<Vec<u8>> {
        if command.shown().get(1) != Some(&GET_RESPONSE) {
            *self = Self { object: tree::object_asked_for(command.shown()), before: Vec::new() };
        }
        let response = response.filter(|response| response.hidden().is_none())?;
        let (data, status) = response.shown().split_last_chunk::<2>()?;
        let whole = [&self.before, data].concat();
        self.before = if status[0] == MORE { whole.clone() } else { Vec::new() };
        Some(whole)
    }
}

impl Exchange {
    pub(crate) fn new(
        command: &Masked,
        response: Option<&Masked>,
        parts: &mut Parts,
        elapsed: Duration,
    ) -> Self {
        let tlv = parts.whole(command, response).and_then(|whole| tree::read(&whole, parts.object));
        let status = response.and_then(Masked::status);
        let shown = response.map_or(&[][..], Masked::shown);
        let data = if status.is_some() { shown.get(..shown.len() - 2) } else { Some(shown) };
        let data = data.unwrap_or_default();
        let hidden = response.and_then(Masked::hidden);
        Self {
            command: hex::packed(command.shown()),
            command_bytes_hidden: command.hidden(),
            instruction: instruction::name(command.shown()),
            response: (response.is_some() && hidden.is_none()).then(|| hex::packed(data)),
            response_bytes: hidden.unwrap_or(u32::try_from(data.len()).unwrap_or(u32::MAX)),
            status: status.map(|status| status.to_string()),
            meaning: match (response, status) {
                (_, Some(status)) => status.meaning(),
                (Some(_), None) => "no status word",
                (None, None) => "no answer",
            },
            tlv,
            elapsed_us: u64::try_from(elapsed.as_micros()).unwrap_or(u64::MAX),
            is_success: status.is_some_and(StatusWord::is_success),
        }
    }

    /// Writes it for people.
    pub(crate) fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        write!(out, "{STRONG}> {}{STRONG:#}", blanks(&self.command))?;
        match self.command_bytes_hidden {
            Some(1) => write!(out, " {WEAK}[1 byte, not shown]{WEAK:#}")?,
            Some(count @ 2..) => write!(out, " {WEAK}[{count} bytes, not shown]{WEAK:#}")?,
            Some(0) | None => {}
        }
        if let Some(name) = self.instruction {
            write!(out, "  {WEAK}{name}{WEAK:#}")?;
        }
        write!(out, "\n{STRONG}<{STRONG:#}")?;
        match &self.response {
            Some(response) if !response.is_empty() => write!(out, " {}", blanks(response))?,
            None if self.response_bytes > 0 => {
                write!(out, " {WEAK}[{} bytes, not shown]{WEAK:#}", self.response_bytes)?;
            }
            Some(_) | None => {}
        }
        let style = if self.is_success { RIGHT } else { WRONG };
        if let Some(status) = &self.status {
            write!(out, " {style}{}{style:#}", blanks(status))?;
        }
        writeln!(
            out,
            "  {style}{}{style:#} {WEAK}{}{WEAK:#}",
            self.meaning,
            duration(self.elapsed_us)
        )?;
        self.tlv.as_ref().map_or(Ok(()), |nodes| tree::write(nodes, 2, out))
    }
}

/// A time that somebody waited, as people say it.
pub(crate) fn duration(us: u64) -> String {
    match us {
        0..1_000 => format!("{us} us"),
        1_000..10_000_000 => format!("{}.{} ms", us / 1_000, us % 1_000 / 100),
        _ => format!("{}.{} s", us / 1_000_000, us % 1_000_000 / 100_000),
    }
}

/// Puts blanks between bytes.
fn blanks(packed: &str) -> String {
    let digits: Vec<char> = packed.chars().collect();
    digits.chunks(2).map(|pair| pair.iter().collect::<String>()).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use scard_types::secret_commands::Visibility;

    fn shown(command: &str, answer: &str, visibility: Visibility) -> (String, String) {
        let command = Masked::command(&hex::parse(command).unwrap(), visibility);
        let answer = Masked::response(&hex::parse(answer).unwrap(), visibility);
        let elapsed = Duration::from_micros(1_234);
        let exchange = Exchange::new(&command, Some(&answer), &mut Parts::default(), elapsed);
        let mut out = Vec::new();
        exchange.write(&mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        let text = anstream::adapter::strip_str(&text).to_string();
        (text, serde_json::to_string(&exchange).unwrap())
    }

    #[test]
    fn an_answer_is_decoded() {
        let (text, json) = shown("00CB3FFF035C017E00", "7E055F2F0240009000", Visibility::Shown);
        assert_eq!(
            text,
            "\
> 00 CB 3F FF 03 5C 01 7E 00  GET DATA
< 7E 05 5F 2F 02 40 00 90 00  done 1.2 ms
  7E discovery object
    5F2F PIN usage policy 40 00
"
        );
        assert_eq!(
            json,
            r#"{"command":"00CB3FFF035C017E00","instruction":"GET DATA","response":"7E055F2F024000","#
                .to_owned()
                + r#""response_bytes":7,"status":"9000","meaning":"done","tlv":[{"tag":"7E","#
                + r#""name":"discovery object","bytes":5,"children":[{"tag":"5F2F","#
                + r#""name":"PIN usage policy","bytes":2,"value":"40 00"}]}],"elapsed_us":1234}"#
        );
    }

    #[test]
    fn a_secret_leaves_only_its_header_and_lengths() {
        let (text, json) =
            shown("0020008008373335313932FFFF", "373335313932 63C2", Visibility::HeaderOnly);
        assert_eq!(
            text,
            "\
> 00 20 00 80 [9 bytes, not shown]  VERIFY
< [6 bytes, not shown] 63 C2  wrong PIN, the last digit says how many tries are left 1.2 ms
"
        );
        for secret in ["37333531", "37 33 35 31", "735192"] {
            assert!(!text.contains(secret) && !json.contains(secret), "{json}");
        }
    }

    #[test]
    fn an_answer_without_a_status_word_is_shown_as_it_is() {
        let (text, _) = shown("00A40400", "90", Visibility::Shown);
        assert_eq!(text, "> 00 A4 04 00  SELECT\n< 90  no status word 1.2 ms\n");
    }
}

//! Where the commands come from: arguments, a file, or standard input, one command a line.

use std::io::{self, BufRead, Read as _};
use std::path::PathBuf;

use scard_types::apdu::ApduError;
use scard_types::{CommandApdu, SecretBytes};
use zeroize::Zeroize as _;

use crate::failure::{BadCommand, Failure, Place};
use crate::hex;

/// The longest line of a script: the longest command, three characters a byte and some room.
const MAX_LINE_BYTES: usize = scard_types::apdu::MAX_COMMAND_BYTES * 3 + 1_024;

/// One step of a script.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// A command for the card.
    Command(SecretBytes),
    /// Reset the card.
    Reset,
}

/// How strict a command is looked at before it is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Check {
    /// Its lengths have to fit (ISO 7816-3:2006, 12.1.3).
    Lengths,
    /// Its header has to be there.
    Header,
}

/// The commands among the arguments: each argument is one, but arguments shorter than a command (four bytes) are the
/// bytes of a single one, as in `00 A4 04 00`.
pub(super) fn from_arguments(arguments: &[String], check: Check) -> Result<Vec<Step>, Failure> {
    let is_short = |argument: &String| hex::parse(argument).is_ok_and(|bytes| bytes.len() < 4);
    let joined;
    let commands = if arguments.iter().all(is_short) {
        joined = [arguments.join(" ")];
        &joined[..]
    } else {
        arguments
    };
    (1..).zip(commands).map(|(number, text)| step(Place::Argument(number), text, check)).collect()
}

/// The commands of a script: blank lines and what follows `#` are left out, `reset` resets the card.
///
/// Lines are read as they are wanted, so that a person can type them.
pub(super) fn from_lines(
    mut input: impl BufRead,
    path: PathBuf,
    check: Check,
) -> impl Iterator<Item = Result<Step, Failure>> {
    (1..)
        .map_while(move |number| {
            let line = read_line(&mut input).transpose()?;
            Some((number, line.map_err(|error| Failure::File { path: path.clone(), error })))
        })
        .filter_map(move |(number, line)| match line {
            Ok(line) => {
                let text = line.0.split('#').next().unwrap_or_default().trim();
                (!text.is_empty()).then(|| step(Place::Line(number), text, check))
            }
            Err(error) => Some(Err(error)),
        })
}

/// A line that may hold a PIN.
struct Line(String);

impl Drop for Line {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

fn read_line(input: &mut impl BufRead) -> io::Result<Option<Line>> {
    let mut line = Vec::with_capacity(1_024);
    let limit = u64::try_from(MAX_LINE_BYTES).unwrap_or(u64::MAX);
    let count = input.by_ref().take(limit).read_until(b'\n', &mut line)?;
    // Anything but ASCII is no hexadecimal digit and is refused as such later.
    let line = String::from_utf8(line)
        .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned());
    Ok((count > 0).then_some(Line(line)))
}

fn step(place: Place, text: &str, check: Check) -> Result<Step, Failure> {
    if text.eq_ignore_ascii_case("reset") {
        return Ok(Step::Reset);
    }
    let bad = |why| Failure::BadCommand { place, why };
    let bytes = hex::parse(text).map_err(|error| bad(BadCommand::Hex(error)))?;
    let bytes = SecretBytes::from(bytes);
    match CommandApdu::parse(bytes.expose()) {
        Err(ApduError::WrongLength { .. }) if check == Check::Header => {}
        Err(error) => return Err(bad(BadCommand::Apdu(error))),
        Ok(_) => {}
    }
    Ok(Step::Command(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn command(bytes: &[u8]) -> Step {
        Step::Command(SecretBytes::from(bytes))
    }

    fn arguments(text: &[&str]) -> Result<Vec<Step>, Failure> {
        let text: Vec<String> = text.iter().map(ToString::to_string).collect();
        from_arguments(&text, Check::Lengths)
    }

    fn lines(script: &[u8], check: Check) -> impl Iterator<Item = Result<Step, Failure>> {
        from_lines(script, PathBuf::from("script"), check)
    }

    #[test]
    fn single_bytes_are_one_command_and_longer_arguments_one_each() {
        let select = || command(&[0x00, 0xA4, 0x04, 0x00]);
        assert_eq!(arguments(&["00", "A4", "04", "00"]).unwrap(), [select()]);
        assert_eq!(arguments(&["00A4", "0400"]).unwrap(), [select()]);
        assert_eq!(arguments(&["00A40400", "00 A4 04 00"]).unwrap(), [select(), select()]);
        assert_eq!(arguments(&["reset", "00A40400"]).unwrap(), [Step::Reset, select()]);
    }

    #[test]
    fn a_script_has_comments_and_blank_lines() {
        let script = "# select\n\n00 A4 04 00 # nothing\n  reset\n00C0000000";
        let steps: Vec<Step> =
            lines(script.as_bytes(), Check::Lengths).map(Result::unwrap).collect();
        let expected =
            [command(&[0x00, 0xA4, 0x04, 0x00]), Step::Reset, command(&[0x00, 0xC0, 0, 0, 0])];
        assert_eq!(steps, expected);
    }

    #[test]
    fn a_bad_line_is_named_by_its_number_and_never_repeated() {
        let bad = |script: &[u8], check| {
            lines(script, check).find_map(Result::err).map(|error| error.to_string())
        };
        let script = b"00A40400\n0020008008 31323334353637\n";
        let expected = "line 2: Lc announces 8 bytes of data, 7 bytes follow it";
        assert_eq!(bad(script, Check::Lengths).as_deref(), Some(expected));
        assert_eq!(bad(script, Check::Header), None);
        let expected = "line 1: a command APDU has at least 4 bytes, not 3";
        assert_eq!(bad(b"00A404", Check::Header).as_deref(), Some(expected));
        assert!(bad(b"\xFF\xFE\n", Check::Header).is_some());
    }
}

//! The one table of commands whose bodies are secret. Every trace, log and record uses it, through [`crate::mask`].
//!
//! An interindustry command is shown only if the table knows that it is harmless: what cannot be told from its bytes is
//! secret. Classes of somebody's own are shown until a PIN went to the card; from then on they may be encrypted forms
//! of anything.

/// What of an exchange may be shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Visibility {
    /// Command and response.
    Shown,
    /// The header of the command and both lengths, and the status word; no body.
    HeaderOnly,
}

/// What a command is, as far as its own bytes tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It carries a secret, or its answer does.
    Secret,
    /// Neither does.
    Harmless,
    /// It may be part of something that began before.
    Unclear,
    /// Of a class that only its card understands.
    Foreign,
}

/// What may be shown of the exchange that `command` begins.
///
/// `pin_seen` says whether a command with a PIN went to this card since its last reset.
#[must_use]
pub fn visibility(command: &[u8], pin_seen: bool) -> Visibility {
    match verdict(command) {
        Verdict::Harmless => Visibility::Shown,
        Verdict::Foreign if !pin_seen => Visibility::Shown,
        Verdict::Secret | Verdict::Unclear | Verdict::Foreign => Visibility::HeaderOnly,
    }
}

/// Whether the command carries a PIN, so that `pin_seen` is true from now on.
#[must_use]
pub fn carries_pin(command: &[u8]) -> bool {
    match command.get(1) {
        Some(0x20 | 0x21 | 0x24 | 0x25 | 0x26 | 0x28 | 0x2C | 0x2D) => command.len() > 5,
        _ => false,
    }
}

pub(crate) fn verdict(command: &[u8]) -> Verdict {
    let Some((&[cla, ins, p1, p2], _)) = command.split_first_chunk::<4>() else {
        return Verdict::Secret;
    };
    match ins {
        // Whatever the class: VERIFY, CHANGE REFERENCE DATA, DISABLE and ENABLE VERIFICATION REQUIREMENT, PERFORM
        // SECURITY OPERATION, RESET RETRY COUNTER; EXTERNAL AUTHENTICATE and the readers' LOAD KEYS; GlobalPlatform's
        // PUT KEY.
        0x20 | 0x21 | 0x24 | 0x25 | 0x26 | 0x28 | 0x2A..=0x2D | 0x82 | 0xD8 => Verdict::Secret,
        // Commands for the reader (PC/SC part 3, 3.2.2): what it tells of the card, and what the card lets it read.
        0xB0 | 0xCA if cla == 0xFF => Verdict::Harmless,
        _ if cla == 0xFF => Verdict::Unclear,
        _ if !is_interindustry(cla) => Verdict::Foreign,
        0x86 | 0x87 => general_authenticate(p2, data(command)),
        // OpenPGP: private use objects, which the card gives and takes after a PIN.
        0xCA if p1 == 0x01 && (0x01..=0x04).contains(&p2) => Verdict::Secret,
        0xCB | 0xDB => object(data(command)),
        // Yubico: set management key, import key.
        0xFF | 0xFE => Verdict::Secret,
        _ if is_harmless(ins) => Verdict::Harmless,
        _ => Verdict::Unclear,
    }
}

/// Instructions that carry no secret in either direction, ISO 7816-4:2020, table 5, and Yubico's extensions of PIV.
const fn is_harmless(ins: u8) -> bool {
    matches!(
        ins,
        // DEACTIVATE and ERASE, MANAGE SECURITY ENVIRONMENT, ACTIVATE, GENERATE ASYMMETRIC KEY PAIR, MANAGE CHANNEL,
        0x04 | 0x0E | 0x0F | 0x22 | 0x44 | 0x46 | 0x47 | 0x70
        // GET CHALLENGE, INTERNAL AUTHENTICATE, SELECT, READ BINARY, READ RECORD, GET RESPONSE, GET DATA,
        | 0x84 | 0x88 | 0xA4 | 0xB0..=0xB3 | 0xC0 | 0xCA
        // CREATE, DELETE and TERMINATE of files; MOVE KEY, GET METADATA, GET SERIAL, ATTEST, SET PIN RETRIES, RESET,
        // GET VERSION.
        | 0xE0 | 0xE4 | 0xE6 | 0xF6..=0xFB | 0xFD
    )
}

/// First and further interindustry classes without secure messaging (ISO 7816-4:2020, 5.4.1); chaining and the logical
/// channel do not change the meaning.
const fn is_interindustry(cla: u8) -> bool {
    (cla & 0xE0 == 0 && cla & 0x0C == 0) || cla & 0xE0 == 0x40
}

/// SP 800-73-4 part 2, 3.2.4. A signature by 9A, 9C or 9E is harmless; the management key is not, nor what a key management
/// key deciphers, nor the secret that two keys agree on (tag 85).
fn general_authenticate(key: u8, data: &[u8]) -> Verdict {
    let beginning = data.get(..data.len().min(10)).unwrap_or_default();
    match (key, beginning) {
        (0x9A | 0x9C | 0x9E, []) => Verdict::Harmless,
        (0x9A | 0x9C | 0x9E, data) if data.contains(&0x85) => Verdict::Secret,
        (0x9A | 0x9C | 0x9E, [0x7C, ..]) => Verdict::Harmless,
        (0x9A | 0x9C | 0x9E, _) => Verdict::Unclear,
        _ => Verdict::Secret,
    }
}

/// GET DATA and PUT DATA of one object that the tag list names. Objects that a card gives only after the PIN are
/// secret (SP 800-73-4 part 1, table 2): fingerprints, facial image, iris images, the pairing code, and the printed
/// information, where Yubico's tools keep a management key.
fn object(data: &[u8]) -> Verdict {
    match data {
        [0x5C, 3, 0x5F, 0xC1, 0x03 | 0x08 | 0x09 | 0x21 | 0x23, ..] => Verdict::Secret,
        [0x5C, 1, tag, ..] if tag & 0x1F != 0x1F => Verdict::Harmless,
        [0x5C, 2, first, second, ..] if first & 0x1F == 0x1F && second & 0x80 == 0 => {
            Verdict::Harmless
        }
        [0x5C, 3, first, second, third, ..]
            if first & 0x1F == 0x1F && second & 0x80 != 0 && third & 0x80 == 0 =>
        {
            Verdict::Harmless
        }
        // Without a tag list an OpenPGP card imports keys.
        _ => Verdict::Unclear,
    }
}

/// The command data, as far as they are there (ISO 7816-3:2006, 12.1.3).
fn data(command: &[u8]) -> &[u8] {
    match command.get(4..).unwrap_or_default() {
        [0, _, _, data @ ..] => data,
        [0, ..] | [] => &[],
        [_, data @ ..] => data,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;

    const HIDDEN: Visibility = Visibility::HeaderOnly;

    #[test]
    fn pin_commands_show_their_header_only_in_every_class() {
        for cla in [0x00, 0x10, 0x01, 0x03, 0x13, 0x0C, 0x40, 0x5F, 0x60, 0x80, 0x84, 0xFF] {
            for ins in [0x20, 0x21, 0x24, 0x26, 0x28, 0x2C, 0x82] {
                assert_eq!(visibility(&[cla, ins, 0, 0x80, 1, 0], false), HIDDEN, "{cla:02X}");
            }
        }
    }

    #[test]
    fn objects_that_need_the_pin_are_not_shown_in_either_direction() {
        for ins in [0xCB, 0xDB] {
            for last in [0x03, 0x08, 0x09, 0x21, 0x23] {
                let short = [0x00, ins, 0x3F, 0xFF, 0x05, 0x5C, 0x03, 0x5F, 0xC1, last];
                assert_eq!(visibility(&short, false), HIDDEN);
                let extended = [0x00, ins, 0x3F, 0xFF, 0, 0, 5, 0x5C, 0x03, 0x5F, 0xC1, last];
                assert_eq!(visibility(&extended, false), HIDDEN);
            }
        }
        // A name that is cut may go on as any.
        assert_eq!(visibility(&[0x10, 0xDB, 0x3F, 0xFF, 3, 0x5C, 3, 0x5F], false), HIDDEN);
        let openpgp_import = [0x00, 0xDB, 0x3F, 0xFF, 4, 0x4D, 2, 0xB6, 0];
        assert_eq!(visibility(&openpgp_import, false), HIDDEN);
    }

    #[test]
    fn what_a_key_management_key_opens_is_not_shown_and_a_signature_is() {
        let with = |key: u8, tag: u8| {
            visibility(&[0, 0x87, 0x11, key, 6, 0x7C, 4, 0x82, 0, tag, 0], false)
        };
        assert_eq!([0x9A, 0x9C, 0x9E].map(|key| with(key, 0x81)), [Visibility::Shown; 3]);
        assert_eq!([0x9A, 0x9B, 0x9D].map(|key| with(key, 0x85)), [HIDDEN; 3]);
        assert_eq!([0x9B, 0x9D, 0x82, 0x95, 0x04].map(|key| with(key, 0x81)), [HIDDEN; 5]);
    }

    #[test]
    fn reading_is_shown_and_unknown_classes_are_until_a_pin_was_seen() {
        assert_eq!(visibility(&[0, 0xB0, 0, 0, 0], true), Visibility::Shown);
        assert_eq!(visibility(&[0x80, 0x50, 0, 0], false), Visibility::Shown);
        assert_eq!(visibility(&[0x80, 0x50, 0, 0], true), HIDDEN);
        assert_eq!(visibility(&[0x00, 0x20], false), HIDDEN);
        assert_eq!(visibility(&[0xFF, 0xCA, 0, 0, 0], true), Visibility::Shown);
    }

    #[test]
    fn an_instruction_that_nobody_knows_is_not_shown() {
        let shown = |ins: &u8| visibility(&[0, *ins, 0, 0, 1, 7], false) == Visibility::Shown;
        let shown: Vec<u8> = (0..=0xFF).filter(shown).collect();
        for ins in [0x01, 0x03, 0x10, 0xC2, 0xD6, 0xDA, 0xDC, 0xE2] {
            assert!(!shown.contains(&ins), "{ins:02X}");
        }
        assert!(shown.contains(&0xA4) && shown.contains(&0x47));
    }
}

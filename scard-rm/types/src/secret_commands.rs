//! The one table of commands whose bodies are secret. Every trace, log and record uses it.

/// What of an exchange may be shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Visibility {
    /// Command and response.
    Shown,
    /// The header of the command and both lengths, and the status word; no body.
    HeaderOnly,
}

/// What may be shown of the exchange that `command` begins.
///
/// `pin_seen` says whether a command with a PIN went to this card since its last reset: from then on commands of an
/// unknown class may be encrypted forms of anything. Malformed commands are treated as secret.
#[must_use]
pub fn visibility(command: &[u8], pin_seen: bool) -> Visibility {
    let Some((&[cla, ins, _p1, p2], _)) = command.split_first_chunk::<4>() else {
        return Visibility::HeaderOnly;
    };
    // Chaining (bit 5) and the logical channel (bits 1 and 2) do not change the meaning.
    let interindustry = cla & 0xE0 == 0 && cla & 0x0C == 0;
    if !interindustry {
        return if pin_seen { Visibility::HeaderOnly } else { Visibility::Shown };
    }
    match ins {
        // VERIFY (both forms), CHANGE REFERENCE DATA, RESET RETRY COUNTER, PERFORM SECURITY OPERATION.
        0x20 | 0x21 | 0x24 | 0x25 | 0x2A | 0x2B | 0x2C | 0x2D => Visibility::HeaderOnly,
        // GENERAL AUTHENTICATE with the management key; EXTERNAL AUTHENTICATE.
        0x87 if p2 == 0x9B => Visibility::HeaderOnly,
        0x82 => Visibility::HeaderOnly,
        // GET DATA and PUT DATA of the printed information (5FC109), where Yubico's tools keep a PIN-protected
        // management key, and of the pairing code (5FC123).
        0xCB | 0xDB if names_secret_object(command) => Visibility::HeaderOnly,
        // Yubico: set management key, import key.
        0xFF | 0xFE => Visibility::HeaderOnly,
        _ => Visibility::Shown,
    }
}

fn names_secret_object(command: &[u8]) -> bool {
    command.windows(3).any(|tag| matches!(tag, [0x5F, 0xC1, 0x09 | 0x23]))
}

/// Whether the command carries a PIN, so that `pin_seen` is true from now on.
#[must_use]
pub fn carries_pin(command: &[u8]) -> bool {
    match command.get(1) {
        Some(0x20 | 0x21 | 0x24 | 0x25 | 0x2C | 0x2D) => command.len() > 5,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pin_commands_show_their_header_only_in_every_chaining_and_channel() {
        for cla in [0x00, 0x10, 0x01, 0x03, 0x13] {
            for ins in [0x20, 0x24, 0x2C, 0xFF, 0xFE] {
                assert_eq!(visibility(&[cla, ins, 0, 0x80, 1, 0], false), Visibility::HeaderOnly);
            }
        }
    }

    #[test]
    fn objects_that_hold_keys_are_not_shown_in_either_direction() {
        for ins in [0xCB, 0xDB] {
            for last in [0x09, 0x23] {
                let command = [0x00, ins, 0x3F, 0xFF, 0x05, 0x5C, 0x03, 0x5F, 0xC1, last];
                assert_eq!(visibility(&command, false), Visibility::HeaderOnly);
            }
        }
    }

    #[test]
    fn reading_is_shown_and_unknown_classes_are_until_a_pin_was_seen() {
        assert_eq!(visibility(&[0, 0xCB, 0x3F, 0xFF, 0], true), Visibility::Shown);
        assert_eq!(visibility(&[0x80, 0x50, 0, 0], false), Visibility::Shown);
        assert_eq!(visibility(&[0x80, 0x50, 0, 0], true), Visibility::HeaderOnly);
        assert_eq!(visibility(&[0x00, 0x20], false), Visibility::HeaderOnly);
    }
}

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
        // PUT DATA may hold a PIN-protected management key (printed information, 5FC109).
        0xDB if command.windows(3).any(|tag| tag == [0x5F, 0xC1, 0x09]) => Visibility::HeaderOnly,
        // Yubico: set management key, import key.
        0xFF | 0xFE => Visibility::HeaderOnly,
        _ => Visibility::Shown,
    }
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
    fn reading_is_shown_and_unknown_classes_are_until_a_pin_was_seen() {
        assert_eq!(visibility(&[0, 0xCB, 0x3F, 0xFF, 0], true), Visibility::Shown);
        assert_eq!(visibility(&[0x80, 0x50, 0, 0], false), Visibility::Shown);
        assert_eq!(visibility(&[0x80, 0x50, 0, 0], true), Visibility::HeaderOnly);
        assert_eq!(visibility(&[0x00, 0x20], false), Visibility::HeaderOnly);
    }
}

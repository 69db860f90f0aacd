//! Names of instructions: ISO 7816-4:2020, table 5; SP 800-73-4 part 2; Yubico's public extensions.

/// What the instruction of a command is called, for interindustry classes.
pub(super) fn name(command: &[u8]) -> Option<&'static str> {
    let (&[cla, ins], _) = command.split_first_chunk::<2>()?;
    if cla & 0x80 != 0 {
        return None;
    }
    let name = match ins {
        0x04 => "DEACTIVATE FILE",
        0x0E | 0x0F => "ERASE BINARY",
        0x20 | 0x21 => "VERIFY",
        0x22 => "MANAGE SECURITY ENVIRONMENT",
        0x24 | 0x25 => "CHANGE REFERENCE DATA",
        0x26 => "DISABLE VERIFICATION REQUIREMENT",
        0x28 => "ENABLE VERIFICATION REQUIREMENT",
        0x2A | 0x2B => "PERFORM SECURITY OPERATION",
        0x2C | 0x2D => "RESET RETRY COUNTER",
        0x44 => "ACTIVATE FILE",
        0x46 | 0x47 => "GENERATE ASYMMETRIC KEY PAIR",
        0x70 => "MANAGE CHANNEL",
        0x82 => "EXTERNAL AUTHENTICATE",
        0x84 => "GET CHALLENGE",
        0x86 | 0x87 => "GENERAL AUTHENTICATE",
        0x88 => "INTERNAL AUTHENTICATE",
        0xA4 => "SELECT",
        0xB0 | 0xB1 => "READ BINARY",
        0xB2 | 0xB3 => "READ RECORD",
        0xC0 => "GET RESPONSE",
        0xC2 | 0xC3 => "ENVELOPE",
        0xCA | 0xCB => "GET DATA",
        0xD0 | 0xD1 => "WRITE BINARY",
        0xD6 | 0xD7 => "UPDATE BINARY",
        0xDA | 0xDB => "PUT DATA",
        0xDC | 0xDD => "UPDATE RECORD",
        0xE0 => "CREATE FILE",
        0xE2 => "APPEND RECORD",
        0xE4 => "DELETE FILE",
        0xE6 => "TERMINATE DF",
        0xF6 => "MOVE KEY (Yubico)",
        0xF7 => "GET METADATA (Yubico)",
        0xF8 => "GET SERIAL (Yubico)",
        0xF9 => "ATTEST (Yubico)",
        0xFA => "SET PIN RETRIES (Yubico)",
        0xFB => "RESET (Yubico)",
        0xFD => "GET VERSION (Yubico)",
        0xFE => "IMPORT KEY (Yubico)",
        0xFF => "SET MANAGEMENT KEY (Yubico)",
        _ => return None,
    };
    Some(name)
}

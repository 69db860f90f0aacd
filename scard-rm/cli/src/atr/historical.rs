//! Historical bytes, ISO 7816-4:2020, 12.1.1.

use super::Field;

/// The historical bytes, taken apart where they follow the standard.
pub(super) fn field(bytes: &[u8]) -> Field {
    let mut field = Field::new("hist", bytes, printable(bytes).unwrap_or_default());
    match bytes.split_first() {
        Some((0x00, rest)) => {
            field.fields.push(Field::new("cat", &[0x00], "compact-TLV, then the status indicator"));
            match rest.split_last_chunk::<3>() {
                Some((objects, indicator)) => {
                    compact_tlv(objects, &mut field.fields);
                    field.fields.push(status_indicator(indicator));
                }
                None => field.fields.push(leftover(rest)),
            }
        }
        Some((0x80, rest)) => {
            field.fields.push(Field::new("cat", &[0x80], "compact-TLV"));
            compact_tlv(rest, &mut field.fields);
        }
        Some((0x10, rest)) => {
            field.fields.push(Field::new("cat", &[0x10], "reference of a DIR record"));
            field.fields.push(Field::new("dir", rest, ""));
        }
        // Anything else is the issuer's own.
        Some(_) | None => {}
    }
    field
}

/// Compact-TLV: the high half of the first byte is the tag, the low half the length.
fn compact_tlv(mut rest: &[u8], fields: &mut Vec<Field>) {
    while let Some((head, after)) = rest.split_first() {
        let Some((value, after)) = after.split_at_checked(usize::from(head & 0x0F)) else {
            fields.push(leftover(rest));
            return;
        };
        fields.push(object(head >> 4, value));
        rest = after;
    }
}

fn leftover(bytes: &[u8]) -> Field {
    Field::new("?", bytes, "does not fit the form that the category announces").wrong()
}

fn object(tag: u8, value: &[u8]) -> Field {
    let name = format!("{tag:X}{:X}", value.len());
    let with = |what: &str| match printable(value) {
        Some(text) => format!("{what} {text}"),
        None => what.to_owned(),
    };
    let meaning = match (tag, value) {
        (0x1, _) => "country code".to_owned(),
        (0x2, _) => "issuer identification number".to_owned(),
        (0x3, [services]) => format!("card service data: {}", card_services(*services)),
        (0x4, _) => "initial access data".to_owned(),
        (0x5, _) => with("card issuer's data"),
        (0x6, _) => with("pre-issuing data"),
        (0x7, [_] | [_, _] | [_, _, _]) => format!("card capabilities: {}", capabilities(value)),
        (0x8, [state]) => format!("status indicator: {}", life_cycle(*state)),
        (0x8, [sw1, sw2]) => format!("status indicator: {sw1:02X}{sw2:02X}"),
        (0x8, [state, sw1, sw2]) => {
            format!("status indicator: {}, {sw1:02X}{sw2:02X}", life_cycle(*state))
        }
        (0xF, _) => "application identifier".to_owned(),
        _ => "not in the standard".to_owned(),
    };
    Field::new(name, value, meaning)
}

fn status_indicator(indicator: &[u8; 3]) -> Field {
    let [state, sw1, sw2] = *indicator;
    Field::new("stat", indicator, format!("{}, {sw1:02X}{sw2:02X}", life_cycle(state)))
}

/// Table 13 of ISO 7816-4: life cycle status byte.
const fn life_cycle(state: u8) -> &'static str {
    match state {
        0x00 => "no information on the life cycle",
        0x01 => "creation state",
        0x03 => "initialisation state",
        0x05 | 0x07 => "operational state, activated",
        0x04 | 0x06 => "operational state, deactivated",
        0x0C..=0x0F => "termination state",
        0x10.. => "proprietary life cycle state",
        _ => "reserved life cycle state",
    }
}

/// Names of the set bits, with commas between them.
fn bits(value: u8, names: &[(u8, &str)]) -> String {
    let set: Vec<&str> =
        names.iter().filter(|(bit, _)| value & bit == *bit).map(|(_, name)| *name).collect();
    if set.is_empty() { "none".to_owned() } else { set.join(", ") }
}

/// Table 117: card service data.
fn card_services(value: u8) -> String {
    bits(
        value,
        &[
            (0x80, "selection by full AID"),
            (0x40, "selection by partial AID"),
            (0x20, "EF.DIR in BER-TLV"),
            (0x10, "EF.ATR in BER-TLV"),
        ],
    )
}

/// Tables 118 to 120: selection methods, data coding, chaining and lengths.
fn capabilities(value: &[u8]) -> String {
    let mut said = Vec::new();
    if let Some(selection) = value.first() {
        said.push(bits(
            *selection,
            &[
                (0x80, "selection by full DF name"),
                (0x40, "by partial DF name"),
                (0x20, "by path"),
                (0x10, "by file identifier"),
                (0x08, "implicit"),
                (0x04, "short EF identifiers"),
                (0x02, "record numbers"),
                (0x01, "record identifiers"),
            ],
        ));
    }
    if let Some(coding) = value.get(1) {
        said.push(format!("data coding {coding:02X}"));
    }
    if let Some(lengths) = value.get(2) {
        said.push(bits(
            *lengths,
            &[
                (0x80, "command chaining"),
                (0x40, "extended lengths"),
                (0x20, "length limits in EF.ATR"),
            ],
        ));
        if lengths & 0x18 != 0 {
            let channels = (lengths & 0x07).saturating_add(1);
            said.push(format!("{channels} logical channels"));
        }
    }
    said.join("; ")
}

/// The bytes as quoted text, if they are text (two characters at least).
fn printable(bytes: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(bytes).ok()?;
    let is_text = text.len() > 1 && text.bytes().all(|byte| (0x20..0x7F).contains(&byte));
    is_text.then(|| format!("\"{text}\""))
}

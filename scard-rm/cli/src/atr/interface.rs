//! Interface bytes, ISO 7816-3:2006, 8.2.2 and 8.3.

use card_link::Rate;
use scard_types::atr::InterfaceBytes;

use super::Field;

/// All interface bytes with their names and meanings.
pub(super) fn fields(groups: &[InterfaceBytes]) -> Vec<Field> {
    let mut fields = Vec::new();
    // The protocol that TD of the group before names; group 1 and 2 are global.
    let mut protocol = None;
    for (index, group) in (1_usize..).zip(groups) {
        let mut push = |letter: &str, value: Option<u8>, meaning: fn(Place, u8) -> String| {
            if let Some(value) = value {
                let place = Place { index, protocol };
                fields.push(Field::new(
                    format!("T{letter}{index}"),
                    &[value],
                    meaning(place, value),
                ));
            }
        };
        push("A", group.ta, ta);
        push("B", group.tb, tb);
        push("C", group.tc, tc);
        push("D", group.td, td);
        protocol = group.td.map(|td| td & 0x0F);
    }
    fields
}

/// Where an interface byte stands.
#[derive(Clone, Copy)]
struct Place {
    index: usize,
    protocol: Option<u8>,
}

fn ta(place: Place, value: u8) -> String {
    match (place.index, place.protocol) {
        (1, _) => clock_and_rate(value),
        (2, _) => {
            let changeable = if value & 0x80 == 0 { "changeable" } else { "not changeable" };
            let parameters = if value & 0x10 == 0 { "as in TA1" } else { "implicit" };
            let protocol = value & 0x0F;
            format!("specific mode, T={protocol}, {changeable}, Fi and Di {parameters}")
        }
        (_, Some(1)) => match value {
            0x00 | 0xFF => "IFSC reserved".to_owned(),
            size => format!("IFSC {size} bytes: the longest block the card takes"),
        },
        (_, Some(15)) => format!("{}, {}", clock_stop(value), classes(value)),
        _ => unused(place),
    }
}

fn tb(place: Place, value: u8) -> String {
    match (place.index, place.protocol) {
        (1, _) if value & 0x1F == 0 => "VPP not connected (not used any more)".to_owned(),
        (1 | 2, _) => "programming voltage and current (not used any more)".to_owned(),
        (_, Some(1)) => {
            let (bwi, cwi) = (value >> 4, value & 0x0F);
            if bwi > 9 {
                return format!("BWI {bwi} reserved, CWI {cwi}");
            }
            // CWT = 11 + 2^CWI etu; BWT = 11 etu + 2^BWI x 960 x 372 / f, that is 2^BWI x 100 ms at 3.57 MHz.
            let cwt = (1_u32 << cwi).saturating_add(11);
            let bwt = (1_u32 << bwi).saturating_mul(100);
            format!("BWI {bwi}: block within {bwt} ms, CWI {cwi}: character within {cwt} etu")
        }
        (_, Some(15)) if value == 0 => "SPU not used".to_owned(),
        (_, Some(15)) => {
            let kind = if value & 0x80 == 0 { "standard" } else { "proprietary" };
            format!("SPU in {kind} use")
        }
        _ => unused(place),
    }
}

fn tc(place: Place, value: u8) -> String {
    match (place.index, place.protocol) {
        (1, _) if value == 0xFF => {
            "extra guard time: the least that the protocol allows".to_owned()
        }
        (1, _) => format!("extra guard time {value} etu"),
        (2, _) => format!("T=0 waiting time integer WI {value}"),
        (_, Some(1)) => {
            let code = if value & 1 == 0 { "LRC" } else { "CRC" };
            format!("blocks end with {code}")
        }
        _ => unused(place),
    }
}

fn td(place: Place, value: u8) -> String {
    let follow = announced(value, place.index.saturating_add(1));
    match value & 0x0F {
        15 => format!("{follow}, global (T=15)"),
        protocol => format!("{follow}, T={protocol}"),
    }
}

/// Which interface bytes of the group `index` the high half of T0 or TD announces.
pub(super) fn announced(value: u8, index: usize) -> String {
    let names: Vec<String> = [(0x10, 'A'), (0x20, 'B'), (0x40, 'C'), (0x80, 'D')]
        .into_iter()
        .filter(|(bit, _)| value & bit != 0)
        .map(|(_, letter)| format!("T{letter}{index}"))
        .collect();
    match names.as_slice() {
        [] => "no interface byte follows".to_owned(),
        [name] => format!("{name} follows"),
        names => format!("{} follow", names.join(" ")),
    }
}

fn clock_and_rate(value: u8) -> String {
    let (fi, di) = (Rate::conversion(value), Rate::adjustment(value));
    match (fi, di) {
        (Some((fi, clock_khz)), Some(di)) => {
            let rate =
                clock_khz.saturating_mul(1_000).saturating_mul(u32::from(di)) / u32::from(fi);
            let (mhz, tenth) = (clock_khz / 1_000, clock_khz % 1_000 / 100);
            format!("Fi {fi}, Di {di}: up to {rate} bit/s at {mhz}.{tenth} MHz")
        }
        (Some((fi, _)), None) => format!("Fi {fi}, Di reserved"),
        (None, Some(di)) => format!("Fi reserved, Di {di}"),
        (None, None) => "Fi and Di reserved".to_owned(),
    }
}

fn clock_stop(value: u8) -> &'static str {
    match value >> 6 {
        0 => "clock stop not supported",
        1 => "clock stop in state L",
        2 => "clock stop in state H",
        _ => "clock stop in either state",
    }
}

fn classes(value: u8) -> String {
    let classes: String = [(1, 'A'), (2, 'B'), (4, 'C')]
        .into_iter()
        .filter(|(bit, _)| value & bit != 0)
        .map(|(_, class)| class)
        .collect();
    match value & 0x3F {
        0 => "no class named".to_owned(),
        1..=7 => format!("class {classes} (A 5 V, B 3 V, C 1.8 V)"),
        _ => "class reserved".to_owned(),
    }
}

fn unused(place: Place) -> String {
    match place.protocol {
        Some(protocol) => format!("without meaning for T={protocol}"),
        None => "without meaning".to_owned(),
    }
}

//! Reader names, as programs and configuration files know them from pcsc-lite: `<model> RR SS`.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use alloc::string::String;

use scard_types::status_change::is_pnp_reader;
use scard_types::{MAX_READER_NAME_BYTES, ReaderName, ReaderNaming};

/// The place of a reader among those of its driver.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Numbered {
    driver: String,
    index: u32,
    slot: u8,
}

/// The slots of one device.
#[derive(Default)]
struct Device {
    base: String,
    slots: BTreeSet<u8>,
}

/// Who is called what.
#[derive(Default)]
pub(crate) struct Names {
    taken: BTreeSet<String>,
    drivers: BTreeMap<String, BTreeMap<u32, Device>>,
}

impl Names {
    /// Finds the name that a new reader gets, and takes it.
    pub(crate) fn take(
        &mut self,
        naming: ReaderNaming,
        driver: &str,
    ) -> (ReaderName, Option<Numbered>) {
        let (name, numbered) = match naming {
            ReaderNaming::Verbatim(name) => (self.unlike_any(name), None),
            ReaderNaming::Indexed { base, slot } => self.numbered(&base, slot, driver),
        };
        self.taken.insert(name.as_str().into());
        (name, numbered)
    }

    /// The name is free again, and so is the number.
    pub(crate) fn give_back(&mut self, name: &ReaderName, numbered: Option<&Numbered>) {
        self.taken.remove(name.as_str());
        let Some(numbered) = numbered else { return };
        let Some(devices) = self.drivers.get_mut(&numbered.driver) else { return };
        if let Some(device) = devices.get_mut(&numbered.index) {
            device.slots.remove(&numbered.slot);
            if device.slots.is_empty() {
                devices.remove(&numbered.index);
            }
        }
        if devices.is_empty() {
            self.drivers.remove(&numbered.driver);
        }
    }

    fn is_free(&self, name: &str) -> bool {
        !self.taken.contains(name) && !is_pnp_reader(name)
    }

    /// A given name as it stands; if it is taken, with the first free number behind it.
    fn unlike_any(&self, name: ReaderName) -> ReaderName {
        if self.is_free(name.as_str()) {
            return name;
        }
        let mut number = 1_u32;
        loop {
            let candidate = fitted(name.as_str(), &format!(" {number:02X}"));
            if self.is_free(candidate.as_str()) {
                return candidate;
            }
            number = number.saturating_add(1);
        }
    }

    /// `<base> RR SS`. A further slot joins the device of its base that has no such slot yet; anything else is a new
    /// device with the lowest free number of its driver.
    fn numbered(&mut self, base: &str, slot: u8, driver: &str) -> (ReaderName, Option<Numbered>) {
        let base = printable(base, driver);
        let no_devices = BTreeMap::new();
        let devices = self.drivers.get(driver).unwrap_or(&no_devices);
        let joins =
            |device: &Device| slot > 0 && device.base == base && !device.slots.contains(&slot);
        let mut index = devices
            .iter()
            .find(|(_, device)| joins(device))
            .map_or_else(|| lowest_free(devices, 0), |(index, _)| *index);
        let name = loop {
            let candidate = fitted(&base, &format!(" {index:02X} {slot:02X}"));
            if self.is_free(candidate.as_str()) {
                break candidate;
            }
            index = lowest_free(devices, index.saturating_add(1));
        };
        let device = self.drivers.entry(driver.into()).or_default().entry(index).or_default();
        device.slots.insert(slot);
        device.base = base;
        (name, Some(Numbered { driver: driver.into(), index, slot }))
    }
}

fn lowest_free(devices: &BTreeMap<u32, Device>, from: u32) -> u32 {
    let mut index = from;
    for used in devices.range(from..).map(|(used, _)| *used) {
        if used != index {
            break;
        }
        index = index.saturating_add(1);
    }
    index
}

/// Control characters would end or break the name in a program; an empty base says nothing.
fn printable(base: &str, driver: &str) -> String {
    let clean: String = base.chars().map(|c| if c.is_control() { '.' } else { c }).collect();
    match clean.trim() {
        "" => driver.chars().filter(|c| !c.is_control()).collect(),
        text => text.into(),
    }
}

/// `base` cut so that it and `tail` fit into a name.
fn fitted(base: &str, tail: &str) -> ReaderName {
    let mut end = base.len().min(MAX_READER_NAME_BYTES.saturating_sub(tail.len()));
    while !base.is_char_boundary(end) {
        end = end.saturating_sub(1);
    }
    let text = format!("{}{tail}", base.get(..end).unwrap_or_default());
    #[expect(clippy::expect_used, reason = "printable, short enough, and the tail is never empty")]
    ReaderName::new(text).expect("a cut name with a number is a name")
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;
    use alloc::vec::Vec;

    use super::*;

    fn indexed(base: &str, slot: u8) -> ReaderNaming {
        ReaderNaming::Indexed { base: base.into(), slot }
    }

    fn verbatim(name: &str) -> ReaderNaming {
        ReaderNaming::Verbatim(ReaderName::new(name).unwrap())
    }

    fn all(wanted: &[(ReaderNaming, &str)]) -> Vec<String> {
        let mut names = Names::default();
        wanted
            .iter()
            .map(|(naming, driver)| names.take(naming.clone(), driver).0.to_string())
            .collect()
    }

    #[test]
    fn the_number_counts_readers_of_a_driver_not_of_a_model() {
        let got = all(&[
            (indexed("Gemalto PC Twin Reader", 0), "ccid"),
            (indexed("ACS ACR122U", 0), "ccid"),
            (indexed("Virtual PCD", 0), "vpcd"),
        ]);
        assert_eq!(got, ["Gemalto PC Twin Reader 00 00", "ACS ACR122U 01 00", "Virtual PCD 00 00"]);
    }

    #[test]
    fn slots_of_one_device_share_its_number() {
        let got = all(&[
            (indexed("A", 0), "ccid"),
            (indexed("A", 1), "ccid"),
            (indexed("A", 0), "ccid"),
            (indexed("A", 1), "ccid"),
        ]);
        assert_eq!(got, ["A 00 00", "A 00 01", "A 01 00", "A 01 01"]);
    }

    #[test]
    fn a_freed_number_is_the_next_one_given() {
        let mut names = Names::default();
        let (first, number) = names.take(indexed("A", 0), "ccid");
        names.take(indexed("A", 0), "ccid");
        names.give_back(&first, number.as_ref());
        assert_eq!(names.take(indexed("B", 0), "ccid").0.as_str(), "B 00 00");
        assert_eq!(names.take(indexed("B", 0), "ccid").0.as_str(), "B 02 00");
    }

    #[test]
    fn a_taken_or_reserved_name_gets_a_number() {
        let got = all(&[
            (verbatim("Mine"), "sim"),
            (verbatim("Mine"), "sim"),
            (verbatim("Mine"), "sim"),
            (verbatim("A 00 00"), "sim"),
            (indexed("A", 0), "ccid"),
            (verbatim("\\\\?PNP?\\Notification"), "sim"),
        ]);
        let pnp = "\\\\?PNP?\\Notification 01";
        assert_eq!(got, ["Mine", "Mine 01", "Mine 02", "A 00 00", "A 01 00", pnp]);
    }

    #[test]
    fn a_long_base_is_cut_between_characters() {
        let got = all(&[
            (indexed(&"ä".repeat(70), 0), "ccid"),
            (indexed("\u{7}\n", 0), "ccid"),
            (indexed("", 0), "x"),
        ]);
        assert_eq!(got[0], "ä".repeat(60) + " 00 00");
        assert_eq!(got[1..], [".. 01 00", "x 00 00"]);
    }
}

//! What the shared object shows to the dynamic linker.
#![allow(clippy::unwrap_used, reason = "a test ends at its first surprise")]

mod support;

use std::fs;

use object::Endianness;
use object::elf::{self, FileHeader64};
use object::read::elf::{Dyn, FileHeader, Sym};

/// The 22 names of pcsc-lite 1.9.9 (`nm -D --defined-only`).
const NAMES: [&str; 22] = [
    "SCardBeginTransaction",
    "SCardCancel",
    "SCardConnect",
    "SCardControl",
    "SCardDisconnect",
    "SCardEndTransaction",
    "SCardEstablishContext",
    "SCardFreeMemory",
    "SCardGetAttrib",
    "SCardGetStatusChange",
    "SCardIsValidContext",
    "SCardListReaderGroups",
    "SCardListReaders",
    "SCardReconnect",
    "SCardReleaseContext",
    "SCardSetAttrib",
    "SCardStatus",
    "SCardTransmit",
    "g_rgSCardRawPci",
    "g_rgSCardT0Pci",
    "g_rgSCardT1Pci",
    "pcsc_stringify_error",
];

#[test]
fn exactly_the_names_of_pcsc_lite_are_exported_without_versions() {
    let bytes = fs::read(support::library()).unwrap();
    let header = FileHeader64::<Endianness>::parse(&*bytes).unwrap();
    let endian = header.endian().unwrap();
    let sections = header.sections(endian, &*bytes).unwrap();
    let symbols = sections.symbols(endian, &*bytes, elf::SHT_DYNSYM).unwrap();
    let mut names: Vec<String> = symbols
        .iter()
        .filter(|symbol| !symbol.is_undefined(endian))
        .map(|symbol| {
            String::from_utf8(symbol.name(endian, symbols.strings()).unwrap().to_vec()).unwrap()
        })
        .collect();
    names.sort();
    assert_eq!(names, NAMES);

    for symbol in symbols.iter() {
        let name = String::from_utf8_lossy(symbol.name(endian, symbols.strings()).unwrap());
        match &*name {
            "g_rgSCardT0Pci" | "g_rgSCardT1Pci" | "g_rgSCardRawPci" => {
                assert_eq!(symbol.st_type(), elf::STT_OBJECT, "{name}");
                assert_eq!(symbol.st_size(endian), 16, "{name}");
            }
            name if NAMES.contains(&name) => assert_eq!(symbol.st_type(), elf::STT_FUNC, "{name}"),
            _ => {}
        }
    }
    assert!(sections.gnu_verdef(endian, &*bytes).unwrap().is_none());
}

#[test]
fn the_name_for_the_linker_is_that_of_pcsc_lite_and_only_the_c_library_is_needed() {
    let bytes = fs::read(support::library()).unwrap();
    let header = FileHeader64::<Endianness>::parse(&*bytes).unwrap();
    let endian = header.endian().unwrap();
    let sections = header.sections(endian, &*bytes).unwrap();
    let (entries, strings) = sections.dynamic(endian, &*bytes).unwrap().unwrap();
    let strings = sections.strings(endian, &*bytes, strings).unwrap();
    let all = |tag: elf::DynamicTag| -> Vec<String> {
        entries
            .iter()
            .filter(|entry| entry.tag(endian) == tag)
            .map(|entry| {
                String::from_utf8(entry.string(endian, strings).unwrap().to_vec()).unwrap()
            })
            .collect()
    };
    assert_eq!(all(elf::DT_SONAME), ["libpcsclite.so.1"]);
    for needed in all(elf::DT_NEEDED) {
        // The loader itself is named for thread-local storage; the unwinder is linked in where a GNU compiler is.
        assert!(
            needed.starts_with("libc.so") || needed.starts_with("ld-linux"),
            "the library needs {needed}"
        );
    }
}

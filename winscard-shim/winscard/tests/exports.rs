//! What the shared object shows to the dynamic linker.
#![allow(clippy::unwrap_used, reason = "a test ends at its first surprise")]

mod support;

use std::fs;

use object::Endianness;
use object::elf::{self, FileHeader64};
use object::read::elf::{Dyn, FileHeader, Sym};

/// The 74 functions of the 46 calls, `SCardState`, `SCardDlgExtendedError` and three constants.
const NAMES: [&str; 79] = [
    "GetOpenCardNameA",
    "GetOpenCardNameW",
    "SCardAccessStartedEvent",
    "SCardAddReaderToGroupA",
    "SCardAddReaderToGroupW",
    "SCardAudit",
    "SCardBeginTransaction",
    "SCardCancel",
    "SCardCancelTransaction",
    "SCardConnectA",
    "SCardConnectW",
    "SCardControl",
    "SCardDisconnect",
    "SCardDlgExtendedError",
    "SCardEndTransaction",
    "SCardEstablishContext",
    "SCardForgetCardTypeA",
    "SCardForgetCardTypeW",
    "SCardForgetReaderA",
    "SCardForgetReaderGroupA",
    "SCardForgetReaderGroupW",
    "SCardForgetReaderW",
    "SCardFreeMemory",
    "SCardGetAttrib",
    "SCardGetCardTypeProviderNameA",
    "SCardGetCardTypeProviderNameW",
    "SCardGetDeviceTypeIdA",
    "SCardGetDeviceTypeIdW",
    "SCardGetProviderIdA",
    "SCardGetProviderIdW",
    "SCardGetReaderDeviceInstanceIdA",
    "SCardGetReaderDeviceInstanceIdW",
    "SCardGetReaderIconA",
    "SCardGetReaderIconW",
    "SCardGetStatusChangeA",
    "SCardGetStatusChangeW",
    "SCardGetTransmitCount",
    "SCardIntroduceCardTypeA",
    "SCardIntroduceCardTypeW",
    "SCardIntroduceReaderA",
    "SCardIntroduceReaderGroupA",
    "SCardIntroduceReaderGroupW",
    "SCardIntroduceReaderW",
    "SCardIsValidContext",
    "SCardListCardsA",
    "SCardListCardsW",
    "SCardListInterfacesA",
    "SCardListInterfacesW",
    "SCardListReaderGroupsA",
    "SCardListReaderGroupsW",
    "SCardListReadersA",
    "SCardListReadersW",
    "SCardListReadersWithDeviceInstanceIdA",
    "SCardListReadersWithDeviceInstanceIdW",
    "SCardLocateCardsA",
    "SCardLocateCardsByATRA",
    "SCardLocateCardsByATRW",
    "SCardLocateCardsW",
    "SCardReadCacheA",
    "SCardReadCacheW",
    "SCardReconnect",
    "SCardReleaseContext",
    "SCardReleaseStartedEvent",
    "SCardRemoveReaderFromGroupA",
    "SCardRemoveReaderFromGroupW",
    "SCardSetAttrib",
    "SCardSetCardTypeProviderNameA",
    "SCardSetCardTypeProviderNameW",
    "SCardState",
    "SCardStatusA",
    "SCardStatusW",
    "SCardTransmit",
    "SCardUIDlgSelectCardA",
    "SCardUIDlgSelectCardW",
    "SCardWriteCacheA",
    "SCardWriteCacheW",
    "g_rgSCardRawPci",
    "g_rgSCardT0Pci",
    "g_rgSCardT1Pci",
];

#[test]
fn exactly_the_names_of_windows_are_exported_without_versions() {
    let bytes = fs::read(support::library()).unwrap();
    let header = FileHeader64::<Endianness>::parse(&*bytes).unwrap();
    let endian = header.endian().unwrap();
    let sections = header.sections(endian, &*bytes).unwrap();
    let symbols = sections.symbols(endian, &*bytes, elf::SHT_DYNSYM).unwrap();
    let mut names = Vec::new();
    for symbol in symbols.iter().filter(|symbol| !symbol.is_undefined(endian)) {
        let name = String::from_utf8_lossy(symbol.name(endian, symbols.strings()).unwrap());
        if name.starts_with("g_rg") {
            assert_eq!(symbol.st_type(), elf::STT_OBJECT, "{name}");
            assert_eq!(symbol.st_size(endian), 8, "{name}");
        } else {
            assert_eq!(symbol.st_type(), elf::STT_FUNC, "{name}");
        }
        names.push(name.into_owned());
    }
    names.sort();
    assert_eq!(names, NAMES);
    assert!(sections.gnu_verdef(endian, &*bytes).unwrap().is_none());
}

#[test]
fn the_library_has_a_name_for_the_linker_and_needs_only_the_c_library() {
    let bytes = fs::read(support::library()).unwrap();
    let header = FileHeader64::<Endianness>::parse(&*bytes).unwrap();
    let endian = header.endian().unwrap();
    let sections = header.sections(endian, &*bytes).unwrap();
    let (entries, strings) = sections.dynamic(endian, &*bytes).unwrap().unwrap();
    let strings = sections.strings(endian, &*bytes, strings).unwrap();
    let all = |tag: elf::DynamicTag| -> Vec<String> {
        let of_tag = entries.iter().filter(|entry| entry.tag(endian) == tag);
        of_tag
            .map(|entry| {
                String::from_utf8(entry.string(endian, strings).unwrap().to_vec()).unwrap()
            })
            .collect()
    };
    assert_eq!(all(elf::DT_SONAME), ["libwinscard.so.1"]);
    for needed in all(elf::DT_NEEDED) {
        // The loader itself is named for thread-local storage; the unwinder is linked in where a GNU compiler is.
        assert!(
            needed.starts_with("libc.so") || needed.starts_with("ld-linux"),
            "the library needs {needed}"
        );
    }
}

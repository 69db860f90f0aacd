//! Our C headers: programs compile with them in every dialect, and they say what those of pcsc-lite say.
#![allow(clippy::unwrap_used, reason = "a test ends at its first surprise")]

mod support;

use std::path::Path;
use std::process::Command;

/// Where libpcsclite-dev puts its headers.
const THEIRS: &str = "/usr/include/PCSC";
/// Names that stand for something else in each of the two.
const OWN: [&str; 1] = ["PCSCLITE_VERSION_NUMBER"];

#[test]
fn every_dialect_of_c_compiles_every_header_alone() {
    if !support::has_compiler() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    for header in ["wintypes.h", "pcsclite.h", "winscard.h", "reader.h"] {
        let source = support::write_source(
            folder.path(),
            "alone.c",
            &format!("#include <{header}>\nint main(void) {{ return 0; }}\n"),
        );
        for dialect in ["-std=c89", "-std=c99", "-std=c17", "-std=gnu17"] {
            let out = Command::new("cc")
                .args([dialect, "-Wall", "-Wextra", "-Werror", "-fsyntax-only", "-I"])
                .arg(support::headers())
                .arg(&source)
                .output()
                .unwrap();
            support::printed(&format!("{header} as {dialect}"), &out);
        }
    }
}

#[test]
fn numbers_and_layouts_are_those_of_pcsc_lite() {
    if !support::has_compiler() {
        return;
    }
    if !Path::new(THEIRS).join("winscard.h").exists() {
        return support::not_run(
            "no headers of pcsc-lite (Debian: apt-get install libpcsclite-dev)",
        );
    }
    let names = numbers(THEIRS.as_ref());
    assert!(names.len() > 150, "only {} numbers found", names.len());
    let theirs = described(THEIRS.as_ref(), &names);
    let ours = described(&support::headers(), &names);
    for (theirs, ours) in theirs.lines().zip(ours.lines()) {
        assert_eq!(theirs, ours);
    }
    assert_eq!(theirs, ours);
}

#[test]
fn a_program_for_unicode_finds_the_names_in_utf_16() {
    if !support::has_compiler() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let source = support::write_source(
        folder.path(),
        "unicode.c",
        "#define UNICODE\n#include <reader.h>\n#include <assert.h>\n\
         static_assert(SCARD_ATTR_DEVICE_FRIENDLY_NAME == 0x7FFF0005, \"\");\n\
         int main(void) { return 0; }\n",
    );
    let out = Command::new("cc")
        .args(["-std=c11", "-fsyntax-only", "-I"])
        .arg(support::headers())
        .arg(&source)
        .output()
        .unwrap();
    support::printed("unicode.c", &out);
}

/// The macros of the headers in `folder` that are numbers or texts.
fn numbers(folder: &Path) -> Vec<String> {
    let empty = tempfile::tempdir().unwrap();
    let source = support::write_source(
        empty.path(),
        "all.c",
        "#include <winscard.h>\n#include <reader.h>\n",
    );
    let out =
        Command::new("cc").args(["-dM", "-E", "-I"]).arg(folder).arg(&source).output().unwrap();
    let prefixes = ["SCARD_", "MAX_", "PCSC", "FEATURE_", "CM_", "INFINITE"];
    let mut names: Vec<String> = support::printed("the macros", &out)
        .lines()
        .filter_map(|line| line.strip_prefix("#define ")?.split_once(' '))
        .map(|(name, _)| name.to_owned())
        .filter(|name| prefixes.iter().any(|prefix| name.starts_with(prefix)))
        .filter(|name| !name.contains('(') && !name.starts_with("SCARD_PCI_") && name != "PCSC_API")
        .filter(|name| !OWN.contains(&&**name))
        .collect();
    names.sort();
    names
}

/// What a program that is compiled with the headers in `folder` says of them.
fn described(folder: &Path, names: &[String]) -> String {
    const TYPES: [&str; 24] = [
        "BYTE",
        "UCHAR",
        "PUCHAR",
        "USHORT",
        "WORD",
        "BOOL",
        "ULONG",
        "PULONG",
        "DWORD",
        "PDWORD",
        "LONG",
        "LPVOID",
        "LPCVOID",
        "LPSTR",
        "LPCSTR",
        "LPBYTE",
        "LPCBYTE",
        "LPDWORD",
        "SCARDCONTEXT",
        "SCARDHANDLE",
        "SCARD_READERSTATE",
        "SCARD_IO_REQUEST",
        "LPTSTR",
        "LPCTSTR",
    ];
    const PACKED: [&str; 4] = [
        "PCSC_TLV_STRUCTURE",
        "PIN_VERIFY_STRUCTURE",
        "PIN_MODIFY_STRUCTURE",
        "PIN_PROPERTIES_STRUCTURE",
    ];
    const MEMBERS: [(&str, &str); 4] = [
        ("SCARD_READERSTATE", "szReader pvUserData dwCurrentState dwEventState cbAtr rgbAtr"),
        ("SCARD_IO_REQUEST", "dwProtocol cbPciLength"),
        (
            "PIN_VERIFY_STRUCTURE",
            "bTimerOut bTimerOut2 bmFormatString bmPINBlockString bmPINLengthFormat wPINMaxExtraDigit \
             bEntryValidationCondition bNumberMessage wLangId bMsgIndex bTeoPrologue ulDataLength abData",
        ),
        (
            "PIN_MODIFY_STRUCTURE",
            "bTimerOut bTimerOut2 bmFormatString bmPINBlockString bmPINLengthFormat bInsertionOffsetOld \
             bInsertionOffsetNew wPINMaxExtraDigit bConfirmPIN bEntryValidationCondition bNumberMessage \
             wLangId bMsgIndex1 bMsgIndex2 bMsgIndex3 bTeoPrologue ulDataLength abData",
        ),
    ];
    let mut body = String::new();
    for name in names {
        body += &format!(
            "    printf(\"{name} %llX %zu %d\\n\", (unsigned long long)({name}), sizeof({name}), ({name}) < 0);\n"
        );
    }
    for name in TYPES.iter().chain(&PACKED) {
        body += &format!("    printf(\"{name} %zu %zu\\n\", sizeof({name}), _Alignof({name}));\n");
    }
    for name in &TYPES[..20] {
        body += &format!("    printf(\"{name} below zero %d\\n\", ({name})-1 < ({name})1);\n");
    }
    for (name, members) in MEMBERS {
        for member in members.split_whitespace() {
            body +=
                &format!("    printf(\"{name}.{member} %zu\\n\", offsetof({name}, {member}));\n");
        }
    }
    let scratch = tempfile::tempdir().unwrap();
    let source = support::write_source(
        scratch.path(),
        "described.c",
        &format!(
            "#include <stddef.h>\n#include <stdio.h>\n#include <winscard.h>\n#include <reader.h>\n\
             int main(void) {{\n{body}    return 0;\n}}\n"
        ),
    );
    let program = scratch.path().join("described");
    let out = Command::new("cc")
        .args(["-std=gnu17", "-I"])
        .arg(folder)
        .arg(&source)
        .arg("-o")
        .arg(&program)
        .output()
        .unwrap();
    support::printed("cc described.c", &out);
    support::printed("described", &Command::new(&program).output().unwrap())
}

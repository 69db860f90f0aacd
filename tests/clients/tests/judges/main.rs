//! Programs that nobody here wrote, unchanged, with each library on each daemon.

mod opensc;
mod pam_pkcs11;
mod pcsc_crate;
mod pcsc_tools;
mod pkcs11;
mod python;
mod scdaemon;
mod support;
mod tested_with;
mod yubico;

use clients::stage::{Library, Manager, Stage};

macro_rules! judges {
    ($($file:ident: $($name:ident)*;)*) => {
        /// All of them.
        const JUDGES: &[&str] = &[$($(stringify!($name),)*)*];

        judges! { @stage stock_library_on_scard Stock Ours $($($file $name)*)* }
        judges! { @stage our_library_on_scard Ours Ours $($($file $name)*)* }
        judges! { @stage our_library_on_debian_pcscd Ours DebianPcscd $($($file $name)*)* }
        judges! { @stage stock_library_on_debian_pcscd Stock DebianPcscd $($($file $name)*)* }
    };
    (@stage $stage:ident $library:ident $manager:ident $($file:ident $name:ident)*) => {
        mod $stage {
            use super::*;

            const STAGE: Stage = Stage { library: Library::$library, manager: Manager::$manager };

            $(#[test]
            fn $name() {
                $file::$name(STAGE);
            })*
        }
    };
}

// The beginning of a name is that of the program: `cargo xtask test` leaves those out whose program is missing.
judges! {
    pcsc_tools:
        pcsc_scan_lists_readers
        pcsc_scan_sees_a_card_come_and_go
        pcsc_scan_knows_a_card_by_its_atr
        scriptor_sends_commands;
    opensc:
        opensc_tool_names_reader_card_and_atr
        pkcs11_tool_finds_no_error
        pkcs11_tool_signs
        pkcs11_tool_decrypts
        pkcs11_tool_derives;
    yubico:
        yubico_piv_tool_tells_the_status
        yubico_piv_tool_generates_keys
        yubico_piv_tool_imports_keys
        yubico_piv_tool_changes_pin_puk_and_management_key
        ykcs11_finds_no_error;
    pkcs11:
        p11tool_lists_tokens_and_certificates
        nss_lists_certificates_and_keys
        openssl_engine_signs
        ssh_lists_keys_and_signs;
    pam_pkcs11:
        card_eventmgr_sees_a_card_come_and_go
        pkcs11_eventmgr_sees_a_card_come_and_go;
    scdaemon:
        scdaemon_keeps_others_out_while_it_holds_the_card;
    python:
        pyscard_lists_connects_and_transmits
        pyscard_monitors_cards
        pypi_ykman_tells_of_piv
        pypi_pyscard_runs_its_own_tests;
    pcsc_crate:
        examples_of_the_pcsc_crate;
}

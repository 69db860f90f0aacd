//! Programs that nobody here wrote, unchanged, with each library on each daemon.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use clients::judge::{Bench, hear_until, installed, said};
use clients::stage::{Library, Manager, Stage, built};

macro_rules! judges {
    ($($name:ident)*) => {
        judges! { @stage stock_library_on_scard Stock Ours $($name)* }
        judges! { @stage our_library_on_scard Ours Ours $($name)* }
        judges! { @stage our_library_on_debian_pcscd Ours DebianPcscd $($name)* }
        judges! { @stage stock_library_on_debian_pcscd Stock DebianPcscd $($name)* }
    };
    (@stage $stage:ident $library:ident $manager:ident $($name:ident)*) => {
        mod $stage {
            use super::*;

            const STAGE: Stage = Stage { library: Library::$library, manager: Manager::$manager };

            $(#[test]
            fn $name() {
                super::$name(STAGE);
            })*
        }
    };
}

// The beginning of a name is that of the program: `cargo xtask test` leaves those out whose program is missing.
judges! {
    pcsc_scan_lists_readers
    pcsc_scan_sees_a_card_come_and_go
    scriptor_sends_commands
    opensc_tool_names_reader_card_and_atr
    pkcs11_tool_finds_no_error
    pkcs11_tool_signs
    pkcs11_tool_decrypts
    pkcs11_tool_derives
    pyscard_lists_connects_and_transmits
    pyscard_monitors_cards
    examples_of_the_pcsc_crate
}

const PIN: &str = "123456";

fn pcsc_scan_lists_readers(stage: Stage) {
    let bench = Bench::new(stage, "pcsc_scan_r", "piv");
    bench.run("pcsc_scan", &["-r"]).says(&["0: Virtual PCD 00 00", "1: Virtual PCD 00 01"]);
}

fn pcsc_scan_sees_a_card_come_and_go(stage: Stage) {
    let mut bench = Bench::new(stage, "pcsc_scan_n", "piv");
    let scan = bench.start("pcsc_scan", &["-n"]);
    hear_until(&scan, "Using reader plug'n play mechanism");
    hear_until(&scan, "Reader 0: Virtual PCD 00 00");
    hear_until(&scan, "Event number: 1");
    hear_until(&scan, "ATR: 3B");
    bench.service.insert(1);
    hear_until(&scan, "Reader 1: Virtual PCD 00 01");
    hear_until(&scan, "Event number: 1");
    bench.service.remove(0);
    hear_until(&scan, "Event number: 2");
    hear_until(&scan, "Card removed");
}

fn scriptor_sends_commands(stage: Stage) {
    let bench = Bench::new(stage, "scriptor", "piv");
    let script = "00 A4 04 00 05 A0 00 00 03 08\n00 20 00 80 00\n";
    bench.run_with_input("scriptor", &[], script).succeeds().says(&[
        "Using T=1 protocol",
        "Normal processing.",
        "< 63 C3",
    ]);
}

fn opensc_tool_names_reader_card_and_atr(stage: Stage) {
    let bench = Bench::new(stage, "opensc_tool", "piv");
    bench.run("opensc-tool", &["-l"]).succeeds().says(&["Virtual PCD 00 00"]);
    bench.run("opensc-tool", &["-a"]).succeeds().says(&["3b:"]);
    bench.run("opensc-tool", &["-n"]).succeeds().says(&["Personal Identity Verification Card"]);
}

/// `pkcs11-tool`, logged in.
fn pkcs11(bench: &Bench, arguments: &[&str]) -> clients::judge::Said {
    let module = installed("opensc-pkcs11.so");
    let mut all = vec!["--module", module.to_str().expect("a path"), "--login", "--pin", PIN];
    all.extend(arguments);
    bench.run("pkcs11-tool", &all).succeeds()
}

fn openssl(arguments: &[&str]) -> clients::judge::Said {
    said(Command::new("openssl").args(arguments), "").succeeds()
}

/// The public key in the certificate with that number, as PEM.
fn public_key(bench: &Bench, id: &str) -> String {
    let certificate = bench.file("cert.der");
    let _ = pkcs11(bench, &["--read-object", "--type", "cert", "--id", id, "-o", &certificate]);
    let key = openssl(&["x509", "-inform", "DER", "-in", &certificate, "-pubkey", "-noout"]);
    bench.write("public.pem", &key.output)
}

fn pkcs11_tool_finds_no_error(stage: Stage) {
    // It tries RSA keys only, and passes over those of curves.
    let curves = Bench::new(stage, "pkcs11_test", "piv");
    let rsa = bench_with_rsa_key(stage, "pkcs11_test_rsa", &["9a", "9d"]);
    for bench in [curves, rsa] {
        pkcs11(&bench, &["--test"]).says(&["No errors"]).never_says(&["ERR", "error:"]);
    }
}

fn pkcs11_tool_signs(stage: Stage) {
    let bench = Bench::new(stage, "pkcs11_sign", "piv");
    let data = bench.write("data", b"what is signed");
    let signature = bench.file("signature");
    // 9A and 9C; the second asks for the PIN before each signature.
    for id in ["01", "02"] {
        let key = public_key(&bench, id);
        let _ = pkcs11(
            &bench,
            &[
                "--sign",
                "--id",
                id,
                "-m",
                "ECDSA-SHA256",
                "--signature-format",
                "openssl",
                "-i",
                &data,
                "-o",
                &signature,
            ],
        );
        openssl(&["dgst", "-sha256", "-verify", &key, "-signature", &signature, &data])
            .says(&["Verified OK"]);
    }
}

/// A card with a new RSA key of 2048 bits in these slots.
fn bench_with_rsa_key(stage: Stage, name: &str, slots: &[&str]) -> Bench {
    let unique = format!("scard-{name}-{}-{stage:?}.pem", std::process::id()).replace(' ', "");
    let key = std::env::temp_dir().join(unique.replace(['{', '}', ':', ','], "-"));
    let key_file = key.to_str().expect("a path");
    let _ = openssl(&["genrsa", "-out", key_file, "2048"]);
    let card =
        slots.iter().fold("piv".to_owned(), |card, slot| format!("{card},{slot}.key={key_file}"));
    let bench = Bench::new(stage, name, &card);
    fs::remove_file(&key).expect("the card has read it");
    bench
}

fn pkcs11_tool_decrypts(stage: Stage) {
    let bench = bench_with_rsa_key(stage, "pkcs11_decrypt", &["9d"]);
    let data = bench.write("data", b"what is secret");
    let (encrypted, decrypted) = (bench.file("encrypted"), bench.file("decrypted"));
    let public = public_key(&bench, "03");
    let _ = openssl(&[
        "pkeyutl", "-encrypt", "-pubin", "-inkey", &public, "-in", &data, "-out", &encrypted,
    ]);
    let _ = pkcs11(
        &bench,
        &["--decrypt", "--id", "03", "-m", "RSA-PKCS", "-i", &encrypted, "-o", &decrypted],
    );
    assert_eq!(fs::read(decrypted).expect("it was written"), b"what is secret");
}

fn pkcs11_tool_derives(stage: Stage) {
    let bench = Bench::new(stage, "pkcs11_derive", "piv");
    let card_key = public_key(&bench, "03");
    let (private, peer) = (bench.file("peer.pem"), bench.file("peer.der"));
    let _ = openssl(&[
        "genpkey",
        "-algorithm",
        "EC",
        "-pkeyopt",
        "ec_paramgen_curve:P-256",
        "-out",
        &private,
    ]);
    let _ = openssl(&["pkey", "-in", &private, "-pubout", "-outform", "DER", "-out", &peer]);
    let (ours, cards) = (bench.file("ours"), bench.file("cards"));
    let _ =
        openssl(&["pkeyutl", "-derive", "-inkey", &private, "-peerkey", &card_key, "-out", &ours]);
    let _ = pkcs11(
        &bench,
        &["--derive", "--id", "03", "-m", "ECDH1-DERIVE", "-i", &peer, "-o", &cards],
    );
    assert_eq!(fs::read(cards).expect("it was written"), fs::read(ours).expect("it was written"));
}

fn python(name: &str) -> String {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("judges").join(name);
    file.to_str().expect("a path").to_owned()
}

fn pyscard_lists_connects_and_transmits(stage: Stage) {
    let bench = Bench::new(stage, "pyscard", "piv");
    bench.run("/usr/bin/python3", &[&python("connect.py")]).succeeds().says(&["all is well"]);
}

fn pyscard_monitors_cards(stage: Stage) {
    let mut bench = Bench::new(stage, "pyscard_monitor", "piv");
    let script = python("monitor.py");
    let monitor = bench.start("/usr/bin/python3", &["-u", &script]);
    hear_until(&monitor, "inserted Virtual PCD 00 00");
    bench.service.insert(1);
    hear_until(&monitor, "inserted Virtual PCD 00 01");
    bench.service.remove(0);
    hear_until(&monitor, "removed Virtual PCD 00 00");
}

fn examples_of_the_pcsc_crate(stage: Stage) {
    let mut bench = Bench::new(stage, "examples", "piv");
    let example = |name: &str| built(&format!("examples/{name}")).to_string_lossy().into_owned();
    for name in ["list-readers", "list-readers-owned"] {
        bench.run(&example(name), &[]).succeeds().says(&["Virtual PCD 00 00", "Virtual PCD 00 01"]);
    }
    bench.run(&example("readme"), &[]).succeeds().says(&["APDU response: [106, 130]"]);
    // With Debian's pcscd and vpcd these two panic: that reader has no attribute for the ATR.
    if stage.manager == Manager::Ours {
        for name in ["connect", "connect-owned"] {
            bench.run(&example(name), &[]).succeeds().says(&["ATR from attribute: [59,"]);
        }
    }
    let mut cancel = bench.start(&example("cancel"), &[]);
    hear_until(&cancel, "Entering blocking call");
    assert_eq!(cancel.hear_within(Duration::from_millis(150)), None, "it blocks");
    cancel.say("");
    hear_until(&cancel, "Blocking call canceled");

    let monitor = bench.start(&example("monitor"), &[]);
    hear_until(&monitor, "Adding \"Virtual PCD 00 00\"");
    hear_until(&monitor, "PRESENT");
    bench.service.remove(0);
    hear_until(&monitor, "CHANGED | EMPTY");
}

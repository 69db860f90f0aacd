//! The programs of Yubico, with a card that says it is a YubiKey: `yubico-piv-tool`, and `ykcs11` for PKCS#11.

use std::fs;

use clients::judge::{Bench, Said};
use clients::stage::Stage;

use crate::support::{Authority, PIN, openssl, pkcs11_tool};

fn tool(bench: &Bench, arguments: &[&str]) -> Said {
    bench.run("yubico-piv-tool", arguments)
}

/// The same after the PIN: both in one run, so in one session with the card.
fn with_pin(bench: &Bench, arguments: &[&str]) -> Said {
    let mut all = vec!["-a", "verify-pin", "-P", PIN];
    all.extend(arguments);
    tool(bench, &all).succeeds().says(&["Successfully verified PIN."])
}

pub(crate) fn yubico_piv_tool_tells_the_status(stage: Stage) {
    let bench = Bench::with_yubikey(stage, "yk_status", ",serial=1234567");
    tool(&bench, &["-a", "status"]).succeeds().says(&[
        "Version:\t5.4.3",
        "Serial Number:\t1234567",
        "Slot 9a:",
        "Slot 9e:",
        "Algorithm:\tECCP256",
        "CN=PIV Authentication",
        "PIN tries left:\t3",
    ]);
    let chuid = |bench| tool(bench, &["-a", "read-object", "--id", "0x5fc102"]).succeeds().output;
    let before = chuid(&bench);
    tool(&bench, &["-a", "set-chuid", "-a", "set-ccc"])
        .succeeds()
        .says(&["Successfully set new CHUID.", "Successfully set new CCC."]);
    assert_ne!(chuid(&bench), before);
}

pub(crate) fn yubico_piv_tool_generates_keys(stage: Stage) {
    let bench = Bench::with_yubikey(stage, "yk_generate", "");
    let authority = Authority::new(&bench);
    let (public, attestation) = (bench.file("public.pem"), bench.file("attestation.pem"));
    let attester = bench.file("attester.pem");
    tool(&bench, &["-a", "read-certificate", "-s", "f9", "-o", &attester]).succeeds();
    for (algorithm, kind) in [("RSA2048", "RSA"), ("ECCP256", "ECDSA"), ("ECCP384", "ECDSA")] {
        tool(&bench, &["-a", "generate", "-s", "9a", "-A", algorithm, "-o", &public])
            .succeeds()
            .says(&["Successfully generated a new private key."]);
        let certificate = authority.certificate("9a", &public);
        tool(&bench, &["-a", "import-certificate", "-s", "9a", "-i", &certificate])
            .succeeds()
            .says(&["Successfully imported a new certificate."]);
        with_pin(&bench, &["-a", "test-signature", "-s", "9a", "-i", &certificate])
            .says(&[&format!("Successful {kind} verification.")]);

        tool(&bench, &["-a", "attest", "-s", "9a", "-o", &attestation]).succeeds();
        openssl(&["verify", "-partial_chain", "-trusted", &attester, &attestation]);
        let attested = openssl(&["x509", "-in", &attestation, "-pubkey", "-noout"]);
        assert_eq!(attested.output, fs::read(&public).expect("it was written"));
    }
}

pub(crate) fn yubico_piv_tool_imports_keys(stage: Stage) {
    let bench = Bench::with_yubikey(stage, "yk_import", "");
    let authority = Authority::new(&bench);
    let (private, public) = (bench.file("private.pem"), bench.file("public.pem"));
    for (slot, kind, option) in [
        ("9c", "EC", "ec_paramgen_curve:P-256"),
        ("9d", "EC", "ec_paramgen_curve:P-384"),
        ("9d", "RSA", "rsa_keygen_bits:2048"),
    ] {
        openssl(&["genpkey", "-algorithm", kind, "-pkeyopt", option, "-out", &private]);
        openssl(&["pkey", "-in", &private, "-pubout", "-out", &public]);
        tool(&bench, &["-a", "import-key", "-s", slot, "-i", &private])
            .succeeds()
            .says(&["Successfully imported a new private key."]);
        let certificate = authority.certificate(slot, &public);
        tool(&bench, &["-a", "import-certificate", "-s", slot, "-i", &certificate]).succeeds();
        if slot == "9c" {
            with_pin(&bench, &["-a", "test-signature", "-s", slot, "-i", &certificate])
                .says(&["Successful ECDSA verification."]);
        } else {
            let success = if kind == "EC" { "ECDH exchange" } else { "RSA decryption" };
            with_pin(&bench, &["-a", "test-decipher", "-s", slot, "-i", &certificate])
                .says(&[&format!("Successfully performed {success}")]);
        }
        // Only what the card made itself is attested.
        tool(&bench, &["-a", "attest", "-s", slot]).says(&["Failed to attest data."]);
    }
}

pub(crate) fn yubico_piv_tool_changes_pin_puk_and_management_key(stage: Stage) {
    let bench = Bench::with_yubikey(stage, "yk_change", "");
    let verify = |pin: &str| tool(&bench, &["-a", "verify-pin", "-P", pin]);
    tool(&bench, &["-a", "change-pin", "-P", PIN, "-N", "654321"])
        .succeeds()
        .says(&["Successfully changed the pin code."]);
    verify("654321").succeeds();
    verify(PIN).says(&["2 tries left"]);
    verify(PIN).says(&["1 tries left"]);
    verify(PIN).says(&["Pin code blocked"]);
    verify("654321").says(&["Pin code blocked"]);
    tool(&bench, &["-a", "change-puk", "-P", "12345678", "-N", "87654321"])
        .succeeds()
        .says(&["Successfully changed the puk code."]);
    tool(&bench, &["-a", "unblock-pin", "-P", "87654321", "-N", "111222"])
        .succeeds()
        .says(&["Successfully unblocked the pin code."]);
    verify("111222").succeeds();

    let key = "0102030405060708010203040506070801020304050607ff";
    tool(&bench, &["-a", "set-mgm-key", "-n", key])
        .succeeds()
        .says(&["Successfully set new management key."]);
    tool(&bench, &["-a", "set-chuid"]).says(&["Failed authentication"]);
    tool(&bench, &[&format!("-k{key}"), "-a", "set-chuid"]).succeeds();
}

pub(crate) fn ykcs11_finds_no_error(stage: Stage) {
    let bench = Bench::with_yubikey(stage, "ykcs11", ",9a=rsa2048,9d=rsa2048");
    pkcs11_tool(&bench, "libykcs11.so", &["--test"])
        .says(&["Private key for PIV Authentication", "RSA-PKCS: OK", "No errors"])
        .never_says(&["ERR", "error:"]);
}

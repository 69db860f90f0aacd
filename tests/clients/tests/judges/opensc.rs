//! Package `opensc`: its tools, over its own module for PKCS#11.

use std::fs;

use clients::judge::{Bench, Said};
use clients::stage::Stage;

use crate::support::{bench_with_rsa_key, openssl, pkcs11_tool, public_key};

pub(crate) fn opensc_tool_names_reader_card_and_atr(stage: Stage) {
    let bench = Bench::new(stage, "opensc_tool", "piv");
    bench.run("opensc-tool", &["-l"]).succeeds().says(&["Virtual PCD 00 00"]);
    bench.run("opensc-tool", &["-a"]).succeeds().says(&["3b:"]);
    bench.run("opensc-tool", &["-n"]).succeeds().says(&["Personal Identity Verification Card"]);
}

fn pkcs11(bench: &Bench, arguments: &[&str]) -> Said {
    pkcs11_tool(bench, "opensc-pkcs11.so", arguments)
}

pub(crate) fn pkcs11_tool_finds_no_error(stage: Stage) {
    // It tries RSA keys only, and passes over those of curves.
    let curves = Bench::new(stage, "pkcs11_test", "piv");
    let rsa = bench_with_rsa_key(stage, "pkcs11_test_rsa", &["9a", "9d"]);
    for bench in [curves, rsa] {
        pkcs11(&bench, &["--test"]).says(&["No errors"]).never_says(&["ERR", "error:"]);
    }
}

pub(crate) fn pkcs11_tool_signs(stage: Stage) {
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

pub(crate) fn pkcs11_tool_decrypts(stage: Stage) {
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

pub(crate) fn pkcs11_tool_derives(stage: Stage) {
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

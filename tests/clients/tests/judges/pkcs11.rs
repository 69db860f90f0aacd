//! Programs that reach the card through OpenSC's module: of GnuTLS, NSS, OpenSSL and OpenSSH.

use std::fs;

use clients::child::Talker;
use clients::judge::{Bench, Said, hear_until};
use clients::stage::Stage;

use crate::support::{PIN, module, openssl, public_key};

const MODULE: &str = "opensc-pkcs11.so";

/// The certificates of a new card, as OpenSC calls them.
const CERTIFICATES: [&str; 4] = [
    "Certificate for PIV Authentication",
    "Certificate for Digital Signature",
    "Certificate for Key Management",
    "Certificate for Card Authentication",
];

pub(crate) fn p11tool_lists_tokens_and_certificates(stage: Stage) {
    let bench = Bench::new(stage, "p11tool", "piv");
    let module = module(MODULE);
    let provider = ["--provider", &module];
    bench.run("p11tool", &[&provider[..], &["--list-tokens"]].concat()).succeeds().says(&[
        "Label: PIV Authentication",
        "Manufacturer: piv_II",
        "Flags: RNG, Requires login",
    ]);
    let login = ["--login", "--set-pin", PIN];
    let listed = ["--list-all-certs"];
    bench
        .run("p11tool", &[&provider[..], &login, &listed].concat())
        .succeeds()
        .says(&CERTIFICATES)
        .says(&["X.509 Certificate (EC/ECDSA-SECP256R1)"]);
    let keys = ["--list-privkeys"];
    bench.run("p11tool", &[&provider[..], &login, &keys].concat()).succeeds().says(&[
        "PIV AUTH key",
        "CKA_ALWAYS_AUTH",
        "ID: 04",
    ]);
}

pub(crate) fn nss_lists_certificates_and_keys(stage: Stage) {
    let bench = Bench::new(stage, "nss", "piv");
    fs::create_dir(bench.file("nss")).expect("our own folder");
    let database = format!("sql:{}", bench.file("nss"));
    let pin = bench.write("pin", format!("{PIN}\n").as_bytes());
    let certutil = |arguments: &[&str]| -> Said {
        bench.run("certutil", &[arguments, &["-d", &database]].concat()).succeeds()
    };
    let _ = certutil(&["-N", "--empty-password"]);
    let add = ["-add", "card", "-libfile", &module(MODULE), "-force", "-dbdir", &database];
    bench.run("modutil", &add).succeeds().says(&["Module \"card\" added to database."]);
    // Having shown all of them, it fails at a reader without a card.
    bench
        .run("modutil", &["-list", "card", "-dbdir", &database])
        .says(&["Slot: Virtual PCD 00 00", "Token Name: PIV Authentication"]);
    // `u`: its private key is there, which it knows after it has logged in.
    certutil(&["-L", "-h", "all", "-f", &pin]).says(&CERTIFICATES).says(&["u,u,u"]);
    certutil(&["-K", "-h", "PIV Authentication", "-f", &pin]).says(&["PIV AUTH key", "SIGN key"]);
}

pub(crate) fn openssl_engine_signs(stage: Stage) {
    let bench = Bench::new(stage, "engine", "piv");
    let key = public_key(&bench, "01");
    let data = bench.write("data", b"what is signed");
    let signature = bench.file("signature");
    let uri = format!("pkcs11:id=%01;type=private;pin-value={PIN}");
    let engine = ["dgst", "-engine", "pkcs11", "-keyform", "engine", "-sign", &uri];
    bench
        .run("openssl", &[&engine[..], &["-sha256", "-out", &signature, &data]].concat())
        .succeeds();
    openssl(&["dgst", "-sha256", "-verify", &key, "-signature", &signature, &data])
        .says(&["Verified OK"]);
}

pub(crate) fn ssh_lists_keys_and_signs(stage: Stage) {
    let bench = Bench::new(stage, "ssh", "piv");
    let module = module(MODULE);
    let keys = bench.run("ssh-keygen", &["-D", &module]).succeeds();
    let keys = String::from_utf8(keys.output).expect("text");
    let key = keys.lines().next().expect("a key");
    assert!(key.starts_with("ecdsa-sha2-nistp256 ") && key.ends_with("PIV AUTH pubkey"), "{keys}");

    // It stays in the foreground, so that it ends with us.
    let socket = bench.file("agent");
    let agent: Talker = bench.start("ssh-agent", &["-D", "-a", &socket]);
    hear_until(&agent, "SSH_AUTH_SOCK");
    let ask = bench.script("askpass", &format!("echo {PIN}"));
    let ssh = |program: &str, arguments: &[&str]| {
        let mut command = bench.command(program);
        command.args(arguments).env("SSH_AUTH_SOCK", &socket);
        command.env("SSH_ASKPASS", &ask).env("SSH_ASKPASS_REQUIRE", "force");
        clients::judge::said(&mut command, "").succeeds()
    };
    ssh("ssh-add", &["-s", &module]).says(&["Card added"]);
    let public = bench.write("key.pub", format!("{key}\n").as_bytes());
    // A signature with the key, verified.
    let _ = ssh("ssh-add", &["-T", &public]);
    let data = bench.write("data", b"what is signed");
    let _ = ssh("ssh-keygen", &["-Y", "sign", "-f", &public, "-n", "file", &data]);
    let allowed = bench.write("allowed", format!("alice {key}\n").as_bytes());
    let signature = format!("{data}.sig");
    let who = ["-f", &allowed, "-I", "alice", "-n", "file", "-s", &signature];
    bench
        .run_with_input("ssh-keygen", &[&["-Y", "verify"][..], &who].concat(), "what is signed")
        .succeeds()
        .says(&["Good \"file\" signature for alice with ECDSA key"]);
    ssh("ssh-add", &["-e", &module]).says(&["Card removed"]);
}

//! What several judges need.

use std::fs;
use std::process::Command;

use clients::judge::{Bench, Said, installed, said};
use clients::stage::Stage;

/// That of every card here, unless its order says otherwise.
pub(crate) const PIN: &str = "123456";

/// OpenSSL on its own: no card is asked.
#[track_caller]
pub(crate) fn openssl(arguments: &[&str]) -> Said {
    said(Command::new("openssl").args(arguments), "").succeeds()
}

/// Where a module for PKCS#11 is.
pub(crate) fn module(name: &str) -> String {
    installed(name).to_str().expect("a path").to_owned()
}

/// `pkcs11-tool`, logged in.
#[track_caller]
pub(crate) fn pkcs11_tool(bench: &Bench, name: &str, arguments: &[&str]) -> Said {
    let module = module(name);
    let mut all = vec!["--module", &module, "--login", "--pin", PIN];
    all.extend(arguments);
    bench.run("pkcs11-tool", &all).succeeds()
}

/// The public key in the certificate with that number, as PEM.
pub(crate) fn public_key(bench: &Bench, id: &str) -> String {
    let certificate = bench.file("cert.der");
    let read = ["--read-object", "--type", "cert", "--id", id, "-o", &certificate];
    let _ = pkcs11_tool(bench, "opensc-pkcs11.so", &read);
    let key = openssl(&["x509", "-inform", "DER", "-in", &certificate, "-pubkey", "-noout"]);
    bench.write("public.pem", &key.output)
}

/// A card with a new RSA key of 2048 bits in these slots.
pub(crate) fn bench_with_rsa_key(stage: Stage, name: &str, slots: &[&str]) -> Bench {
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

/// Who signs certificates about keys of cards.
pub(crate) struct Authority<'a> {
    bench: &'a Bench,
    key: String,
    certificate: String,
    request: String,
}

impl<'a> Authority<'a> {
    /// A new one; its files live as long as the bench.
    pub(crate) fn new(bench: &'a Bench) -> Self {
        let [key, certificate, request] =
            ["authority.key", "authority.pem", "any.csr"].map(|name| bench.file(name));
        let new = ["-newkey", "rsa:2048", "-nodes", "-keyout", &key, "-subj", "/CN=authority"];
        openssl(&[&["req", "-x509", "-out", &certificate][..], &new].concat());
        // A request has to be there, whose key is then replaced by the card's.
        openssl(&["req", "-new", "-key", &key, "-subj", "/CN=any", "-out", &request]);
        Self { bench, key, certificate, request }
    }

    /// A certificate about a public key, both as files in PEM.
    pub(crate) fn certificate(&self, name: &str, public_key: &str) -> String {
        let certificate = self.bench.file(&format!("{name}.pem"));
        let subject = format!("/CN={name}");
        let (request, ca, ca_key) = (&self.request, &self.certificate, &self.key);
        let from = ["x509", "-req", "-in", request, "-CA", ca, "-CAkey", ca_key, "-days", "30"];
        let to = ["-force_pubkey", public_key, "-subj", &subject, "-out", &certificate];
        openssl(&[&from[..], &to].concat());
        certificate
    }
}

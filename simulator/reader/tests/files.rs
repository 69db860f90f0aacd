//! Keys and certificates from files.
#![allow(clippy::unwrap_used, reason = "tests panic")]

use std::path::{Path, PathBuf};

use p256::pkcs8::EncodePrivateKey;
use sim_card::{Card, KeySlot};
use sim_reader::{CardSpec, SimSpec, VirtualCard};

/// A folder that is there as long as the test needs it.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("sim-reader-{}-{name}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn write(&self, name: &str, content: impl AsRef<[u8]>) -> String {
        let path = self.0.join(name);
        std::fs::write(&path, content).unwrap();
        path.display().to_string()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn make(spec: &str) -> Result<VirtualCard, String> {
    let spec: CardSpec = spec.parse().unwrap();
    spec.make(1).map_err(|error| error.to_string())
}

/// The certificate object of a slot, with its status word.
fn certificate_object(card: &mut VirtualCard, slot: KeySlot) -> Vec<u8> {
    let [_, tag @ ..] = slot.certificate_tag().to_be_bytes();
    let mut command = vec![0x00, 0xCB, 0x3F, 0xFF, 0x00, 0x00, 0x05, 0x5C, 0x03];
    command.extend(tag);
    command.extend([0x00, 0x00]);
    card.transmit(&command).expose().to_vec()
}

#[test]
fn a_key_and_its_certificate_are_read() {
    let folder = Folder::new("pair");
    let mut one = make("piv,seed=5").unwrap();
    let object = certificate_object(&mut one, KeySlot::Authentication);
    // 53 82 LL LL 70 82 LL LL, then the certificate, then 71 01 00 FE 00 90 00.
    let certificate = &object[8..object.len() - 7];
    let secret = p256::SecretKey::from_slice(&[7; 32]).unwrap();
    let key = folder.write("key, with comma.pem", secret.to_pkcs8_pem(Default::default()).unwrap());
    let der = folder.write("cert.der", certificate);
    let pem = format!("Bag Attributes\n{}", to_pem(certificate));
    let pem = folder.write("cert.pem", pem);
    for file in [&der, &pem] {
        let mut other = make(&format!("piv,9e.key=\"{key}\",9e.cert={file}")).unwrap();
        assert_eq!(certificate_object(&mut other, KeySlot::CardAuthentication), object);
    }

    let mut own = make(&format!("piv,9e.key=\"{key}\"")).unwrap();
    let signed = certificate_object(&mut own, KeySlot::CardAuthentication);
    let point =
        p256::elliptic_curve::sec1::ToEncodedPoint::to_encoded_point(&secret.public_key(), false);
    assert!(signed.windows(65).any(|window| window == point.as_bytes()));
}

fn to_pem(certificate: &[u8]) -> String {
    der::Document::try_from(certificate).unwrap().to_pem("CERTIFICATE", Default::default()).unwrap()
}

#[test]
fn a_file_that_does_not_fit_is_named() {
    let folder = Folder::new("bad");
    let text = folder.write("text", "no key");
    let binary = folder.write("binary", [0xFF; 9]);
    let missing = folder.0.join("missing").display().to_string();
    let refused = |spec: &str, file: &str, error: &str| {
        let got = make(spec).err().unwrap();
        assert!(got.starts_with(&format!("{file}: {error}")), "{spec}: {got}");
    };
    let no_key = "there is no PEM block with a private key";
    refused(&format!("piv,9a.key={text}"), &text, no_key);
    refused(&format!("piv,9a.key={binary}"), &binary, no_key);
    refused(&format!("piv,9a.key={missing}"), &missing, "");
    let no_certificate = "no certificate in PEM or DER";
    refused(&format!("piv,9a.cert={text}"), &text, no_certificate);
    refused(&format!("piv,9a.cert={binary}"), &binary, no_certificate);
    assert!(Path::new(&text).exists());
}

#[test]
fn a_seed_makes_the_same_card_again_and_no_seed_another_one() {
    let certificate =
        |spec: &str| certificate_object(&mut make(spec).unwrap(), KeySlot::Authentication);
    assert_eq!(certificate("piv,seed=1"), certificate("piv,seed=1"));
    assert_ne!(certificate("piv,seed=1"), certificate("piv,seed=2"));
    assert_ne!(certificate("piv"), certificate("piv"));
}

#[test]
fn an_empty_slot_is_empty() {
    let mut card = make("piv,9a=none").unwrap();
    assert_eq!(certificate_object(&mut card, KeySlot::Authentication), [0x6A, 0x82]);
    assert!("piv,9a=none".parse::<SimSpec>().is_ok());
}

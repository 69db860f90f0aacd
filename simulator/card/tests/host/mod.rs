//! The other side of the card in tests: sends long commands in chains, fetches long answers, unpacks.
#![allow(dead_code, unreachable_pub, reason = "each test file uses its part")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests panic")]
#![allow(clippy::as_conversions, clippy::cast_possible_truncation, reason = "small numbers")]

use scard_types::{CommandApdu, ResponseApdu, SecretBytes, StatusWord, tlv};
use sim_card::{
    Card, KeyAlgorithm, KeySlot, KeySource, ManagementAlgorithm, ManagementKey, PivCard,
    PivProfile, SlotProfile, Validity,
};

/// 2026-01-01 to 2036-01-01.
pub const VALIDITY: Validity = Validity { not_before: 1_767_225_600, not_after: 2_082_758_400 };

pub struct Host(pub PivCard);

pub fn profile() -> PivProfile {
    PivProfile::new(7, [0x21; 32], VALIDITY)
}

/// A card with keys of one kind in all slots.
pub fn card_with(algorithm: KeyAlgorithm) -> Host {
    let mut profile = profile();
    for slot in KeySlot::STANDARD {
        let content = SlotProfile { key: KeySource::Made(algorithm), certificate: None };
        profile.slots.insert(slot, content);
    }
    Host(PivCard::new(profile).unwrap())
}

impl Host {
    pub fn new() -> Self {
        Self(PivCard::new(profile()).unwrap())
    }

    /// One command, in a chain if it is long; the whole answer.
    pub fn send(&mut self, ins: u8, p1: u8, p2: u8, data: &[u8]) -> (Vec<u8>, StatusWord) {
        let mut parts = data.chunks(255).peekable();
        while let Some(part) = parts.next() {
            if parts.peek().is_none() {
                return self.finish(CommandApdu::new(0x00, ins, p1, p2).with_data(part));
            }
            let command = CommandApdu::new(0x10, ins, p1, p2).with_data(part);
            let answer = self.0.transmit(command.to_bytes().expose());
            assert_eq!(answer.expose(), [0x90, 0x00], "a part of a chain");
        }
        self.finish(CommandApdu::new(0x00, ins, p1, p2))
    }

    fn finish(&mut self, command: CommandApdu) -> (Vec<u8>, StatusWord) {
        let mut bytes = command.with_expected(256).to_bytes();
        let mut data = Vec::new();
        loop {
            let answer = ResponseApdu::parse(self.0.transmit(bytes.expose()).expose()).unwrap();
            data.extend_from_slice(answer.data.expose());
            if answer.status.0 >> 8 != 0x61 {
                return (data, answer.status);
            }
            bytes = SecretBytes::from(vec![0x00, 0xC0, 0x00, 0x00, 0x00]);
        }
    }

    /// A command that must succeed.
    pub fn ask(&mut self, ins: u8, p1: u8, p2: u8, data: &[u8]) -> Vec<u8> {
        let (data, status) = self.send(ins, p1, p2, data);
        assert_eq!(status, StatusWord::OK, "INS {ins:02X} P1 {p1:02X} P2 {p2:02X}");
        data
    }

    pub fn verify_pin(&mut self) {
        self.ask(0x20, 0x00, 0x80, b"123456\xFF\xFF");
    }

    /// Mutual authentication with the management key of that cipher, as yubico-piv-tool does it.
    pub fn open_management(&mut self, algorithm: ManagementAlgorithm) {
        let key: Vec<u8> = (0..algorithm.key_bytes()).map(|at| (at % 8 + 1) as u8).collect();
        let p1 = algorithm.identifier();
        let answer = self.ask(0x87, p1, 0x9B, &[0x7C, 0x02, 0x80, 0x00]);
        let encrypted = inside(&answer, &[0x7C, 0x80]);
        let mut own = vec![0xC3; encrypted.len()];
        let mut template = tlv::element(0x80, &crypt(algorithm, &key, &encrypted, false));
        tlv::write(&mut template, 0x81, &own);
        let answer = self.ask(0x87, p1, 0x9B, &tlv::element(0x7C, &template));
        own = crypt(algorithm, &key, &own, true);
        assert_eq!(inside(&answer, &[0x7C, 0x82]), own, "the card proves the key too");
    }

    pub fn object(&mut self, tag: u32) -> (Vec<u8>, StatusWord) {
        let tag = tag.to_be_bytes();
        self.send(0xCB, 0x3F, 0xFF, &tlv::element(0x5C, &tag[1..]))
    }

    pub fn certificate(&mut self, slot: KeySlot) -> Vec<u8> {
        let (object, status) = self.object(slot.certificate_tag());
        assert_eq!(status, StatusWord::OK);
        inside(&object, &[0x53, 0x70])
    }

    /// A private-key operation: the value of 82.
    pub fn use_key(
        &mut self,
        algorithm: KeyAlgorithm,
        slot: KeySlot,
        tag: u32,
        input: &[u8],
    ) -> Result<Vec<u8>, StatusWord> {
        let mut template = vec![0x82, 0x00];
        tlv::write(&mut template, tag, input);
        let command = tlv::element(0x7C, &template);
        match self.send(0x87, algorithm.identifier(), slot.reference(), &command) {
            (answer, StatusWord::OK) => Ok(inside(&answer, &[0x7C, 0x82])),
            (_, status) => Err(status),
        }
    }
}

/// The value at the end of a path of tags.
pub fn inside(data: &[u8], path: &[u32]) -> Vec<u8> {
    path.iter().fold(data.to_vec(), |data, tag| {
        tlv::find(&data, *tag).unwrap_or_else(|| panic!("no {tag:X} in {data:02X?}")).to_vec()
    })
}

/// One block with the host's own use of the ciphers.
pub fn crypt(algorithm: ManagementAlgorithm, key: &[u8], block: &[u8], forward: bool) -> Vec<u8> {
    use aes::cipher::{BlockDecrypt, BlockEncrypt, KeyInit};
    fn run<C: KeyInit + BlockEncrypt + BlockDecrypt>(
        key: &[u8],
        block: &[u8],
        forward: bool,
    ) -> Vec<u8> {
        let cipher = C::new_from_slice(key).unwrap();
        let mut block = block.iter().copied().collect();
        if forward {
            cipher.encrypt_block(&mut block);
        } else {
            cipher.decrypt_block(&mut block);
        }
        block.to_vec()
    }
    let _ = ManagementKey::new(algorithm, key).unwrap();
    match algorithm {
        ManagementAlgorithm::TripleDes => run::<des::TdesEde3>(key, block, forward),
        ManagementAlgorithm::Aes128 => run::<aes::Aes128>(key, block, forward),
        ManagementAlgorithm::Aes192 => run::<aes::Aes192>(key, block, forward),
        ManagementAlgorithm::Aes256 => run::<aes::Aes256>(key, block, forward),
    }
}

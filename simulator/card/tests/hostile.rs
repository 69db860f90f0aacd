//! Anything may come in: every cut of every command, and seeded noise, through the fuzz oracle.

use rand_chacha::ChaCha20Rng;
use rand_core::{RngCore, SeedableRng};
use sim_card::oracle;

/// One command of each chapter, long enough to be cut in the middle of something.
const COMMANDS: &[&[u8]] = &[
    b"\x00\xA4\x04\x00\x0B\xA0\x00\x00\x03\x08\x00\x00\x10\x00\x01\x00\x00",
    b"\x00\xCB\x3F\xFF\x05\x5C\x03\x5F\xC1\x05\x00",
    b"\x00\xCB\x3F\xFF\x00\x00\x05\x5C\x03\x5F\xC1\x05\x00\x00",
    b"\x10\xDB\x3F\xFF\x07\x5C\x03\x5F\xC1\x06\x53\x00",
    b"\x00\x24\x00\x80\x10123456\xFF\xFF654321\xFF\xFF",
    b"\x00\x2C\x00\x80\x1012345678123456\xFF\xFF",
    b"\x00\x87\x03\x9B\x16\x7C\x14\x80\x08\x00\x00\x00\x00\x00\x00\x00\x00\x81\x0812345678",
    b"\x00\x87\x11\x9E\x0A\x7C\x08\x82\x00\x81\x04\x01\x02\x03\x04\x00",
    b"\x00\x87\x11\x9E\x0A\x7C\x08\x82\x00\x85\x04\x04\x02\x03\x04\x00",
    b"\x00\x47\x00\x9A\x05\xAC\x03\x80\x01\x11\x00",
    b"\x00\xC0\x00\x00\x00",
    b"\x00\xF7\x00\x9A\x00",
    b"\x00\xFF\xFF\xFF\x06\x03\x9B\x18123",
    b"\x00\xFE\x11\x9E\x27\x06\x2012345678123456781234567812345678\xAA\x01\x02",
    b"\x00\xFA\x05\x05",
    b"\x00\xFB\x00\x00",
    b"\x00\xF6\x82\x9A",
];

/// Puts a command in front of another as the oracle reads them.
fn chunk(input: &mut Vec<u8>, command: &[u8]) {
    input.extend(u8::try_from(command.len()));
    input.extend_from_slice(command);
}

#[test]
fn a_command_cut_at_any_byte_is_answered() {
    for command in COMMANDS {
        for end in 0..=command.len() {
            let mut input = vec![3];
            chunk(&mut input, &command[..end]);
            chunk(&mut input, command);
            oracle::check(&input);
        }
    }
}

#[test]
fn a_command_with_any_byte_changed_is_answered() {
    let mut rng = ChaCha20Rng::seed_from_u64(1);
    for command in COMMANDS {
        for at in 0..command.len() {
            let mut input = vec![2];
            for _ in 0..4 {
                let mut changed = command.to_vec();
                let mut noise = [0];
                rng.fill_bytes(&mut noise);
                changed[at] = noise[0];
                chunk(&mut input, &changed);
            }
            oracle::check(&input);
        }
    }
}

#[test]
fn noise_is_answered() {
    for seed in 0..500 {
        let mut rng = ChaCha20Rng::seed_from_u64(seed);
        let mut input = vec![0; 400];
        rng.fill_bytes(&mut input);
        oracle::check(&input);
    }
}

//! See the oracle of this name in tests/oracles.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| fuzz_oracles::ask("atr_explanation", input));

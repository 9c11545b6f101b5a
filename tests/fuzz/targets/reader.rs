//! `tests::fuzz::reader`, under the fuzzer.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| fuzz::watched(fuzz::targets::reader, input));

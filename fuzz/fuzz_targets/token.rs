#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| cohortflow_fuzz::token(bytes));

//! A share of the fuzz targets for every day: their entries over the seeds, and over changes of those.
//!
//! The seed of a change is printed on failure; `MUTATIONS` sets how many are tried of each target (default
//! 2,000). With `FUZZ_CORPUS` the seeds are written below that directory, for `scripts/fuzz`.

mod entries;
mod seeds;

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::Path;

#[cfg(feature = "sql")]
use entries::sql;
use entries::{decode, expression, json, log_open, row, token};
use fastrand::Rng;

/// Gives an entry its seeds, and then changes of them.
fn hold(target: &str, entry: fn(&[u8]), seeds: &[Vec<u8>]) {
    if let Some(corpus) = std::env::var_os("FUZZ_CORPUS") {
        let directory = Path::new(&corpus).join(target);
        fs::create_dir_all(&directory).expect("made");
        for (number, seed) in seeds.iter().enumerate() {
            fs::write(directory.join(format!("seed-{number:03}")), seed).expect("written");
        }
    }
    let tries = std::env::var("MUTATIONS").ok().and_then(|text| text.parse().ok()).unwrap_or(2_000);
    for (number, seed) in seeds.iter().enumerate() {
        told(entry, seed, &format!("{target}: seed {number}"));
    }
    for number in 0..tries {
        let mut rng = Rng::with_seed(number);
        let mut bytes = seeds[rng.usize(0..seeds.len())].clone();
        change(&mut bytes, seeds, &mut rng);
        told(entry, &bytes, &format!("{target}: change {number}"));
    }
}

fn told(entry: fn(&[u8]), bytes: &[u8], what: &str) {
    if let Err(panic) = catch_unwind(AssertUnwindSafe(|| entry(bytes))) {
        eprintln!("{what}: {}", bytes.escape_ascii());
        resume_unwind(panic);
    }
}

/// Bytes at which something ends, or begins.
const BYTES: &[u8] = b"\0\x01\x7f\x80\xff'\"(),;.\n%";

/// Changes bytes as a fuzzer does: bits, bytes, pieces lost, repeated, or taken from another seed.
fn change(bytes: &mut Vec<u8>, seeds: &[Vec<u8>], rng: &mut Rng) {
    for _ in 0..rng.usize(1..4) {
        let at = rng.usize(0..=bytes.len());
        let end = (at + rng.usize(0..24)).min(bytes.len());
        match rng.u8(0..6) {
            0 if at < bytes.len() => bytes[at] ^= 1 << rng.u8(0..8),
            1 if at < bytes.len() => bytes[at] = BYTES[rng.usize(0..BYTES.len())],
            2 => drop(bytes.drain(at..end)),
            3 => {
                let copy = bytes[at..end].to_vec();
                let to = rng.usize(0..=bytes.len());
                drop(bytes.splice(to..to, copy));
            }
            4 => {
                let other = &seeds[rng.usize(0..seeds.len())];
                let from = rng.usize(0..=other.len());
                let piece = other[from..(from + rng.usize(0..24)).min(other.len())].to_vec();
                drop(bytes.splice(at..at, piece));
            }
            _ => bytes.truncate(at.max(1)),
        }
    }
}

#[test]
fn extracts_are_taken_or_refused() {
    hold("decode", decode, &seeds::extracts());
}

#[test]
fn rows_are_taken_or_set_aside() {
    hold("row", row, &seeds::rows());
}

#[test]
fn rules_hold_for_those_for_whom_the_oracle_says_so() {
    hold("expression", expression, &seeds::expressions());
}

#[test]
fn bodies_are_read_or_refused_and_texts_hidden_once_for_all() {
    hold("json", json, &seeds::bodies());
}

#[test]
fn nothing_but_what_was_given_lets_anybody_in() {
    hold("token", token, &seeds::tokens());
}

#[cfg(feature = "sql")]
#[test]
fn statements_that_are_let_pass_only_read() {
    hold("sql", sql, &seeds::statements());
}

#[test]
fn logs_are_refused_or_read_whole() {
    hold("log_open", log_open, &seeds::logs());
}

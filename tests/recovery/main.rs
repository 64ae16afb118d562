//! What the store promises, held against a directory that fails, forgets and is tampered with.
//!
//! - `crash`: every call to the disk fails, or is the last one, under each way of losing what was
//!   not synced; what was acknowledged is there, what was not is there whole or not at all.
//! - `damage`: changed, cut and swapped files are refused, or change nothing.
//! - `hostile`: records whose checksums agree and whose content does not add up are refused.
//! - `laws`: random histories against a model that sorts.
//! - `process`: the binary and its data directory.
//!
//! `SEEDS` (default 3) says how many subsets of unsynced writes each crash is tried with, and above
//! the default every call of a recovery is crashed and every error is followed by each loss; `HISTORIES` (default 200) how many histories;
//! `ALL_BITS=1` changes every bit of every byte.

#[path = "../common/mod.rs"]
mod common;
mod crash;
mod damage;
mod hostile;
mod laws;
mod model;
mod process;
mod state;
mod subject;
mod told;

/// A number from the environment.
fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

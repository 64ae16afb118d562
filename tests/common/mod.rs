//! What ingest's tests share: dictionaries in memory, settings, packed copies of files.
#![allow(dead_code, reason = "each test binary uses its own part")]

use std::collections::HashMap;
use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::io::Write;
use std::sync::Mutex;

use cohortflow::ingest::names::{FileName, Named, parse};
use cohortflow::ingest::{Intern, Settings};
use dataflows::types::{CustomerIx, Day, Time, Token, Word};

/// Dictionaries that only remember.
#[derive(Default)]
pub struct Dictionaries {
    pub customers: HashMap<String, u32>,
    pub words: HashMap<String, u32>,
    pub phones: Mutex<Vec<String>>,
}

impl Intern for Dictionaries {
    fn customer(&mut self, id: &str) -> CustomerIx {
        let next = self.customers.len() as u32;
        CustomerIx(*self.customers.entry(id.to_owned()).or_insert(next))
    }

    fn word(&mut self, text: &str) -> Word {
        let next = self.words.len() as u32 + 1;
        if text.is_empty() { Word::NULL } else { Word(*self.words.entry(text.to_owned()).or_insert(next)) }
    }

    fn token(&self, msisdn: &str) -> Token {
        self.phones.lock().expect("not poisoned").push(msisdn.to_owned());
        let mut hasher = DefaultHasher::new();
        msisdn.hash(&mut hasher);
        let mut token = [0; 16];
        token[..8].copy_from_slice(&hasher.finish().to_le_bytes());
        Token(token)
    }
}

/// Wall time 2030-01-01 00:00:00 in Shanghai, and no limit on bad rows.
pub fn settings() -> Settings {
    Settings {
        timezone: jiff::tz::TimeZone::get("Asia/Shanghai").expect("bundled"),
        bad_rows_max: (1, 1),
        control_required: false,
        wall: wall(),
        decoded_bytes_max: 1 << 30,
    }
}

pub fn wall() -> Time {
    Day::parse("2030-01-01").expect("a day").start()
}

/// A name that a file may have.
pub fn name(name: &str) -> FileName {
    match parse(name.as_bytes()) {
        Named::File(file) => file,
        other => panic!("{name}: {other:?}"),
    }
}

pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).expect("to memory");
    encoder.finish().expect("to memory")
}

pub fn zstandard(bytes: &[u8]) -> Vec<u8> {
    zstd::encode_all(bytes, 3).expect("to memory")
}

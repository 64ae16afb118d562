//! Phone numbers that are easy to recognise, one for each place where one can come in.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use crate::canary::forms;

/// What all of them begin with, and how many digits follow.
const STEM: &[u8] = b"139417";
const REST: usize = 5;

/// The first of them, and how far they lie apart: none is a part of another, and few other digits are one of them.
const FIRST: u64 = 13_941_710_007;
const STEP: u64 = 293;
const COUNT_MAX: usize = 300;

/// Numbers by the place where each comes in.
#[derive(Default)]
pub struct Numbers(RefCell<Vec<&'static str>>);

impl Numbers {
    /// The number that comes in at a place.
    pub fn of(&self, place: &'static str) -> String {
        let mut places = self.0.borrow_mut();
        let known = places.iter().position(|known| *known == place);
        let at = known.unwrap_or_else(|| {
            places.push(place);
            places.len() - 1
        });
        assert!(at < COUNT_MAX, "{place}");
        (FIRST + STEP * at as u64).to_string()
    }

    /// The places whose numbers bytes hold, in whatever form.
    pub fn found(&self, bytes: &[u8]) -> BTreeSet<&'static str> {
        let places = self.0.borrow();
        let mut found = BTreeSet::new();
        let mut take = |number: u64| {
            let at = number.checked_sub(FIRST).filter(|past| past % STEP == 0).map(|past| past / STEP);
            found.extend(at.and_then(|at| places.get(usize::try_from(at).ok()?)));
        };
        for (_, form) in forms(bytes) {
            for at in memchr::memmem::find_iter(&form, STEM) {
                let digits = form.get(at..at + STEM.len() + REST).and_then(|digits| std::str::from_utf8(digits).ok());
                digits.and_then(|digits| digits.parse().ok()).into_iter().for_each(&mut take);
            }
        }
        // As the integers that numbers are.
        for eight in bytes.windows(8) {
            let eight = <[u8; 8]>::try_from(eight).expect("eight bytes");
            [u64::from_le_bytes(eight), u64::from_be_bytes(eight)].into_iter().for_each(&mut take);
        }
        found
    }
}

/// Where each number was found, by the place where it came in.
pub type Found = BTreeMap<&'static str, BTreeSet<String>>;

/// Looks through every byte of every file below a directory. Files of a series are told as one.
pub fn look(numbers: &Numbers, directory: &Path, below: &str, found: &mut Found) -> usize {
    let mut files = 0;
    for entry in fs::read_dir(directory).expect("a directory") {
        let entry = entry.expect("an entry");
        let name = entry.file_name().to_string_lossy().into_owned();
        let place = format!("{below}{}", series(&name));
        // A name is told too.
        let mut held = numbers.found(name.as_bytes());
        if entry.path().is_dir() {
            files += look(numbers, &entry.path(), &format!("{place}/"), found);
        } else {
            held.extend(numbers.found(&fs::read(entry.path()).expect("a file")));
            files += 1;
        }
        note(found, held, &place);
    }
    files
}

/// Notes where numbers are.
pub fn note(found: &mut Found, held: BTreeSet<&'static str>, place: &str) {
    for number in held {
        found.entry(number).or_default().insert(place.to_owned());
    }
}

fn series(name: &str) -> &str {
    name.trim_end_matches(|sign: char| sign.is_ascii_digit()).trim_end_matches(['.', '-'])
}

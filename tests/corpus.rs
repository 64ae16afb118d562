//! Bad input: every directory of `tests/corpus` holds a file as it might land, and what must come of it.
//!
//! `NNN-name/in/` has the file, and its control file where there is one; `expected.toml` the outcome:
//! `taken` with the number of good rows and every bad one, `refused` with the code, or what becomes of
//! a name that is not taken. Packed files are made in `containers.rs`.

mod common;

use std::fs;
use std::path::{Path, PathBuf};

use cohortflow::ingest::names::{Named, parse};
use cohortflow::ingest::{Control, Extract, ReadError, Settings, read, read_bytes};
use common::{Dictionaries, settings};
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Expected {
    file: String,
    outcome: String,
    #[serde(default)]
    rows: usize,
    #[serde(default)]
    bad: Vec<Bad>,
    /// Part of a warning each, in order; none may be missing or more.
    #[serde(default)]
    warnings: Vec<String>,
    /// Texts that must have reached the dictionary.
    #[serde(default)]
    words: Vec<String>,
    /// Different phone numbers.
    tokens: Option<usize>,
    /// The quarantined rows as they are shown.
    #[serde(default)]
    masked: Vec<String>,
    code: Option<String>,
    line: Option<u64>,
    /// Part of the message.
    text: Option<String>,
    /// The share as a decimal; one row in a hundred where a file is refused, all where it is taken.
    max_bad_rows: Option<String>,
    #[serde(default)]
    control_required: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Bad {
    line: u64,
    column: String,
    /// Part of the reason.
    reason: String,
}

impl Expected {
    fn settings(&self) -> Settings {
        let bad_rows_max = match (self.max_bad_rows.as_deref(), self.outcome.as_str()) {
            (Some("0.01"), _) | (None, "refused") => (1, 100),
            (None, _) => (1, 1),
            (Some(other), _) => panic!("max_bad_rows = {other}"),
        };
        Settings { bad_rows_max, control_required: self.control_required, ..settings() }
    }
}

#[test]
fn every_case_ends_as_expected() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus");
    let mut cases: Vec<PathBuf> =
        fs::read_dir(&root).expect("corpus").map(|entry| entry.expect("entry").path()).collect();
    cases.sort();
    assert!(cases.len() > 80, "{} cases", cases.len());
    let mut failures = Vec::new();
    for case in &cases {
        let expected = fs::read_to_string(case.join("expected.toml")).expect("expected.toml");
        let expected: Expected =
            toml::from_str(&expected).unwrap_or_else(|error| panic!("{}: {error}", case.display()));
        if let Err(why) = check(case, &expected) {
            failures.push(format!("{}: {why}", case.file_name().expect("named").display()));
        }
    }
    assert!(failures.is_empty(), "{} of {} cases\n{}", failures.len(), cases.len(), failures.join("\n"));
}

fn check(case: &Path, expected: &Expected) -> Result<(), String> {
    let file = match (parse(expected.file.as_bytes()), expected.outcome.as_str()) {
        (Named::Ignored, "ignored")
        | (Named::LeftAlone { .. }, "left_alone")
        | (Named::Malformed { .. }, "malformed") => {
            return Ok(());
        }
        (Named::File(file), "taken" | "refused") => file,
        (other, _) => return Err(format!("{other:?}")),
    };
    let path = case.join("in").join(&expected.file);
    let settings = expected.settings();
    let control = Control::read(&path.with_file_name(format!("{}.ok", expected.file)), &expected.file);
    let mut dictionaries = Dictionaries::default();
    let control = match control {
        Ok(control) => control,
        Err(error) => return check_refused(&error, expected),
    };
    let result = read(&path, &file, control.as_ref(), &settings, &mut dictionaries, &mut |_| {});
    let bytes = fs::read(&path).expect("readable");
    let again = read_bytes(&bytes, &file, control.as_ref(), &settings, &mut Dictionaries::default());
    match (result, again) {
        (Ok(extract), Ok(again)) => {
            if extract.rows != again.rows || extract.rejects != again.rejects {
                return Err("read from memory it gives other rows".into());
            }
            check_taken(&extract, &dictionaries, expected)
        }
        (Err(error), Err(_)) => check_refused(&error, expected),
        (from_file, from_memory) => Err(format!("from file {from_file:?}\nfrom memory {from_memory:?}")),
    }
}

fn check_refused(error: &ReadError, expected: &Expected) -> Result<(), String> {
    let ReadError::Refused { refused, .. } = error else { return Err(error.to_string()) };
    let message = error.to_string();
    let is_right = expected.outcome == "refused"
        && expected.code.as_deref() == Some(refused.code.as_str())
        && (expected.line.is_none() || expected.line == refused.line)
        && expected.text.as_ref().is_none_or(|text| message.contains(text))
        && message.starts_with("could not take extract \"")
        && message.contains("\nhint: ");
    if is_right { Ok(()) } else { Err(format!("{}: {message}", refused.code.as_str())) }
}

fn check_taken(extract: &Extract, dictionaries: &Dictionaries, expected: &Expected) -> Result<(), String> {
    let bad_agrees = extract.rejects.len() == expected.bad.len()
        && extract.rejects.iter().zip(&expected.bad).all(|(reject, bad)| {
            reject.line == bad.line && reject.column == bad.column && reject.reason.contains(&bad.reason)
        });
    if expected.outcome != "taken" || extract.rows.len() != expected.rows || !bad_agrees {
        return Err(format!("{} rows, {:#?}", extract.rows.len(), extract.rejects));
    }
    let warnings_agree = extract.warnings.len() == expected.warnings.len()
        && extract.warnings.iter().zip(&expected.warnings).all(|(warning, part)| warning.contains(part));
    if !warnings_agree {
        return Err(format!("warnings {:?}", extract.warnings));
    }
    if let Some(word) = expected.words.iter().find(|word| !dictionaries.words.contains_key(*word)) {
        return Err(format!("{word:?} is not among {:?}", dictionaries.words.keys()));
    }
    let mut phones = dictionaries.phones.lock().expect("not poisoned").clone();
    phones.sort();
    phones.dedup();
    if expected.tokens.is_some_and(|tokens| tokens != phones.len()) {
        return Err(format!("{} phone numbers", phones.len()));
    }
    let masked: Vec<_> = extract.rejects.iter().map(|reject| &reject.row).collect();
    if !expected.masked.is_empty() && masked != expected.masked.iter().collect::<Vec<_>>() {
        return Err(format!("masked {masked:#?}"));
    }
    Ok(())
}

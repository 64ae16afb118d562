//! `generate`, and what becomes of a province: `generate | run | replay --verify`.

use std::fs;
use std::path::Path;

use crate::binary::{Told, cohortflow, listing, run};

fn generate(output: &Path, more: &[&str]) -> Told {
    let words = ["generate", "--customers", "60", "--months", "7", "--from", "2009-01", "--output"];
    let words = words.iter().map(AsRef::as_ref).chain([output.as_os_str()]);
    cohortflow(words.chain(more.iter().map(AsRef::as_ref)))
}

#[test]
fn a_province_is_the_same_to_the_byte_from_the_same_seed() {
    let home = tempfile::tempdir().expect("a directory");
    let [one, other, another] = ["one", "other", "another"].map(|name| home.path().join(name));
    let told = generate(&one, &["--seed", "7"]).done();
    generate(&other, &["--seed", "7"]).done();
    generate(&another, &["--seed", "8"]).done();
    let files = listing(&one);
    let extracts = files.iter().filter(|(name, _)| !name.ends_with(".ok")).count();
    assert!(told.stdout.starts_with(&format!("{extracts} files, ")), "{}", told.stdout);
    assert!(files == listing(&other), "the same seed gave other bytes");
    assert!(files != listing(&another), "another seed gave the same bytes");
}

#[test]
fn a_directory_that_holds_something_is_left_as_it_is() {
    let home = tempfile::tempdir().expect("a directory");
    fs::write(home.path().join("mine.txt"), "mine").expect("written");
    generate(home.path(), &[]).could_not(&["could not write into", "it is not empty", "--force"]);
    assert_eq!(listing(home.path()).len(), 1);
    generate(home.path(), &["--force", "--feeds", "bill"]).done();
    assert!(home.path().join("mine.txt").exists());
    generate(&home.path().join("mine.txt"), &[]).could_not(&["could not write into", "mine.txt"]);
    generate(&home.path().join("mine.txt").join("x"), &[]).could_not(&["could not write into", "mine.txt/x"]);
}

/// The phone numbers of a plain province.
fn phones(province: &Path) -> Vec<String> {
    let mut phones = Vec::new();
    for (name, bytes) in
        listing(province).iter().filter(|(name, _)| name.starts_with("customer_") && name.ends_with(".csv"))
    {
        let mut reader = csv::Reader::from_reader(&bytes[..]);
        let column = reader.headers().expect("a header").iter().position(|column| column == "msisdn").expect(name);
        phones.extend(reader.records().map(|record| record.expect("a record")[column].to_owned()));
    }
    phones.retain(|phone| phone.len() >= 11);
    assert!(phones.len() > 20, "{phones:?}");
    phones
}

#[test]
fn a_province_runs_and_replays_without_a_divergence_or_a_phone_number() {
    let home = tempfile::tempdir().expect("a directory");
    let [input, views, data] = ["province", "views", "data"].map(|name| home.path().join(name));
    generate(&input, &["--plain", "--bad-rows", "0.005"]).done();
    let told = run(&input, &views, &["--workers", "2"]).done();
    let words = ["replay", "--verify", "--json", "--input"].map(AsRef::as_ref);
    let replay = cohortflow(words.into_iter().chain([input.as_os_str(), "--data".as_ref(), data.as_os_str()])).done();
    let report = replay.json();
    assert_eq!((report["divergences"].as_u64(), report["rejected"].as_u64()), (Some(0), Some(0)), "{report}");
    assert!(report["rows"].as_u64().is_some_and(|rows| rows > 1000) && report["visible_ms_p99"].is_f64(), "{report}");
    // The data directory is kept, and verifies by itself.
    let verify = cohortflow(["verify".as_ref(), "--json".as_ref(), "--data".as_ref(), data.as_os_str()]).done();
    assert_eq!(verify.json()["divergences"], 0);
    let kept = listing(&data);
    assert!(kept.iter().any(|(name, bytes)| name == "log" && bytes.len() > 1000));
    let outputs = listing(&views).into_iter().chain(kept);
    let texts = [("stderr", told.stderr), ("report", replay.stdout), ("stderr", replay.stderr)];
    let told = texts.map(|(place, text)| (place.to_owned(), text.into_bytes()));
    for (place, bytes) in outputs.chain(told) {
        for phone in phones(&input) {
            let digits = phone.as_bytes();
            assert!(!bytes.windows(digits.len()).any(|window| window == digits), "{place} tells {phone}");
        }
    }
}

/// A data directory keeps its programme until another one is given.
#[test]
fn a_replay_into_a_kept_directory_goes_by_the_programme_that_is_given() {
    let home = tempfile::tempdir().expect("a directory");
    let [input, data] = ["province", "data"].map(|name| home.path().join(name));
    generate(&input, &["--plain", "--feeds", "customer,bill"]).done();
    let own = home.path().join("own.toml");
    fs::write(&own, "[[tier]]\nid = \"neu\"\nwhen = \"avg_fee > 50\"\n").expect("written");
    let replay = |more: &[&std::ffi::OsStr]| {
        let words = ["replay", "--verify", "--input"].map(AsRef::as_ref).into_iter();
        let words = words.chain([input.as_os_str(), "--data".as_ref(), data.as_os_str()]);
        cohortflow(words.chain(more.iter().copied()))
    };
    replay(&[]).done();
    replay(&["--programme".as_ref(), own.as_os_str()]).done();
    replay(&[]).done();
    fs::write(&own, "settings = { timezone = \"Europe/Berlin\" }\n").expect("written");
    let told = replay(&["--programme".as_ref(), own.as_os_str()]).ended(2);
    assert!(told.stderr.contains("keeps times of Asia/Shanghai"), "{}", told.stderr);
    cohortflow(["verify".as_ref(), "--data".as_ref(), data.as_os_str()]).done();
}

#[test]
fn a_replay_answers_no_where_a_file_was_rejected() {
    let home = tempfile::tempdir().expect("a directory");
    fs::write(home.path().join("bill_2009-07.csv"), "customer_id,month,total_fee\nc1,2009-07,x\n").expect("written");
    let told = cohortflow(["replay".as_ref(), "--input".as_ref(), home.path().as_os_str()]).ended(1);
    assert!(told.error().starts_with("error: could not take extract \"bill_2009-07.csv\""), "{}", told.stderr);
    let report: Vec<&str> = told.stdout.lines().filter(|line| line.starts_with("rejected ")).collect();
    assert_eq!(report.len(), 1, "{}", told.stdout);
}

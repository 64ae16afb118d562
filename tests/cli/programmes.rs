//! `check`: every mistake at once, with its place and what is near.

use std::fs;
use std::path::Path;

use crate::binary::{Told, cohortflow, reference};

fn check(path: &Path) -> Told {
    cohortflow(["check".as_ref(), path.as_os_str()])
}

fn written(text: impl AsRef<[u8]>) -> (tempfile::TempDir, std::path::PathBuf) {
    let home = tempfile::tempdir().expect("a directory");
    let path = home.path().join("own.toml");
    fs::write(&path, text).expect("written");
    (home, path)
}

#[test]
fn the_reference_programme_holds_and_its_warnings_are_told() {
    let told = check(&reference()).done();
    let holds = "the programme holds 6 tiers, 16 segments, 12 points rules, 10 ranks and 10 campaigns";
    let end = format!("{holds}: no errors, 12 warnings\n");
    assert!(told.stdout.ends_with(&end), "{}", told.stdout);
    // A tag.
    assert!(told.stdout.contains("--> 30-segments.toml:126:57"), "{}", told.stdout);
    let total_spend = reference().with_file_name("total-spend");
    assert!(check(&total_spend).done().stdout.contains("the programme holds 6 tiers"));
}

#[test]
fn every_mistake_is_told_with_its_place_and_what_is_near() {
    let (_home, path) = written(
        "[settings]\nwindw = 3\n[[tier]]\nid = \"A\"\nwhen = \"avg_fe >= 10 and citty = 'x'\"\n[[tier]]\nid = \"A\"\n\
         [[segmnt]]\nid = \"s\"\n[[segment]]\nid = \"s\"\nwhen = \"age > 'old'\"\n",
    );
    let told = check(&path).ended(1);
    for part in [
        "own.toml:2:1",
        "did you mean \"window\"?",
        "own.toml:5:9",
        "did you mean \"avg_fee\"?",
        "own.toml:5:26",
        "did you mean \"city\"?",
        "own.toml:7:6",
        "own.toml:8:3",
        "did you mean \"segment\"?",
        "own.toml:12:9",
        "the programme is refused: 6 errors, no warnings",
    ] {
        assert!(told.stdout.contains(part), "{part}: {}", told.stdout);
    }
}

#[test]
fn columns_count_characters_and_text_that_is_none_is_told() {
    let (_home, path) = written("[[segment]]\nid = \"s\"\nwhen = \"city = '广州' and avg_fe > 1\"\n");
    assert!(check(&path).ended(1).stdout.contains("own.toml:3:25"));
    let (_home, path) = written(b"# \xb9\xe3\n");
    let told = check(&path).ended(1);
    assert!(told.stdout.contains("not UTF-8") && told.stdout.contains("own.toml:1:3"), "{}", told.stdout);
    let (_home, path) = written("[[segment]\n");
    assert!(check(&path).ended(1).stdout.contains("own.toml:1:"));
}

#[test]
fn a_circle_is_told_with_its_path() {
    let (_home, path) = written("[[tag]]\nid = \"a\"\nwhen = \"tag.b\"\n[[tag]]\nid = \"b\"\nwhen = \"tag.a\"\n");
    let told = check(&path).ended(1);
    assert!(told.stdout.contains("tag.a") && told.stdout.contains("tag.b") && told.stdout.contains("circle"));
}

#[test]
fn a_programme_that_cannot_be_read_is_named() {
    let home = tempfile::tempdir().expect("a directory");
    let missing = home.path().join("nowhere.toml");
    check(&missing).could_not(&["could not read programme", "nowhere.toml\": No such file"]);
    check(home.path()).could_not(&["could not read programme", "holds no file named *.toml"]);
    check(Path::new("/dev/null")).could_not(&["could not read programme \"/dev/null\"", "neither a file nor"]);
    let large = home.path().join("large.toml");
    fs::write(&large, "#".repeat((4 << 20) + 1)).expect("written");
    check(&large).could_not(&["large.toml\": more than 4194304 bytes"]);
}

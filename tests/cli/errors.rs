//! What could not be done, and on which named thing.

use std::ffi::OsStr;
use std::fs;

use crate::binary::{cohortflow, directory, reference, run};
use crate::files::{bills, province};
use crate::service::Home;

#[test]
fn run_names_the_path_that_it_could_not_use() {
    let home = tempfile::tempdir().expect("a directory");
    let (input, file) = (home.path().join("in"), home.path().join("file"));
    fs::create_dir(&input).expect("made");
    fs::write(&file, "").expect("written");
    let missing = home.path().join("missing");
    run(&missing, &home.path().join("out"), &[]).could_not(&["could not list", "missing\": No such file"]);
    run(&file, &home.path().join("out"), &[]).could_not(&["could not list", "file\": Not a directory"]);
    run(&input, &file, &[]).could_not(&["could not make the output directory", "file\": File exists"]);
    run(&input, &file.join("out"), &[]).could_not(&["could not make the output directory", "file/out"]);
    // Where a view should be written, something else is.
    let output = home.path().join("views");
    fs::create_dir_all(output.join("tier.csv")).expect("made");
    run(&input, &output, &[]).could_not(&["could not write \"tier.csv\": Is a directory"]);
    let words = ["run", "--programme", "nowhere.toml", "--input", ".", "--output", "."];
    cohortflow(words).could_not(&["could not read programme \"nowhere.toml\""]);
    assert!(!home.path().join("out").exists(), "an output directory of a run that never was");
}

#[test]
fn the_other_commands_name_theirs() {
    let home = tempfile::tempdir().expect("a directory");
    let file = home.path().join("file");
    fs::write(&file, "").expect("written");
    let at =
        |words: &[&str], path: &std::path::Path| cohortflow(words.iter().map(OsStr::new).chain([path.as_os_str()]));
    at(&["man", "--output"], &file).could_not(&["could not write the man pages into", "file\""]);
    at(&["man", "--output"], &file.join("x")).could_not(&["could not write the man pages into", "file/x\""]);
    at(&["replay", "--input"], &home.path().join("missing")).could_not(&["could not list", "missing"]);
    at(&["verify", "--data"], &home.path().join("missing")).could_not(&["there is no store in", "missing"]);
    assert!(!home.path().join("missing").exists());
    at(&["serve", "--http", "127.0.0.1:0", "--data", "/nowhere", "--landing"], &file)
        .could_not(&["could not make the landing directory", "file\""]);
    cohortflow(["serve", "--http", "8.8.8.8:80"]).could_not(&["8.8.8.8:80 is not a loopback address", "--insecure"]);
    cohortflow(["demo", "--http", "8.8.8.8:80"]).could_not(&["8.8.8.8:80 is not a loopback address"]);
    let words = ["serve", "--http", "127.0.0.1:0", "--programme", "nowhere.toml", "--landing"].map(OsStr::new);
    let landing = home.path().join("landing");
    let data = home.path().join("data");
    let words = words.into_iter().chain([landing.as_os_str(), "--data".as_ref(), data.as_os_str()]);
    cohortflow(words).could_not(&["could not read programme \"nowhere.toml\""]);
}

#[test]
fn a_data_directory_that_a_service_works_on_is_left_to_it() {
    let home = Home::new();
    let service = home.serve();
    let (data, input) = (home.data(), home.landing());
    let words: [&[&OsStr]; 2] = [
        &["verify".as_ref(), "--data".as_ref(), data.as_os_str()],
        &["replay".as_ref(), "--input".as_ref(), input.as_os_str(), "--data".as_ref(), data.as_os_str()],
    ];
    for words in words {
        cohortflow(words).could_not(&["another process works on the data directory", "data\"", "hint: stop it first"]);
    }
    assert_eq!(service.get("/healthz").status, 200);
}

#[test]
fn a_damaged_data_directory_is_refused_with_the_place_and_stays_as_it_is() {
    let home = Home::new();
    let files = province();
    files.iter().for_each(|(name, text)| home.land(name, text));
    let service = home.serve();
    service.settle(files.len());
    service.stop();
    let log = home.data().join("log");
    let whole = fs::read(&log).expect("a log");
    let verify = || cohortflow(["verify".as_ref(), "--data".as_ref(), home.data().as_os_str()]);
    verify().done();
    for at in [30, whole.len() / 2] {
        let mut damaged = whole.clone();
        damaged[at] ^= 1;
        fs::write(&log, &damaged).expect("written");
        verify().could_not(&["the log is damaged at byte "]);
        assert!(fs::read(&log).expect("a log") == damaged, "the log was changed");
    }
    fs::write(&log, b"not a log at all, but some text that is long enough to have been one").expect("written");
    verify().could_not(&["log"]);
    fs::write(&log, &whole).expect("written");
    verify().done();
    let key = home.path().join("data.key");
    fs::rename(&key, home.path().join("aside")).expect("moved");
    verify().could_not(&["could not read the key file", "data.key", "bring it back from its backup"]);
}

#[test]
fn the_log_on_stderr_tells_no_phone_number_at_any_level() {
    let files: Vec<(String, String)> =
        province().into_iter().chain([("bill_2009-08.csv".to_owned(), bills("2009-08", 3))]).collect();
    let (input, home) = (directory(&files), tempfile::tempdir().expect("a directory"));
    let reference = reference();
    let words = ["--log", "cohortflow=trace", "run", "--programme"].map(OsStr::new).into_iter();
    let words = words.chain([reference.as_os_str(), "--input".as_ref(), input.path().as_os_str(), "--output".as_ref()]);
    // `cohortflow` looks through what was told.
    cohortflow(words.chain([home.path().as_os_str()])).ended(1);
}

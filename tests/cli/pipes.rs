//! Whoever reads what is told may go before its end.

use std::fs::{self, File};
use std::io::Read;
use std::process::Stdio;

use crate::binary::{command, directory, reference};
use crate::files::province;

/// Runs a command whose stdout nobody reads, and gives its exit code and stderr.
fn unheard(words: &[&std::ffi::OsStr]) -> (Option<i32>, String) {
    let mut child = command(words).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts");
    drop(child.stdout.take());
    let mut told = String::new();
    child.stderr.take().expect("piped").read_to_string(&mut told).expect("text");
    (child.wait().expect("waited for").code(), told)
}

#[test]
fn a_reader_that_has_seen_enough_is_no_failure() {
    let reference = reference();
    for words in [
        &["check".as_ref(), reference.as_os_str()][..],
        &["completions".as_ref(), "bash".as_ref()],
        &["--help".as_ref()],
    ] {
        assert_eq!(unheard(words), (Some(0), String::new()), "{words:?}");
    }
}

#[test]
fn a_disk_that_is_full_is_an_error() {
    let reference = reference();
    for words in [&["check".as_ref(), reference.as_os_str()][..], &["completions".as_ref(), "bash".as_ref()]] {
        let full = File::options().write(true).open("/dev/full").expect("a device");
        let output = command(words).stdout(full).output().expect("it runs");
        let told = String::from_utf8(output.stderr).expect("text");
        assert_eq!(output.status.code(), Some(2), "{words:?}: {told}");
        assert!(told.starts_with("error: could not write to stdout: No space left"), "{words:?}: {told}");
    }
}

#[test]
fn a_run_whose_warnings_nobody_reads_writes_its_views() {
    let (input, home) = (directory(&province()), tempfile::tempdir().expect("a directory"));
    let reference = reference();
    let words = ["run".as_ref(), "--programme".as_ref(), reference.as_os_str(), "--input".as_ref()];
    let words = words.into_iter().chain([input.path().as_os_str(), "--output".as_ref(), home.path().as_os_str()]);
    let mut child = command(words).stderr(Stdio::piped()).spawn().expect("it starts");
    drop(child.stderr.take());
    assert_eq!(child.wait().expect("waited for").code(), Some(1));
    assert!(fs::read_to_string(home.path().join("tier.csv")).expect("a view").lines().count() > 1);
}

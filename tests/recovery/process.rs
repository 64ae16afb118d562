//! The binary and its data directory.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

fn command(home: &Path, data: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cohortflow"));
    command
        .args(["serve", "--pg", "off", "--http", "127.0.0.1:0", "--landing"])
        .arg(home.join("landing"))
        .arg("--data")
        .arg(data);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    command
}

struct Served(Child);

impl Served {
    /// Starts a service and waits until it says that it serves.
    fn start(home: &Path, data: &Path) -> Served {
        let mut child = command(home, data).spawn().expect("it starts");
        let mut lines = BufReader::new(child.stderr.as_mut().expect("piped")).lines();
        let told = lines.find(|line| line.as_ref().is_ok_and(|line| line.starts_with("cohortflow serves ")));
        assert!(told.is_some());
        Served(child)
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn refused(home: &Path, data: &Path) -> String {
    let Output { status, stderr, .. } = command(home, data).output().expect("it runs");
    assert_eq!(status.code(), Some(2));
    String::from_utf8(stderr).expect("text")
}

#[test]
fn a_second_process_on_a_data_directory_is_refused() {
    let home = tempfile::tempdir().expect("a directory");
    let data = home.path().join("data");
    let first = Served::start(home.path(), &data);
    let told = refused(home.path(), &data);
    assert!(told.starts_with("error: another process works on the data directory"), "{told}");
    assert!(told.contains("hint: stop it first"), "{told}");
    drop(first);
    // A lock does not outlive its process.
    drop(Served::start(home.path(), &data));
}

#[test]
fn a_store_without_its_key_is_refused() {
    let home = tempfile::tempdir().expect("a directory");
    let data = home.path().join("data");
    drop(Served::start(home.path(), &data));
    let key = home.path().join("data.key");
    let text = std::fs::read(&key).expect("a key");
    std::fs::remove_file(&key).expect("it goes");
    let told = refused(home.path(), &data);
    assert!(told.starts_with("error: could not read the key file"), "{told}");
    assert!(told.contains("bring it back from its backup"), "{told}");
    assert!(!key.exists());
    std::fs::write(&key, &text[..20]).expect("it is written");
    assert!(refused(home.path(), &data).contains("expected 64 hexadecimal digits"));
    std::fs::write(&key, text).expect("it is written");
    drop(Served::start(home.path(), &data));
}

#[test]
fn a_data_directory_that_cannot_be_made_is_named() {
    let home = tempfile::tempdir().expect("a directory");
    std::fs::write(home.path().join("file"), "").expect("it is written");
    let told = refused(home.path(), &home.path().join("file").join("data"));
    assert!(told.starts_with("error: could not open the data directory") && told.contains("file/data"), "{told}");
}

#[test]
fn a_damaged_store_is_refused_by_the_service_and_stays_as_it_is() {
    let home = tempfile::tempdir().expect("a directory");
    let data = home.path().join("data");
    drop(Served::start(home.path(), &data));
    let log = data.join("log");
    let mut bytes = std::fs::read(&log).expect("a log");
    bytes[30] ^= 1;
    std::fs::write(&log, &bytes).expect("it is written");
    let told = refused(home.path(), &data);
    assert!(told.starts_with("error: the log is damaged at byte 24"), "{told}");
    assert_eq!(std::fs::read(&log).expect("a log"), bytes);
}

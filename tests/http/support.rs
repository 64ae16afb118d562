//! What is handed to whoever helps: all he needs, and nothing of anybody.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

use crate::files::assert_no_phone;
use crate::observed::{CANARIES, ask_everything, assert_no_canary, canaries};
use crate::receiver::{Receiver, SECRET};
use crate::service::Home;

fn bundle(home: &Home, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cohortflow"));
    command.arg("support-bundle").args(arguments).current_dir(home.path()).env_remove("COHORTFLOW_URL");
    command.output().expect("it ends")
}

/// The files of an archive.
fn unpacked(path: &Path) -> BTreeMap<String, String> {
    let file = fs::File::open(path).expect("an archive");
    let mut archive = tar::Archive::new(flate2::read::GzDecoder::new(file));
    let entries = archive.entries().expect("entries").map(|entry| {
        let mut entry = entry.expect("an entry");
        let name = entry.path().expect("a path").to_string_lossy().into_owned();
        let mut text = String::new();
        entry.read_to_string(&mut text).expect("text");
        (name.strip_prefix("cohortflow-support/").expect("below a directory of its own").to_owned(), text)
    });
    entries.collect()
}

fn json(files: &BTreeMap<String, String>, name: &str) -> Value {
    serde_json::from_str(&files[name]).unwrap_or_else(|error| panic!("{name}: {error}"))
}

#[test]
fn a_bundle_has_what_helps_and_nothing_of_anybody() {
    let home = Home::new();
    let receiver = Receiver::new(|_| Some(204));
    let secret = home.path().join("secret");
    fs::write(&secret, SECRET).expect("written");
    let files = canaries();
    files.iter().for_each(|(name, text)| home.land(name, text));
    let service = home.serve_with(&[
        "--webhook",
        &format!("sms=http://user:hunter2@{}/hook-7c1d", receiver.address),
        "--webhook-secret-file",
        &format!("sms={}", secret.display()),
    ]);
    service.settle(files.len());
    CANARIES.iter().for_each(|id| ask_everything(&service, id));
    let done = bundle(&home, &["--http", &format!("http://{}", service.address), "--output", "help.tar.gz"]);
    assert_eq!(done.status.code(), Some(0), "{}", String::from_utf8_lossy(&done.stderr));
    let unpacked = unpacked(&home.path().join("help.tar.gz"));
    let key = fs::read_to_string(home.path().join("data.key")).expect("a key");
    for (name, text) in &unpacked {
        assert_no_canary(text, name);
        assert_no_phone(text, name);
        for secret in [SECRET.trim_start_matches("whsec_"), "hunter2", "hook-7c1d", key.trim()] {
            assert!(!text.contains(secret), "{name} tells {secret}");
        }
    }
    assert_eq!(json(&unpacked, "build.json")["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(json(&unpacked, "settings.json")["webhooks"], serde_json::json!(["sms"]));
    assert_eq!(json(&unpacked, "readyz.json")["ready"], true);
    assert!(unpacked["metrics.txt"].contains("cohortflow_epoch ") && unpacked["log.txt"].contains("accepted"));
    assert!(unpacked.iter().any(|(name, text)| name.starts_with("programme/") && text.contains("[[tier]]")));
    let ledger = json(&unpacked, "ledger.json");
    let of = |feed: &str, status: &str| {
        let entries = ledger.as_array().expect("entries").iter();
        entries.filter(|entry| entry["feed"] == feed && entry["status"] == status).count()
    };
    assert_eq!((of("bill", "accepted"), of("bill", "rejected"), of("customer", "accepted")), (1, 1, 1), "{ledger}");
    let sizes = json(&unpacked, "files.json");
    let log = sizes["files"].as_array().expect("files").iter().find(|file| file["name"] == "log");
    assert!(log.is_some_and(|log| log["bytes"].as_u64().is_some_and(|bytes| bytes > 0)), "{sizes}");
}

#[test]
fn without_a_service_the_sizes_of_its_files_are_told() {
    let home = Home::new();
    let files = canaries();
    files.iter().for_each(|(name, text)| home.land(name, text));
    let service = home.serve();
    service.settle(files.len());
    service.stop();
    let nobody = "http://127.0.0.1:1";
    let done = bundle(&home, &["--http", nobody, "--data", "data"]);
    let told = String::from_utf8_lossy(&done.stderr).into_owned();
    assert!(done.status.code() == Some(0) && told.contains("could not reach a service"), "{told}");
    let unpacked = unpacked(&home.path().join("cohortflow-support.tar.gz"));
    assert_eq!(unpacked.keys().collect::<Vec<_>>(), ["build.json", "files.json"]);
    unpacked.iter().for_each(|(name, text)| assert_no_canary(text, name));
    // Neither a service nor its data: that is said, with what to do.
    let done = bundle(&home, &["--http", nobody, "--data", "elsewhere"]);
    let told = String::from_utf8_lossy(&done.stderr).into_owned();
    assert!(
        done.status.code() == Some(2) && told.contains("\"elsewhere\"") && told.contains("hint: name it with --data"),
        "{told}"
    );
    let done = bundle(&home, &["--http", nobody, "--data", "data", "--output", "no/where.tar.gz"]);
    assert_eq!(done.status.code(), Some(2));
}

//! The end of a service, and the next one on the same data.

use std::io::Write;

use crate::exchange::{connect, read, request};
use crate::files::{bills, province};
use crate::service::{Home, Service};
use crate::views::NAMES;

/// Everything that is served, in one text.
fn everything(service: &Service) -> String {
    let csv = |view: &&str| service.get(&format!("/v1/views/{view}?format=csv")).text().to_owned();
    let card = service.get("/v1/customers/c1").good();
    let programme = service.get("/v1/programme").good();
    // Which entries changed, and what a day came to, is kept after it is visible, and a kill may come before that.
    let names = NAMES.iter().filter(|name| !["points_change", "effect_first_reported"].contains(name));
    format!("{}\n{card}\n{programme}", names.map(csv).collect::<String>())
}

fn loaded(home: &Home) -> Service {
    let files = province();
    files.iter().for_each(|(name, text)| home.land(name, text));
    let service = home.serve();
    service.settle(files.len());
    // A programme of its own, so that the one that was given does not come back.
    let programme = serde_json::json!({ "sources": [{
        "name": "own.toml",
        "text": "[[tier]]\nid = \"高\"\nwhen = \"avg_fee > 100\"\n[[tier]]\nid = \"低\"\n[[segment]]\nid = \"s\"\nwhen = \"on_list.vip\"\n",
    }] });
    service.post("/v1/programme", &programme).good();
    service
}

#[test]
fn after_sigterm_the_next_one_serves_the_same() {
    let home = Home::new();
    let first = loaded(&home);
    let before = everything(&first);
    first.stop();
    let second = home.serve();
    assert_eq!(everything(&second), before);
    assert_eq!(second.post("/v1/verify", &serde_json::json!({})).good()["divergences"], 0);
}

#[test]
fn after_sigkill_the_next_one_serves_the_same_and_goes_on() {
    let home = Home::new();
    let first = loaded(&home);
    let before = everything(&first);
    first.kill();
    let second = home.serve();
    assert_eq!(everything(&second), before);
    let files = province().len();
    home.land("bill_2009-08.csv", bills("2009-08", 10));
    second.settle(files + 1);
    assert_eq!(second.get("/v1/customers/c1").good()["as_of"], "2009-08");
    let after = everything(&second);
    second.kill();
    let third = home.serve_with(&["--workers", "2"]);
    assert_eq!(everything(&third), after);
    third.stop();
}

#[test]
fn an_interrupt_ends_it_as_well() {
    let home = Home::new();
    let mut service = home.serve();
    service.signal("INT");
    assert_eq!(service.ended().code(), Some(0), "{}", service.told());
}

#[test]
fn a_client_that_never_finishes_does_not_keep_it_from_ending() {
    let home = Home::new();
    let mut service = home.serve();
    let mut idle = connect(service.address);
    let keep_alive = request("GET", "/healthz", &[], b"");
    let keep_alive = String::from_utf8(keep_alive).expect("ASCII").replace("connection: close\r\n", "");
    idle.write_all(keep_alive.as_bytes()).expect("sent");
    assert_eq!(read(&mut idle).expect("an answer").status, 200);
    let mut silent = connect(service.address);
    silent.write_all(b"GET /healthz HT").expect("sent");
    let mut half_a_body = connect(service.address);
    half_a_body
        .write_all(b"POST /v1/programme HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{")
        .expect("sent");
    service.signal("TERM");
    assert_eq!(service.ended().code(), Some(0), "{}", service.told());
    drop((idle, silent, half_a_body));
}

#[test]
fn a_second_service_on_a_data_directory_is_refused_and_the_first_serves_on() {
    let home = Home::new();
    let first = loaded(&home);
    let before = everything(&first);
    let second = home.command(&[]).output().expect("it runs");
    assert_eq!(second.status.code(), Some(2));
    let told = String::from_utf8(second.stderr).expect("text");
    let error = told.lines().find(|line| line.starts_with("error: ")).expect("an error");
    assert!(error.contains("another process works on the data directory") && error.contains("/data\""), "{told}");
    assert!(told.contains("hint: stop it first"), "{told}");
    assert_eq!(everything(&first), before);
}

#[test]
fn an_address_that_is_taken_is_named() {
    let home = Home::new();
    let first = home.serve();
    let other = Home::new();
    let address = first.address.to_string();
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_cohortflow"));
    command
        .args(["serve", "--pg", "off", "--http", &address, "--landing"])
        .arg(other.landing())
        .arg("--data")
        .arg(other.data());
    let output = command.output().expect("it runs");
    assert_eq!(output.status.code(), Some(2));
    let told = String::from_utf8(output.stderr).expect("text");
    assert!(told.starts_with(&format!("error: could not listen on {address}")), "{told}");
    assert!(told.contains("hint: choose another address with --http"), "{told}");
    // Nothing was made for a service that never was.
    assert!(!other.data().exists());
}

//! Contacts that the service posts itself: signed, once taken never again, and never to whom must not be contacted.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::process::Command;

use serde_json::json;

use crate::handoff::{PROGRAMME, Town, of, open, opt_out, release};
use crate::receiver::{Posted, Receiver, SECRET, base64, hmac};
use crate::service::Service;

fn serve(town: &Town, receiver: &Receiver, patience: &str) -> Service {
    serve_with(town, receiver, patience, &[])
}

pub fn serve_with(town: &Town, receiver: &Receiver, patience: &str, more: &[&str]) -> Service {
    town.home.land("listing_all.csv", "list_id,customer_id\n");
    let secret = town.home.path().join("secret");
    fs::write(&secret, SECRET).expect("written");
    let (address, file) = (format!("sms=http://{}/hook", receiver.address), format!("sms={}", secret.display()));
    let programme = town.programme.to_str().expect("a path");
    let arguments = ["--programme", programme, "--webhook", &address, "--webhook-secret-file", &file];
    let service = town.home.serve_with(&[&arguments[..], &["--webhook-patience", patience], more].concat());
    open(&service);
    service
}

/// Waits until so many contacts of an outcome were counted.
pub fn until(service: &Service, outcome: &str, count: usize) {
    let sample = format!("cohortflow_webhook_total{{channel=\"sms\",outcome=\"{outcome}\"}} {count}");
    service.until("/metrics", |reply| reply.text().lines().any(|line| line == sample).then_some(()));
}

#[test]
fn each_contact_is_posted_once_and_signed() {
    let town = Town::new(PROGRAMME);
    let receiver = Receiver::new(|_| Some(204));
    let service = serve(&town, &receiver, "3600");
    assert_eq!(release(&service)["handed_off"], 6);
    until(&service, "sent", 6);
    let posted = receiver.posted();
    assert_eq!(posted.iter().map(Posted::customer).collect::<BTreeSet<_>>(), of(&[1, 2, 3, 4, 5, 6]));
    for one in &posted {
        let (id, at) = (one.header("webhook-id"), one.header("webhook-timestamp"));
        assert_eq!(
            (id, one.header("content-type")),
            (one.json()["contact_id"].as_str().expect("an id"), "application/json")
        );
        let signed = [id.as_bytes(), b".", at.as_bytes(), b".", &one.body].concat();
        assert_eq!(one.header("webhook-signature"), format!("v1,{}", base64(&hmac(&[0; 24], &signed))));
        let age = jiff::Timestamp::now().as_second() - at.parse::<i64>().expect("seconds");
        assert!((0..120).contains(&age), "{age}");
        assert_eq!((&one.json()["step"], &one.json()["channel_id"]), (&json!(1), &json!("sms")));
    }
    // Nothing of it is left, in the outbox or beside it.
    let files = |directory: &str| fs::read_dir(town.outbox().join(directory)).expect("a directory").count();
    service.until("/readyz", |_| (files("webhook/sms") == 0).then_some(()));
    assert_eq!((files("channels/sms"), posted.len()), (0, 6));
    assert_eq!(release(&service)["handed_off"], 0);
    let secret = SECRET.trim_start_matches("whsec_");
    assert!(!service.told().contains(secret) && !service.told().contains("/hook"));
    service.stop();
}

#[test]
fn what_is_refused_or_never_taken_is_a_dead_letter_and_is_tried_again_when_that_is_asked() {
    let town = Town::new(PROGRAMME);
    let receiver = Receiver::new(|posted| match &*posted.last().expect("one").customer() {
        "c1" => Some(410),
        "c2" => Some(422),
        "c3" => Some(503),
        "c4" => Some(307),
        "c5" => None,
        _ => Some(200),
    });
    let service = serve(&town, &receiver, "1");
    release(&service);
    until(&service, "dead", 5);
    let expected = [("c1", 1), ("c2", 1), ("c3", 8), ("c4", 8), ("c5", 8), ("c6", 1)];
    let counts = |pairs: &[(&str, usize)]| -> BTreeMap<String, usize> {
        pairs.iter().map(|(customer, count)| ((*customer).to_owned(), *count)).collect()
    };
    assert_eq!(receiver.counts(), counts(&expected));
    assert!(receiver.posted().iter().all(|one| one.path == "/hook"), "a redirect was followed");
    let letters = service.get("/v1/dead-letters?channel=sms").good();
    let letters = letters["dead_letters"].as_array().expect("letters");
    let told: BTreeSet<String> = letters
        .iter()
        .map(|one| {
            [&one["customer_id"], &one["attempts"], &one["status"]].map(|cell| cell.as_str().expect("text")).join(" ")
        })
        .collect();
    let expected = ["c1 1 410", "c2 1 422", "c3 8 503", "c4 8 307", "c5 8 no answer"].map(str::to_owned);
    assert_eq!(told, expected.into());
    let command = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cohortflow"));
        command.args(["dead-letters", "--http", &format!("http://{}", service.address)]).args(arguments);
        let done = command.output().expect("it ends");
        (done.status.code(), String::from_utf8(done.stdout).expect("UTF-8"))
    };
    let (code, listed) = command(&[]);
    assert!(
        code == Some(0) && listed.contains("sms spring c3 after 8 attempts: 503") && listed.contains("5 dead letters"),
        "{listed}"
    );
    service.post("/v1/dead-letters/replay", &json!({ "channel": "call" })).refused(404, "not_found");
    // Who opted out meanwhile is not posted again.
    receiver.answer(|_| Some(200));
    opt_out(&service, "c1");
    assert_eq!(command(&["--channel", "sms", "--replay"]), (Some(0), "5 are tried again\n".to_owned()));
    until(&service, "sent", 5);
    until(&service, "withdrawn", 1);
    assert_eq!(receiver.counts(), counts(&[("c1", 1), ("c2", 2), ("c3", 9), ("c4", 9), ("c5", 9), ("c6", 1)]));
    let of_c3: BTreeSet<_> = receiver
        .posted()
        .iter()
        .filter(|one| one.customer() == "c3")
        .map(|one| (one.header("webhook-id").to_owned(), one.body.clone()))
        .collect();
    assert_eq!(of_c3.len(), 1, "attempts of one contact are told apart");
    assert_eq!(service.get("/v1/dead-letters").good()["dead_letters"], json!([]));
    assert_eq!(service.post("/v1/verify", &json!({})).good()["divergences"], 0);
}

#[test]
fn a_restart_in_the_middle_goes_on_where_it_was() {
    let town = Town::new(PROGRAMME);
    let receiver = Receiver::new(|posted| Some(if posted.len() <= 2 { 200 } else { 503 }));
    let service = serve(&town, &receiver, "3600");
    release(&service);
    until(&service, "failed", 4);
    service.kill();
    receiver.answer(|_| Some(200));
    let service = serve(&town, &receiver, "3600");
    until(&service, "sent", 4);
    let mut counts: Vec<usize> = receiver.counts().into_values().collect();
    counts.sort_unstable();
    assert_eq!(counts, [1, 1, 2, 2, 2, 2]);
    assert_eq!(release(&service)["handed_off"], 0);
}

#[test]
fn an_opt_out_between_two_attempts_withdraws_the_contact() {
    let town = Town::new(PROGRAMME);
    let receiver = Receiver::new(|posted| Some(if posted.last().expect("one").customer() == "c1" { 503 } else { 200 }));
    // The second attempt is made two seconds after the first or later.
    let service = serve(&town, &receiver, "360");
    release(&service);
    until(&service, "failed", 1);
    opt_out(&service, "c1");
    until(&service, "withdrawn", 1);
    assert_eq!(receiver.counts()["c1"], 1);
    // It was never made: he has it when he consents again.
    receiver.answer(|_| Some(200));
    town.home.land(
        "consent_2009-08.csv",
        "customer_id,purpose,channel_id,at,given\nc1,promotion,sms,2009-07-02 10:00:00,true\n",
    );
    service.until("/v1/views/ingest_ledger?feed=consent", |reply| {
        (reply.good()["rows"].as_array().map(Vec::len) == Some(2)).then_some(())
    });
    open(&service);
    assert_eq!(release(&service)["handed_off"], 1);
    until(&service, "sent", 6);
    assert_eq!(receiver.counts()["c1"], 2);
    assert_eq!(service.post("/v1/verify", &json!({})).good()["divergences"], 0);
}

#[test]
fn a_webhook_without_a_secret_or_in_the_clear_is_refused() {
    let town = Town::new(PROGRAMME);
    let secret = town.home.path().join("secret");
    fs::write(&secret, SECRET).expect("written");
    let of_sms = format!("sms={}", secret.display());
    let refused = |arguments: &[&str], expected: &str| {
        let done = town.home.command(arguments).output().expect("it ends");
        let told = String::from_utf8_lossy(&done.stderr).into_owned();
        assert!(done.status.code() == Some(2) && told.contains(expected), "{told}");
    };
    refused(&["--webhook", "sms=http://127.0.0.1:1/"], "--webhook-secret-file sms=PATH");
    refused(&["--webhook-secret-file", &of_sms], "no --webhook for it");
    refused(&["--webhook", "sms=http://10.0.0.1/", "--webhook-secret-file", &of_sms], "expected https");
}

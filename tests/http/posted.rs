//! Views that the service posts to a receiver: what he gathers is the view, whatever happens to him or to the service.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::process::Command;

use serde_json::{Value, json};

use crate::feeds::follower::{Follower, expected};
use crate::files::{bills, province};
use crate::receiver::{Posted, Receiver, SECRET, base64, hmac};
use crate::service::{Home, Service};

fn serve(home: &Home, receiver: &Receiver, view: &str, patience: &str) -> Service {
    let secret = home.path().join("secret");
    fs::write(&secret, SECRET).expect("written");
    home.serve_with(&[
        "--feed-webhook",
        &format!("{view}=http://{}/feed", receiver.address),
        "--feed-webhook-secret-file",
        &format!("{view}={}", secret.display()),
        "--webhook-patience",
        patience,
    ])
}

/// A service with a small province, which posts a view.
fn served(home: &Home, receiver: &Receiver, view: &str, patience: &str) -> Service {
    let files = province();
    files.iter().for_each(|(name, text)| home.land(name, text));
    let service = serve(home, receiver, view, patience);
    service.settle(files.len());
    service
}

/// What a receiver gathers who drops what he had: the messages that he took, in the order in which they came.
fn gathered(posted: &[Posted], view: &'static str) -> (Follower, usize) {
    let (mut follower, mut resets) = (Follower::new(view), 0);
    let (mut had, mut begin) = (BTreeMap::new(), Value::Null);
    for one in posted.iter().filter(|one| one.status.is_some_and(|status| status < 300)) {
        let id = one.header("webhook-id").to_owned();
        if let Some(before) = had.insert(id, one.body.clone()) {
            assert_eq!(before, one.body, "two bodies under one id");
            continue;
        }
        let body = one.json();
        match body["event"].as_str().expect("an event") {
            "reset" => {
                assert!(!body["reason"].as_str().expect("a reason").is_empty());
                (follower, resets) = (Follower::new(view), resets + 1);
            }
            event => {
                if event == "snapshot" && body["begin"] != begin {
                    // What was gathered of the one before is void.
                    begin = body["begin"].clone();
                    follower.close();
                }
                follower.take(event, &body);
            }
        }
    }
    (follower, resets)
}

/// Waits until a receiver has what the view is.
fn until_same(service: &Service, receiver: &Receiver, view: &'static str) {
    service.until("/readyz", |_| {
        let (follower, _) = gathered(&receiver.posted(), view);
        (follower.token.is_some() && follower.rows == expected(service, view)).then_some(())
    });
}

fn sample(service: &Service, sample: &str) -> Option<f64> {
    let metrics = service.get("/metrics");
    metrics.text().lines().find_map(|line| line.strip_prefix(sample)?.trim().parse().ok())
}

/// How many messages of this view have an outcome.
fn count(service: &Service, outcome: &str) -> f64 {
    sample(service, &format!("cohortflow_feed_webhook_total{{view=\"tier\",outcome=\"{outcome}\"}}")).unwrap_or(0.0)
}

#[test]
fn a_receiver_misses_nothing_and_takes_nothing_twice_whoever_was_killed() {
    let home = Home::new();
    let receiver = Receiver::new(|_| Some(204));
    let mut service = served(&home, &receiver, "customer_attribute", "60");
    until_same(&service, &receiver, "customer_attribute");
    for round in 0..6 {
        let before = receiver.posted().len();
        let month = format!("2009-0{}", 7 + round % 3);
        home.land(&format!("bill_{month}.v{}.csv", 2 + round), bills(&month, 10 + 40 * round));
        // In the middle of what it posts, or before it has begun.
        service.until("/readyz", |_| (receiver.posted().len() >= before + round as usize % 3).then_some(()));
        if round % 2 == 0 {
            service.kill()
        } else {
            service.stop()
        }
        service = serve(&home, &receiver, "customer_attribute", "60");
    }
    let accepted = |reply: &crate::exchange::Reply| {
        let ledger = reply.good();
        let live = ledger["rows"].as_array()?.iter().filter(|row| row["status"] == "accepted").count();
        (live == 9).then_some(())
    };
    service.until("/v1/views/ingest_ledger?feed=bill", accepted);
    until_same(&service, &receiver, "customer_attribute");
    let (follower, resets) = gathered(&receiver.posted(), "customer_attribute");
    assert!(resets == 0 && follower.deltas > 3, "{resets} resets, {} differences", follower.deltas);
}

#[test]
fn a_message_is_signed_with_the_secret_of_its_receiver_and_with_no_other() {
    let home = Home::new();
    let receiver = Receiver::new(|_| Some(200));
    let service = served(&home, &receiver, "tier", "60");
    until_same(&service, &receiver, "tier");
    for one in receiver.posted() {
        let (id, at) = (one.header("webhook-id"), one.header("webhook-timestamp"));
        let signed = [id.as_bytes(), b".", at.as_bytes(), b".", &one.body].concat();
        let by = |key: [u8; 24]| format!("v1,{}", base64(&hmac(&key, &signed)));
        assert_eq!(one.header("webhook-signature"), by([0; 24]));
        assert_ne!(one.header("webhook-signature"), by([1; 24]));
        assert_eq!((one.path.as_str(), one.header("content-type")), ("/feed", "application/json"));
        assert!(one.body.len() < 300 << 10, "{} bytes", one.body.len());
    }
    let told = service.told();
    assert!(!told.contains("/feed\"") && !told.contains(SECRET.trim_start_matches("whsec_")), "{told}");
}

#[test]
fn what_fails_is_tried_again_in_its_place_and_no_earlier_than_the_receiver_says() {
    let home = Home::new();
    let receiver = Receiver::new(|posted| Some(if posted.len() <= 3 { 500 } else { 200 }));
    receiver.retry_after(Some(2));
    let service = served(&home, &receiver, "tier", "60");
    service.until("/readyz", |_| (receiver.posted().len() >= 3).then_some(()));
    receiver.retry_after(None);
    until_same(&service, &receiver, "tier");
    let posted = receiver.posted();
    let first: BTreeSet<_> = posted[..4].iter().map(|one| (one.header("webhook-id"), &one.body)).collect();
    assert_eq!(first.len(), 1, "another message came before it was taken");
    let at: Vec<i64> =
        posted[..4].iter().map(|one| one.header("webhook-timestamp").parse().expect("seconds")).collect();
    assert!(at.windows(2).take(2).all(|two| two[1] - two[0] >= 2), "{at:?}");
    assert_eq!((count(&service, "failed"), count(&service, "dead")), (3.0, 0.0));
}

#[test]
fn what_is_never_taken_is_a_dead_letter_and_holds_what_follows_until_it_is_replayed() {
    let home = Home::new();
    let receiver = Receiver::new(|_| Some(200));
    let service = served(&home, &receiver, "tier", "1");
    until_same(&service, &receiver, "tier");
    receiver.answer(|_| Some(503));
    let before = receiver.posted().len();
    home.land("bill_2009-07.v2.csv", bills("2009-07", 500));
    service.until("/metrics", |reply| {
        reply.text().contains("cohortflow_feed_webhook_stopped{view=\"tier\"} 1").then_some(())
    });
    assert_eq!(receiver.posted().len(), before + 8);
    let letters = |service: &Service| service.get("/v1/dead-letters?view=tier").good()["feeds"].clone();
    let letter = letters(&service)[0].clone();
    assert_eq!((&letter["view"], &letter["attempts"], &letter["status"]), (&json!("tier"), &json!(8), &json!("503")));
    let kept = fs::read_to_string(home.data().join("feed-webhooks/tier.dead.json")).expect("kept whole");
    let kept: Value = serde_json::from_str(&kept).expect("JSON");
    assert_eq!(kept["body"].as_str().map(str::as_bytes), Some(&*receiver.posted()[before].body));
    // Neither what becomes of the view nor another start brings anything past it.
    service.stop();
    receiver.answer(|_| Some(200));
    let service = serve(&home, &receiver, "tier", "1");
    home.land("bill_2009-08.csv", bills("2009-08", 300));
    service.until("/v1/views/ingest_ledger?feed=bill&period=2009-08", |reply| {
        (reply.good()["rows"][0]["status"] == "accepted").then_some(())
    });
    assert_eq!(
        (sample(&service, "cohortflow_feed_webhook_stopped{view=\"tier\"}"), receiver.posted().len()),
        (Some(1.0), before + 8)
    );
    let command = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cohortflow"));
        command.args(["dead-letters", "--http", &format!("http://{}", service.address)]).args(arguments);
        let done = command.output().expect("it ends");
        (done.status.code(), String::from_utf8(done.stdout).expect("UTF-8"))
    };
    let (code, listed) = command(&["--view", "tier"]);
    assert!(
        code == Some(0) && listed.contains(" after 8 attempts: 503") && listed.contains("1 dead letters"),
        "{listed}"
    );
    assert_eq!(command(&["--view", "tier", "--replay"]), (Some(0), "1 are tried again\n".to_owned()));
    until_same(&service, &receiver, "tier");
    let (_, resets) = gathered(&receiver.posted(), "tier");
    assert_eq!((resets, letters(&service)), (0, json!([])));
    assert_eq!(command(&["--view", "tier", "--replay"]), (Some(0), "0 are tried again\n".to_owned()));
    service.post("/v1/dead-letters/replay", &json!({ "view": "segment_member" })).refused(404, "not_found");
    service.post("/v1/dead-letters/replay", &json!({ "view": "tier", "channel": "sms" })).refused(400, "bad_request");
}

#[test]
fn where_a_receiver_cannot_go_on_he_is_told_and_has_all_rows_anew() {
    let home = Home::new();
    let receiver = Receiver::new(|_| Some(200));
    let service = served(&home, &receiver, "tier", "60");
    until_same(&service, &receiver, "tier");
    service.stop();
    // As if he had been away for longer than what is told is kept.
    fs::remove_dir_all(home.data().join("feeds")).expect("removed");
    let service = serve(&home, &receiver, "tier", "60");
    service.until("/readyz", |_| (gathered(&receiver.posted(), "tier").1 == 1).then_some(()));
    until_same(&service, &receiver, "tier");
    service.stop();
    // Another one has had nothing yet.
    let other = Receiver::new(|_| Some(200));
    let service = serve(&home, &other, "tier", "60");
    until_same(&service, &other, "tier");
    assert_eq!(other.posted()[0].json()["event"], "reset");
}

#[test]
fn a_view_that_is_none_or_a_receiver_without_a_secret_is_refused() {
    let home = Home::new();
    let secret = home.path().join("secret");
    fs::write(&secret, SECRET).expect("written");
    let of = |view: &str| format!("{view}={}", secret.display());
    let refused = |arguments: &[&str], expected: &str| {
        let done = home.command(arguments).output().expect("it ends");
        let told = String::from_utf8_lossy(&done.stderr).into_owned();
        assert!(done.status.code() == Some(2) && told.contains(expected), "{told}");
    };
    let local = "teir=http://127.0.0.1:1/";
    refused(&["--feed-webhook", "tier=http://127.0.0.1:1/"], "--feed-webhook-secret-file tier=PATH");
    refused(&["--feed-webhook", local, "--feed-webhook-secret-file", &of("teir")], "did you mean tier?");
    refused(&["--feed-webhook", "tier=http://10.0.0.1/", "--feed-webhook-secret-file", &of("tier")], "expected https");
}

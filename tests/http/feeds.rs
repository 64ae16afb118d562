//! Change feeds as a consumer reads them: what he gathers is the view, whatever happens to him or to the service.

pub mod follower;
mod tail;

use std::collections::BTreeMap;
use std::fs;
use std::process::Command;

use serde_json::{Value, json};

use crate::files::{bills, province};
use crate::service::{Home, Service};
use crate::views::NAMES;
use follower::{Follower, expected, socket};

fn served(home: &Home) -> Service {
    let files = province();
    files.iter().for_each(|(name, text)| home.land(name, text));
    let service = home.serve();
    service.settle(files.len());
    service
}

/// Some months of a made-up province, file by file.
fn generated(home: &Home) -> Vec<(String, Vec<u8>)> {
    let made = home.path().join("made");
    let mut command = Command::new(env!("CARGO_BIN_EXE_cohortflow"));
    command.args(["generate", "--customers", "2500", "--months", "2", "--from", "2009-06", "--seed", "3", "--output"]);
    assert!(command.arg(&made).stderr(std::process::Stdio::null()).status().expect("it runs").success());
    let mut files: Vec<_> = fs::read_dir(&made)
        .expect("a directory")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|extension| extension != "ok"))
        .map(|path| {
            let name = path.file_name().expect("a name").to_string_lossy().into_owned();
            (name, fs::read(path).expect("read"))
        })
        // Feeds that are left alone by now.
        .filter(|(name, _)| {
            let left_alone = ["activity", "cell", "happening", "ping", "tie"];
            !left_alone.iter().any(|feed| name.starts_with(&format!("{feed}_")))
        })
        .collect();
    files.sort();
    files
}

#[test]
fn what_followers_of_every_view_gather_is_the_view() {
    let home = Home::new();
    let service = home.serve_with(&["--workers", "2"]);
    let mut followers: Vec<Follower> = NAMES.iter().map(|view| Follower::new(view)).collect();
    for follower in &mut followers {
        follower.connect(&service);
        follower.read_to_mark();
    }
    let files = generated(&home);
    for (name, bytes) in &files {
        home.land(name, bytes);
    }
    service.settle(files.len());
    // A correction, which takes back what an extract said of a month, and another programme.
    home.land("bill_2009-07.v3.csv", bills("2009-07", 70));
    service.settle(files.len() + 1);
    let programme = json!({ "sources": [{ "name": "own.toml", "text":
        "[[tier]]\nid = \"high\"\nwhen = \"avg_fee > 100\"\n[[tier]]\nid = \"low\"\n[[segment]]\nid = \"s\"\nwhen = \"avg_fee > 80\"\n" }] });
    service.post("/v1/programme", &programme).good();
    for follower in &mut followers {
        let rows = expected(&service, follower.view);
        follower.read_until(|follower| follower.rows == rows);
    }
    let told: usize = followers.iter().map(|follower| follower.deltas).sum();
    assert!(told > 100, "{told} differences");
}

#[test]
fn whoever_goes_on_misses_nothing_and_is_told_nothing_twice_whoever_was_killed() {
    let home = Home::new();
    let mut service = served(&home);
    let mut followers: Vec<Follower> =
        ["tier", "segment_member", "tier_count", "ingest_ledger", "customer_attribute"].map(Follower::new).into();
    let mut files = province().len();
    for round in 0..6 {
        for (nth, follower) in followers.iter_mut().enumerate() {
            follower.connect(&service);
            follower.read_to_mark();
            // Some stay away for a while.
            if (round + nth) % 3 == 0 {
                follower.close();
            }
        }
        home.land(
            &format!("bill_2009-0{}.csv", 7 + round % 3),
            bills(&format!("2009-0{}", 7 + round % 3), 10 + 40 * round as u32),
        );
        if round < 3 {
            files += 1;
            service.settle(files);
        }
        match round % 3 {
            0 => service.kill(),
            1 => service.stop(),
            _ => continue,
        }
        // What is not read by now is lost on the wire, and told again.
        followers.iter_mut().for_each(Follower::close);
        service = home.serve();
    }
    for follower in &mut followers {
        follower.connect(&service);
        let rows = expected(&service, follower.view);
        follower.read_until(|follower| follower.rows == rows);
    }
}

#[test]
fn a_feed_of_some_rows_tells_of_no_others() {
    let home = Home::new();
    let service = served(&home);
    let mut follower = Follower::new("customer_attribute");
    follower.conditions = "customer_id=c1&customer_id=c2".to_owned();
    follower.connect(&service);
    follower.read_to_mark();
    assert_eq!(follower.rows.len(), 2);
    let before = follower.rows.clone();
    home.land("bill_2009-07.csv", bills("2009-07", 500));
    follower.read_until(|follower| follower.rows != before);
    assert!(
        follower
            .rows
            .keys()
            .all(|row| row.starts_with("[\"c1\",\"2009-07\"") || row.starts_with("[\"c2\",\"2009-07\""))
    );
    // Without a snapshot it begins with what comes.
    let mut late = Follower::new("tier_count");
    late.conditions = "snapshot=false".to_owned();
    late.connect(&service);
    late.read_to_mark();
    assert_eq!(late.rows, BTreeMap::new());
}

#[test]
fn a_token_that_does_not_fit_is_refused_and_says_how() {
    let home = Home::new();
    let service = served(&home);
    let mut follower = Follower::new("tier");
    follower.connect(&service);
    follower.read_to_mark();
    let token = follower.token.clone().expect("a token");
    let check = |service: &Service, target: &str, status: u16, code: &str| {
        service.get(target).refused(status, code);
    };
    check(&service, &format!("/v1/views/tier/feed?after={token}0"), 400, "token_altered");
    check(&service, "/v1/views/tier/feed?after=nonsense", 400, "token_altered");
    check(&service, &format!("/v1/views/segment_member/feed?after={token}"), 400, "token_view");
    check(&service, &format!("/v1/views/tier/feed?tier=A&after={token}"), 400, "token_conditions");
    check(&service, "/v1/views/tier/feed?from=2009-01", 400, "bad_request");
    check(&service, "/v1/views/teir/feed", 404, "not_found");
    check(&service, "/v1/views/tier/feed?snapshot=maybe", 400, "bad_request");
    check(&service, "/v1/views/tier/socket", 426, "upgrade");
    let other = Home::new();
    let stranger = served(&other);
    check(&stranger, &format!("/v1/views/tier/feed?after={token}"), 409, "token_foreign");
    drop(stranger);
    // What was kept is gone: it is said, and not passed over.
    follower.close();
    service.stop();
    fs::remove_dir_all(home.data().join("feeds")).expect("removed");
    let service = home.serve();
    check(&service, &format!("/v1/views/tier/feed?after={token}"), 410, "token_expired");
    let mut anew = Follower::new("tier");
    anew.connect(&service);
    anew.read_to_mark();
    assert_eq!(anew.rows, expected(&service, "tier"));
    // Another history, though at the same place.
    check(&service, &format!("/v1/views/tier/feed?after={token}"), 409, "token_ahead");
}

#[test]
fn a_socket_tells_the_same() {
    let home = Home::new();
    let service = served(&home);
    let mut socket = socket(&service, "/v1/views/tier/socket");
    let mut follower = Follower::new("tier");
    let mut marks = 0;
    while marks == 0 {
        let text = socket.read().expect("a message").into_text().expect("text");
        let message: Value = serde_json::from_str(&text).expect("JSON");
        let event = message["event"].as_str().expect("an event").to_owned();
        follower.take(&event, &message);
        marks += usize::from(event == "progress");
    }
    assert_eq!(follower.rows, expected(&service, "tier"));
    service.signal("TERM");
    let last = loop {
        match socket.read() {
            Ok(message) if message.is_text() => {
                let message: Value = serde_json::from_str(&message.into_text().expect("text")).expect("JSON");
                if message["event"] == "end" {
                    break message;
                }
            }
            Ok(_) => {}
            Err(error) => panic!("{error}"),
        }
    };
    assert!(last["reason"].as_str().expect("a reason").contains("stops"), "{last}");
}

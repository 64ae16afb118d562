//! Reading the programme in force, and publishing another.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::exchange::{connect, read, request};
use crate::files::{bills, province};
use crate::service::{Home, Service};

fn served(home: &Home) -> Service {
    let files = province();
    files.iter().for_each(|(name, text)| home.land(name, text));
    let service = home.serve();
    service.settle(files.len());
    service
}

fn one(text: &str) -> Value {
    json!({ "sources": [{ "name": "one.toml", "text": text }] })
}

fn members(service: &Service) -> BTreeSet<(String, String)> {
    let page = service.get("/v1/views/segment_member?limit=100000").good();
    let rows = page["rows"].as_array().expect("rows").iter();
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    rows.map(|row| (text(&row["segment"]), text(&row["customer_id"]))).collect()
}

#[test]
fn the_programme_in_force_can_be_read_and_published_again_without_a_difference() {
    let home = Home::new();
    let service = served(&home);
    let programme = service.get("/v1/programme").good();
    let names = programme["sources"].as_array().expect("sources").iter().filter_map(|source| source["name"].as_str());
    assert!(names.eq([
        "10-settings.toml",
        "20-tiers.toml",
        "30-segments.toml",
        "40-points.toml",
        "50-packs.toml",
        "60-campaigns.toml",
        "70-tags.toml",
        "80-goals.toml",
        "85-fit.toml"
    ]));
    let (before, epoch) = (members(&service), service.get("/readyz").good()["epoch"].as_u64());
    assert!(!before.is_empty());
    let told = service.post("/v1/programme", &programme).good();
    assert!(told["epoch"].as_u64() > epoch, "{told}");
    assert_eq!(told["tier"], json!({ "came": 0, "went": 0 }));
    assert_eq!(told["segment_member"], json!({}));
    // The packs and campaigns of the reference programme are for later builds.
    let warnings = told["warnings"].as_array().expect("warnings");
    assert!(warnings.iter().any(|warning| warning.as_str().is_some_and(|text| text.contains("50-packs.toml:"))));
    assert_eq!(members(&service), before);
    assert_eq!(service.get("/v1/programme").good(), programme);
}

#[test]
fn an_edit_says_exactly_whom_it_moved() {
    let home = Home::new();
    let service = served(&home);
    let rules = |fee: u32, tier: u32| {
        one(&format!(
            "[[tier]]\nid = \"high\"\nwhen = \"last_fee > {tier}\"\n[[tier]]\nid = \"low\"\n\
             [[segment]]\nid = \"spenders\"\nwhen = \"avg_fee > {fee}\"\n\
             [[segment]]\nid = \"everybody\"\nwhen = \"true\"\n"
        ))
    };
    service.post("/v1/programme", &rules(100, 100)).good();
    let (before, tiers) = (members(&service), tiers(&service));
    let told = service.post("/v1/programme", &rules(150, 120)).good();
    let (after, tiers_after) = (members(&service), self::tiers(&service));
    let (came, went) = (after.difference(&before).count(), before.difference(&after).count());
    assert!(went > 0 && came == 0);
    assert_eq!(told["segment_member"], json!({ "spenders": { "came": came, "went": went } }));
    // A changed row came once and went once.
    let changed = (tiers_after.difference(&tiers).count(), tiers.difference(&tiers_after).count());
    assert!(changed.0 > 0);
    assert_eq!(told["tier"], json!({ "came": changed.0, "went": changed.1 }));
    // Back again, the other way round.
    let told = service.post("/v1/programme", &rules(100, 120)).good();
    assert_eq!(told["segment_member"], json!({ "spenders": { "came": went, "went": came } }));
    assert_eq!(service.get("/v1/verify").status, 405);
    assert_eq!(service.post("/v1/verify", &json!({})).good()["divergences"], 0);
    // No source is the empty programme: nobody is in anything.
    service.post("/v1/programme", &json!({ "sources": [] })).good();
    assert!(members(&service).is_empty());
}

fn tiers(service: &Service) -> BTreeSet<String> {
    let page = service.get("/v1/views/tier?limit=100000").good();
    page["rows"].as_array().expect("rows").iter().map(ToString::to_string).collect()
}

/// What an edit changed is told apart from what landed while it was published.
#[test]
fn an_edit_that_changes_nothing_moves_nobody_while_files_land() {
    let home = Home::new();
    let service = served(&home);
    let programme = one("[[segment]]\nid = \"spenders\"\nwhen = \"avg_fee > 100\"\n[[tier]]\nid = \"all\"\n");
    service.post("/v1/programme", &programme).good();
    for version in 2..30 {
        let fee = if version % 2 == 0 { 900 } else { 1 };
        for month in 4..=6 {
            home.land(&format!("bill_2009-0{month}.v{version}.csv"), bills(&format!("2009-0{month}"), fee));
        }
        for _ in 0..4 {
            let told = service.post("/v1/programme", &programme).good();
            assert_eq!(told["segment_member"], json!({}), "version {version}");
            assert_eq!(told["tier"], json!({ "came": 0, "went": 0 }), "version {version}");
        }
    }
}

#[test]
fn a_refused_programme_is_told_with_its_places_and_changes_nothing() {
    let home = Home::new();
    let service = served(&home);
    let (before, views) = (service.get("/v1/programme").good(), members(&service));
    let wrong =
        one("[[segment]]\nid = \"s\"\nwhen = \"avg_fe > 100\"\n[[segment]]\nid = \"s\"\nwhen = \"age > 'x'\"\n");
    let reply = service.post("/v1/programme", &wrong);
    let message = reply.refused(422, "programme");
    assert_eq!(message, "the programme is refused");
    let diagnostics = reply.json()["diagnostics"].clone();
    let told = diagnostics.to_string();
    assert_eq!(diagnostics.as_array().map(Vec::len), Some(3), "{told}");
    for part in ["one.toml:3:9", "avg_fee", "one.toml:5:6", "one.toml:6:"] {
        assert!(told.contains(part), "{part}: {told}");
    }
    for text in ["[[", "\u{0}", "a = \"", "[[segment]]\nid = 1", "settings = 3", "[settings]\nwindow = -1"] {
        service.post("/v1/programme", &one(text)).refused(422, "programme");
    }
    assert_eq!(service.get("/v1/programme").good(), before);
    assert_eq!(members(&service), views);
}

#[test]
fn a_store_keeps_its_timezone() {
    let home = Home::new();
    let service = home.serve();
    let reply = service.post("/v1/programme", &one("[settings]\ntimezone = \"Europe/Berlin\"\n"));
    assert!(reply.refused(409, "timezone").contains("timezone"));
}

#[test]
fn a_body_that_is_no_programme_is_refused() {
    let home = Home::new();
    let service = home.serve();
    let deep = format!("{{\"sources\":{}1{}}}", "[".repeat(100_000), "]".repeat(100_000));
    let deep_aside = format!("{{\"x\":{}1{},\"sources\":[]", "[".repeat(100_000), "]".repeat(100_000));
    let bodies: [&[u8]; 19] = [
        b"",
        b" ",
        b"{",
        b"null",
        b"[]",
        b"\"sources\"",
        b"{}",
        b"{\"sources\":null}",
        b"{\"sources\":{}}",
        b"{\"sources\":[1]}",
        b"{\"sources\":[{\"name\":\"a\"}]}",
        b"{\"sources\":[{\"name\":\"a\",\"text\":1}]}",
        b"{\"sources\":[{\"name\":\"a\",\"text\":\"\",\"text\":\"\"}]}",
        b"{\"sources\":[],\"sources\":[]}",
        b"{\"sources\":[]} {}",
        b"{\"sources\":[{\"name\":\"a\",\"text\":\"\xff\"}]}",
        b"{\"sources\":[{\"name\":\"a\",\"text\":\"\\ud800\"}]}",
        deep.as_bytes(),
        deep_aside.as_bytes(),
    ];
    let json: &[(&str, &str)] = &[("content-type", "application/json")];
    let epoch = service.get("/readyz").good()["epoch"].clone();
    for body in bodies {
        let shown = String::from_utf8_lossy(&body[..body.len().min(60)]).into_owned();
        let message = service.ask("POST", "/v1/programme", json, body).refused(400, "bad_request");
        assert!(message.starts_with("expected {\"sources\"") && message.len() < 400, "{shown}: {message}");
    }
    assert_eq!(service.get("/readyz").good()["epoch"], epoch);
}

/// A page of another site can send a form or a text to a loopback address, and nothing else.
#[test]
fn what_a_browser_sends_for_a_stranger_is_refused() {
    let home = Home::new();
    let service = home.serve();
    let body = one("").to_string().into_bytes();
    for kind in ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", ""] {
        let reply = service.ask("POST", "/v1/programme", &[("content-type", kind)], &body);
        assert!(reply.refused(415, "content_type").contains("application/json"));
    }
    service.ask("POST", "/v1/programme", &[], &body).refused(415, "content_type");
    let good = service.ask("POST", "/v1/programme", &[("content-type", "application/json; charset=utf-8")], &body);
    assert_eq!(good.status, 200);
    for origin in ["http://evil.example", "null", "http://localhost:1"] {
        let headers = [("content-type", "application/json"), ("origin", origin)];
        service.ask("POST", "/v1/programme", &headers, &body).refused(403, "origin");
        service.ask("POST", "/v1/verify", &headers, b"{}").refused(403, "origin");
    }
    let own = format!("http://{}", service.address);
    let host = service.address.to_string();
    let headers = [("content-type", "application/json"), ("origin", &own), ("host", &host)];
    assert_eq!(service.ask("POST", "/v1/verify", &headers, b"{}").status, 200);
}

const MIB: usize = 1 << 20;

#[test]
fn a_programme_over_its_limit_is_refused() {
    let home = Home::new();
    let service = home.serve();
    let reply = service.post("/v1/programme", &one(&"# a comment\n".repeat(4 * MIB / 12 + 1)));
    reply.refused(422, "programme");
    assert!(reply.json()["diagnostics"][0].as_str().is_some_and(|text| text.contains("4194304 bytes")));
    let sources: Vec<Value> = (0..1001).map(|number| json!({ "name": number.to_string(), "text": "" })).collect();
    service.post("/v1/programme", &json!({ "sources": sources })).refused(422, "programme");
}

#[test]
fn a_body_too_large_is_refused_by_its_announcement() {
    let home = Home::new();
    let mut service = home.serve();
    for length in ["8388609", "99999999999", "9223372036854775807"] {
        // Not a byte of the body is sent: the answer does not wait for one.
        let head = format!(
            "POST /v1/programme HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n"
        );
        let reply = service.raw(head.as_bytes());
        let reply = reply.unwrap_or_else(|| panic!("no answer to {length}"));
        assert!(reply.refused(413, "too_large").contains("8388608"), "{length}");
    }
    assert!(service.is_running());
}

#[test]
fn a_body_that_grows_too_large_is_refused_on_the_way() {
    let home = Home::new();
    let service = home.serve();
    let resident = resident(&service);
    let mut stream = connect(service.address);
    let write = |stream: &mut std::net::TcpStream, bytes: &[u8]| std::io::Write::write_all(stream, bytes);
    let head = "POST /v1/programme HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n";
    write(&mut stream, head.as_bytes()).expect("sent");
    let chunk = [format!("{MIB:x}\r\n").as_bytes(), &vec![b' '; MIB], b"\r\n"].concat();
    // It stops listening somewhere behind its limit; half a gigabyte is offered.
    let taken = (0..512).take_while(|_| write(&mut stream, &chunk).is_ok()).count();
    assert!((8..64).contains(&taken), "{taken} MiB were taken");
    // A connection that was reset may have lost its answer.
    if let Some(reply) = read(&mut stream) {
        reply.refused(413, "too_large");
    }
    assert!(self::resident(&service) < resident + (64 * MIB) as f64);
}

fn resident(service: &Service) -> f64 {
    service.until("/metrics", |reply| {
        let mut lines = reply.text().lines();
        lines.find_map(|line| line.strip_prefix("cohortflow_resident_bytes "))?.parse().ok()
    })
}

#[test]
fn a_body_that_breaks_off_changes_nothing() {
    let home = Home::new();
    let service = home.serve();
    let epoch = service.get("/readyz").good()["epoch"].clone();
    let body = one("").to_string();
    let whole = request("POST", "/v1/programme", &[("content-type", "application/json")], body.as_bytes());
    for cut in [1, 10, body.len() - 1] {
        let reply = crate::exchange::send_and_end(service.address, &whole[..whole.len() - cut]);
        assert!(reply.is_none_or(|reply| reply.status == 400), "{cut}");
    }
    assert_eq!(service.get("/readyz").good()["epoch"], epoch);
}

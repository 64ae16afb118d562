//! What an edit would change, asked before it is published.

use serde_json::{Value, json};

use crate::files::province;
use crate::service::{Home, Service};

fn served(home: &Home) -> Service {
    let files = province();
    files.iter().for_each(|(name, text)| home.land(name, text));
    let service = home.serve();
    service.settle(files.len());
    service.post("/v1/programme", &rules(100, 100)).good();
    service
}

fn one(text: &str) -> Value {
    json!({ "sources": [{ "name": "one.toml", "text": text }] })
}

fn rules(fee: u32, tier: u32) -> Value {
    one(&format!(
        "[[tier]]\nid = \"high\"\nwhen = \"last_fee > {tier}\"\n[[tier]]\nid = \"low\"\n\
         [[segment]]\nid = \"spenders\"\nwhen = \"avg_fee > {fee}\"\n\
         [[campaign]]\nid = \"k\"\naudience = \"tier = 'high'\"\nchannels = [\"sms\"]\n"
    ))
}

fn group<'a>(told: &'a Value, of: &str, id: &str) -> &'a Value {
    let groups = told[of].as_array().expect("groups");
    groups.iter().find(|group| group["id"] == id).unwrap_or_else(|| panic!("no {id} of {of}: {told}"))
}

fn count(service: &Service, condition: &str) -> u64 {
    service.get(&format!("/v1/views/{condition}&limit=100000")).good()["rows"].as_array().expect("rows").len() as u64
}

#[test]
fn an_edit_is_told_before_it_is_published_and_changes_nothing() {
    let home = Home::new();
    let service = served(&home);
    let (programme, epoch) = (service.get("/v1/programme").good(), service.get("/readyz").good()["epoch"].clone());
    let members = || service.get("/v1/views/segment_member?limit=100000").good();
    let before = members();
    let told = service.post("/v1/programme/diff?members=1000", &rules(150, 120)).good();
    assert_eq!(told["epoch"], epoch);
    assert_eq!((members(), service.get("/v1/programme").good()), (before, programme));
    assert_eq!(service.get("/readyz").good()["epoch"], epoch);
    let sizes = |service: &Service| {
        ["segment_member?segment=spenders", "tier?tier=high", "target?campaign_id=k"].map(|of| count(service, of))
    };
    let now = sizes(&service);
    let applied = service.post("/v1/programme", &rules(150, 120)).good();
    let then = sizes(&service);
    let groups = [("segments", "spenders"), ("tiers", "high"), ("targets", "k")].map(|(of, id)| group(&told, of, id));
    for ((group, now), then) in groups.iter().zip(now).zip(then) {
        assert!(now != then, "{group}");
        assert_eq!((&group["before"], &group["after"]), (&json!(now), &json!(then)), "{group}");
        let ids = ["added", "removed"].map(|side| group["members"][side].as_array().expect("ids").len() as u64);
        assert_eq!(json!(ids), json!([group["added"], group["removed"]]));
    }
    let moved = json!({ "came": groups[0]["added"], "went": groups[0]["removed"] });
    assert_eq!(applied["segment_member"], json!({ "spenders": moved }));
    // A contact on sms costs a tenth of a yuan.
    let cost = |count: u64| json!(format!("{}.{}0", count / 10, count % 10));
    assert_eq!((&told["cost"]["before"], &told["cost"]["after"]), (&cost(now[2]), &cost(then[2])), "{told}");
    let untold = told["not_told"].as_array().expect("what is not told");
    assert!(untold.iter().any(|told| told["what"].as_str().is_some_and(|what| what.contains("tier_move"))), "{told}");
}

#[test]
fn one_side_of_a_list_comes_as_csv() {
    let home = Home::new();
    let service = served(&home);
    let told = service.post("/v1/programme/diff?members=1000", &rules(150, 100)).good();
    let removed = group(&told, "segments", "spenders")["members"]["removed"].as_array().expect("ids").clone();
    assert!(removed.len() > 10);
    let reply = service.post("/v1/programme/diff?list=segment:spenders&side=removed", &rules(150, 100));
    assert_eq!((reply.status, reply.header("content-type")), (200, Some("text/csv; charset=utf-8")));
    let lines: Vec<&str> = reply.text().lines().collect();
    assert_eq!(lines[0], "customer_id");
    assert_eq!(lines[1..], removed.iter().filter_map(Value::as_str).collect::<Vec<_>>());
    let none = service.post("/v1/programme/diff?list=segment:spenders&side=added", &rules(150, 100));
    assert_eq!(none.text(), "customer_id\n");
    let nobody = service.post("/v1/programme/diff?list=segment:students&side=added", &rules(150, 100));
    assert!(nobody.refused(404, "not_found").contains("students"));
}

#[test]
fn a_sweep_is_the_diffs_of_its_numbers() {
    let home = Home::new();
    let service = served(&home);
    let at = [50, 100, 150, 9_999];
    let told =
        service.post("/v1/programme/sweep", &json!({ "sweep": "segment spenders: avg_fee > ?", "at": at })).good();
    assert_eq!((&told["bound"], &told["stands"]), (&json!("avg_fee > ?"), &json!("100")));
    for (swept, fee) in told["at"].as_array().expect("numbers").iter().zip(at) {
        let told = service.post("/v1/programme/diff", &rules(fee, 100)).good();
        let group = group(&told, "segments", "spenders");
        assert_eq!(swept["at"], json!(fee.to_string()));
        assert_eq!(
            [&swept["size"], &swept["added"], &swept["removed"]],
            [&group["after"], &group["added"], &group["removed"]]
        );
    }
    // Of a programme that is not in force, and of a list.
    let mut asked = rules(100, 120);
    (asked["sweep"], asked["at"]) = (json!("campaign:k"), json!(["1"]));
    let message = service.post("/v1/programme/sweep", &asked).refused(422, "sweep");
    assert!(message.contains("compares nothing with a number"), "{message}");
    (asked["sweep"], asked["at"]) = (json!("tier:high"), json!(["120", 80.5]));
    let told = service.post("/v1/programme/sweep", &asked).good();
    let expected = service.post("/v1/programme/diff", &rules(100, 120)).good();
    assert_eq!(told["at"][0]["size"], group(&expected, "tiers", "high")["after"]);
    assert_eq!(told["at"][1]["at"], "80.5");
}

#[test]
fn what_cannot_be_told_is_refused_with_a_remedy() {
    let home = Home::new();
    let service = served(&home);
    let wrong = one("[[segment]]\nid = \"s\"\nwhen = \"avg_fe > 100\"\n");
    let reply = service.post("/v1/programme/diff", &wrong);
    reply.refused(422, "programme");
    assert!(reply.json()["diagnostics"][0].as_str().is_some_and(|text| text.contains("one.toml:3:9")));
    let berlin = one("[settings]\ntimezone = \"Europe/Berlin\"\n");
    service.post("/v1/programme/diff", &berlin).refused(409, "timezone");
    for query in [
        "members=1001",
        "members=x",
        "list=segment:s",
        "side=added",
        "list=s&side=added",
        "list=segment:s&side=both",
        "x=1",
    ] {
        service.post(&format!("/v1/programme/diff?{query}"), &rules(1, 1)).refused(400, "bad_request");
    }
    service.post("/v1/programme/diff", &json!({ "text": "" })).refused(400, "bad_request");
    for (sweep, at, why) in [
        ("segment spendrs", json!([1]), "did you mean \"spenders\"?"),
        ("segment spenders: age > ?", json!([1]), "it has: \"avg_fee > 100\""),
        ("spenders", json!([1]), "expected segment, tier or campaign"),
        ("segment spenders", json!([]), "expected 1 to 50 numbers"),
        ("segment spenders", json!([1e300]), "write its digits out"),
        ("segment spenders", json!(["six", 1]), "at six: expected a decimal number"),
        ("segment spenders", json!([null]), "at null"),
    ] {
        let message = service.post("/v1/programme/sweep", &json!({ "sweep": sweep, "at": at })).refused(422, "sweep");
        assert!(message.contains(why), "{sweep} at {at}: {message}");
    }
    service.post("/v1/programme/sweep", &json!({ "sweep": "segment spenders" })).refused(400, "bad_request");
}

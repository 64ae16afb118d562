//! Campaigns: how far each has come, who may bring it further, what it is likely to bring.

use std::fs;
use std::process::Command;

use serde_json::{Value, json};

use crate::exchange::Reply;
use crate::files::province;
use crate::service::{Home, Service};

const PROGRAMME: &str = r#"
[[campaign]]
id = "tone"
name = "彩铃"
audience = "city = '东莞'"
product = "crbt"
channels = ["sms"]
steps = [{ channel = "sms", content = "words" }]
dates = ["2009-07-01", "2009-07-31"]
quiet = ["22:00-08:00"]
priority = 5

[[content]]
id = "words"
channel = "sms"
text = "a tone"

[[campaign]]
id = "cities"
audience = "city = '广州'"
product = "news"
level = "province_city"
cities = ["广州", "深圳", "珠海"]
channels = ["sms"]
skip_stages = { "珠海" = ["accepted"] }
stages = ["approved", "dispatched", "accepted", "running"]

[[campaign]]
id = "old"
audience = "false"
product = "crbt"
goal = "tones"
channels = ["sms"]

[[campaign]]
id = "older"
audience = "false"
product = "crbt"
channels = ["sms"]

[[campaign]]
id = "for_tones"
audience = "false"
product = "jokes"
goal = "tones"
channels = ["sms"]

[[campaign]]
id = "games"
audience = "city = '深圳'"
product = "puzzles"
channels = ["sms"]

[[goal]]
id = "tones"
name = "tones"
"#;

fn served(home: &Home, more: &[(&str, &str)]) -> Service {
    let path = home.path().join("own.toml");
    fs::write(&path, PROGRAMME).expect("written");
    let files = province();
    files.iter().for_each(|(name, text)| home.land(name, text));
    more.iter().for_each(|(name, text)| home.land(name, text));
    let service = home.serve_with(&["--programme", path.to_str().expect("UTF-8")]);
    service.settle(files.len() + more.len());
    service
}

fn set(service: &Service, id: &str, state: &str, by: &str) -> Reply {
    service.post(&format!("/v1/campaigns/{id}/state"), &json!({ "state": state, "by": by }))
}

fn accept(service: &Service, id: &str, city: &str) -> Reply {
    let body = json!({ "state": "accepted", "by": "wang", "city": city, "note": "好" });
    service.post(&format!("/v1/campaigns/{id}/state"), &body)
}

#[track_caller]
fn done(reply: &Reply) -> Value {
    assert_eq!(reply.status, 201, "{}", String::from_utf8_lossy(&reply.body));
    reply.json()
}

fn shown(service: &Service, id: &str) -> Value {
    service.get(&format!("/v1/campaigns/{id}")).good()
}

#[test]
fn a_campaign_goes_its_way_and_is_there_after_a_restart() {
    let home = Home::new();
    let service = served(&home, &[]);
    let tone = shown(&service, "tone");
    assert_eq!((&tone["state"], &tone["since"], &tone["by"]), (&json!("draft"), &Value::Null, &Value::Null));
    assert_eq!(tone["next"], json!(["draft", "predicted", "closed"]));
    assert_eq!(tone["listed"], json!({ "target": 190, "control": 0, "random": 0 }));
    assert_eq!(
        (&tone["plan"]["until"], &tone["plan"]["quiet"]),
        (&json!("2009-08-01 00:00:00"), &json!(["22:00-08:00"]))
    );
    assert_eq!(tone["contents"][0]["text"], "a tone");

    let first = done(&set(&service, "tone", "draft", "zhang"));
    let message = set(&service, "tone", "approved", "li").refused(409, "state");
    assert_eq!(message, "before it is approved it must be predicted");
    done(&set(&service, "tone", "predicted", "zhang"));
    let reply = set(&service, "tone", "approved", "Zhang");
    assert!(reply.refused(409, "state").starts_with("who wrote or predicted a campaign does not approve it"));
    assert_eq!(reply.json()["state"], "predicted");
    assert_eq!(reply.json()["next"], json!(["draft", "predicted", "approved", "closed"]));
    for state in ["approved", "dispatched", "accepted", "rehearsed", "running", "paused", "running"] {
        assert_eq!(done(&set(&service, "tone", state, "li"))["state"], state);
    }
    set(&service, "tone", "draft", "zhang").refused(409, "state");
    let last = done(&set(&service, "tone", "paused", "wang"));
    assert!(last["change_id"].as_str() > first["change_id"].as_str(), "{last}");
    let all = |service: &Service| {
        let tone = shown(service, "tone");
        assert_eq!((&tone["state"], &tone["by"]), (&json!("paused"), &json!("wang")));
        let history = tone["history"].as_array().expect("a history");
        let states: Vec<&str> = history.iter().filter_map(|change| change["state"].as_str()).collect();
        let way = "draft predicted approved dispatched accepted rehearsed running paused running paused";
        assert_eq!(states.join(" "), way);
        assert!(history.iter().all(|change| change["irregular"].is_null()), "{tone}");
        let rows = service.get("/v1/views/campaign_change?campaign_id=tone").good();
        assert_eq!((rows["rows"].as_array().map(Vec::len), &rows["rows"][9]["by"]), (Some(10), &json!("wang")));
        let row = &service.get("/v1/views/campaign?campaign_id=tone").good()["rows"][0];
        assert_eq!(
            *row,
            json!({
                "campaign_id": "tone", "name": "彩铃", "state": "paused", "since": "2009-06-30 23:59:59", "by": "wang",
                "level": "province", "from": "2009-07-01 00:00:00", "until": "2009-08-01 00:00:00", "priority": 5,
                "target": 190, "control": 0, "random": 0, "excluded": 0,
            })
        );
        // States are told once they are durable, files once they are visible.
        service.until("/v1/views/ingest_ledger?feed=campaign_state", |reply| {
            (reply.good()["rows"].as_array().map(Vec::len) == Some(11)).then_some(())
        });
        assert_eq!(service.post("/v1/verify", &json!({})).good()["divergences"], 0);
    };
    all(&service);
    service.kill();
    let service = home.serve();
    all(&service);
    done(&set(&service, "tone", "closed", "li"));
    assert_eq!(shown(&service, "tone")["next"], json!([]));
    set(&service, "tone", "running", "li").refused(409, "state");
    // Whom it listed is free.
    service.until("/v1/views/target?campaign_id=tone", |page| (page.good()["rows"] == json!([])).then_some(()));
}

#[test]
fn cities_accept_for_themselves() {
    let home = Home::new();
    let service = served(&home, &[]);
    done(&set(&service, "cities", "draft", "zhang"));
    done(&set(&service, "cities", "approved", "li"));
    accept(&service, "cities", "广州").refused(409, "state");
    done(&set(&service, "cities", "dispatched", "li"));
    let message = set(&service, "cities", "accepted", "wang").refused(409, "state");
    assert!(message.ends_with("name one with city: 广州, 深圳"), "{message}");
    done(&accept(&service, "cities", "广州"));
    accept(&service, "cities", "珠海").refused(409, "state");
    let states = |service: &Service| {
        let cities = shown(service, "cities");
        let states = cities["cities"].as_array().expect("cities").iter().map(|city| city["state"].clone());
        (cities["state"].clone(), Value::Array(states.collect()))
    };
    assert_eq!(states(&service), (json!("dispatched"), json!(["accepted", "dispatched", "dispatched"])));
    let message = set(&service, "cities", "running", "li").refused(409, "state");
    assert_eq!(message, "before it is running it must be accepted by 深圳");
    done(&accept(&service, "cities", "深圳"));
    assert_eq!(states(&service), (json!("accepted"), json!(["accepted", "accepted", "dispatched"])));
    assert_eq!(service.get("/v1/views/campaign?campaign_id=cities").good()["rows"][0]["by"], "wang");
    done(&set(&service, "cities", "running", "li"));
    assert_eq!(states(&service), (json!("running"), json!(["running", "running", "running"])));
}

#[test]
fn a_change_that_comes_again_under_its_key_is_made_once() {
    let home = Home::new();
    let service = served(&home, &[]);
    let keyed = |service: &Service, id: &str, state: &str| {
        let headers = [("content-type", "application/json"), ("idempotency-key", "k-1")];
        let body = json!({ "state": state, "by": "zhang" }).to_string();
        service.ask("POST", &format!("/v1/campaigns/{id}/state"), &headers, body.as_bytes())
    };
    let first = done(&keyed(&service, "tone", "draft"));
    let again = |service: &Service| {
        let again = keyed(service, "tone", "draft").good();
        assert_eq!((&again["repeated"], &again["change_id"]), (&json!(true), &first["change_id"]));
        assert_eq!(again["epoch"], first["epoch"]);
        assert_eq!(shown(service, "tone")["history"].as_array().map(Vec::len), Some(1));
    };
    again(&service);
    keyed(&service, "tone", "closed").refused(422, "idempotency_key");
    keyed(&service, "old", "draft").refused(422, "idempotency_key");
    service.kill();
    let service = home.serve();
    again(&service);
}

#[test]
fn a_change_without_author_or_sense_is_refused_and_changes_nothing() {
    let home = Home::new();
    let service = served(&home, &[]);
    let epoch = service.get("/readyz").good()["epoch"].clone();
    for body in [
        json!({ "state": "draft" }),
        json!({ "state": "draft", "by": "" }),
        json!({ "state": "draft", "by": " \u{3000}" }),
        json!({ "state": "draft", "by": "a\nb" }),
        json!({ "state": "draft", "by": "x".repeat(501) }),
        json!({ "state": "draft", "by": "字".repeat(201) }),
        json!({ "state": "draft", "by": "zhang", "note": "a\tb" }),
        json!({ "state": "draft", "by": "zhang", "note": "x".repeat(501) }),
        json!({ "state": "Draft", "by": "zhang" }),
        json!({ "state": "draft", "by": "zhang", "at": "2009-07-01" }),
        json!({ "state": 1, "by": "zhang" }),
        json!([]),
    ] {
        service.post("/v1/campaigns/tone/state", &body).refused(400, "bad_request");
    }
    let message = set(&service, "tone", "runing", "zhang").refused(400, "bad_request");
    assert!(message.starts_with("no such state; did you mean running?"), "{message}");
    let message = set(&service, "tome", "draft", "zhang").refused(404, "not_found");
    assert_eq!(message, "no such campaign; did you mean tone?");
    assert_eq!(service.get("/v1/campaigns/tome").refused(404, "not_found"), message);
    let body = json!({ "state": "draft", "by": "zhang" }).to_string();
    let foreign = [("content-type", "application/json"), ("origin", "http://evil.example")];
    service.ask("POST", "/v1/campaigns/tone/state", &foreign, body.as_bytes()).refused(403, "origin");
    service.ask("GET", "/v1/campaigns/tone/state", &[], b"").refused(405, "method");
    service.ask("POST", "/v1/campaigns/tone", &[], b"").refused(405, "method");
    assert_eq!(service.get("/readyz").good()["epoch"], epoch);
}

/// Two campaigns with the same product have come to an end: 2 of 5 customers delivered to ordered after it.
const CONTACTS: &str = "contact_id,campaign_id,customer_id,channel_id,at,outcome,arm
k1,old,c1,sms,2009-06-10 09:00:00,delivered,
k2,old,c1,sms,2009-06-20 09:00:00,delivered,
k3,old,c2,sms,2009-06-10 09:00:00,delivered,target
k4,old,c3,sms,2009-06-10 09:00:00,failed,target
k5,old,n001,sms,2009-06-10 09:00:00,withheld,control
k6,old,n002,sms,2009-06-10 09:00:00,delivered,random
k7,older,n002,sms,2009-05-10 09:00:00,delivered,target
k8,older,n003,sms,2009-05-10 09:00:00,delivered,target
k9,older,n004,sms,2009-05-10 09:00:00,delivered,target
k0,for_tones,n005,sms,2009-05-10 09:00:00,delivered,target
";

const FEEDBACK: &str = "feedback_id,campaign_id,customer_id,kind,at
f1,old,c1,order,2009-06-10 09:00:00
f2,old,c2,order,2009-06-10 08:59:59
f3,old,n002,order,2009-06-11
f4,older,n003,order,2009-05-11
f5,older,n003,order,2009-05-12
f6,older,n004,consult,2009-05-11
f7,for_tones,n005,order,2009-05-11
";

#[test]
fn a_prediction_is_what_comparable_campaigns_brought() {
    let home = Home::new();
    let channels = "channel_id,unit_cost,daily_capacity\nsms,0.05,1000\n";
    let products = "product_id,category\npuzzles,entertainment\njokes,entertainment\n";
    let files = [
        ("contact_2009-06.csv", CONTACTS),
        ("feedback_2009-06.csv", FEEDBACK),
        ("channel_2009-06.csv", channels),
        ("product_2009-06.csv", products),
    ];
    let service = served(&home, &files);
    let prediction = |id: &str| shown(&service, id)["prediction"].clone();
    let tone = prediction("tone");
    assert_eq!(
        tone,
        json!({
            "listed": 190, "orders": 76, "rate": "0.4000", "cost": "9.50",
            "channels": [{ "channel": "sms", "listed": 190, "unit_cost": "0.05" }],
            "comparable_by": "the same product, crbt",
            "basis": [
                { "id": "old", "delivered": 2, "ordered": 1, "rate": "0.5000" },
                { "id": "older", "delivered": 3, "ordered": 1, "rate": "0.3333" },
            ],
            "says": "76 orders predicted of 190 listed: 2 of 5 with the same product, crbt, in old, older",
        })
    );
    // Nothing else has its product: the goal decides; without one the category does.
    assert_eq!(prediction("for_tones")["comparable_by"], "the same goal, tones");
    assert_eq!(prediction("for_tones")["basis"][0]["id"], "old");
    assert_eq!(prediction("games")["comparable_by"], "products of the same category, entertainment");
    assert_eq!((&prediction("games")["orders"], &prediction("games")["listed"]), (&json!(1), &json!(1)));
    let nothing = prediction("cities");
    assert_eq!(
        (&nothing["orders"], &nothing["comparable_by"], &nothing["basis"]),
        (&Value::Null, &Value::Null, &json!([]))
    );
    let says = nothing["says"].as_str().expect("a text");
    assert!(says.starts_with("nothing predicted of ") && says.ends_with(": no comparable campaign"), "{says}");
    // What was shown is kept with the state.
    let body = json!({ "state": "predicted", "by": "zhang", "note": "for July" });
    done(&service.post("/v1/campaigns/tone/state", &body));
    let note = shown(&service, "tone")["history"][0]["note"].clone();
    assert_eq!(note, format!("for July; {}", tone["says"].as_str().expect("a text")));
}

#[test]
fn what_files_bring_stands_and_its_faults_are_told() {
    let home = Home::new();
    let rows = "change_id,campaign_id,state,city,at,by,note
z1,older,running,,2009-06-01,zhang,
z2,older,draft,,2009-06-02,zhang,
z3,gone,closed,,2009-06-03,li,
z4,old,draft,,2009-06-30 23:59:59,zhang,
";
    let service = served(&home, &[("campaign_state_2009-06_2.csv", rows)]);
    let older = shown(&service, "older");
    assert_eq!(older["state"], "draft");
    let faults: Vec<&str> = older["history"]
        .as_array()
        .expect("a history")
        .iter()
        .filter_map(|change| change["irregular"].as_str())
        .collect();
    assert_eq!(faults.len(), 2, "{older}");
    assert!(faults[1].starts_with("it is running, and cannot be a draft again"), "{older}");
    // The programme does not hold it, and nobody sets it.
    let gone = shown(&service, "gone");
    assert_eq!((&gone["in_programme"], &gone["state"], &gone["plan"]), (&json!(false), &json!("closed"), &Value::Null));
    set(&service, "gone", "draft", "li").refused(404, "not_found");
    let listed = service.get("/v1/campaigns").good();
    let ids: Vec<&str> =
        listed["campaigns"].as_array().expect("campaigns").iter().filter_map(|one| one["id"].as_str()).collect();
    assert_eq!(ids, ["cities", "concert_crbt", "for_tones", "games", "gone", "old", "older", "tone"]);
    // A row of the same second that would stand over it does not: what was set last counts.
    done(&set(&service, "old", "predicted", "wang"));
    let old = shown(&service, "old");
    assert_eq!(
        (&old["state"], &old["by"], &old["since"]),
        (&json!("predicted"), &json!("wang"), &json!("2009-07-01 00:00:00"))
    );
}

#[test]
fn an_older_copy_of_the_data_does_not_let_run_what_was_closed() {
    let home = Home::new();
    let service = served(&home, &[]);
    done(&set(&service, "tone", "draft", "zhang"));
    service.stop();
    let copy = home.path().join("copy");
    let copied = Command::new("cp").arg("-a").arg(home.data()).arg(&copy).status();
    assert!(copied.expect("cp").success());
    let service = home.serve();
    let closed = done(&set(&service, "tone", "closed", "li"));
    service.kill();
    fs::remove_dir_all(home.data()).expect("removed");
    fs::rename(copy, home.data()).expect("brought back");
    let service = home.serve();
    let tone = shown(&service, "tone");
    assert_eq!((&tone["state"], &tone["history"][1]["change_id"]), (&json!("closed"), &closed["change_id"]));
    set(&service, "tone", "predicted", "zhang").refused(409, "state");
}

//! Why a customer is where he is, what a file changed, and files that are undone.

use serde_json::{Value, json};

use crate::files::province;
use crate::service::{Home, Service};

fn served(home: &Home) -> (Service, usize) {
    let files = province();
    files.iter().for_each(|(name, text)| home.land(name, text));
    let service = home.serve();
    service.settle(files.len());
    (service, files.len())
}

/// Every row behind a value.
fn rows<'v>(value: &'v Value, found: &mut Vec<&'v Value>) {
    match value {
        Value::Object(fields) => {
            found.extend(fields.get("rows").and_then(Value::as_array).into_iter().flatten());
            fields.values().for_each(|value| rows(value, found));
        }
        Value::Array(items) => items.iter().for_each(|value| rows(value, found)),
        _ => {}
    }
}

#[test]
fn a_customer_is_explained_down_to_the_line() {
    let home = Home::new();
    let (service, _) = served(&home);
    let why = service.get("/v1/customers/c1/why?tier").good();
    assert_eq!((&why["verdict"], &why["tier"]["id"], &why["as_of"]), (&json!(true), &json!("A"), &json!("2009-06")));
    assert_eq!(why["tier"]["rungs"][0]["verdict"], "true", "{why}");
    let mut behind = Vec::new();
    rows(&why, &mut behind);
    assert!(!behind.is_empty(), "{why}");
    for row in behind {
        let file = row["file"].as_str().expect("a file");
        let text = std::fs::read_to_string(home.landing().join(file)).expect("it lies there");
        let line = row["line"].as_u64().expect("a line") as usize;
        assert!(text.lines().nth(line - 1).is_some_and(|line| line.starts_with("c1,")), "{row}");
    }
    let balance = service.get("/v1/customers/c1/why?balance").good();
    assert_eq!(balance["balance"]["balance"], 66);
    let entries = balance["balance"]["entries"].as_array().expect("entries");
    assert_eq!(entries.iter().filter_map(|entry| entry["points"].as_i64()).sum::<i64>(), 66);
    let by_hand = entries.iter().find(|entry| entry["rule"] == "adjustment").expect("an adjustment");
    assert_eq!(
        (&by_hand["rows"][0]["file"], &by_hand["rows"][0]["line"]),
        (&json!("adjustment_2009-06.csv"), &json!(2))
    );
    let card = service.get("/v1/customers/c1").good();
    for segment in card["segments"].as_array().expect("segments") {
        let target = format!("/v1/customers/c1/why?segment={}", segment.as_str().expect("an id"));
        assert_eq!(service.get(&target).good()["verdict"], true, "{segment}");
    }
    let target = service.get("/v1/customers/c1/why?target=concert_crbt").good();
    assert_eq!(target["target"]["state"], "draft", "{target}");
    for (query, status, code) in [
        ("", 400, "bad_request"),
        ("?", 400, "bad_request"),
        ("?segment=", 400, "bad_request"),
        ("?tier=A", 400, "bad_request"),
        ("?tier&balance", 400, "bad_request"),
        ("?rank", 400, "bad_request"),
        ("?segment=nothing", 404, "not_found"),
        ("?target=nothing", 404, "not_found"),
    ] {
        service.get(&format!("/v1/customers/c1/why{query}")).refused(status, code);
    }
    service.get("/v1/customers/nobody/why?tier").refused(404, "not_found");
}

#[test]
fn a_file_has_a_receipt_and_is_undone_for_good() {
    let home = Home::new();
    let (service, files) = served(&home);
    let file = "adjustment_2009-06.csv";
    let receipt = service.get(&format!("/v1/files/{file}/receipt")).good();
    assert_eq!((&receipt["file"], &receipt["status"], &receipt["rows"]), (&json!(file), &json!("accepted"), &json!(1)));
    assert_eq!(receipt["receipt"]["points"], json!({ "before": "0", "after": "50" }), "{receipt}");
    service.get("/v1/files/nothing.csv/receipt").refused(404, "not_found");
    service.get("/v1/files/bill_2009-07.csv/receipt").refused(404, "no_receipt");

    let points = |service: &Service| service.get("/v1/customers/c1").good()["points"].as_i64();
    let undo = format!("/v1/files/{file}/undo");
    let tried = service.post(&format!("{undo}?dry_run=true"), &json!({})).good();
    assert_eq!((&tried["undone"], &tried["stands"], points(&service)), (&json!(false), &Value::Null, Some(66)));
    assert_eq!(tried["receipt"]["points"], json!({ "before": "66", "after": "16" }));
    assert_eq!(tried["receipt"]["views"]["points_balance"], json!({ "in": 1, "out": 1 }), "{tried}");
    let done = service.post(&undo, &json!({})).good();
    assert_eq!((&done["receipt"], points(&service)), (&tried["receipt"], Some(16)));
    service.post(&undo, &json!({})).refused(409, "not_undone");
    service.post("/v1/files/nothing.csv/undo", &json!({})).refused(404, "not_found");
    service.post("/v1/files/campaign_state_2009-06.csv/undo", &json!({})).refused(409, "not_undone");
    service.post(&format!("{undo}?dryrun=true"), &json!({})).refused(400, "bad_request");
    assert_eq!(service.get(&format!("/v1/files/{file}/receipt")).good()["status"], "undone");
    let ledger = service.get("/v1/views/ingest_ledger?feed=adjustment").good();
    assert_eq!(ledger["rows"][0]["status"], "undone", "{ledger}");
    assert_eq!(service.post("/v1/verify", &json!({})).good()["divergences"], 0);
    service.stop();

    // It lies in the landing directory still, and is read again: it stays undone.
    let service = home.serve();
    service.settle(files);
    assert_eq!(points(&service), Some(16));
    let text = "adjustment_id,customer_id,points,reason,by,at\na1,c1,7,测试,admin,2009-06-05\n";
    home.land("adjustment_2009-06.v2.csv", text);
    service.settle(files + 1);
    assert_eq!(points(&service), Some(23));
    assert_eq!(service.post("/v1/verify", &json!({})).good()["divergences"], 0);
}

//! What staff change by hand: points and lists, durable, with who asked for it and why.

use serde_json::{Value, json};

use crate::exchange::Reply;
use crate::files::province;
use crate::service::{Home, Service};

fn served(home: &Home) -> Service {
    let files = province();
    files.iter().for_each(|(name, text)| home.land(name, text));
    let service = home.serve();
    service.settle(files.len());
    service
}

#[track_caller]
fn done(reply: &Reply) -> Value {
    assert_eq!(reply.status, 201, "{}", String::from_utf8_lossy(&reply.body));
    reply.json()
}

fn adjustment(points: i64) -> Value {
    json!({ "customer_id": "c1", "points": points, "reason": "测试", "by": "zhang" })
}

fn keyed(service: &Service, target: &str, key: &str, body: &Value) -> Reply {
    let headers = [("content-type", "application/json"), ("idempotency-key", key)];
    service.ask("POST", target, &headers, body.to_string().as_bytes())
}

/// Waits until a customer's card says so.
fn card(service: &Service, id: &str, key: &str, expected: &Value) {
    service.until(&format!("/v1/customers/{id}"), |card| (card.good()[key] == *expected).then_some(()));
}

#[test]
fn an_adjustment_is_an_entry_with_who_and_why_and_outlives_the_service() {
    let home = Home::new();
    let service = served(&home);
    let first = done(&service.post("/v1/adjustments", &adjustment(-20)));
    assert_eq!((&first["rows"], &first["outranked"]), (&json!(1), &json!(0)));
    let second = done(&service.post("/v1/adjustments", &adjustment(4)));
    assert!(second["epoch"].as_u64() > first["epoch"].as_u64() && second["part"].as_str() > first["part"].as_str());
    card(&service, "c1", "points", &json!(50));
    service.kill();
    let service = home.serve();
    card(&service, "c1", "points", &json!(50));
    let id = first["adjustment_id"].as_str().expect("an id");
    let entry = service.get(&format!("/v1/views/points_entry?customer_id=c1&entry_id={id}")).good();
    assert_eq!((&entry["rows"][0]["rule"], &entry["rows"][0]["points"]), (&json!("adjustment"), &json!(-20)));
    let part = first["part"].as_str().expect("a part");
    let ledger = service.get(&format!("/v1/views/ingest_ledger?feed=adjustment&part={part}")).good();
    assert_eq!((&ledger["rows"][0]["status"], &ledger["rows"][0]["rows"]), (&json!("accepted"), &json!(1)));
    // Numbers of a day go on where they were.
    assert!(done(&service.post("/v1/adjustments", &adjustment(1)))["part"].as_str() > second["part"].as_str());
    assert_eq!(service.post("/v1/verify", &json!({})).good()["divergences"], 0);
}

#[test]
fn what_comes_again_under_its_key_is_done_once() {
    let home = Home::new();
    let service = served(&home);
    let first = done(&keyed(&service, "/v1/adjustments", "k-1", &adjustment(10)));
    let again = |service: &Service| {
        let again = keyed(service, "/v1/adjustments", "k-1", &adjustment(10)).good();
        assert_eq!((&again["repeated"], &again["adjustment_id"]), (&json!(true), &first["adjustment_id"]));
        assert_eq!((&again["epoch"], &again["rows"]), (&first["epoch"], &first["rows"]));
    };
    again(&service);
    keyed(&service, "/v1/adjustments", "k-1", &adjustment(11)).refused(422, "idempotency_key");
    // Another list is another edit, and so is a list of no changes that comes again later.
    let add = json!({ "op": "add", "customers": ["c2"], "reason": "x", "by": "y" });
    done(&keyed(&service, "/v1/lists/a", "k-1", &add));
    keyed(&service, "/v1/lists/b", "k-1", &add).refused(422, "idempotency_key");
    let nothing = json!({ "op": "remove", "customers": ["c3"], "reason": "x", "by": "y" });
    assert_eq!(done(&keyed(&service, "/v1/lists/a", "k-2", &nothing))["rows"], 0);
    service.kill();
    let service = home.serve();
    again(&service);
    done(&service.post("/v1/lists/a", &json!({ "op": "add", "customers": ["c3"], "reason": "x", "by": "y" })));
    assert_eq!(keyed(&service, "/v1/lists/a", "k-2", &nothing).good()["repeated"], true);
    card(&service, "c3", "lists", &json!(["a"]));
    card(&service, "c1", "points", &json!(76));
    for key in ["", "a b", &"k".repeat(129), "钥"] {
        keyed(&service, "/v1/adjustments", key, &adjustment(1)).refused(400, "bad_request");
    }
}

#[test]
fn an_edit_without_author_or_reason_or_sense_is_refused_and_changes_nothing() {
    let home = Home::new();
    let service = served(&home);
    let epoch = service.get("/readyz").good()["epoch"].clone();
    let with = |key: &str, value: Value| {
        let mut body = adjustment(1);
        body[key] = value;
        body
    };
    for (key, value) in [
        ("reason", Value::Null),
        ("reason", json!("")),
        ("reason", json!(" \u{3000} ")),
        ("reason", json!("two\nlines")),
        ("reason", json!("x".repeat(501))),
        ("by", Value::Null),
        ("by", json!("")),
        ("points", json!("5")),
        ("points", json!(1.5)),
        ("points", json!(1_000_000_000_000_i64)),
        ("at", json!("soon")),
        ("at", json!("2999-01-01")),
        ("ponits", json!(5)),
    ] {
        service.post("/v1/adjustments", &with(key, value)).refused(400, "bad_request");
    }
    let message = service.post("/v1/adjustments", &with("customer_id", json!("nobody"))).refused(404, "not_found");
    assert_eq!(message, "no customer of that id; nothing was changed");
    for body in [
        json!({ "op": "add", "customers": [], "reason": "x", "by": "y" }),
        json!({ "op": "clear", "customers": ["c1"], "reason": "x", "by": "y" }),
        json!({ "op": "drop", "customers": ["c1"], "reason": "x", "by": "y" }),
        json!({ "op": "add", "customers": ["c1"], "by": "y" }),
        json!({ "op": "add", "customers": ["c1"], "reason": "x", "by": "y", "from": "2009-07-02", "until": "2009-07-02" }),
        json!({ "op": "remove", "customers": ["c1"], "reason": "x", "by": "y", "until": "2009-07-02" }),
        json!({ "op": "add", "customers": ["c1"], "reason": "x", "by": "y", "from": "never" }),
        json!([]),
    ] {
        service.post("/v1/lists/vip", &body).refused(400, "bad_request");
    }
    let add = json!({ "op": "add", "customers": ["c1", "nobody"], "reason": "x", "by": "y" });
    let reply = service.post("/v1/lists/vip", &add);
    reply.refused(404, "not_found");
    assert_eq!(reply.json()["unknown"], json!(["nobody"]));
    for op in ["remove", "clear"] {
        let customers = if op == "clear" { json!([]) } else { json!(["c1"]) };
        let body = json!({ "op": op, "customers": customers, "reason": "x", "by": "y" });
        service.post("/v1/lists/vpi", &body).refused(404, "not_found");
    }
    // As with every write: no page of another site, and JSON only.
    let body = adjustment(1).to_string();
    let foreign = [("content-type", "application/json"), ("origin", "http://evil.example")];
    for target in ["/v1/adjustments", "/v1/lists/vip"] {
        service.ask("POST", target, &foreign, body.as_bytes()).refused(403, "origin");
        service.ask("POST", target, &[("content-type", "text/plain")], body.as_bytes()).refused(415, "content_type");
        service.ask("GET", target, &[], b"").refused(405, "method");
    }
    assert_eq!(service.get("/readyz").good()["epoch"], epoch);
}

#[test]
fn lists_are_edited_from_now_on() {
    let home = Home::new();
    let service = served(&home);
    let edit = |op: &str, customers: Value| {
        let body = json!({ "op": op, "customers": customers, "reason": "测试", "by": "zhang" });
        done(&service.post("/v1/lists/registration", &body))
    };
    // c1 has registered and stays a member: the list bars from now on.
    assert_eq!(edit("add", json!(["c1", "c2", "c2"]))["rows"], 2);
    card(&service, "c1", "lists", &json!(["vip", "registration"]));
    card(&service, "c1", "member", &json!(true));
    // Who is on it already is left as he is.
    assert_eq!(edit("add", json!(["c1", "c3"]))["rows"], 1);
    assert_eq!(edit("remove", json!(["c2", "n001"]))["rows"], 1);
    card(&service, "c2", "lists", &json!([]));
    card(&service, "c3", "lists", &json!(["registration"]));
    // Two come for two who stay: nothing shrinks.
    assert_eq!(edit("replace", json!(["c1", "c3", "n001", "n002"]))["rows"], 2);
    card(&service, "n002", "lists", &json!(["registration"]));
    assert_eq!(service.post("/v1/verify", &json!({})).good()["divergences"], 0);
    service.kill();
    let service = home.serve();
    card(&service, "n002", "lists", &json!(["registration"]));
    card(&service, "c2", "lists", &json!([]));
}

#[test]
fn what_takes_more_than_a_fifth_off_a_list_waits_for_a_person() {
    let home = Home::new();
    let service = served(&home);
    let body = |op: &str, customers: &[&str], confirm: Option<(u64, u64)>| {
        let mut body = json!({ "op": op, "customers": customers, "reason": "x", "by": "y" });
        if let Some((before, after)) = confirm {
            body["confirm"] = json!({ "before": before, "after": after });
        }
        body
    };
    let post = |body: Value| service.post("/v1/lists/five", &body);
    let five = ["c1", "c2", "c3", "n001", "n002"];
    done(&post(body("replace", &five, None)));
    // A fifth goes; then more than that.
    assert_eq!(done(&post(body("replace", &five[1..], None)))["rows"], 1);
    assert_eq!(done(&post(body("replace", &["c1", "c2", "c3", "n001"], None)))["rows"], 2);
    for (op, customers, after) in [("replace", &["c2", "c3"][..], 2), ("clear", &[], 0)] {
        let reply = post(body(op, customers, None));
        let message = reply.refused(409, "held");
        assert!(message.contains(&format!("it would leave {after} of 4 on the list")), "{message}");
        assert_eq!((&reply.json()["before"], &reply.json()["after"]), (&json!(4), &json!(after)));
        post(body(op, customers, Some((5, after)))).refused(409, "held");
    }
    card(&service, "c1", "lists", &json!(["vip", "five"]));
    assert_eq!(done(&post(body("clear", &[], Some((4, 0)))))["rows"], 4);
    card(&service, "c1", "lists", &json!(["vip"]));
    // Removing by name is what a person does one by one.
    done(&post(body("add", &["c1", "c2"], None)));
    assert_eq!(done(&post(body("remove", &["c1", "c2"], None)))["rows"], 2);
}

#[test]
fn an_edit_that_a_file_of_a_later_period_outranks_says_so() {
    let home = Home::new();
    let service = served(&home);
    // The province's list is of the period "vip", which orders after every day.
    let remove = json!({ "op": "remove", "customers": ["c1"], "reason": "x", "by": "y" });
    let told = done(&service.post("/v1/lists/vip", &remove));
    assert_eq!((&told["rows"], &told["outranked"]), (&json!(1), &json!(1)));
    assert_eq!(service.get("/v1/customers/c1").good()["lists"], json!(["vip"]));
}

//! Rows that are delivered over HTTP, pages of views, texts that staff keep, and the document of what may be asked.

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

fn deliver(service: &Service, feed: &str, key: Option<&str>, body: &str) -> Reply {
    let mut headers = vec![("content-type", "application/x-ndjson")];
    headers.extend(key.map(|key| ("idempotency-key", key)));
    service.ask("POST", &format!("/v1/feeds/{feed}/batch"), &headers, body.as_bytes())
}

#[test]
fn a_batch_is_taken_whole_and_durable_when_it_is_answered() {
    let home = Home::new();
    let service = served(&home);
    let orders = "{\"order_id\":\"h1\",\"customer_id\":\"n001\",\"product_id\":\"crbt\",\"action\":\"subscribe\",\"at\":\"2009-06-20\",\"colour\":\"red\"}\n\
                  {\"order_id\":\"h2\",\"customer_id\":\"n002\",\"product_id\":\"crbt\",\"action\":\"subscribe\",\"at\":\"2009-06-20\",\"bundled\":true}\n";
    let reply = deliver(&service, "order", Some("k1"), orders);
    assert_eq!(reply.status, 202, "{}", reply.text());
    let told = reply.json();
    assert_eq!((&told["rows"], &told["unknown"]), (&json!(2), &json!(["colour"])));
    let epoch = reply.header("cohortflow-after").expect("the epoch").to_owned();
    assert_eq!(told["epoch"].to_string(), epoch);
    // Whoever says so sees it.
    let card = service.ask("GET", "/v1/customers/n001", &[("cohortflow-after", &epoch)], b"").good();
    assert_eq!(card["holds"], json!(["crbt"]));
    // The same again is no more; another thing under its key is refused.
    let again = deliver(&service, "order", Some("k1"), orders);
    assert_eq!((again.status, &again.json()["repeated"]), (200, &json!(true)));
    let other = orders.replace("n002", "n003");
    deliver(&service, "order", Some("k1"), &other).refused(422, "idempotency_key");
    // One bad row, and none is taken; what is wrong is told by line and column.
    let bad = orders
        .replace("h1", "h3")
        .replace("h2", "h4")
        .replace("subscribe\",\"at\":\"2009-06-20\",\"bundled", "buy\",\"at\":\"2009-06-20\",\"bundled");
    let why = deliver(&service, "order", None, &bad).refused(422, "rows");
    assert!(why.contains("action") && why.contains("nothing was taken"), "{why}");
    let why = deliver(&service, "order", None, "{\"order_id\":\"h5\"\n").refused(422, "rows");
    assert!(why.starts_with("line 1:"), "{why}");
    deliver(&service, "order", None, "{\"_op\":\"delete\",\"order_id\":\"h1\"}").refused(422, "rows");
    let why = deliver(&service, "ordr", None, orders).refused(404, "not_found");
    assert!(why.contains("did you mean order?"), "{why}");
    deliver(&service, "bill", None, "{}").refused(409, "bills");
    deliver(&service, "handoff", None, "{}").refused(404, "not_found");
    let as_json = [("content-type", "application/json")];
    service.ask("POST", "/v1/feeds/order/batch", &as_json, orders.as_bytes()).refused(415, "content_type");
    // A batch is an upsert: the later one's row stands.
    let later = "{\"order_id\":\"h1\",\"customer_id\":\"n001\",\"product_id\":\"crbt\",\"action\":\"cancel\",\"at\":\"2009-06-20\"}";
    let epoch = deliver(&service, "order", None, later).json()["epoch"].to_string();
    let after = [("cohortflow-after", epoch.as_str())];
    assert_eq!(service.ask("GET", "/v1/customers/n001", &after, b"").good()["holds"], json!([]));
    // It is there after a kill.
    service.kill();
    let service = home.serve();
    let found = |reply: &Reply| (reply.status == 200).then(|| reply.json());
    let card = service.until("/v1/customers/n002", found);
    assert_eq!(card["holds"], json!(["crbt"]));
    let again = deliver(&service, "order", Some("k1"), orders);
    assert_eq!((again.status, &again.json()["repeated"]), (200, &json!(true)));
    service.ask("GET", "/v1/views", &[("cohortflow-after", "1000000")], b"").refused(409, "no_epoch");
    service.ask("GET", "/v1/views", &[("cohortflow-after", "soon")], b"").refused(400, "bad_request");
}

#[test]
fn pages_of_a_cursor_are_of_one_epoch_and_hold_each_row_once() {
    let home = Home::new();
    let service = served(&home);
    let whole = service.get("/v1/views/tier?limit=100000").good()["rows"].as_array().expect("rows").clone();
    let first = service.get("/v1/views/tier?limit=70").good();
    let mut rows = first["rows"].as_array().expect("rows").clone();
    // Between two pages somebody leaves the first: no row is skipped for it.
    let text = "customer_id,city,status\na000,广州,active\n";
    home.land("customer_2009-05_9.csv", text);
    service.settle(province().len() + 1);
    let mut cursor = first["cursor"].clone();
    while let Some(name) = cursor.as_str() {
        let page = service.get(&format!("/v1/views/tier?cursor={name}")).good();
        // An answer that was lost is asked for again.
        assert_eq!(service.get(&format!("/v1/views/tier?cursor={name}")).good()["rows"], page["rows"]);
        assert_eq!(page["epoch"], first["epoch"]);
        rows.extend(page["rows"].as_array().expect("rows").clone());
        cursor = page["cursor"].clone();
    }
    assert_eq!(rows, whole);
    service.get("/v1/views/tier?cursor=no-such").refused(410, "cursor");
    let name = first["cursor"].as_str().expect("a cursor");
    service.get(&format!("/v1/views/customer_attribute?cursor={name}")).refused(410, "cursor");
    service.get(&format!("/v1/views/tier?cursor={name}&tier=A")).refused(400, "bad_request");
}

#[test]
fn a_view_is_told_whole_in_lines_of_json() {
    let home = Home::new();
    let service = served(&home);
    let pages = service.get("/v1/views/points_balance?limit=100000").good();
    let reply = service.get("/v1/views/points_balance?format=ndjson");
    assert_eq!(reply.header("content-type"), Some("application/x-ndjson"));
    let lines: Vec<Value> = reply.text().lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!(json!(lines), pages["rows"]);
    service.get("/v1/views/tier?format=xml").refused(400, "bad_request");
}

#[cfg(feature = "sql")]
#[test]
fn a_view_is_told_whole_in_arrow() {
    let home = Home::new();
    let service = served(&home);
    let count = service.get("/v1/views/customer_attribute?limit=100000").good()["rows"].as_array().expect("rows").len();
    let reply = service.get("/v1/views/customer_attribute?format=arrow");
    let mut reader = arrow::ipc::reader::StreamReader::try_new(&*reply.body, None).expect("a stream");
    assert_eq!(reader.schema().field(3).name(), "avg_fee");
    assert_eq!(reader.by_ref().map(|batch| batch.expect("rows").num_rows()).sum::<usize>(), count);
}

#[test]
fn a_card_tells_what_to_offer_and_what_not_and_why() {
    let home = Home::new();
    let service = served(&home);
    let card = service.get("/v1/customers/c2?offers=true").good();
    let offered: Vec<&Value> =
        card["offers"].as_array().expect("offers").iter().map(|offer| &offer["product_id"]).collect();
    assert!(
        offered.iter().any(|product| **product == "mms") && !offered.iter().any(|product| **product == "crbt"),
        "{card}"
    );
    assert!(
        card["not_offered"].as_array().expect("some").contains(&json!({ "product_id": "crbt", "why": "held" })),
        "{card}"
    );
    let new = service.get("/v1/customers/n000?offers=true").good();
    let crbt =
        new["offers"].as_array().expect("offers").iter().find(|offer| offer["product_id"] == "crbt").expect("an offer");
    assert_eq!(crbt["selling_point"], "Callers hear your song and not a tone.", "{new}");
    assert_eq!(service.get("/v1/customers/c2").good().get("offers"), None);
}

#[test]
fn texts_are_kept_with_what_they_were() {
    let home = Home::new();
    let service = home.serve();
    let put = |kind: &str, id: &str, body: Value| service.post(&format!("/v1/texts/{kind}/{id}"), &body);
    let made = put("notices", "spring", json!({ "title": "Spring", "from": "2026-03-01", "until": "2026-04-01" }));
    assert_eq!((made.status, &made.json()["now"]["version"]), (201, &json!(1)));
    let changed = put("notices", "spring", json!({ "title": "Spring!", "version": 1 }));
    assert_eq!((changed.status, &changed.json()["earlier"][0]["title"]), (200, &json!("Spring")));
    put("notices", "spring", json!({ "title": "late", "version": 1 })).refused(409, "version");
    put("notices", "a%20b", json!({ "title": "x" })).refused(400, "bad_request");
    put("letters", "a", json!({ "title": "x" })).refused(404, "not_found");
    put("topics", "coverage", json!({ "title": "Coverage", "from": "2026-03-01" }));
    let on =
        |day: &str| service.get(&format!("/v1/texts/topics?on={day}")).good()["texts"].as_array().expect("texts").len();
    assert_eq!((on("2026-02-28"), on("2026-03-01")), (0, 1));
    service.get("/v1/texts/topics?on=today").refused(400, "bad_request");
    service.stop();
    let service = home.serve();
    assert_eq!(service.get("/v1/texts/notices/spring").good()["now"]["title"], "Spring!");
    assert_eq!(service.ask("DELETE", "/v1/texts/notices/spring", &[], b"").status, 200);
    service.get("/v1/texts/notices/spring").refused(404, "not_found");
}

#[test]
fn what_may_be_asked_is_told_of_every_route() {
    let home = Home::new();
    let service = home.serve();
    let document = service.get("/v1/openapi.json").good();
    assert_eq!(document["openapi"], "3.1.0");
    let agreed = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/policy.txt")).expect("the matrix");
    let mut routes = 0;
    for line in agreed.lines().filter(|line| !line.starts_with([' ', '#'])) {
        let (method, path) = line.split_once(' ').expect("a method and a path");
        let operation = &document["paths"][path][method.to_ascii_lowercase()];
        assert!(operation["summary"].as_str().is_some_and(|summary| !summary.is_empty()), "{line}: {operation}");
        let named = operation["parameters"].as_array().expect("parameters");
        for part in path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}')) {
            assert!(named.iter().any(|of| of["name"] == part && of["in"] == "path"), "{line}");
        }
        routes += 1;
    }
    assert!(routes > 50, "{routes}");
    // What a body is to hold is what the service reads.
    let schema = &document["components"]["schemas"]["Adjustment"];
    assert_eq!(schema["required"], json!(["customer_id", "points", "reason"]), "{schema}");
    let told = document.to_string();
    let reference = told.matches("\"$ref\":\"").count();
    assert!(reference > 20, "{reference}");
    for part in told.split("\"$ref\":\"#/components/schemas/").skip(1) {
        let name = part.split('"').next().expect("a name");
        assert!(document["components"]["schemas"].get(name).is_some(), "{name} is told nowhere");
    }
}

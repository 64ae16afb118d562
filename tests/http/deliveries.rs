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
    let why = deliver(&service, "order", None, "{\"_op\":\"take\",\"order_id\":\"h1\"}").refused(422, "rows");
    assert!(why.contains("_op is upsert or delete"), "{why}");
    let why = deliver(&service, "ordr", None, orders).refused(404, "not_found");
    assert!(why.contains("did you mean order?"), "{why}");
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

/// What a card says once an answer's epoch is visible.
fn card(service: &Service, customer: &str, told: &Reply) -> Value {
    let epoch = told.json()["epoch"].to_string();
    service.ask("GET", &format!("/v1/customers/{customer}"), &[("cohortflow-after", &epoch)], b"").good()
}

#[test]
fn a_row_is_deleted_by_its_key_and_comes_back_by_a_later_one() {
    let home = Home::new();
    let service = served(&home);
    // c1 subscribed to crbt by a file.
    let delete =
        "{\"_op\":\"delete\",\"order_id\":\"o1\"}\n{\"_op\":\"delete\",\"order_id\":\"no-such\",\"at\":\"soon\"}\n";
    let gone = deliver(&service, "order", Some("d1"), delete);
    assert_eq!((gone.status, &gone.json()["rows"]), (202, &json!(2)), "{}", gone.text());
    assert_eq!(card(&service, "c1", &gone)["holds"], json!(["mms"]));
    let told = gone.json();
    let (period, part) = (told["period"].as_str().expect("a day"), told["part"].as_str().expect("a number"));
    let entry = format!("/v1/views/ingest_ledger?feed=order&period={period}&part={part}");
    let ledger = service.get(&entry).good()["rows"][0].clone();
    assert_eq!((&ledger["rows"], &ledger["bad_rows"], &ledger["status"]), (&json!(2), &json!(0), &json!("accepted")));
    // What names it is no row, and so nothing stands behind what it took away.
    let why = service.get("/v1/customers/c1/why?segment=no-such");
    assert_eq!(why.status, 404);
    // The same again is no more, and a file of it that comes later stays hidden.
    let again = deliver(&service, "order", Some("d1"), delete);
    assert_eq!((again.status, &again.json()["repeated"], &again.json()["rows"]), (200, &json!(true), &json!(2)));
    let late = "order_id,customer_id,product_id,action,at\no1,c1,crbt,subscribe,2009-06-03\nno-such,c1,email,subscribe,2009-06-03\n";
    home.land("order_2009-07.csv", late);
    let files = province().len() + 2;
    service.settle(files);
    assert_eq!(service.get("/v1/customers/c1").good()["holds"], json!(["mms"]));
    // A key twice, and half a key.
    let why = deliver(&service, "order", None, &format!("{delete}{delete}")).refused(422, "rows");
    assert!(why.contains("order_id: key repeated") && why.contains("nothing was taken"), "{why}");
    let why = deliver(&service, "score", None, "{\"_op\":\"delete\",\"customer_id\":\"c1\"}").refused(422, "rows");
    assert!(why.contains("model: must not be empty"), "{why}");
    service.kill();
    let service = home.serve();
    let holds = service.until("/v1/customers/c1", |reply| (reply.status == 200).then(|| reply.json()["holds"].clone()));
    assert_eq!(holds, json!(["mms"]));
    let again = deliver(&service, "order", Some("d1"), delete);
    assert_eq!((again.status, &again.json()["repeated"]), (200, &json!(true)));
    let back = "{\"order_id\":\"o1\",\"customer_id\":\"c1\",\"product_id\":\"crbt\",\"action\":\"subscribe\",\"at\":\"2009-06-04\"}";
    let back = deliver(&service, "order", None, back);
    assert_eq!(card(&service, "c1", &back)["holds"], json!(["crbt", "mms"]));
    assert_eq!(service.post("/v1/verify", &json!({})).good()["divergences"], 0);
}

#[test]
fn a_batch_that_deletes_is_undone_as_a_file_is() {
    let home = Home::new();
    let service = served(&home);
    let city = |reply: &Reply| card(&service, "c2", reply)["attributes"]["city"].clone();
    for key in [None, Some("u1")] {
        let body = "{\"_op\":\"delete\",\"customer_id\":\"c2\"}";
        let gone = deliver(&service, "customer", key, body);
        assert_eq!((gone.status, city(&gone)), (202, Value::Null), "{}", gone.text());
        let file = gone.json()["file"].as_str().expect("a name").to_owned();
        let undone = service.post(&format!("/v1/files/{file}/undo"), &json!({}));
        assert_eq!(undone.good()["rows"], json!({ "before": 1, "after": 0 }));
        assert_eq!(city(&undone), json!("深圳"));
        // It stays undone where it comes again.
        if key.is_some() {
            let again = deliver(&service, "customer", key, body);
            assert_eq!((again.status, &again.json()["file"]), (200, &json!(file)));
            assert_eq!(city(&undone), json!("深圳"));
        }
    }
}

#[test]
fn bills_are_delivered_by_month() {
    let home = Home::new();
    let service = served(&home);
    let row = |id: &str, month: &str, fee: &str| {
        format!("{{\"customer_id\":\"{id}\",\"month\":\"{month}\",\"total_fee\":\"{fee}\"}}\n")
    };
    let as_of = |reply: &Reply| {
        let epoch = reply.json()["epoch"].to_string();
        let after = [("cohortflow-after", epoch.as_str())];
        let target = "/v1/views/customer_attribute?customer_id=c1";
        let told = service.ask("GET", target, &after, b"").good()["rows"][0].clone();
        (told["as_of"].as_str().map(str::to_owned), told["last_fee"].as_str().map(str::to_owned))
    };
    let is = |month: &str, fee: &str| (Some(month.to_owned()), Some(fee.to_owned()));
    // The province's bills go to June; what came of July was refused.
    let june = deliver(&service, "bill", None, &row("c1", "2009-06", "7.5"));
    assert_eq!(
        (june.status, &june.json()["period"], &june.json()["part"]),
        (202, &json!("2009-06"), &json!("z00000001"))
    );
    assert_eq!(as_of(&june), is("2009-06", "7.50"));
    let july = deliver(&service, "bill", Some("b1"), &(row("c1", "2009-07", "8") + &row("c2", "2009-07", "9")));
    assert_eq!(as_of(&july), is("2009-07", "8.00"));
    let again = deliver(&service, "bill", Some("b1"), &(row("c1", "2009-07", "8") + &row("c2", "2009-07", "9")));
    assert_eq!((again.status, &again.json()["period"]), (200, &json!("2009-07")));
    let mixed = row("c1", "2009-07", "8") + &row("c1", "2009-08", "8");
    let why = deliver(&service, "bill", None, &mixed).refused(422, "rows");
    assert!(why.starts_with("line 2: its month is not that of line 1"), "{why}");
    deliver(&service, "bill", None, &row("c1", "July", "8")).refused(422, "rows");
    let delete = "{\"_op\":\"delete\",\"customer_id\":\"c1\",\"month\":\"2009-06\"}";
    let gone = deliver(&service, "bill", None, delete);
    assert_eq!((gone.status, &gone.json()["part"]), (202, &json!("z00000002")));
    let epoch = gone.json()["epoch"].to_string();
    let target = "/v1/views/customer_attribute?customer_id=c1";
    let row = service.ask("GET", target, &[("cohortflow-after", &epoch)], b"").good()["rows"][0].clone();
    assert_eq!((&row["months_billed"], &row["as_of"]), (&json!(2), &json!("2009-07")), "{row}");
    assert_eq!(service.post("/v1/verify", &json!({})).good()["divergences"], 0);
}

#[test]
fn what_takes_more_than_a_fifth_off_a_list_waits_for_its_numbers() {
    let home = Home::new();
    let service = served(&home);
    // What a file of a greater period says stands, and that is told.
    let outranked =
        deliver(&service, "listing", None, "{\"_op\":\"delete\",\"list_id\":\"vip\",\"customer_id\":\"c1\"}");
    assert_eq!((outranked.status, &outranked.json()["outranked"]), (202, &json!(1)), "{}", outranked.text());
    assert_eq!(card(&service, "c1", &outranked)["lists"], json!(["vip"]));
    home.land("listing_2009-06.csv", "list_id,customer_id\nquiet,c1\nquiet,c2\n");
    service.settle(province().len() + 2);
    let delete = "{\"_op\":\"delete\",\"list_id\":\"quiet\",\"customer_id\":\"c1\"}";
    let reply = deliver(&service, "listing", Some("v1"), delete);
    let why = reply.refused(409, "held");
    assert!(why.contains("1 of 2") && why.contains("?before=2&after=1"), "{why}");
    assert_eq!((&reply.json()["before"], &reply.json()["after"]), (&json!(2), &json!(1)));
    assert_eq!(service.get("/v1/customers/c1").good()["lists"], json!(["vip", "quiet"]));
    let confirmed = |query: &str| {
        let headers = [("content-type", "application/x-ndjson"), ("idempotency-key", "v1")];
        service.ask("POST", &format!("/v1/feeds/listing/batch?{query}"), &headers, delete.as_bytes())
    };
    confirmed("before=3&after=2").refused(409, "held");
    confirmed("before=many").refused(400, "bad_request");
    let taken = confirmed("before=2&after=1");
    assert_eq!(taken.status, 202, "{}", taken.text());
    assert_eq!(card(&service, "c1", &taken)["lists"], json!(["vip"]));
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

//! Orders by reply: durable, made once, given out once, and refused with the reply of what keeps the customer.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use serde_json::{Value, json};

use crate::exchange::Reply;
use crate::full::ALL_OF_IT;
use crate::service::{Home, Service};

const PROGRAMME: &str = r#"
[[restriction]]
id = "owes"
list = "arrears"
code = "R17"
text = "Please pay your bill first."
link = "http://m.example/pay"

[[restriction]]
id = "minor"
list = "minors"
text = "Ask your parents."

[[pack]]
id = "music"
products = ["crbt", "radio"]

[[campaign]]
id = "spring"
audience = "true"
product = "crbt"
channels = ["sms"]

[[campaign]]
id = "songs"
audience = "true"
pack = "music"
channels = ["sms"]

[[campaign]]
id = "survey"
audience = "true"
channels = ["sms"]

[[content]]
campaign = "spring"
channel = "sms"
text = "Ringback tones: reply Y"
link = "http://m.example/y"
"#;

/// Customers c1 to c6, each with a contact k1 to k6 of the campaign spring; c1's terminal opens links.
pub struct Town {
    pub home: Home,
    programme: PathBuf,
    files: usize,
}

impl Town {
    pub fn new(programme: &str) -> Town {
        let home = Home::new();
        let path = home.path().join("programme.toml");
        fs::write(&path, programme).expect("written");
        let customers: String = (1..7).map(|ix| format!("c{ix},138000000{ix:02},Dalian\n")).collect();
        home.land("customer_2009-07.csv", format!("customer_id,msisdn,city\n{customers}"));
        home.land("terminal_2009-07.csv", "customer_id,seen_on,supports\nc1,2009-07-01,wap\n");
        home.land("product_2009-07.csv", "product_id,requires,value\ncrbt,,50\nradio,,40\nportal,wap,90\n");
        let contacts: String = (1..7)
            .map(|ix| format!("k{ix},spring,c{ix},sms,2009-07-01 12:00:00,delivered\n"))
            .chain(["m2,songs,c2,sms,2009-07-01 13:00:00,delivered\n".to_owned()])
            .chain(["v2,survey,c2,sms,2009-07-01 13:00:00,delivered\n".to_owned()])
            .chain(["w3,songs,c3,sms,2009-07-01 13:00:00,withheld\n".to_owned()])
            .collect();
        home.land(
            "contact_2009-07.csv",
            format!("contact_id,campaign_id,customer_id,channel_id,at,outcome\n{contacts}"),
        );
        home.land("listing_2009-07.csv", "list_id,customer_id\narrears,c1\narrears,c3\nminors,c3\n");
        home.land(
            "order_2009-07.csv",
            "order_id,customer_id,product_id,action,at\no1,c5,crbt,subscribe,2009-07-01 09:00:00\n",
        );
        Town { home, programme: path, files: 6 }
    }

    /// The service on a disk that is full.
    fn serve_full(&self) -> Service {
        let programme = self.programme.to_str().expect("a path");
        self.home.serve_with(&["--programme", programme, "--reserve", ALL_OF_IT])
    }

    pub fn serve(&self) -> Service {
        let service = self.home.serve_with(&["--programme", self.programme.to_str().expect("a path")]);
        service.until("/readyz", |reply| (reply.status == 200).then_some(()));
        service
    }

    pub fn served(&self) -> Service {
        self.served_with(0)
    }

    /// The same with so many files more.
    pub fn served_with(&self, files: usize) -> Service {
        let service = self.serve();
        service.settle(self.files + files);
        service
    }

    /// The service on data that holds none of what was done before, until the files that landed are taken again.
    fn served_again(&self) -> Service {
        let service = self.serve();
        service.until("/v1/views/ingest_ledger?feed=customer", |reply| {
            (reply.good()["rows"].as_array().map(Vec::len) == Some(1)).then_some(())
        });
        service
    }

    fn batches(&self) -> BTreeSet<PathBuf> {
        let directory = self.home.path().join("data.outbox/provisioning");
        let entries = fs::read_dir(directory).expect("a directory").map(|entry| entry.expect("an entry").path());
        entries.filter(|path| path.is_file()).collect()
    }
}

pub fn keyed(service: &Service, target: &str, key: &str, body: &Value) -> Reply {
    let headers = [("content-type", "application/json"), ("idempotency-key", key)];
    service.ask("POST", target, &headers, body.to_string().as_bytes())
}

#[track_caller]
pub fn made(reply: &Reply) -> Value {
    assert_eq!(reply.status, 201, "{}", String::from_utf8_lossy(&reply.body));
    reply.json()
}

fn reply(service: &Service, customer: &str, text: &str, contact: &str) -> Reply {
    let body = json!({ "customer_id": customer, "text": text, "contact_id": contact, "by": "gateway" });
    service.post("/v1/replies", &body)
}

/// The requests of a customer: product, state, code.
fn requests(service: &Service, customer: &str) -> Vec<[Value; 3]> {
    let rows = service.get(&format!("/v1/views/order_request?customer_id={customer}")).good();
    let rows = rows["rows"].as_array().expect("rows").clone();
    rows.into_iter().map(|row| [row["product_id"].clone(), row["state"].clone(), row["code"].clone()]).collect()
}

fn rows(service: &Service, view: &str) -> usize {
    service.get(&format!("/v1/views/{view}")).good()["rows"].as_array().expect("rows").len()
}

fn batch(service: &Service) -> Value {
    service.post("/v1/provisioning/batch", &json!({})).good()
}

fn answer(service: &Service, request: &Value, state: &str) -> Value {
    let body = json!([{ "request_id": request, "state": state, "text": "Enjoy!" }]);
    let reply = service.post("/v1/provisioning/answers", &body);
    assert!(reply.status < 300, "{reply:?}");
    reply.json()["answers"][0]["result"].clone()
}

#[test]
fn a_contact_makes_one_request_however_often_the_reply_comes() {
    let town = Town::new(PROGRAMME);
    let service = town.served();
    let first = made(&reply(&service, "c2", "Y", "k2"));
    assert_eq!((&first["state"], &first["product_id"]), (&json!("requested"), &json!("crbt")));
    assert_eq!((&first["campaign_id"], &first["channel_id"]), (&json!("spring"), &json!("sms")));
    let again = reply(&service, "c2", "yes", "k2").good();
    assert_eq!((&again["request_id"], &again["repeated"]), (&first["request_id"], &json!(true)));
    // By the campaign its latest contact is meant, which is the same.
    let body = json!({ "customer_id": "c2", "text": "是", "campaign_id": "spring", "by": "gateway" });
    assert_eq!(keyed(&service, "/v1/replies", "a", &body).good()["request_id"], first["request_id"]);
    // Under a key, from another customer.
    let body = json!({ "customer_id": "c4", "text": "1", "contact_id": "k4", "by": "gateway" });
    let other = made(&keyed(&service, "/v1/replies", "b", &body));
    assert_eq!(keyed(&service, "/v1/replies", "b", &body).good()["request_id"], other["request_id"]);
    let changed = json!({ "customer_id": "c4", "text": "N", "contact_id": "k4", "by": "gateway" });
    keyed(&service, "/v1/replies", "b", &changed).refused(422, "idempotency_key");
    let stop = json!({ "customer_id": "c4", "text": "STOP", "contact_id": "k4", "by": "gateway" });
    keyed(&service, "/v1/replies", "b", &stop).refused(422, "idempotency_key");
    service.kill();
    let service = town.serve();
    assert_eq!(reply(&service, "c2", "Y", "k2").good()["request_id"], first["request_id"]);
    assert_eq!(keyed(&service, "/v1/replies", "b", &body).good()["request_id"], other["request_id"]);
    assert_eq!(rows(&service, "order_request"), 2);
    assert_eq!(service.post("/v1/verify", &json!({})).good()["divergences"], 0);
}

#[test]
fn a_pack_orders_what_it_has_left_and_a_request_that_waits_is_the_same_from_another_contact() {
    let town = Town::new(PROGRAMME);
    let service = town.served();
    // Of the pack the list offers crbt, since nobody holds it; it is asked for already.
    let first = made(&reply(&service, "c2", "Y", "k2"));
    assert_eq!(reply(&service, "c2", "Y", "m2").good()["request_id"], first["request_id"]);
    assert_eq!(answer(&service, &first["request_id"], "opened"), "done");
    let second = made(&reply(&service, "c2", "Y", "m2"));
    assert_eq!((&second["product_id"], &second["campaign_id"]), (&json!("radio"), &json!("songs")));
    assert!(reply(&service, "c2", "Y", "v2").refused(409, "nothing_offered").contains("offers nothing"));
}

#[test]
fn what_keeps_a_customer_is_told_and_durable() {
    let town = Town::new(PROGRAMME);
    let service = town.served();
    // The first restriction of the programme that holds; a link to a terminal that opens it.
    let failed = made(&reply(&service, "c1", "Y", "k1"));
    assert_eq!((&failed["state"], &failed["code"]), (&json!("failed"), &json!("R17")));
    assert_eq!(failed["reply"], json!({ "kind": "link", "text": "http://m.example/pay" }));
    let failed = made(&reply(&service, "c3", "Y", "k3"));
    assert_eq!(failed["reply"], json!({ "kind": "text", "text": "Please pay your bill first." }));
    assert_eq!(made(&reply(&service, "c5", "Y", "k5"))["code"], "held");
    service.kill();
    let service = town.serve();
    assert_eq!(requests(&service, "c1"), [[json!("crbt"), json!("failed"), json!("R17")]]);
    assert_eq!(requests(&service, "c5"), [[json!("crbt"), json!("failed"), json!("held")]]);
    assert_eq!(reply(&service, "c3", "Y", "k3").good()["code"], "R17");
    assert_eq!(batch(&service), json!({ "requests": 0, "file": null }));
    // A terminal that cannot use it.
    let programme = PROGRAMME.replace("product = \"crbt\"", "product = \"portal\"");
    let town = Town::new(&programme);
    let service = town.served();
    assert_eq!(made(&reply(&service, "c4", "Y", "k4"))["code"], "terminal");
}

#[test]
fn no_is_a_decline_stop_an_opt_out_and_anything_else_is_asked_again() {
    let town = Town::new(PROGRAMME);
    let service = town.served();
    let said = reply(&service, "c1", "what is it?", "k1").good();
    assert_eq!(said["reply"], json!({ "kind": "link", "text": "http://m.example/y" }));
    let said = reply(&service, "c2", "", "k2").good();
    assert_eq!(said["reply"], json!({ "kind": "text", "text": "Ringback tones: reply Y" }));
    let ledger = rows(&service, "ingest_ledger");
    assert_eq!(made(&reply(&service, "c2", "N", "k2"))["declined"], true);
    assert_eq!(reply(&service, "c2", "n", "k2").good()["repeated"], true);
    assert_eq!(rows(&service, "ingest_ledger"), ledger + 1);
    let excluded = |reason: &str| {
        let rows = service.get(&format!("/v1/views/target_excluded?campaign_id=spring&reason={reason}")).good();
        rows["rows"][0]["customers"].clone()
    };
    service.until("/readyz", |_| (excluded("declined") == 1).then_some(()));
    assert_eq!(reply(&service, "c4", "退订", "k4").status, 201);
    let body = json!({ "customer_id": "stranger", "text": "TD", "by": "gateway" });
    assert_eq!(service.post("/v1/replies", &body).status, 201);
    service.until("/readyz", |_| (excluded("optout") == 1).then_some(()));
    assert_eq!(rows(&service, "order_request"), 0);
    service.kill();
    let service = town.serve();
    assert_eq!(reply(&service, "c2", "N", "k2").good()["repeated"], true);
}

#[test]
fn replies_that_name_nothing_are_refused() {
    let town = Town::new(PROGRAMME);
    let service = town.served();
    reply(&service, "stranger", "Y", "k1").refused(404, "not_found");
    // Another's contact, and one that was withheld.
    reply(&service, "c1", "Y", "k2").refused(404, "not_found");
    reply(&service, "c3", "Y", "w3").refused(404, "not_found");
    let post = |body: Value| service.post("/v1/replies", &body).refused(400, "bad_request");
    assert!(post(json!({ "customer_id": "c1", "text": "Y", "by": "gateway" })).contains("contact_id"));
    assert!(post(json!({ "customer_id": "c1", "text": "Y", "contact_id": "k1", "by": " " })).contains("by"));
    assert!(post(json!({ "customer_id": "c1", "contact_id": "k1", "by": "x" })).contains("text"));
    post(json!({ "customer_id": "c1", "text": "Y", "contact_id": "k1", "by": "x", "more": 1 }));
    let answers = |body: Value| service.post("/v1/provisioning/answers", &body).refused(400, "bad_request");
    answers(json!([{ "request_id": "x", "state": "requested" }]));
    answers(json!({ "request_id": "x" }));
    answers(json!([{ "request_id": "x", "state": "failed", "text": "a\nb" }]));
    assert_eq!(rows(&service, "order_request"), 0);
}

#[test]
fn a_request_is_in_one_batch_for_ever() {
    let town = Town::new(PROGRAMME);
    let service = town.served();
    assert_eq!(batch(&service)["requests"], 0);
    let first = made(&reply(&service, "c2", "Y", "k2"));
    let given = batch(&service);
    assert_eq!(given["requests"], 1);
    let files = town.batches();
    let file = files.first().expect("a file");
    assert!(file.to_string_lossy().ends_with(given["file"].as_str().expect("a name")));
    let text = fs::read_to_string(file).expect("a file");
    assert!(text.starts_with("request_id,customer_id,number,product_id,action,at\n"));
    let line: Vec<&str> = text.lines().nth(1).expect("a line").split(',').collect();
    assert_eq!((json!(line[0]), line[1], line[3], line[4]), (first["request_id"].clone(), "c2", "crbt", "subscribe"));
    assert!(line[2].len() >= 16 && !text.contains("1380"), "{text}");
    assert_eq!(batch(&service)["requests"], 0);
    fs::remove_file(file).expect("taken");
    service.kill();
    let service = town.serve();
    assert_eq!(batch(&service)["requests"], 0);
    made(&reply(&service, "c4", "Y", "k4"));
    assert_eq!(batch(&service)["requests"], 1);
    assert_eq!(town.batches().len(), 1);
    // An older copy of the data forgets no request, and gives none out again.
    service.kill();
    fs::remove_dir_all(town.home.data()).expect("removed");
    let service = town.served_again();
    assert_eq!(rows(&service, "order_request"), 2);
    assert_eq!(batch(&service)["requests"], 0);
}

#[test]
fn what_is_opened_is_an_order_and_a_feedback_at_once_and_what_failed_says_why() {
    let town = Town::new(PROGRAMME);
    let service = town.served();
    let opened = made(&reply(&service, "c2", "Y", "k2"))["request_id"].clone();
    let failed = made(&reply(&service, "c4", "Y", "k4"))["request_id"].clone();
    let body = json!([
        { "request_id": opened, "state": "opened" },
        { "request_id": failed, "state": "failed", "code": "E7", "text": "No room" },
        { "request_id": opened, "state": "failed" },
        { "request_id": "nobody", "state": "opened" },
    ]);
    let answers = made(&keyed(&service, "/v1/provisioning/answers", "p", &body));
    let results: Vec<&str> =
        answers["answers"].as_array().expect("answers").iter().filter_map(|one| one["result"].as_str()).collect();
    assert_eq!(results, ["done", "done", "differs", "unknown"]);
    let epoch = answers["epoch"].as_u64().expect("an epoch");
    service.until("/readyz", |reply| (reply.json()["epoch"].as_u64() >= Some(epoch)).then_some(()));
    assert_eq!(service.get("/v1/customers/c2").good()["holds"], json!(["crbt"]));
    assert_eq!(service.get("/v1/customers/c4").good()["holds"], json!([]));
    assert_eq!(requests(&service, "c4"), [[json!("crbt"), json!("failed"), json!("E7")]]);
    let told = reply(&service, "c4", "Y", "k4").good();
    assert_eq!((&told["code"], &told["reply"]["text"]), (&json!("E7"), &json!("No room")));
    // Again, under its key and without one; and otherwise.
    let again = keyed(&service, "/v1/provisioning/answers", "p", &body).good();
    assert_eq!((&again["answers"][0]["result"], &again["epoch"]), (&json!("repeated"), &Value::Null));
    assert_eq!(answer(&service, &opened, "opened"), "repeated");
    assert_eq!(answer(&service, &failed, "opened"), "differs");
    keyed(&service, "/v1/provisioning/answers", "p", &json!([])).refused(422, "idempotency_key");
    let taken = |feed: &str| rows(&service, &format!("ingest_ledger?feed={feed}"));
    assert_eq!((taken("order"), taken("feedback")), (2, 1));
    // What billing tells of it later is the same order.
    town.home.land(
        "order_2027-01.csv",
        format!(
            "order_id,customer_id,product_id,action,at\n{},c2,crbt,subscribe,2009-07-03 10:00:00\n",
            opened.as_str().expect("an id")
        ),
    );
    service.until("/v1/views/ingest_ledger?feed=order", |reply| {
        (reply.good()["rows"].as_array().map(Vec::len) == Some(3)).then_some(())
    });
    service.kill();
    let service = town.serve();
    assert_eq!(service.get("/v1/customers/c2").good()["holds"], json!(["crbt"]));
    assert_eq!(rows(&service, "service_health?product_id=crbt"), 1);
    assert_eq!(service.post("/v1/verify", &json!({})).good()["divergences"], 0);
}

#[test]
fn answers_come_as_files_too() {
    let town = Town::new(PROGRAMME);
    let service = town.served();
    let opened = made(&reply(&service, "c2", "Y", "k2"))["request_id"].clone();
    let failed = made(&reply(&service, "c4", "Y", "k4"))["request_id"].clone();
    let [open, fail] = [&opened, &failed].map(|id| id.as_str().expect("an id").to_owned());
    let unknown = "0".repeat(32);
    town.home.land(
        "provisioning_2009-07.csv",
        format!(
            "request_id,state,code,text,at\n{open},opened,,,2009-07-02 10:00:00\n{fail},failed,E1,Later,2009-07-02 10:00:00\n{unknown},opened,,,2009-07-02 10:00:00\n"
        ),
    );
    service.until("/v1/customers/c2", |card| (card.good()["holds"] == json!(["crbt"])).then_some(()));
    assert_eq!(requests(&service, "c4"), [[json!("crbt"), json!("failed"), json!("E1")]]);
    assert_eq!(answer(&service, &opened, "opened"), "repeated");
    // A corrected file opens nothing that had failed: the first answer counts.
    town.home.land(
        "provisioning_2009-07.v2.csv",
        format!("request_id,state,at\n{open},opened,2009-07-02 10:00:00\n{fail},opened,2009-07-02 10:00:00\n"),
    );
    service.until("/v1/views/ingest_ledger?feed=provisioning&version=2", |reply| {
        (reply.good()["rows"].as_array().map(Vec::len) == Some(1)).then_some(())
    });
    assert_eq!(requests(&service, "c4"), [[json!("crbt"), json!("failed"), json!("E1")]]);
    service.kill();
    let service = town.serve();
    assert_eq!(requests(&service, "c2"), [[json!("crbt"), json!("opened"), Value::Null]]);
    assert_eq!(service.post("/v1/verify", &json!({})).good()["divergences"], 0);
}

#[test]
fn on_a_full_disk_nothing_is_given_out_and_an_answer_waits() {
    let town = Town::new(PROGRAMME);
    let service = town.served();
    let id = made(&reply(&service, "c2", "Y", "k2"))["request_id"].as_str().expect("an id").to_owned();
    service.kill();
    let service = town.serve_full();
    service.post("/v1/provisioning/batch", &json!({})).refused(507, "disk_full");
    assert!(town.batches().is_empty());
    let answers = json!([{ "request_id": id, "state": "opened" }]);
    service.post("/v1/provisioning/answers", &answers).refused(507, "disk_full");
    let answer = format!("request_id,state,at\n{id},opened,2009-07-02 10:00:00\n");
    town.home.land("provisioning_2009-07.csv", answer);
    service.until("/readyz", |reply| reply.text().contains("provisioning_2009-07.csv").then_some(()));
    assert_eq!(requests(&service, "c2"), [[json!("crbt"), json!("requested"), Value::Null]]);
    service.kill();
    let service = town.serve();
    service.until("/v1/customers/c2", |card| (card.good()["holds"] == json!(["crbt"])).then_some(()));
    assert_eq!(batch(&service)["requests"], 0);
    assert_eq!(service.post("/v1/verify", &json!({})).good()["divergences"], 0);
}

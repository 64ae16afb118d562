//! Offers to a customer who calls: what he is shown, what is kept from him, and what he says.

use serde_json::{Value, json};

use crate::orders::{Town, keyed, made};
use crate::service::Service;

const PROGRAMME: &str = r#"
[[tier]]
id = "all"

[[pack]]
id = "all"
tier = "all"
products = ["mail", "portal", "radio"]

[[restriction]]
id = "owes"
list = "arrears"
text = "Please pay your bill first."

[[campaign]]
id = "spring"
audience = "true"
product = "crbt"
exclude = ["holders"]
channels = ["sms"]

[[campaign]]
id = "draft"
audience = "true"
product = "news"
channels = ["sms"]

[[content]]
campaign = "spring"
channel = "sms"
text = "Ringback tones"
"#;

fn served() -> (Town, Service) {
    let town = Town::new(PROGRAMME);
    let state = "change_id,campaign_id,state,at,by\ns1,spring,running,2009-07-01 12:00:00,zhang\n";
    town.home.land("campaign_state_2009-07.csv", state);
    let products: String = (0..60).map(|ix| format!("p{ix:02},,10\n")).collect();
    town.home.land("product_2009-08.csv", format!("product_id,requires,value\nmail,,5\nnews,,80\n{products}"));
    let service = town.served_with(2);
    (town, service)
}

/// Products of a part of a page.
fn products(page: &Value, part: &str) -> Vec<String> {
    let offers = page[part].as_array().expect("offers").iter();
    offers.map(|offer| offer["product_id"].as_str().expect("an id").to_owned()).collect()
}

fn page(service: &Service, customer: &str) -> Value {
    service.get(&format!("/v1/customers/{customer}/offers")).good()
}

fn said(service: &Service, customer: &str, product: &str, answer: &str) -> Value {
    let body = json!({ "product_id": product, "answer": answer, "by": "desk7" });
    made(&service.post(&format!("/v1/customers/{customer}/offers/answer"), &body))
}

#[test]
fn the_pack_and_the_campaigns_that_run_go_first_and_then_other_products_by_value() {
    let (_town, service) = served();
    let told = page(&service, "c2");
    // What c2's terminal cannot use is left out; the draft's product is one among others.
    assert_eq!(products(&told, "offers"), ["mail", "radio", "crbt"]);
    let crbt = &told["offers"][2];
    assert_eq!((&crbt["why"], &crbt["campaign_id"]), (&json!("campaign"), &json!("spring")));
    assert_eq!((&crbt["channel_id"], &crbt["text"]), (&json!("sms"), &json!("Ringback tones")));
    assert_eq!((&told["offers"][0]["why"], &told["offers"][0]["campaign_id"]), (&json!("pack"), &Value::Null));
    let more = products(&told, "more");
    assert_eq!((more.len(), &*more[0], &*more[1], &*more[2]), (50, "news", "p00", "p01"));
    let second = service.get("/v1/customers/c2/offers?page=2").good();
    assert!(products(&second, "offers").is_empty());
    assert_eq!(products(&second, "more").len(), 11);
    // c1's terminal opens links; c5 holds the campaign's product.
    assert_eq!(products(&page(&service, "c1"), "offers"), ["mail", "portal", "radio", "crbt"]);
    assert_eq!(products(&page(&service, "c5"), "offers"), ["mail", "radio"]);
    service.get("/v1/customers/stranger/offers").refused(404, "not_found");
    for asked in ["page=0", "page=x", "pages=1"] {
        service.get(&format!("/v1/customers/c2/offers?{asked}")).refused(400, "bad_request");
    }
}

#[test]
fn what_was_declined_is_not_offered_and_who_wants_to_be_left_alone_is_offered_nothing() {
    let (town, service) = served();
    assert_eq!(said(&service, "c2", "radio", "declined")["answer"], "declined");
    said(&service, "c2", "crbt", "later");
    said(&service, "c2", "mail", "shown");
    assert_eq!(products(&page(&service, "c2"), "offers"), ["mail"]);
    let out = json!({ "customer_id": "c3", "reason": "asks", "by": "desk7" });
    made(&service.post("/v1/optouts", &out));
    let add = json!({ "op": "add", "customers": ["c4"], "by": "zhang", "reason": "asks" });
    made(&service.post("/v1/lists/do_not_contact", &add));
    let nothing = |service: &Service, customer: &str, why: &str| {
        let told = page(service, customer);
        assert_eq!((&told["closed"], &told["offers"], &told["more"]), (&json!(why), &json!([]), &json!([])));
    };
    nothing(&service, "c3", "optout");
    nothing(&service, "c4", "do_not_contact");
    service.kill();
    let service = town.serve();
    nothing(&service, "c3", "optout");
    assert_eq!(products(&page(&service, "c2"), "offers"), ["mail"]);
    assert_eq!(service.post("/v1/verify", &json!({})).good()["divergences"], 0);
}

#[test]
fn what_is_accepted_is_an_order_request_once() {
    let (town, service) = served();
    let body = json!({ "product_id": "radio", "answer": "accepted", "by": "desk7" });
    let target = "/v1/customers/c2/offers/answer";
    let first = made(&keyed(&service, target, "k", &body));
    assert_eq!((&first["state"], &first["campaign_id"]), (&json!("requested"), &Value::Null));
    // Under its key, and without one while it waits.
    assert_eq!(keyed(&service, target, "k", &body).good()["request_id"], first["request_id"]);
    assert_eq!(service.post(target, &body).good()["request_id"], first["request_id"]);
    let declined = json!({ "product_id": "radio", "answer": "declined", "by": "desk7" });
    keyed(&service, target, "k", &declined).refused(422, "idempotency_key");
    let noted = made(&keyed(&service, target, "d", &declined));
    assert_eq!(keyed(&service, target, "d", &declined).good()["repeated"], true);
    assert!(noted["epoch"].is_u64());
    assert_eq!(said(&service, "c1", "radio", "accepted")["code"], "owes");
    let post = |body: Value| service.post(target, &body);
    post(json!({ "product_id": "none", "answer": "accepted", "by": "x" })).refused(404, "not_found");
    post(json!({ "product_id": "radio", "campaign_id": "none", "answer": "later", "by": "x" }))
        .refused(404, "not_found");
    post(json!({ "product_id": "radio", "answer": "maybe", "by": "x" })).refused(400, "bad_request");
    post(json!({ "product_id": "radio", "answer": "later", "by": "" })).refused(400, "bad_request");
    service.kill();
    let service = town.serve();
    assert_eq!(keyed(&service, target, "k", &body).good()["request_id"], first["request_id"]);
    let given = service.post("/v1/provisioning/batch", &json!({})).good();
    assert_eq!(given["requests"], 1);
}

//! Lists that shrink wait for a person, who lets them in.

use serde_json::json;

use crate::service::{Home, Service};

const LONG: &str = "list_id,customer_id\nvip,c1\nvip,c2\nvip,c3\n";
const SHORT: &str = "list_id,customer_id\nvip,c2\n";

/// A service that holds a list.
fn holding(home: &Home) -> Service {
    let service = home.serve();
    home.land("listing_vip.csv", LONG);
    service.settle(1);
    home.land("listing_vip.v2.csv", SHORT);
    service.settle(2);
    service
}

#[test]
fn a_held_list_is_taken_once_it_is_confirmed() {
    let home = Home::new();
    let service = holding(&home);
    assert_eq!(service.get("/v1/held").good()["held"][0]["file"], "listing_vip.v2.csv");
    assert_eq!(service.get("/v1/customers/c1").good()["lists"], json!(["vip"]));

    assert_eq!(service.post("/v1/held/listing_other.csv/confirm", &json!({})).status, 404);
    let confirmed = service.post("/v1/held/listing_vip.v2.csv/confirm", &json!({})).good();
    assert_eq!(confirmed["status"], "confirmed");
    service.until("/v1/customers/c1", |card| (card.good()["lists"] == json!([])).then_some(()));
    assert_eq!(service.get("/v1/customers/c2").good()["lists"], json!(["vip"]));
    assert_eq!(service.get("/v1/held").good()["held"], json!([]));
    assert_eq!(service.post("/v1/held/listing_vip.v2.csv/confirm", &json!({})).status, 404);
}

#[test]
fn a_confirmation_outlives_the_service() {
    let home = Home::new();
    let service = holding(&home);
    // Gone before it could be read again: it is taken when it is delivered once more.
    std::fs::remove_file(home.landing().join("listing_vip.v2.csv")).expect("removed");
    service.post("/v1/held/listing_vip.v2.csv/confirm", &json!({})).good();
    service.kill();
    let service = home.serve();
    assert_eq!(service.get("/v1/customers/c1").good()["lists"], json!(["vip"]));
    home.land("listing_vip.v2.csv", SHORT);
    service.until("/v1/customers/c1", |card| (card.good()["lists"] == json!([])).then_some(()));
}

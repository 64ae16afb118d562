//! A customer's card.

use crate::files::{ODD_IDS, province};
use crate::service::{Home, Service};

fn served(home: &Home) -> Service {
    let files = province();
    files.iter().for_each(|(name, text)| home.land(name, text));
    let service = home.serve();
    service.settle(files.len());
    service
}

/// A part of a path, with every byte in percents.
fn percents(id: &str) -> String {
    id.bytes().map(|byte| format!("%{byte:02x}")).collect()
}

#[test]
fn a_card_tells_what_is_known_of_a_customer() {
    let home = Home::new();
    let service = served(&home);
    let card = service.get("/v1/customers/c1").good();
    for (key, value) in [("customer_id", "c1"), ("as_of", "2009-06"), ("tier", "A"), ("since", "2009-04")] {
        assert_eq!(card[key], value, "{card}");
    }
    assert_eq!(card["holds"], serde_json::json!(["crbt", "mms"]));
    assert_eq!(card["lists"], serde_json::json!(["vip"]));
    assert_eq!(card["consents"], serde_json::json!(["marketing"]));
    assert_eq!(card["epoch"], service.get("/readyz").good()["epoch"]);
    let attributes = &card["attributes"];
    // 60 yuan more each month: 240, 300 and 360 against 60, 120 and 180, fifty fen with each.
    for (key, value) in
        [("avg_fee", "300.50"), ("last_fee", "360.50"), ("change_fee", "149.37"), ("city", "广州"), ("age", "29")]
    {
        assert_eq!(attributes[key], value, "{key}: {card}");
    }
    // 10 for registering, 1 for a login, 5 for a referral, 50 by hand; who left, and who has neither event nor adjustment.
    for (id, points, rank, member) in [
        ("c1", Some(66), Some("private first class"), true),
        ("客户一", Some(0), Some("private"), false),
        ("c2", None, None, false),
    ] {
        let card = service.get(&format!("/v1/customers/{}", percents(id))).good();
        assert_eq!((card["points"].as_i64(), card["rank"].as_str()), (points, rank), "{card}");
        assert_eq!(card["member"], member, "{card}");
    }
    let card = service.get("/v1/customers/c1").good();
    let next = (card["spendable"].as_i64(), card["next_rank"].as_str(), card["points_to_next"].as_i64());
    assert_eq!(next, (Some(66), Some("sergeant"), Some(35)), "{card}");
    let brought_in = service.get(&format!("/v1/customers/{}", percents("客户一"))).good();
    assert_eq!((brought_in["referrer"].as_str(), brought_in["referred_total"].as_u64()), (Some("c1"), Some(0)));
    let card = service.get("/v1/customers/c1").good();
    assert_eq!((card["referrer"].as_str(), card["referred_direct"].as_u64()), (None, Some(1)), "{card}");
    assert_eq!(card["referred_total"], 1, "{card}");
    // Closed: known, and of no class.
    let closed = service.get("/v1/customers/c3").good();
    assert_eq!((closed["tier"].as_str(), closed["attributes"]["status"].as_str()), (None, Some("closed")));
}

#[test]
fn ids_are_taken_as_they_are_however_they_are_spelt_in_a_url() {
    let home = Home::new();
    let service = served(&home);
    for id in ODD_IDS {
        let card = service.get(&format!("/v1/customers/{}", percents(id))).good();
        assert_eq!(card["customer_id"], id);
        assert_eq!(card["attributes"]["city"], "珠海, 香洲");
    }
    // A plus is a plus in a path, and case matters.
    assert_eq!(service.get("/v1/customers/c+d").good()["customer_id"], "c+d");
    service.get("/v1/customers/C1").refused(404, "not_found");
    assert_eq!(service.get("/v1/customers/c1?whatever=1").good()["customer_id"], "c1");
}

#[test]
fn an_id_that_nobody_has_is_not_found() {
    let home = Home::new();
    let service = served(&home);
    let long = "9".repeat(4000);
    let targets =
        ["nobody", "%20", "c1%00", "c1%0a", "c1 ", "..%2f..%2fetc%2fpasswd", "13812345678", "c8", "crbt", &long];
    for id in targets.map(|id| id.replace(' ', "%20")) {
        let message = service.get(&format!("/v1/customers/{id}")).refused(404, "not_found");
        assert!(!message.contains("13812345678"), "{message}");
    }
    for id in ["", "/", "c1/", "c1/more"] {
        service.get(&format!("/v1/customers/{id}")).refused(404, "not_found");
    }
}

#[test]
fn percents_that_are_no_text_are_refused() {
    let home = Home::new();
    let service = home.serve();
    for id in ["%ff", "%e5%ae", "a%c0%80"] {
        service.get(&format!("/v1/customers/{id}")).refused(400, "bad_request");
        service.get(&format!("/v1/views/{id}")).refused(400, "bad_request");
    }
    // What is no percent encoding stands for itself.
    for id in ["%", "%zz", "100%"] {
        service.get(&format!("/v1/customers/{id}")).refused(404, "not_found");
    }
}

//! Fit by customer, product and channel.

use serde_json::{Value, json};

use crate::files::province;
use crate::service::{Home, Service};

fn served(home: &Home) -> Service {
    let files = province();
    files.iter().for_each(|(name, text)| home.land(name, text));
    let service = home.serve();
    service.settle(files.len());
    service
}

fn products(told: &Value) -> Vec<(&str, &str)> {
    let rows = told["fit"].as_array().expect("rows").iter();
    rows.map(|row| (row["product_id"].as_str().expect("a text"), row["channel_id"].as_str().expect("a text"))).collect()
}

#[test]
fn a_customer_is_told_what_suits_him_and_what_to_say_for_it() {
    let home = Home::new();
    let service = served(&home);
    // c2 holds crbt, c1 both: of products with a row there is one more.
    let told = service.get("/v1/customers/c2/fit").good();
    assert_eq!(products(&told), [("mms", "sms")], "{told}");
    assert_eq!(service.get("/v1/customers/c1/fit").good()["fit"], json!([]));
    let told = service.get("/v1/customers/n000/fit").good();
    assert_eq!(told["epoch"], service.get("/readyz").good()["epoch"]);
    let crbt = told["fit"].as_array().expect("rows").iter().find(|row| row["product_id"] == "crbt").expect("a row");
    assert_eq!(crbt["selling_point"], "Callers hear your song and not a tone.", "{told}");
    // crbt came once, over sms: the only channel, which is the best of all.
    assert_eq!((&crbt["product_channel"], &crbt["customer_channel"]), (&json!("100.00"), &json!("100.00")), "{told}");
    // What is held has a score of nothing, where it is asked for.
    let held = service.get("/v1/customers/c2/fit?product_id=crbt").good();
    assert_eq!(
        (&held["fit"][0]["score"], &held["fit"][0]["customer_product"]),
        (&json!("0.00"), &json!("0.00")),
        "{held}"
    );
}

#[test]
fn a_product_is_told_whom_it_suits_and_a_channel_what_it_is_best_for() {
    let home = Home::new();
    let service = served(&home);
    let told = service.get("/v1/products/crbt/fit?limit=3").good();
    let rows = told["fit"].as_array().expect("rows");
    assert_eq!(rows.len(), 3, "{told}");
    let key = |row: &Value| {
        let score: f64 = row["score"].as_str().expect("a text").parse().expect("a number");
        (-(score * 100.0) as i64, row["customer_id"].as_str().expect("a text").to_owned())
    };
    assert!(rows.iter().map(key).is_sorted() && rows.iter().all(|row| row["customer_id"] != "c2"), "{told}");
    let all = service.get("/v1/products/crbt/fit?limit=10000").good();
    assert_eq!(&all["fit"].as_array().expect("rows")[..3], &rows[..]);
    let told = service.get("/v1/channels/sms/fit").good();
    let names: Vec<&Value> = told["fit"].as_array().expect("rows").iter().map(|row| &row["product_id"]).collect();
    assert_eq!(names, ["crbt", "mms"], "{told}");
}

#[test]
fn fit_of_what_there_is_not_is_refused() {
    let home = Home::new();
    let service = served(&home);
    for path in [
        "/v1/customers/nobody/fit",
        "/v1/customers/c1/fit?product_id=nothing",
        "/v1/products/nothing/fit",
        "/v1/channels/nothing/fit",
    ] {
        service.get(path).refused(404, "not_found");
    }
    for path in
        ["/v1/products/crbt/fit?limit=10001", "/v1/products/crbt/fit?limit=x", "/v1/customers/c1/fit?product=crbt"]
    {
        service.get(path).refused(400, "bad_request");
    }
}

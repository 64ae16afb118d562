//! `POST /v1/verify`.

use crate::files::{bills, province};
use crate::service::Home;

#[test]
fn a_recompute_agrees_whatever_landed() {
    let home = Home::new();
    let files = province();
    files.iter().for_each(|(name, text)| home.land(name, text));
    let service = home.serve_with(&["--workers", "2"]);
    let epoch = service.settle(files.len());
    let verdict = service.post("/v1/verify", &serde_json::json!({})).good();
    assert_eq!(verdict["epoch"], epoch);
    assert_eq!(verdict["divergences"], 0, "{verdict}");
    assert_eq!(verdict["customers"], 200);
    assert!(verdict["rows_compared"].as_u64().is_some_and(|rows| rows > 400), "{verdict}");
    // A correction, and the month that made as_of taken back to a header.
    home.land("bill_2009-05.v2.csv", bills("2009-05", 7));
    home.land("bill_2009-06.v2.csv", "customer_id,month,total_fee\n");
    service.settle(files.len() + 2);
    assert_eq!(service.get("/v1/customers/c1").good()["as_of"], "2009-05");
    let verdict = service.ask("POST", "/v1/verify", &[], b"").good();
    assert_eq!(verdict["divergences"], 0, "{verdict}");
    assert_eq!(
        service.until("/metrics", |reply| {
            let mut lines = reply.text().lines();
            lines.find_map(|line| line.strip_prefix("cohortflow_divergences ")).map(str::to_owned)
        }),
        "0"
    );
}

//! Entries of points that change are told, with what changed them.

use serde_json::{Value, json};

use crate::service::{Home, Service};

const EVENTS: &str = "event_id,customer_id,kind,at\ne1,c1,register,2009-07-01 10:00:00\n\
                      e3,c1,login,2009-07-02 11:00:00\ne4,c1,login,2009-07-02 12:00:00\n";

fn published(service: &Service, points: i64) {
    let text = format!(
        "[[points.rule]]\nid = \"login\"\non = \"login\"\npoints = {points}\ndaily_limit = 2\n\
         [[points.rule]]\nid = \"register\"\non = \"register\"\npoints = 20\n"
    );
    service.post("/v1/programme", &json!({ "sources": [{ "name": "one.toml", "text": text }] })).good();
}

/// The rows without the epoch and the customer, who is one.
fn changes(service: &Service) -> Vec<[Value; 5]> {
    let page = service.get("/v1/views/points_change").good();
    let rows = page["rows"].as_array().expect("rows").iter();
    rows.map(|row| ["entry_id", "rule", "before", "after", "cause"].map(|column| row[column].clone())).collect()
}

fn row(entry: &str, before: Option<i64>, after: Option<i64>, cause: &str) -> [Value; 5] {
    [json!(entry), json!("login"), json!(before), json!(after), json!(cause)]
}

#[test]
fn entries_that_change_are_told_with_the_file_or_the_programme_that_changed_them() {
    let home = Home::new();
    let service = home.serve();
    published(&service, 3);
    home.land("member_event_1.csv", EVENTS);
    service.settle(1);
    assert_eq!(changes(&service), Vec::<[Value; 5]>::new());

    // What only joins the others is no change.
    home.land("member_event_2.csv", "event_id,customer_id,kind,at\ne5,c1,login,2009-07-03 10:00:00\n");
    service.settle(2);
    assert_eq!(changes(&service), Vec::<[Value; 5]>::new());

    // A late login is one of the two that count that day: the last no longer does.
    home.land("member_event_3.csv", "event_id,customer_id,kind,at\ne2,c1,login,2009-07-02 10:00:00\n");
    service.settle(3);
    let mut expected = vec![row("e4", Some(3), None, "member_event_3.csv")];
    assert_eq!(changes(&service), expected);

    // It goes: its entry is gone, and e4's is there again.
    home.land("member_event_3.v2.csv", "event_id,customer_id,kind,at\ne2,c2,login,2009-07-02 10:00:00\n");
    service.settle(4);
    expected.push(row("e2", Some(3), None, "member_event_3.v2.csv"));
    expected.push(row("e4", None, Some(3), "member_event_3.v2.csv"));
    assert_eq!(changes(&service), expected);

    published(&service, 4);
    expected.extend(["e3", "e4", "e5"].map(|entry| row(entry, Some(3), Some(4), "the programme")));
    assert_eq!(changes(&service), expected);

    // The next one shows them, each once, and goes on.
    service.stop();
    let service = home.serve_with(&["--workers", "2"]);
    assert_eq!(changes(&service), expected);
    published(&service, 3);
    expected.extend(["e3", "e4", "e5"].map(|entry| row(entry, Some(4), Some(3), "the programme")));
    assert_eq!(changes(&service), expected);
    service.stop();
    let service = home.serve();
    assert_eq!(changes(&service), expected);
    // Without the file there is nothing to show, and nothing else is lost.
    service.stop();
    std::fs::remove_file(home.data().join("changes")).expect("a file");
    let service = home.serve();
    assert_eq!(changes(&service), Vec::<[Value; 5]>::new());
    assert_eq!(service.post("/v1/verify", &json!({})).good()["divergences"], 0);
}

//! Effects as they stood when days closed.

use crate::service::{Home, Service};

const HEADER: &str = "contact_id,campaign_id,customer_id,channel_id,at,outcome,arm\n";

fn contacts(rows: &[(&str, &str, &str)]) -> String {
    let row =
        |(id, customer, day): &(&str, &str, &str)| format!("{id},k,{customer},sms,{day} 10:00:00,delivered,target\n");
    HEADER.to_owned() + &rows.iter().map(row).collect::<String>()
}

/// Day, contacted, and whether that is known otherwise now.
fn reported(service: &Service) -> Vec<(String, i64, bool)> {
    let told = service.get("/v1/views/effect_first_reported").good();
    let row = |row: &serde_json::Value| {
        let day = row["day"].as_str().expect("a day").to_owned();
        (day, row["contacted"].as_i64().expect("a number"), row["revised"].as_bool().expect("a boolean"))
    };
    told["rows"].as_array().expect("rows").iter().map(row).collect()
}

/// Waits until the view is that; what is noted comes after it is visible.
#[track_caller]
fn comes_to(service: &Service, expected: &[(&str, i64, bool)]) {
    let expected: Vec<_> = expected.iter().map(|(day, contacted, is)| ((*day).to_owned(), *contacted, *is)).collect();
    service.until("/v1/views/effect_first_reported", |_| (reported(service) == expected).then_some(()));
}

#[test]
fn a_day_that_closed_is_told_as_it_was_and_marked_where_it_is_known_otherwise() {
    let home = Home::new();
    let service = home.serve();
    home.land("contact_1.csv", contacts(&[("t1", "c1", "2009-07-01"), ("t2", "c2", "2009-07-01")]));
    service.settle(1);
    // A day is not over before there is something of a later one.
    comes_to(&service, &[]);
    home.land("contact_2.csv", contacts(&[("t3", "c3", "2009-07-03")]));
    service.settle(2);
    comes_to(&service, &[("2009-07-01", 2, false)]);
    // One of the first day comes late; the third closes with it in.
    home.land("contact_3.csv", contacts(&[("t4", "c4", "2009-07-01"), ("t5", "c5", "2009-07-05")]));
    service.settle(3);
    comes_to(&service, &[("2009-07-01", 2, true), ("2009-07-03", 4, false)]);
    service.stop();
    // The next service knows what was told.
    let service = home.serve();
    comes_to(&service, &[("2009-07-01", 2, true), ("2009-07-03", 4, false)]);
    home.land("contact_2.v2.csv", contacts(&[]));
    home.land("contact_4.csv", contacts(&[("t6", "c6", "2009-07-07")]));
    service.settle(5);
    comes_to(&service, &[("2009-07-01", 2, true), ("2009-07-03", 4, true), ("2009-07-05", 4, false)]);
}

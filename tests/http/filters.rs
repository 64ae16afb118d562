//! Rows of views by what stands in their columns and by time; what staff ask about members; downloads.

use serde_json::{Value, json};

use crate::files::province;
use crate::service::{Home, Service};

/// The small province, with visits and opinions, one of them by a formula.
fn served(home: &Home) -> Service {
    let mut files = province();
    files.push((
        "member_event_2009-07.csv".to_owned(),
        "event_id,customer_id,kind,at,channel_id,detail\n\
         v1,c1,visit,2009-06-02 23:59:59,wap,home\n\
         v2,c1,visit,2009-06-03 00:00:00,web,home\n\
         v3,c2,visit,2009-06-04 10:00:00,web,survey\n\
         v4,n001,visit,2009-06-30 23:59:59,,=2+5\n\
         p1,c1,opinion,2009-06-04,web,coverage\n\
         p2,c3,opinion,2009-07-01,web,\n"
            .to_owned(),
    ));
    files.iter().for_each(|(name, text)| home.land(name, text));
    let service = home.serve();
    service.settle(files.len());
    service
}

/// The values of a column, row by row.
fn column(service: &Service, target: &str, name: &str) -> Vec<Value> {
    let page = service.get(target).good();
    page["rows"].as_array().expect("rows").iter().map(|row| row[name].clone()).collect()
}

#[test]
fn rows_are_found_by_columns_and_by_time() {
    let home = Home::new();
    let service = served(&home);
    for (query, expected) in [
        ("", vec!["v1", "v2", "v3", "v4", "e6"]),
        ("customer_id=c1", vec!["v1", "v2"]),
        ("customer_id=c1&member=true", vec!["v2"]),
        ("page=survey&page=home", vec!["v1", "v2", "v3"]),
        ("channel_id=", vec!["v4", "e6"]),
        ("city=%E5%B9%BF%E5%B7%9E", vec!["v1", "v2"]),
        ("from=2009-06-03", vec!["v2", "v3", "v4"]),
        ("until=2009-06-03", vec!["v1", "e6"]),
        ("from=2009-06-03&until=2009-06-04%2010:00:00", vec!["v2"]),
        ("from=2009-06-04T02:00:00Z", vec!["v3", "v4"]),
        ("from=2009-06&until=2009-07", vec!["v1", "v2", "v3", "v4"]),
        ("from=2009-07", vec![]),
        ("customer_id=nobody", vec![]),
        ("customer_id=c1&customer_id=c2", vec!["v1", "v2", "v3"]),
        ("page=home&limit=1&offset=1", vec!["v2"]),
    ] {
        assert_eq!(column(&service, &format!("/v1/views/visit?{query}"), "event_id"), expected, "{query}");
    }
    let page = service.get("/v1/views/visit?page=home&limit=1").good();
    assert_eq!((page["rows"].as_array().map(Vec::len), &page["more"]), (Some(1), &json!(true)));
    // Every view, by whatever it has.
    assert_eq!(column(&service, "/v1/views/points_entry?customer_id=c1&rule=adjustment", "points"), [50]);
    assert_eq!(column(&service, "/v1/views/tier?customer_id=c1", "tier"), ["A"]);
    assert_eq!(column(&service, "/v1/views/points_balance?member=true", "customer_id"), ["c1"]);
    assert_eq!(column(&service, "/v1/views/referral_rate?from=2009-06&until=2009-07", "city"), ["广州", "珠海, 香洲"]);
    let care = "/v1/views/care_task?customer_id=c1";
    assert_eq!(column(&service, &format!("{care}&state=due"), "due"), ["2009-07-01", "2009-06-29"]);
    assert_eq!(column(&service, &format!("{care}&from=2009-07&until=2009-08-01"), "due"), ["2009-07-01", "2009-07-13"]);
    assert_eq!(column(&service, &format!("{care}&due=2009-08-03"), "step"), ["call"]);
    assert_eq!(column(&service, "/v1/views/care_diagnosis?opened_on=2009-06-01", "reason"), ["no_mms_terminal"]);
    assert_eq!(column(&service, "/v1/views/care_count?reason=no_mms_terminal", "customers"), [1]);
    assert_eq!(column(&service, "/v1/views/ingest_ledger?status=rejected", "period"), ["2009-07"]);
}

#[test]
fn a_condition_that_means_nothing_is_refused() {
    let home = Home::new();
    let service = served(&home);
    let refused = |target: &str| service.get(&format!("/v1/views/{target}")).refused(400, "bad_request");
    assert_eq!(refused("visit?ctiy=x"), "visit has no such column; did you mean city?");
    assert_eq!(refused("points_entry?points=five"), "expected an integer for points");
    assert_eq!(refused("visit?member=yes"), "expected true or false for member");
    assert_eq!(refused("tier?since=2009-13"), "expected a month YYYY-MM for since");
    assert_eq!(refused("care_task?due=2009-7-1"), "expected a day YYYY-MM-DD for due");
    assert_eq!(refused("tier_count?from=2009-07-01"), "tier_count has no column of times for from and until");
    assert_eq!(refused("visit?from=2009-07-01&from=2009-07-02"), "from is given twice");
    for time in ["yesterday", "2009-02-30", "", "2009", "2009-07-01+10:00"] {
        assert!(refused(&format!("visit?until={time}")).starts_with("expected a day YYYY-MM-DD"), "{time}");
    }
}

#[test]
fn a_customer_is_found_by_his_number_which_is_never_told() {
    let home = Home::new();
    let service = served(&home);
    let token = column(&service, "/v1/views/member_points?customer_id=c1", "number")[0].clone();
    let token = token.as_str().expect("a token");
    assert!(token.len() == 32 && token.bytes().all(|byte| byte.is_ascii_hexdigit()), "{token}");
    for number in [token, "13812345678", "%2B86%20138-1234-5678"] {
        let target = format!("/v1/views/member_points?number={number}");
        assert_eq!(column(&service, &target, "customer_id"), ["c1"], "{number}");
    }
    assert_eq!(column(&service, "/v1/views/member_points?number=13800000000", "customer_id"), [""; 0]);
    assert_eq!(column(&service, "/v1/views/visit?number=", "event_id"), ["v4", "e6"]);
}

#[test]
fn staff_see_who_came_who_left_and_what_they_think() {
    let home = Home::new();
    let service = served(&home);
    let rows = |view: &str| {
        let mut rows = service.get(&format!("/v1/views/{view}")).good()["rows"].clone();
        rows.as_array_mut().expect("rows").iter_mut().for_each(|row| drop(row["number"].take()));
        rows
    };
    assert_eq!(
        rows("registration?customer_id=c1"),
        json!([{ "customer_id": "c1", "number": null, "city": "广州", "status": "active", "event_id": "e1",
                 "at": "2009-06-03 00:00:00", "channel_id": null }])
    );
    assert_eq!(
        rows("deregistration"),
        json!([{ "customer_id": "客户一", "number": null, "city": "珠海, 香洲", "status": "active", "event_id": "e4",
                 "at": "2009-06-06 00:00:00", "channel_id": null, "points_deducted": 10 }])
    );
    assert_eq!(
        rows("opinion?topic="),
        json!([{ "customer_id": "c3", "number": null, "city": "广州", "status": "closed", "event_id": "p2",
                 "at": "2009-07-01 00:00:00", "channel_id": "web", "topic": null, "member": false }])
    );
    assert_eq!(
        rows("member_points?member=true"),
        json!([{ "customer_id": "c1", "number": null, "city": "广州", "status": "active", "member": true,
                 "balance": 68, "rank": "private first class", "last_at": "2009-06-07 00:00:00" }])
    );
}

#[test]
fn a_download_has_a_name_and_no_formula() {
    let home = Home::new();
    let service = served(&home);
    let reply = service.get("/v1/views/visit?format=csv&customer_id=n001");
    assert_eq!(reply.header("content-disposition"), Some("attachment; filename=\"visit.csv\""));
    let row = reply.text().lines().nth(1).expect("a row");
    assert_eq!(row, "n001,,东莞,active,v4,2009-06-30 23:59:59,,'=2+5,false");
    // A program reads what is there.
    assert_eq!(column(&service, "/v1/views/visit?page=%3D2%2B5", "page"), ["=2+5"]);
}

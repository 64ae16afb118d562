//! The views as a program reads them: the list, pages, CSV.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::files::{assert_no_phone, province};
use crate::service::{Home, Service};

/// In the contract's order, those for staff before the last two.
pub const NAMES: [&str; 59] = [
    "customer_attribute",
    "tier",
    "tier_count",
    "tier_move",
    "segment_member",
    "segment_count",
    "points_entry",
    "points_balance",
    "points_spendable",
    "points_lot",
    "points_account",
    "points_imbalance",
    "points_change",
    "rank_count",
    "rank_move",
    "referral",
    "referral_tree",
    "referral_rate",
    "member_stage",
    "drive_share",
    "fit",
    "channel_preference",
    "best_hour",
    "target",
    "target_count",
    "target_excluded",
    "campaign",
    "campaign_change",
    "prize",
    "order_request",
    "effect",
    "effect_first_reported",
    "effect_by",
    "effect_rate",
    "effect_uplift",
    "effect_reach",
    "effect_revenue",
    "satisfaction",
    "complaint_count",
    "goal_progress",
    "goal_pace",
    "clause_review",
    "segment_profile",
    "segment_average",
    "channel_workload",
    "penetration",
    "penetration_growth",
    "service_health",
    "care_task",
    "care_diagnosis",
    "care_count",
    "member_points",
    "member_referral",
    "registration",
    "deregistration",
    "visit",
    "opinion",
    "quarantine",
    "ingest_ledger",
];

fn served(home: &Home) -> Service {
    let files = province();
    files.iter().for_each(|(name, text)| home.land(name, text));
    let service = home.serve();
    service.settle(files.len());
    service
}

fn csv(service: &Service, name: &str) -> String {
    let reply = service.get(&format!("/v1/views/{name}?format=csv"));
    assert_eq!((reply.status, reply.header("content-type")), (200, Some("text/csv; charset=utf-8")), "{name}");
    reply.text().to_owned()
}

fn records(text: &str) -> Vec<Vec<String>> {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(text.as_bytes());
    let record = |record: csv::StringRecord| record.iter().map(str::to_owned).collect();
    reader.records().map(|read| record(read.expect("a record"))).collect()
}

#[test]
fn the_list_names_every_view_with_its_columns() {
    let home = Home::new();
    let service = home.serve();
    let list = service.get("/v1/views").good();
    let list = list.as_array().expect("a list");
    let names: Vec<&str> = list.iter().filter_map(|view| view["name"].as_str()).collect();
    assert_eq!(names, NAMES);
    for view in list {
        assert!(view["about"].as_str().is_some_and(|about| about.len() > 10), "{view}");
        let name = view["name"].as_str().expect("a name");
        let mut header = csv(&service, name);
        // A view without rows is a header; campaigns are there before any customer is.
        if name == "campaign" {
            header.truncate(header.find('\n').map_or(0, |end| end + 1));
        }
        let columns: Vec<&str> =
            view["columns"].as_array().expect("columns").iter().filter_map(Value::as_str).collect();
        assert_eq!(header, columns.join(",") + "\n");
    }
}

/// A view without what a run tells differently: when and in which order files came, and tokens of numbers,
/// which depend on a key that a run has not.
fn comparable(text: &str) -> String {
    let rows = records(text);
    let header = rows[0].clone();
    let is_kept = |column: &str| !matches!(column, "accepted_at" | "epoch" | "number");
    let kept = |row: Vec<String>| {
        let cells = row.into_iter().zip(&header).filter(|(_, column)| is_kept(column)).map(|(cell, _)| cell);
        cells.collect::<Vec<_>>().join(",") + "\n"
    };
    rows.into_iter().map(kept).collect()
}

#[test]
fn csv_is_the_file_of_a_run_byte_for_byte() {
    let home = Home::new();
    let service = served(&home);
    let output = home.path().join("views");
    let run = Command::new(env!("CARGO_BIN_EXE_cohortflow"))
        .args(["run", "--programme"])
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/programmes/reference"))
        .arg("--input")
        .arg(home.landing())
        .arg("--output")
        .arg(&output)
        .output()
        .expect("it runs");
    assert_eq!(run.status.code(), Some(1), "{run:?}");
    // What was shown before, and how days stood when they closed, is the service's alone.
    let own = ["points_change", "effect_first_reported"];
    for name in NAMES.into_iter().filter(|name| !own.contains(name)) {
        let file = fs::read_to_string(output.join(format!("{name}.csv"))).expect("a view");
        let is_empty = ["points_imbalance", "order_request", "clause_review"].contains(&name);
        assert_eq!(file.lines().count() > 1, !is_empty, "{name}");
        assert_no_phone(&file, name);
        let told = csv(&service, name);
        assert_eq!(comparable(&told), comparable(&file), "{name}");
        let rows = records(&file);
        match rows[0].iter().position(|column| column == "number") {
            Some(at) => assert!(rows[1..].iter().all(|row| row[at].is_empty()), "{name}"),
            None if name == "ingest_ledger" => {}
            None => assert_eq!(told, file, "{name}"),
        }
    }
}

#[test]
fn pages_put_together_are_the_view() {
    let home = Home::new();
    let service = served(&home);
    for name in NAMES {
        let rows = records(&csv(&service, name));
        let (header, rows) = rows.split_first().expect("a header");
        let mut paged: Vec<Vec<String>> = Vec::new();
        loop {
            let page = service.get(&format!("/v1/views/{name}?limit=37&offset={}", paged.len())).good();
            assert_eq!(page["view"], name);
            let found = page["rows"].as_array().expect("rows");
            assert!(found.len() <= 37);
            paged.extend(found.iter().map(|row| cells(row, header)));
            if page["more"] == false {
                break;
            }
            assert_eq!(found.len(), 37);
        }
        assert_eq!(paged, rows, "{name}");
    }
}

/// The cells of a row as CSV has them: null empty.
fn cells(row: &Value, header: &[String]) -> Vec<String> {
    assert_eq!(row.as_object().expect("a row").keys().collect::<Vec<_>>(), header.iter().collect::<Vec<_>>());
    let cell = |value: &Value| match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        Value::Bool(truth) => truth.to_string(),
        other => panic!("{other}"),
    };
    header.iter().map(|column| cell(&row[column])).collect()
}

#[test]
fn a_page_has_bounds() {
    let home = Home::new();
    let service = served(&home);
    let all = records(&csv(&service, "tier")).len() - 1;
    for (query, rows, more) in [
        ("", all, false),
        ("?", all, false),
        ("?format=json", all, false),
        ("?limit=100000", all, false),
        ("?limit=0", 0, true),
        (&format!("?limit={all}"), all, false),
        (&format!("?limit={}", all - 1), all - 1, true),
        (&format!("?offset={}", all - 1), 1, false),
        (&format!("?offset={all}"), 0, false),
        ("?offset=18446744073709551615&limit=100000", 0, false),
    ] {
        let page = service.get(&format!("/v1/views/tier{query}")).good();
        assert_eq!(
            (page["rows"].as_array().map(Vec::len), page["more"].as_bool()),
            (Some(rows), Some(more)),
            "{query}"
        );
    }
    for query in [
        "limit=100001",
        "limit=-1",
        "offset=-1",
        "limit=",
        "limit=ten",
        "limit=1.5",
        "limit=99999999999999999999999",
        "offset=18446744073709551616",
        "limit=1&limit=2",
        "unknown=1",
        "format=xml",
        "format=CSV",
        "format=",
        "limit=%31%zz",
        "offset=%ff",
    ] {
        service.get(&format!("/v1/views/tier?{query}")).refused(400, "bad_request");
    }
}

#[test]
fn a_view_that_is_none_is_not_found_and_the_nearest_is_named() {
    let home = Home::new();
    let service = home.serve();
    for (name, near) in [("teir", "tier"), ("segment_members", "segment_member"), ("Tier", "tier")] {
        let message = service.get(&format!("/v1/views/{name}")).refused(404, "not_found");
        assert!(message.ends_with(&format!("did you mean {near}?")), "{message}");
    }
    for name in ["%e5%ae%a2%e6%88%b7", "..%2f..%2fkey", "tier%00", "tier/"] {
        service.get(&format!("/v1/views/{name}")).refused(404, "not_found");
    }
}

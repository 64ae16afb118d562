//! What is seen from outside: metrics, their dashboard and alerts, and a log, none of which tells of anybody.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use crate::feeds::follower::Follower;
use crate::handoff::{PROGRAMME, Town, release};
use crate::receiver::Receiver;
use crate::service::{Home, Service};
use crate::webhook;

/// Ids that must come out nowhere but where they are asked for.
pub const CANARIES: [&str; 2] = ["canary-7f3a", "kanarienvogel"];

/// Somebody whose ids and number are easy to recognise, in rows that are good, bad, and of a file that is refused.
pub fn canaries() -> Vec<(&'static str, String)> {
    let many = |line: &dyn Fn(usize) -> String| (0..400).map(line).collect::<String>();
    let [one, other] = CANARIES;
    vec![
        (
            "customer_2009-06.csv",
            format!(
                "customer_id,msisdn,gender\n{one},13812345678,f\n{other},13987654321,m\n{one}-bad,13700009999,{other}\n{}",
                many(&|number| format!("n{number},,m\n"))
            ),
        ),
        ("bill_2009-06.csv", format!("customer_id,month,total_fee\n{one},2009-06,80\n{other},2009-06,20\n")),
        ("bill_2009-05.csv", format!("customer_id,month,total_fee\n{one},2009-05,{other}\n")),
        ("listing_vip.csv", format!("list_id,customer_id\nvip,{one}\nvip,{other}\n")),
    ]
}

/// Asks whatever can be asked of somebody: by path, by query and in bodies, rightly and wrongly.
pub fn ask_everything(service: &Service, id: &str) {
    for target in [
        format!("/v1/customers/{id}"),
        format!("/v1/customers/{id}/standing"),
        format!("/v1/customers/{id}/why?tier"),
        format!("/v1/customers/{id}/fit"),
        format!("/v1/customers/{id}/nothing"),
        format!("/v1/products/{id}/fit"),
        format!("/v1/views/{id}"),
        format!("/v1/views/tier?customer_id={id}"),
        format!("/v1/views/tier?{id}={id}"),
        format!("/v1/views/tier/feed?after={id}"),
        format!("/v1/files/{id}/receipt"),
        format!("/{id}"),
        format!("/v1/campaigns/{id}"),
    ] {
        service.get(&target);
    }
    let by = json!({ "customer_id": id, "points": 5, "by": "zhang", "reason": id });
    service.post("/v1/adjustments", &by);
    service.post("/v1/adjustments", &json!({ "customer_id": id, "points": "5" }));
    service.post("/v1/optouts", &json!({ "customer_id": id, "by": "gateway", "reason": "STOP" }));
    service.post(&format!("/v1/lists/{id}"), &json!({ "add": [id], "by": "zhang", "reason": "x" }));
    service.post("/v1/replies", &json!({ "number": id, "text": id }));
    service.ask(id, "/v1/views", &[], b"");
    service.ask("POST", "/v1/programme", &[("content-type", "application/json")], id.as_bytes());
}

#[track_caller]
pub fn assert_no_canary(text: &str, place: &str) {
    for canary in CANARIES {
        assert!(!text.contains(canary), "{place} tells of {canary}: {text}");
    }
}

fn served(home: &Home, arguments: &[&str]) -> Service {
    let files = canaries();
    files.iter().for_each(|(name, text)| home.land(name, text));
    let service = home.serve_with(arguments);
    service.settle(files.len());
    service
}

/// Samples: series with their labels, and values.
fn samples(text: &str) -> BTreeMap<String, f64> {
    let lines = text.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
    lines
        .map(|line| line.rsplit_once(' ').expect("a sample"))
        .map(|(series, value)| (series.to_owned(), value.parse().expect("a number")))
        .collect()
}

fn name(series: &str) -> &str {
    series.split('{').next().expect("the first part")
}

/// Label names and values of a series.
fn labels(series: &str) -> Vec<(String, String)> {
    let Some((_, labels)) = series.split_once('{') else { return Vec::new() };
    labels
        .trim_end_matches('}')
        .split("\",")
        .map(|pair| pair.split_once("=\"").expect("a label"))
        .map(|(name, value)| (name.to_owned(), value.trim_end_matches('"').to_owned()))
        .collect()
}

#[test]
fn labels_are_of_bounded_sets_and_tell_of_nobody() {
    let home = Home::new();
    let service = served(&home, &[]);
    let mut follower = Follower::new("tier");
    follower.conditions = format!("customer_id={}", CANARIES[0]);
    follower.connect(&service);
    follower.read_to_mark();
    ask_everything(&service, CANARIES[0]);
    (0..50).for_each(|number| ask_everything(&service, &format!("n{number}")));
    let before = service.get("/metrics");
    // A hundred others later there are no more series than before, but for a class of answers that was rare.
    (50..150).for_each(|number| ask_everything(&service, &format!("n{number}")));
    let after = service.get("/metrics");
    let series = |text: &str| samples(text).into_keys().collect::<BTreeSet<_>>();
    let (before, after) = (series(before.text()), series(after.text()));
    let new: Vec<&String> =
        after.difference(&before).filter(|series| !series.starts_with("cohortflow_http_")).collect();
    assert!(new.is_empty(), "{new:?}");
    assert!(after.len() < before.len() + 200 && after.len() < 3000, "{} series, then {}", before.len(), after.len());
    let known = [
        "account", "channel", "family", "feed", "kind", "le", "method", "of", "outcome", "queue", "reason", "route",
        "stage", "status", "view",
    ];
    for series in &after {
        assert_no_canary(series, "a label");
        for (label, value) in labels(series) {
            assert!(known.contains(&&*label), "{label} of {series}");
            let is_word = value.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
            let is_fit = match &*label {
                "le" => value == "+Inf" || value.parse::<f64>().is_ok(),
                "method" => ["GET", "POST", "other"].contains(&&*value),
                "status" => ["1xx", "2xx", "3xx", "4xx", "5xx"].contains(&&*value),
                "route" => value == "none" || value.starts_with('/') && !value.contains("n1"),
                _ => is_word,
            };
            assert!(is_fit, "{label} is {value} of {series}");
        }
    }
    let of_card = "cohortflow_http_seconds_count{route=\"/v1/customers/{id}\",method=\"GET\",status=\"2xx\"}";
    assert!(after.contains(of_card), "{after:#?}");
}

#[test]
fn feeds_are_as_fresh_as_what_was_accepted_and_rows_are_set_aside_for_reasons() {
    let home = Home::new();
    let began = jiff::Timestamp::now().as_second() as f64;
    let service = served(&home, &[]);
    // A file is off the queue a moment after it is visible.
    let told = service.until("/metrics", |reply| {
        let told = samples(reply.text());
        (told.get("cohortflow_queue_length{queue=\"landing\"}") == Some(&0.0)).then_some(told)
    });
    let end = "2009-06-30T23:59:59+08:00".parse::<jiff::Timestamp>().expect("a moment").as_second() as f64;
    for (series, expected) in [
        ("cohortflow_bad_rows_total{feed=\"customer\",reason=\"not_in_set\"}", 1.0),
        ("cohortflow_refused_files_total{feed=\"bill\",reason=\"bad_rows\"}", 1.0),
        ("cohortflow_period_timestamp_seconds{feed=\"bill\"}", end),
        ("cohortflow_queue_length{queue=\"landing\"}", 0.0),
        ("cohortflow_queue_length{queue=\"held\"}", 0.0),
        ("cohortflow_chunk_rows{kind=\"bills\"}", 2.0),
        ("cohortflow_chunk_rows{kind=\"customers\"}", 402.0),
        ("cohortflow_ready", 1.0),
    ] {
        assert_eq!(told.get(series), Some(&expected), "{series} of {told:#?}");
    }
    let accepted = told["cohortflow_accepted_timestamp_seconds{feed=\"customer\"}"];
    assert!((began - 1.0..began + 120.0).contains(&accepted), "{began} {accepted}");
    assert!(!told.contains_key("cohortflow_period_timestamp_seconds{feed=\"listing\"}"), "no month is in its name");
    for stage in ["decode", "commit", "visible"] {
        let count = told[&format!("cohortflow_file_seconds_count{{feed=\"customer\",stage=\"{stage}\"}}")];
        assert_eq!(count, 1.0, "{stage}");
    }
}

#[test]
fn a_log_tells_of_nobody_whatever_is_asked() {
    for format in ["text", "json"] {
        let home = Home::new();
        // As much as can be told, and what other crates tell.
        let mut command = Command::new(env!("CARGO_BIN_EXE_cohortflow"));
        command.args(["--log", "trace", "--log-format", format, "serve", "--http", "127.0.0.1:0", "--poll", "10"]);
        command.args(["--pg", "off", "--landing"]).arg(home.landing()).arg("--data").arg(home.data());
        let command = home.at_home(command);
        let service = if format == "json" { Service::start_as(command, as_json) } else { Service::start(command) };
        let files = canaries();
        files.iter().for_each(|(name, text)| home.land(name, text));
        service.settle(files.len());
        CANARIES.iter().for_each(|id| ask_everything(&service, id));
        service.post("/v1/verify", &json!({})).good();
        let told = service.told();
        assert!(told.contains("accepted") && told.contains("bill_2009-05.csv"), "{told}");
        assert_no_canary(&told, "the log");
        if format == "json" {
            for line in told.lines() {
                let line: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
                let has = |member: &str| line[member].as_str().is_some_and(|text| !text.is_empty());
                assert!(has("timestamp") && has("level") && has("message"), "{line}");
            }
        }
        service.stop();
    }
}

/// A line that was told as JSON, as it would have been told otherwise.
fn as_json(line: &str) -> String {
    let line: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
    line["message"].as_str().expect("a message").to_owned()
}

/// Every metric that a running service tells, by name.
fn told_by_a_service() -> BTreeSet<String> {
    let town = Town::new(PROGRAMME);
    let receiver = Receiver::new(|_| Some(410));
    town.home.land("bill_2009-06.csv", "customer_id,month,total_fee\nc1,2009-06,x\n");
    let rows: String = (0..400).map(|number| format!("c1,y{number},5\n")).collect();
    town.home.land("score_2009-06.csv", format!("customer_id,model,value\nc1,x,bad\n{rows}"));
    let secret = town.home.path().join("secret");
    let of_view = [format!("tier=http://{}/feed", receiver.address), format!("tier={}", secret.display())];
    let more = ["--feed-webhook", &of_view[0], "--feed-webhook-secret-file", &of_view[1]];
    let service = webhook::serve_with(&town, &receiver, "1", &more);
    let mut follower = Follower::new("tier");
    follower.connect(&service);
    follower.read_to_mark();
    release(&service);
    webhook::until(&service, "dead", 6);
    service.post("/v1/verify", &json!({})).good();
    #[cfg(feature = "sql")]
    service.post("/v1/query", &json!({ "sql": "SELECT count(*) FROM tier" })).good();
    service.until("/metrics", |reply| {
        let told: BTreeSet<String> = samples(reply.text()).keys().map(|series| name(series).to_owned()).collect();
        // A statement is counted once its work has ended, which may be after its answer.
        let has_statement = cfg!(not(feature = "sql")) || told.contains("cohortflow_sql_seconds_count");
        let is_posted = told.contains("cohortflow_feed_webhook_total");
        (has_statement && is_posted && told.contains("cohortflow_refused_files_total")).then_some(told)
    })
}

/// The names of metrics in a query, with the labels that it names.
fn named(query: &str) -> BTreeSet<String> {
    let is_name = |character: char| character.is_ascii_alphanumeric() || character == '_';
    query
        .split(|character| !is_name(character))
        .filter(|word| word.starts_with("cohortflow_"))
        .map(str::to_owned)
        .collect()
}

/// Holds the queries of a file to what a service tells.
fn check(queries: &[String], told: &BTreeSet<String>, file: &str) {
    assert!(queries.len() > 10, "{file} has {queries:?}");
    for query in queries {
        let names = named(query);
        assert!(!names.is_empty(), "{file}: {query} asks for nothing of ours");
        for name in names {
            let is_of_sql = name.starts_with("cohortflow_sql_") && cfg!(not(feature = "sql"));
            assert!(told.contains(&name) || is_of_sql, "{file}: there is no {name}, which {query} asks for");
        }
    }
}

#[test]
fn the_dashboard_and_the_alerts_ask_for_what_is_told() {
    let told = told_by_a_service();
    let ops = Path::new(env!("CARGO_MANIFEST_DIR")).join("ops");
    let dashboard = fs::read_to_string(ops.join("grafana/cohortflow.json")).expect("a file");
    let dashboard: Value = serde_json::from_str(&dashboard).expect("JSON");
    let panels = dashboard["panels"].as_array().expect("panels");
    let targets = panels.iter().flat_map(|panel| panel["targets"].as_array().expect("targets"));
    let queries: Vec<String> = targets.map(|target| target["expr"].as_str().expect("a query").to_owned()).collect();
    check(&queries, &told, "the dashboard");
    let ids: BTreeSet<_> = panels.iter().map(|panel| panel["id"].as_u64().expect("an id")).collect();
    assert_eq!(ids.len(), panels.len(), "two panels have the same id");
    let alerts = fs::read_to_string(ops.join("prometheus/alerts.yml")).expect("a file");
    check(&queries_of(&alerts), &told, "the alerts");
}

/// The queries of alert rules: of the part of YAML that they are written in, line by line.
fn queries_of(alerts: &str) -> Vec<String> {
    let (mut queries, mut names) = (Vec::new(), BTreeSet::new());
    for line in alerts.lines().filter(|line| !line.trim_start().starts_with('#')) {
        let text = line.trim_start();
        let depth = line.len() - text.len();
        let (key, value) = text.trim_start_matches("- ").split_once(':').unwrap_or_else(|| panic!("no key: {line}"));
        let value = value.trim();
        match (depth, key) {
            (0, "groups") | (4, "rules") | (8, "labels" | "annotations") => assert_eq!(value, "", "{line}"),
            (2, "name") | (8, "for") | (10, "severity" | "summary" | "description") => assert_ne!(value, "", "{line}"),
            (6, "alert") => assert!(names.insert(value.to_owned()), "twice: {line}"),
            (8, "expr") => queries.push(value.to_owned()),
            _ => panic!("unexpected: {line}"),
        }
        // A plain scalar that would be taken apart.
        assert!(
            !value.contains(": ")
                && !value.contains(" #")
                && !value.starts_with(['{', '[', '"', '\'', '|', '>', '&', '*', '!', '%', '@']),
            "{line}"
        );
    }
    assert_eq!(queries.len(), names.len());
    queries
}

#[test]
fn every_metric_has_a_text_and_a_moment_is_none_of_the_future() {
    let home = Home::new();
    let service = served(&home, &[]);
    service.post("/v1/verify", &json!({})).good();
    let text = service.get("/metrics");
    let described: BTreeSet<&str> =
        text.text().lines().filter_map(|line| line.strip_prefix("# HELP ")?.split(' ').next()).collect();
    let now = jiff::Timestamp::now().as_second() as f64;
    for (series, value) in samples(text.text()) {
        let name = name(&series);
        let family = ["_bucket", "_sum", "_count"].iter().find_map(|end| name.strip_suffix(end)).unwrap_or(name);
        assert!(described.contains(name) || described.contains(family), "no text of {name}");
        let is_moment = name.ends_with("_timestamp_seconds");
        assert!(!is_moment || value > 0.0 && value <= now + 1.0, "{series} is {value}");
    }
}

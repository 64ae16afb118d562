//! Whether it lives, whether it can be relied on, and what Prometheus sees.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use crate::files::province;
use crate::service::Home;

#[test]
fn a_service_without_files_is_healthy_and_ready() {
    let home = Home::new();
    let service = home.serve();
    let health = service.get("/healthz");
    assert_eq!((health.status, health.text()), (200, "ok\n"));
    let ready = service.get("/readyz").good();
    assert_eq!(ready["ready"], true);
    assert_eq!(ready["reasons"], serde_json::json!([]));
    assert!(ready["epoch"].as_u64().is_some_and(|epoch| epoch > 0), "{ready}");
}

#[test]
fn a_landing_directory_that_is_gone_is_a_reason_until_it_is_back() {
    let home = Home::new();
    let service = home.serve();
    let aside = home.path().join("aside");
    fs::rename(home.landing(), &aside).expect("moved");
    let ready = service.until("/readyz", |reply| (reply.status == 503).then(|| reply.json()));
    assert_eq!(ready["ready"], false);
    let reason = ready["reasons"][0].as_str().expect("a reason");
    assert!(reason.contains("landing directory") && reason.contains("No such file"), "{reason}");
    // It lives, and answers from what it has.
    assert_eq!(service.get("/healthz").status, 200);
    service.get("/v1/views/tier").good();
    fs::rename(&aside, home.landing()).expect("moved back");
    service.until("/readyz", |reply| (reply.status == 200).then_some(()));
    home.land("listing_vip.csv", "list_id,customer_id\nvip,c1\n");
    service.settle(1);
}

/// A sample's name with its labels, and its value.
type Samples = BTreeMap<String, f64>;

/// Reads Prometheus' text format, strictly.
fn samples(text: &str) -> Samples {
    let (mut samples, mut types) = (Samples::new(), BTreeMap::new());
    for line in text.lines().filter(|line| !line.is_empty()) {
        if let Some(comment) = line.strip_prefix("# ") {
            let words: Vec<&str> = comment.splitn(3, ' ').collect();
            let [kind, name, rest] = words[..] else { panic!("{line}") };
            assert!(kind == "HELP" || kind == "TYPE", "{line}");
            if kind == "TYPE" {
                assert!(["counter", "gauge", "histogram", "summary"].contains(&rest), "{line}");
                assert!(types.insert(name.to_owned(), rest.to_owned()).is_none(), "two types: {line}");
            }
            continue;
        }
        let (series, value) = line.rsplit_once(' ').unwrap_or_else(|| panic!("{line}"));
        let name = series.split('{').next().expect("the first part");
        let is_name = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b':';
        assert!(name.bytes().all(is_name) && name.starts_with("cohortflow_"), "{line}");
        assert_eq!(series.contains('{'), series.ends_with('}'), "{line}");
        let family = ["_bucket", "_sum", "_count"].iter().find_map(|end| name.strip_suffix(end)).unwrap_or(name);
        assert!(types.contains_key(name) || types.contains_key(family), "no type before {line}");
        let value = value.parse().unwrap_or_else(|error| panic!("{line}: {error}"));
        assert!(samples.insert(series.to_owned(), value).is_none(), "twice: {line}");
    }
    samples
}

#[test]
fn metrics_count_what_was_taken() {
    let home = Home::new();
    let files = province();
    files.iter().for_each(|(name, text)| home.land(name, text));
    let service = home.serve();
    let epoch = service.settle(files.len());
    let metrics = service.until("/metrics", |reply| {
        let metrics = samples(reply.text());
        (metrics.get("cohortflow_epoch") == Some(&(epoch as f64))).then_some(metrics)
    });
    for (series, expected) in [
        ("cohortflow_files_total{feed=\"bill\",outcome=\"accepted\"}", 6.0),
        ("cohortflow_files_total{feed=\"bill\",outcome=\"rejected\"}", 1.0),
        ("cohortflow_files_total{feed=\"customer\",outcome=\"accepted\"}", 1.0),
        ("cohortflow_rows_total{feed=\"bill\"}", 6.0 * 200.0),
        ("cohortflow_bad_rows_total{feed=\"customer\",reason=\"date\"}", 1.0),
        ("cohortflow_bad_rows_total{feed=\"customer\",reason=\"not_in_set\"}", 1.0),
        ("cohortflow_pending_rows", 0.0),
        ("cohortflow_live_rows", 6.0 * 200.0 + 200.0 + 2.0 + 3.0 + 8.0 + 1.0 + 2.0 + 1.0 + 1.0 + 4.0 + 5.0),
    ] {
        assert_eq!(metrics.get(series), Some(&expected), "{series} of {metrics:#?}");
    }
    for series in ["cohortflow_log_bytes", "cohortflow_resident_bytes", "cohortflow_as_of_month"] {
        assert!(metrics.get(series).is_some_and(|value| *value > 0.0), "{series}");
    }
    let count = metrics["cohortflow_visible_seconds_count"];
    assert!(count > 0.0);
    assert_eq!(metrics.get("cohortflow_visible_seconds_bucket{le=\"+Inf\"}"), Some(&count));
    // Labels are feeds and outcomes, never names of files: their number stays bounded.
    let labels: BTreeSet<&str> =
        metrics.keys().filter_map(|series| series.split_once('{')).map(|(_, labels)| labels).collect();
    assert!(labels.iter().all(|labels| !labels.contains("2009")), "{labels:?}");
    assert_eq!(service.get("/metrics").header("content-type"), Some("text/plain; version=0.0.4"));
}

/// A service whose log nobody reads any more goes on taking files.
#[test]
fn a_log_that_nobody_reads_does_not_end_the_service() {
    let home = Home::new();
    let mut service = home.serve();
    service.stop_listening();
    let files = province();
    files.iter().for_each(|(name, text)| home.land(name, text));
    service.settle(files.len());
    service.get("/v1/customers/c1").good();
    assert!(service.is_running());
    service.stop();
}

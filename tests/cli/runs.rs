//! `run` on small directories.

use std::fs::{self, File};
use std::path::Path;

use arrow::util::display::array_value_to_string;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use crate::binary::{cohortflow, directory, listing, run};
use crate::files::{assert_no_phone, province};

const VIEWS: usize = 58;

/// The province without the file that is refused.
fn good() -> Vec<(String, String)> {
    province().into_iter().filter(|(name, _)| name != "bill_2009-07.csv").collect()
}

#[test]
fn quarantined_rows_only_warn() {
    let (input, home) = (directory(&good()), tempfile::tempdir().expect("a directory"));
    let output = home.path().join("made").join("views");
    let told = run(input.path(), &output, &[]).done();
    assert!(
        told.stderr.contains("warning: \"customer_2009-06.csv\": 2 of 202 rows are in quarantine"),
        "{}",
        told.stderr
    );
    assert!(told.stdout.is_empty(), "{}", told.stdout);
    let views = listing(&output);
    assert_eq!(views.len(), VIEWS);
    for (name, text) in &views {
        let text = std::str::from_utf8(text).expect("UTF-8");
        assert_no_phone(text, name);
        assert_eq!(
            text.lines().count() > 1,
            !["points_imbalance.csv", "order_request.csv", "clause_review.csv"].contains(&name.as_str()),
            "{name}"
        );
    }
    let quarantine = fs::read_to_string(output.join("quarantine.csv")).expect("a view");
    assert!(quarantine.contains("customer_2009-06.csv,202,birth_date,"), "{quarantine}");
}

#[test]
fn a_rejected_file_answers_no_and_the_others_are_taken() {
    let (input, home) = (directory(&province()), tempfile::tempdir().expect("a directory"));
    let told = run(input.path(), home.path(), &[]).ended(1);
    let error = told.error();
    assert!(error.starts_with("error: could not take extract \"bill_2009-07.csv\": 1 of 1 rows"), "{error}");
    assert!(error.contains("line 2, column \"total_fee\"") && error.contains("\nhint: "), "{error}");
    let ledger = fs::read_to_string(home.path().join("ingest_ledger.csv")).expect("a view");
    assert!(ledger.contains("bill,2009-07,,1,rejected,1,1,"), "{ledger}");
    assert_eq!(ledger.matches(",accepted,").count(), 18);
    // The rejected bill moved nothing: as_of is the month before.
    let attributes = fs::read_to_string(home.path().join("customer_attribute.csv")).expect("a view");
    assert!(attributes.lines().skip(1).all(|line| line.contains(",2009-06,")), "{attributes}");
}

#[test]
fn names_that_are_none_of_ours_are_left_alone_and_malformed_ones_answer_no() {
    let files = |names: &[&str]| names.iter().map(|name| ((*name).to_owned(), String::new())).collect::<Vec<_>>();
    let home = tempfile::tempdir().expect("a directory");
    let input = directory(&files(&["notes.txt", "activity_2009-06.csv", ".bill_2009-06.csv", "bill_2009-06.csv.tmp"]));
    let told = run(input.path(), home.path(), &[]).done();
    assert!(told.stderr.contains("warning: left activity_2009-06.csv alone"), "{}", told.stderr);
    assert!(!told.stderr.contains("bill_2009-06"), "{}", told.stderr);
    let input = directory(&files(&["bill_2009-13.csv"]));
    let told = run(input.path(), home.path(), &[]).ended(1);
    assert!(told.error().starts_with("error: could not take extract \"bill_2009-13.csv\": "), "{}", told.stderr);
}

#[test]
fn hand_offs_are_refused_with_the_feed_to_deliver() {
    let handoff = "contact_id,campaign_id,step,customer_id,channel_id,at,arm,cost\n".to_owned();
    let (input, home) =
        (directory(&[("handoff_2009-06.csv".to_owned(), handoff)]), tempfile::tempdir().expect("a directory"));
    let told = run(input.path(), home.path(), &[]).ended(1);
    let refusal = "error: could not take extract \"handoff_2009-06.csv\": the feed handoff is internal";
    assert!(told.error().starts_with(refusal), "{}", told.stderr);
    assert!(told.stderr.contains("hint: Deliver past contacts as feed contact."), "{}", told.stderr);
}

#[test]
fn an_empty_directory_gives_views_of_a_header() {
    let (input, home) = (tempfile::tempdir().expect("a directory"), tempfile::tempdir().expect("a directory"));
    run(input.path(), home.path(), &[]).done();
    let views = listing(home.path());
    assert_eq!(views.len(), VIEWS);
    // Campaigns are there before any customer is.
    for (name, text) in views.iter().filter(|(name, _)| name != "campaign.csv") {
        assert_eq!(text.iter().filter(|byte| **byte == b'\n').count(), 1, "{name}");
    }
}

#[test]
fn parquet_and_csv_tell_the_same() {
    let (input, home) = (directory(&province()), tempfile::tempdir().expect("a directory"));
    let (csv, parquet) = (home.path().join("csv"), home.path().join("parquet"));
    run(input.path(), &csv, &[]).ended(1);
    run(input.path(), &parquet, &["--format", "parquet", "--workers", "2"]).ended(1);
    for (name, bytes) in listing(&csv) {
        let view = name.strip_suffix(".csv").expect("a CSV file");
        let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(&bytes[..]);
        let rows = reader.records().map(|record| record.expect("a record").iter().map(str::to_owned).collect());
        let expected: Vec<Vec<String>> = rows.collect();
        let found = parquet_rows(&parquet.join(format!("{view}.parquet")));
        if view == "ingest_ledger" {
            // The second run may fall into another second.
            let timeless =
                |rows: &[Vec<String>]| rows.iter().map(|row| [&row[..8], &row[9..]].concat()).collect::<Vec<_>>();
            assert_eq!(timeless(&found), timeless(&expected));
        } else {
            assert_eq!(found, expected, "{view}");
        }
        assert_eq!(found.len() > 1, !["points_imbalance", "order_request", "clause_review"].contains(&view), "{view}");
        found.iter().flatten().for_each(|cell| assert_no_phone(cell, view));
    }
}

fn parquet_rows(path: &Path) -> Vec<Vec<String>> {
    let file = File::open(path).expect("a file");
    let reader = ParquetRecordBatchReaderBuilder::try_new(file).expect("Parquet");
    let header = reader.schema().fields().iter().map(|field| field.name().clone()).collect();
    let mut rows = vec![header];
    for batch in reader.build().expect("Parquet") {
        let batch = batch.expect("a batch");
        let cell = |row| move |column: &arrow::array::ArrayRef| array_value_to_string(column, row).expect("a value");
        rows.extend((0..batch.num_rows()).map(|row| batch.columns().iter().map(cell(row)).collect()));
    }
    rows
}

#[test]
fn running_again_replaces_the_views() {
    let (input, home) = (directory(&good()), tempfile::tempdir().expect("a directory"));
    fs::write(home.path().join("customer_attribute.csv"), "stale").expect("written");
    run(input.path(), home.path(), &[]).done();
    let first = fs::read(home.path().join("customer_attribute.csv")).expect("a view");
    fs::remove_file(input.path().join("bill_2009-06.csv")).expect("removed");
    run(input.path(), home.path(), &[]).done();
    assert_ne!(fs::read(home.path().join("customer_attribute.csv")).expect("a view"), first);
    assert!(listing(home.path()).iter().all(|(name, _)| !name.starts_with('.')));
}

#[test]
fn a_programme_may_be_one_file() {
    let (input, home) = (directory(&good()), tempfile::tempdir().expect("a directory"));
    let programme = home.path().join("own.toml");
    fs::write(&programme, "[[segment]]\nid = \"东莞\"\nwhen = \"city = '东莞' and avg_fee >= 100\"\n")
        .expect("written");
    let output = home.path().join("views");
    let arguments = ["run".as_ref(), "--programme".as_ref(), programme.as_os_str(), "--input".as_ref()];
    cohortflow(arguments.into_iter().chain([input.path().as_os_str(), "--output".as_ref(), output.as_os_str()])).done();
    let members = fs::read_to_string(output.join("segment_member.csv")).expect("a view");
    assert_eq!(members.lines().nth(1), Some("东莞,n097"), "{members}");
}

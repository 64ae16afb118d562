//! Every view by SQL: the rows that `run` exports; and of a customer, those of his that all rows have.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use cohortflow::query::{Kind, VIEWS, View};

use crate::client::{Row, Served, rows};
use crate::service::Home;

/// More than a chunk holds, so that parts are put together.
const CUSTOMERS: &str = "5000";

/// Views whose rows are the service's alone, or tell when it took what.
const OWN: [&str; 2] = ["effect_first_reported", "points_change"];

/// Columns of the ledger that tell when a file was taken.
const WHEN: [&str; 2] = ["accepted_at", "epoch"];

fn cohortflow(arguments: &[&str], paths: &[&Path]) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cohortflow"));
    let output = command.args(arguments).args(paths).output().expect("it runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// A province that has landed, what `run` makes of it, and a service that has taken it.
fn province() -> (Home, tempfile::TempDir, Served) {
    let (home, output) = (Home::new(), tempfile::tempdir().expect("a directory"));
    let made = tempfile::tempdir().expect("a directory");
    let sizes = ["generate", "--customers", CUSTOMERS, "--months", "4", "--from", "2009-04", "--seed", "7", "--output"];
    cohortflow(&sizes, &[made.path()]);
    // Who takes part in a draw, here and there among everybody.
    let mut drawn = "feedback_id,campaign_id,customer_id,kind,at\n".to_owned();
    for number in (0..5000).step_by(125) {
        drawn.push_str(&format!("draw{number},holiday_greetings,C{number:09},order,2009-07-10 10:00:00\n"));
    }
    std::fs::write(made.path().join("feedback_2009-07_draw.csv"), drawn).expect("written");
    let programme = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/programmes/reference");
    let mut files = 0;
    for entry in std::fs::read_dir(made.path()).expect("listed") {
        let entry = entry.expect("an entry");
        let name = entry.file_name().into_string().expect("a name");
        let feed = name.split('_').next().unwrap_or_default();
        if ["activity", "cell", "happening", "ping", "tie"].contains(&feed) {
            std::fs::remove_file(entry.path()).expect("removed");
            continue;
        }
        files += usize::from(!name.ends_with(".ok"));
        std::fs::copy(entry.path(), home.landing().join(&name)).expect("landed");
    }
    let run = ["run", "--programme", programme.to_str().expect("a path"), "--input"];
    cohortflow(&run, &[made.path(), Path::new("--output"), output.path()]);
    let served = Served::of(&home);
    served.service.settle(files);
    (home, output, served)
}

/// The rows of a file, as SQL would tell them.
fn exported(view: &View, directory: &Path) -> Vec<Row> {
    let mut reader = csv::Reader::from_path(directory.join(format!("{}.csv", view.name))).expect("written");
    let row = |record: csv::StringRecord| {
        record.iter().map(|text| Some(text.to_owned()).filter(|text| !text.is_empty())).collect()
    };
    reader.records().map(|record| row(record.expect("a row"))).collect()
}

/// Rows as files have them: truths in words, no tokens, not when a file came.
fn as_exported(view: &View, rows: Vec<Row>) -> Vec<Row> {
    let cell = |(column, cell): (&cohortflow::query::Column, Option<String>)| match column.kind {
        Kind::Boolean => cell.map(|truth| if truth == "t" { "true".to_owned() } else { "false".to_owned() }),
        Kind::Token => None,
        _ if view.name == "ingest_ledger" && WHEN.contains(&column.name) => None,
        _ => cell,
    };
    let mut rows: Vec<Row> = rows.into_iter().map(|row| view.columns.iter().zip(row).map(cell).collect()).collect();
    rows.sort();
    rows
}

#[test]
fn sql_tells_what_run_exports_and_of_a_customer_what_all_rows_have_of_him() {
    let (_home, output, served) = province();
    let mut client = served.connect();
    let mut with_rows = 0;
    for view in VIEWS {
        let all = rows(&mut client, &format!("SELECT * FROM {}", view.name));
        with_rows += usize::from(!all.is_empty());
        if !OWN.contains(&view.name) {
            let mut exported = exported(view, output.path());
            if view.name == "ingest_ledger" {
                let when = |place: &usize| WHEN.contains(&view.columns[*place].name);
                let when: Vec<usize> = (0..view.columns.len()).filter(when).collect();
                exported.iter_mut().for_each(|row| when.iter().for_each(|place| row[*place] = None));
            }
            exported.sort();
            let told = as_exported(view, all.clone());
            assert_eq!(told.len(), exported.len(), "{}", view.name);
            for (told, exported) in told.iter().zip(&exported) {
                assert_eq!(told, exported, "{}", view.name);
            }
        }
        of_customers(&mut client, view, all);
    }
    assert!(with_rows > 45, "only {with_rows} views have rows");
}

/// Customers here and there, in chunks apart, and somebody who is nobody.
fn of_customers(client: &mut postgres::Client, view: &View, all: Vec<Row>) {
    let Some(place) = view.columns.iter().position(|column| column.name == "customer_id") else { return };
    let mut by_customer: BTreeMap<String, Vec<Row>> = BTreeMap::new();
    for row in all {
        by_customer.entry(row[place].clone().unwrap_or_default()).or_default().push(row);
    }
    let step = by_customer.len() / 7 + 1;
    let mut ids: Vec<String> = by_customer.keys().step_by(step).cloned().collect();
    ids.push("nobody".to_owned());
    let wanted = |ids: &[String]| {
        let mut rows: Vec<Row> = ids.iter().filter_map(|id| by_customer.get(id)).flatten().cloned().collect();
        rows.sort();
        rows
    };
    let mut told = |condition: String| {
        let mut rows = rows(client, &format!("SELECT * FROM {} WHERE customer_id {condition}", view.name));
        rows.sort();
        rows
    };
    for id in &ids {
        assert_eq!(told(format!("= '{id}'")), wanted(std::slice::from_ref(id)), "{} of {id}", view.name);
    }
    let list = ids.iter().map(|id| format!("'{id}'")).collect::<Vec<_>>().join(", ");
    assert_eq!(told(format!("IN ({list})")), wanted(&ids), "{}", view.name);
}

#[test]
fn what_one_customer_is_told_of_fit_and_prizes_is_reckoned_among_everybody() {
    // It was reckoned among the customers of his chunk, where there is more than one.
    let (_home, _output, served) = province();
    let mut client = served.connect();
    for (view, column) in [("fit", "score"), ("prize", "place")] {
        let mut by_customer: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for row in rows(&mut client, &format!("SELECT customer_id, {column} FROM {view}")) {
            let [Some(customer), Some(value)] = row.as_slice() else { panic!("{view}: {row:?}") };
            by_customer.entry(customer.clone()).or_default().push(value.clone());
        }
        assert!(!by_customer.is_empty(), "{view}");
        let step = by_customer.len() / 20 + 1;
        for (customer, mut expected) in by_customer.into_iter().step_by(step) {
            let reply = served.service.get(&format!("/v1/views/{view}?customer_id={customer}")).good();
            let text = |row: &serde_json::Value| row[column].to_string().trim_matches('"').to_owned();
            let mut told: Vec<String> = reply["rows"].as_array().expect("rows").iter().map(text).collect();
            told.sort();
            expected.sort();
            assert_eq!(told, expected, "{view} of {customer}");
        }
    }
}

#[test]
fn views_are_joined_grouped_and_windowed_as_sql_says() {
    let (_home, _output, served) = province();
    let mut client = served.connect();
    for (one, other) in [
        // Counts are those of the rows.
        (
            "SELECT tier, sum(customers) FROM tier_count GROUP BY tier ORDER BY tier",
            "SELECT tier, count(*) FROM tier GROUP BY 1 ORDER BY 1",
        ),
        (
            "SELECT segment, sum(customers) FROM segment_count GROUP BY segment HAVING sum(customers) > 0 ORDER BY 1",
            "SELECT segment, count(*) FROM segment_member GROUP BY segment ORDER BY 1",
        ),
        (
            "SELECT sum(balance) FROM points_balance",
            "WITH lots AS (SELECT customer_id, sum(points) AS points FROM points_entry GROUP BY 1) SELECT sum(points) FROM lots",
        ),
        (
            "SELECT count(*) FROM tier LEFT JOIN points_balance USING (customer_id) WHERE points_balance.customer_id IS NULL",
            "SELECT count(*) FROM tier t WHERE NOT EXISTS (SELECT 1 FROM points_balance p WHERE p.customer_id = t.customer_id)",
        ),
        (
            "SELECT customer_id FROM points_balance ORDER BY balance DESC, customer_id LIMIT 5",
            "SELECT customer_id FROM (SELECT customer_id, row_number() OVER (ORDER BY balance DESC, customer_id) AS place \
             FROM points_balance) ranked WHERE place <= 5 ORDER BY place",
        ),
        (
            "SELECT count(DISTINCT customer_id) FROM segment_member WHERE segment IN ('car_owner', 'business_person')",
            "SELECT count(*) FROM (SELECT customer_id FROM segment_member WHERE segment = 'car_owner' \
             UNION SELECT customer_id FROM segment_member WHERE segment = 'business_person') either",
        ),
        (
            "SELECT count(*) FROM customer_attribute WHERE avg_fee >= 80.5",
            "SELECT count(*) FILTER (WHERE avg_fee >= 80.50) FROM customer_attribute",
        ),
    ] {
        let (one_rows, other_rows) = (rows(&mut client, one), rows(&mut client, other));
        assert!(!one_rows.is_empty(), "{one}");
        assert_eq!(one_rows, other_rows, "{one}\n{other}");
    }
}

#[test]
fn a_condition_on_the_column_of_a_join_is_on_the_joined_one() {
    let home = Home::new();
    home.land("customer_2009-07.csv", "customer_id,city\nc1,a\nc2,b\nc3,a\n");
    home.land("bill_2009-07.csv", "customer_id,month,total_fee\nc1,2009-07,50\nc2,2009-07,60\nc3,2009-07,70\n");
    let served = Served::of(&home);
    served.service.settle(2);
    let mut client = served.connect();
    let one = "(SELECT customer_id, 1 AS a FROM tier WHERE customer_id <= 'c2') AS one";
    let two = "(SELECT customer_id, 2 AS b FROM tier WHERE customer_id >= 'c2') AS two";
    for (join, condition, expected) in [
        ("JOIN", "customer_id = 'c2'", "c2 1 2"),
        ("JOIN", "customer_id = 'c1'", ""),
        ("LEFT JOIN", "customer_id < 'c2'", "c1 1 null"),
        ("RIGHT JOIN", "CUSTOMER_ID > 'c2'", "c3 null 2"),
        ("FULL JOIN", "customer_id <> 'c2'", "c1 1 null,c3 null 2"),
        // Within it names are others.
        ("JOIN", "EXISTS (SELECT 1 FROM tier WHERE customer_id = 'c3')", "c2 1 2"),
    ] {
        let text = format!("SELECT a, b FROM {one} {join} {two} USING (customer_id) WHERE {condition} ORDER BY a, b");
        let text = text.replacen("SELECT a, b", "SELECT coalesce(one.customer_id, two.customer_id), a, b", 1);
        let told: Vec<String> = rows(&mut client, &text)
            .into_iter()
            .map(|row| {
                row.into_iter().map(|cell| cell.unwrap_or_else(|| "null".to_owned())).collect::<Vec<_>>().join(" ")
            })
            .collect();
        assert_eq!(told.join(","), expected, "{join} {condition}");
    }
    let text = "SELECT customer_id FROM tier JOIN customer_attribute USING (customer_id) JOIN tier AS again USING (customer_id) \
                WHERE customer_id > 'c1' AND again.tier = tier.tier ORDER BY customer_id";
    assert_eq!(rows(&mut client, text).len(), 2);
    let text = "SELECT customer_id, count(*) FROM tier JOIN customer_attribute USING (customer_id) JOIN tier AS again USING (customer_id) \
                GROUP BY customer_id HAVING customer_id < 'c3' ORDER BY customer_id DESC";
    let told: Vec<_> =
        rows(&mut client, text).into_iter().map(|row| row.into_iter().flatten().collect::<Vec<_>>()).collect();
    assert_eq!(told, [["c2", "1"], ["c1", "1"]]);
}

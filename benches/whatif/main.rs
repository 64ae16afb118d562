//! What-if figures: what an edit would change for a million customers, and ten bounds of a rule at once.
//!
//! `cargo bench --bench whatif`; each run is a process of its own, and the median of `--runs` (default 3) is told. Beside
//! them a floor: a plain loop over the columns that the edited rule reads, on every core, in the same process.

#[path = "../common/mod.rs"]
mod common;

use std::fmt::Write as _;
use std::fs;
use std::hint::black_box;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use cohortflow::engine::{Engine, Published};
use cohortflow::intake::{Intake, Taken, landed};
use cohortflow::programme::{Document, Source, number, parse};
use cohortflow::query::Reading;
use cohortflow::query::sight::Sight;
use cohortflow::query::whatif::{Wanted, diff, sweep};
use cohortflow::store::Store;
use cohortflow::store::directory::Directory;
use dataflows::table::Chunk;
use dataflows::table::chunk::TOTAL_FEE;
use dataflows::table::column::{Column, Slots};
use serde_json::{Value, json};

use common::Figures;

/// As in the service.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Questions asked of each kind; the median is told.
const ASKED: usize = 21;
const MONTHS: [&str; 6] = ["2009-01", "2009-02", "2009-03", "2009-04", "2009-05", "2009-06"];
const CITIES: [&str; 4] = ["Shenyang", "Dalian", "Anshan", "Fushun"];

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let option = |name: &str, none| common::number(&arguments, name).unwrap_or(none);
    let (customers, workers) = (option("--customers", 1_000_000), option("--workers", 1));
    if arguments.first().is_some_and(|argument| argument == "--child") {
        println!("{}", Value::Object(whatif(customers, workers)));
        return;
    }
    let runs = option("--runs", 3);
    println!("{customers} customers, {workers} workers, median of {runs}");
    let sizes = ["--customers".to_owned(), customers.to_string(), "--workers".to_owned(), workers.to_string()];
    let mut all = Figures::new();
    common::ask("whatif", &sizes, runs, &mut all);
    println!("{}", Value::Object(all));
}

/// The programme of the benches with a campaign, and one text of it another.
fn document(from: &str, to: &str) -> Document {
    let text = include_str!("../../fixtures/programmes/bench.toml");
    let text = format!("{text}\n[[campaign]]\nid = \"offer\"\naudience = \"avg_fee >= 120\"\nchannels = [\"sms\"]\n");
    assert!(text.contains(from), "{from}");
    parse(vec![Source { name: "bench.toml".to_owned(), text: text.replacen(from, to, 1) }]).expect("a programme")
}

/// Everybody, and six months of bills.
fn write(directory: &Path, customers: usize) {
    let put = |name: String, header: &str, row: &dyn Fn(usize, &mut String)| {
        let mut text = format!("{header}\n");
        (0..customers).for_each(|number| row(number, &mut text));
        fs::write(directory.join(name), text).expect("a file");
    };
    put("customer_2009-06.csv".to_owned(), "customer_id,birth_date,city,status", &|number, text| {
        let (year, city) = (1940 + number * 31 % 55, CITIES[number % CITIES.len()]);
        let _ = writeln!(text, "C{number:08},{year}-05-17,{city},active");
    });
    for (month, name) in MONTHS.into_iter().enumerate() {
        let header = "customer_id,month,total_fee,roaming_fee,sms_fee,vas_fee,data_kb";
        put(format!("bill_{name}.csv"), header, &|number, text| {
            // A level of his own, and a growth.
            let fee = (1_000 + number * 7_919 % 20_000) * (100 + number * 31 % 30 * month) / 100;
            let part = |share: usize| format!("{}.{:02}", fee / share / 100, fee / share % 100);
            let [total, roaming, sms, vas] = [1, 11, 17, 13].map(part);
            let _ = writeln!(text, "C{number:08},{name},{total},{roaming},{sms},{vas},{}", fee * 7);
        });
    }
}

fn whatif(customers: usize, workers: usize) -> Figures {
    let home = tempfile::tempdir().expect("a directory");
    let input = home.path().join("input");
    fs::create_dir(&input).expect("a directory");
    write(&input, customers);
    let directory = Directory::open(&home.path().join("data")).expect("a data directory");
    let store = Store::open(Arc::new(directory.disk), directory.token_key).expect("a store");
    let engine = Engine::start(workers, |_| {}).expect("workers");
    let begun = Intake::begin(store, engine.hub(), |_| Ok(document("", "")), jiff::Timestamp::now);
    let intake = begun.expect("a start");
    let taken = intake.take(landed(&input).expect("the input").files, &|_| {}, &mut |name, taken| {
        assert!(matches!(taken, Taken::Accepted { bad_rows: 0, .. }), "{}: {taken:?}", name.name);
    });
    taken.expect("a store that takes files");
    assert!(intake.hub().settle());

    let mut figures = Figures::new();
    let mut tell = |name: &str, ask: &dyn Fn(&Reading) -> u64| {
        let once = || {
            let began = Instant::now();
            let found = black_box(ask(&reading(&intake)));
            assert!(found > 0, "{name} changes nothing");
            began.elapsed().as_secs_f64() * 1e3
        };
        let mut times: Vec<f64> = (0..ASKED).map(|_| once()).collect();
        times.sort_by(f64::total_cmp);
        figures.insert(format!("{name}, ms"), json!(times[ASKED / 2]));
    };
    tell("floor: a loop over three months of fees", &|reading| loop_over(&reading.published));
    for (name, from, to) in [
        ("diff of a segment: a range of an average", "avg_fee >= 200", "avg_fee >= 180"),
        ("diff of a segment: a range of a change", "change_fee > 30", "change_fee > 20"),
        (
            "diff of a tier: its bound",
            "avg_fee < 80 and change_roaming_fee >= 10",
            "avg_fee < 60 and change_roaming_fee >= 10",
        ),
        ("diff of a campaign: its audience", "avg_fee >= 120", "avg_fee >= 100"),
    ] {
        let edited = document(from, to);
        tell(name, &|reading| moved(&diff(reading, &edited, &Wanted::First(0))));
    }
    let numbers: Vec<_> = (0..10).map(|step| number(&(100 + 20 * step).to_string()).expect("a number")).collect();
    for (name, what) in [
        ("sweep of ten bounds of a segment", "segment high_value: avg_fee >= ?"),
        ("sweep of ten bounds of a tier", "tier C: avg_fee >= ?"),
        ("sweep of ten bounds of a campaign", "campaign offer: avg_fee >= ?"),
    ] {
        tell(name, &|reading| {
            let swept = sweep(reading, &reading.published.programme, what, &numbers).expect("a bound");
            swept.at.iter().map(|at| at.added + at.removed).sum()
        });
    }
    figures
}

fn reading(intake: &Intake) -> Reading {
    intake.readings().reading(Sight::everything())
}

/// How many come and go, over all lists.
fn moved(answer: &cohortflow::query::whatif::Answer) -> u64 {
    let groups = answer.segments.iter().chain(&answer.tiers).map(|group| &group.change);
    groups.chain(answer.targets.iter().map(|list| &list.change)).map(|change| change.added + change.removed).sum()
}

/// Whose fees of the last three months come to 600 yuan, by a loop over their columns.
fn loop_over(published: &Published) -> u64 {
    let of = |part: &[&Chunk]| -> u64 {
        let count = |chunk: &Chunk| {
            let months: Vec<&Column<i64>> =
                chunk.bills.iter().rev().take(3).map(|(_, bills)| &bills.fees[TOTAL_FEE]).collect();
            Column::sums(&months, &Slots::All).into_iter().filter(|sum| *sum >= 60_000).count() as u64
        };
        part.iter().map(|chunk| count(chunk)).sum()
    };
    let mut found = 0;
    published.in_parts(of, |part| found += part);
    found
}

//! The measurements, each in a process of its own.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use cohortflow::engine::Engine;
use cohortflow::ingest::{Extract, Intern, Partition};
use cohortflow::intake::{Intake, Taken, landed};
use cohortflow::programme::{self, Document};
use cohortflow::query::card;
use cohortflow::serve::resident_bytes;
use cohortflow::store::directory::Directory;
use cohortflow::store::{Outcome, Store};
use dataflows::records::{Bill, BillRow, Feed, Rows};
use dataflows::types::Time;
use serde_json::{Map, Value, json};

use crate::{Size, data, http, recompute};

pub type Figures = Map<String, Value>;

pub fn run(name: &str, size: Size) -> Figures {
    match name {
        "load" => load(size),
        "corrections" => corrections(size),
        "rules" => rules(size),
        "restart" => restart(size),
        "card" => cards(size),
        "http" => http::cards(size),
        "recompute" => ratios(size),
        other => panic!("no measurement {other}"),
    }
}

pub fn document() -> Document {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/programmes/bench.toml");
    programme::load(&path).unwrap_or_else(|error| panic!("{error}"))
}

/// A service without its front: a store on disk, and an engine.
struct Service {
    intake: Arc<Intake>,
    _engine: Engine,
    _directory: PathBuf,
}

fn start(data: &Path, size: Size) -> Service {
    let directory = Directory::open(data).expect("a data directory");
    let store = Store::open(Arc::new(directory.disk), directory.token_key).expect("a store");
    let engine = Engine::start(size.workers, |_| {}).expect("workers");
    let intake = Intake::begin(store, engine.hub(), |_| Ok(document()), jiff::Timestamp::now).expect("a start");
    Service { intake: Arc::new(intake), _engine: engine, _directory: data.to_owned() }
}

pub fn fresh(name: &str) -> PathBuf {
    let path = std::env::temp_dir().join(format!("cohortflow-bench-data-{name}-{}", std::process::id()));
    let _ = std::fs::remove_dir_all(&path);
    path
}

fn take_all(service: &Service, size: Size) -> usize {
    let files = landed(&data::directory(size)).expect("the input").files;
    let mut rows = 0;
    service
        .intake
        .take(files, &|_| {}, &mut |name, taken| match taken {
            Taken::Accepted { rows: taken, .. } => rows += taken as usize,
            other => panic!("{}: {other:?}", name.name),
        })
        .expect("a store that takes files");
    assert!(service.intake.hub().settle());
    rows
}

fn load(size: Size) -> Figures {
    let base = resident_bytes().0;
    let path = fresh("load");
    let service = start(&path, size);
    let began = Instant::now();
    let rows = take_all(&service, size);
    let seconds = began.elapsed().as_secs_f64();
    let stages = service.intake.stages();
    let (resident, peak) = resident_bytes();
    let mut figures = Figures::new();
    figures.insert("load_rows_per_s".into(), json!(rows as f64 / seconds));
    figures.insert("load_s".into(), json!(seconds));
    figures.insert("load_decode_s".into(), json!(stages.decode.as_secs_f64()));
    figures.insert("load_validate_s".into(), json!(stages.validate.as_secs_f64()));
    figures.insert("load_commit_s".into(), json!(stages.commit.as_secs_f64()));
    figures.insert("load_log_mb".into(), json!(service.intake.store().lock().log_bytes().0 as f64 / 1e6));
    figures.insert("resident_mb".into(), json!(resident as f64 / 1e6));
    figures.insert("resident_base_mb".into(), json!(base as f64 / 1e6));
    figures.insert("peak_mb".into(), json!(peak as f64 / 1e6));
    let beyond = resident.saturating_sub(60_000_000);
    figures.insert("bytes_per_customer_beyond_60mb".into(), json!(beyond as f64 / size.customers as f64));
    drop(service);
    let _ = std::fs::remove_dir_all(path);
    figures
}

/// An extract of bills as decoding leaves it.
fn extract(service: &Service, period: &str, part: &str, version: u32, bills: &[data::Bill]) -> Extract {
    let names = service.intake.names();
    let mut names = names.write();
    let row = |bill: &data::Bill| {
        let [total_fee, roaming_fee, sms_fee, vas_fee, data_kb] = bill.amounts;
        let bill_row = Bill { total_fee, roaming_fee, sms_fee, vas_fee, data_kb };
        BillRow { customer: names.customer(&bill.customer), month: bill.month, bill: bill_row }
    };
    Extract {
        file: format!("bill_{period}_{part}.csv"),
        partition: Partition { feed: Feed::Bill, period: period.into(), part: part.into() },
        version,
        rows: Rows::Bill(bills.iter().map(row).collect()),
        deleted: Vec::new(),
        lines: Default::default(),
        rejects: Vec::new(),
        reasons: Default::default(),
        erased: 0,
        sha256: [0; 32],
        took: Default::default(),
        warnings: Vec::new(),
    }
}

/// Accepts an extract; the time from durable to visible, and that of the commit.
fn accept(service: &Service, extract: &Extract) -> (Duration, Duration) {
    let names = service.intake.names().read().extent();
    let began = Instant::now();
    let mut store = service.intake.store().lock();
    service.intake.hub().expect(extract.rows.len());
    let outcome = store.accept(extract, names, Time(1_800_000_000), false).expect("accepted");
    let Outcome::Accepted { epoch, facts, durable_at } = outcome else { panic!("{outcome:?}") };
    service.intake.hub().submit(epoch, *facts, durable_at);
    assert!(service.intake.hub().wait(epoch));
    (durable_at.elapsed(), durable_at - began)
}

pub fn percentile(sorted: &[f64], share: f64) -> f64 {
    sorted[((sorted.len() - 1) as f64 * share) as usize]
}

fn corrections(size: Size) -> Figures {
    let path = fresh("corrections");
    let service = start(&path, size);
    take_all(&service, size);
    let month = size.months - 1;
    let period = data::first_month().plus(month as i32).to_string();
    let mut figures = Figures::new();
    // Parts after "": they stand before the month's own file.
    let (mut visible, mut flush) = (Vec::new(), Vec::new());
    for number in 0..2_000 {
        let customer = number * 7919 % size.customers;
        let bill = data::bill(customer, month, 1 + number as u64);
        let (latency, commit) = accept(&service, &extract(&service, &period, &format!("x{number:05}"), 1, &[bill]));
        visible.push(latency.as_secs_f64() * 1e3);
        flush.push(commit.as_secs_f64() * 1e3);
    }
    visible.sort_by(f64::total_cmp);
    flush.sort_by(f64::total_cmp);
    for (name, share) in [("p50", 0.5), ("p99", 0.99), ("p999", 0.999)] {
        figures.insert(format!("correction_visible_ms_{name}"), json!(percentile(&visible, share)));
    }
    figures.insert("correction_commit_ms_p50".into(), json!(percentile(&flush, 0.5)));
    for (count, name) in [(1_000, "1k"), (100_000, "100k"), (1_000_000, "1m")] {
        if count > size.customers {
            continue;
        }
        let step = size.customers / count;
        let bills: Vec<_> = (0..count).map(|number| data::bill(number * step, month, 77 + count as u64)).collect();
        let (latency, commit) = accept(&service, &extract(&service, &period, &format!("y{name}"), 1, &bills));
        figures.insert(format!("corrections_{name}_visible_ms"), json!(latency.as_secs_f64() * 1e3));
        figures.insert(format!("corrections_{name}_commit_ms"), json!(commit.as_secs_f64() * 1e3));
    }
    let next = data::first_month().plus(size.months as i32).to_string();
    let bills: Vec<_> = (0..size.customers).map(|customer| data::bill(customer, size.months, 0)).collect();
    let (latency, commit) = accept(&service, &extract(&service, &next, "", 1, &bills));
    figures.insert("month_close_visible_ms".into(), json!(latency.as_secs_f64() * 1e3));
    figures.insert("month_close_commit_ms".into(), json!(commit.as_secs_f64() * 1e3));
    drop(service);
    let _ = std::fs::remove_dir_all(path);
    figures
}

fn rules(size: Size) -> Figures {
    let path = fresh("rules");
    let service = start(&path, size);
    take_all(&service, size);
    let mut figures = Figures::new();
    for (name, segment, rules) in [
        ("range", "high_value", ["avg_fee >= 190", "avg_fee >= 180", "avg_fee between 120 and 900", "avg_fee > 210"]),
        (
            "change_range",
            "rising",
            ["change_fee > 25", "change_fee > 20", "change_fee between 5 and 50", "change_fee > 35"],
        ),
        (
            "expression",
            "vas_share",
            [
                "avg_vas_fee * 12 > avg_fee",
                "avg_vas_fee / avg_fee > 0.08 or avg_sms_fee * 3 > avg_vas_fee",
                "(avg_fee - last_fee) * 2 > avg_data_kb / 1000",
                "avg_vas_fee * 9 > avg_fee and city like '%an%'",
            ],
        ),
    ] {
        let mut times = Vec::new();
        for rule in rules.iter().cycle().take(12) {
            let mut document = document();
            let source = &mut document.sources[0];
            let at = source.text.find(&format!("id = \"{segment}\"")).expect("the segment");
            let from = at + source.text[at..].find("when = \"").expect("its rule") + 8;
            let until = from + source.text[from..].find('"').expect("its end");
            source.text.replace_range(from..until, rule);
            let document = programme::parse(document.sources).unwrap_or_else(|errors| panic!("{errors:?}"));
            let durable = service.intake.publish_timed(document).expect("published");
            assert!(service.intake.hub().wait(durable.0));
            times.push(durable.1.elapsed().as_secs_f64() * 1e3);
        }
        times.sort_by(f64::total_cmp);
        figures.insert(format!("rule_edit_{name}_ms_p50"), json!(percentile(&times, 0.5)));
        figures.insert(format!("rule_edit_{name}_ms_max"), json!(percentile(&times, 1.0)));
    }
    drop(service);
    let _ = std::fs::remove_dir_all(path);
    figures
}

fn restart(size: Size) -> Figures {
    let path = fresh("restart");
    let service = start(&path, size);
    take_all(&service, size);
    drop(service);
    let began = Instant::now();
    let service = start(&path, size);
    let mut figures = Figures::new();
    figures.insert("restart_ready_s".into(), json!(began.elapsed().as_secs_f64()));
    let listed: usize = service.intake.hub().published().chunks().map(|(chunk, _)| chunk.listed().count()).sum();
    assert_eq!(listed, size.customers);
    drop(service);
    let _ = std::fs::remove_dir_all(path);
    figures
}

/// Cards read in process while a month after the other is ingested flat out.
fn cards(size: Size) -> Figures {
    let path = fresh("card");
    let service = start(&path, size);
    take_all(&service, size);
    let done = Arc::new(AtomicBool::new(false));
    let (intake, stop) = (service.intake.clone(), done.clone());
    let reader = std::thread::spawn(move || {
        let (mut times, mut number) = (Vec::new(), 0usize);
        while !stop.load(Ordering::Acquire) {
            number = (number + 7919) % size.customers;
            let began = Instant::now();
            let published = intake.hub().published();
            let names = intake.names();
            let found = card(&published, &names.read(), &data::id(number));
            assert!(found.is_some());
            times.push(began.elapsed().as_secs_f64() * 1e3);
            std::thread::sleep(Duration::from_micros(300));
        }
        times
    });
    for month in size.months..size.months + 2 {
        let period = data::first_month().plus(month as i32).to_string();
        let bills: Vec<_> = (0..size.customers).map(|customer| data::bill(customer, month, 0)).collect();
        accept(&service, &extract(&service, &period, "", 1, &bills));
    }
    done.store(true, Ordering::Release);
    let mut times = reader.join().expect("cards");
    times.sort_by(f64::total_cmp);
    let mut figures = Figures::new();
    figures.insert("card_in_process_ms_p50".into(), json!(percentile(&times, 0.5)));
    figures.insert("card_in_process_ms_p99".into(), json!(percentile(&times, 0.99)));
    figures.insert("card_in_process_ms_max".into(), json!(percentile(&times, 1.0)));
    drop(service);
    let _ = std::fs::remove_dir_all(path);
    figures
}

/// The same decoded rows through the engine and through a full recompute by plain loops.
fn ratios(size: Size) -> Figures {
    let path = fresh("recompute");
    let service = start(&path, size);
    let mut figures = Figures::new();
    let mut rows = recompute::Decoded::new(size);
    let began = Instant::now();
    let plain = recompute::all(&rows);
    let plain_load = began.elapsed().as_secs_f64();
    let mut ours = 0.0;
    let accept_timed = |extract: &dyn Fn() -> Extract| {
        // Interning is ours too; the flush is the disk's, and only ours: it counts all the same.
        let began = Instant::now();
        let extract = extract();
        accept(&service, &extract);
        began.elapsed().as_secs_f64()
    };
    ours += accept_timed(&|| recompute::customers(&service.intake, &rows, size));
    for month in 0..size.months {
        let period = data::first_month().plus(month as i32).to_string();
        ours += accept_timed(&|| extract(&service, &period, "", 1, &rows.bills[month]));
    }
    plain.assert_equals(&service.intake);
    figures.insert("recompute_load_plain_s".into(), json!(plain_load));
    figures.insert("recompute_load_ours_s".into(), json!(ours));
    figures.insert("recompute_load_ratio".into(), json!(ours / plain_load));
    let month = size.months - 1;
    let period = data::first_month().plus(month as i32).to_string();
    for (count, name) in [(1, "1"), (1_000, "1k"), (100_000, "100k"), (1_000_000, "1m")] {
        if count > size.customers {
            continue;
        }
        let step = size.customers / count;
        let bills: Vec<_> = (0..count).map(|number| data::bill(number * step, month, 5 + count as u64)).collect();
        for (number, bill) in bills.iter().enumerate() {
            rows.bills[month][number * step] = bill.clone();
        }
        let ours = accept_timed(&|| extract(&service, &period, &format!("z{count:07}"), 1, &bills));
        let began = Instant::now();
        let plain = recompute::all(&rows);
        let plain_s = began.elapsed().as_secs_f64();
        plain.assert_equals(&service.intake);
        figures.insert(format!("recompute_{name}_ratio"), json!(ours / plain_s));
    }
    let next = data::first_month().plus(size.months as i32).to_string();
    rows.bills.push((0..size.customers).map(|customer| data::bill(customer, size.months, 0)).collect());
    let ours = accept_timed(&|| extract(&service, &next, "", 1, &rows.bills[size.months]));
    let began = Instant::now();
    let plain = recompute::all(&rows);
    figures.insert("recompute_month_close_ratio".into(), json!(ours / began.elapsed().as_secs_f64()));
    plain.assert_equals(&service.intake);
    drop(service);
    let _ = std::fs::remove_dir_all(path);
    figures
}

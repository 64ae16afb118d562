//! SQL against the service as its users run it: one customer by his id, counts over everybody, a segment's export.
//!
//! `cargo bench --bench sql` asks 1M customers x 6 months and prints a table; the median of `--runs` (default 3). The
//! client's own time of processors is told beside what it waited.

#[path = "../common/mod.rs"]
mod common;
#[path = "../spine/data.rs"]
#[allow(dead_code, reason = "what other benches make of it")]
mod data;
#[path = "../common/service.rs"]
#[allow(dead_code, reason = "what other benches ask of it")]
mod service;

use std::io::Read;
use std::time::Instant;

use common::Figures;
use postgres::{Client, NoTls, SimpleQueryMessage};
use serde_json::{Map, Value, json};
use service::{Service, own_seconds};

/// Questions of one customer.
const POINTS: usize = 5000;

/// Counts over everybody.
const COUNTS: usize = 30;

/// The segment that is exported, about a third of everybody, and what it is.
const SEGMENT: &str = "export";
const WHEN: &str = "avg_fee < 40";

/// Sizes of a run.
#[derive(Clone, Copy)]
pub struct Size {
    pub customers: usize,
    pub months: usize,
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let option = |name: &str, default: usize| common::number(&arguments, name).unwrap_or(default);
    let size = Size { customers: option("--customers", 1_000_000), months: option("--months", 6) };
    if arguments.first().is_some_and(|first| first == "--child") {
        println!("{}", Value::Object(ask(size)));
        return;
    }
    data::prepare(size);
    let runs = option("--runs", 3);
    println!("{} customers x {} months, median of {runs}", size.customers, size.months);
    let sizes = [("--customers", size.customers), ("--months", size.months)];
    let sizes: Vec<String> = sizes.into_iter().flat_map(|(name, size)| [name.to_owned(), size.to_string()]).collect();
    let mut all = Map::new();
    common::ask("sql", &sizes, runs, &mut all);
    println!("{}", Value::Object(all));
}

fn ask(size: Size) -> Figures {
    let programme = service::programme(&format!("\n[[segment]]\nid = \"{SEGMENT}\"\nwhen = \"{WHEN}\"\n"));
    let service = Service::start("sql", &data::directory(size), &programme);
    let mut client = Client::connect(&service.sql, NoTls).expect("it connects");
    service.until_taken(size.months + 1);
    let mut figures = Figures::new();
    points(&mut client, size, &mut figures);
    counts(&mut client, &mut figures);
    export(&mut client, &mut figures);
    let _ = std::fs::remove_file(programme);
    figures
}

fn points(client: &mut Client, size: Size, figures: &mut Figures) {
    let text = "SELECT tier, since FROM tier WHERE customer_id = $1";
    let prepared = client.prepare(text).expect("prepared");
    let (mut waited, mut number, cpu) = (Vec::new(), 0, own_seconds());
    for _ in 0..POINTS {
        number = (number + 7919) % size.customers;
        let id = data::id(number);
        let began = Instant::now();
        client.query_opt(&prepared, &[&id]).expect("asked");
        waited.push(began.elapsed().as_secs_f64() * 1e3);
    }
    tell(figures, "point_prepared", waited, own_seconds() - cpu);
    let (mut waited, cpu) = (Vec::new(), own_seconds());
    for _ in 0..POINTS {
        number = (number + 7919) % size.customers;
        let text = format!("SELECT tier, since FROM tier WHERE customer_id = '{}'", data::id(number));
        let began = Instant::now();
        client.simple_query(&text).expect("asked");
        waited.push(began.elapsed().as_secs_f64() * 1e3);
    }
    tell(figures, "point_simple", waited, own_seconds() - cpu);
}

fn counts(client: &mut Client, figures: &mut Figures) {
    for (name, text) in [
        ("group_by_tier", "SELECT tier, count(*) FROM tier GROUP BY tier"),
        ("count_joined", "SELECT count(*) FROM tier JOIN segment_member USING (customer_id) WHERE segment = 'senior'"),
        ("average_fee", "SELECT avg(avg_fee) FROM customer_attribute"),
    ] {
        let cpu = own_seconds();
        let waited = (0..COUNTS).map(|_| {
            let began = Instant::now();
            client.simple_query(text).expect("asked");
            began.elapsed().as_secs_f64() * 1e3
        });
        let waited = waited.collect();
        tell(figures, name, waited, own_seconds() - cpu);
    }
}

fn export(client: &mut Client, figures: &mut Figures) {
    let (began, cpu) = (Instant::now(), own_seconds());
    let text = format!("COPY (SELECT customer_id FROM segment_member WHERE segment = '{SEGMENT}') TO STDOUT");
    let mut copied = Vec::new();
    client.copy_out(&text).expect("it is copied").read_to_end(&mut copied).expect("read");
    figures.insert("export_s".into(), json!(began.elapsed().as_secs_f64()));
    figures.insert("export_client_cpu_s".into(), json!(own_seconds() - cpu));
    figures.insert("export_rows".into(), json!(copied.split(|byte| *byte == b'\n').count() - 1));
    let began = Instant::now();
    let answers = client.simple_query(&format!("SELECT customer_id FROM segment_member WHERE segment = '{SEGMENT}'"));
    let rows = answers.expect("asked").iter().filter(|answer| matches!(answer, SimpleQueryMessage::Row(_))).count();
    figures.insert("select_s".into(), json!(began.elapsed().as_secs_f64()));
    figures.insert("select_rows".into(), json!(rows));
}

fn tell(figures: &mut Figures, name: &str, mut waited: Vec<f64>, cpu: f64) {
    waited.sort_by(f64::total_cmp);
    let share = |share: f64| waited[((waited.len() - 1) as f64 * share) as usize];
    figures.insert(format!("{name}_ms_p50"), json!(share(0.5)));
    figures.insert(format!("{name}_ms_p99"), json!(share(0.99)));
    figures.insert(format!("{name}_client_cpu_ms"), json!(cpu * 1e3 / waited.len() as f64));
}

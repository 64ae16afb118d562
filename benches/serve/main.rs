//! The service as front desks and channels use it: one customer's card, and a change as a follower of a view hears of it.
//!
//! `cargo bench --bench serve` asks 1M customers x 6 months and prints a table; the median of `--runs` (default 3). The
//! client's own time of processors is told beside what it waited: both are on the same ones.

#[path = "../common/mod.rs"]
mod common;
#[path = "../spine/data.rs"]
#[allow(dead_code, reason = "what other benches make of it")]
mod data;
#[path = "../common/service.rs"]
#[allow(dead_code, reason = "what other benches ask of it")]
mod service;

use std::fs;
use std::io::{BufRead, BufReader};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::Receiver;
use std::time::{Duration, Instant};

use common::Figures;
use serde_json::{Map, Value, json};
use service::{Service, own_seconds};

/// Cards that are asked for one after the other.
const CARDS: usize = 5000;

/// How long cards are asked for by several at once.
const RUSH: Duration = Duration::from_secs(5);

/// Clients that ask at once.
const CLIENTS: usize = 4;

/// Changes that are waited for.
const CHANGES: usize = 300;

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
    common::ask("serve", &sizes, runs, &mut all);
    println!("{}", Value::Object(all));
}

fn ask(size: Size) -> Figures {
    let programme = service::programme("\n[[segment]]\nid = \"vip\"\nwhen = \"on_list.vip\"\n");
    let service = Service::start("serve", &data::directory(size), &programme);
    service.until_taken(size.months + 1);
    let mut figures = Figures::new();
    cards(&service, size, &mut figures);
    rush(&service, size, &mut figures);
    followed(&service, size, false, &mut figures);
    followed(&service, size, true, &mut figures);
    let _ = fs::remove_file(programme);
    figures
}

fn cards(service: &Service, size: Size, figures: &mut Figures) {
    let agent = ureq::Agent::new_with_defaults();
    let (mut number, cpu) = (0, own_seconds());
    let waited = (0..CARDS).map(|_| {
        number = (number + 7919) % size.customers;
        let began = Instant::now();
        card(&agent, service, number);
        began.elapsed().as_secs_f64() * 1e3
    });
    let waited = waited.collect();
    tell(figures, "card", waited, own_seconds() - cpu);
}

fn card(agent: &ureq::Agent, service: &Service, number: usize) {
    let target = format!("http://{}/v1/customers/{}", service.http, data::id(number));
    let text = agent.get(target).call().expect("answered").body_mut().read_to_string().expect("read");
    assert!(text.starts_with('{'));
}

/// Cards over connections that stay, as many as there come.
fn rush(service: &Service, size: Size, figures: &mut Figures) {
    let (began, cpu) = (Instant::now(), own_seconds());
    let asked: usize = std::thread::scope(|scope| {
        let clients: Vec<_> = (0..CLIENTS)
            .map(|client| {
                scope.spawn(move || {
                    let agent = ureq::Agent::new_with_defaults();
                    let (mut number, mut asked) = (client * size.customers / CLIENTS, 0);
                    while began.elapsed() < RUSH {
                        number = (number + 7919) % size.customers;
                        card(&agent, service, number);
                        asked += 1;
                    }
                    asked
                })
            })
            .collect();
        clients.into_iter().map(|client| client.join().expect("it asks")).sum()
    });
    let seconds = began.elapsed().as_secs_f64();
    figures.insert("cards_per_s".into(), json!(asked as f64 / seconds));
    figures.insert("cards_client_cpu_share".into(), json!((own_seconds() - cpu) / seconds));
}

/// A customer comes to a list, and a follower of segment_member hears of it: from when that was asked for, its own sync
/// included, until the event is read; with scans of everybody beside it, or without.
fn followed(service: &Service, size: Size, is_busy: bool, figures: &mut Figures) {
    let marks = follow(service);
    let stop = AtomicBool::new(false);
    let agent = ureq::Agent::new_with_defaults();
    let name = if is_busy { "change_beside_scans" } else { "change" };
    std::thread::scope(|scope| {
        if is_busy {
            scope.spawn(|| {
                let mut client = postgres::Client::connect(&service.sql, postgres::NoTls).expect("it connects");
                while !stop.load(Ordering::Acquire) {
                    client.simple_query("SELECT avg(avg_fee) FROM customer_attribute").expect("asked");
                }
            });
        }
        let (mut waited, mut answered, cpu) = (Vec::new(), Vec::new(), own_seconds());
        let numbers = (0..).map(|nth| (nth * 7919 + usize::from(is_busy)) % size.customers);
        // Who has left is in no segment.
        for number in numbers.filter(|number| !data::has_left(*number)).take(CHANGES) {
            let id = data::id(number);
            let body = json!({ "op": "add", "customers": [id], "by": "bench", "reason": "measured" });
            let began = Instant::now();
            let target = format!("http://{}/v1/lists/vip", service.http);
            agent.post(target).send_json(&body).expect("taken");
            answered.push(began.elapsed().as_secs_f64() * 1e3);
            let heard = marks.iter().find(|(row, _)| row.contains(&format!("\"{id}\""))).expect("it is told");
            waited.push(heard.1.saturating_duration_since(began).as_secs_f64() * 1e3);
        }
        tell(figures, name, waited, own_seconds() - cpu);
        tell(figures, &format!("{name}_answered"), answered, 0.0);
        stop.store(true, Ordering::Release);
    });
}

/// The differences of segment_member as they are read.
fn follow(service: &Service) -> Receiver<(String, Instant)> {
    let target = format!("http://{}/v1/views/segment_member/feed?segment=vip&snapshot=false", service.http);
    let (sender, receiver) = std::sync::mpsc::channel();
    let (ready, is_ready) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let answer = ureq::Agent::new_with_defaults().get(target).call().expect("answered");
        let lines = BufReader::new(answer.into_body().into_reader()).lines();
        for line in lines.map_while(Result::ok) {
            if line.contains("\"token\"") {
                let _ = ready.send(());
            }
            if line.contains("\"come\"") && sender.send((line, Instant::now())).is_err() {
                return;
            }
        }
    });
    is_ready.recv().expect("it follows");
    receiver
}

fn tell(figures: &mut Figures, name: &str, mut waited: Vec<f64>, cpu: f64) {
    waited.sort_by(f64::total_cmp);
    let share = |share: f64| waited[((waited.len() - 1) as f64 * share) as usize];
    figures.insert(format!("{name}_ms_p50"), json!(share(0.5)));
    figures.insert(format!("{name}_ms_p99"), json!(share(0.99)));
    figures.insert(format!("{name}_client_cpu_ms"), json!(cpu * 1e3 / waited.len() as f64));
}

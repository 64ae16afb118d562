//! Cards over HTTP while months land: the service as its users run it.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::measure::{Figures, fresh, percentile};
use crate::{Size, data};

/// Months that land while cards are asked for.
const MONTHS_LANDING: usize = 4;

/// Ends the service however the measurement ends.
struct Service(Child);

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

pub fn cards(size: Size) -> Figures {
    let (store, landing) = (fresh("http"), fresh("landing"));
    fs::create_dir_all(&landing).expect("a landing directory");
    for entry in fs::read_dir(data::directory(size)).expect("the input") {
        let entry = entry.expect("an entry");
        if entry.file_name() != "done" {
            fs::hard_link(entry.path(), landing.join(entry.file_name())).expect("a link");
        }
    }
    let coming = size.months..size.months + MONTHS_LANDING;
    for month in coming.clone() {
        data::write_bills(&landing.join(format!(".{}", data::bill_file(month))), size, month);
    }
    let (_service, address) = start(&store, &landing, size);
    let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
    let card = |number: usize| -> Value {
        let url = format!("{address}/v1/customers/{}", data::id(number));
        agent.get(&url).call().expect("an answer").body_mut().read_json().expect("JSON")
    };
    let stands = |card: &Value, month: usize| {
        let month = data::first_month().plus(month as i32).to_string();
        card["as_of"] == json!(month) && card["attributes"]["city"].is_string()
    };
    while !stands(&card(0), size.months - 1) {
        std::thread::sleep(Duration::from_millis(20));
    }
    for month in coming.clone() {
        let name = data::bill_file(month);
        fs::rename(landing.join(format!(".{name}")), landing.join(&name)).expect("landed");
    }
    let (mut times, mut number) = (Vec::new(), 0);
    let landed = Instant::now();
    loop {
        number = (number + 7919) % size.customers;
        let began = Instant::now();
        let found = card(number);
        times.push(began.elapsed().as_secs_f64() * 1e3);
        if stands(&found, coming.end - 1) {
            break;
        }
        std::thread::sleep(Duration::from_micros(500));
    }
    times.sort_by(f64::total_cmp);
    let mut figures = Figures::new();
    figures.insert("card_http_ms_p50".into(), json!(percentile(&times, 0.5)));
    figures.insert("card_http_ms_p99".into(), json!(percentile(&times, 0.99)));
    figures.insert("card_http_ms_max".into(), json!(percentile(&times, 1.0)));
    figures.insert("card_http_asked".into(), json!(times.len()));
    figures.insert("card_http_months_landed_in_s".into(), json!(landed.elapsed().as_secs_f64()));
    let _ = (fs::remove_dir_all(store), fs::remove_dir_all(landing));
    figures
}

/// Starts the service; gives its address.
fn start(store: &Path, landing: &Path, size: Size) -> (Service, String) {
    let programme = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/programmes/bench.toml");
    let mut child = Command::new(env!("CARGO_BIN_EXE_cohortflow"))
        .args(["serve", "--pg", "off", "--http", "127.0.0.1:0", "--poll", "20", "--workers", &size.workers.to_string()])
        .arg("--programme")
        .arg(programme)
        .arg("--landing")
        .arg(landing)
        .arg("--data")
        .arg(store)
        .stderr(Stdio::piped())
        .spawn()
        .expect("the service");
    let mut lines = BufReader::new(child.stderr.take().expect("its messages")).lines();
    let service = Service(child);
    let address = lines.by_ref().find_map(|line| Some(line.ok()?.strip_prefix("cohortflow serves ")?.to_owned()));
    std::thread::spawn(move || lines.for_each(drop));
    (service, address.expect("its address"))
}

//! The spine's figures: load, memory, corrections, month close, rule edits, restart, cards.
//!
//! `cargo bench --bench spine` runs everything at 1M customers x 6 months and prints a table;
//! `-- load --customers 100000` runs one. Each measurement is a process of its own, so that memory
//! is its own too; the median of `--runs` (default 3) is told. Ratios to a full recompute in plain
//! Rust are taken within one process.

mod data;
mod http;
mod measure;
mod recompute;

use std::process::Command;

use serde_json::{Map, Value, json};

/// As in the service.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// What is measured, with what it is held to.
const MEASUREMENTS: &[&str] = &["load", "corrections", "rules", "restart", "card", "http", "recompute"];

/// Sizes of a run.
#[derive(Clone, Copy)]
pub struct Size {
    pub customers: usize,
    pub months: usize,
    pub workers: usize,
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let option = |name: &str, default: usize| {
        let at = arguments.iter().position(|argument| argument == name);
        at.and_then(|at| arguments.get(at + 1)).and_then(|text| text.parse().ok()).unwrap_or(default)
    };
    let size = Size {
        customers: option("--customers", 1_000_000),
        months: option("--months", 6),
        workers: option("--workers", 1),
    };
    if arguments.first().is_some_and(|first| first == "--child") {
        let figures = measure::run(&arguments[1], size);
        println!("{}", Value::Object(figures));
        return;
    }
    let wanted: Vec<&str> =
        MEASUREMENTS.iter().copied().filter(|name| arguments.iter().any(|given| given == name)).collect();
    let wanted = if wanted.is_empty() { MEASUREMENTS.to_vec() } else { wanted };
    data::prepare(size);
    let runs = option("--runs", 3);
    let mut all = Map::new();
    println!("{} customers x {} months, {} worker(s), median of {runs}", size.customers, size.months, size.workers);
    for name in wanted {
        let told: Vec<Map<String, Value>> = (0..runs).filter_map(|_| child(name, size)).collect();
        let Some(first) = told.first() else {
            println!("{name}: failed");
            continue;
        };
        for key in first.keys() {
            let mut values: Vec<f64> = told.iter().filter_map(|figures| figures.get(key)?.as_f64()).collect();
            values.sort_by(f64::total_cmp);
            let median = values.get(values.len() / 2).copied().unwrap_or(f64::NAN);
            println!("  {key:<48} {median:>14.3}");
            all.insert(key.clone(), json!(median));
        }
    }
    println!("{}", Value::Object(all));
}

fn child(name: &str, size: Size) -> Option<Map<String, Value>> {
    let output = Command::new(std::env::current_exe().ok()?)
        .args(["--child", name, "--customers", &size.customers.to_string()])
        .args(["--months", &size.months.to_string(), "--workers", &size.workers.to_string()])
        .stderr(std::process::Stdio::inherit())
        .output()
        .ok()?;
    let text = String::from_utf8_lossy(&output.stdout);
    serde_json::from_str(text.lines().last()?).ok()
}

//! The spine's figures: load, memory, corrections, month close, rule edits, restart, cards.
//!
//! `cargo bench --bench spine` runs everything at 1M customers x 6 months and prints a table;
//! `-- load --customers 100000` runs one. Each measurement is a process of its own, so that memory
//! is its own too; the median of `--runs` (default 3) is told. Ratios to a full recompute in plain
//! Rust are taken within one process.

#[path = "../common/mod.rs"]
mod common;
mod data;
mod http;
mod measure;
mod recompute;

use serde_json::{Map, Value};

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
    let option = |name: &str, default: usize| common::number(&arguments, name).unwrap_or(default);
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
    let sizes = [("--customers", size.customers), ("--months", size.months), ("--workers", size.workers)];
    let sizes: Vec<String> = sizes.into_iter().flat_map(|(name, size)| [name.to_owned(), size.to_string()]).collect();
    for name in wanted {
        common::ask(name, &sizes, runs, &mut all);
    }
    println!("{}", Value::Object(all));
}

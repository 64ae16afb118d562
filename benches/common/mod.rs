//! What benches have in common: each question is a process of its own, so that its memory is its own too,
//! and of some runs of it the median is told.

use std::process::Command;

use serde_json::{Map, Value, json};

/// Figures by name, the unit last.
pub type Figures = Map<String, Value>;

/// Asks a question `runs` times of children of this process, and prints and keeps the medians.
pub fn ask(name: &str, arguments: &[String], runs: usize, all: &mut Figures) {
    let told: Vec<Figures> = (0..runs).filter_map(|_| child(name, arguments)).collect();
    let Some(first) = told.first() else {
        println!("{name}: failed");
        return;
    };
    for key in first.keys() {
        let mut values: Vec<f64> = told.iter().filter_map(|figures| figures.get(key)?.as_f64()).collect();
        values.sort_by(f64::total_cmp);
        let median = values.get(values.len() / 2).copied().unwrap_or(f64::NAN);
        println!("  {key:<48} {median:>14.3}");
        all.insert(key.clone(), json!(median));
    }
}

/// The number that follows an option among arguments.
pub fn number(arguments: &[String], option: &str) -> Option<usize> {
    let at = arguments.iter().position(|argument| argument == option)?;
    arguments.get(at + 1)?.parse().ok()
}

fn child(name: &str, arguments: &[String]) -> Option<Figures> {
    let output = Command::new(std::env::current_exe().ok()?)
        .args(["--child", name])
        .args(arguments)
        .stderr(std::process::Stdio::inherit())
        .output()
        .ok()?;
    serde_json::from_str(String::from_utf8_lossy(&output.stdout).lines().last()?).ok()
}

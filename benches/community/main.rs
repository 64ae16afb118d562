//! The community's figures, from facts through the engine to what readers are given.
//!
//! `cargo bench --bench community` asks everything and prints a table; `-- chain` asks one
//! question. Each is a process of its own, so that memory is its own too; the median of `--runs`
//! (default 3) is told.

mod engine;
mod leaderboard;
mod members;
mod referrals;

use std::process::Command;

use serde_json::{Map, Value, json};

/// As in the service.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Figures by name, the unit last.
pub type Figures = Map<String, Value>;

/// A question's name, and what answers it.
type Question = (&'static str, fn() -> Figures);

/// What can be asked.
const QUESTIONS: &[Question] = &[
    ("members", members::members),
    ("forest", referrals::forest),
    ("chain", referrals::chain),
    ("star", referrals::star),
    ("standing", leaderboard::standing),
];

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let is_given = |name: &str| arguments.iter().any(|given| given == name);
    let asked = |name: &str| QUESTIONS.iter().find(|(question, _)| *question == name);
    if let [child, name] = arguments.as_slice()
        && child == "--child"
    {
        println!("{}", Value::Object(asked(name).map(|(_, answer)| answer()).unwrap_or_default()));
        return;
    }
    let at = arguments.iter().position(|argument| argument == "--runs");
    let runs = at.and_then(|at| arguments.get(at + 1)).and_then(|text| text.parse().ok()).unwrap_or(3);
    let any = QUESTIONS.iter().any(|(name, _)| is_given(name));
    println!("one worker, median of {runs}");
    let mut all = Figures::new();
    for (name, _) in QUESTIONS.iter().filter(|(name, _)| !any || is_given(name)) {
        let told: Vec<Figures> = (0..runs).filter_map(|_| answer(name)).collect();
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

fn answer(name: &str) -> Option<Figures> {
    let output = Command::new(std::env::current_exe().ok()?)
        .args(["--child", name])
        .stderr(std::process::Stdio::inherit())
        .output()
        .ok()?;
    serde_json::from_str(String::from_utf8_lossy(&output.stdout).lines().last()?).ok()
}

//! The community's figures: from facts through the engine to what readers are given, and from files to what is
//! durable.
//!
//! `cargo bench --bench community` asks everything and prints a table; `-- chain` asks one
//! question. Each is a process of its own, so that memory is its own too; the median of `--runs`
//! (default 3) is told.

#[path = "../common/mod.rs"]
mod common;
mod durable;
mod engine;
mod leaderboard;
mod members;
mod referrals;
mod transfers;

use serde_json::Value;

pub use common::Figures;

/// As in the service.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// A question's name, and what answers it.
type Question = (&'static str, fn() -> Figures);

/// What can be asked.
const QUESTIONS: &[Question] = &[
    ("members", members::members),
    ("index", durable::index),
    ("csv", durable::csv),
    ("forest", referrals::forest),
    ("chain", referrals::chain),
    ("star", referrals::star),
    ("standing", leaderboard::standing),
    ("hands", transfers::hands),
    ("givers", transfers::givers),
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
    let runs = common::number(&arguments, "--runs").unwrap_or(3);
    let any = QUESTIONS.iter().any(|(name, _)| is_given(name));
    println!("one worker, median of {runs}");
    let mut all = Figures::new();
    for (name, _) in QUESTIONS.iter().filter(|(name, _)| !any || is_given(name)) {
        common::ask(name, &[], runs, &mut all);
    }
    println!("{}", Value::Object(all));
}

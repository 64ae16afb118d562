//! Scenarios: extracts land, a programme is edited, the service ends and comes back, and the exact
//! changes of the watched views are listed. `script.rs` says how they are written, `laws.rs` what
//! holds of each of them beside.
//!
//! With SCENARIOS_REWRITE=1 the changes are written anew, and the difference is read like code: each
//! line must follow from the contract, not from the program.

mod asked;
mod laws;
mod play;
mod script;
mod service;

use std::fs;
use std::path::{Path, PathBuf};

use script::parse;

fn directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios")
}

/// Holds every scenario of a file.
fn hold(theme: &str) {
    let file = format!("{theme}.txt");
    let path = directory().join(&file);
    let text = fs::read_to_string(&path).expect("the scenarios can be read");
    let mut scenarios = parse(&file, &text);
    if std::env::var_os("SCENARIOS_REWRITE").is_some() {
        let text = rewritten(&text, &scenarios);
        fs::write(&path, &text).expect("the scenarios can be written");
        scenarios = parse(&file, &text);
    }
    let mut told = Vec::new();
    for scenario in &scenarios {
        let mut wrong = Vec::new();
        laws::hold(scenario, &mut wrong);
        let place = format!("{file}:{}: {}", scenario.line, scenario.title);
        told.extend(wrong.into_iter().map(|wrong| format!("{place}\n  {wrong}")));
    }
    assert!(told.is_empty(), "\n{}", told.join("\n"));
}

/// The text with the changes that are given now.
fn rewritten(text: &str, scenarios: &[script::Scenario]) -> String {
    let mut given = std::collections::HashMap::new();
    for scenario in scenarios {
        let mut heard = |step: &script::Step, changes| drop(given.insert(step.last_line, play::listed(&changes)));
        play::play(scenario, 1, &mut Vec::new(), &mut heard);
    }
    let mut rewritten = String::new();
    for (number, line) in (1..).zip(text.lines()) {
        if !line.starts_with("= ") {
            rewritten.push_str(line);
            rewritten.push('\n');
        }
        rewritten.push_str(given.get(&number).map_or("", String::as_str));
    }
    rewritten
}

macro_rules! themes {
    ($($theme:ident)*) => {
        $(#[test] fn $theme() { hold(stringify!($theme)); })*

        #[test]
        fn every_file_is_held_and_no_title_stands_twice() {
            let (mut files, mut titles) = (0, Vec::new());
            for entry in fs::read_dir(directory()).expect("the directory can be read") {
                let path = entry.expect("the directory can be read").path();
                let Some(file) = path.file_name().and_then(|name| name.to_str()?.strip_suffix(".txt")) else { continue };
                assert!([$(stringify!($theme)),*].contains(&file), "{file} is no theme");
                let text = fs::read_to_string(&path).expect("the scenarios can be read");
                titles.extend(parse(file, &text).into_iter().map(|scenario| scenario.title));
                files += 1;
            }
            let scenarios = titles.len();
            titles.sort_unstable();
            titles.dedup();
            assert_eq!(titles.len(), scenarios);
            assert!(files > 0 && scenarios >= 350, "{scenarios} scenarios in {files} files");
        }
    };
}

themes! {
    answers arbitration arms attributes audience campaign_edits campaign_states caps care clock community consent
    customers dates drives edits effect_attribution effect_groups effect_restated effect_uplift effects expressions
    fallback fit goals holds ledger lists lots orders packs partitions permission points precedence quarantine referrals
    responses reviews rivals score segments services since staff staff_edits stages targets terminals tiers transfer
}

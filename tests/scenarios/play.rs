//! A scenario is played, and held against what it says.

use std::fmt::Write;

use crate::script::{Action, Landing, Row, Scenario, Step};
use crate::service::{Service, State};

/// What a step changed in the watched views, sorted by bytes.
pub type Changes = Vec<(Row, i64)>;

/// Plays every step. `heard` is told the changes of each; what became otherwise of a file, or of a
/// programme, is added to `wrong`.
pub fn play(
    scenario: &Scenario,
    workers: usize,
    wrong: &mut Vec<String>,
    heard: &mut dyn FnMut(&Step, Changes),
) -> Service {
    let mut service = Service::begin(&scenario.programme, workers);
    let mut before = service.watched(&scenario.watches);
    for step in &scenario.steps {
        act(&mut service, step, wrong);
        let after = service.watched(&scenario.watches);
        heard(step, difference(&before, &after));
        before = after;
    }
    service
}

fn act(service: &mut Service, step: &Step, wrong: &mut Vec<String>) {
    let lands = |action: &Action| matches!(action, Action::Land(_));
    // Files that follow one another land together.
    for actions in step.actions.chunk_by(|one, next| lands(one) && lands(next)) {
        match actions {
            [Action::Restart] => service.restart(),
            [Action::Compact] => service.compact(),
            [Action::Edit(editing)] => {
                let outcome = service.edit(editing);
                if !editing.expected.is(&outcome) {
                    wrong.push(format!("line {}: the edit: {outcome}", step.line));
                }
            }
            [Action::Ask(asked)] => {
                let outcome = service.ask(asked);
                if !asked.expected.is(&outcome) {
                    wrong.push(format!("line {}: what was asked: {outcome}", step.line));
                }
            }
            [Action::Publish { sources, expected }] => {
                let outcome = service.publish(sources.clone());
                if !expected.is(&outcome) {
                    wrong.push(format!("line {}: the programme: {outcome}", step.line));
                }
            }
            files => {
                let landings: Vec<&Landing> = files.iter().filter_map(landing).collect();
                for (landing, outcome) in landings.iter().zip(service.take(&landings)) {
                    if !landing.expected.is(&outcome) {
                        wrong.push(format!("line {}: {}: {outcome}", step.line, landing.name));
                    }
                }
            }
        }
    }
}

pub fn landing(action: &Action) -> Option<&Landing> {
    match action {
        Action::Land(landing) => Some(landing),
        _ => None,
    }
}

/// Every row that there is more or less of.
pub fn difference(before: &State, after: &State) -> Changes {
    let mut difference = after.clone();
    before.iter().for_each(|(row, count)| *difference.entry(row.clone()).or_insert(0) -= count);
    difference.into_iter().filter(|(_, count)| *count != 0).collect()
}

/// Changes as a scenario lists them, cells below one another.
pub fn listed(changes: &Changes) -> String {
    let mut text = String::new();
    for same_view in changes.chunk_by(|(one, _), (next, _)| one.first() == next.first()) {
        let widths: Vec<usize> = (0..same_view[0].0.len())
            .map(|place| same_view.iter().filter_map(|(row, _)| row.get(place)).map(|cell| cell.chars().count()).max())
            .map(Option::unwrap_or_default)
            .collect();
        for (row, count) in same_view {
            text.push('=');
            let cells = row.iter().zip(&widths).enumerate();
            for (place, (cell, width)) in cells {
                let _ = write!(text, "{}{cell:<width$}", if place == 0 { " " } else { "  " });
            }
            let _ = writeln!(text, "  {count:+}");
        }
    }
    text
}

/// What is expected and did not come, what came and is not expected; nothing where they agree. The
/// order counts: a scenario lists changes sorted by bytes.
pub fn told(expected: &Changes, given: &Changes) -> Option<String> {
    let only = |here: &Changes, there: &Changes, sign| {
        let missing: Changes = here.iter().filter(|change| !there.contains(change)).cloned().collect();
        listed(&missing).lines().map(|line| format!("    {sign} {line}\n")).collect::<String>()
    };
    let told = only(expected, given, "expected") + &only(given, expected, "given   ");
    match (expected == given, told.is_empty()) {
        (true, _) => None,
        (false, true) => Some("    the changes are right, and not sorted by bytes\n".to_owned()),
        (false, false) => Some(told),
    }
}

//! What holds of every scenario, whatever it is about.
//!
//! - Two and four workers give what one gives, step by step.
//! - A recompute by plain loops agrees at the end, and so does a restart on the same log.
//! - All files landing at once, and in the opposite order, leave the same views: where neither the programme
//!   nor anything by hand is edited in between, and nobody says anything; in the opposite order also where no partition has one version twice,
//!   since then the first one stands, and no list waits for a person.
//! - Every file delivered once more changes nothing, not even the ledger.

use std::collections::HashSet;

use crate::play::{difference, landing, listed, play, told};
use crate::script::{Action, Landing, Scenario};
use crate::service::{Service, State};
use cohortflow::ingest::names::{Named, parse};

pub fn hold(scenario: &Scenario, wrong: &mut Vec<String>) {
    for workers in [1, 2, 4] {
        let mut outcomes = Vec::new();
        let mut heard = Vec::new();
        let mut service = play(scenario, workers, &mut outcomes, &mut |step, changes| {
            if let Some(told) = told(&step.changes, &changes) {
                heard.push(format!("line {}: {}\n{told}", step.line, step.about));
            }
        });
        let on = |wrong: String| format!("{wrong} (on {workers} workers)");
        let divergences = service.divergences().into_iter().map(|told| format!("the recompute: {told}"));
        wrong.extend(outcomes.into_iter().chain(heard).chain(divergences).map(on));
        if !wrong.is_empty() {
            return;
        }
        match workers {
            1 => orders(scenario, &service, wrong),
            2 => redelivery(scenario, &mut service, wrong),
            _ => {
                let before = service.all();
                service.restart();
                same("a restart changes", &before, &service.all(), wrong);
            }
        }
    }
}

fn same(what: &str, before: &State, after: &State, wrong: &mut Vec<String>) {
    let changes = difference(before, after);
    if !changes.is_empty() {
        wrong.push(format!("{what}\n{}", listed(&changes)));
    }
}

fn landings(scenario: &Scenario) -> Vec<&Landing> {
    scenario.steps.iter().flat_map(|step| &step.actions).filter_map(landing).collect()
}

fn is_edited(scenario: &Scenario) -> bool {
    scenario
        .steps
        .iter()
        .flat_map(|step| &step.actions)
        .any(|action| matches!(action, Action::Publish { .. } | Action::Edit(_) | Action::Ask(_)))
}

/// What files of one version of one partition have in common.
fn version(landing: &Landing) -> Option<impl Eq + std::hash::Hash + use<>> {
    match parse(landing.name.as_bytes()) {
        Named::File(name) => Some((name.feed as u8, name.period, name.part, name.version)),
        _ => None,
    }
}

fn orders(scenario: &Scenario, played: &Service, wrong: &mut Vec<String>) {
    if is_edited(scenario) {
        return;
    }
    let expected = timeless(played.all());
    let mut landings = landings(scenario);
    let mut at_once = Service::begin(&scenario.programme, 2);
    at_once.take(&landings);
    same("all at once there are", &expected, &timeless(at_once.all()), wrong);

    let versions: HashSet<_> = landings.iter().filter_map(|landing| version(landing)).collect();
    let waits = landings.iter().any(|landing| landing.expected.0 == "held");
    if versions.len() == landings.len() && !waits {
        landings.reverse();
        let mut reversed = Service::begin(&scenario.programme, 1);
        for landing in landings {
            reversed.take(&[landing]);
        }
        same("in the opposite order there are", &expected, &timeless(reversed.all()), wrong);
    }
}

/// The ledger's epochs tell in which order files came, and nothing else does.
fn timeless(state: State) -> State {
    let mut timeless = State::new();
    for (mut row, count) in state {
        if row.first().is_some_and(|view| view == "ingest_ledger") {
            row.pop();
        }
        *timeless.entry(row).or_insert(0) += count;
    }
    timeless
}

fn redelivery(scenario: &Scenario, service: &mut Service, wrong: &mut Vec<String>) {
    let landings = landings(scenario);
    let before = service.all();
    for (place, landing) in landings.iter().enumerate() {
        // A refused file has its chance again when the programme has become milder, and the replaced
        // content of a version that may be replaced would replace it again.
        let refused = is_edited(scenario) && landing.expected.0 == "rejected";
        let own = version(landing);
        let later = &landings[place + 1..];
        let replaced = later.iter().any(|later| later.expected.0.is_empty() && version(later) == own);
        if !refused && !replaced {
            service.take(&[landing]);
        }
    }
    same("every file once more changes", &before, &service.all(), wrong);
}

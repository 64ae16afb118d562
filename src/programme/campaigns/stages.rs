//! The stages that a campaign goes through, and those that cities leave out.

use std::collections::{BTreeMap, BTreeSet};

use dataflows::records::State;
use toml::de::DeValue;

use super::unknown;
use crate::programme::diagnostic::{Problems, quoted};
use crate::programme::outline::Entry;
use crate::programme::values;

/// Those that a programme may leave out or not; draft, paused and closed are none to go through.
const ALL: [State; 6] =
    [State::Predicted, State::Approved, State::Dispatched, State::Accepted, State::Rehearsed, State::Running];

/// Without these nothing would ever be handed off.
const NEEDED: [State; 2] = [State::Approved, State::Running];

/// The stages, ascending. All of them where the campaign does not say.
pub(super) fn stages(whose: &str, entry: Option<&Entry<'_>>, problems: &mut Problems<'_>) -> Vec<State> {
    let Some(entry) = entry else { return ALL.to_vec() };
    let errors = problems.errors();
    let mut stages: Vec<State> = Vec::new();
    for element in values::elements(entry, "stages", problems) {
        let Some(stage) = stage(&element, &ALL, problems) else { continue };
        match stages.last() {
            Some(last) if *last >= stage => {
                let message = format!("stages of {whose} has {} behind {}", stage.name(), last.name());
                let hint = format!("the order is {}", ALL.map(State::name).join(", "));
                problems.error(element.place, message, hint);
            }
            _ => stages.push(stage),
        }
    }
    for needed in NEEDED.iter().filter(|needed| !stages.contains(needed)) {
        if problems.errors() == errors {
            let message = format!("stages of {whose} is without {}, which cannot be left out", needed.name());
            problems.error(entry.place, message, None);
        }
    }
    stages
}

/// By city, the stages left out.
pub(super) fn skipped(
    whose: &str,
    entry: &Entry<'_>,
    (stages, cities): (&[State], &BTreeSet<String>),
    problems: &mut Problems<'_>,
) -> BTreeMap<String, Vec<State>> {
    let mut skipped = BTreeMap::new();
    let Some(item) = values::table(entry, "{ Dalian = [\"accepted\"] }", problems) else { return skipped };
    let may: Vec<State> = stages.iter().copied().filter(|stage| !NEEDED.contains(stage)).collect();
    for entry in &item.entries {
        if !cities.is_empty() && !cities.contains(entry.key) {
            let message = format!("skip_stages of {whose} names {}, which is none of its cities", quoted(entry.key));
            unknown(entry.key_place, message, entry.key, cities.iter().map(String::as_str), problems);
        }
        let mut out: Vec<State> = Vec::new();
        for element in values::elements(entry, "stages", problems) {
            let Some(stage) = stage(&element, &may, problems) else { continue };
            if out.contains(&stage) {
                let message = format!("{} leaves {} out twice", quoted(entry.key), stage.name());
                problems.error(element.place, message, None);
                continue;
            }
            out.push(stage);
        }
        out.sort_unstable();
        skipped.insert(entry.key.to_owned(), out);
    }
    skipped
}

fn stage(entry: &Entry<'_>, of: &[State], problems: &mut Problems<'_>) -> Option<State> {
    if let (DeValue::String(text), true) = (entry.value, of.is_empty()) {
        let message = format!("{} is {}, and no stage can be left out", entry.key, quoted(text));
        problems.error(entry.place, message, None);
        return None;
    }
    let names: Vec<&str> = of.iter().map(|stage| stage.name()).collect();
    of.get(values::one_of(entry, &names, problems)?).copied()
}

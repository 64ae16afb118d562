//! `[[care]]`: a product, the measure of its normal use, diagnoses and steps.

use std::collections::{BTreeMap, HashMap};

use dataflows::care::{AFTER_DAYS_MAX, APPROACHES, Approach, CARES_MAX, Care, Diagnosis, Due, EVERY_MAX, Step};
use toml::de::DeValue;

use super::diagnostic::{Problems, quoted};
use super::document::Reader;
use super::outline::{self, Entry, Item};
use super::source::Place;
use super::{near, values};

const KEYS: [&str; 7] = ["id", "name", "product", "used_by", "active_measure", "diagnose", "steps"];
const DIAGNOSIS_KEYS: [&str; 2] = ["reason", "when"];
const STEP_KEYS: [&str; 6] = ["do", "every_working_days", "monthly", "after_days", "after_failed", "after"];
/// Those of which a step has one.
const DUE_KEYS: [&str; 4] = ["every_working_days", "monthly", "after_failed", "after"];

/// Days between the opening and the first monthly step, where the step does not say: the mission's three weeks.
const AFTER_DAYS_DEFAULT: u32 = 21;

/// What a care is of.
#[derive(Clone, Copy)]
pub(super) struct Head<'a> {
    product: Option<&'a str>,
    used_by: Option<&'a str>,
}

/// Reads what each care is of, and adds their measures to those of products that have none yet: rules are
/// checked against them.
pub(super) fn heads<'a>(
    items: &[Item<'a>],
    measures: &mut BTreeMap<String, String>,
    problems: &mut Problems<'_>,
) -> Vec<Head<'a>> {
    let mut head = |item: &Item<'a>| {
        let product = required("product", item, "product that was opened", problems);
        // Another word for the same.
        let key = if item.find("used_by").is_none() && item.find("active_measure").is_some() {
            "active_measure"
        } else {
            "used_by"
        };
        let used_by = required(key, item, "measure that shows normal use", problems);
        if let (Some(product), Some(used_by)) = (product, used_by) {
            measures.entry(product.to_owned()).or_insert_with(|| used_by.to_owned());
        }
        Head { product, used_by }
    };
    items.iter().map(&mut head).collect()
}

/// The name under a key that must be there.
fn required<'a>(key: &str, item: &Item<'a>, what: &str, problems: &mut Problems<'_>) -> Option<&'a str> {
    match item.find(key) {
        Some(entry) => values::name(entry, problems),
        None => {
            let hint = format!("write {key} = \"...\": the {what}");
            problems.error(item.place, format!("a care without {key}"), hint);
            None
        }
    }
}

/// The cares, in the programme's order. `heads` are theirs.
pub(super) fn cares(items: &[Item<'_>], heads: &[Head<'_>], reader: &mut Reader<'_, '_>) -> Vec<Care> {
    if let Some(item) = items.get(CARES_MAX) {
        let message = format!("a programme has at most {CARES_MAX} cares, this one has {}", items.len());
        reader.problems.error(item.place, message, None);
    }
    let (mut ids, mut products) = (HashMap::new(), HashMap::new());
    let mut cares = Vec::new();
    for (item, head) in items.iter().zip(heads) {
        reader.known_keys("care", item, &KEYS);
        if let Some(entry) = item.find("name") {
            values::name(entry, reader.problems);
        }
        if let Some((id, entry)) =
            item.find("id").and_then(|entry| Some((values::name(entry, reader.problems)?, entry)))
        {
            reader.unique("care", &mut ids, id, entry.place);
        }
        if let (Some(product), Some(entry)) = (head.product, item.find("product"))
            && let Some(earlier) = products.insert(product, entry.place)
        {
            let hint = format!("first at {}", outline::at(earlier, reader.sources));
            reader.problems.error(entry.place, format!("two cares are of the product {}", quoted(product)), hint);
        }
        let whose = head.product.map_or_else(|| "a care".to_owned(), |product| format!("care of {}", quoted(product)));
        let diagnose = item.find("diagnose").map_or_else(|| Some(Vec::new()), |entry| diagnoses(&whose, entry, reader));
        let steps = item.find("steps").map_or_else(|| Some(Vec::new()), |entry| steps(&whose, entry, reader));
        let (Some(product), Some(used_by)) = (head.product, head.used_by) else { continue };
        let (Some(diagnose), Some(steps)) = (diagnose, steps) else { continue };
        cares.push(Care { product: product.to_owned(), used_by: used_by.to_owned(), diagnose, steps });
    }
    cares
}

/// None where one of them does not hold, which is told.
fn diagnoses(whose: &str, entry: &Entry<'_>, reader: &mut Reader<'_, '_>) -> Option<Vec<Diagnosis>> {
    let items = outline::array("care.diagnose", entry, entry.place.file, reader.problems);
    if let Some(item) = items.get(CARES_MAX) {
        let message = format!("{whose} has {} diagnoses, {CARES_MAX} are allowed", items.len());
        reader.problems.error(item.place, message, None);
    }
    let mut diagnosis = |item: &Item<'_>| {
        reader.known_keys("diagnosis", item, &DIAGNOSIS_KEYS);
        let reason = match item.find("reason") {
            Some(entry) => values::name(entry, reader.problems),
            None => {
                let hint = "write reason = \"...\"".to_owned();
                reader.problems.error(item.place, format!("a diagnosis of {whose} without reason"), hint);
                None
            }
        };
        let subject = reason.map_or_else(|| "a diagnosis".to_owned(), |reason| format!("diagnosis {}", quoted(reason)));
        let when = match item.find("when") {
            Some(entry) => reader.rule(entry, format!("rule of {subject} of {whose}")).and_then(|rule| rule.expr),
            None => {
                let hint = "write when = \"...\"; when = \"true\" takes the rest".to_owned();
                reader.problems.error(item.place, format!("{subject} of {whose} has no rule"), hint);
                None
            }
        };
        Some(Diagnosis { reason: reason?.to_owned(), when: when? })
    };
    // Each is read, so that everything wrong is told at once.
    let read: Vec<Option<Diagnosis>> = items.iter().map(&mut diagnosis).collect();
    read.into_iter().collect()
}

/// None where one of them does not hold, which is told.
fn steps(whose: &str, entry: &Entry<'_>, reader: &mut Reader<'_, '_>) -> Option<Vec<Step>> {
    let items = outline::array("care.steps", entry, entry.place.file, reader.problems);
    if let Some(item) = items.get(APPROACHES.len()) {
        let message =
            format!("{whose} has {} steps, {} are allowed: each does something else", items.len(), APPROACHES.len());
        reader.problems.error(item.place, message, None);
        return None;
    }
    let mut seen = HashMap::new();
    let approaches: Vec<Option<Approach>> = items.iter().map(|item| approach(whose, item, &mut seen, reader)).collect();
    let mut step = |(item, approach): (&Item<'_>, &Option<Approach>)| {
        let due = due(whose, item, *approach, &approaches, reader);
        Some(Step { approach: (*approach)?, due: due? })
    };
    let read: Vec<Option<Step>> = items.iter().zip(&approaches).map(&mut step).collect();
    read.into_iter().collect()
}

/// What a step does; no two of a care do the same.
fn approach(
    whose: &str,
    item: &Item<'_>,
    seen: &mut HashMap<Approach, Place>,
    reader: &mut Reader<'_, '_>,
) -> Option<Approach> {
    reader.known_keys("step", item, &STEP_KEYS);
    let Some(entry) = item.find("do") else {
        let hint = format!("write do = {}", near::either(&APPROACHES.map(|(name, _)| name)));
        reader.problems.error(item.place, format!("a step of {whose} without do"), hint);
        return None;
    };
    let (name, approach) = APPROACHES[values::one_of(entry, &APPROACHES.map(|(name, _)| name), reader.problems)?];
    if let Some(earlier) = seen.insert(approach, entry.place) {
        let hint = format!("first at {}", outline::at(earlier, reader.sources));
        reader.problems.error(entry.place, format!("two steps of {whose} do {}", quoted(name)), hint);
    }
    Some(approach)
}

/// When a step is due: it says so in one way. `others` are the approaches of the care's steps.
fn due(
    whose: &str,
    item: &Item<'_>,
    approach: Option<Approach>,
    others: &[Option<Approach>],
    reader: &mut Reader<'_, '_>,
) -> Option<Due> {
    let step = approach.map_or_else(|| "a step".to_owned(), |approach| format!("step {}", quoted(approach.name())));
    let mut ways = item.entries.iter().filter(|entry| DUE_KEYS.contains(&entry.key));
    let Some(entry) = ways.next() else {
        let hint = format!("write one of {}", DUE_KEYS.join(", "));
        reader.problems.error(item.place, format!("{step} of {whose} does not say when"), hint);
        return None;
    };
    if let Some(second) = ways.next() {
        let message = format!("{step} of {whose} has both {} and {}", entry.key, second.key);
        reader.problems.error(second.key_place, message, "keep one of them".to_owned());
        return None;
    }
    let after_days = item.find("after_days");
    if let Some(entry) = after_days.filter(|_| entry.key != "monthly") {
        reader.problems.error(
            entry.key_place,
            format!("{step} of {whose} is not monthly: after_days says nothing"),
            None,
        );
    }
    match entry.key {
        "every_working_days" => {
            let every = values::whole(entry, 1, EVERY_MAX.into(), reader.problems)?;
            Some(Due::EveryWorkingDays(every as u32))
        }
        "monthly" => {
            let days = after_days.map(|entry| values::whole(entry, 0, AFTER_DAYS_MAX.into(), reader.problems));
            if !matches!(entry.value, DeValue::Boolean(true)) {
                let hint = "write monthly = true, or leave the step out".to_owned();
                reader.problems.error(entry.place, format!("monthly of {step} of {whose} is not true"), hint);
                return None;
            }
            Some(Due::Monthly { after_days: days.map_or(Some(AFTER_DAYS_DEFAULT), |days| Some(days? as u32))? })
        }
        "after_failed" => {
            let known: Vec<&str> =
                others.iter().flatten().filter(|other| Some(**other) != approach).map(|other| other.name()).collect();
            let failed = APPROACHES
                .iter()
                .find(|(name, _)| known.contains(name) && matches!(entry.value, DeValue::String(text) if text == name));
            let Some((name, failed)) = failed else {
                let found = values::text(entry, "another step of the care", reader.problems)?;
                let message = format!("after_failed is {}, which no other step of {whose} does", quoted(found));
                reader.problems.error(entry.place, message, near::hint_or_list(found, known));
                return None;
            };
            let message =
                format!("{step} of {whose} is not carried by this build: no outcome of {} is delivered", quoted(name));
            reader.problems.warning(entry.place, message, None);
            Some(Due::AfterFailed(*failed))
        }
        _ => values::one_of(entry, &["used"], reader.problems).map(|_| Due::AfterUse),
    }
}

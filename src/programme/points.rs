//! `[[points.rule]]` and `[[rank]]`.

use std::collections::HashMap;

use dataflows::points::CAUSES;
use dataflows::programme::{Expiry, MONTHS_MAX, PENDING_DAYS_MAX, Per, PointsRule, Rank, Terms, Trigger};
use dataflows::records::{COUNT_MAX, EventKind, POINTS_MAX};
use toml::de::DeValue;

use super::diagnostic::quoted;
use super::document::Reader;
use super::near;
use super::outline::{self, Entry, Item};
use super::values;

const RULE_KEYS: [&str; 14] = [
    "id",
    "name",
    "on",
    "product",
    "result",
    "measure",
    "monthly_at_least",
    "points",
    "per",
    "daily_cap",
    "daily_limit",
    "daily_people",
    "expires_after",
    "pending_days",
];
const RANK_KEYS: [&str; 3] = ["id", "name", "from"];

/// What a rule may be on: the kinds of events, and the use of a service.
fn triggers() -> [&'static str; EventKind::NAMES.len() + 1] {
    std::array::from_fn(|place| EventKind::NAMES.get(place).copied().unwrap_or("usage"))
}

/// The ids that rules may compare rank with, before anything else of the ranks is read.
pub(super) fn rank_ids(items: &[Item<'_>]) -> Vec<String> {
    let ids = items.iter().flat_map(|item| item.entries.iter().filter(|entry| entry.key == "id"));
    ids.filter_map(|entry| match entry.value {
        DeValue::String(id) => Some(id.clone().into_owned()),
        _ => None,
    })
    .collect()
}

/// The rules that award points.
pub(super) fn rules(items: &[Item<'_>], reader: &mut Reader<'_, '_>) -> Vec<PointsRule> {
    let mut seen = HashMap::new();
    items.iter().filter_map(|item| rule(item, &mut seen, reader)).collect()
}

fn rule<'e>(
    item: &Item<'e>,
    seen: &mut HashMap<&'e str, super::source::Place>,
    reader: &mut Reader<'_, '_>,
) -> Option<PointsRule> {
    let mut rule = PointsRule {
        id: String::new(),
        on: Trigger::Event(EventKind::Register),
        product: None,
        result: None,
        points: 0,
        per: Per::Event,
        daily_cap: None,
        daily_limit: None,
        daily_people: None,
        terms: Terms::default(),
    };
    let id = id("points rule", item, seen, reader);
    let (mut on, mut points) = (None, None);
    let (mut measure, mut at_least) = (None, None);
    for entry in &item.entries {
        let problems = &mut *reader.problems;
        match entry.key {
            "id" => {}
            "name" => drop(values::name(entry, problems)),
            "on" => on = Some((entry, values::one_of(entry, &triggers(), problems))),
            "product" => rule.product = values::name(entry, problems).map(str::to_owned),
            "result" => rule.result = values::one_of(entry, &["failure", "success"], problems).map(|place| place == 1),
            "measure" => measure = Some(values::name(entry, problems)),
            "monthly_at_least" => at_least = Some(values::whole(entry, 1, COUNT_MAX, problems)),
            "points" => points = Some(values::whole(entry, -POINTS_MAX, POINTS_MAX, problems)),
            "per" => {
                let place = values::one_of(entry, &["event", "day", "lifetime"], problems);
                rule.per = [Per::Event, Per::Day, Per::Lifetime][place.unwrap_or(0)];
            }
            "daily_cap" => rule.daily_cap = values::whole(entry, 0, POINTS_MAX, problems),
            "daily_limit" => rule.daily_limit = small(entry, reader),
            "daily_people" => rule.daily_people = small(entry, reader),
            "pending_days" => {
                let days = values::whole(entry, 0, i64::from(PENDING_DAYS_MAX), problems);
                rule.terms.pending_days = days.map_or(0, |days| days as u32);
            }
            "expires_after" => rule.terms.expiry = expiry(entry, reader),
            other => unknown("points rule", other, entry, &RULE_KEYS, reader),
        }
    }
    let whose = id.map_or_else(|| "a points rule".to_owned(), |id| format!("points rule {}", quoted(id)));
    if on.is_none() {
        let hint = format!("write on = \"...\": {}", near::either(&triggers()));
        reader.problems.error(item.place, format!("{whose} does not say what it is on"), hint);
    }
    if points.is_none() {
        reader.problems.error(item.place, format!("{whose} awards no points"), "write points = 5".to_owned());
    }
    let (entry, place) = on?;
    let on = match EventKind::ALL.get(place?) {
        Some((kind, _)) => {
            let of_usage = ["measure", "monthly_at_least"];
            for entry in item.entries.iter().filter(|entry| of_usage.contains(&entry.key)) {
                let message = format!("{whose} has {}, which is for rules on usage", entry.key);
                reader.problems.error(entry.key_place, message, "write on = \"usage\", or leave it out".to_owned());
            }
            if *kind == EventKind::Deregister {
                let message = format!("{whose} is on deregister, which earns nothing: it awards nothing");
                reader.problems.warning(entry.place, message, None);
            }
            Trigger::Event(*kind)
        }
        None => {
            let of_event = ["product", "result", "daily_people"];
            for entry in item.entries.iter().filter(|entry| of_event.contains(&entry.key)) {
                let message = format!("{whose} has {}, which a month of use has not: it bounds nothing", entry.key);
                reader.problems.warning(entry.key_place, message, None);
            }
            if measure.is_none() {
                let hint = "write measure = \"...\": the measure of the usage feed that shows the use".to_owned();
                reader.problems.error(entry.place, format!("{whose} is on usage and does not say of what"), hint);
            }
            let monthly_at_least = at_least.unwrap_or(Some(1));
            Trigger::Use { measure: measure??.to_owned(), monthly_at_least: monthly_at_least? }
        }
    };
    Some(PointsRule { id: id?.to_owned(), on, points: points??, ..rule })
}

/// When points of a rule are lost: a number of months, or with the year.
fn expiry(entry: &Entry<'_>, reader: &mut Reader<'_, '_>) -> Expiry {
    if let DeValue::String(_) = entry.value {
        let end = values::one_of(entry, &["year_end"], reader.problems);
        return end.map_or(Expiry::Never, |_| Expiry::YearEnd);
    }
    let months = values::months(entry, 1, MONTHS_MAX, reader.problems);
    months.map_or(Expiry::Never, Expiry::Months)
}

/// The ranks, in the programme's order.
pub(super) fn ranks(items: &[Item<'_>], reader: &mut Reader<'_, '_>) -> Vec<Rank> {
    let (mut seen, mut bounds) = (HashMap::new(), HashMap::new());
    let mut ranks = Vec::new();
    for item in items {
        let id = id("rank", item, &mut seen, reader);
        let mut from = None;
        for entry in &item.entries {
            match entry.key {
                "id" => {}
                "name" => drop(values::name(entry, reader.problems)),
                "from" => from = Some((entry, values::whole(entry, -POINTS_MAX, POINTS_MAX, reader.problems))),
                other => unknown("rank", other, entry, &RANK_KEYS, reader),
            }
        }
        let whose = id.map_or_else(|| "a rank".to_owned(), |id| format!("rank {}", quoted(id)));
        let Some((entry, from)) = from else {
            let hint = "write from = 51: the lowest balance that has it".to_owned();
            reader.problems.error(item.place, format!("{whose} does not say where it begins"), hint);
            continue;
        };
        let Some(from) = from else { continue };
        if let Some(earlier) = bounds.insert(from, entry.place) {
            let hint = format!("first at {}", outline::at(earlier, reader.sources));
            reader.problems.error(entry.place, format!("two ranks begin at {from}"), hint);
        }
        ranks.extend(id.map(|id| Rank { id: id.to_owned(), from }));
    }
    ranks
}

/// The id of an item, which must be there and be its own.
fn id<'e>(
    noun: &str,
    item: &Item<'e>,
    seen: &mut HashMap<&'e str, super::source::Place>,
    reader: &mut Reader<'_, '_>,
) -> Option<&'e str> {
    let Some(entry) = item.entries.iter().find(|entry| entry.key == "id") else {
        reader.problems.error(item.place, format!("a {noun} without id"), "write id = \"...\"".to_owned());
        return None;
    };
    let id = values::name(entry, reader.problems)?;
    reader.unique(noun, seen, id, entry.place);
    if noun == "points rule" && CAUSES.contains(&id) {
        let message = format!("a points rule has the id {}, by which entries name what no rule awards", quoted(id));
        reader.problems.error(entry.place, message, "give it another id".to_owned());
    }
    Some(id)
}

fn small(entry: &Entry<'_>, reader: &mut Reader<'_, '_>) -> Option<u32> {
    let number = values::whole(entry, 0, i64::from(u32::MAX), reader.problems)?;
    u32::try_from(number).ok()
}

fn unknown(noun: &str, key: &str, entry: &Entry<'_>, known: &[&str], reader: &mut Reader<'_, '_>) {
    let message = format!("unknown key {} of a {noun}", quoted(key));
    reader.problems.error(entry.key_place, message, near::hint_or_list(key, known.iter().copied()));
}

//! `[[tier]]` and `[[segment]]`.

use std::collections::HashMap;

use dataflows::programme::{Segment, TIERS_MAX, Tier};
use toml::de::DeValue;

use super::circle::Definition;
use super::diagnostic::quoted;
use super::document::Reader;
use super::near;
use super::outline::{Entry, Item};
use super::values;

/// What tiers and segments are called, in the programme's order.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Names {
    pub tiers: Vec<TierName>,
    pub segments: Vec<SegmentName>,
}

/// A tier for people.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TierName {
    pub id: String,
    pub name: Option<String>,
}

/// A segment for people.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SegmentName {
    pub id: String,
    pub name: Option<String>,
    pub level: Level,
}

/// Where a segment is meant to be used.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Level {
    /// All over the province.
    #[default]
    Province,
    /// All over the province, with emphasis by cities.
    ProvinceCity,
    /// In cities that choose it.
    City,
}

impl Level {
    pub(super) const WORDS: [&'static str; 3] = ["province", "province_city", "city"];

    /// As the programme writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Level::Province => "province",
            Level::ProvinceCity => "province_city",
            Level::City => "city",
        }
    }

    pub(super) fn from_position(position: usize) -> Level {
        match position {
            1 => Level::ProvinceCity,
            2 => Level::City,
            _ => Level::Province,
        }
    }
}

/// The ids that rules may compare tier with, before anything else of the tiers is read.
pub(super) fn tier_ids(items: &[Item<'_>]) -> Vec<String> {
    let ids = items.iter().flat_map(|item| item.entries.iter().filter(|entry| entry.key == "id"));
    ids.filter_map(|entry| match entry.value {
        DeValue::String(id) => Some(id.clone().into_owned()),
        _ => None,
    })
    .collect()
}

/// What tiers and segments have in common.
struct Parts<'e> {
    id: Option<&'e str>,
    name: Option<String>,
    level: Level,
    when: Option<Entry<'e>>,
}

fn parts<'e>(noun: &str, keys: &[&str], item: &Item<'e>, reader: &mut Reader<'_, '_>) -> Parts<'e> {
    let mut parts = Parts { id: None, name: None, level: Level::default(), when: None };
    let mut has_id = false;
    for entry in &item.entries {
        match entry.key {
            "id" => {
                has_id = true;
                parts.id = values::name(entry, reader.problems);
            }
            "name" => parts.name = values::name(entry, reader.problems).map(str::to_owned),
            "when" => parts.when = Some(*entry),
            "level" if keys.contains(&"level") => {
                let word = values::one_of(entry, &Level::WORDS, reader.problems);
                parts.level = word.map(Level::from_position).unwrap_or_default();
            }
            other => {
                let message = format!("unknown key {} of a {noun}", quoted(other));
                reader.problems.error(entry.key_place, message, near::hint_or_list(other, keys.iter().copied()));
            }
        }
    }
    if !has_id {
        reader.problems.error(
            item.place,
            format!("a {noun} without id"),
            format!("write id = \"...\" below [[{noun}]]"),
        );
    }
    parts
}

/// How messages name it: `tier "A"`, or `a tier` where it has no id.
fn whose(noun: &str, id: Option<&str>) -> String {
    id.map_or_else(|| format!("a {noun}"), |id| format!("{noun} {}", quoted(id)))
}

pub(super) fn tiers(items: &[Item<'_>], reader: &mut Reader<'_, '_>) -> (Vec<Tier>, Vec<TierName>) {
    let (mut tiers, mut names) = (Vec::new(), Vec::new());
    let mut seen = HashMap::new();
    if let Some(item) = items.get(TIERS_MAX) {
        let message = format!("a programme has at most {TIERS_MAX} tiers, this one has {}", items.len());
        reader.problems.error(item.place, message, None);
    }
    for (index, item) in items.iter().enumerate() {
        let parts = parts("tier", &["id", "name", "when"], item, reader);
        let whose = whose("tier", parts.id);
        if let (Some(id), Some(entry)) = (parts.id, item.entries.iter().find(|entry| entry.key == "id")) {
            reader.unique("tier", &mut seen, id, entry.place);
        }
        let is_last = index.saturating_add(1) == items.len();
        let when = match &parts.when {
            None if is_last => None,
            None => {
                let hint = "only the last tier goes without: it takes the rest".to_owned();
                reader.problems.error(item.place, format!("{whose} has no rule"), hint);
                continue;
            }
            Some(entry) => {
                let Some(rule) = reader.rule(entry, format!("rule of {whose}")) else { continue };
                for (attribute, place) in rule.uses.iter().filter(|(attribute, _)| attribute.is_as_of_now()) {
                    let message = format!("rule of {whose} uses {attribute}, which is as of now");
                    let hint = "tiers are decided month by month: use bills, usage and what the customer feed says";
                    reader.problems.error(*place, message, hint.to_owned());
                }
                let by = parts.id.map(|id| format!("tier {id}"));
                reader.refers(&Definition::Tier, by.as_deref(), &rule);
                let Some(expr) = rule.expr else { continue };
                Some(expr)
            }
        };
        let Some(id) = parts.id else { continue };
        tiers.push(Tier { id: id.to_owned(), when });
        names.push(TierName { id: id.to_owned(), name: parts.name });
    }
    (tiers, names)
}

pub(super) fn segments(items: &[Item<'_>], reader: &mut Reader<'_, '_>) -> (Vec<Segment>, Vec<SegmentName>) {
    let (mut segments, mut names) = (Vec::new(), Vec::new());
    let mut seen = HashMap::new();
    for item in items {
        let parts = parts("segment", &["id", "name", "level", "when"], item, reader);
        let whose = whose("segment", parts.id);
        if let (Some(id), Some(entry)) = (parts.id, item.entries.iter().find(|entry| entry.key == "id")) {
            reader.unique("segment", &mut seen, id, entry.place);
        }
        let Some(entry) = &parts.when else {
            let hint = "write when = \"...\"; when = \"true\" takes the whole population".to_owned();
            reader.problems.error(item.place, format!("{whose} has no rule"), hint);
            continue;
        };
        let rule = reader.rule(entry, format!("rule of {whose}"));
        let (Some(when), Some(id)) = (rule.and_then(|rule| rule.expr), parts.id) else { continue };
        segments.push(Segment { id: id.to_owned(), when });
        names.push(SegmentName { id: id.to_owned(), name: parts.name, level: parts.level });
    }
    (segments, names)
}

//! Ids: those of campaigns and of what they name.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use dataflows::targets::CAMPAIGNS_MAX;
use toml::de::DeValue;

use crate::programme::diagnostic::{Problems, quoted};
use crate::programme::document::Reader;
use crate::programme::outline::{Item, Outline};
use crate::programme::source::Place;
use crate::programme::{ladder, near, values};

/// The ids that campaigns and contents may name, before anything else of theirs is read.
pub(in crate::programme) struct Ids {
    pub campaigns: BTreeSet<String>,
    pub packs: BTreeSet<String>,
    pub goals: BTreeSet<String>,
    /// By id of a content, the channels that it has a text for: filled when contents are read.
    pub contents: BTreeMap<String, BTreeSet<String>>,
    /// Whether a pack is for a class.
    pub has_pack_of_tier: bool,
}

impl Ids {
    pub fn of(outline: &Outline<'_>) -> Ids {
        let ids = |items: &[Item<'_>]| ladder::tier_ids(items).into_iter().collect();
        Ids {
            campaigns: ids(&outline.campaigns),
            packs: ids(&outline.packs),
            goals: ids(&outline.goals),
            contents: BTreeMap::new(),
            has_pack_of_tier: outline.packs.iter().any(|pack| pack.find("tier").is_some()),
        }
    }
}

/// How messages name it: `campaign "c"`, or `a campaign` where it has no id.
pub(in crate::programme) fn whose(noun: &str, id: Option<&str>) -> String {
    id.map_or_else(|| format!("a {noun}"), |id| format!("{noun} {}", quoted(id)))
}

/// The id of an item, which must be there and be its own.
pub(in crate::programme) fn id<'e>(
    noun: &str,
    item: &Item<'e>,
    seen: &mut HashMap<&'e str, Place>,
    reader: &mut Reader<'_, '_>,
) -> Option<&'e str> {
    let Some(entry) = item.find("id") else {
        reader.problems.error(item.place, format!("a {noun} without id"), "write id = \"...\"".to_owned());
        return None;
    };
    let id = values::name(entry, reader.problems)?;
    reader.unique(noun, seen, id, entry.place);
    Some(id)
}

/// The id of an item that may not hold.
pub(super) fn own_id<'i>(item: &'i Item<'_>) -> Option<&'i str> {
    match item.find("id")?.value {
        DeValue::String(id) => Some(id),
        _ => None,
    }
}

/// Tells a name that is none of those known, with those near to it.
pub(super) fn unknown<'k>(
    place: Place,
    message: String,
    name: &str,
    known: impl IntoIterator<Item = &'k str>,
    problems: &mut Problems<'_>,
) {
    // Comparing a name with many costs time, for a hint that nobody would read.
    let is_told = problems.errors() < Problems::TOLD_MAX;
    let known: Vec<&str> = if is_told { known.into_iter().take(CAMPAIGNS_MAX).collect() } else { Vec::new() };
    problems.error(place, message, near::hint_or_list(name, known));
}

//! The sections of a programme: TOML files merged into one outline, with every key placed.
//!
//! Arrays of tables from several files follow one another in the order of the files. A table that may
//! stand only once (`[settings] [fit] [calendar]`) may be spread over files, but a key only once.

use std::collections::HashMap;

use toml::de::{DeTable, DeValue};

use super::diagnostic::{Problems, quoted};
use super::near;
use super::source::{Place, Source};

/// How a section is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kind {
    Table,
    Array,
    /// `[[points.rule]]`: a table with one array in it.
    Points,
}

const SECTIONS: [(&str, Kind); 17] = [
    ("settings", Kind::Table),
    ("tier", Kind::Array),
    ("segment", Kind::Array),
    ("points", Kind::Points),
    ("rank", Kind::Array),
    ("pack", Kind::Array),
    ("drive", Kind::Array),
    ("care", Kind::Array),
    ("fit", Kind::Table),
    ("campaign", Kind::Array),
    ("template", Kind::Array),
    ("content", Kind::Array),
    ("restriction", Kind::Array),
    ("scene", Kind::Array),
    ("tag", Kind::Array),
    ("goal", Kind::Array),
    ("calendar", Kind::Table),
];

/// A key and its value.
#[derive(Clone, Copy)]
pub(super) struct Entry<'a> {
    pub key: &'a str,
    pub key_place: Place,
    pub value: &'a DeValue<'a>,
    pub place: Place,
}

/// One table of an array: a tier, a segment, a campaign.
pub(super) struct Item<'a> {
    /// Where it begins: what is missing in it is missing there.
    pub place: Place,
    pub entries: Vec<Entry<'a>>,
}

impl<'a> Item<'a> {
    /// What stands under a key.
    pub fn find(&self, key: &str) -> Option<&Entry<'a>> {
        self.entries.iter().find(|entry| entry.key == key)
    }
}

/// A section that this build does not carry.
pub(super) struct Uncarried<'a> {
    /// As it is written: `[[scene]]`, `[fit]`.
    pub header: String,
    /// What one of its items is called: `scene`.
    pub noun: &'static str,
    pub place: Place,
    pub items: Vec<Item<'a>>,
}

/// The merged programme.
#[derive(Default)]
pub(super) struct Outline<'a> {
    pub settings: Vec<Entry<'a>>,
    pub tiers: Vec<Item<'a>>,
    pub segments: Vec<Item<'a>>,
    pub points: Vec<Item<'a>>,
    pub ranks: Vec<Item<'a>>,
    pub drives: Vec<Item<'a>>,
    pub cares: Vec<Item<'a>>,
    pub calendar: Vec<Entry<'a>>,
    pub packs: Vec<Item<'a>>,
    pub campaigns: Vec<Item<'a>>,
    pub templates: Vec<Item<'a>>,
    pub contents: Vec<Item<'a>>,
    pub restrictions: Vec<Item<'a>>,
    pub goals: Vec<Item<'a>>,
    /// The files' parts of `[fit]`, as one.
    pub fit: Option<Item<'a>>,
    pub uncarried: Vec<Uncarried<'a>>,
}

/// Reads the TOML of all sources. Syntax errors are told, all of a file at once.
pub(super) fn tables<'a>(sources: &'a [Source], problems: &mut Problems<'_>) -> Vec<DeTable<'a>> {
    let mut tables = Vec::with_capacity(sources.len());
    for (file, source) in sources.iter().enumerate() {
        let (table, errors) = DeTable::parse_recoverable(&source.text);
        let mut told_line = None;
        for error in errors {
            let place = Place::new(file, error.span().unwrap_or(0..0));
            // Of what one slip leaves behind in a line, the first is the slip.
            let line = source.position(place).line;
            if told_line.replace(line) != Some(line) {
                problems.error(place, format!("not TOML: {}", error.message()), None);
            }
        }
        tables.push(table.into_inner());
    }
    tables
}

/// Merges the files. `tables` are those of the sources, in their order.
pub(super) fn merge<'a>(tables: &'a [DeTable<'a>], sources: &[Source], problems: &mut Problems<'_>) -> Outline<'a> {
    let mut outline = Outline::default();
    let mut single: HashMap<(&str, &str), Place> = HashMap::new();
    for (file, table) in tables.iter().enumerate() {
        for section in entries(table, file) {
            let Some((name, kind)) = SECTIONS.iter().find(|(name, _)| *name == section.key) else {
                let hint = near::hint_or_list(section.key, SECTIONS.iter().map(|(name, _)| *name));
                problems.error(section.key_place, format!("unknown section {}", quoted(section.key)), hint);
                continue;
            };
            let items = match kind {
                Kind::Array => array(name, &section, file, problems),
                Kind::Points => points(&section, file, problems),
                Kind::Table => match section.value {
                    DeValue::Table(table) => {
                        let entries = entries(table, file);
                        let place = section.key_place;
                        vec![Item { place, entries: once(name, entries, &mut single, sources, problems) }]
                    }
                    other => {
                        let problem = format!("{name} is {}, expected a table", kind_of(other));
                        problems.error(section.key_place, problem, format!("write [{name}]"));
                        continue;
                    }
                },
            };
            match *name {
                "settings" => outline.settings.extend(items.into_iter().flat_map(|item| item.entries)),
                "tier" => outline.tiers.extend(items),
                "segment" => outline.segments.extend(items),
                "points" => outline.points.extend(items),
                "rank" => outline.ranks.extend(items),
                "drive" => outline.drives.extend(items),
                "care" => outline.cares.extend(items),
                "pack" => outline.packs.extend(items),
                "campaign" => outline.campaigns.extend(items),
                "template" => outline.templates.extend(items),
                "content" => outline.contents.extend(items),
                "fit" => match &mut outline.fit {
                    Some(fit) => fit.entries.extend(items.into_iter().flat_map(|item| item.entries)),
                    none => *none = items.into_iter().next(),
                },
                "restriction" => outline.restrictions.extend(items),
                "goal" => outline.goals.extend(items),
                "calendar" => outline.calendar.extend(items.into_iter().flat_map(|item| item.entries)),
                _ => {
                    let header = if *kind == Kind::Table { format!("[{name}]") } else { format!("[[{name}]]") };
                    match outline.uncarried.iter_mut().find(|uncarried| uncarried.header == header) {
                        Some(uncarried) => uncarried.items.extend(items),
                        None => {
                            let place = section.key_place;
                            outline.uncarried.push(Uncarried { header, noun: name, place, items });
                        }
                    }
                }
            }
        }
    }
    outline
}

/// The entries of a table as they stand in the text.
pub(super) fn entries<'a>(table: &'a DeTable<'a>, file: usize) -> Vec<Entry<'a>> {
    let mut entries: Vec<Entry<'_>> = table
        .iter()
        .map(|(key, value)| Entry {
            key: key.get_ref(),
            key_place: Place::new(file, key.span()),
            value: value.get_ref(),
            place: Place::new(file, value.span()),
        })
        .collect();
    entries.sort_by_key(|entry| entry.key_place);
    entries
}

/// Refuses keys that stand in an earlier file.
fn once<'a>(
    section: &'static str,
    entries: Vec<Entry<'a>>,
    seen: &mut HashMap<(&'a str, &'a str), Place>,
    sources: &[Source],
    problems: &mut Problems<'_>,
) -> Vec<Entry<'a>> {
    entries
        .into_iter()
        .filter(|entry| match seen.insert((section, entry.key), entry.key_place) {
            None => true,
            Some(earlier) => {
                let problem = format!("the key {} of [{section}] stands twice", quoted(entry.key));
                problems.error(entry.key_place, problem, format!("first at {}", at(earlier, sources)));
                false
            }
        })
        .collect()
}

/// `programme.toml:3:1`, for hints.
pub(super) fn at(place: Place, sources: &[Source]) -> String {
    sources.get(place.file).map_or_else(String::new, |source| {
        let position = source.position(place);
        let (line, column) = (position.line.saturating_add(1), position.column.saturating_add(1));
        format!("{}:{line}:{column}", source.name)
    })
}

pub(super) fn array<'a>(name: &str, section: &Entry<'a>, file: usize, problems: &mut Problems<'_>) -> Vec<Item<'a>> {
    let DeValue::Array(array) = section.value else {
        let problem = format!("{name} is {}, expected an array of tables", kind_of(section.value));
        problems.error(section.key_place, problem, format!("write [[{name}]]"));
        return Vec::new();
    };
    let mut items = Vec::with_capacity(array.len());
    for value in array.iter() {
        let place = Place::new(file, value.span());
        match value.get_ref() {
            DeValue::Table(table) => items.push(Item { place, entries: entries(table, file) }),
            other => {
                let problem = format!("{name} holds {}, expected tables", kind_of(other));
                problems.error(place, problem, format!("write [[{name}]]"));
            }
        }
    }
    items
}

fn points<'a>(section: &Entry<'a>, file: usize, problems: &mut Problems<'_>) -> Vec<Item<'a>> {
    let DeValue::Table(table) = section.value else {
        let problem = format!("points is {}, expected [[points.rule]]", kind_of(section.value));
        problems.error(section.key_place, problem, None);
        return Vec::new();
    };
    let mut items = Vec::new();
    for entry in entries(table, file) {
        if entry.key == "rule" {
            items.extend(array("points.rule", &entry, file, problems));
        } else {
            let hint = near::hint_or_list(entry.key, ["rule"]);
            problems.error(entry.key_place, format!("unknown key {} in points", quoted(entry.key)), hint);
        }
    }
    items
}

/// With its article, for messages.
pub(super) fn kind_of(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a text",
        DeValue::Integer(_) => "a whole number",
        DeValue::Float(_) => "a number",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date or time",
        DeValue::Array(_) => "an array",
        DeValue::Table(_) => "a table",
    }
}

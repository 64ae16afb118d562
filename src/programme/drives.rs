//! `[[drive]]`: a rule, signs, and how many of the signs it takes.

use std::collections::HashMap;

use dataflows::programme::{DRIVES_MAX, Drive, SIGNS_MAX, Sign};
use dataflows::rules::Expr;

use super::circle::Definition;
use super::diagnostic::quoted;
use super::document::Reader;
use super::outline::{self, Entry, Item};
use super::source::Place;
use super::values;

const KEYS: [&str; 5] = ["id", "name", "when", "signs", "at_least"];
const SIGN_KEYS: [&str; 3] = ["id", "name", "when"];

/// The drives, in the programme's order.
pub(super) fn drives(items: &[Item<'_>], reader: &mut Reader<'_, '_>) -> Vec<Drive> {
    let mut seen = HashMap::new();
    let mut drives = Vec::new();
    if let Some(item) = items.get(DRIVES_MAX) {
        let message = format!("a programme has at most {DRIVES_MAX} drives, this one has {}", items.len());
        reader.problems.error(item.place, message, None);
    }
    for item in items {
        let id = id("drive", item, &KEYS, &mut seen, reader);
        let whose = id.map_or_else(|| "a drive".to_owned(), |id| format!("drive {}", quoted(id)));
        let when = rule(&whose, id, item, reader);
        let signs = item.find("signs").map_or_else(Vec::new, |entry| signs(&whose, id, entry, reader));
        let most = signs.len().min(SIGNS_MAX) as u8;
        let at_least = match item.find("at_least") {
            Some(entry) => values::whole(entry, 0, i64::from(most), reader.problems),
            None => Some(i64::from(most.min(1))),
        };
        let (Some(id), Some(when), Some(at_least)) = (id, when, at_least) else { continue };
        let Some(signs) = signs.into_iter().collect::<Option<_>>() else { continue };
        drives.push(Drive { id: id.to_owned(), when, signs, at_least: at_least as u8 });
    }
    drives
}

/// None for each that does not hold, which is told.
fn signs(whose: &str, drive: Option<&str>, entry: &Entry<'_>, reader: &mut Reader<'_, '_>) -> Vec<Option<Sign>> {
    let items = outline::array("drive.signs", entry, entry.place.file, reader.problems);
    if let Some(item) = items.get(SIGNS_MAX) {
        let message = format!("{whose} has {} signs, {SIGNS_MAX} are allowed", items.len());
        reader.problems.error(item.place, message, None);
    }
    let mut seen = HashMap::new();
    let mut signs = Vec::with_capacity(items.len());
    for item in &items {
        let id = id("sign", item, &SIGN_KEYS, &mut seen, reader);
        let sign = id.map_or_else(|| format!("a sign of {whose}"), |id| format!("sign {} of {whose}", quoted(id)));
        let when = rule(&sign, drive, item, reader);
        signs.push(id.zip(when).map(|(id, when)| Sign { id: id.to_owned(), when }));
    }
    signs
}

/// The id of an item, which must be there and be its own; keys that are none of its are told.
fn id<'e>(
    noun: &str,
    item: &Item<'e>,
    keys: &[&str],
    seen: &mut HashMap<&'e str, Place>,
    reader: &mut Reader<'_, '_>,
) -> Option<&'e str> {
    reader.known_keys(noun, item, keys);
    if let Some(entry) = item.find("name") {
        values::name(entry, reader.problems);
    }
    let Some(entry) = item.find("id") else {
        reader.problems.error(item.place, format!("a {noun} without id"), "write id = \"...\"".to_owned());
        return None;
    };
    let id = values::name(entry, reader.problems)?;
    reader.unique(noun, seen, id, entry.place);
    Some(id)
}

/// The rule of a drive, or of one of its signs; what it asks for, the drive asks for.
fn rule(whose: &str, drive: Option<&str>, item: &Item<'_>, reader: &mut Reader<'_, '_>) -> Option<Expr> {
    let Some(entry) = item.find("when") else {
        let hint = "write when = \"...\"".to_owned();
        reader.problems.error(item.place, format!("{whose} has no rule"), hint);
        return None;
    };
    let rule = reader.rule(entry, format!("rule of {whose}"))?;
    if let Some(drive) = drive {
        reader.refers(&Definition::Drive(drive.to_owned()), None, &rule);
    }
    rule.expr
}

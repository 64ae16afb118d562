//! Values of keys: the type, the range, the listed words, each refused by what was found and expected.

use std::collections::HashSet;

use toml::Spanned;
use toml::de::DeValue;

use super::diagnostic::{Problems, quoted};
use super::near;
use super::outline::{self, Entry, Item, kind_of};
use super::source::Place;

/// Longest id or name, in bytes: they are columns of views.
const NAME_BYTES_MAX: usize = 200;

/// Tells what was found and what was expected, and gives nothing.
pub(super) fn refuse<T>(
    entry: &Entry<'_>,
    expected: &str,
    hint: Option<String>,
    problems: &mut Problems<'_>,
) -> Option<T> {
    let found = match entry.value {
        DeValue::String(text) => quoted(text),
        DeValue::Integer(number) => number.to_string(),
        DeValue::Float(number) => number.to_string(),
        DeValue::Boolean(value) => value.to_string(),
        other => kind_of(other).to_owned(),
    };
    problems.error(entry.place, format!("{} is {found}, expected {expected}", entry.key), hint);
    None
}

/// A text, such as a rule.
pub(super) fn text<'a>(entry: &Entry<'a>, expected: &str, problems: &mut Problems<'_>) -> Option<&'a str> {
    match entry.value {
        DeValue::String(text) => Some(text),
        DeValue::Integer(_) | DeValue::Float(_) | DeValue::Boolean(_) => {
            refuse(entry, expected, Some("write it in quotes".to_owned()), problems)
        }
        _ => refuse(entry, expected, None, problems),
    }
}

/// An id or a name: a text of one line that is not empty.
pub(super) fn name<'a>(entry: &Entry<'a>, problems: &mut Problems<'_>) -> Option<&'a str> {
    let name = text(entry, "a text", problems)?;
    if name.trim().is_empty() {
        return refuse(entry, "a text that is not empty", None, problems);
    }
    if name.len() > NAME_BYTES_MAX {
        return refuse(entry, &format!("at most {NAME_BYTES_MAX} bytes"), None, problems);
    }
    if name.chars().any(char::is_control) {
        return refuse(entry, "a text of one line", None, problems);
    }
    Some(name)
}

/// An array of names, none twice, each with its place. `what` is what they name, in the plural.
pub(super) fn names<'a>(entry: &Entry<'a>, what: &str, problems: &mut Problems<'_>) -> Vec<(&'a str, Place)> {
    let (mut names, mut seen) = (Vec::new(), HashSet::new());
    for entry in elements(entry, what, problems) {
        let Some(name) = name(&entry, problems) else { continue };
        if !seen.insert(name) {
            problems.error(entry.place, format!("{} holds {} twice", entry.key, quoted(name)), None);
            continue;
        }
        names.push((name, entry.place));
    }
    names
}

/// The elements of an array, each as if it stood under the key itself. `what` is what they are, in the plural.
pub(super) fn elements<'a>(entry: &Entry<'a>, what: &str, problems: &mut Problems<'_>) -> Vec<Entry<'a>> {
    let DeValue::Array(array) = entry.value else {
        let hint = match entry.value {
            DeValue::String(_) => Some("write it in brackets".to_owned()),
            _ => None,
        };
        refuse::<()>(entry, &format!("an array of {what}"), hint, problems);
        return Vec::new();
    };
    let element = |value: &'a Spanned<DeValue<'a>>| Entry {
        value: value.get_ref(),
        place: Place::new(entry.place.file, value.span()),
        ..*entry
    };
    array.iter().map(element).collect()
}

/// A table, as an item of its own. `example` is how it is written.
pub(super) fn table<'a>(entry: &Entry<'a>, example: &str, problems: &mut Problems<'_>) -> Option<Item<'a>> {
    match entry.value {
        DeValue::Table(table) => Some(Item { place: entry.place, entries: outline::entries(table, entry.place.file) }),
        _ => refuse(entry, "a table", Some(format!("write {} = {example}", entry.key)), problems),
    }
}

/// A number of months from `min` to `max`.
pub(super) fn months(entry: &Entry<'_>, min: u32, max: u32, problems: &mut Problems<'_>) -> Option<u32> {
    let months = match entry.value {
        DeValue::Integer(number) => u32::from_str_radix(number.as_str(), number.radix()).ok(),
        _ => None,
    };
    let in_range = months.filter(|months| (min..=max).contains(months));
    in_range.or_else(|| refuse(entry, &format!("a whole number of months from {min} to {max}"), None, problems))
}

/// A whole number from `min` to `max`.
pub(super) fn whole(entry: &Entry<'_>, min: i64, max: i64, problems: &mut Problems<'_>) -> Option<i64> {
    let (number, hint) = match entry.value {
        DeValue::Integer(number) => (i64::from_str_radix(number.as_str(), number.radix()).ok(), None),
        DeValue::String(_) => (None, Some("write it without quotes".to_owned())),
        _ => (None, None),
    };
    let in_range = number.filter(|number| (min..=max).contains(number));
    in_range.or_else(|| refuse(entry, &format!("a whole number from {min} to {max}"), hint, problems))
}

/// One of the listed words: its number in the list.
pub(super) fn one_of(entry: &Entry<'_>, words: &[&str], problems: &mut Problems<'_>) -> Option<usize> {
    let found = match entry.value {
        DeValue::String(text) => words.iter().position(|word| *word == text.as_ref()),
        _ => None,
    };
    found.or_else(|| {
        let hint = match entry.value {
            DeValue::String(text) => near::hint(text, words.iter().copied()),
            _ => None,
        };
        refuse(entry, &near::either(words), hint, problems)
    })
}

//! `[calendar]`: holidays, and weekends that are worked. Classes of time come with later builds.

use std::collections::{BTreeSet, HashMap};

use dataflows::care::{CALENDAR_DAYS_MAX, Calendar};
use dataflows::types::Day;
use toml::de::DeValue;

use super::diagnostic::{Problems, quoted};
use super::near;
use super::outline::{Entry, at, kind_of};
use super::source::{Place, Source};

const KEYS: [&str; 2] = ["holidays", "workdays"];

/// The days of the calendar.
pub(super) fn read(entries: &[Entry<'_>], sources: &[Source], problems: &mut Problems<'_>) -> Calendar {
    let mut calendar = Calendar::default();
    let mut seen = HashMap::new();
    let mut others: Vec<&Entry<'_>> = Vec::new();
    for entry in entries {
        let list = match entry.key {
            "holidays" => &mut calendar.holidays,
            "workdays" => &mut calendar.workdays,
            other => {
                match near::hint(other, KEYS) {
                    None => others.push(entry),
                    hint => {
                        let message = format!("key {} of [calendar] is not carried by this build", quoted(other));
                        problems.warning(entry.key_place, message, hint);
                    }
                }
                continue;
            }
        };
        days(entry, list, &mut seen, sources, problems);
    }
    if let Some(first) = others.first() {
        let names: Vec<&str> = others.iter().map(|entry| entry.key).collect();
        let message = format!("classes of time ({}) are not carried by this build", names.join(", "));
        problems.warning(first.key_place, message, None);
    }
    calendar
}

/// No day stands twice, neither in a list nor in both.
fn days(
    entry: &Entry<'_>,
    days: &mut BTreeSet<Day>,
    seen: &mut HashMap<Day, Place>,
    sources: &[Source],
    problems: &mut Problems<'_>,
) {
    let hint = || format!("write {} = [\"2009-10-01\"]", entry.key);
    let DeValue::Array(array) = entry.value else {
        let message = format!("{} is {}, expected an array of days", entry.key, kind_of(entry.value));
        problems.error(entry.place, message, hint());
        return;
    };
    if array.len() > CALENDAR_DAYS_MAX {
        let message = format!("{} holds {} days, {CALENDAR_DAYS_MAX} are allowed", entry.key, array.len());
        problems.error(entry.place, message, None);
        return;
    }
    for value in array.iter() {
        let place = Place::new(entry.place.file, value.span());
        let (found, day) = match value.get_ref() {
            DeValue::String(text) => (quoted(text), Day::parse(text)),
            DeValue::Datetime(date) => (date.to_string(), Day::parse(&date.to_string())),
            other => (kind_of(other).to_owned(), None),
        };
        match day {
            None => {
                let message = format!("{} holds {found}, expected days YYYY-MM-DD that there are", entry.key);
                problems.error(place, message, hint());
            }
            Some(day) => match seen.insert(day, place) {
                None => drop(days.insert(day)),
                Some(earlier) => {
                    let first = format!("first at {}", at(earlier, sources));
                    problems.error(place, format!("{day} stands twice in [calendar]"), first);
                }
            },
        }
    }
}

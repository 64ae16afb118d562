//! points_change: entries that changed after they were shown, and what changed them.

use std::borrow::Cow;
use std::collections::BTreeMap;

use dataflows::points::EntryChange;
use dataflows::types::Epoch;

use super::Cell;
use super::rows::{Sources, Visit, id};
use crate::store::changes::Changed;
use crate::store::{ERASED, Ledger, Status};

/// Most files that a cause names.
const FILES_MAX: usize = 5;

pub(super) fn points_change<E>(sources: Sources<'_>, visit: Visit<'_, E>) -> Result<(), E> {
    let Sources { published, names, store, .. } = sources;
    if published.changed.is_empty() {
        return Ok(());
    }
    let causes: Vec<String> = {
        let store = store.lock();
        let files = files(store.ledger());
        published.changed.iter().map(|changed| cause(changed, &files)).collect()
    };
    for (changed, cause) in published.changed.iter().zip(&causes) {
        let (epoch, cause) = (Cell::Integer(changed.epochs.1 as i64), Cell::text(Some(cause)));
        // Whom an erasure has taken away is not told of, and least of all that it has.
        let is_there = |entry: &&EntryChange| names.customers.text(entry.customer.0) != Some(ERASED);
        let mut entries: Vec<_> = changed.entries.iter().filter(is_there).collect();
        entries.sort_by_cached_key(|entry| {
            (names.customers.text(entry.customer.0), &entry.entry_id, entry.at, &entry.rule)
        });
        for entry in entries {
            let [entry_id, rule] = [&entry.entry_id, &entry.rule].map(|text| Cell::text(Some(text)));
            let [before, after] = [entry.before, entry.after].map(|points| points.map_or(Cell::Null, Cell::Integer));
            let at = Cell::Time(entry.at);
            visit(&[epoch.clone(), id(names, entry.customer), entry_id, at, rule, before, after, cause.clone()])?;
        }
        if changed.is_cut {
            let [a, b, c, d, e, f] = std::array::from_fn(|_| Cell::Null);
            let more = Cell::Text(Cow::Borrowed("more entries than are told one by one"));
            visit(&[epoch, a, b, c, d, e, f, more])?;
        }
    }
    Ok(())
}

/// The files that were taken, by epoch.
fn files(ledger: &Ledger) -> BTreeMap<Epoch, &str> {
    let taken = |status| matches!(status, Status::Accepted | Status::Superseded);
    ledger.entries().filter(|entry| taken(entry.status)).map(|entry| (entry.epoch, &*entry.file)).collect()
}

/// The files of the epochs that became visible together; an epoch without one is a programme's, and none at all
/// the clock's.
fn cause(changed: &Changed, files: &BTreeMap<Epoch, &str>) -> String {
    let (after, last) = changed.epochs;
    if after >= last {
        return "the clock".to_owned();
    }
    let mut causes: Vec<&str> = files.range(after + 1..=last).map(|(_, file)| *file).collect();
    if (causes.len() as u64) < last - after {
        causes.push("the programme");
    }
    let more = causes.len().saturating_sub(FILES_MAX);
    causes.truncate(FILES_MAX);
    let mut text = causes.join(", ");
    if more > 0 {
        text.push_str(&format!(" and {more} more"));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cause_is_the_files_the_programme_or_the_clock() {
        let files = BTreeMap::from([(2, "a.csv"), (3, "b.csv"), (5, "c.csv")]);
        let check = |after, last, expected: &str| {
            let changed = Changed { epochs: (after, last), entries: Vec::new(), is_cut: false };
            assert_eq!(cause(&changed, &files), expected);
        };
        check(1, 2, "a.csv");
        check(1, 3, "a.csv, b.csv");
        check(2, 4, "b.csv, the programme");
        check(3, 4, "the programme");
        // It moves on, and nothing is accepted.
        check(3, 3, "the clock");
    }
}

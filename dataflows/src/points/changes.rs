//! Entries that changed after they were shown: a late or corrected event decides the caps of its day
//! anew, and what depends on them.
//!
//! An entry that only joins the others is no change; one that is new for an event that stood before
//! is. What time alone brings (points that expire, a month of use that ends) is none either.

use std::collections::BTreeMap;

use super::Rules;
use super::rows::{Lists, uses};
use super::walk::{Cause, Entry, EntryId, Walk};
use crate::table::Chunk;
use crate::table::column::Bits;
use crate::types::{CustomerIx, Time, Word};

/// An entry before and after an epoch; none where it was not, or is no more.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct EntryChange {
    pub customer: CustomerIx,
    pub entry_id: Box<str>,
    pub at: Time,
    pub rule: Box<str>,
    pub before: Option<i64>,
    pub after: Option<i64>,
}

/// What a chunk's points were, or are, counted by.
#[derive(Clone, Copy)]
pub struct Side<'a> {
    pub chunk: &'a Chunk,
    pub rules: &'a Rules,
    pub now: Option<Time>,
}

/// Most changes of an epoch that a worker tells one by one.
pub const CHANGES_MAX: usize = 50_000;

/// Adds the changes of the entries of `slots`, as far as there is room for them. Gives whether there was. Who is
/// not `rewound` has but new events, later than those he had.
pub fn changes(
    (before, after): (Side<'_>, Side<'_>),
    slots: impl Iterator<Item = usize>,
    rewound: &Bits,
    customer: &impl Fn(usize) -> CustomerIx,
    is_named: &dyn Fn(Word, &str) -> bool,
    changes: &mut Vec<EntryChange>,
) -> bool {
    let lists = (Lists::of(before.chunk, is_named), Lists::of(after.chunk, is_named));
    let mut walks = (Walk::without_lots(before.rules), Walk::without_lots(after.rules));
    let (mut months_before, mut months_after) = (Vec::new(), Vec::new());
    let mut shown: (Vec<Shown<'_>>, Vec<Shown<'_>>) = (Vec::new(), Vec::new());
    for slot in slots.filter(|slot| before.chunk.points.present.get(*slot)) {
        if changes.len() >= CHANGES_MAX {
            return false;
        }
        let lives = (lists.0.life(before.chunk, slot, before.now), lists.1.life(after.chunk, slot, after.now));
        uses(before.chunk, slot, before.rules, &mut months_before);
        uses(after.chunk, slot, after.rules, &mut months_after);
        let same_rules = std::ptr::eq(before.rules, after.rules);
        if same_rules && months_before == months_after && lives.1.goes_on(&lives.0, !rewound.get(slot)) {
            continue;
        }
        shown.0.clear();
        shown.1.clear();
        if before.rules.is_there {
            walks.0.through(lives.0, &months_before, |entry| shown.0.push((key(&entry, before.rules), entry)));
        }
        if after.rules.is_there {
            walks.1.through(lives.1, &months_after, |entry| shown.1.push((key(&entry, after.rules), entry)));
        }
        let (befores, afters) = without_common(&shown.0, &shown.1);
        let mut entries: BTreeMap<Key<'_>, (Option<i64>, Option<i64>)> = BTreeMap::new();
        for (key, entry) in befores {
            entries.entry(*key).or_default().0 = Some(entry.points);
        }
        for (key, entry) in afters {
            let stood = || match entry.id {
                EntryId::Row(id) => entry.cause != Cause::Expire && lives.0.has(id, entry.at),
                EntryId::Use(..) => false,
            };
            if entries.contains_key(key) || stood() {
                entries.entry(*key).or_default().1 = Some(entry.points);
            }
        }
        let changed = entries.into_iter().filter(|(_, (before, after))| before != after);
        changes.extend(changed.map(|((id, at, rule), (before, after))| EntryChange {
            customer: customer(slot),
            entry_id: id.text().into(),
            at,
            rule: rule.into(),
            before,
            after,
        }));
    }
    true
}

/// Entries without those with which both sides begin, and end.
fn without_common<'s, 'a>(befores: &'s [Shown<'a>], afters: &'s [Shown<'a>]) -> (&'s [Shown<'a>], &'s [Shown<'a>]) {
    let same = |(one, other): &(&Shown<'_>, &Shown<'_>)| one.0 == other.0 && one.1.points == other.1.points;
    let begin = befores.iter().zip(afters).take_while(same).count();
    let (befores, afters) = (&befores[begin..], &afters[begin..]);
    let end = befores.iter().rev().zip(afters.iter().rev()).take_while(same).count();
    (&befores[..befores.len() - end], &afters[..afters.len() - end])
}

/// An entry, with what tells it apart.
type Shown<'a> = (Key<'a>, Entry<'a>);

/// What tells entries of a customer apart.
type Key<'a> = (EntryId<'a>, Time, &'a str);

fn key<'a>(entry: &Entry<'a>, rules: &'a Rules) -> Key<'a> {
    (entry.id, entry.at, rules.cause(entry.cause))
}

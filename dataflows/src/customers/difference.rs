//! The differences between a chunk as it was settled and as it is now.

use std::sync::Arc;

use hashbrown::HashMap;

use crate::rules::compiled::Compiled;
use crate::table::chunk::{ABSENT, CITY, Chunk, Classes};
use crate::table::column::{Bits, CHUNK, Slots};
use crate::tiers;
use crate::types::{Clock, CustomerIx, Diff, Month, Word};
use crate::views::Change;

/// Changes of counts, summed before they are emitted: a month close moves everybody between a few
/// dozen cells.
#[derive(Default)]
pub struct Counts(HashMap<Change, Diff, foldhash::fast::RandomState>);

impl Counts {
    fn add(&mut self, cell: Change, diff: Diff) {
        if diff != 0 {
            *self.0.entry(cell).or_insert(0) += diff;
        }
    }

    /// Emits what does not cancel out.
    pub fn emit(self, emit: &mut Vec<(Change, Diff)>) {
        emit.extend(self.0.into_iter().filter(|(_, diff)| *diff != 0));
    }
}

/// Customers by a small key (a city's word, a pair of classes) within one chunk: a few compares in
/// the place of a hash, since a chunk knows few of them.
#[derive(Default)]
struct Tally<K>(Vec<(K, Diff)>);

impl<K: Copy + PartialEq> Tally<K> {
    fn add(&mut self, key: K, diff: Diff) {
        match self.0.iter_mut().find(|(held, _)| *held == key) {
            Some((_, count)) => *count += diff,
            None => self.0.push((key, diff)),
        }
    }
}

/// Where rows go, if anybody reads them.
pub struct Rows<'a> {
    pub emit: &'a mut Vec<(Change, Diff)>,
    /// Rows of `tier` that came, and went.
    pub tiers: (usize, usize),
    /// By segment: members that came, and went.
    pub members: &'a mut HashMap<Word, (usize, usize), foldhash::fast::RandomState>,
    pub are_read: bool,
}

/// A chunk, what it was decided under, and when.
type Side<'a> = (&'a Chunk, &'a Compiled, Clock);

/// A chunk before and after an epoch.
pub struct Sides<'a> {
    pub before: Side<'a>,
    pub after: Side<'a>,
}

impl Sides<'_> {
    /// Rows of `tier`, and the counts by city. Customers outside `slots` have not changed.
    pub fn tiers(
        &self,
        slots: &Slots,
        customer: &impl Fn(usize) -> CustomerIx,
        counts: &mut Counts,
        rows: &mut Rows<'_>,
    ) {
        let as_of = (self.before.2.as_of, self.after.2.as_of);
        let (before, after) = (self.before.0, self.after.0);
        let cities = (&before.customers.texts[CITY], &after.customers.texts[CITY]);
        let same_rules = std::ptr::eq(self.before.1, self.after.1);
        let same_cities = Arc::ptr_eq(&before.customers, &after.customers);
        let all = matches!(slots, Slots::All);
        let runs = all.then(|| (tiers::runs(&before.history, as_of.0), tiers::runs(&after.history, as_of.1)));
        let mut tally: Tally<(u32, u8, bool)> = Tally::default();
        let has_row = |rules: &Compiled, class: u8| class != ABSENT && !rules.tiers.is_empty();
        for place in 0..slots.len() {
            let slot = slots.slot(place);
            let run = match &runs {
                Some((before, after)) => (before[slot], after[slot]),
                None => (tiers::run_of(&before.history, as_of.0, slot), tiers::run_of(&after.history, as_of.1, slot)),
            };
            let class = (before.class[slot], after.class[slot]);
            let since = (tiers::since(as_of.0, run.0), tiers::since(as_of.1, run.1));
            let same_class = same_rules && class.0 == class.1;
            if !(same_class && since.0 == since.1) {
                let row = |rules: &Compiled, class: u8, since| {
                    let tier = tiers::word(rules, class);
                    has_row(rules, class).then_some(Change::Tier { customer: customer(slot), tier, since })
                };
                let changed = (row(self.before.1, class.0, since.0), row(self.after.1, class.1, since.1));
                if changed.0 != changed.1 {
                    rows.tiers.0 += usize::from(changed.1.is_some());
                    rows.tiers.1 += usize::from(changed.0.is_some());
                    if rows.are_read {
                        rows.emit.extend(changed.0.map(|row| (row, -1)));
                        rows.emit.extend(changed.1.map(|row| (row, 1)));
                    }
                }
            }
            if !same_class || !same_cities {
                if has_row(self.before.1, class.0) {
                    tally.add((cities.0.get(slot), class.0, false), -1);
                }
                if has_row(self.after.1, class.1) {
                    tally.add((cities.1.get(slot), class.1, true), 1);
                }
            }
        }
        for ((city, class, is_after), diff) in tally.0 {
            let rules = if is_after { self.after.1 } else { self.before.1 };
            counts.add(Change::TierCount { city: Word(city), tier: tiers::word(rules, class) }, diff);
        }
    }

    /// Changes of class from a month to the next. History shares its columns while they stand, so
    /// a month that nothing reached costs the comparison of two pointers.
    pub fn moves(&self, counts: &mut Counts) {
        let same_rules = std::ptr::eq(self.before.1, self.after.1);
        let mut months: Vec<Month> = [self.before, self.after]
            .iter()
            .flat_map(|(chunk, ..)| chunk.history.iter().map(|(month, _)| *month))
            .collect();
        months.sort_unstable();
        months.dedup();
        for month in months {
            let [before, after] = [self.before.0, self.after.0].map(|chunk| pair(chunk, month));
            if same_rules
                && let (Some(before), Some(after)) = (before, after)
                && Arc::ptr_eq(before.0, after.0)
                && Arc::ptr_eq(before.1, after.1)
            {
                continue;
            }
            for (pair, rules, diff) in [(before, self.before.1, -1), (after, self.after.1, 1)] {
                let Some((from, to)) = pair else { continue };
                let mut tally: Tally<(u8, u8)> = Tally::default();
                for (from, to) in from.iter().zip(to.iter()) {
                    if from != to && *from != ABSENT && *to != ABSENT {
                        tally.add((*from, *to), diff);
                    }
                }
                for ((from, to), diff) in tally.0 {
                    let (from, to) = (tiers::word(rules, from), tiers::word(rules, to));
                    counts.add(Change::TierMove { month, from, to }, diff);
                }
            }
        }
    }

    /// Rows of `segment_member`, and the counts by city.
    pub fn members(&self, customer: &impl Fn(usize) -> CustomerIx, counts: &mut Counts, rows: &mut Rows<'_>) {
        let (before, after) = (self.before.0, self.after.0);
        if std::ptr::eq(self.before.1, self.after.1)
            && Arc::ptr_eq(&before.segments, &after.segments)
            && Arc::ptr_eq(&before.customers, &after.customers)
        {
            return;
        }
        let (old, new) = (&self.before.1.segments, &self.after.1.segments);
        let cities = (&before.customers.texts[CITY], &after.customers.texts[CITY]);
        let moved = self.movers();
        let nobody = Arc::new(Bits::none());
        let fresh = new.iter().filter(|(segment, _)| old.iter().all(|(held, _)| held != segment));
        for (segment, _) in old.iter().chain(fresh) {
            let place = |segments: &[(Word, _)]| segments.iter().position(|(held, _)| held == segment);
            let was = place(old).and_then(|place| before.segments.get(place)).unwrap_or(&nobody);
            let is = place(new).and_then(|place| after.segments.get(place)).unwrap_or(&nobody);
            if Arc::ptr_eq(was, is) && moved.is_empty() {
                continue;
            }
            let mut tally: Tally<u32> = Tally::default();
            let (mut came, mut went) = (0, 0);
            for (slot, enters) in is.differences(was) {
                let (city, diff) = if enters { (cities.1.get(slot), 1) } else { (cities.0.get(slot), -1) };
                (came, went) = (came + usize::from(enters), went + usize::from(!enters));
                tally.add(city, diff);
                if rows.are_read {
                    rows.emit.push((Change::Member { segment: *segment, customer: customer(slot) }, diff));
                }
            }
            for slot in moved.iter().filter(|slot| was.get(**slot) && is.get(**slot)) {
                tally.add(cities.0.get(*slot), -1);
                tally.add(cities.1.get(*slot), 1);
            }
            if came + went > 0 {
                let told = rows.members.entry(*segment).or_default();
                *told = (told.0 + came, told.1 + went);
            }
            for (city, diff) in tally.0 {
                counts.add(Change::SegmentCount { segment: *segment, city: Word(city) }, diff);
            }
        }
    }

    /// Customers whose city changed.
    fn movers(&self) -> Vec<usize> {
        let (before, after) = (&self.before.0.customers, &self.after.0.customers);
        if Arc::ptr_eq(before, after) {
            return Vec::new();
        }
        (0..CHUNK).filter(|slot| before.texts[CITY].get(*slot) != after.texts[CITY].get(*slot)).collect()
    }
}

/// The classes of the month before and of the month, where history has both.
fn pair(chunk: &Chunk, month: Month) -> Option<(&Classes, &Classes)> {
    let index = chunk.history.binary_search_by_key(&month, |(month, _)| *month).ok()?;
    let (earlier, from) = chunk.history.get(index.checked_sub(1)?)?;
    (*earlier == month.plus(-1)).then_some((from, &chunk.history[index].1))
}

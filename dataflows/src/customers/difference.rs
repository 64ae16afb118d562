//! The differences between a chunk as it was settled and as it is now.

use std::sync::Arc;

use hashbrown::HashMap;

use crate::rules::compiled::Compiled;
use crate::table::chunk::{ABSENT, CITY, Chunk, Classes};
use crate::table::column::{Bits, CHUNK, Slots};
use crate::tiers::{self, NEVER};
use crate::types::{Clock, CustomerIx, Diff, Month, Word};
use crate::views::Change;

/// Changes of counts, summed before they are emitted: a month close moves everybody between a few
/// dozen cells.
#[derive(Default)]
pub struct Counts(HashMap<Change, Diff, foldhash::fast::RandomState>);

impl Counts {
    fn add(&mut self, cell: Change, diff: Diff) {
        *self.0.entry(cell).or_insert(0) += diff;
    }

    /// Emits what does not cancel out.
    pub fn emit(self, emit: &mut Vec<(Change, Diff)>) {
        emit.extend(self.0.into_iter().filter(|(_, diff)| *diff != 0));
    }
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
        emit: &mut Vec<(Change, Diff)>,
    ) {
        let [before, after] = [self.before, self.after].map(|(chunk, rules, clock)| {
            (chunk, rules, tiers::since(&chunk.history, clock.as_of, slots), &chunk.customers.texts[CITY])
        });
        let same_rules = std::ptr::eq(before.1, after.1);
        for place in 0..slots.len() {
            let slot = slots.slot(place);
            let classes = (before.0.class[slot], after.0.class[slot]);
            let cities = (before.3.get(slot), after.3.get(slot));
            if same_rules && classes.0 == classes.1 && cities.0 == cities.1 && before.2[place] == after.2[place] {
                continue;
            }
            let row = |side: &(&Chunk, &Compiled, Vec<Month>, _), class: u8| {
                let since = (side.2[place] != NEVER).then_some(side.2[place]);
                let tier = tiers::word(side.1, class);
                (class != ABSENT).then_some(Change::Tier { customer: customer(slot), tier, since })
            };
            let rows = (row(&before, classes.0), row(&after, classes.1));
            if rows.0 != rows.1 {
                emit.extend(rows.0.map(|row| (row, -1)));
                emit.extend(rows.1.map(|row| (row, 1)));
            }
            let cell = |side: &(&Chunk, &Compiled, Vec<Month>, _), class: u8, city: u32| {
                let tier = tiers::word(side.1, class);
                (class != ABSENT).then_some(Change::TierCount { city: Word(city), tier })
            };
            let cells = (cell(&before, classes.0, cities.0), cell(&after, classes.1, cities.1));
            if cells.0 != cells.1 {
                cells.0.into_iter().for_each(|cell| counts.add(cell, -1));
                cells.1.into_iter().for_each(|cell| counts.add(cell, 1));
            }
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
            match (before, after) {
                (None, None) => {}
                (Some(before), Some(after)) => {
                    if same_rules && Arc::ptr_eq(before.0, after.0) && Arc::ptr_eq(before.1, after.1) {
                        continue;
                    }
                    for slot in 0..CHUNK {
                        let (old, new) = ((before.0[slot], before.1[slot]), (after.0[slot], after.1[slot]));
                        if old != new || !same_rules {
                            self.before_move(month, old, -1, counts);
                            self.after_move(month, new, 1, counts);
                        }
                    }
                }
                (before, after) => {
                    for slot in 0..CHUNK {
                        before
                            .iter()
                            .for_each(|pair| self.before_move(month, (pair.0[slot], pair.1[slot]), -1, counts));
                        after.iter().for_each(|pair| self.after_move(month, (pair.0[slot], pair.1[slot]), 1, counts));
                    }
                }
            }
        }
    }

    fn before_move(&self, month: Month, pair: (u8, u8), diff: Diff, counts: &mut Counts) {
        count_move(self.before.1, month, pair, diff, counts);
    }

    fn after_move(&self, month: Month, pair: (u8, u8), diff: Diff, counts: &mut Counts) {
        count_move(self.after.1, month, pair, diff, counts);
    }

    /// Rows of `segment_member`, and the counts by city.
    pub fn members(
        &self,
        customer: &impl Fn(usize) -> CustomerIx,
        counts: &mut Counts,
        emit: &mut Vec<(Change, Diff)>,
    ) {
        let (before, after) = (self.before.0, self.after.0);
        let (old, new) = (&self.before.1.segments, &self.after.1.segments);
        let moved = self.movers();
        let nobody = Bits::none();
        for (segment, _) in
            old.iter().chain(new.iter().filter(|(segment, _)| old.iter().all(|(held, _)| held != segment)))
        {
            let side = |segments: &[(Word, _)], chunk: &'_ Chunk| {
                let place = segments.iter().position(|(held, _)| held == segment)?;
                chunk.segments.get(place).cloned()
            };
            let (was, is) = (side(old, before), side(new, after));
            let (was, is) = (was.as_ref().unwrap_or(&nobody), is.as_ref().unwrap_or(&nobody));
            for (slot, enters) in is.differences(was) {
                let (chunk, diff) = if enters { (after, 1) } else { (before, -1) };
                emit.push((Change::Member { segment: *segment, customer: customer(slot) }, diff));
                let city = Word(chunk.customers.texts[CITY].get(slot));
                counts.add(Change::SegmentCount { segment: *segment, city }, diff);
            }
            for slot in moved.iter().filter(|slot| was.get(**slot) && is.get(**slot)) {
                for (chunk, diff) in [(before, -1), (after, 1)] {
                    let city = Word(chunk.customers.texts[CITY].get(*slot));
                    counts.add(Change::SegmentCount { segment: *segment, city }, diff);
                }
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

fn count_move(rules: &Compiled, month: Month, (from, to): (u8, u8), diff: Diff, counts: &mut Counts) {
    if from != to && from != ABSENT && to != ABSENT {
        counts.add(Change::TierMove { month, from: tiers::word(rules, from), to: tiers::word(rules, to) }, diff);
    }
}

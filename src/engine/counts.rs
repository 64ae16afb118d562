//! Cells of counts, with how many customers they hold.
//!
//! Readers keep what they were given while the worker goes on, so that each epoch copies what it changes. Cells stand
//! in shards, and an epoch copies those that it touches: of a quarter of a million cells some hundred, where it is of
//! one customer. Cells of one family, which a view is read from, are together.

use std::collections::BTreeMap;
use std::hash::BuildHasher;
use std::sync::Arc;

use dataflows::views::{Change, Family};

/// Shards of a family: a power of two.
const SHARDS: usize = 1 << 10;

type Cells = BTreeMap<Change, isize>;

/// What one worker counts: the cells that its keys fall to.
#[derive(Clone, Default)]
pub struct Counts {
    families: BTreeMap<Family, Arc<Vec<Arc<Cells>>>>,
}

impl Counts {
    /// Adds to a cell.
    pub fn add(&mut self, cell: Change, diff: isize) {
        let shards = self.families.entry(cell.family()).or_insert_with(|| Arc::new(vec![Arc::default(); SHARDS]));
        let hash = foldhash::fast::FixedState::default().hash_one(cell);
        let shard = &mut Arc::make_mut(shards)[hash as usize % SHARDS];
        let cells = Arc::make_mut(shard);
        let count = cells.entry(cell).or_insert(0);
        *count += diff;
        if *count == 0 {
            cells.remove(&cell);
        }
    }

    /// Every cell, in no order.
    pub fn cells(&self) -> impl Iterator<Item = (Change, isize)> + '_ {
        self.families.values().flat_map(|shards| of(shards))
    }

    /// Cells that hold another number than in an earlier copy: what each held there, and what it holds here. Shards that are
    /// the same memory are not looked at.
    pub fn changed<'a>(&'a self, before: &'a Counts) -> impl Iterator<Item = (Change, isize, isize)> + 'a {
        self.families.iter().flat_map(move |(family, shards)| {
            let earlier = before.families.get(family);
            shards.iter().enumerate().flat_map(move |(place, cells)| {
                let held = earlier.map(|shards| &shards[place]).filter(|held| !Arc::ptr_eq(held, cells));
                let is_same = earlier.is_some() && held.is_none();
                let was = move |cell: &Change| held.and_then(|held| held.get(cell)).copied().unwrap_or(0);
                let now = cells.iter().filter(move |_| !is_same).map(move |(cell, count)| (*cell, was(cell), *count));
                let gone = held.into_iter().flat_map(|held| held.iter());
                let gone =
                    gone.filter(move |(cell, _)| !cells.contains_key(cell)).map(|(cell, count)| (*cell, *count, 0));
                now.chain(gone).filter(|(_, was, is)| was != is)
            })
        })
    }

    /// How many cells there are of each family: lengths of shards are added up, and no cell is read.
    pub fn sizes(&self) -> impl Iterator<Item = (Family, usize)> + '_ {
        self.families.iter().map(|(family, shards)| (*family, shards.iter().map(|cells| cells.len()).sum()))
    }

    /// The cells of a family.
    pub fn of(&self, family: Family) -> impl Iterator<Item = (Change, isize)> + '_ {
        self.families.get(&family).into_iter().flat_map(|shards| of(shards))
    }
}

fn of(shards: &[Arc<Cells>]) -> impl Iterator<Item = (Change, isize)> + '_ {
    shards.iter().flat_map(|cells| cells.iter().map(|(cell, count)| (*cell, *count)))
}

#[cfg(test)]
mod tests {
    use dataflows::types::{Day, Word};

    use super::*;

    #[test]
    fn a_copy_keeps_what_it_was_given() {
        let cell = |number: u32| Change::Workload { channel: Word(number % 7), day: Day(number as i32 / 7) };
        let mut counts = Counts::default();
        (0..5_000).for_each(|number| counts.add(cell(number), 2));
        let copy = counts.clone();
        (0..5_000).for_each(|number| counts.add(cell(number), if number % 2 == 0 { -2 } else { 1 }));
        counts.add(Change::RankCount { rank: Word(1) }, 1);
        assert_eq!((copy.cells().count(), copy.cells().map(|(_, count)| count).sum::<isize>()), (5_000, 10_000));
        assert_eq!((counts.of(cell(0).family()).count(), counts.cells().count()), (2_500, 2_501));
        assert!(counts.of(cell(0).family()).all(|(_, count)| count == 3));
    }
}

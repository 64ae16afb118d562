//! Which keys a file has had, and on which line first.
//!
//! Millions of bills must not cost a hash each: where the key is a dense number, rows are found through a
//! two-level table whose pages appear as they are needed, so that a correction of three customers out
//! of ten million does not pay for the ten million.

use std::hash::BuildHasher;

use foldhash::fast::RandomState;
use hashbrown::HashTable;

use super::feeds::Record;

/// Keys of a page.
const PAGE_KEYS: u32 = 4096;

/// The keys of the rows of a file.
#[derive(Default)]
pub(super) struct Keys {
    /// Row number plus one by dense key; 0 where the key is new.
    pages: Vec<Option<Box<[u32]>>>,
    /// Row numbers by the hash of their key. Seeded at random: keys are chosen by strangers.
    table: HashTable<u32>,
    state: RandomState,
}

impl Keys {
    /// The number of the row that has the key of `row` already; if none, it is noted as the next of
    /// `rows`.
    pub(super) fn first<R: Record>(&mut self, row: &R, rows: &[R]) -> Option<u32> {
        // A file of more rows has been refused.
        let next = u32::try_from(rows.len()).ok()?;
        match row.dense_key() {
            Some(key) => self.dense(key, next),
            None => {
                let at = |&number: &u32| rows.get(number as usize);
                let hash = self.state.hash_one(row.key());
                if let Some(&first) =
                    self.table.find(hash, |number| at(number).is_some_and(|row_| row_.key() == row.key()))
                {
                    return Some(first);
                }
                let state = &self.state;
                self.table.insert_unique(hash, next, |number| at(number).map_or(0, |row| state.hash_one(row.key())));
                None
            }
        }
    }

    fn dense(&mut self, key: u32, next: u32) -> Option<u32> {
        let (page, place) = ((key / PAGE_KEYS) as usize, (key % PAGE_KEYS) as usize);
        if page >= self.pages.len() {
            self.pages.resize_with(page + 1, || None);
        }
        let page = self.pages.get_mut(page)?.get_or_insert_with(|| vec![0; PAGE_KEYS as usize].into());
        let slot = page.get_mut(place)?;
        if *slot == 0 {
            *slot = next + 1;
            return None;
        }
        Some(*slot - 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dense_keys_cost_only_the_pages_they_touch() {
        let mut keys = Keys::default();
        assert_eq!(keys.dense(4_000_000_000, 0), None);
        assert_eq!(keys.dense(4_000_000_000, 1), Some(0));
        assert_eq!(keys.dense(7, 1), None);
        assert_eq!(keys.pages.iter().flatten().count(), 2);
    }
}

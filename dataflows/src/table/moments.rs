//! What happened to customers of a chunk at some second, told apart by ids; and the customers' own ids.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU16, Ordering};

use super::column::CHUNK;
use super::sorted::{Change, Sorted};
use crate::types::Time;

/// Slot, time, id: of an adjustment, a contact, a feedback, a hand-off.
pub type MomentKey = (u16, Time, Box<str>);

/// Rows by slot, time and id.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Moments<T> {
    sorted: Sorted<MomentKey, T>,
    /// Where each slot's rows start, and where the last ones end; empty while rows are few. A search among thousands
    /// misses the cache at every step, and an epoch that touches a hundred customers of each chunk asks for each several
    /// times.
    starts: Vec<u32>,
}

/// From so many rows on it is kept where each slot's start: 8 KB a chunk.
const INDEXED_MIN: usize = 256;

impl<T> Default for Moments<T> {
    fn default() -> Self {
        Moments { sorted: Sorted::default(), starts: Vec::new() }
    }
}

impl<T> Moments<T> {
    /// Sets or, with `None`, removes each key; of equal keys the last change holds.
    pub fn apply(&mut self, changes: Vec<Change<MomentKey, T>>) {
        self.sorted.apply(changes);
        self.starts.clear();
        let rows = self.sorted.rows();
        if rows.len() >= INDEXED_MIN {
            self.starts.reserve_exact(CHUNK + 1);
            for (place, ((slot, ..), _)) in (0..).zip(rows) {
                self.starts.resize(self.starts.len().max(usize::from(*slot) + 1), place);
            }
            self.starts.resize(CHUNK + 1, rows.len() as u32);
        }
    }

    /// All rows, ascending.
    pub fn rows(&self) -> &[(MomentKey, T)] {
        self.sorted.rows()
    }

    pub fn is_empty(&self) -> bool {
        self.sorted.is_empty()
    }
}

/// A customer's rows, in their order.
pub fn of_slot<T>(rows: &Moments<T>, slot: usize) -> &[(MomentKey, T)] {
    match rows.starts.get(slot..=slot + 1) {
        Some(&[start, end]) => &rows.rows()[start as usize..end as usize],
        _ => rows.sorted.range(|(held, ..)| usize::from(*held).cmp(&slot)),
    }
}

/// Ids of the customers of a chunk, packed. They come in the order of the slots.
#[derive(Default)]
pub struct IdsOf {
    text: String,
    ends: Vec<u32>,
    /// By slot, what was drawn for the id, once that was asked.
    drawn: OnceLock<Box<[AtomicU16]>>,
}

/// Nothing that is drawn.
const NOT_DRAWN: u16 = u16::MAX;

impl Clone for IdsOf {
    fn clone(&self) -> IdsOf {
        IdsOf { text: self.text.clone(), ends: self.ends.clone(), drawn: OnceLock::new() }
    }
}

impl IdsOf {
    /// Sets the id of a slot behind those that have one.
    pub(crate) fn put(&mut self, slot: usize, id: &str) {
        debug_assert!(slot < CHUNK && slot >= self.ends.len(), "ids come in the order of their customers");
        self.ends.resize(slot, self.text.len() as u32);
        self.text.push_str(id);
        self.ends.push(self.text.len() as u32);
        self.drawn = OnceLock::new();
    }

    /// What `draw` gives for the id of a slot: below [`u16::MAX`], and the same for an id every time.
    pub fn drawn(&self, slot: usize, draw: impl FnOnce(&str) -> u16) -> u16 {
        let none = || std::iter::repeat_with(|| AtomicU16::new(NOT_DRAWN)).take(CHUNK).collect();
        let drawn = &self.drawn.get_or_init(none)[slot];
        match drawn.load(Ordering::Relaxed) {
            NOT_DRAWN => {
                let found = draw(self.get(slot));
                drawn.store(found, Ordering::Relaxed);
                found
            }
            known => known,
        }
    }

    /// The id of a slot; empty where nobody is in it.
    pub fn get(&self, slot: usize) -> &str {
        let Some(end) = self.ends.get(slot) else { return "" };
        let start = slot.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.text[start as usize..*end as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_found_whether_or_not_they_are_many() {
        let mut random = fastrand::Rng::with_seed(11);
        let mut moments = Moments::default();
        for round in 0..60 {
            let key = |random: &mut fastrand::Rng| {
                let slot = if random.bool() { 0 } else { random.u16(0..CHUNK as u16) };
                (slot, Time(random.i64(0..9)), Box::from(["a", "b"][random.usize(0..2)]))
            };
            // They become many, and few again.
            let comes = |random: &mut fastrand::Rng| random.u8(0..10) < if round < 30 { 8 } else { 1 };
            let change = |random: &mut fastrand::Rng| match comes(random) {
                true => (key(random), Some(random.u32(..))),
                false => {
                    let rows: &[(MomentKey, u32)] = moments.rows();
                    (
                        rows.get(random.usize(0..rows.len().max(1))).map_or_else(|| key(random), |row| row.0.clone()),
                        None,
                    )
                }
            };
            let changes: Vec<_> = (0..40).map(|_| change(&mut random)).collect();
            moments.apply(changes);
            for slot in 0..CHUNK {
                let expected: Vec<_> = moments.rows().iter().filter(|((of, ..), _)| usize::from(*of) == slot).collect();
                assert_eq!(of_slot(&moments, slot).iter().collect::<Vec<_>>(), expected, "round {round}, slot {slot}");
            }
        }
    }
}

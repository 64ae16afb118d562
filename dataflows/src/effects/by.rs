//! What effect_by gains and loses in a pass, in dense rows: a month close moves everybody between classes and segments,
//! and each of his campaigns with him. A row a campaign and arm, found once; in it a number for each class, city and
//! segment and each count, found by its place.

use hashbrown::HashMap;

use super::{Dimension, EFFECTS, Effect, Group};
use crate::types::{Diff, Word};
use crate::views::{Change, Counts};

/// Numbers kept before they are told, at most: 64 MB of them.
const NUMBERS_MAX: usize = 8 << 20;

/// A class, a city or a segment, by the order in which the pass met it.
pub type Value = u32;

/// The changes so far.
#[derive(Default)]
pub struct By {
    values: HashMap<(Dimension, Word), Value, foldhash::fast::RandomState>,
    met: Vec<(Dimension, Word)>,
    rows: HashMap<(Word, Group), Vec<Diff>, foldhash::fast::RandomState>,
    numbers: usize,
}

impl By {
    /// The number of a value.
    pub fn value(&mut self, dimension: Dimension, word: Word) -> Value {
        let met = &mut self.met;
        *self.values.entry((dimension, word)).or_insert_with(|| {
            met.push((dimension, word));
            met.len() as Value - 1
        })
    }

    /// Adds what counts of a customer in a campaign and arm, `times` times, to each of his values.
    pub fn add(&mut self, (campaign, group): (Word, Group), of: &[Value], cells: &[(Effect, Diff)], times: Diff) {
        let row = self.rows.entry((campaign, group)).or_default();
        let width = self.met.len() * EFFECTS;
        if row.len() < width {
            self.numbers += width - row.len();
            row.resize(width, 0);
        }
        for value in of {
            let numbers = &mut row[*value as usize * EFFECTS..][..EFFECTS];
            cells.iter().for_each(|(effect, diff)| numbers[effect.place()] += diff * times);
        }
    }

    /// Whether so much is kept that it is better told.
    pub fn is_full(&self) -> bool {
        self.numbers > NUMBERS_MAX
    }

    /// Tells what does not cancel out, and begins anew.
    pub fn tell(&mut self, counts: &mut Counts) {
        for ((campaign, group), row) in self.rows.drain() {
            for ((dimension, value), numbers) in self.met.iter().zip(row.chunks(EFFECTS)) {
                let (dimension, value) = (*dimension, *value);
                for (what, diff) in Effect::ALL.into_iter().zip(numbers).filter(|(_, diff)| **diff != 0) {
                    counts.add(Change::EffectBy { campaign, group, dimension, value, what }, *diff);
                }
            }
        }
        *self = By::default();
    }
}

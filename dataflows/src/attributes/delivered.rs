//! What rules ask of a customer as it was delivered: products held, lists, consents, terminals, scores, responses;
//! as of now.

use super::Frame;
use crate::responses::response;
use crate::rules::evaluate::Numbers;
use crate::table::column::{Bits, Slots};
use crate::types::{Time, Word};

impl Frame<'_> {
    pub(super) fn scores(&self, model: Option<Word>) -> Numbers {
        let mut numbers = Numbers::new(vec![0; self.slots.len()], vec![1; self.slots.len()]);
        let Some(rows) = model.and_then(|model| self.chunk.scores.get(&model)) else { return numbers };
        let mut put = |place: usize, value: i64| (numbers.values[place], numbers.null[place]) = (value, 0);
        match self.slots {
            Slots::All => rows.rows().iter().for_each(|(slot, value)| put(usize::from(*slot), *value)),
            Slots::Some(slots) => slots.iter().enumerate().for_each(|(place, slot)| {
                if let Some(value) = rows.get(slot) {
                    put(place, *value);
                }
            }),
        }
        numbers
    }

    pub(crate) fn holders(&self, product: Option<Word>) -> Vec<u8> {
        let orders = product.and_then(|product| self.chunk.orders.get(&product));
        orders.map_or_else(|| vec![0; self.slots.len()], |orders| self.set_in(&orders.holders))
    }

    pub(super) fn responses(&self, category: Option<Word>) -> Vec<u32> {
        let Some((rules, catalog)) = self.responses else { return vec![Word::NULL.0; self.slots.len()] };
        let group = |place| response(rules, catalog, self.chunk, category, self.slots.slot(place)).0;
        (0..self.slots.len()).map(group).collect()
    }

    pub(super) fn consenting(&self, purpose: Option<Word>) -> Vec<u8> {
        let consents = purpose.and_then(|purpose| self.chunk.consents.get(&purpose));
        consents.map_or_else(|| vec![0; self.slots.len()], |consents| self.set_in(&consents.given))
    }

    /// 1 where a bit is set, by place.
    pub(crate) fn set_in(&self, bits: &Bits) -> Vec<u8> {
        (0..self.slots.len()).map(|place| u8::from(bits.get(self.slots.slot(place)))).collect()
    }

    pub(crate) fn listed(&self, list: Option<Word>) -> Vec<u8> {
        let mut flags = vec![0; self.slots.len()];
        let Some(rows) = list.and_then(|list| self.chunk.listings.get(&list)) else { return flags };
        let now = self.moment.now;
        let mut put = |place: usize, (from, until): (Option<Time>, Option<Time>)| {
            let begun = from.is_none_or(|from| now.is_some_and(|now| from <= now));
            let ended = until.is_some_and(|until| now.is_none_or(|now| until <= now));
            flags[place] = u8::from(begun && !ended);
        };
        match self.slots {
            Slots::All => rows.rows().iter().for_each(|(slot, interval)| put(usize::from(*slot), *interval)),
            Slots::Some(slots) => slots.iter().enumerate().for_each(|(place, slot)| {
                if let Some(interval) = rows.get(slot) {
                    put(place, *interval);
                }
            }),
        }
        flags
    }

    /// The capabilities of everybody's latest terminal, as a word, by place.
    pub(crate) fn supports(&self) -> Vec<u32> {
        let mut words = vec![Word::NULL.0; self.slots.len()];
        let rows = &self.chunk.terminals;
        match self.slots {
            Slots::All => rows.rows().iter().for_each(|((slot, _), word)| words[usize::from(*slot)] = word.0),
            Slots::Some(slots) => slots.iter().zip(&mut words).for_each(|(slot, word)| {
                if let Some((_, latest)) = rows.range(|(held, _)| held.cmp(slot)).last() {
                    *word = latest.0;
                }
            }),
        }
        words
    }

    pub(super) fn terminals(&self, mut has: impl FnMut(Word) -> bool) -> Vec<u8> {
        let mut flags = vec![0; self.slots.len()];
        let rows = &self.chunk.terminals;
        match self.slots {
            // Days ascend within a slot, so that the latest is written last.
            Slots::All => {
                rows.rows().iter().for_each(|((slot, _), word)| flags[usize::from(*slot)] = u8::from(has(*word)))
            }
            Slots::Some(slots) => slots.iter().enumerate().for_each(|(place, slot)| {
                if let Some((_, word)) = rows.range(|(held, _)| held.cmp(slot)).last() {
                    flags[place] = u8::from(has(*word));
                }
            }),
        }
        flags
    }
}

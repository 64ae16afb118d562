//! Points of the customers of a chunk: kept where they settle, walked again where they are read.

use std::sync::Arc;

use super::awards::Awards;
use super::balances::Balances;
use super::walk::{Entry, Life, walk};
use super::{EXPERIENCE, REGISTRATION, Rules};
use crate::facts::Interval;
use crate::table::{Chunk, Sorted};
use crate::types::Word;

/// A list of a chunk. Found by name: it has no word before it has a row.
pub fn list<'a>(
    chunk: &'a Chunk,
    name: &str,
    is_named: &dyn Fn(Word, &str) -> bool,
) -> Option<&'a Sorted<u16, Interval>> {
    chunk.listings.iter().find(|(list, _)| is_named(**list, name)).map(|(_, rows)| &**rows)
}

/// The lists of a chunk that bar customers.
#[derive(Clone, Copy)]
struct Lists<'a> {
    registration: Option<&'a Sorted<u16, Interval>>,
    experience: Option<&'a Sorted<u16, Interval>>,
}

impl<'a> Lists<'a> {
    fn of(chunk: &'a Chunk, is_named: &dyn Fn(Word, &str) -> bool) -> Lists<'a> {
        let list = |name: &str| list(chunk, name, is_named);
        Lists { registration: list(REGISTRATION), experience: list(EXPERIENCE) }
    }

    fn life(&self, chunk: &'a Chunk, slot: usize) -> Life<'a> {
        let interval = |list: Option<&Sorted<u16, Interval>>| list?.get(&(slot as u16)).copied();
        Life {
            events: chunk.events_of(slot),
            adjustments: chunk.adjustments_of(slot),
            registration: interval(self.registration),
            experience: interval(self.experience),
        }
    }
}

/// The balances of a chunk, those in `slots` decided anew. `is_named` compares a word with a text.
pub fn settle(
    chunk: &Chunk,
    slots: impl Iterator<Item = usize>,
    rules: &Rules,
    is_named: &dyn Fn(Word, &str) -> bool,
) -> Arc<Balances> {
    let mut slots = slots.peekable();
    if slots.peek().is_none() {
        return chunk.points.clone();
    }
    let (lists, mut awards) = (Lists::of(chunk, is_named), Awards::new(rules));
    let mut balances = chunk.points.clone();
    let settled = Arc::make_mut(&mut balances);
    for slot in slots {
        let life = lists.life(chunk, slot);
        let has_row = !life.events.is_empty() || !life.adjustments.is_empty();
        awards.forget();
        settled.set(slot, has_row.then(|| walk(life, &mut awards, |_| {})));
    }
    balances
}

/// The entries of a customer, in the order in which they count.
pub fn entries<'a>(
    chunk: &'a Chunk,
    slot: usize,
    rules: &Rules,
    is_named: &dyn Fn(Word, &str) -> bool,
) -> Vec<Entry<'a>> {
    let mut entries = Vec::new();
    if rules.is_there && chunk.points.present.get(slot) {
        let life = Lists::of(chunk, is_named).life(chunk, slot);
        walk(life, &mut Awards::new(rules), |entry| entries.push(entry));
    }
    entries
}

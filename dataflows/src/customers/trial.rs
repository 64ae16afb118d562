//! What another programme would make of the customers, tried on chunks that are settled.
//!
//! Reads   a snapshot, a programme
//! Gives   each chunk as an epoch that brings the programme, and nothing else, would settle it
//!
//! The functions are those of an epoch, and so is their order: points until customers agree, then chunk by chunk, and of
//! it what the edit may have changed. Nothing is told, kept or shared with the worker whose customers they are.
//!
//! Left out are the months before `as_of`: no class of today, no segment and no list hangs on them.

use std::ops::Range;
use std::sync::Arc;

use super::{Customers, NOBODY, Pass, Snapshot, selected};
use crate::agreement::Agreeing;
use crate::attributes::Moment;
use crate::points::transfers::Note;
use crate::programme::Programme;
use crate::rules::compiled::Compiled;
use crate::table::Chunk;
use crate::table::chunk::ABSENT;
use crate::table::column::{CHUNK, Slots};
use crate::tiers;
use crate::types::{CustomerIx, Word};

/// Some chunks of a worker's, tried under another programme. Others of the worker's may be tried elsewhere.
pub struct Trial {
    customers: Customers,
    pass: Pass,
}

impl Trial {
    /// Of the chunks `own` of worker `index` of `peers`. `words` is the vocabulary, and `word` gives the number of every
    /// name of both programmes.
    pub fn new(
        snapshot: &Snapshot,
        (index, peers): (usize, usize),
        own: Range<usize>,
        programme: Arc<Programme>,
        words: &[Arc<str>],
        word: &dyn Fn(&str) -> Option<Word>,
    ) -> Trial {
        let mut customers = Customers::new(index, peers);
        customers.rules = Compiled::with(programme, word);
        customers.settled_rules = Some(Compiled::with(snapshot.programme.clone(), word));
        customers.settled = snapshot.chunks.clone();
        customers.settled_clock = snapshot.clock;
        customers.settled_catalog = snapshot.catalog.clone();
        let table = &mut customers.table;
        table.chunks.clone_from(&snapshot.chunks);
        table.touches.resize_with(snapshot.chunks.len(), || None);
        table.words = words.to_vec();
        table.clock = snapshot.clock;
        table.catalog = snapshot.catalog.clone();
        let mut pass = customers.begin();
        pass.counting.retain(|(chunk, _)| own.contains(chunk));
        Trial { customers, pass }
    }

    /// Takes what its customers are told, and says what they tell others: by which worker's they are, and of which chunk,
    /// [`Trial::place`] finds them. Customers have agreed once nobody has anything to say.
    pub fn agree(&mut self, heard: Vec<Note>) -> Vec<Note> {
        heard.into_iter().for_each(|note| self.customers.take(note));
        let mut tell = Vec::new();
        while !self.customers.count(&mut self.pass, &mut tell) {}
        tell
    }

    /// Whose worker's a customer is, of so many, and in which of its chunks.
    pub fn place(customer: CustomerIx, peers: usize) -> (usize, usize) {
        let customer = customer.0 as usize;
        (customer % peers, customer / peers / CHUNK)
    }

    /// What one of its chunks comes to, once customers have agreed; none where it stays as it is.
    pub fn settle(&mut self, index: usize) -> Option<Chunk> {
        let touch = self.customers.table.touches.get_mut(index).and_then(Option::take);
        let touched = touch.as_deref().map_or(NOBODY, |touch| selected(&touch.slots));
        self.customers.decided(&self.pass, index, (touch.as_deref(), &touched), false)
    }

    /// The class codes of one of its chunks under each of some rules, whose programmes differ from the one that is tried in
    /// tiers alone: what they ask for is read once.
    pub fn classes(&self, index: usize, ladders: &[Compiled]) -> Vec<Vec<u8>> {
        let Customers { table, rules, .. } = &self.customers;
        let chunk = &table.chunks[index];
        let moment = Moment::of(table.clock, rules.programme.window, rules.programme.lag);
        let frame = self.customers.frame(chunk, &Slots::All, moment);
        let population = tiers::population(rules, &frame, &Slots::All, &chunk.listed());
        let classes = |rules: &Compiled| {
            let classes = tiers::classes(rules, &frame, &population).into_iter().zip(&population);
            classes.map(|(class, within)| if *within == 1 { class } else { ABSENT }).collect()
        };
        ladders.iter().map(classes).collect()
    }

    /// The rules in force, and those that are tried.
    pub fn rules(&self) -> (&Compiled, &Compiled) {
        (self.customers.old_rules(), &self.customers.rules)
    }

    /// The customer in a slot of a chunk.
    pub fn customer(&self, chunk: usize, slot: usize) -> CustomerIx {
        self.customers.table.customer(chunk, slot)
    }
}

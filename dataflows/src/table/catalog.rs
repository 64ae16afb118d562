//! What stands beside customers: products, and how far campaigns have come. Every worker has all of it.

use std::sync::Arc;

use hashbrown::HashMap;

use super::apply::Table;
use super::moments::{MomentKey, Moments};
use super::sorted::Change;
use crate::facts::{Facts, MomentFact, Product};
use crate::records::State;
use crate::table::Chunk;
use crate::types::Word;

/// Rows by the word that is their key.
type ByWord<T> = HashMap<Word, T, foldhash::fast::RandomState>;

/// What stands of products and campaigns.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct Catalog {
    products: ByWord<Product>,
    states: ByWord<State>,
}

impl Catalog {
    pub(crate) fn write(&mut self, facts: &Facts) {
        for (product, row) in &facts.products {
            match row {
                Some(row) => drop(self.products.insert(*product, *row)),
                None => drop(self.products.remove(product)),
            }
        }
        for (campaign, state) in &facts.campaigns {
            match state {
                Some(state) => drop(self.states.insert(*campaign, *state)),
                None => drop(self.states.remove(campaign)),
            }
        }
    }

    /// What a terminal must have for a product; null where nothing is known of it.
    pub fn requires(&self, product: Word) -> Word {
        self.products.get(&product).map_or(Word::NULL, |product| product.requires)
    }

    /// Whether products ask the same of terminals.
    pub fn same_products(&self, other: &Catalog) -> bool {
        self.products == other.products
    }

    /// How far a campaign has come.
    pub fn state(&self, campaign: Word) -> State {
        self.states.get(&campaign).copied().unwrap_or_default()
    }
}

impl Table {
    pub(super) fn write_ids(&mut self, facts: &Facts) {
        for (customer, id) in facts.ids.iter() {
            let Some((chunk, slot)) = self.place(customer) else { continue };
            // An id alone makes nobody a customer: nothing is decided anew.
            Arc::make_mut(&mut self.untouched_chunk(chunk).ids).put(slot, id);
        }
    }

    pub(super) fn write_moments(&mut self, facts: &Facts) {
        self.write_rows(&facts.contacts, |chunk| &mut chunk.contacts);
        self.write_rows(&facts.feedbacks, |chunk| &mut chunk.feedbacks);
        self.write_rows(&facts.handoffs, |chunk| &mut chunk.handoffs);
    }

    fn write_rows<T: Copy>(&mut self, facts: &[MomentFact<T>], rows: fn(&mut Chunk) -> &mut Arc<Moments<T>>) {
        let mut changes: Vec<(usize, Change<MomentKey, T>)> = Vec::new();
        for fact in facts {
            let Some((chunk, slot)) = self.place(fact.customer) else { continue };
            changes.push((chunk, ((slot as u16, fact.at, fact.id.clone()), fact.value)));
        }
        changes.sort_by_key(|(chunk, _)| *chunk);
        let mut changes = changes.into_iter().peekable();
        while let Some((index, first)) = changes.next() {
            let mut own = vec![first];
            while let Some((_, change)) = changes.next_if(|(of, _)| *of == index) {
                own.push(change);
            }
            let (chunk, touch) = self.touched_chunk(index);
            own.iter().for_each(|((slot, ..), _)| touch.slots.set(usize::from(*slot), true));
            Arc::make_mut(rows(chunk)).apply(own);
        }
    }
}

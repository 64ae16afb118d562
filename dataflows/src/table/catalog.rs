//! What stands beside customers: products, channels, and how far campaigns have come. Every worker has all of it.

use std::sync::Arc;

use hashbrown::HashMap;

use super::apply::Table;
use super::moments::{MomentKey, Moments};
use super::sorted::Change;
use crate::facts::{Channel, Facts, MomentFact, Product};
use crate::records::State;
use crate::table::Chunk;
use crate::types::Word;

/// Rows by the word that is their key.
type ByWord<T> = HashMap<Word, T, foldhash::fast::RandomState>;

/// What stands of products, channels and campaigns.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct Catalog {
    products: ByWord<Product>,
    channels: ByWord<Channel>,
    states: ByWord<State>,
}

impl Catalog {
    pub(crate) fn write(&mut self, facts: &Facts) {
        put(&mut self.products, &facts.products);
        put(&mut self.channels, &facts.channels);
        put(&mut self.states, &facts.campaigns);
    }

    /// What a terminal must have for a product; null where nothing is known of it.
    pub fn requires(&self, product: Word) -> Word {
        self.product(product).requires
    }

    /// What is known of a product; nothing of one that no row names.
    pub fn product(&self, product: Word) -> Product {
        self.products.get(&product).copied().unwrap_or_default()
    }

    /// Every product of which a row stands, in no order.
    pub fn products(&self) -> impl Iterator<Item = (Word, Product)> + '_ {
        self.products.iter().map(|(product, row)| (*product, *row))
    }

    /// Whether products ask the same of terminals.
    pub fn same_requirements(&self, other: &Catalog) -> bool {
        self.agrees(other, |row| row.requires)
    }

    /// Whether products are of the same categories.
    pub fn same_categories(&self, other: &Catalog) -> bool {
        std::ptr::eq(self, other) || self.agrees(other, |row| row.category)
    }

    /// Whether something of products is the same in both.
    fn agrees(&self, other: &Catalog, of: fn(Product) -> Word) -> bool {
        let covers = |one: &Catalog, other: &Catalog| {
            one.products.iter().all(|(product, row)| of(other.product(*product)) == of(*row))
        };
        covers(self, other) && covers(other, self)
    }

    /// What is known of a channel; nothing of one that no row names.
    pub fn channel(&self, channel: Word) -> Channel {
        self.channels.get(&channel).copied().unwrap_or_default()
    }

    /// Every channel of which a row stands, in no order.
    pub fn channels(&self) -> impl Iterator<Item = (Word, Channel)> + '_ {
        self.channels.iter().map(|(channel, row)| (*channel, *row))
    }

    /// How far a campaign has come.
    pub fn state(&self, campaign: Word) -> State {
        self.states.get(&campaign).copied().unwrap_or_default()
    }
}

fn put<T: Copy>(rows: &mut ByWord<T>, facts: &[(Word, Option<T>)]) {
    for (key, row) in facts {
        match row {
            Some(row) => drop(rows.insert(*key, *row)),
            None => drop(rows.remove(key)),
        }
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
        let contacts = facts.contacts.iter().filter(|fact| fact.value.is_some()).map(|fact| fact.at);
        let feedbacks = facts.feedbacks.iter().filter(|fact| fact.value.is_some()).map(|fact| fact.at);
        self.latest = contacts.chain(feedbacks).max().max(self.latest);
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

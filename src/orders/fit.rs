//! What keeps a customer from a product.

use dataflows::points::holds;
use dataflows::table::Chunk;
use dataflows::types::{Time, Word};

use crate::programme::Restriction;
use crate::store::{Dictionary, Store};

/// Why a customer cannot have a product.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kept<'a> {
    Restricted(&'a Restriction),
    /// He has it.
    Held,
    /// His terminal cannot use it.
    Terminal,
}

impl Kept<'_> {
    /// For programs.
    pub fn code(&self) -> &str {
        match self {
            Kept::Restricted(restriction) => &restriction.code,
            Kept::Held => "held",
            Kept::Terminal => "terminal",
        }
    }

    /// For the customer, whose terminal opens links or does not.
    pub fn text(&self, opens_links: bool) -> (&str, bool) {
        match self {
            Kept::Restricted(Restriction { link: Some(link), .. }) if opens_links => (link, true),
            Kept::Restricted(restriction) => (&restriction.text, false),
            Kept::Held => ("You have this service already.", false),
            Kept::Terminal => ("Your phone cannot use this service.", false),
        }
    }
}

/// A customer as he stands.
#[derive(Clone, Copy)]
pub(crate) struct Person<'a> {
    pub chunk: &'a Chunk,
    pub slot: usize,
    pub names: &'a Dictionary,
    pub now: Option<Time>,
}

impl<'a> Person<'a> {
    /// Whether he is on a list now. Without a clock a list that has a beginning has begun.
    pub fn is_on(&self, list: &str) -> bool {
        let list = self.names.words.find(list).map(Word);
        let row = list.and_then(|list| self.chunk.listings.get(&list)?.get(&(self.slot as u16)).copied());
        row.is_some() && self.now.is_none_or(|now| holds(row, now))
    }

    pub fn holds(&self, product: Word) -> bool {
        self.chunk.orders.get(&product).is_some_and(|orders| orders.holders.get(self.slot))
    }

    /// Whether his terminal has what a product asks for.
    pub fn can_use(&self, product: Word, store: &Store) -> bool {
        let requires = store.product(product).map_or(Word::NULL, |product| product.requires);
        requires.is_null() || self.text(requires).split(';').all(|needed| self.supports(needed))
    }

    /// Whether his terminal opens links.
    pub fn opens_links(&self) -> bool {
        self.supports("wap")
    }

    fn supports(&self, capability: &str) -> bool {
        let latest = self.chunk.terminals.range(|(of, _)| usize::from(*of).cmp(&self.slot)).last();
        latest.is_some_and(|(_, supports)| self.text(*supports).split(';').any(|has| has == capability))
    }

    fn text(&self, word: Word) -> &'a str {
        self.names.words.text(word.0).unwrap_or_default()
    }

    /// What keeps him from a product; none where nothing does.
    pub fn kept<'r>(&self, product: Word, store: &Store, restrictions: &'r [Restriction]) -> Option<Kept<'r>> {
        let restricted = restrictions.iter().find(|restriction| self.is_on(&restriction.list));
        match restricted {
            Some(restriction) => Some(Kept::Restricted(restriction)),
            None if self.holds(product) => Some(Kept::Held),
            None => (!self.can_use(product, store)).then_some(Kept::Terminal),
        }
    }
}

//! The customer of an explanation.

use dataflows::attributes::Frame;
use dataflows::rules::clauses::clause;
use dataflows::rules::{Attribute, Expr};
use dataflows::table::Chunk;
use dataflows::table::chunk::ABSENT;
use dataflows::table::column::Slots;
use dataflows::types::{CustomerIx, Word};

use super::{Clause, Explainer};

/// One customer, as what was published has him.
pub(super) struct Subject<'a> {
    pub explainer: &'a Explainer,
    pub customer: CustomerIx,
    pub id: &'a str,
    pub chunk: &'a Chunk,
    pub slot: usize,
    slots: Slots,
}

impl<'a> Subject<'a> {
    pub fn new(
        explainer: &'a Explainer,
        customer: CustomerIx,
        id: &'a str,
        chunk: &'a Chunk,
        slot: usize,
    ) -> Subject<'a> {
        Subject { explainer, customer, id, chunk, slot, slots: Slots::Some(vec![slot as u16]) }
    }

    /// A rule as it is of him.
    pub fn clause(&self, rule: &Expr) -> Clause {
        let frame = self.frame();
        Clause::told(self, &clause(rule, &frame, 0, &|name| self.word(name)))
    }

    /// What rules find of him.
    pub fn frame(&self) -> Frame<'_> {
        self.explainer.reader.frame(self.chunk, &self.slots)
    }

    /// Of a drive: its rule and its signs, as one condition.
    pub fn drive(&self, attribute: &Attribute) -> Option<Clause> {
        let Attribute::Drive(id) = attribute else { return None };
        let drive = self.explainer.published.programme.drives.iter().find(|drive| drive.id == *id)?;
        let signs = drive.signs.iter().map(|sign| sign.when.clone()).collect();
        let rule = Expr::And(vec![drive.when.clone(), Expr::AtLeast(u32::from(drive.at_least), signs)]);
        Some(self.clause(&rule))
    }

    /// The number of a name, where it has one.
    pub fn word(&self, name: &str) -> Option<Word> {
        self.explainer.dictionary.read().words.find(name).map(Word)
    }

    /// The text of a word; none of the null word.
    pub fn text(&self, word: Word) -> Option<&'a str> {
        let text: &'a str = self.explainer.reader.words.get(word.0 as usize)?;
        Some(text).filter(|_| !word.is_null())
    }

    /// Whether he is named by a customer file or a bill.
    pub fn is_listed(&self) -> bool {
        self.chunk.listed().get(self.slot)
    }

    /// Whether he is of the population: he has a class then, the null class included.
    pub fn is_in_population(&self) -> bool {
        self.chunk.class[self.slot] != ABSENT
    }
}

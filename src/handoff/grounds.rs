//! What a release decides on: campaigns compiled against the names as they stand.

use std::sync::Arc;

use dataflows::rules::compiled::Compiled;
use dataflows::table::Chunk;
use dataflows::targets::{ANY_CHANNEL, Gate, Listing, needs};
use dataflows::types::{Time, Word};

use super::planted::{self, Bug};
use crate::engine::Published;
use crate::store::Dictionary;

/// The campaigns of what was published, with the vocabulary.
pub struct Grounds {
    rules: Compiled,
    words: Vec<Arc<str>>,
    any: Option<Word>,
    now: Option<Time>,
    /// The same, but for a planted bug.
    gate_now: Option<Time>,
}

impl Grounds {
    /// Those of what was published.
    pub fn of(published: &Published, names: &Dictionary) -> Grounds {
        let words = names.words_from(0, names.extent().words);
        Grounds {
            rules: Compiled::new(published.programme.clone(), &words),
            any: names.words.find(ANY_CHANNEL).map(Word),
            now: published.clock.now,
            gate_now: published.clock.now.map(|now| Time(now.0 + i64::from(planted::is(Bug::Edge)))),
            words,
        }
    }

    /// The place of a campaign in the programme.
    pub fn place(&self, campaign: &str) -> Option<usize> {
        self.rules.programme.campaigns.iter().position(|known| known.id == campaign)
    }

    /// The place of the campaign that a word names.
    pub fn place_of(&self, campaign: Word) -> Option<usize> {
        self.rules.targets.listings.iter().position(|listing| listing.id == campaign)
    }

    pub fn listing(&self, place: usize) -> &Listing {
        &self.rules.targets.listings[place]
    }

    /// The check on a chunk's customers.
    pub fn gate<'a>(&'a self, chunk: &'a Chunk) -> Gate<'a> {
        Gate { rules: &self.rules.targets, words: &self.words, now: self.gate_now, chunk, any: self.any }
    }

    /// A channel, with what it asks of terminals.
    pub fn channel(&self, name: &str) -> Option<(Word, Word)> {
        let find = |text: &str| self.words.iter().position(|word| **word == *text).map(|place| Word(place as u32));
        let needed = needs(name).map_or(Some(Word::NULL), find)?;
        Some((find(name)?, needed))
    }

    /// The text of a word.
    pub fn text(&self, word: Word) -> &str {
        self.words.get(word.0 as usize).map_or("", |word| word)
    }

    /// Whether the terminal of the customer in a slot opens links.
    pub fn opens_links(&self, chunk: &Chunk, slot: usize) -> bool {
        let latest = chunk.terminals.range(|(of, _)| usize::from(*of).cmp(&slot)).last();
        latest.is_some_and(|(_, supports)| self.text(*supports).split(';').any(|capability| capability == "wap"))
    }

    pub fn now(&self) -> Option<Time> {
        self.now
    }
}

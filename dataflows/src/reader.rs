//! What rules find, asked of chunks that are settled: by whoever reads, outside of the dataflow.

use std::sync::Arc;

use crate::attributes::{Frame, Moment};
use crate::programme::Programme;
use crate::rules::Expr;
use crate::rules::compiled::Compiled;
use crate::rules::plan::{Plan, plan};
use crate::table::Chunk;
use crate::table::catalog::Catalog;
use crate::table::column::Slots;
use crate::tiers;
use crate::types::{Clock, Word};

/// Rules under one programme at one moment. Not shared by threads: plans remember what they have learnt of words.
pub struct Reader {
    pub rules: Compiled,
    pub words: Vec<Arc<str>>,
    pub clock: Clock,
    catalog: Arc<Catalog>,
}

impl Reader {
    /// `words` is the vocabulary, which holds every name of the programme.
    pub fn new(programme: Arc<Programme>, words: Vec<Arc<str>>, clock: Clock, catalog: Arc<Catalog>) -> Reader {
        Reader { rules: Compiled::new(programme, &words), words, clock, catalog }
    }

    /// The number of a text, where it is a word.
    pub fn word(&self, text: &str) -> Option<Word> {
        self.words.iter().position(|word| **word == *text).map(|number| Word(number as u32))
    }

    /// How a condition is tested.
    pub fn plan(&self, condition: &Expr) -> Plan {
        plan(condition, &|text| self.word(text))
    }

    /// As segments see a chunk that is settled.
    pub fn frame<'a>(&'a self, chunk: &'a Chunk, slots: &'a Slots) -> Frame<'a> {
        let (rules, programme) = (&self.rules, &self.rules.programme);
        let moment = Moment::of(self.clock, programme.window, programme.lag);
        let frame = Frame::new(chunk, slots, moment, &self.words).with_points(&rules.points);
        let frame = frame.with_services(&rules.services).with_stages(programme.stages, rules.stages);
        let mut frame = frame.with_responses(&rules.responses, &self.catalog).with_drives(&rules.drives);
        let classes = (0..slots.len()).map(|place| chunk.class[slots.slot(place)]);
        frame.set_tiers(classes.collect(), tiers::words(rules));
        frame
    }
}

//! A whole programme, compiled.

use std::collections::HashMap;
use std::sync::Arc;

use super::plan::{Plan, plan};
use super::{Attribute, Expr};
use crate::programme::Programme;
use crate::types::Word;

/// The plans of a programme, with the words of its ids. Owned by one worker: plans remember what
/// they have learnt about words.
pub struct Compiled {
    pub programme: Arc<Programme>,
    pub population: Option<Plan>,
    /// In the order in which they are tested; only the last may have no condition.
    pub tiers: Vec<(Word, Option<Plan>)>,
    pub segments: Vec<(Word, Plan)>,
    /// Whether the population depends on what is as of now: then so does the history of tiers.
    pub population_is_of_now: bool,
}

impl Compiled {
    /// Compiles against the vocabulary, which holds every name of the programme already.
    pub fn new(programme: Arc<Programme>, words: &[Arc<str>]) -> Compiled {
        let names = programme.names();
        let mut numbers: HashMap<&str, Word> = HashMap::with_capacity(names.len());
        for (number, word) in words.iter().enumerate() {
            if let Ok(index) = names.binary_search(&&**word) {
                numbers.entry(names[index]).or_insert(Word(number as u32));
            }
        }
        let word = |name: &str| numbers.get(name).copied();
        let id = |id: &str| word(id).unwrap_or_else(|| panic!("id {id:?} is not in the vocabulary"));
        let tiers = programme.tiers.iter().map(|tier| (id(&tier.id), tier.when.as_ref().map(|when| plan(when, &word))));
        let segments = programme.segments.iter().map(|segment| (id(&segment.id), plan(&segment.when, &word)));
        Compiled {
            population_is_of_now: programme.population.as_ref().is_some_and(is_of_now),
            population: programme.population.as_ref().map(|rule| plan(rule, &word)),
            tiers: tiers.collect(),
            segments: segments.collect(),
            programme: programme.clone(),
        }
    }

    /// Whether classes, and with them everything, may differ under `other`.
    pub fn differs_in_classes(&self, other: &Compiled) -> bool {
        let (ours, theirs) = (&*self.programme, &*other.programme);
        ours.window != theirs.window
            || ours.lag != theirs.lag
            || ours.history != theirs.history
            || ours.population != theirs.population
            || ours.tiers != theirs.tiers
    }

    /// Months after a month in which its bills still decide a class, that month not counted.
    pub fn reach(&self) -> i32 {
        (self.programme.window + self.programme.lag - 1) as i32
    }

    /// The same for usage; none of it decides a class where no rule of a tier asks for it.
    pub fn usage_reach(&self) -> i32 {
        let mut asks = false;
        let mut look = |rule: &Expr| rule.attributes(&mut |attribute| asks |= matches!(attribute, Attribute::Usage(_)));
        self.programme.tiers.iter().filter_map(|tier| tier.when.as_ref()).for_each(&mut look);
        self.programme.population.iter().for_each(&mut look);
        if asks { self.programme.window as i32 - 1 } else { -1 }
    }
}

fn is_of_now(rule: &Expr) -> bool {
    let mut is_of_now = false;
    rule.attributes(&mut |attribute| is_of_now |= attribute.is_as_of_now());
    is_of_now
}

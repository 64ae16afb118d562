//! A whole programme, compiled.

use std::collections::HashMap;
use std::sync::Arc;

use super::plan::{Plan, plan};
use super::{Attribute, Expr};
use crate::care::{self, Watch};
use crate::drives::{self, Drive};
use crate::fit;
use crate::goals;
use crate::points;
use crate::programme::Programme;
use crate::responses;
use crate::services::Services;
use crate::stages::STAGES;
use crate::table::Reach;
use crate::targets;
use crate::types::Word;

/// The plans of a programme, with the words of its ids. Owned by one worker: plans remember what
/// they have learnt about words.
pub struct Compiled {
    pub programme: Arc<Programme>,
    pub population: Option<Plan>,
    /// In the order in which they are tested; only the last may have no condition.
    pub tiers: Vec<(Word, Option<Plan>)>,
    pub segments: Vec<(Word, Plan)>,
    pub points: Arc<points::Rules>,
    pub services: Arc<Services>,
    pub fit: Arc<fit::Rules>,
    pub goals: Arc<goals::Rules>,
    pub responses: responses::Rules,
    /// Whether a rule asks for response groups.
    pub asks_responses: bool,
    /// The words of stages, where a rule asks for them.
    pub stages: [Word; 4],
    pub drives: Vec<Drive>,
    /// In the programme's order.
    pub cares: Vec<Watch>,
    pub targets: targets::Rules,
    /// Whether the population depends on what is as of now: then so does the history of tiers.
    pub population_is_of_now: bool,
}

impl Compiled {
    /// Compiles against the vocabulary, which holds every name of the programme already.
    pub fn new(programme: Arc<Programme>, words: &[Arc<str>]) -> Compiled {
        let names = programme.names();
        let mut numbers: HashMap<&str, Word> = HashMap::with_capacity(names.len());
        for (number, word) in words.iter().enumerate() {
            if let Ok(index) = names.binary_search_by(|name| (**name).cmp(word)) {
                numbers.entry(&names[index]).or_insert(Word(number as u32));
            }
        }
        Compiled::with(programme.clone(), &|name: &str| numbers.get(name).copied())
    }

    /// The same, where `word` gives the number of every name of the programme.
    pub fn with(programme: Arc<Programme>, word: &dyn Fn(&str) -> Option<Word>) -> Compiled {
        let id = |id: &str| word(id).unwrap_or_else(|| panic!("id {id:?} is not in the vocabulary"));
        let tiers = programme.tiers.iter().map(|tier| (id(&tier.id), tier.when.as_ref().map(|when| plan(when, word))));
        let segments = programme.segments.iter().map(|segment| (id(&segment.id), plan(&segment.when, word)));
        let drives = drives::compile(&programme, word);
        let driven: Vec<Word> = drives.iter().map(|drive| drive.id).collect();
        Compiled {
            fit: Arc::new(fit::Rules::new(&programme, &driven, word)),
            goals: Arc::new(goals::Rules::new(&programme, word)),
            population_is_of_now: programme.population.as_ref().is_some_and(is_of_now),
            points: Arc::new(points::Rules::new(&programme, word)),
            services: Arc::new(Services::new(&programme, word)),
            responses: responses::Rules::new(&programme, word),
            asks_responses: programme.rules().any(|rule| asks(rule, |what| matches!(what, Attribute::Response(_)))),
            stages: STAGES.map(|name| word(name).unwrap_or_default()),
            drives,
            cares: care::compile(&programme, word),
            targets: targets::Rules::new(&programme, word),
            population: programme.population.as_ref().map(|rule| plan(rule, word)),
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

    /// Whether balances may differ under `other`.
    pub fn differs_in_points(&self, other: &Compiled) -> bool {
        self.programme.points != other.programme.points || self.programme.debts != other.programme.debts
    }

    /// Whether a balance may have another rank under `other`.
    pub fn differs_in_ranks(&self, other: &Compiled) -> bool {
        self.programme.ranks != other.programme.ranks
    }

    /// Whether trials and health may differ under `other`.
    pub fn differs_in_services(&self, other: &Compiled) -> bool {
        self.programme.active_measures != other.programme.active_measures
    }

    /// Whether a rule that asks for response groups may find others under `other`.
    pub fn differs_in_responses(&self, other: &Compiled) -> bool {
        self.asks_responses && self.responses != other.responses
    }

    /// Whether a member may be in another stage under `other`.
    pub fn differs_in_stages(&self, other: &Compiled) -> bool {
        self.programme.stages != other.programme.stages
    }

    /// Whether a customer may have another drive under `other`.
    pub fn differs_in_drives(&self, other: &Compiled) -> bool {
        self.programme.drives != other.programme.drives
    }

    /// How far the rows of a month reach.
    pub fn reach(&self) -> Reach {
        let bills = (self.programme.window + self.programme.lag - 1) as i32;
        let asks = |what: fn(&Attribute) -> bool| {
            let tiers = self.programme.tiers.iter().filter_map(|tier| tier.when.as_ref());
            tiers.chain(&self.programme.population).any(|rule| asks(rule, what))
        };
        let usage = match () {
            () if asks(|attribute| matches!(attribute, Attribute::UsageYear(_))) => {
                (self.programme.window as i32 - 1).max(11)
            }
            () if asks(|attribute| matches!(attribute, Attribute::Usage(_))) => self.programme.window as i32 - 1,
            () => -1,
        };
        let participations = if asks(|attribute| matches!(attribute, Attribute::Participations(_))) { 11 } else { -1 };
        Reach { bills, usage, participations }
    }
}

/// Whether a rule asks for such an attribute.
fn asks(rule: &Expr, what: fn(&Attribute) -> bool) -> bool {
    let mut asks = false;
    rule.attributes(&mut |attribute| asks |= what(attribute));
    asks
}

fn is_of_now(rule: &Expr) -> bool {
    asks(rule, Attribute::is_as_of_now)
}

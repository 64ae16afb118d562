//! Goals: what standing KPIs count, month by month and city by city, and what is used day by day.
//!
//! Reads   a chunk: bills, usage, orders, cities; the programme's `[[goal]]`
//! Gives   a number for each quantity, month and city; volumes by measure and day
//!
//! ```text
//! usage, bills, orders ─► quantities by city, of the chunk ─┐
//! usage by day ─► volumes, of all ──────────────────────────┴─► KPIs, and their pace
//! ```
//!
//! As with [penetration](crate::penetration), nothing of the months is kept up: a chunk is counted when it is first
//! read, and remembers that. Volumes are: a sum for each measure and day, which the table has not, being of months.
//!
//! Decided here, where the contract is silent:
//! - Months are those of `history` up to `as_of`, and then those up to `now`: the month that runs is told as far as it has
//!   come. The measure `data_kb` is the bill's.
//! - Customers are everybody in customer_attribute, whatever the population, and of the cities that they live in now.
//!   Whose rows name nobody there count in volumes alone.
//! - `held` is who holds a product at the month's end, `active` whose active measure was above 0 in it, as in penetration.
//!   `held(P, months_before = n)` is who held it n months earlier, and with `still` who did then and does now.
//! - Holidays are those of `[calendar]`.

mod count;

use std::collections::BTreeMap;
use std::sync::Arc;

pub use count::{Memo, Tally, tally};

use crate::facts::VolumeChanges;
use crate::programme::Programme;
use crate::types::{Day, Word};

/// The measure that bills tell of.
pub const BILLED: &str = "data_kb";

/// Most months that a KPI looks back.
pub const MONTHS_BEFORE_MAX: u32 = 120;

/// Most goals of a programme.
pub const GOALS_MAX: usize = 200;

/// One number of a KPI.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Quantity {
    Customers,
    /// What all use of a measure.
    Sum(String),
    /// The same on holidays: of everybody, since it is known by day.
    Holidays(String),
    /// Customers who use so much of a measure; at least 1.
    AtLeast(String, i64),
    Held(String),
    HeldBefore(String, u32),
    Still(String, u32),
    Active(String),
}

/// A KPI: a quantity, or its ratio to another.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Goal {
    pub id: String,
    pub part: Quantity,
    pub whole: Option<Quantity>,
}

impl Quantity {
    /// The name that it needs as a word.
    fn name(&self) -> Option<&str> {
        match self {
            Quantity::Customers => None,
            Quantity::Sum(name)
            | Quantity::Holidays(name)
            | Quantity::AtLeast(name, _)
            | Quantity::Held(name)
            | Quantity::HeldBefore(name, _)
            | Quantity::Still(name, _)
            | Quantity::Active(name) => Some(name),
        }
    }
}

impl Goal {
    /// Its quantities: the part, then the whole.
    pub fn quantities(&self) -> impl Iterator<Item = &Quantity> {
        [&self.part].into_iter().chain(&self.whole)
    }

    /// The names that it needs as words.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.quantities().filter_map(Quantity::name)
    }
}

/// What all use of each measure, day by day.
pub type Volumes = BTreeMap<Word, Arc<BTreeMap<Day, i64>>>;

/// A quantity in words.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Counted {
    Customers,
    Sum(Measure),
    AtLeast(Measure, i64),
    /// Held at the end of this month, of an earlier one, or of both.
    Held(Word, Option<u32>, bool),
    /// The measure of the product; none where none shows its use.
    Active(Option<Word>),
    /// Not by month.
    Elsewhere,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Measure {
    Billed,
    Used(Word),
}

/// What goals count, each once.
#[derive(Default, PartialEq, Eq, Debug)]
pub struct Rules {
    quantities: BTreeMap<Quantity, usize>,
    counted: Vec<Counted>,
    history: u32,
}

impl Rules {
    /// `word` gives the number of a name, where it has one.
    pub fn new(programme: &Programme, word: &dyn Fn(&str) -> Option<Word>) -> Rules {
        let mut rules = Rules { history: programme.history, ..Rules::default() };
        let measure = |name: &str| if name == BILLED { Some(Measure::Billed) } else { word(name).map(Measure::Used) };
        let counted = |quantity: &Quantity| match quantity {
            Quantity::Customers => Some(Counted::Customers),
            Quantity::Sum(name) => measure(name).map(Counted::Sum),
            Quantity::Holidays(_) => None,
            Quantity::AtLeast(name, least) => Some(Counted::AtLeast(measure(name)?, *least)),
            Quantity::Held(product) => Some(Counted::Held(word(product)?, None, true)),
            Quantity::HeldBefore(product, months) => Some(Counted::Held(word(product)?, Some(*months), false)),
            Quantity::Still(product, months) => Some(Counted::Held(word(product)?, Some(*months), true)),
            Quantity::Active(product) => {
                Some(Counted::Active(programme.active_measures.get(product).and_then(|measure| word(measure))))
            }
        };
        for quantity in programme.goals.iter().flat_map(Goal::quantities) {
            if !rules.quantities.contains_key(quantity) {
                rules.quantities.insert(quantity.clone(), rules.counted.len());
                rules.counted.push(counted(quantity).unwrap_or(Counted::Elsewhere));
            }
        }
        rules
    }

    /// Its place among the numbers of a [`Tally`]; none of one that no goal has.
    pub fn place(&self, quantity: &Quantity) -> Option<usize> {
        self.quantities.get(quantity).copied()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.counted.len()
    }

    /// Whether nothing is counted.
    pub fn is_empty(&self) -> bool {
        self.counted.is_empty()
    }
}

/// Adds changes to volumes; what comes to nothing is forgotten.
pub(crate) fn add_volumes(volumes: &mut Arc<Volumes>, changes: &VolumeChanges) {
    if changes.is_empty() {
        return;
    }
    let volumes = Arc::make_mut(volumes);
    for ((measure, day), change) in changes {
        let days = volumes.entry(*measure).or_default();
        let sums = Arc::make_mut(days);
        let sum = sums.entry(*day).or_insert(0);
        *sum += change;
        if *sum == 0 {
            sums.remove(day);
        }
        if sums.is_empty() {
            volumes.remove(measure);
        }
    }
}

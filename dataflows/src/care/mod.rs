//! Care after a first trial: who opened a service and does not use it, why not, and what is to be done.
//!
//! Reads   orders, usage, what diagnoses ask for; the programme's `[[care]]` and `[calendar]`; the clock
//! Gives   cases with their tasks and reasons: the rows of care_task, care_diagnosis and care_count
//!
//! Nothing is kept: a case is a function of the table, the programme and the clock, read off a snapshot
//! when somebody asks. It looks at the holders of the product alone, and of them at their orders of it
//! and the months of its measure.
//!
//! Decided here, where the contract is silent:
//! - A case is open for whoever holds the product: since the first order of the present holding, a trial or a
//!   subscription, bundled or not. What followed a cancellation begins anew.
//! - Normal use is any usage of `used_by` in the month of the opening or a later one: usage is kept by month,
//!   so what was used earlier in that month counts too. It resolves the case; so does a cancellation.
//! - Steps are due on days. Of one that recurs there are two rows at most: the latest day that has come,
//!   `due`, and the next one, `planned`. Somebody acts on the former, and it stands until the next has come.
//! - `every_working_days = n` is due on the n-th, 2n-th, ... working day after the day of the opening.
//! - `monthly` is due on the first working day of each month that is at least `after_days` days (default
//!   21) after the opening. A month without a working day has none.
//! - `after = "used"` is due on the first working day after the month in which normal use was first seen, and
//!   stands while the product is held: what became of it is not delivered yet.
//! - `after_failed` has no rows until outcomes of calls are delivered.
//! - The view tells what is left to do. A resolved task has no row: otherwise every user of a service would
//!   have some for ever.
//! - Everybody with an order counts, whatever the population. Diagnoses ask as segments do; the first that
//!   is TRUE tells the reason, none of them a null one.
//! - Without a clock no time has passed.

mod calendar;
mod steps;

use std::sync::Arc;

pub use calendar::{CALENDAR_DAYS_MAX, Calendar, WorkingDays};
pub use steps::{AFTER_DAYS_MAX, APPROACHES, Approach, Due, EVERY_MAX, State, Step, Task};

use crate::programme::Programme;
use crate::reader;
use crate::rules::Expr;
use crate::rules::evaluate::{TRUE, evaluate};
use crate::rules::plan::{Plan, plan};
use crate::table::Chunk;
use crate::table::catalog::Catalog;
use crate::table::column::Slots;
use crate::types::{Clock, Day, Month, Word};

/// What is done for whoever opened a product.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Care {
    /// No two of a programme are of the same one.
    pub product: String,
    /// The measure that shows normal use.
    pub used_by: String,
    /// In the order in which they are asked.
    pub diagnose: Vec<Diagnosis>,
    /// No two have the same approach.
    pub steps: Vec<Step>,
}

/// A reason for which a service is not used, and how it shows.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Diagnosis {
    pub reason: String,
    pub when: Expr,
}

/// Most `[[care]]` of a programme, and most diagnoses of one.
pub const CARES_MAX: usize = 100;

/// A care, compiled.
pub struct Watch {
    product: Option<Word>,
    used_by: Option<Word>,
    diagnose: Vec<Plan>,
}

/// The cares of a programme, in its order. `word` gives the number of a name.
pub fn compile(programme: &Programme, word: &dyn Fn(&str) -> Option<Word>) -> Vec<Watch> {
    let watch = |care: &Care| Watch {
        product: word(&care.product),
        used_by: word(&care.used_by),
        diagnose: care.diagnose.iter().map(|diagnosis| plan(&diagnosis.when, word)).collect(),
    };
    programme.cares.iter().map(watch).collect()
}

/// A customer who holds the product of a care.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Case {
    pub slot: usize,
    /// The place of the care in the programme.
    pub care: usize,
    pub opened_on: Day,
    /// The first month of normal use: then the case is resolved.
    pub used_in: Option<Month>,
}

/// Reads cases off chunks, under one programme at one moment.
pub struct Reader {
    reader: reader::Reader,
    days: WorkingDays,
}

impl Reader {
    /// `words` is the vocabulary, which holds every name of the programme.
    pub fn new(programme: Arc<Programme>, words: Vec<Arc<str>>, clock: Clock, catalog: Arc<Catalog>) -> Reader {
        let days = WorkingDays::of(&programme.calendar);
        Reader { reader: reader::Reader::new(programme, words, clock, catalog), days }
    }

    /// The cares, by place.
    pub fn cares(&self) -> &[Care] {
        &self.reader.rules.programme.cares
    }

    /// Everybody in a chunk who holds the product of a care.
    pub fn cases<'a>(&'a self, chunk: &'a Chunk, care: usize) -> impl Iterator<Item = Case> + 'a {
        let watch = &self.reader.rules.cares[care];
        let orders = watch.product.and_then(|product| chunk.orders.get(&product));
        let of = move |(slot, opened_on): (usize, Day)| {
            let months = watch.used_by.map(|measure| (measure, opened_on.month())..=(measure, Month(i32::MAX)));
            let mut sums = months.into_iter().flat_map(|months| chunk.usage.range(months));
            let used_in = sums.find(|(_, sums)| sums.get(slot) > 0).map(|((_, month), _)| *month);
            Case { slot, care, opened_on, used_in }
        };
        let opened = orders
            .into_iter()
            .flat_map(|orders| orders.holders.slots().filter_map(|slot| Some((slot, orders.opened(slot)?.day()))));
        opened.map(of)
    }

    /// Everybody in a chunk whose case of a care is open, with the reason that his diagnosis tells.
    pub fn open<'a>(&'a self, chunk: &Chunk, care: usize) -> Vec<(Case, Option<&'a str>)> {
        let cases: Vec<Case> = self.cases(chunk, care).filter(|case| case.used_in.is_none()).collect();
        let slots = Slots::Some(cases.iter().map(|case| case.slot as u16).collect());
        let mut reasons = vec![None; cases.len()];
        if !slots.is_empty() {
            let frame = self.reader.frame(chunk, &slots);
            let diagnoses = self.cares()[care].diagnose.iter().zip(&self.reader.rules.cares[care].diagnose);
            for (diagnosis, plan) in diagnoses {
                for (reason, truth) in reasons.iter_mut().zip(evaluate(plan, &frame)) {
                    if truth == TRUE {
                        reason.get_or_insert(&*diagnosis.reason);
                    }
                }
            }
        }
        cases.into_iter().zip(reasons).collect()
    }

    /// What is to be done in a case, by step and day.
    pub fn tasks(&self, case: &Case) -> Vec<Task> {
        let today = self.reader.clock.now.map(|now| now.day());
        let steps = self.cares()[case.care].steps.iter();
        let mut tasks: Vec<Task> = steps.flat_map(|step| step.tasks(case, today, &self.days)).collect();
        tasks.sort_unstable_by_key(|task| (task.approach.name(), task.due));
        tasks
    }
}

//! Why a customer is in a segment, a tier, on a target list, or has his balance; and why not.
//!
//! ```text
//! published ─► clauses, each with value, threshold, verdict ─┐
//! store ─► keys of the rows behind each value ─► log ─► file, line ─┴─► answer
//! ```
//!
//! Clauses are tested by the plans, and on the columns, that the views are made with, so that an explanation cannot
//! have an opinion of its own: its verdict is the view's row, and its clauses joined again give the same.
//!
//! Decided here, where the contract is silent:
//! - A value is shown as views print it. `unknown` is SQL's null: a rule holds only where it is true.
//! - Rows behind a value are those that stand: what another file hides, or a later one corrected, is not among them.
//!   Of more than [`ROWS_MAX`] the latest are shown, and how many more there are.
//! - A value that other views make (`tier`, `drive`) shows their rules, or is explained by asking for them.
//! - Why a customer is not on a target list is the first reason that applies, as target_excluded counts it.

mod balance;
mod clause;
mod evidence;
mod keys;
mod subject;
mod target;
mod tier;

use std::sync::Arc;

use dataflows::reader::Reader;
use dataflows::types::{CustomerIx, Word};
use parking_lot::RwLock;
use serde::Serialize;

use super::nearest;
use crate::engine::Published;
use crate::store::Dictionary;
pub use balance::{Balance, Entry};
pub use clause::{Clause, Value, Verdict};
pub use evidence::{Evidence, ROWS_MAX, Row};
use subject::Subject;
pub use target::{Check, Checked, Target};
pub use tier::{Rung, Tier};

/// What is to be explained.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Asked {
    /// Of this id.
    Segment(String),
    Tier,
    /// Of the campaign of this id.
    Target(String),
    Balance,
}

/// Why there is nothing to explain.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Unknown {
    #[error("no customer of that id")]
    Customer,
    /// With a near one.
    #[error("the programme in force has no {what} of that name; did you mean {near}?")]
    Name { what: &'static str, near: String },
    /// There is none of the kind.
    #[error("the programme in force has no {what}")]
    Nothing { what: &'static str },
}

/// An explanation.
#[derive(Serialize, Debug)]
pub struct Why {
    pub customer_id: String,
    pub epoch: u64,
    pub as_of: Option<String>,
    pub now: Option<String>,
    /// Whether he has a row in the view that was asked about: segment_member, tier, target, points_balance.
    pub verdict: bool,
    /// The same in a sentence.
    pub because: String,
    /// The population that everything else is limited to, where the programme limits it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub population: Option<Clause>,
    #[serde(flatten)]
    pub of: Of,
}

/// What was asked about, with its reasons.
#[derive(Serialize, Debug)]
#[serde(rename_all = "snake_case")]
pub enum Of {
    Segment(Segment),
    Tier(Tier),
    Target(Box<Target>),
    Balance(Balance),
}

/// A segment.
#[derive(Serialize, Debug)]
pub struct Segment {
    pub id: String,
    pub rule: Clause,
}

/// Explains what was published, to one who asks about many customers as well as to one who asks once: what is the same
/// for all of them is made once, in time proportional to the vocabulary. Not shared by threads, as plans are not.
pub struct Explainer {
    published: Arc<Published>,
    dictionary: Arc<RwLock<Dictionary>>,
    reader: Reader,
    any_channel: Option<Word>,
}

impl Explainer {
    /// `dictionary` has the names of what was published, and perhaps more.
    pub fn new(published: Arc<Published>, dictionary: Arc<RwLock<Dictionary>>) -> Explainer {
        let (words, any_channel) = {
            let names = dictionary.read();
            let any = names.words.find(dataflows::targets::ANY_CHANNEL).map(Word);
            (names.words_from(0, names.extent().words), any)
        };
        let reader = Reader::new(published.programme.clone(), words, published.clock, published.catalog.clone());
        Explainer { published, dictionary, reader, any_channel }
    }

    /// Explains; the rows behind values are only named by their keys: see [`Why::keys`].
    pub fn why(&self, customer_id: &str, asked: &Asked) -> Result<Why, Unknown> {
        let customer = self.dictionary.read().customers.find(customer_id).map(CustomerIx).ok_or(Unknown::Customer)?;
        let (chunk, slot) = self.published.customer(customer).ok_or(Unknown::Customer)?;
        let subject = Subject::new(self, customer, customer_id, chunk, slot);
        let (verdict, because, of) = match asked {
            Asked::Segment(id) => self.segment(&subject, id)?,
            Asked::Tier => tier::explain(&subject),
            Asked::Target(id) => target::explain(&subject, id)?,
            Asked::Balance => balance::explain(&subject),
        };
        let is_limited = !matches!(asked, Asked::Balance);
        let population = self.published.programme.population.as_ref().filter(|_| is_limited);
        let clock = self.published.clock;
        Ok(Why {
            customer_id: customer_id.to_owned(),
            epoch: self.published.epoch,
            as_of: clock.as_of.map(|month| month.to_string()),
            now: clock.now.map(|now| now.to_string()),
            verdict,
            because,
            population: population.map(|rule| subject.clause(rule)),
            of,
        })
    }

    fn segment(&self, subject: &Subject<'_>, id: &str) -> Result<(bool, String, Of), Unknown> {
        let segments = &self.published.programme.segments;
        let place = place(segments.iter().map(|segment| segment.id.as_str()), "segment", id)?;
        let rule = subject.clause(&segments[place].when);
        let is_member = subject.chunk.segments.get(place).is_some_and(|members| members.get(subject.slot));
        let because = match rule.verdict {
            _ if !subject.is_listed() => "neither a customer file nor a bill names him".to_owned(),
            _ if !subject.is_in_population() => "he is outside the population".to_owned(),
            Verdict::True => "its rule is true".to_owned(),
            Verdict::False => "its rule is false".to_owned(),
            Verdict::Unknown => "its rule is unknown: a value that it asks for is null".to_owned(),
        };
        Ok((is_member, because, Of::Segment(Segment { id: id.to_owned(), rule })))
    }
}

/// The place of a name among others; with a near one where it is none of them.
fn place<'a>(names: impl Iterator<Item = &'a str> + Clone, what: &'static str, name: &str) -> Result<usize, Unknown> {
    if names.clone().next().is_none() {
        return Err(Unknown::Nothing { what });
    }
    let found = names.clone().position(|known| known == name);
    found.ok_or_else(|| Unknown::Name { what, near: nearest(name, names).to_owned() })
}

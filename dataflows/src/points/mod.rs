//! Points: what members earn by their events, lose by leaving, and are corrected by hand.
//!
//! Reads   one customer's events and adjustments, the lists that bar him, the programme's rules
//! Gives   the entries, in the order in which they count, and the balance
//!
//! Contract, "Programme". One function of rows in hand, [`walk::walk`], without anything kept
//! between two calls: an event that comes late, or goes, leaves what it would have left in its place.
//! The table keeps the balances; entries are made when somebody reads them.
//!
//! Decided here, where the contract is silent:
//! - Who registers while being a member earns nothing by it, and who deregisters without being one
//!   loses nothing.
//! - An event without `other_id` names nobody: it is not bound by `daily_people`.
//! - A programme without `[[points.rule]]` has no points: points_entry, points_balance and
//!   rank_count are empty, `points` and `rank` null. Who is a member, events still tell.
//! - Sums stay at the end of 64 bits where they would go beyond it.

pub mod awards;
pub mod balances;
mod rows;
pub mod walk;

use crate::facts::Interval;
use crate::programme::{PointsRule, Programme};
use crate::types::{Time, Word};

pub use balances::{Balance, Balances};
pub use rows::{entries, list, settle};
pub use walk::{Cause, Entry};

/// The list of those who cannot register.
pub const REGISTRATION: &str = "registration";
/// The list of those who earn nothing by what they try.
pub const EXPERIENCE: &str = "experience";

/// The programme's rules and ranks, with the words of their names.
#[derive(Default)]
pub struct Rules {
    /// Whether the programme has points at all.
    pub is_there: bool,
    rules: Vec<(PointsRule, Product)>,
    /// By the lowest balance, ascending.
    ranks: Vec<(i64, Word)>,
}

/// What an event must be about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Product {
    Any,
    Is(Word),
    /// One that no input has ever named.
    Unknown,
}

impl Product {
    fn matches(self, product: Word) -> bool {
        match self {
            Product::Any => true,
            Product::Is(word) => word == product,
            Product::Unknown => false,
        }
    }
}

impl Rules {
    /// Those of a programme. `word` gives the number of a name, where it has one.
    pub fn new(programme: &Programme, word: &dyn Fn(&str) -> Option<Word>) -> Rules {
        let product = |rule: &PointsRule| match rule.product.as_deref() {
            None => Product::Any,
            Some(name) => word(name).map_or(Product::Unknown, Product::Is),
        };
        let rules = programme.points.iter().flatten().map(|rule| (rule.clone(), product(rule))).collect();
        let mut ranks: Vec<(i64, Word)> =
            programme.ranks.iter().map(|rank| (rank.from, word(&rank.id).unwrap_or(Word::NULL))).collect();
        ranks.sort_unstable();
        Rules { is_there: programme.points.is_some(), rules, ranks }
    }

    /// What points_entry calls an entry's cause.
    pub fn cause(&self, entry: &Entry<'_>) -> &str {
        match entry.cause {
            Cause::Rule(rule) => &self.rules[rule].0.id,
            Cause::Adjustment => "adjustment",
            Cause::Forfeit => "forfeit",
        }
    }

    /// The highest rank that begins at a balance or below it; null where none does.
    pub fn rank(&self, balance: i64) -> Word {
        let above = self.ranks.partition_point(|(from, _)| *from <= balance);
        above.checked_sub(1).map_or(Word::NULL, |place| self.ranks[place].1)
    }

    /// Whether members are counted by rank.
    pub fn counts_ranks(&self) -> bool {
        self.is_there && !self.ranks.is_empty()
    }
}

/// Whether a listing holds at a time.
pub fn holds(listing: Option<Interval>, at: Time) -> bool {
    listing.is_some_and(|(from, until)| from.is_none_or(|from| from <= at) && until.is_none_or(|until| at < until))
}

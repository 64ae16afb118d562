//! Points: what members earn by what they do, spend, lose, and are corrected by hand.
//!
//! Reads   one customer's events, adjustments and months of use, the lists that bar him, the
//!         programme's rules, and how far time has gone
//! Gives   the entries, in the order in which they count, the balance, and the lots that it is made of
//!
//! Contract, "Programme". One function of rows in hand, [`walk::Walk::through`], without anything kept
//! between two calls: an event that comes late, or goes, leaves what it would have left in its place.
//! The table keeps the balances, and when each next changes by itself; entries and lots are made when
//! somebody reads them.
//!
//! Decided here, where the contract is silent:
//! - Who registers while being a member earns nothing by it, and who deregisters without being one
//!   loses nothing.
//! - A `redeem` with points takes them from what can be spent, or is `refused`: an entry of 0, and
//!   no award. Views do not depend on what they once were, so a redemption is decided anew with what is
//!   known now; one whose `result` is `success` was carried out, and stands even where a correction has
//!   since taken its points back: `negative_balance` then decides. `failure` takes nothing.
//! - A `transfer` with points hands them to `other_id`, whole or not at all: `transfer_out` here and
//!   `transfer_in` there, of the same id and second. Like a redemption it is decided with what is known
//!   now: by what the sender can spend, and by the receiver's being a member then; if not it is `refused`,
//!   and so is one to nobody or to oneself. With `result` `success` it was carried out, and the receiver has
//!   the points whether he is a member or not. What is received can be spent at once and does not expire.
//! - Use of a month is awarded in the month's last second, after all else of it, once `now` has
//!   reached it, to who is a member then. The entry's id is `measure:month`.
//! - A lot expires before anything else of its second. What is taken by hand, or by a rule that takes, may
//!   come from lots that cannot be spent yet; what is redeemed may not.
//! - points_balance keeps `balance = earned + adjusted - forfeited`: what was redeemed lowers
//!   adjusted, what was handed over moves it on both sides, what expired is forfeited.
//! - An event without `other_id` names nobody: it is not bound by `daily_people`.
//! - A programme without `[[points.rule]]` has no points: points_entry, points_balance and
//!   rank_count are empty, `points` and `rank` null. Who is a member, events still tell.
//! - Sums stay at the end of 64 bits where they would go beyond it.

pub mod awards;
pub mod balances;
pub mod books;
pub mod changes;
mod happenings;
pub mod lots;
mod rows;
pub mod transfers;
pub mod walk;

use std::borrow::Cow;

use crate::facts::Interval;
use crate::programme::{Debts, Expiry, Per, PointsRule, Programme, Terms, Trigger};
use crate::types::{Time, Word};

pub use balances::{Balance, Balances};
pub use books::Books;
pub use changes::EntryChange;
pub use lots::Lot;
pub use rows::{Account, Settled, account, entries, list, settle};
pub use walk::{Cause, Entry, EntryId};

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
    debts: Debts,
    /// The terms of lots that differ; by hand, points are given under the first.
    terms: Vec<Terms>,
    /// By rule, the place of its terms.
    lots: Vec<usize>,
    /// The rules that award once in a lifetime.
    once: Vec<usize>,
    /// The rules on usage: place, measure, how much of it.
    uses: Vec<(usize, Word, i64)>,
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
        let mut terms = vec![Terms::default()];
        let (mut lots, mut uses, mut once) = (Vec::new(), Vec::new(), Vec::new());
        for (place, rule) in programme.points.iter().flatten().enumerate() {
            let known = terms.iter().position(|terms| *terms == rule.terms);
            lots.push(known.unwrap_or(terms.len()));
            if rule.per == Per::Lifetime {
                once.push(place);
            }
            if known.is_none() {
                terms.push(rule.terms);
            }
            if let Trigger::Use { measure, monthly_at_least } = &rule.on
                && let Some(measure) = word(measure)
            {
                uses.push((place, measure, *monthly_at_least));
            }
        }
        Rules { is_there: programme.points.is_some(), rules, debts: programme.debts, terms, lots, once, uses, ranks }
    }

    /// Whether balances change as time goes by.
    pub fn follow_time(&self) -> bool {
        !self.uses.is_empty() || self.terms.iter().any(|terms| terms.expiry != Expiry::Never)
    }

    /// Whether rules award for the use of a measure.
    pub fn count_use_of(&self, measure: Word) -> bool {
        self.uses.iter().any(|(_, counted, _)| *counted == measure)
    }

    /// Whether a balance says all that what comes later depends on, but for the caps of its last day.
    fn go_on(&self) -> bool {
        !self.follow_time()
            && self.terms.len() == 1
            && self.terms[0] == Terms::default()
            && self.debts == Debts::AllowNegative
            && self.once.len() <= 32
    }

    fn terms(&self) -> &[Terms] {
        &self.terms
    }

    fn lots_of(&self, rule: usize) -> usize {
        self.lots[rule]
    }

    /// The measure of a rule on usage.
    fn measure(&self, rule: usize) -> &str {
        match &self.rules[rule].0.on {
            Trigger::Use { measure, .. } => measure,
            Trigger::Event(_) => "",
        }
    }

    /// What points_entry calls an entry's cause.
    pub fn cause(&self, cause: Cause) -> &str {
        match cause {
            Cause::Rule(rule) => &self.rules[rule].0.id,
            Cause::Adjustment => "adjustment",
            Cause::Forfeit => "forfeit",
            Cause::Redeem => "redeem",
            Cause::Refused => "refused",
            Cause::Expire => "expire",
            Cause::TransferOut => "transfer_out",
            Cause::TransferIn => "transfer_in",
            Cause::ClawBack => "claw_back",
            Cause::WriteOff => "write_off",
        }
    }

    /// The highest rank that begins at a balance or below it; null where none does.
    pub fn rank(&self, balance: i64) -> Word {
        let above = self.ranks.partition_point(|(from, _)| *from <= balance);
        above.checked_sub(1).map_or(Word::NULL, |place| self.ranks[place].1)
    }

    /// The rank above that of a balance, and how many points are missing to it.
    pub fn next_rank(&self, balance: i64) -> Option<(Word, i64)> {
        let above = self.ranks.partition_point(|(from, _)| *from <= balance);
        self.ranks.get(above).map(|(from, rank)| (*rank, from.saturating_sub(balance)))
    }

    /// Whether members are counted by rank.
    pub fn counts_ranks(&self) -> bool {
        self.is_there && !self.ranks.is_empty()
    }
}

impl<'a> EntryId<'a> {
    /// As views show it.
    pub fn text(self) -> Cow<'a, str> {
        match self {
            EntryId::Row(id) => Cow::Borrowed(id),
            EntryId::Use(measure, month) => Cow::Owned(format!("{measure}:{month}")),
        }
    }
}

/// What the programme's entries call what no rule awards: no rule may have such an id.
pub const CAUSES: [&str; 9] =
    ["adjustment", "forfeit", "redeem", "refused", "expire", "transfer_out", "transfer_in", "claw_back", "write_off"];

/// Whether a listing holds at a time.
pub fn holds(listing: Option<Interval>, at: Time) -> bool {
    listing.is_some_and(|(from, until)| from.is_none_or(|from| from <= at) && until.is_none_or(|until| at < until))
}

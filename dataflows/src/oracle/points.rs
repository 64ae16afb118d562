//! One customer's points, from rows: events and adjustments in one list, and every cap counted
//! anew from the entries that stand already.

use std::collections::{BTreeMap, BTreeSet};

use super::Standing;
use crate::programme::{Per, PointsRule};
use crate::records::{Event, EventKind};
use crate::types::{CustomerIx, Time, Word};

/// A row of points_entry.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct PointsEntry {
    pub id: String,
    pub at: Time,
    pub rule: String,
    pub points: i64,
}

/// A row of points_balance.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PointsRow {
    pub balance: i64,
    pub earned: i64,
    pub forfeited: i64,
    pub adjusted: i64,
    pub rank: Option<String>,
    pub member: bool,
}

/// An award, with what caps ask of it.
struct Award<'a> {
    rule: &'a str,
    points: i64,
    at: Time,
    other: Option<CustomerIx>,
}

/// What happens to a balance: an adjustment goes before an event of the same time and id.
enum Happening {
    Adjustment(i64),
    Event(Event),
}

impl Standing {
    /// A customer's entries, in the order in which they count, and his row of points_balance where he
    /// has one. Both are there whatever the programme, which may have no points to show.
    pub fn points(&self, customer: CustomerIx) -> (Vec<PointsEntry>, Option<PointsRow>) {
        let mut happenings: Vec<(Time, &str, bool, Happening)> = Vec::new();
        for ((_, at, id), points) in own(&self.adjustments, customer) {
            happenings.push((*at, id, false, Happening::Adjustment(*points)));
        }
        for ((_, at, id), event) in own(&self.events, customer) {
            happenings.push((*at, id, true, Happening::Event(*event)));
        }
        happenings.sort_by(|one, other| (one.0, one.1.as_bytes(), one.2).cmp(&(other.0, other.1.as_bytes(), other.2)));
        let has_row = !happenings.is_empty();
        let rules = self.programme.points.as_deref().unwrap_or_default();
        let (mut entries, mut awards) = (Vec::new(), Vec::new());
        let (mut earned, mut forfeited, mut adjusted, mut member) = (0, 0, 0, false);
        for (at, id, _, happening) in happenings {
            let mut enter = |rule: &str, points| {
                entries.push(PointsEntry { id: id.to_owned(), at, rule: rule.to_owned(), points });
            };
            let event = match happening {
                Happening::Adjustment(points) => {
                    adjusted += points;
                    enter("adjustment", points);
                    continue;
                }
                Happening::Event(event) => event,
            };
            if event.kind == EventKind::Register {
                if member || self.is_listed_at(customer, "registration", at) {
                    continue;
                }
                member = true;
            }
            if event.kind == EventKind::Deregister {
                let balance = earned + adjusted - forfeited;
                if member && balance != 0 {
                    forfeited += balance;
                    enter("forfeit", -balance);
                }
                member = false;
            }
            let is_barred = event.kind == EventKind::Experience && self.is_listed_at(customer, "experience", at);
            if !member || is_barred {
                continue;
            }
            for rule in rules.iter().filter(|rule| self.matches(rule, &event)) {
                if let Some(points) = award(rule, &event, at, &awards) {
                    earned += points;
                    enter(&rule.id, points);
                    awards.push(Award { rule: &rule.id, points, at, other: event.other });
                }
            }
        }
        let balance = earned + adjusted - forfeited;
        let row = PointsRow { balance, earned, forfeited, adjusted, rank: self.rank(balance), member };
        (entries, has_row.then_some(row))
    }

    /// The word of a member's rank, where members are counted by it.
    pub(super) fn counted_rank(&self, customer: CustomerIx) -> Option<Word> {
        let row = self.points(customer).1.filter(|row| row.member)?;
        let counts = self.programme.points.is_some() && !self.programme.ranks.is_empty();
        counts.then(|| row.rank.map_or(Word::NULL, |rank| self.word(&rank)))
    }

    fn matches(&self, rule: &PointsRule, event: &Event) -> bool {
        let product = &*self.words[event.product.0 as usize];
        rule.on == event.kind
            && rule.product.as_ref().is_none_or(|wanted| wanted == product)
            && (rule.result.is_none() || rule.result == event.result)
    }

    /// The rank with the highest bound that a balance reaches.
    fn rank(&self, balance: i64) -> Option<String> {
        let reached = self.programme.ranks.iter().filter(|rank| rank.from <= balance);
        reached.max_by_key(|rank| rank.from).map(|rank| rank.id.clone())
    }

    pub(super) fn is_listed_at(&self, customer: CustomerIx, name: &str, at: Time) -> bool {
        let own = self.listings.range((customer, Word(0))..=(customer, Word(u32::MAX)));
        own.filter(|((_, list), _)| &*self.words[list.0 as usize] == name)
            .any(|(_, (from, until))| from.is_none_or(|from| at >= from) && until.is_none_or(|until| at < until))
    }
}

/// Rows of one customer, by time and id.
pub(super) type Moments<T> = BTreeMap<(CustomerIx, Time, Box<str>), T>;

/// A customer's own rows.
pub(super) fn own<T>(
    rows: &Moments<T>,
    customer: CustomerIx,
) -> impl Iterator<Item = (&(CustomerIx, Time, Box<str>), &T)> {
    let least = (customer, Time(i64::MIN), Box::from(""));
    rows.range(least..).take_while(move |((who, ..), _)| *who == customer)
}

/// What a matching rule still gives, after the awards so far.
fn award(rule: &PointsRule, event: &Event, at: Time, awards: &[Award<'_>]) -> Option<i64> {
    let ever: Vec<&Award<'_>> = awards.iter().filter(|award| award.rule == rule.id).collect();
    let today: Vec<&Award<'_>> = ever.iter().copied().filter(|award| award.at.day() == at.day()).collect();
    let is_used = match rule.per {
        Per::Event => false,
        Per::Day => !today.is_empty(),
        Per::Lifetime => !ever.is_empty(),
    };
    let is_over = rule.daily_limit.is_some_and(|limit| today.len() >= limit as usize);
    let mut people: BTreeSet<CustomerIx> = today.iter().filter_map(|award| award.other).collect();
    let comes_in = event.other.is_some_and(|other| people.insert(other));
    let is_crowded = comes_in && rule.daily_people.is_some_and(|most| people.len() > most as usize);
    if is_used || is_over || is_crowded {
        return None;
    }
    let given: i64 = today.iter().map(|award| award.points).sum();
    let points = rule.daily_cap.map_or(rule.points, |cap| rule.points.min(cap - given));
    (points != 0).then_some(points)
}

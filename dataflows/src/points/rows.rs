//! Points of the customers of a chunk: kept where they settle, walked again where they are read.

use std::sync::Arc;

use super::balances::{Balance, Balances};
use super::lots::Lot;
use super::transfers::{Said, TransferKey};
use super::walk::{Entry, Life, Walk};
use super::{EXPERIENCE, REGISTRATION, Rules};
use crate::facts::Interval;
use crate::table::column::Bits;
use crate::table::{Chunk, Sorted};
use crate::types::{Month, SECONDS_PER_DAY, Time, Word};

/// A list of a chunk. Found by name: it has no word before it has a row.
pub fn list<'a>(
    chunk: &'a Chunk,
    name: &str,
    is_named: &dyn Fn(Word, &str) -> bool,
) -> Option<&'a Sorted<u16, Interval>> {
    chunk.listings.iter().find(|(list, _)| is_named(**list, name)).map(|(_, rows)| &**rows)
}

/// The lists of a chunk that bar customers.
#[derive(Clone, Copy)]
pub(super) struct Lists<'a> {
    registration: Option<&'a Sorted<u16, Interval>>,
    experience: Option<&'a Sorted<u16, Interval>>,
}

impl<'a> Lists<'a> {
    pub(super) fn of(chunk: &'a Chunk, is_named: &dyn Fn(Word, &str) -> bool) -> Lists<'a> {
        let list = |name: &str| list(chunk, name, is_named);
        Lists { registration: list(REGISTRATION), experience: list(EXPERIENCE) }
    }

    pub(super) fn life(&self, chunk: &'a Chunk, slot: usize, now: Option<Time>) -> Life<'a> {
        let interval = |list: Option<&Sorted<u16, Interval>>| list?.get(&(slot as u16)).copied();
        Life {
            events: chunk.events_of(slot),
            adjustments: chunk.adjustments_of(slot),
            transfers: chunk.transfers.of(slot),
            registration: interval(self.registration),
            experience: interval(self.experience),
            now,
        }
    }
}

/// The months that rules on usage award a customer for, ascending, each with the rule.
pub(super) fn uses(chunk: &Chunk, slot: usize, rules: &Rules, months: &mut Vec<(Month, usize)>) {
    months.clear();
    for (rule, measure, at_least) in &rules.uses {
        let sums = chunk.usage.range((*measure, Month(i32::MIN))..=(*measure, Month(i32::MAX)));
        let used = sums.filter(|(_, sums)| sums.get(slot) >= *at_least);
        months.extend(used.map(|((_, month), _)| (*month, *rule)));
    }
    months.sort_unstable();
}

/// What settling the points of a chunk gives.
pub struct Settled {
    pub balances: Arc<Balances>,
    /// What its customers have to tell others.
    pub news: Vec<(TransferKey, Said)>,
    /// Whose life went on: what they had earned stands.
    pub went_on: Bits,
}

/// The balances of a chunk, those in `slots` decided anew.
/// Of who is not `rewound` the balance in `before` is known, by the same rules, and he has but events since.
/// `is_named` compares a word with a text.
pub fn settle(
    (before, chunk): (&Chunk, &Chunk),
    slots: impl Iterator<Item = usize>,
    rewound: &Bits,
    rules: &Rules,
    now: Option<Time>,
    is_named: &dyn Fn(Word, &str) -> bool,
) -> Settled {
    let mut slots = slots.peekable();
    if slots.peek().is_none() {
        return Settled { balances: chunk.points.clone(), news: Vec::new(), went_on: Bits::none() };
    }
    let (lists, mut walk, mut months) = (Lists::of(chunk, is_named), Walk::without_lots(rules), Vec::new());
    let (mut balances, mut news, mut went_on) = (chunk.points.clone(), Vec::new(), Bits::none());
    let settled = Arc::make_mut(&mut balances);
    for slot in slots {
        let life = lists.life(chunk, slot, now);
        let known = before.points.get(slot).filter(|_| !rewound.get(slot) && chunk.transfers.is_silent(slot));
        let later =
            known.and_then(|balance| walk.on(life, before.events_of(slot).len(), (balance, before.points.once(slot))));
        if let Some(balance) = later {
            went_on.set(slot, true);
            settled.set(slot, Some(balance), None, walk.once());
            news.extend(chunk.transfers.news(slot, walk.spoken()));
            continue;
        }
        uses(chunk, slot, rules, &mut months);
        let (balance, due) = walk.through(life, &months, |_| {});
        let is_there = !life.is_empty();
        settled.set(slot, is_there.then_some(balance), due.filter(|_| is_there), walk.once());
        news.extend(chunk.transfers.news(slot, walk.spoken()));
    }
    Settled { balances, news, went_on }
}

/// A customer's account, walked again for whoever reads it.
pub struct Account<'a> {
    pub balance: Balance,
    /// In the order in which they count.
    pub entries: Vec<Entry<'a>>,
    /// The lots with something left, in the order in which they are spent.
    pub lots: Vec<Lot<'a>>,
    /// Of the balance, what can be spent now, and what cannot yet.
    pub spendable: i64,
    pub pending: i64,
    /// What expires within 30 days of now.
    pub expiring: i64,
    /// When membership began and ended, in turn.
    pub memberships: Vec<(Time, bool)>,
}

impl Account<'_> {
    /// The balance at the end of a second, and whether it was a member's.
    pub fn at(&self, time: Time) -> (i64, bool) {
        // Entries are in the order of time.
        let entries = &self.entries[..self.entries.partition_point(|entry| entry.at <= time)];
        let balance = entries.iter().fold(0, |sum: i64, entry| sum.saturating_add(entry.points));
        let memberships = &self.memberships[..self.memberships.partition_point(|(at, _)| *at <= time)];
        (balance, memberships.last().is_some_and(|(_, is_member)| *is_member))
    }
}

/// Days in which what expires is told beforehand.
const EXPIRING_DAYS: i64 = 30;

/// The account of who has one.
pub fn account<'a>(
    chunk: &'a Chunk,
    slot: usize,
    rules: &'a Rules,
    now: Option<Time>,
    is_named: &dyn Fn(Word, &str) -> bool,
) -> Option<Account<'a>> {
    if !rules.is_there || !chunk.points.present.get(slot) {
        return None;
    }
    let (mut entries, mut months) = (Vec::new(), Vec::new());
    let mut walk = Walk::new(rules);
    uses(chunk, slot, rules, &mut months);
    let life = Lists::of(chunk, is_named).life(chunk, slot, now);
    let (balance, _) = walk.through(life, &months, |entry| entries.push(entry));
    let last = entries.last().map(|entry| entry.at);
    // Rows of this second and of a day to come are in the account: they are spendable by then.
    let spendable = walk.spendable(now.max(last).unwrap_or_default());
    let mut lots: Vec<Lot<'a>> = walk.open().copied().collect();
    lots.sort_unstable_by_key(Lot::order);
    let left = |lots: &mut dyn Iterator<Item = &Lot<'a>>| lots.fold(0, |sum: i64, lot| sum.saturating_add(lot.left));
    let pending = left(&mut lots.iter()).saturating_sub(spendable);
    let soon = now.map(|now| Time(now.0.saturating_add(EXPIRING_DAYS * SECONDS_PER_DAY)));
    let expiring = left(&mut lots.iter().filter(|lot| lot.until.is_some_and(|until| Some(until) <= soon)));
    let memberships = walk.memberships().to_vec();
    Some(Account { balance, entries, lots, spendable, pending, expiring, memberships })
}

/// The entries of a customer, in the order in which they count.
pub fn entries<'a>(
    chunk: &'a Chunk,
    slot: usize,
    rules: &'a Rules,
    now: Option<Time>,
    is_named: &dyn Fn(Word, &str) -> bool,
) -> Vec<Entry<'a>> {
    account(chunk, slot, rules, now, is_named).map(|account| account.entries).unwrap_or_default()
}

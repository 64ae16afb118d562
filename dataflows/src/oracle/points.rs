//! One customer's points, from rows: events and adjustments in one list, and every cap counted
//! anew from the entries that stand already.

use std::collections::{BTreeMap, BTreeSet};

use super::Standing;
use crate::points::{Account, Balance, Rules};
use crate::programme::{Debts, Expiry, Per, PointsRule, Terms, Trigger};
use crate::records::{Event, EventKind};
use crate::stages::Stage;
use crate::types::{CustomerIx, Day, Month, SECONDS_PER_DAY, Time, Word, days_in_month};

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

/// A row of points_lot, as far as it is a lot.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct PointsLot {
    pub id: String,
    pub rule: String,
    pub at: Time,
    pub granted: i64,
    pub left: i64,
    pub from: Time,
    pub until: Option<Time>,
}

/// All that points views show of one customer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PointsAccount {
    /// In the order in which they count.
    pub entries: Vec<PointsEntry>,
    pub row: PointsRow,
    /// With something left, in the order of their ids and rules.
    pub lots: Vec<PointsLot>,
}

/// An award, with what caps ask of it.
struct Award<'a> {
    rule: &'a str,
    points: i64,
    at: Time,
    other: Option<CustomerIx>,
}

/// What happens to a balance.
enum Happening {
    Adjustment(i64),
    Event(Event),
    /// A rule's place, and the month that it awards for.
    Use(usize, Month),
    /// Points that another has handed over.
    Receipt(i64),
}

/// In which order things happen: by time and id, an adjustment before an event of the same, and after it what
/// others hand over; the use of a month after all else of its last second, in the programme's order.
type Order = (Time, bool, String, usize);

/// Entries, and what they add up to so far.
#[derive(Default)]
struct Book {
    entries: Vec<PointsEntry>,
    lots: Vec<PointsLot>,
    earned: i64,
    forfeited: i64,
    adjusted: i64,
    /// Taken, not there, and not made up for.
    owed: i64,
}

impl Book {
    fn enter(&mut self, id: &str, at: Time, rule: &str, points: i64) {
        self.entries.push(PointsEntry { id: id.to_owned(), at, rule: rule.to_owned(), points });
    }

    fn balance(&self) -> i64 {
        self.earned + self.adjusted - self.forfeited
    }

    fn spendable(&self, at: Time) -> i64 {
        self.lots.iter().filter(|lot| lot.from <= at).map(|lot| lot.left).sum()
    }

    /// Everything that expires by `at`, one award after the other.
    fn expire(&mut self, at: Time) {
        loop {
            let lots = self.lots.iter_mut().filter(|lot| lot.left > 0 && lot.until.is_some_and(|until| until <= at));
            let Some(first) = lots.min_by_key(|lot| lot.until) else { return };
            let (id, until, left) = (first.id.clone(), first.until.expect("it expires"), first.left);
            first.left = 0;
            self.forfeited += left;
            match self.entries.last_mut().filter(|last| last.rule == "expire" && last.id == id && last.at == until) {
                Some(entry) => entry.points -= left,
                None => self.enter(&id, until, "expire", -left),
            }
        }
    }

    /// Takes points one by one lot, those that expire first before the others.
    fn take(&mut self, mut points: i64, spendable_at: Option<Time>, debts: Debts, id: &str, at: Time) {
        while points > 0 {
            let can = |lot: &&mut PointsLot| lot.left > 0 && spendable_at.is_none_or(|at| lot.from <= at);
            let next = self.lots.iter_mut().filter(can).min_by_key(|lot| lot.until.unwrap_or(Time(i64::MAX)));
            let Some(lot) = next else { break };
            let taken = points.min(lot.left);
            lot.left -= taken;
            points -= taken;
        }
        if points == 0 {
            return;
        }
        match debts {
            Debts::AllowNegative => self.owed += points,
            Debts::ClawBackNext => {
                self.owed += points;
                self.adjusted += points;
                self.enter(id, at, "claw_back", points);
            }
            Debts::WriteOff => {
                self.adjusted += points;
                self.enter(id, at, "write_off", points);
            }
        }
    }

    /// A lot, less what was owed. Gives what it made up for.
    fn give(&mut self, lot: PointsLot) -> i64 {
        let made_up = self.owed.min(lot.left);
        self.owed -= made_up;
        self.lots.push(PointsLot { left: lot.left - made_up, ..lot });
        made_up
    }

    fn make_up(&mut self, points: i64, debts: Debts, id: &str, at: Time) {
        if points > 0 && debts == Debts::ClawBackNext {
            self.adjusted -= points;
            self.enter(id, at, "claw_back", -points);
        }
    }
}

impl PointsAccount {
    /// What the views show of an account, and of the balance that is kept, in the form of a recompute.
    pub fn shown(account: &Account<'_>, kept: Balance, rules: &Rules, text: &dyn Fn(Word) -> String) -> PointsAccount {
        let rule = |cause| rules.cause(cause).to_owned();
        let entries = account.entries.iter().map(|entry| PointsEntry {
            id: entry.id.text().into_owned(),
            at: entry.at,
            rule: rule(entry.cause),
            points: entry.points,
        });
        let lots = account.lots.iter().map(|lot| PointsLot {
            id: lot.id.text().into_owned(),
            rule: rule(lot.cause),
            at: lot.at,
            granted: lot.granted,
            left: lot.left,
            from: lot.from,
            until: lot.until,
        });
        let rank = rules.rank(kept.left);
        let row = PointsRow {
            balance: kept.left,
            earned: kept.earned,
            forfeited: kept.lost(),
            adjusted: kept.adjusted_net(),
            rank: (!rank.is_null()).then(|| text(rank)),
            member: kept.member,
        };
        let mut lots: Vec<PointsLot> = lots.collect();
        lots.sort();
        PointsAccount { entries: entries.collect(), row, lots }
    }
}

impl Standing {
    /// A customer's entries, lots, and his row of points_balance, where he has one. They are there
    /// whatever the programme, which may have no points to show.
    pub fn points(&self, customer: CustomerIx) -> Option<PointsAccount> {
        let (mut book, member) = self.book(customer, None, self.handed())?;
        if let Some(now) = self.clock.now {
            book.expire(now);
        }
        let balance = book.balance();
        let Book { entries, mut lots, earned, forfeited, adjusted, .. } = book;
        lots.retain(|lot| lot.left > 0);
        lots.sort();
        let row = PointsRow { balance, earned, forfeited, adjusted, rank: self.rank(balance), member };
        Some(PointsAccount { entries, row, lots })
    }

    /// A customer's book, and whether he is a member: of all, or as an event of his finds it. None where
    /// nothing has happened to him.
    fn book(&self, customer: CustomerIx, before: Option<(Time, &str)>, handed: &Handed) -> Option<(Book, bool)> {
        let rules = self.programme.points.as_deref().unwrap_or_default();
        let debts = self.programme.debts;
        let mut happenings: Vec<(Order, Happening)> = Vec::new();
        for ((at, id, from), (to, points)) in handed {
            if *to == customer {
                let order = (*at, false, id.to_string(), 2 + from.0 as usize);
                happenings.push((order, Happening::Receipt(*points)));
            }
        }
        for ((_, at, id), points) in own(&self.adjustments, customer) {
            happenings.push(((*at, false, id.to_string(), 0), Happening::Adjustment(*points)));
        }
        for ((_, at, id), event) in own(&self.events, customer) {
            happenings.push(((*at, false, id.to_string(), 1), Happening::Event(*event)));
        }
        if happenings.is_empty() {
            return None;
        }
        happenings.extend(self.uses(customer, rules));
        happenings.sort_by(|(one, _), (other, _)| one.cmp(other));
        if let Some((at, id)) = before {
            happenings.retain(|(order, _)| *order < (at, false, id.to_owned(), 1));
        }
        let (mut book, mut awards) = (Book::default(), Vec::new());
        let mut member = false;
        for ((at, _, mut id, _), happening) in happenings {
            book.expire(at);
            let mut made_up = 0;
            let (event, rules) = match &happening {
                Happening::Adjustment(points) => {
                    book.adjusted += points;
                    book.enter(&id, at, "adjustment", *points);
                    if *points > 0 {
                        made_up = book.give(lot(&id, "adjustment", at, *points, Terms::default()));
                    } else {
                        book.take(-points, None, debts, &id, at);
                    }
                    book.make_up(made_up, debts, &id, at);
                    continue;
                }
                Happening::Receipt(points) => {
                    book.adjusted += points;
                    book.enter(&id, at, "transfer_in", *points);
                    made_up = book.give(lot(&id, "transfer_in", at, *points, Terms::default()));
                    book.make_up(made_up, debts, &id, at);
                    continue;
                }
                Happening::Event(event) => (Some(event), rules),
                Happening::Use(place, month) => {
                    let Trigger::Use { measure, .. } = &rules[*place].on else { continue };
                    id = format!("{measure}:{month}");
                    (None, &rules[*place..=*place])
                }
            };
            if let Some(event) = event
                && !self.takes_effect(customer, event, (at, &id), &mut member, &mut book, handed)
            {
                continue;
            }
            if !member {
                continue;
            }
            let other = event.and_then(|event| event.other);
            for rule in rules.iter().filter(|rule| event.is_none_or(|event| self.matches(rule, event))) {
                let Some(points) = award(rule, other, at, &awards) else { continue };
                book.earned += points;
                book.enter(&id, at, &rule.id, points);
                if points > 0 {
                    made_up += book.give(lot(&id, &rule.id, at, points, rule.terms));
                } else {
                    book.take(-points, None, debts, &id, at);
                }
                awards.push(Award { rule: &rule.id, points, at, other });
            }
            book.make_up(made_up, debts, &id, at);
        }
        before.into_iter().for_each(|(at, _)| book.expire(at));
        Some((book, member))
    }

    /// The months of a customer's use that rules award for, of those that are over.
    fn uses(&self, customer: CustomerIx, rules: &[PointsRule]) -> Vec<(Order, Happening)> {
        let mut uses = Vec::new();
        for (place, rule) in rules.iter().enumerate() {
            let Trigger::Use { measure, monthly_at_least } = &rule.on else { continue };
            for ((who, word, month), sum) in &self.usage {
                let end = Time(month.plus(1).first_day().start().0 - 1);
                let is_over = self.clock.now.is_some_and(|now| end <= now);
                if *who == customer && *self.words[word.0 as usize] == **measure && sum >= monthly_at_least && is_over {
                    uses.push(((end, true, String::new(), place), Happening::Use(place, *month)));
                }
            }
        }
        uses
    }

    /// What an event does to membership and balance beside what rules award for it. Whether they may.
    fn takes_effect(
        &self,
        customer: CustomerIx,
        event: &Event,
        (at, id): (Time, &str),
        member: &mut bool,
        book: &mut Book,
        handed: &Handed,
    ) -> bool {
        match event.kind {
            EventKind::Register => {
                if *member || self.is_listed_at(customer, "registration", at) {
                    return false;
                }
                *member = true;
            }
            EventKind::Deregister => {
                let balance = book.balance();
                if *member && balance != 0 {
                    book.forfeited += balance;
                    book.enter(id, at, "forfeit", -balance);
                }
                if *member {
                    book.lots.iter_mut().for_each(|lot| lot.left = 0);
                    book.owed = 0;
                }
                *member = false;
            }
            EventKind::Experience => return !self.is_listed_at(customer, "experience", at),
            EventKind::Redeem if event.points > 0 && event.result != Some(false) => {
                let is_told = event.result == Some(true);
                let has_it = *member && book.spendable(at) >= event.points;
                if !(is_told || has_it) {
                    book.enter(id, at, "refused", 0);
                    return false;
                }
                book.adjusted -= event.points;
                book.enter(id, at, "redeem", -event.points);
                book.take(event.points, (!is_told).then_some(at), self.programme.debts, id, at);
            }
            EventKind::Transfer if event.points > 0 && event.result != Some(false) => {
                if !handed.contains_key(&(at, id.into(), customer)) {
                    book.enter(id, at, "refused", 0);
                    return false;
                }
                book.adjusted -= event.points;
                book.enter(id, at, "transfer_out", -event.points);
                let spendable_at = event.result.is_none().then_some(at);
                book.take(event.points, spendable_at, self.programme.debts, id, at);
            }
            _ => {}
        }
        true
    }

    /// The transfers that stand, decided one after the other: nothing that comes later bears on one.
    pub(super) fn handed(&self) -> &Handed {
        self.handed.get_or_init(|| {
            let mut transfers: Vec<(Time, Box<str>, CustomerIx, Event)> = self
                .events
                .iter()
                .filter(|(_, event)| event.kind == EventKind::Transfer && event.points > 0)
                .map(|((from, at, id), event)| (*at, id.clone(), *from, *event))
                .collect();
            transfers.sort_by(|one, other| (one.0, &one.1, one.2).cmp(&(other.0, &other.1, other.2)));
            let mut handed = Handed::new();
            for (at, id, from, event) in transfers {
                let Some(to) = event.other.filter(|other| *other != from) else { continue };
                let stands = event.result.unwrap_or_else(|| {
                    let book = self.book(from, Some((at, &id)), &handed);
                    book.is_some_and(|(book, member)| member && book.spendable(at) >= event.points)
                        && self.is_member_after(to, at, &id)
                });
                if stands {
                    handed.insert((at, id, from), (to, event.points));
                }
            }
            handed
        })
    }

    /// Whether a customer is a member after what happened to him at a time, up to an id.
    fn is_member_after(&self, customer: CustomerIx, at: Time, id: &str) -> bool {
        let mut events: Vec<(Time, &str, EventKind)> =
            own(&self.events, customer).map(|((_, at, id), event)| (*at, &**id, event.kind)).collect();
        events.retain(|event| (event.0, event.1) <= (at, id));
        events.sort_by_key(|(at, id, _)| (*at, *id));
        let is_change = |(at, _, kind): &&(Time, &str, EventKind)| match kind {
            EventKind::Register => !self.is_listed_at(customer, "registration", *at),
            kind => *kind == EventKind::Deregister,
        };
        events.iter().rfind(is_change).is_some_and(|(_, _, kind)| *kind == EventKind::Register)
    }

    /// The stage of a member: silence first, then how long he has been one.
    pub(super) fn member_stage(&self, customer: CustomerIx) -> Option<Stage> {
        let mut events: Vec<(Time, &str, EventKind)> =
            own(&self.events, customer).map(|((_, at, id), event)| (*at, &**id, event.kind)).collect();
        events.sort_by_key(|(at, id, _)| (*at, *id));
        let mut began = None;
        for (at, _, kind) in &events {
            match kind {
                EventKind::Register if began.is_none() && !self.is_listed_at(customer, "registration", *at) => {
                    began = Some(*at);
                }
                EventKind::Deregister => began = None,
                _ => {}
            }
        }
        let (began, (last, ..)) = (began?, events.last()?);
        let stages = self.programme.stages;
        let days = |since: Time| self.clock.now.map_or(0, |now| i64::from(now.day().0 - since.day().0));
        Some(if days(*last) >= i64::from(stages.lapsed_days) {
            Stage::Lapsed
        } else if days(*last) >= i64::from(stages.silent_days) {
            Stage::Silent
        } else if days(began) < i64::from(stages.new_days) {
            Stage::New
        } else {
            Stage::Active
        })
    }

    /// The word of a member's rank, where members are counted by it.
    pub(super) fn counted_rank(&self, customer: CustomerIx) -> Option<Word> {
        let row = self.points(customer)?.row;
        if !row.member {
            return None;
        }
        let counts = self.programme.points.is_some() && !self.programme.ranks.is_empty();
        counts.then(|| row.rank.map_or(Word::NULL, |rank| self.word(&rank)))
    }

    fn matches(&self, rule: &PointsRule, event: &Event) -> bool {
        let product = &*self.words[event.product.0 as usize];
        rule.on == Trigger::Event(event.kind)
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

/// The transfers that stand: when, the event's id and sender; the receiver, and how many points.
pub(super) type Handed = BTreeMap<(Time, Box<str>, CustomerIx), (CustomerIx, i64)>;

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
fn award(rule: &PointsRule, other: Option<CustomerIx>, at: Time, awards: &[Award<'_>]) -> Option<i64> {
    let ever: Vec<&Award<'_>> = awards.iter().filter(|award| award.rule == rule.id).collect();
    let today: Vec<&Award<'_>> = ever.iter().copied().filter(|award| award.at.day() == at.day()).collect();
    let is_used = match rule.per {
        Per::Event => false,
        Per::Day => !today.is_empty(),
        Per::Lifetime => !ever.is_empty(),
    };
    let is_over = rule.daily_limit.is_some_and(|limit| today.len() >= limit as usize);
    let mut people: BTreeSet<CustomerIx> = today.iter().filter_map(|award| award.other).collect();
    let comes_in = other.is_some_and(|other| people.insert(other));
    let is_crowded = comes_in && rule.daily_people.is_some_and(|most| people.len() > most as usize);
    if is_used || is_over || is_crowded {
        return None;
    }
    let given: i64 = today.iter().map(|award| award.points).sum();
    let points = rule.daily_cap.map_or(rule.points, |cap| rule.points.min(cap - given));
    (points != 0).then_some(points)
}

fn lot(id: &str, rule: &str, at: Time, points: i64, terms: Terms) -> PointsLot {
    let (year, month, day) = at.day().civil();
    let until = match terms.expiry {
        Expiry::Never => None,
        Expiry::YearEnd => Some(Day::from_civil(year + 1, 1, 1).start()),
        Expiry::Months(months) => {
            let (mut year, mut month) = (year, month + months);
            while month > 12 {
                (year, month) = (year + 1, month - 12);
            }
            let days = days_in_month(year, month);
            let second = if day > days { SECONDS_PER_DAY } else { at.0.rem_euclid(SECONDS_PER_DAY) };
            Some(Time(Day::from_civil(year, month, day.min(days)).start().0 + second))
        }
    };
    let from = Time(at.0 + i64::from(terms.pending_days) * SECONDS_PER_DAY);
    PointsLot { id: id.to_owned(), rule: rule.to_owned(), at, granted: points, left: points, from, until }
}

//! A customer's life in the community, step by step: what each event, adjustment and month of use
//! gives or takes, and what is left of it.
//!
//! Between two steps time passes: lots expire. What is taken and is not there follows the
//! programme's `negative_balance`.
//!
//! Invariant: what the lots have left, less what is owed, is the balance.

use super::Rules;
use super::awards::Awards;
use super::balances::Balance;
use super::happenings::{Happening, Happenings};
use super::holds;
use super::lots::{Lot, Lots};
use super::transfers::{Offer, Said, Spoken, TransfersOf};
use crate::facts::Interval;
use crate::programme::Debts;
use crate::records::{Event, EventKind};
use crate::table::events::{EventRow, EventsOf};
use crate::table::moments::MomentKey;
use crate::types::{CustomerIx, Month, Time};

/// All that a customer's points depend on beside the rules. Rows are sorted by (at, id).
#[derive(Clone, Copy)]
pub struct Life<'a> {
    pub events: EventsOf<'a>,
    pub adjustments: &'a [(MomentKey, i64)],
    pub transfers: TransfersOf<'a>,
    /// When he cannot register.
    pub registration: Option<Interval>,
    /// When what he tries earns nothing.
    pub experience: Option<Interval>,
    /// Until when lots expire and months of use end by themselves.
    pub now: Option<Time>,
}

impl Life<'_> {
    /// Whether it is another, and what came after the last of it. `grows` says that it has all events of the other,
    /// and before its own.
    pub fn goes_on(&self, other: &Life<'_>, grows: bool) -> bool {
        let last = |life: &Life<'_>| life.events.last_at().max(life.adjustments.last().map(|(key, _)| key.1));
        let (events, adjustments) = (
            grows.then(|| self.events.after(other.events.len())).or_else(|| self.events.strip_prefix(other.events)),
            self.adjustments.strip_prefix(other.adjustments),
        );
        let (Some(events), Some(adjustments)) = (events, adjustments) else { return false };
        let (event, adjustment) = (events.first().map(|event| event.at), adjustments.first().map(|(key, _)| key.1));
        let next = event.into_iter().chain(adjustment).min();
        self.transfers.is_empty()
            && other.transfers.is_empty()
            && self.registration == other.registration
            && self.experience == other.experience
            && self.now >= other.now
            && next.is_none_or(|next| Some(next) > last(other).max(other.now))
    }

    /// Whether nothing of it gives a balance. What is offered to who has never been a member is not his.
    pub fn is_empty(&self) -> bool {
        let is_his = |offer: &Offer| offer.is_done;
        self.events.is_empty()
            && self.adjustments.is_empty()
            && !self.transfers.received.iter().any(|(_, offer)| is_his(offer))
    }

    /// Whether it has an event, an adjustment or an offer of that id at a time.
    pub fn has(&self, id: &str, at: Time) -> bool {
        self.events.iter().any(|event| (event.at, event.id) == (at, id))
            || self.adjustments.binary_search_by(|(key, _)| (key.1, &*key.2).cmp(&(at, id))).is_ok()
            || self.transfers.received.iter().any(|(key, _)| (key.1, &*key.2) == (at, id))
    }
}

/// Why points come or go.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Cause {
    /// A rule, by its place in the programme.
    Rule(usize),
    Adjustment,
    Forfeit,
    Redeem,
    /// A redemption of more than could be spent: it takes nothing.
    Refused,
    Expire,
    /// Handed to another member; and handed over by one.
    TransferOut,
    TransferIn,
    /// What was missing, carried over; and what of it was taken from what came later.
    ClawBack,
    WriteOff,
}

/// What an entry is of.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum EntryId<'a> {
    /// An event or adjustment.
    Row(&'a str),
    /// A measure, and a month in which it was used.
    Use(&'a str, Month),
}

/// A change of a balance.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Entry<'a> {
    pub id: EntryId<'a>,
    pub at: Time,
    pub cause: Cause,
    pub points: i64,
}

/// Walks one customer's life after another.
pub struct Walk<'a> {
    rules: &'a Rules,
    awards: Awards<'a>,
    lots: Lots<'a>,
    balance: Balance,
    /// What was taken and was not there, not yet made up for.
    debt: i64,
    /// What the step at hand has made up for.
    made_up: i64,
    /// What the life says to others.
    spoken: Vec<Spoken<'a>>,
    /// When membership began, and ended.
    memberships: Vec<(Time, bool)>,
}

impl<'a> Walk<'a> {
    /// Lots can be asked for after it.
    pub fn new(rules: &'a Rules) -> Walk<'a> {
        Walk::with(rules, true)
    }

    /// For balances and entries alone.
    pub fn without_lots(rules: &'a Rules) -> Walk<'a> {
        Walk::with(rules, false)
    }

    fn with(rules: &'a Rules, lists_lots: bool) -> Walk<'a> {
        let (awards, lots) = (Awards::new(rules), Lots::new(rules.terms(), lists_lots));
        let balance = Balance::default();
        Walk { rules, awards, lots, balance, debt: 0, made_up: 0, spoken: Vec::new(), memberships: Vec::new() }
    }

    /// Calls `enter` with every entry of a life, in the order in which they count, and gives what they
    /// leave. `uses` are the months that rules on usage award for, with the rule, ascending.
    pub fn through(
        &mut self,
        life: Life<'a>,
        uses: &[(Month, usize)],
        enter: impl FnMut(Entry<'a>),
    ) -> (Balance, Option<Time>) {
        self.begin();
        self.go_through(life, uses, enter)
    }

    fn begin(&mut self) {
        self.awards.forget();
        self.lots.forget();
        (self.balance, self.debt) = (Balance::default(), 0);
        self.spoken.clear();
        self.memberships.clear();
    }

    fn go_through(
        &mut self,
        life: Life<'a>,
        uses: &[(Month, usize)],
        mut enter: impl FnMut(Entry<'a>),
    ) -> (Balance, Option<Time>) {
        let is_over = |(month, _): &&(Month, usize)| life.now.is_some_and(|now| month.last_second() <= now);
        let over = uses.iter().take_while(is_over).count();
        for happening in Happenings::new(&life, &uses[..over]) {
            let at = happening.at();
            self.expire(at, &mut enter);
            match happening {
                Happening::Adjustment { id, at, points } => self.adjust(EntryId::Row(id), at, points, &mut enter),
                Happening::Event { id, at, event } => self.meet(life, id, at, &event, &mut enter),
                Happening::Receipt { id, at, from, offer } => self.receive(id, at, from, offer, &mut enter),
                Happening::Use { month, rule } => self.reward(month, rule, &mut enter),
            }
            if self.memberships.last().is_some_and(|(_, was)| *was) != self.balance.member {
                self.memberships.push((at, self.balance.member));
            }
        }
        life.now.inspect(|now| self.expire(*now, &mut enter));
        let owed = if self.rules.debts == Debts::AllowNegative { self.debt } else { 0 };
        self.balance.left = self.lots.left().saturating_sub(owed);
        let last = life.events.last_at().map(Time::day);
        self.balance.last = last.filter(|_| self.balance.member);
        let next_end = uses.get(over).map(|(month, _)| month.last_second());
        let due = self.lots.next_expiry().into_iter().chain(next_end).min();
        (self.balance, due)
    }

    /// What a life leaves that has gone on after the first `known` of its events, where that can be told from what
    /// these have left: the balance, and the rules that had awarded once in a lifetime.
    pub fn on(&mut self, life: Life<'a>, known: usize, (balance, once): (Balance, u32)) -> Option<Balance> {
        let later = life.events.after(known);
        let first = later.first()?.at;
        let is_after = life.adjustments.last().is_none_or(|((_, at, _), _)| *at < first);
        if !(self.rules.go_on() && life.transfers.is_empty() && is_after) {
            return None;
        }
        self.begin();
        self.awards.remember(once);
        self.lots.resume(balance.left.max(0));
        (self.balance, self.debt) = (balance, balance.left.min(0).saturating_neg());
        // What the day has awarded already counts for its caps.
        let is_new_day = balance.last.is_some_and(|last| last < first.day());
        let earlier = if is_new_day { known } else { life.events.before(first.day().start()) };
        for EventRow { at, event, .. } in life.events.after(earlier).iter().take(known - earlier) {
            match event.kind {
                EventKind::Register | EventKind::Deregister | EventKind::Redeem | EventKind::Transfer => return None,
                EventKind::Experience if holds(life.experience, at) => {}
                _ if balance.member => self.awards.of(&event, at, |_, _| {}),
                _ => {}
            }
        }
        Some(self.go_through(Life { events: later, adjustments: &[], ..life }, &[], |_| {}).0)
    }

    /// The rules that have awarded once in a lifetime.
    pub fn once(&self) -> u32 {
        self.awards.once()
    }

    /// The lots of the life walked last that have something left.
    pub fn open(&self) -> impl Iterator<Item = &Lot<'a>> {
        self.lots.open()
    }

    /// What the life walked last says to others.
    pub fn spoken(&self) -> &[Spoken<'a>] {
        &self.spoken
    }

    /// When membership began and ended in the life walked last, in turn.
    pub fn memberships(&self) -> &[(Time, bool)] {
        &self.memberships
    }

    /// What could be spent at a time after the life walked last.
    pub fn spendable(&mut self, at: Time) -> i64 {
        self.lots.spendable(at)
    }

    fn adjust(&mut self, id: EntryId<'a>, at: Time, points: i64, enter: &mut impl FnMut(Entry<'a>)) {
        let cause = Cause::Adjustment;
        self.balance.adjusted = self.balance.adjusted.saturating_add(points);
        enter(Entry { id, at, cause, points });
        self.credit(0, Entry { id, at, cause, points }, enter);
        self.make_up(id, at, enter);
    }

    fn meet(&mut self, life: Life<'a>, name: &'a str, at: Time, event: &Event, enter: &mut impl FnMut(Entry<'a>)) {
        let id = EntryId::Row(name);
        let earns = match event.kind {
            EventKind::Register => {
                let begins = !self.balance.member && !holds(life.registration, at);
                self.balance.member |= begins;
                if begins {
                    self.balance.began = Some(at.day());
                }
                begins
            }
            EventKind::Deregister => {
                if std::mem::take(&mut self.balance.member) {
                    self.balance.began = None;
                    self.forfeit(id, at, enter);
                }
                false
            }
            EventKind::Experience => self.balance.member && !holds(life.experience, at),
            EventKind::Redeem if event.points > 0 => self.redeem(id, at, event, enter) && self.balance.member,
            EventKind::Transfer if event.points > 0 => self.send(life, name, at, event, enter) && self.balance.member,
            _ => self.balance.member,
        };
        if !earns {
            return;
        }
        let mut awards = std::mem::take(&mut self.awards);
        awards.of(event, at, |rule, points| self.award(id, at, rule, points, enter));
        self.awards = awards;
        self.make_up(id, at, enter);
    }

    /// What a month of use awards to who is a member when it ends.
    fn reward(&mut self, month: Month, rule: usize, enter: &mut impl FnMut(Entry<'a>)) {
        if !self.balance.member {
            return;
        }
        let (id, at) = (EntryId::Use(self.rules.measure(rule), month), month.last_second());
        match self.awards.of_use(rule, at) {
            0 => {}
            points => self.award(id, at, rule, points, enter),
        }
        self.make_up(id, at, enter);
    }

    fn award(&mut self, id: EntryId<'a>, at: Time, rule: usize, points: i64, enter: &mut impl FnMut(Entry<'a>)) {
        let entry = Entry { id, at, cause: Cause::Rule(rule), points };
        self.balance.earned = self.balance.earned.saturating_add(points);
        enter(entry);
        self.credit(self.rules.lots_of(rule), entry, enter);
    }

    /// Whether a redemption stands. One that is told to have been carried out has been, whatever there
    /// was to spend; one that is told to have failed takes nothing.
    fn redeem(&mut self, id: EntryId<'a>, at: Time, event: &Event, enter: &mut impl FnMut(Entry<'a>)) -> bool {
        let points = event.points;
        if event.result == Some(false) {
            return true;
        }
        let is_done = event.result == Some(true);
        if !self.stands(at, event) {
            enter(Entry { id, at, cause: Cause::Refused, points: 0 });
            return false;
        }
        self.balance.redeemed = self.balance.redeemed.saturating_add(points);
        enter(Entry { id, at, cause: Cause::Redeem, points: -points });
        let missing = self.lots.take(points, is_done);
        self.owe(missing, id, at, enter);
        true
    }

    /// Whether what takes points is carried out: by what it tells itself, or because they can be spent.
    fn stands(&mut self, at: Time, event: &Event) -> bool {
        match event.result {
            Some(is_done) => is_done,
            None => self.balance.member && self.lots.spendable(at) >= event.points,
        }
    }

    /// Whether a transfer stands. What the receiver does not take stays, and so does what is for nobody.
    fn send(
        &mut self,
        life: Life<'a>,
        name: &'a str,
        at: Time,
        event: &Event,
        enter: &mut impl FnMut(Entry<'a>),
    ) -> bool {
        if event.result == Some(false) {
            return true;
        }
        let (id, points, is_done) = (EntryId::Row(name), event.points, event.result == Some(true));
        let to = event.other.filter(|_| self.stands(at, event));
        if let Some(to) = to {
            let said = Said::Offers(Some(Offer { points, is_done }));
            self.spoken.push(Spoken { at, id: name, to, said });
        }
        if to.is_none_or(|to| life.transfers.is_declined(name, at, to)) {
            enter(Entry { id, at, cause: Cause::Refused, points: 0 });
            return false;
        }
        self.balance.transferred = self.balance.transferred.saturating_sub(points);
        enter(Entry { id, at, cause: Cause::TransferOut, points: -points });
        let missing = self.lots.take(points, is_done);
        self.owe(missing, id, at, enter);
        true
    }

    /// Takes what another member hands over, or says that it cannot be taken.
    fn receive(&mut self, name: &'a str, at: Time, from: CustomerIx, offer: Offer, enter: &mut impl FnMut(Entry<'a>)) {
        if !(offer.is_done || self.balance.member) {
            self.spoken.push(Spoken { at, id: name, to: from, said: Said::Declines(true) });
            return;
        }
        let entry = Entry { id: EntryId::Row(name), at, cause: Cause::TransferIn, points: offer.points };
        self.balance.transferred = self.balance.transferred.saturating_add(offer.points);
        enter(entry);
        self.credit(0, entry, enter);
        self.make_up(entry.id, at, enter);
    }

    /// Wipes a balance, a negative one too.
    fn forfeit(&mut self, id: EntryId<'a>, at: Time, enter: &mut impl FnMut(Entry<'a>)) {
        let left = self.balance.accounted();
        self.balance.forfeited = self.balance.forfeited.saturating_add(left);
        self.lots.take(self.lots.left(), true);
        self.debt = 0;
        if left != 0 {
            enter(Entry { id, at, cause: Cause::Forfeit, points: left.saturating_neg() });
        }
    }

    /// Loses what lots have left that expire at a time or before it: one entry for each award.
    fn expire(&mut self, at: Time, enter: &mut impl FnMut(Entry<'a>)) {
        let mut last: Option<Entry<'a>> = None;
        while let Some((lot, until, left)) = self.lots.expire(at) {
            self.balance.expired = self.balance.expired.saturating_add(left);
            match &mut last {
                Some(entry) if (entry.id, entry.at) == (lot.id, until) => entry.points -= left,
                _ => {
                    let entry = Entry { id: lot.id, at: until, cause: Cause::Expire, points: -left };
                    last.replace(entry).map(&mut *enter);
                }
            }
        }
        last.map(enter);
    }

    /// Puts the points of an entry among the lots of a place; or takes them, where they are negative.
    fn credit(&mut self, place: usize, entry: Entry<'a>, enter: &mut impl FnMut(Entry<'a>)) {
        let Entry { id, at, cause, points } = entry;
        if points > 0 {
            let made_up = self.debt.min(points);
            self.debt -= made_up;
            self.made_up += made_up;
            self.lots.give(place, id, cause, at, points, points - made_up);
        } else {
            let missing = self.lots.take(points.saturating_neg(), true);
            self.owe(missing, id, at, enter);
        }
    }

    fn owe(&mut self, missing: i64, id: EntryId<'a>, at: Time, enter: &mut impl FnMut(Entry<'a>)) {
        if missing == 0 {
            return;
        }
        let cause = match self.rules.debts {
            Debts::AllowNegative => None,
            Debts::ClawBackNext => Some(Cause::ClawBack),
            Debts::WriteOff => Some(Cause::WriteOff),
        };
        if cause != Some(Cause::WriteOff) {
            self.debt = self.debt.saturating_add(missing);
        }
        if let Some(cause) = cause {
            self.balance.adjusted = self.balance.adjusted.saturating_add(missing);
            enter(Entry { id, at, cause, points: missing });
        }
    }

    /// Enters what a step has made up for, where the balance did not show it as owed.
    fn make_up(&mut self, id: EntryId<'a>, at: Time, enter: &mut impl FnMut(Entry<'a>)) {
        let points = std::mem::take(&mut self.made_up);
        if points > 0 && self.rules.debts == Debts::ClawBackNext {
            self.balance.adjusted = self.balance.adjusted.saturating_sub(points);
            enter(Entry { id, at, cause: Cause::ClawBack, points: -points });
        }
    }
}

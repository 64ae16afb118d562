//! Lots: what each award left of itself, and when that can be spent and is lost.
//!
//! Lots of equal terms stand in one queue: they are given in the order of time, so that they can be
//! spent, and expire, in the order in which they stand. What goes next is then at the front of one of
//! a few queues, however many lots there are.
//!
//! Invariants: `0 <= left <= granted` of every lot; a lot that has expired has nothing left.

use crate::programme::{Expiry, Terms};
use crate::types::{Day, Month, SECONDS_PER_DAY, Time, days_in_month};

use super::walk::{Cause, EntryId};

/// An award, or what somebody was given by hand.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Lot<'a> {
    pub id: EntryId<'a>,
    pub cause: Cause,
    pub at: Time,
    pub granted: i64,
    pub left: i64,
    /// When it can be spent.
    pub from: Time,
    /// The first second in which it cannot be spent any more.
    pub until: Option<Time>,
    /// Its place among all lots.
    number: u32,
}

impl Lot<'_> {
    /// What is spent first orders first: what expires, by when; then by when it was given.
    pub fn order(&self) -> (bool, Option<Time>, u32) {
        (self.until.is_none(), self.until, self.number)
    }
}

/// The lots of a customer.
pub struct Lots<'a> {
    queues: Vec<Queue<'a>>,
    given: u32,
    /// Whether only their sum is kept: nobody asks for each, and none waits or expires.
    sum_only: bool,
}

/// Lots of equal terms, in the order in which they were given.
struct Queue<'a> {
    terms: Terms,
    lots: Vec<Lot<'a>>,
    /// Lots before it have nothing left.
    front: usize,
    /// Lots before it could be spent when that was asked last. Time only goes forward.
    ripe: usize,
    /// What lots from `ripe` on have left.
    pending: i64,
    /// What all lots have left.
    left: i64,
}

impl<'a> Lots<'a> {
    /// None yet, of any of these terms. Where nobody asks for each, they are not `listed`.
    pub fn new(terms: &[Terms], listed: bool) -> Lots<'a> {
        let queue = |terms: &Terms| Queue { terms: *terms, lots: Vec::new(), front: 0, ripe: 0, pending: 0, left: 0 };
        let sum_only = !listed && terms.iter().all(|terms| *terms == Terms::default());
        Lots { queues: terms.iter().map(queue).collect(), given: 0, sum_only }
    }

    /// Begins with another customer.
    pub fn forget(&mut self) {
        self.given = 0;
        for queue in &mut self.queues {
            queue.lots.clear();
            (queue.front, queue.ripe, queue.pending, queue.left) = (0, 0, 0, 0);
        }
    }

    /// Begins with what a customer has left, where only that is kept.
    pub fn resume(&mut self, left: i64) {
        self.forget();
        self.queues[0].left = left;
    }

    /// A lot of the terms at a place, of which `left` is left from the beginning.
    pub fn give(&mut self, place: usize, id: EntryId<'a>, cause: Cause, at: Time, granted: i64, left: i64) {
        let queue = &mut self.queues[place];
        if self.sum_only {
            queue.left = queue.left.saturating_add(left);
            return;
        }
        let Terms { pending_days, expiry } = queue.terms;
        let from = Time(at.0.saturating_add(i64::from(pending_days) * SECONDS_PER_DAY));
        let until = expires(expiry, at);
        queue.lots.push(Lot { id, cause, at, granted, left, from, until, number: self.given });
        self.given += 1;
        queue.pending = queue.pending.saturating_add(left);
        queue.left = queue.left.saturating_add(left);
    }

    /// What can be spent at a time, which is never before one that was asked for.
    pub fn spendable(&mut self, at: Time) -> i64 {
        self.queues.iter_mut().fold(0, |sum: i64, queue| {
            queue.ripen(at);
            sum.saturating_add(queue.left.saturating_sub(queue.pending))
        })
    }

    /// What is left of all lots.
    pub fn left(&self) -> i64 {
        self.queues.iter().fold(0, |sum: i64, queue| sum.saturating_add(queue.left))
    }

    /// Takes up to so many points, of the lots that expire first. Gives what it could not take. Where
    /// `pending` is not set, only of lots that could be spent when that was asked last.
    pub fn take(&mut self, mut points: i64, pending: bool) -> i64 {
        if self.sum_only {
            for queue in &mut self.queues {
                let taken = points.min(queue.left).max(0);
                queue.left -= taken;
                points -= taken;
            }
            return points;
        }
        while points > 0 {
            let next = self.queues.iter_mut().filter_map(|queue| {
                queue.skip_spent();
                let end = if pending { queue.lots.len() } else { queue.ripe };
                let lot = queue.lots.get(queue.front).filter(|_| queue.front < end)?;
                Some((lot.order(), queue))
            });
            let Some((_, queue)) = next.min_by_key(|(order, _)| *order) else { break };
            points -= queue.take_of_front(points);
        }
        points
    }

    /// Takes what is left of the lot that expires next, if it does so at `at` or before.
    pub fn expire(&mut self, at: Time) -> Option<(Lot<'a>, Time, i64)> {
        let next = self.queues.iter_mut().filter_map(|queue| {
            queue.skip_spent();
            let lot = queue.lots.get(queue.front)?;
            let until = lot.until.filter(|until| *until <= at)?;
            Some(((until, lot.number), queue))
        });
        let ((until, _), queue) = next.min_by_key(|(order, _)| *order)?;
        let lot = queue.lots[queue.front];
        queue.take_of_front(lot.left);
        Some((lot, until, lot.left))
    }

    /// The time at which the next lot expires.
    pub fn next_expiry(&self) -> Option<Time> {
        let front = |queue: &Queue<'_>| queue.open().find(|lot| lot.left > 0).and_then(|lot| lot.until);
        self.queues.iter().filter_map(front).min()
    }

    /// Lots with something left.
    pub fn open(&self) -> impl Iterator<Item = &Lot<'a>> {
        self.queues.iter().flat_map(|queue| queue.open().filter(|lot| lot.left > 0))
    }
}

impl<'a> Queue<'a> {
    fn open(&self) -> impl Iterator<Item = &Lot<'a>> {
        self.lots[self.front..].iter()
    }

    fn skip_spent(&mut self) {
        while self.lots.get(self.front).is_some_and(|lot| lot.left == 0) {
            self.front += 1;
        }
    }

    fn ripen(&mut self, at: Time) {
        while let Some(lot) = self.lots.get(self.ripe).filter(|lot| lot.from <= at) {
            self.pending = self.pending.saturating_sub(lot.left);
            self.ripe += 1;
        }
    }

    fn take_of_front(&mut self, points: i64) -> i64 {
        let lot = &mut self.lots[self.front];
        let taken = points.min(lot.left);
        lot.left -= taken;
        self.left = self.left.saturating_sub(taken);
        if self.front >= self.ripe {
            self.pending = self.pending.saturating_sub(taken);
        }
        taken
    }
}

/// The first second in which points given at a time are lost. Never earlier than that of what was given
/// before: what is given on a day that the month of expiry does not have lasts to the end of that month.
fn expires(expiry: Expiry, at: Time) -> Option<Time> {
    let (year, month, day) = at.day().civil();
    match expiry {
        Expiry::Never => None,
        Expiry::YearEnd => Some(Day::from_civil(year + 1, 1, 1).start()),
        Expiry::Months(months) => {
            let month = Month::new(year, month).plus(months as i32);
            if day > days_in_month(month.year(), month.month()) {
                return Some(month.plus(1).first_day().start());
            }
            let second = at.0.rem_euclid(SECONDS_PER_DAY);
            Some(Time(Day::from_civil(month.year(), month.month(), day).start().0 + second))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_last_to_the_end_of_a_month_that_is_too_short() {
        let at = Time(Day::from_civil(2008, 1, 31).start().0 + 86_399);
        let expiry = |expiry| expires(expiry, at).map(|until| until.to_string());
        assert_eq!(expiry(Expiry::Months(1)).as_deref(), Some("2008-03-01 00:00:00"));
        assert_eq!(expiry(Expiry::Months(13)).as_deref(), Some("2009-03-01 00:00:00"));
        assert_eq!(expiry(Expiry::YearEnd).as_deref(), Some("2009-01-01 00:00:00"));
        assert_eq!(expiry(Expiry::Never), None);
    }
}

//! What the rules have given a customer so far, as far as it bounds what they give next.
//!
//! What a lifetime bounds is kept with the balance, what a day bounds is found in the day's own events: a life
//! that goes on need not be begun anew.
//!
//! Caps are per rule, customer and local day. They and lifetime awards outlast a membership.

use super::{Product, Rules};
use crate::programme::{Per, PointsRule, Trigger};
use crate::records::Event;
use crate::types::{CustomerIx, Day, Time};

/// Asked of the events of one customer, in their order.
#[derive(Default)]
pub struct Awards<'r> {
    rules: &'r [(PointsRule, Product)],
    /// The rules that award once in a lifetime.
    once: &'r [usize],
    used: Vec<Used>,
}

/// What one rule has given.
#[derive(Clone, Default)]
struct Used {
    /// Whether it ever gave anything.
    once: bool,
    /// The day that the rest is of.
    day: Day,
    points: i64,
    awards: u32,
    people: Vec<CustomerIx>,
}

impl<'r> Awards<'r> {
    /// Nothing yet.
    pub fn new(rules: &'r Rules) -> Awards<'r> {
        Awards { rules: &rules.rules, once: &rules.once, used: vec![Used::default(); rules.rules.len()] }
    }

    /// Begins with another customer.
    pub fn forget(&mut self) {
        for used in &mut self.used {
            *used = Used { people: std::mem::take(&mut used.people), ..Used::default() };
            used.people.clear();
        }
    }

    /// Which of the rules that award once in a lifetime have done so, as bits. Of rules beyond the 32nd none is told.
    pub fn once(&self) -> u32 {
        let places = self.once.iter().take(32).enumerate();
        places.filter(|(_, rule)| self.used[**rule].once).fold(0, |bits, (place, _)| bits | 1 << place)
    }

    /// Begins with a customer to whom these have awarded.
    pub fn remember(&mut self, once: u32) {
        for (place, rule) in self.once.iter().take(32).enumerate() {
            self.used[*rule].once = once >> place & 1 != 0;
        }
    }

    /// Calls `give` with each rule that awards something for an event, and how much, in the
    /// programme's order.
    pub fn of(&mut self, event: &Event, at: Time, mut give: impl FnMut(usize, i64)) {
        for (place, ((rule, product), used)) in self.rules.iter().zip(&mut self.used).enumerate() {
            let result = rule.result.is_none_or(|result| event.result == Some(result));
            if rule.on != Trigger::Event(event.kind) || !product.matches(event.product) || !result {
                continue;
            }
            match used.award(rule, event.other, at.day()) {
                0 => {}
                points => give(place, points),
            }
        }
    }

    /// What a rule on usage awards for a month that ends at a time.
    pub fn of_use(&mut self, rule: usize, at: Time) -> i64 {
        self.used[rule].award(&self.rules[rule].0, None, at.day())
    }
}

impl Used {
    /// What a rule that matches gives. What is cut to 0 is no award and uses up nothing.
    fn award(&mut self, rule: &PointsRule, other: Option<CustomerIx>, day: Day) -> i64 {
        if self.day != day {
            self.day = day;
            (self.points, self.awards) = (0, 0);
            self.people.clear();
        }
        let is_spent = match rule.per {
            Per::Event => false,
            Per::Day => self.awards > 0,
            Per::Lifetime => self.once,
        };
        let is_stranger = |other: CustomerIx| !self.people.contains(&other);
        let is_crowded = rule.daily_people.is_some_and(|limit| self.people.len() as u64 >= u64::from(limit));
        if is_spent
            || rule.daily_limit.is_some_and(|limit| self.awards >= limit)
            || is_crowded && other.is_some_and(is_stranger)
        {
            return 0;
        }
        let award = rule.daily_cap.map_or(rule.points, |cap| rule.points.min(cap - self.points));
        if award != 0 {
            self.once = true;
            self.points = self.points.saturating_add(award);
            self.awards += 1;
            self.people.extend(other.filter(|other| rule.daily_people.is_some() && is_stranger(*other)));
        }
        award
    }
}

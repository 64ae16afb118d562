//! A customer's events and adjustments, in the order in which they count.

use super::awards::Awards;
use super::balances::Balance;
use super::holds;
use crate::facts::Interval;
use crate::records::{Event, EventKind};
use crate::table::chunk::EventKey;
use crate::types::Time;

/// All that a customer's points depend on beside the rules. Rows are sorted by (at, id).
#[derive(Clone, Copy)]
pub struct Life<'a> {
    pub events: &'a [(EventKey, Event)],
    pub adjustments: &'a [(EventKey, i64)],
    /// When he cannot register.
    pub registration: Option<Interval>,
    /// When what he tries earns nothing.
    pub experience: Option<Interval>,
}

/// Why points come or go.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Cause {
    /// A rule, by its place in the programme.
    Rule(usize),
    Adjustment,
    Forfeit,
}

/// A change of a balance.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Entry<'a> {
    /// The event or adjustment.
    pub id: &'a str,
    pub at: Time,
    pub cause: Cause,
    pub points: i64,
}

/// Calls `enter` with every entry, and gives what they leave. `awards` have nothing of anybody else.
pub fn walk<'a>(life: Life<'a>, awards: &mut Awards<'_>, mut enter: impl FnMut(Entry<'a>)) -> Balance {
    let mut balance = Balance::default();
    let mut adjustments = life.adjustments.iter().peekable();
    let mut adjust = |balance: &mut Balance, enter: &mut dyn FnMut(Entry<'a>), before: Option<(Time, &str)>| {
        let comes = |key: &EventKey| before.is_none_or(|before| (key.1, &*key.2) <= before);
        while let Some(((_, at, id), points)) = adjustments.next_if(|(key, _)| comes(key)) {
            balance.adjusted = balance.adjusted.saturating_add(*points);
            enter(Entry { id, at: *at, cause: Cause::Adjustment, points: *points });
        }
    };
    for ((_, at, id), event) in life.events {
        adjust(&mut balance, &mut enter, Some((*at, id)));
        let earns = match event.kind {
            EventKind::Register => {
                let begins = !balance.member && !holds(life.registration, *at);
                balance.member |= begins;
                begins
            }
            EventKind::Deregister => {
                if std::mem::take(&mut balance.member) {
                    forfeit(&mut balance, |points| enter(Entry { id, at: *at, cause: Cause::Forfeit, points }));
                }
                false
            }
            EventKind::Experience => balance.member && !holds(life.experience, *at),
            _ => balance.member,
        };
        if earns {
            awards.of(event, *at, |rule, points| {
                balance.earned = balance.earned.saturating_add(points);
                enter(Entry { id, at: *at, cause: Cause::Rule(rule), points });
            });
        }
    }
    adjust(&mut balance, &mut enter, None);
    balance
}

/// Wipes a balance, a negative one too.
fn forfeit(balance: &mut Balance, enter: impl FnOnce(i64)) {
    let left = balance.points();
    balance.forfeited = balance.forfeited.saturating_add(left);
    if left != 0 {
        enter(left.saturating_neg());
    }
}

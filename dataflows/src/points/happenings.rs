//! A customer's events, adjustments and months of use as one sequence, in the order in which they
//! count: by (at, id), adjustments first; months of use after all that happens in their last second.

use crate::records::Event;
use crate::table::chunk::EventKey;
use crate::types::{Month, Time};

/// One of them.
pub enum Happening<'a> {
    Event {
        id: &'a str,
        at: Time,
        event: &'a Event,
    },
    Adjustment {
        id: &'a str,
        at: Time,
        points: i64,
    },
    /// A month that a rule awards for.
    Use {
        month: Month,
        rule: usize,
    },
}

impl Happening<'_> {
    pub fn at(&self) -> Time {
        match self {
            Happening::Event { at, .. } | Happening::Adjustment { at, .. } => *at,
            Happening::Use { month, .. } => month.last_second(),
        }
    }
}

/// The three sorted lists, each as far as it is still to come.
pub struct Happenings<'a, 'u> {
    events: &'a [(EventKey, Event)],
    adjustments: &'a [(EventKey, i64)],
    uses: &'u [(Month, usize)],
}

impl<'a, 'u> Happenings<'a, 'u> {
    pub fn new(
        events: &'a [(EventKey, Event)],
        adjustments: &'a [(EventKey, i64)],
        uses: &'u [(Month, usize)],
    ) -> Happenings<'a, 'u> {
        Happenings { events, adjustments, uses }
    }

    fn next_row(&mut self) -> Option<Happening<'a>> {
        let moment = |key: &'a EventKey| (key.1, &*key.2);
        let adjustment = self.adjustments.first().map(|(key, points)| (moment(key), *points));
        let event = self.events.first().map(|(key, event)| (moment(key), event));
        match (adjustment, event) {
            (Some(((at, id), points)), event) if event.is_none_or(|(moment, _)| (at, id) <= moment) => {
                self.adjustments = &self.adjustments[1..];
                Some(Happening::Adjustment { id, at, points })
            }
            (_, Some(((at, id), event))) => {
                self.events = &self.events[1..];
                Some(Happening::Event { id, at, event })
            }
            _ => None,
        }
    }

    /// When the next event or adjustment is.
    fn next_at(&self) -> Option<Time> {
        let (event, adjustment) = (self.events.first(), self.adjustments.first());
        event.map(|(key, _)| key.1).into_iter().chain(adjustment.map(|(key, _)| key.1)).min()
    }
}

impl<'a> Iterator for Happenings<'a, '_> {
    type Item = Happening<'a>;

    fn next(&mut self) -> Option<Happening<'a>> {
        if let Some(((month, rule), rest)) = self.uses.split_first()
            && self.next_at().is_none_or(|at| month.last_second() < at)
        {
            self.uses = rest;
            return Some(Happening::Use { month: *month, rule: *rule });
        }
        self.next_row()
    }
}

//! A customer's events, adjustments and months of use as one sequence, in the order in which they
//! count: by (at, id), adjustments first; months of use after all that happens in their last second.

use crate::records::Event;
use crate::table::chunk::AdjustmentKey;
use crate::table::events::{EventRow, EventsOf};
use crate::types::{Month, Time};

/// One of them.
pub enum Happening<'a> {
    Event {
        id: &'a str,
        at: Time,
        event: Event,
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
    events: EventsOf<'a>,
    adjustments: &'a [(AdjustmentKey, i64)],
    uses: &'u [(Month, usize)],
}

impl<'a, 'u> Happenings<'a, 'u> {
    pub fn new(
        events: EventsOf<'a>,
        adjustments: &'a [(AdjustmentKey, i64)],
        uses: &'u [(Month, usize)],
    ) -> Happenings<'a, 'u> {
        Happenings { events, adjustments, uses }
    }

    fn next_row(&mut self) -> Option<Happening<'a>> {
        let adjustment = self.adjustments.first();
        match (adjustment, self.events.first()) {
            (Some(((_, at, id), points)), event) if event.is_none_or(|event| (*at, &**id) <= (event.at, event.id)) => {
                self.adjustments = &self.adjustments[1..];
                Some(Happening::Adjustment { id, at: *at, points: *points })
            }
            (_, Some(EventRow { at, id, event })) => {
                self.events = self.events.split_off_first();
                Some(Happening::Event { id, at, event })
            }
            _ => None,
        }
    }

    /// When the next event or adjustment is.
    fn next_at(&self) -> Option<Time> {
        let (event, adjustment) = (self.events.first(), self.adjustments.first());
        event.map(|event| event.at).into_iter().chain(adjustment.map(|(key, _)| key.1)).min()
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

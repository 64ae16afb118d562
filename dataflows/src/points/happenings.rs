//! A customer's events, adjustments, months of use and what others hand to him as one sequence, in the
//! order in which they count: by (at, id), adjustments first, his own events before what he is handed;
//! months of use after all that happens in their last second.

use std::iter::Peekable;

use crate::records::Event;
use crate::table::events::{EventRow, Iter};
use crate::table::moments::MomentKey;
use crate::types::{CustomerIx, Month, Time};

use super::transfers::{Offer, TransferKey};
use super::walk::Life;

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
    /// What another member hands over.
    Receipt {
        id: &'a str,
        at: Time,
        from: CustomerIx,
        offer: Offer,
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
            Happening::Event { at, .. } | Happening::Adjustment { at, .. } | Happening::Receipt { at, .. } => *at,
            Happening::Use { month, .. } => month.last_second(),
        }
    }
}

/// The four sorted lists, each as far as it is still to come.
pub struct Happenings<'a, 'u> {
    events: Peekable<Iter<'a>>,
    adjustments: &'a [(MomentKey, i64)],
    receipts: &'a [(TransferKey, Offer)],
    uses: &'u [(Month, usize)],
}

impl<'a, 'u> Happenings<'a, 'u> {
    pub fn new(life: &Life<'a>, uses: &'u [(Month, usize)]) -> Happenings<'a, 'u> {
        Happenings {
            events: life.events.iter().peekable(),
            adjustments: life.adjustments,
            receipts: life.transfers.received,
            uses,
        }
    }

    fn next_row(&mut self) -> Option<Happening<'a>> {
        if let Some((((_, at, id, from), offer), rest)) = self.receipts.split_first() {
            let key = (*at, &**id);
            let event = self.events.peek();
            if self.adjustments.first().is_none_or(|((_, at, id), _)| key < (*at, &**id))
                && event.is_none_or(|event| key < (event.at, event.id))
            {
                self.receipts = rest;
                return Some(Happening::Receipt { id, at: *at, from: *from, offer: *offer });
            }
        }
        let adjustment = self.adjustments.first();
        match (adjustment, self.events.peek()) {
            (Some(((_, at, id), points)), event) if event.is_none_or(|event| (*at, &**id) <= (event.at, event.id)) => {
                self.adjustments = &self.adjustments[1..];
                Some(Happening::Adjustment { id, at: *at, points: *points })
            }
            (_, Some(EventRow { at, id, event })) => {
                let happening = Happening::Event { id, at: *at, event: *event };
                self.events.next();
                Some(happening)
            }
            _ => None,
        }
    }

    /// When the next row is.
    fn next_at(&mut self) -> Option<Time> {
        let (event, adjustment) = (self.events.peek(), self.adjustments.first().map(|(key, _)| key.1));
        let receipt = self.receipts.first().map(|(key, _)| key.1);
        event.map(|event| event.at).into_iter().chain(adjustment).chain(receipt).min()
    }
}

impl<'a> Iterator for Happenings<'a, '_> {
    type Item = Happening<'a>;

    #[inline]
    fn next(&mut self) -> Option<Happening<'a>> {
        // Most have nothing but events.
        if self.uses.is_empty() && self.adjustments.is_empty() && self.receipts.is_empty() {
            let EventRow { at, id, event } = self.events.next()?;
            return Some(Happening::Event { id, at, event });
        }
        if let Some(((month, rule), rest)) = self.uses.split_first()
            && self.next_at().is_none_or(|at| month.last_second() < at)
        {
            self.uses = rest;
            return Some(Happening::Use { month: *month, rule: *rule });
        }
        self.next_row()
    }
}

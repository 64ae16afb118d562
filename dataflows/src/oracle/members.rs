//! Who was a member when, from rows: each event is judged by the last that ended a membership and what began
//! one since.

use std::collections::BTreeSet;

use super::Standing;
use super::points::own;
use crate::members::Deed;
use crate::records::{Event, EventKind};
use crate::types::{CustomerIx, Time};

/// An event, with what it was to the membership of whoever did it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DeedRow {
    pub at: Time,
    pub event_id: String,
    pub event: Event,
    pub member: bool,
    pub takes_effect: bool,
}

impl From<Deed<'_>> for DeedRow {
    fn from(deed: Deed<'_>) -> DeedRow {
        let Deed { at, event_id, event, member, takes_effect } = deed;
        DeedRow { at, event_id: event_id.to_owned(), event, member, takes_effect }
    }
}

impl Standing {
    /// A customer's events, in the order of (at, id).
    pub fn deeds(&self, customer: CustomerIx) -> Vec<DeedRow> {
        let mut events: Vec<(Time, &str, Event)> =
            own(&self.events, customer).map(|((_, at, id), event)| (*at, &**id, *event)).collect();
        events.sort_by_key(|(at, id, _)| (*at, id.as_bytes()));
        let places = |is_one: &dyn Fn(&(Time, &str, Event)) -> bool| -> BTreeSet<usize> {
            events.iter().enumerate().filter(|(_, event)| is_one(event)).map(|(place, _)| place).collect()
        };
        let leaves = places(&|(.., event)| event.kind == EventKind::Deregister);
        let lets_in = places(&|(at, _, event)| {
            event.kind == EventKind::Register && !self.is_listed_at(customer, "registration", *at)
        });
        // Since the last deregistration before `end` something let him in.
        let is_member = |end: usize| {
            let since = leaves.range(..end).next_back().map_or(0, |left| left + 1);
            lets_in.range(since..end).next().is_some()
        };
        let deed = |place: usize| {
            let (was, is) = (is_member(place), is_member(place + 1));
            let (at, id, event) = events[place];
            DeedRow { at, event_id: id.to_owned(), event, member: was || is, takes_effect: was != is }
        };
        (0..events.len()).map(deed).collect()
    }
}

//! What a chunk's change means for the forest, and for the counts by month and city.
//!
//! Told by comparing the chunk as it was settled with the chunk as it is: both are at hand, so that
//! nothing need be remembered of what was told before, and a fact that is told twice says nothing.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Link, first_registration};
use crate::customers::Told;
use crate::facts::Interval;
use crate::points::{REGISTRATION, list};
use crate::records::EventKind;
use crate::table::chunk::CITY;
use crate::table::column::Slots;
use crate::table::events::{EventRow, EventsOf};
use crate::table::{Chunk, Sorted};
use crate::types::{CustomerIx, Diff, Month, Time, Word};
use crate::views::{Change, Counts};

/// A chunk, with the list that bars its customers from registering.
struct Side<'a> {
    chunk: &'a Chunk,
    barred: Option<&'a Sorted<u16, Interval>>,
}

/// What matters of one customer.
struct Life<'a> {
    first: Option<Time>,
    city: Word,
    events: EventsOf<'a>,
}

/// An invitation into the community.
#[derive(PartialEq)]
struct Invitation<'a> {
    referred: CustomerIx,
    at: Time,
    event_id: &'a str,
    city: Word,
    /// Whether it may bring the referred in.
    counts: bool,
}

/// Tells how the customers in `slots` differ; the others have kept their events, lists and cities. `since` says
/// from when on somebody's events are others; who is not named has but later ones than before, if any. What came at
/// the end of what had come in the same epoch is not told by it.
pub fn tell(
    chunks: (&Chunk, &Chunk),
    slots: &Slots,
    since: &BTreeMap<u16, Time>,
    customer: &impl Fn(usize) -> CustomerIx,
    is_named: &dyn Fn(Word, &str) -> bool,
    counts: &mut Counts,
    emit: &mut Vec<(Told, Diff)>,
) {
    let (before, after) = chunks;
    let same_lists = Arc::ptr_eq(&before.listings, &after.listings);
    if same_lists && Arc::ptr_eq(&before.events, &after.events) && Arc::ptr_eq(&before.customers, &after.customers) {
        return;
    }
    let same_sides = same_lists && Arc::ptr_eq(&before.customers, &after.customers);
    let side = |chunk| Side { chunk, barred: list(chunk, REGISTRATION, is_named) };
    let (was, is) = (side(before), side(after));
    for slot in (0..slots.len()).map(|place| slots.slot(place)) {
        // Who has no event, then and now, has nothing to tell: most of an extract of customers.
        if before.points.present.get(slot) || after.points.present.get(slot) {
            // Most events are about nobody else.
            let since = since.get(&(slot as u16)).copied();
            if same_sides && since.is_none() {
                let later = after.events_of(slot).after(before.events_of(slot).len());
                if !later.iter().any(|row| matches!(row.event.kind, EventKind::Register | EventKind::Refer)) {
                    continue;
                }
            }
            let same_events = before.events.shares(&after.events, slot);
            tell_customer(customer(slot), (same_events, since), was.life(slot), is.life(slot), counts, emit);
        }
    }
}

fn tell_customer(
    customer: CustomerIx,
    (same_events, since): (bool, Option<Time>),
    was: Life<'_>,
    is: Life<'_>,
    counts: &mut Counts,
    emit: &mut Vec<(Told, Diff)>,
) {
    if same_events && was.first == is.first && was.city == is.city {
        return;
    }
    for (life, diff) in [(&was, -1), (&is, 1)] {
        let Some(at) = life.first else { continue };
        counts.add(Change::Registered { month: month(at), city: life.city }, diff);
        if was.first != is.first {
            emit.push((Told::Link(Link::Registered { customer, at }), diff));
        }
    }
    // Equal events of who registered and lives as before tell the same.
    let is_alike = was.first == is.first && was.city == is.city;
    // What was before anything changed is still what comes first. Of what is now no such thing holds: one part of an
    // epoch may have added at the end what the next changes after.
    let known = since.map_or(was.events.len(), |at| was.events.before(at));
    let (befores, afters) =
        if is_alike { (was.events.after(known), is.events.after(known)) } else { (was.events, is.events) };
    let (mut befores, mut afters) = (befores.iter().peekable(), afters.iter().peekable());
    loop {
        let order = match (befores.peek(), afters.peek()) {
            (None, None) => break,
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (Some(before), Some(after)) => (before.at, before.id).cmp(&(after.at, after.id)),
        };
        let before = befores.next_if(|_| order.is_le()).and_then(|event| was.invitation(event));
        let after = afters.next_if(|_| order.is_ge()).and_then(|event| is.invitation(event));
        if before == after {
            continue;
        }
        for (invitation, diff) in [(before, -1), (after, 1)] {
            let Some(Invitation { referred, at, event_id, city, counts: may_count }) = invitation else { continue };
            counts.add(Change::Invited { month: month(at), city }, diff);
            if may_count {
                let link = Link::Referral { referred, at, event_id: event_id.into(), referrer: customer, city };
                emit.push((Told::Link(link), diff));
            }
        }
    }
}

fn month(at: Time) -> Month {
    at.day().month()
}

impl<'a> Side<'a> {
    fn life(&self, slot: usize) -> Life<'a> {
        let events = self.chunk.events_of(slot);
        let barred = self.barred.and_then(|list| list.get(&(slot as u16)).copied());
        let city = Word(self.chunk.customers.texts[CITY].get(slot));
        Life { first: first_registration(events, barred), city, events }
    }
}

impl Life<'_> {
    fn invitation<'e>(&self, EventRow { at, id, event }: EventRow<'e>) -> Option<Invitation<'e>> {
        if event.kind != EventKind::Refer || !event.product.is_null() {
            return None;
        }
        let counts = event.result == Some(true) && self.first.is_some_and(|first| first <= at);
        Some(Invitation { referred: event.other?, at, event_id: id, city: self.city, counts })
    }
}

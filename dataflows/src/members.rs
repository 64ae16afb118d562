//! Members: what their events do to their membership, and which they were members at.
//!
//! A member is who has registered and not deregistered since. Contract, "Programme": a second
//! `register` changes nothing, and neither does that of somebody whom the list `registration` bars at
//! the time. Points follow the same, but membership is there without a rule for points.

use crate::points::{REGISTRATION, holds, list};
use crate::records::{Event, EventKind};
use crate::table::Chunk;
use crate::table::events::EventRow;
use crate::types::{Time, Word};

/// An event, with what it was to the membership of whoever did it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Deed<'a> {
    pub at: Time,
    pub event_id: &'a str,
    pub event: Event,
    /// Whether he was a member at it; he is one at the event that makes him one, and at the one that
    /// ends it.
    pub member: bool,
    /// Whether a registration or deregistration took effect.
    pub takes_effect: bool,
}

/// A customer's events, in their order.
pub fn deeds<'a>(
    chunk: &'a Chunk,
    slot: usize,
    is_named: &dyn Fn(Word, &str) -> bool,
) -> impl Iterator<Item = Deed<'a>> {
    let barred = list(chunk, REGISTRATION, is_named).and_then(|rows| rows.get(&(slot as u16)).copied());
    let mut is_member = false;
    chunk.events_of(slot).iter().map(move |EventRow { at, id: event_id, event }| {
        let was_member = is_member;
        match event.kind {
            EventKind::Register => is_member |= !holds(barred, at),
            EventKind::Deregister => is_member = false,
            _ => {}
        }
        Deed { at, event_id, event, member: was_member || is_member, takes_effect: was_member != is_member }
    })
}

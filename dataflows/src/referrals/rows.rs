//! Rows of the view `referral`, read off a chunk.

use std::collections::BTreeMap;

use crate::points::{self, Cause, EntryId, Rules};
use crate::records::{Event, EventKind};
use crate::table::Chunk;
use crate::table::events::EventRow;
use crate::types::{CustomerIx, Time, Word};

/// A row of `referral`; the referrer is whose chunk and slot were asked for.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Referral<'a> {
    pub referred: CustomerIx,
    pub at: Time,
    /// The product that was recommended; null where it was the community itself.
    pub product: Word,
    pub event_id: &'a str,
    pub result: Option<bool>,
    pub points: i64,
}

/// The referrals that a customer made, in the order of their events.
pub fn rows<'a>(
    chunk: &'a Chunk,
    slot: usize,
    rules: &'a Rules,
    is_named: &dyn Fn(Word, &str) -> bool,
) -> Vec<Referral<'a>> {
    let made = |event: &Event| event.other.filter(|_| event.kind == EventKind::Refer);
    let events = chunk.events_of(slot);
    if events.iter().all(|row| made(&row.event).is_none()) {
        return Vec::new();
    }
    let mut earned: BTreeMap<(Time, &str), i64> = BTreeMap::new();
    // What events earn does not depend on how far time has gone.
    for entry in points::entries(chunk, slot, rules, None, is_named) {
        if let (Cause::Rule(_), EntryId::Row(id)) = (entry.cause, entry.id) {
            let sum = earned.entry((entry.at, id)).or_insert(0);
            *sum = sum.saturating_add(entry.points);
        }
    }
    let row = |EventRow { at, id, event }: EventRow<'a>| {
        let points = earned.get(&(at, id)).copied().unwrap_or(0);
        let (product, result) = (event.product, event.result);
        Some(Referral { referred: made(&event)?, at, product, event_id: id, result, points })
    };
    events.iter().filter_map(row).collect()
}

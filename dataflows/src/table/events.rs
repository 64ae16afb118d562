//! The events of a chunk's members, packed.
//!
//! A member has dozens of events, and they are most of what is kept of him: 24 bytes and the id each.
//! Sixteen members share a group, which is never changed but built anew: what a reader holds stays as
//! it was, and one event costs the copy of some kilobytes, without an allocation for each id.

use std::sync::Arc;

use crate::records::{Event, EventKind};
use crate::types::{CustomerIx, Time, Word};

use super::column::CHUNK;

/// Members of a group.
const GROUP: usize = 16;

/// Events of the members of a chunk.
#[derive(Clone)]
pub struct Events(Box<[Option<Arc<Group>>]>);

/// A change of an event: slot, when, id; none takes it back.
pub struct EventChange<'f> {
    pub slot: u16,
    pub at: Time,
    pub id: &'f str,
    pub event: Option<Event>,
}

/// Events of sixteen members, one after the other, each member's by (at, id).
struct Group {
    /// Where each member's rows and ids end.
    ends: [(u32, u32); GROUP],
    rows: Box<[Packed]>,
    ids: Box<str>,
    /// Of the few events that ask for points: row, how many.
    points: Box<[(u32, i64)]>,
}

/// An event but for its id and points.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Packed {
    /// 40 bits of seconds reach 17,000 years either way.
    at_low: u32,
    at_high: i8,
    /// The kind, and above it the result: 0 none, 1 failure, 2 success.
    what: u8,
    id_len: u16,
    /// One more than the number, 0 for nobody.
    other: u32,
    product: Word,
    detail: Word,
    channel: Word,
}

/// Bits of [`Packed::what`] that are the kind.
const KIND_BITS: u32 = 4;

/// An event as it is read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct EventRow<'a> {
    pub at: Time,
    pub id: &'a str,
    pub event: Event,
}

/// One member's events, in their order.
#[derive(Clone, Copy)]
pub struct EventsOf<'a> {
    rows: &'a [Packed],
    ids: &'a str,
    points: &'a [(u32, i64)],
    /// The number of the first row in its group.
    first: u32,
}

impl Default for Events {
    fn default() -> Events {
        Events((0..CHUNK / GROUP).map(|_| None).collect())
    }
}

impl Events {
    /// A member's events.
    pub fn of(&self, slot: usize) -> EventsOf<'_> {
        self.0[slot / GROUP].as_ref().map_or(EventsOf::NONE, |group| group.of(slot % GROUP))
    }

    /// Whether a member's events are the very ones of `other`.
    pub fn shares(&self, other: &Events, slot: usize) -> bool {
        match (&self.0[slot / GROUP], &other.0[slot / GROUP]) {
            (Some(one), Some(other)) => Arc::ptr_eq(one, other),
            (one, other) => one.is_none() && other.is_none(),
        }
    }

    /// Everybody's events, with their slots.
    pub fn all(&self) -> impl Iterator<Item = (usize, EventRow<'_>)> {
        let groups = self.0.iter().enumerate().filter_map(|(number, group)| Some((number * GROUP, group.as_ref()?)));
        groups.flat_map(|(slot, group)| {
            (0..GROUP).flat_map(move |place| group.of(place).iter().map(move |row| (slot + place, row)))
        })
    }

    /// Applies changes that are sorted by (slot, at, id); of equal ones the last holds.
    pub fn apply(&mut self, changes: &[EventChange<'_>]) {
        for changes in changes.chunk_by(|one, other| usize::from(one.slot) / GROUP == usize::from(other.slot) / GROUP) {
            let held = &mut self.0[usize::from(changes[0].slot) / GROUP];
            let group = Group::changed(held.as_deref(), changes);
            *held = (!group.rows.is_empty()).then(|| Arc::new(group));
        }
    }
}

impl Group {
    fn of(&self, place: usize) -> EventsOf<'_> {
        let (row, id) = place.checked_sub(1).map_or((0, 0), |before| self.ends[before]);
        let (row_end, id_end) = self.ends[place];
        EventsOf {
            rows: &self.rows[row as usize..row_end as usize],
            ids: &self.ids[id as usize..id_end as usize],
            points: &self.points,
            first: row,
        }
    }

    /// A group with changes, none of it kept from `held` but by copy.
    fn changed(held: Option<&Group>, changes: &[EventChange<'_>]) -> Group {
        let rows = held.map_or(0, |group| group.rows.len()) + changes.len();
        let ids = held.map_or(0, |group| group.ids.len()) + changes.iter().map(|change| change.id.len()).sum::<usize>();
        let mut built = Builder { rows: Vec::with_capacity(rows), ids: String::with_capacity(ids), points: Vec::new() };
        let mut ends = [(0, 0); GROUP];
        let mut rest = changes;
        for (place, end) in ends.iter_mut().enumerate() {
            let own = rest.iter().take_while(|change| usize::from(change.slot) % GROUP == place).count();
            let (own, after) = rest.split_at(own);
            rest = after;
            built.merge(held.map_or(EventsOf::NONE, |group| group.of(place)), own);
            *end = (built.rows.len() as u32, built.ids.len() as u32);
        }
        let Builder { rows, ids, points } = built;
        Group { ends, rows: rows.into(), ids: ids.into(), points: points.into() }
    }
}

struct Builder {
    rows: Vec<Packed>,
    ids: String,
    points: Vec<(u32, i64)>,
}

impl Builder {
    /// A member's events as they stand, with changes.
    fn merge(&mut self, mut held: EventsOf<'_>, changes: &[EventChange<'_>]) {
        for (place, change) in changes.iter().enumerate() {
            let key = (change.at, change.id);
            if changes.get(place + 1).is_some_and(|next| (next.at, next.id) == key) {
                continue;
            }
            let (before, after) = held.split_before(key);
            self.copy(before);
            held = match after.first() {
                Some(row) if (row.at, row.id) == key => after.split_off_first(),
                _ => after,
            };
            if let Some(event) = &change.event {
                self.push(change.at, change.id, event);
            }
        }
        self.copy(held);
    }

    fn copy(&mut self, events: EventsOf<'_>) {
        let first = self.rows.len() as u32;
        self.rows.extend_from_slice(events.rows);
        self.ids.push_str(events.ids);
        self.points.extend(events.asked().map(|(row, points)| (row - events.first + first, points)));
    }

    fn push(&mut self, at: Time, id: &str, event: &Event) {
        let Event { kind, product, other, result, detail, channel, points } = *event;
        if points != 0 {
            self.points.push((self.rows.len() as u32, points));
        }
        let result = result.map_or(0, |result| 1 + u8::from(result));
        self.rows.push(Packed {
            at_low: at.0 as u32,
            at_high: (at.0 >> 32) as i8,
            what: kind as u8 | result << KIND_BITS,
            // At most ID_BYTES_MAX, which files and the log hold to.
            id_len: id.len() as u16,
            other: other.map_or(0, |other| other.0 + 1),
            product,
            detail,
            channel,
        });
        self.ids.push_str(id);
    }
}

impl Packed {
    fn at(&self) -> Time {
        Time(i64::from(self.at_high) << 32 | i64::from(self.at_low))
    }

    fn event(&self, points: i64) -> Event {
        let kind = EventKind::ALL[usize::from(self.what) & ((1 << KIND_BITS) - 1)].0;
        let result = match self.what >> KIND_BITS {
            0 => None,
            result => Some(result == 2),
        };
        let other = self.other.checked_sub(1).map(CustomerIx);
        let (product, detail, channel) = (self.product, self.detail, self.channel);
        Event { kind, product, other, result, detail, channel, points }
    }
}

impl<'a> EventsOf<'a> {
    /// Nobody's.
    pub const NONE: EventsOf<'static> = EventsOf { rows: &[], ids: "", points: &[], first: 0 };

    pub fn len(&self) -> usize {
        self.rows.len()
    }

    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    pub fn iter(self) -> impl Iterator<Item = EventRow<'a>> {
        let mut rest = self;
        std::iter::from_fn(move || {
            let row = rest.first()?;
            rest = rest.split_off_first();
            Some(row)
        })
    }

    /// The first of them.
    pub fn first(&self) -> Option<EventRow<'a>> {
        let row = self.rows.first()?;
        let points = if self.points.is_empty() { 0 } else { self.points_of(self.first) };
        Some(EventRow { at: row.at(), id: &self.ids[..usize::from(row.id_len)], event: row.event(points) })
    }

    /// When the last of them was.
    pub fn last_at(&self) -> Option<Time> {
        self.rows.last().map(Packed::at)
    }

    /// Without the first, where there is one.
    pub fn split_off_first(self) -> EventsOf<'a> {
        let Some((row, rows)) = self.rows.split_first() else { return self };
        EventsOf { rows, ids: &self.ids[usize::from(row.id_len)..], points: self.points, first: self.first + 1 }
    }

    /// What is left of both without the events with which both begin. Some of these may be left too.
    pub fn without_common<'o>(self, other: EventsOf<'o>) -> (EventsOf<'a>, EventsOf<'o>) {
        let common = self.rows.iter().zip(other.rows).take_while(|(one, other)| one == other).count();
        let ((own, rest), (others, other_rest)) = (self.split(common), other.split(common));
        let asks = own.asked().next().is_some() || others.asked().next().is_some();
        if own.ids == others.ids && !asks { (rest, other_rest) } else { (self, other) }
    }

    /// What follows, where these begin with all of `other`.
    pub fn strip_prefix(self, other: EventsOf<'_>) -> Option<EventsOf<'a>> {
        let is_prefix = self.rows.starts_with(other.rows) && self.ids.as_bytes().starts_with(other.ids.as_bytes());
        let (own, rest) = is_prefix.then(|| self.split(other.rows.len()))?;
        let asked = |events: EventsOf<'_>| -> Vec<(u32, i64)> {
            events.asked().map(|(row, points)| (row - events.first, points)).collect()
        };
        (asked(own) == asked(other)).then_some(rest)
    }

    /// Those before a key, and those from it on.
    fn split_before(self, (at, id): (Time, &str)) -> (EventsOf<'a>, EventsOf<'a>) {
        let earlier = self.rows.partition_point(|row| row.at() < at);
        let (_, same) = self.split(earlier);
        let smaller = same.iter().take_while(|row| (row.at, row.id) < (at, id)).count();
        self.split(earlier + smaller)
    }

    fn split(self, rows: usize) -> (EventsOf<'a>, EventsOf<'a>) {
        let (before, after) = self.rows.split_at(rows);
        let (ids_before, ids_after) = self.ids.split_at(before.iter().map(|row| usize::from(row.id_len)).sum());
        let part = |rows, ids, first| EventsOf { rows, ids, points: self.points, first };
        (part(before, ids_before, self.first), part(after, ids_after, self.first + rows as u32))
    }

    /// The rows of these that ask for points.
    fn asked(self) -> impl Iterator<Item = (u32, i64)> + 'a {
        let from = self.points.partition_point(|(row, _)| *row < self.first);
        let end = self.first + self.rows.len() as u32;
        self.points[from..].iter().copied().take_while(move |(row, _)| *row < end)
    }

    fn points_of(&self, row: u32) -> i64 {
        self.points.binary_search_by_key(&row, |(row, _)| *row).map_or(0, |found| self.points[found].1)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn packed_events_are_what_a_map_holds() {
        let mut random = fastrand::Rng::with_seed(5);
        let (mut events, mut map) = (Events::default(), BTreeMap::new());
        for _ in 0..400 {
            let mut facts: Vec<(u16, Time, String, Option<Event>)> = Vec::new();
            for _ in 0..random.usize(1..30) {
                let slot = [0, 1, 15, 16, 2047][random.usize(0..5)];
                let at = Time([-62_135_596_800, -1, 0, 1, 1_245_000_000, 253_402_300_799][random.usize(0..6)]);
                let id = ["", "e", "e1", "事件"][random.usize(0..4)].repeat(random.usize(0..3));
                let event = random.bool().then(|| Event {
                    kind: EventKind::ALL[random.usize(0..EventKind::ALL.len())].0,
                    product: Word(random.u32(..)),
                    other: random.bool().then(|| CustomerIx(random.u32(..u32::MAX))),
                    result: [None, Some(false), Some(true)][random.usize(0..3)],
                    detail: Word(random.u32(..)),
                    channel: Word(random.u32(..)),
                    points: if random.bool() { 0 } else { random.i64(..) },
                });
                facts.push((slot, at, id, event));
            }
            for (slot, at, id, event) in &facts {
                match event {
                    Some(event) => drop(map.insert((*slot, *at, id.clone()), *event)),
                    None => drop(map.remove(&(*slot, *at, id.clone()))),
                }
            }
            facts.sort_by(|one, other| (one.0, one.1, &one.2).cmp(&(other.0, other.1, &other.2)));
            let changes: Vec<EventChange<'_>> = facts
                .iter()
                .map(|(slot, at, id, event)| EventChange { slot: *slot, at: *at, id, event: *event })
                .collect();
            let before = events.clone();
            events.apply(&changes);
            let held: Vec<_> =
                events.all().map(|(slot, row)| ((slot as u16, row.at, row.id.to_owned()), row.event)).collect();
            assert_eq!(held, map.clone().into_iter().collect::<Vec<_>>());
            for slot in [0, 1, 15, 16, 2047] {
                let (one, other) = (before.of(slot), events.of(slot));
                let begins = one.iter().count() <= other.len() && one.iter().zip(other.iter()).all(|(a, b)| a == b);
                let rest = other.strip_prefix(one).map(|rest| rest.iter().collect::<Vec<_>>());
                assert_eq!(rest, begins.then(|| other.iter().skip(one.len()).collect()));
                let (left, others_left) = one.without_common(other);
                let (left, others_left) = (left.iter().collect::<Vec<_>>(), others_left.iter().collect::<Vec<_>>());
                assert!(one.iter().collect::<Vec<_>>().ends_with(&left));
                assert!(other.iter().collect::<Vec<_>>().ends_with(&others_left));
                assert_eq!(one.len() - left.len(), other.len() - others_left.len());
                assert!(one.iter().zip(other.iter()).take(one.len() - left.len()).all(|(one, other)| one == other));
                assert_eq!(other.last_at(), other.iter().last().map(|row| row.at));
            }
        }
    }
}

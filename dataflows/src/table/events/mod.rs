//! The events of a chunk's members, packed.
//!
//! A member has dozens of events, and they are most of what is kept of him: 16 bytes and the id each.
//! Sixteen members share a group of two blocks, which are never changed but built anew: what a reader
//! holds stays as it was. Events come in the order of time mostly, so the second block has the latest
//! of each member and is small: a day's events cost the copy of the last days', and the first block
//! stays the one that readers hold too. Once the second has grown to about half of the first they
//! become one, at other sizes for every group, so that never all of them are copied at once.

mod block;

use std::sync::Arc;

use crate::records::Event;
use crate::types::Time;

use super::column::CHUNK;
use block::{Block, Run};

/// Members of a group.
const GROUP: usize = 16;

/// Events of the members of a chunk.
#[derive(Clone)]
pub struct Events(Box<[Group]>);

/// Of each member, the rows of the second block come after those of the first.
#[derive(Clone, Default)]
struct Group {
    old: Option<Arc<Block>>,
    new: Option<Arc<Block>>,
}

/// A change of an event: slot, when, id; none takes it back.
pub struct EventChange<'f> {
    pub slot: u16,
    pub at: Time,
    pub id: &'f str,
    pub event: Option<Event>,
}

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
    old: Run<'a>,
    new: Run<'a>,
}

/// The same, one after the other.
#[derive(Clone, Copy)]
pub struct Iter<'a>(EventsOf<'a>);

impl Default for Events {
    fn default() -> Events {
        Events(vec![Group::default(); CHUNK / GROUP].into())
    }
}

impl EventChange<'_> {
    fn key(&self) -> (Time, &str) {
        (self.at, self.id)
    }
}

impl Events {
    /// A member's events.
    pub fn of(&self, slot: usize) -> EventsOf<'_> {
        self.0[slot / GROUP].of(slot % GROUP)
    }

    /// Whether a member's events are the very ones of `other`.
    pub fn shares(&self, other: &Events, slot: usize) -> bool {
        let same = |one: &Option<Arc<Block>>, other: &Option<Arc<Block>>| match (one, other) {
            (Some(one), Some(other)) => Arc::ptr_eq(one, other),
            (one, other) => one.is_none() && other.is_none(),
        };
        let (one, other) = (&self.0[slot / GROUP], &other.0[slot / GROUP]);
        same(&one.old, &other.old) && same(&one.new, &other.new)
    }

    /// Everybody's events, with their slots.
    pub fn all(&self) -> impl Iterator<Item = (usize, EventRow<'_>)> {
        let groups = self.0.iter().enumerate().filter(|(_, group)| !group.is_empty());
        groups.flat_map(|(number, group)| {
            (0..GROUP).flat_map(move |place| group.of(place).iter().map(move |row| (number * GROUP + place, row)))
        })
    }

    /// Applies changes that are sorted by (slot, at, id); of equal ones the last holds. Calls `rewind` with whose events
    /// did not only grow at their end, and from when on they changed.
    pub fn apply(&mut self, changes: &[EventChange<'_>], mut rewind: impl FnMut(u16, Time)) {
        for changes in changes.chunk_by(|one, other| usize::from(one.slot) / GROUP == usize::from(other.slot) / GROUP) {
            let number = usize::from(changes[0].slot) / GROUP;
            self.0[number].apply(number, changes, &mut rewind);
        }
    }
}

impl Group {
    fn is_empty(&self) -> bool {
        self.old.is_none() && self.new.is_none()
    }

    fn of(&self, place: usize) -> EventsOf<'_> {
        let [old, new] =
            [&self.old, &self.new].map(|block| block.as_deref().map_or(Run::NONE, |block| block.of(place)));
        EventsOf { old, new }
    }

    fn apply(&mut self, number: usize, changes: &[EventChange<'_>], rewind: &mut impl FnMut(u16, Time)) {
        let mut reaches_old = false;
        for own in changes.chunk_by(|one, other| one.slot == other.slot) {
            let EventsOf { old, new } = self.of(usize::from(own[0].slot) % GROUP);
            let first = own[0].key();
            // Ids are looked at where times are equal.
            let is_reached = |run: &Run<'_>| {
                run.last_at().is_some_and(|at| first.0 < at || first.0 == at && Some(first) <= run.last_key())
            };
            reaches_old |= is_reached(&old);
            if is_reached(&new) || is_reached(&old) || own.iter().any(|change| change.event.is_none()) {
                rewind(own[0].slot, own[0].at);
            }
        }
        let rows = |block: &Option<Arc<Block>>| block.as_ref().map_or(0, |block| block.len());
        let news = rows(&self.new) + changes.len();
        // From 5 to 12 sixteenths.
        if reaches_old || news * 16 >= rows(&self.old) * (5 + number % 8) {
            let all = Block::built([self.old.as_deref(), self.new.as_deref()], changes);
            *self = Group { old: (all.len() > 0).then(|| Arc::new(all)), new: None };
        } else {
            let new = Block::built([None, self.new.as_deref()], changes);
            self.new = (new.len() > 0).then(|| Arc::new(new));
        }
    }
}

impl<'a> EventsOf<'a> {
    pub fn len(&self) -> usize {
        self.old.len() + self.new.len()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub fn iter(self) -> Iter<'a> {
        Iter(self)
    }

    pub fn first(self) -> Option<EventRow<'a>> {
        self.iter().next()
    }

    /// When the last of them was.
    pub fn last_at(&self) -> Option<Time> {
        self.new.last_at().or(self.old.last_at())
    }

    /// How many of them are before a time.
    pub fn before(&self, at: Time) -> usize {
        self.old.before(at) + self.new.before(at)
    }

    /// Without the first so many.
    pub fn after(self, rows: usize) -> EventsOf<'a> {
        match rows.checked_sub(self.old.len()) {
            Some(rows) => EventsOf { old: Run::NONE, new: self.new.split(rows).1 },
            None => EventsOf { old: self.old.split(rows).1, new: self.new },
        }
    }

    /// How many events both begin with.
    fn common(&self, other: &EventsOf<'_>) -> usize {
        let known = if self.old.is(&other.old) { self.old.len() } else { 0 };
        let (own, other) = (self.after(known), other.after(known));
        known + own.iter().zip(other.iter()).take_while(|(one, other)| one == other).count()
    }

    /// What follows, where these begin with all of `other`.
    pub fn strip_prefix(self, other: EventsOf<'_>) -> Option<EventsOf<'a>> {
        (other.len() <= self.len() && self.common(&other) == other.len()).then(|| self.after(other.len()))
    }
}

impl<'a> Iterator for Iter<'a> {
    type Item = EventRow<'a>;

    #[inline]
    fn next(&mut self) -> Option<EventRow<'a>> {
        let Iter(EventsOf { old, new }) = self;
        old.next().or_else(|| new.next())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::records::EventKind;
    use crate::table::column::Bits;
    use crate::types::{CustomerIx, Word};

    #[test]
    fn packed_events_are_what_a_map_holds() {
        let mut random = fastrand::Rng::with_seed(5);
        let (mut events, mut map, mut grows) = (Events::default(), BTreeMap::new(), 0);
        for round in 0..400 {
            if round % 40 == 0 {
                (events, map) = (Events::default(), BTreeMap::new());
            }
            let mut facts: Vec<(u16, Time, String, Option<Event>)> = Vec::new();
            for _ in 0..random.usize(1..30) {
                let slot = [0, 1, 15, 16, 2047][random.usize(0..5)];
                let late = if round % 40 < 20 { round * 100 } else { 0 };
                let at =
                    Time([-62_135_596_800, -1, 0, 1, 1_245_000_000, 253_402_300_799][random.usize(0..6)].max(late));
                let id = ["", "e", "e1", "事件"][random.usize(0..4)].repeat(random.usize(0..3));
                let event = (late > 0 || random.bool()).then(|| Event {
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
            let (mut rewound, mut since) = (Bits::none(), BTreeMap::new());
            events.apply(&changes, |slot, at| {
                rewound.set(usize::from(slot), true);
                since.insert(usize::from(slot), at);
            });
            let held: Vec<_> =
                events.all().map(|(slot, row)| ((slot as u16, row.at, row.id.to_owned()), row.event)).collect();
            assert_eq!(held, map.clone().into_iter().collect::<Vec<_>>());
            for slot in [0, 1, 15, 16, 2047] {
                let (one, other) = (before.of(slot), events.of(slot));
                let begins = one.iter().count() <= other.len() && one.iter().zip(other.iter()).all(|(a, b)| a == b);
                let rest = other.strip_prefix(one).map(|rest| rest.iter().collect::<Vec<_>>());
                assert_eq!(rest, begins.then(|| other.iter().skip(one.len()).collect()));
                let since = since.get(&slot).copied().unwrap_or(Time(i64::MAX));
                let before = |events: EventsOf<'_>| {
                    events
                        .iter()
                        .take(events.before(since))
                        .map(|row| (row.at, row.id.to_owned(), row.event))
                        .collect::<Vec<_>>()
                };
                assert!(before(other).starts_with(&before(one)));
                assert_eq!(other.last_at(), other.iter().last().map(|row| row.at));
                assert_eq!(other.before(Time(1)), other.iter().filter(|row| row.at < Time(1)).count());
                grows += usize::from(!rewound.get(slot) && other.len() > one.len() && !one.is_empty());
                assert!(rewound.get(slot) || rest.is_some());
            }
        }
        assert!(grows >= 20, "{grows}");
    }
}

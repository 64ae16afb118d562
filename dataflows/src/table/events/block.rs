//! Events of sixteen members in a few allocations, never changed but built anew.

use hashbrown::HashMap;

use crate::records::{Event, EventKind};
use crate::types::{CustomerIx, Time, Word};

use super::{EventChange, EventRow, GROUP};

/// Events of sixteen members, one member's after the other's, each by (at, id).
pub(super) struct Block {
    /// Where each member's rows and ids end.
    ends: [(u32, u32); GROUP],
    rows: Box<[Packed]>,
    ids: Box<str>,
    /// What rows are about, each once.
    abouts: Box<[About]>,
    /// Of the few events that ask for points: row, how many.
    points: Box<[(u32, i64)]>,
}

/// An event but for its id and points: 16 bytes.
#[derive(Clone, Copy)]
struct Packed {
    /// 40 bits of seconds reach 17,000 years either way.
    at_low: u32,
    /// One more than the number, 0 for nobody.
    other: u32,
    /// Its place among [`Block::abouts`].
    about: u32,
    id_len: u16,
    at_high: i8,
    /// The kind, and above it the result: 0 none, 1 failure, 2 success.
    what: u8,
}

/// What many events have in common.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct About {
    product: Word,
    detail: Word,
    channel: Word,
}

/// Bits of [`Packed::what`] that are the kind.
const KIND_BITS: u32 = 4;

/// One member's events in a block, or what is left of them.
#[derive(Clone, Copy)]
pub(super) struct Run<'a> {
    rows: &'a [Packed],
    /// Of the whole block, and from where to where it is of these rows: it is not looked into before an id is
    /// asked for, since looking is what costs.
    ids: &'a str,
    from: u32,
    until: u32,
    abouts: &'a [About],
    points: &'a [(u32, i64)],
    /// The number of the first row in its block.
    first: u32,
}

impl Block {
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// The events of the member in a place.
    pub fn of(&self, place: usize) -> Run<'_> {
        let (row, id) = place.checked_sub(1).map_or((0, 0), |before| self.ends[before]);
        let (row_end, id_end) = self.ends[place];
        Run {
            rows: &self.rows[row as usize..row_end as usize],
            ids: &self.ids,
            from: id,
            until: id_end,
            abouts: &self.abouts,
            points: &self.points,
            first: row,
        }
    }

    /// Two blocks as one, with changes. Of each member the rows of the first come before those of the second.
    pub fn built(held: [Option<&Block>; 2], changes: &[EventChange<'_>]) -> Block {
        let sum = |of: fn(&Block) -> usize| held.into_iter().flatten().map(of).sum::<usize>();
        let ids = sum(|block| block.ids.len()) + changes.iter().map(|change| change.id.len()).sum::<usize>();
        let mut built = Builder {
            rows: Vec::with_capacity(sum(Block::len) + changes.len()),
            ids: String::with_capacity(ids),
            abouts: held[0].map_or_else(Vec::new, |block| block.abouts.to_vec()),
            known: HashMap::default(),
            points: Vec::new(),
        };
        let moved: Vec<u32> =
            held[1].map_or_else(Vec::new, |block| block.abouts.iter().map(|about| built.about(*about)).collect());
        let mut ends = [(0, 0); GROUP];
        let mut rest = changes;
        for (place, end) in ends.iter_mut().enumerate() {
            let own = rest.iter().take_while(|change| usize::from(change.slot) % GROUP == place).count();
            let (own, after) = rest.split_at(own);
            rest = after;
            let [first, second] = held.map(|block| block.map_or(Run::NONE, |block| block.of(place)));
            let cut = second.first_key().map_or(own.len(), |key| own.partition_point(|change| change.key() < key));
            built.merge(first, &own[..cut], None);
            built.merge(second, &own[cut..], Some(&moved));
            *end = (built.rows.len() as u32, built.ids.len() as u32);
        }
        built.forget_unused();
        let Builder { rows, ids, abouts, points, .. } = built;
        Block { ends, rows: rows.into(), ids: ids.into(), abouts: abouts.into(), points: points.into() }
    }
}

struct Builder {
    rows: Vec<Packed>,
    ids: String,
    abouts: Vec<About>,
    /// Their places, once there are too many to look through.
    known: HashMap<About, u32, foldhash::fast::RandomState>,
    points: Vec<(u32, i64)>,
}

/// Abouts of a block that are looked through.
const LOOKED_THROUGH: usize = 32;

impl Builder {
    /// A member's events as they stand, with changes; where `moved` is given, it says where their abouts are.
    fn merge(&mut self, mut held: Run<'_>, changes: &[EventChange<'_>], moved: Option<&[u32]>) {
        for (place, change) in changes.iter().enumerate() {
            if changes.get(place + 1).is_some_and(|next| next.key() == change.key()) {
                continue;
            }
            let (before, after) = held.split_before(change.key());
            self.copy(before, moved);
            held = if after.first_key() == Some(change.key()) { after.split(1).1 } else { after };
            if let Some(event) = &change.event {
                self.push(change.at, change.id, event);
            }
        }
        self.copy(held, moved);
    }

    fn copy(&mut self, run: Run<'_>, moved: Option<&[u32]>) {
        let first = self.rows.len() as u32;
        match moved {
            None => self.rows.extend_from_slice(run.rows),
            Some(moved) => {
                self.rows.extend(run.rows.iter().map(|row| Packed { about: moved[row.about as usize], ..*row }));
            }
        }
        self.ids.push_str(run.text(run.from, run.until));
        self.points.extend(run.asked().map(|(row, points)| (row - run.first + first, points)));
    }

    fn push(&mut self, at: Time, id: &str, event: &Event) {
        let Event { kind, product, other, result, detail, channel, points } = *event;
        if points != 0 {
            self.points.push((self.rows.len() as u32, points));
        }
        let result = result.map_or(0, |result| 1 + u8::from(result));
        let about = self.about(About { product, detail, channel });
        self.rows.push(Packed {
            at_low: at.0 as u32,
            at_high: (at.0 >> 32) as i8,
            what: kind as u8 | result << KIND_BITS,
            // At most ID_BYTES_MAX, which files and the log hold to.
            id_len: id.len() as u16,
            other: other.map_or(0, |other| other.0 + 1),
            about,
        });
        self.ids.push_str(id);
    }

    fn about(&mut self, about: About) -> u32 {
        let next = self.abouts.len() as u32;
        let place = if self.abouts.len() <= LOOKED_THROUGH {
            self.abouts.iter().position(|known| *known == about).map_or(next, |place| place as u32)
        } else {
            if self.known.is_empty() {
                self.known = self.abouts.iter().enumerate().map(|(place, about)| (*about, place as u32)).collect();
            }
            *self.known.entry(about).or_insert(next)
        };
        if place == next {
            self.abouts.push(about);
        }
        place
    }

    /// What no row is about any more goes once it is as much as the rows.
    fn forget_unused(&mut self) {
        if self.abouts.len() <= self.rows.len() + 1 {
            return;
        }
        let abouts = std::mem::take(&mut self.abouts);
        self.known.clear();
        let mut rows = std::mem::take(&mut self.rows);
        rows.iter_mut().for_each(|row| row.about = self.about(abouts[row.about as usize]));
        self.rows = rows;
    }
}

impl<'a> Run<'a> {
    pub const NONE: Run<'static> = Run { rows: &[], ids: "", from: 0, until: 0, abouts: &[], points: &[], first: 0 };

    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether it is the very memory of another.
    pub fn is(&self, other: &Run<'_>) -> bool {
        std::ptr::eq(self.rows, other.rows)
    }

    fn text(&self, from: u32, until: u32) -> &'a str {
        &self.ids[from as usize..until as usize]
    }

    /// The id of the first row.
    fn id(&self, row: &Packed) -> &'a str {
        self.text(self.from, self.from + u32::from(row.id_len))
    }

    #[inline]
    pub fn first(&self) -> Option<EventRow<'a>> {
        let row = self.rows.first()?;
        let points = if self.points.is_empty() { 0 } else { self.points_of(self.first) };
        let event = row.event(self.abouts[row.about as usize], points);
        Some(EventRow { at: row.at(), id: self.id(row), event })
    }

    fn first_key(&self) -> Option<(Time, &'a str)> {
        self.rows.first().map(|row| (row.at(), self.id(row)))
    }

    pub fn last_key(&self) -> Option<(Time, &'a str)> {
        self.rows.last().map(|row| (row.at(), self.text(self.until - u32::from(row.id_len), self.until)))
    }

    pub fn last_at(&self) -> Option<Time> {
        self.rows.last().map(Packed::at)
    }

    /// How many rows are before a time.
    pub fn before(&self, at: Time) -> usize {
        self.rows.partition_point(|row| row.at() < at)
    }

    /// Takes the first off.
    #[inline]
    pub fn next(&mut self) -> Option<EventRow<'a>> {
        let row = self.first()?;
        self.rows = &self.rows[1..];
        self.from += row.id.len() as u32;
        self.first += 1;
        Some(row)
    }

    /// Those before a key, and those from it on.
    fn split_before(self, (at, id): (Time, &str)) -> (Run<'a>, Run<'a>) {
        let (_, mut rest) = self.split(self.before(at));
        while rest.first_key().is_some_and(|key| key < (at, id)) {
            rest = rest.split(1).1;
        }
        self.split(self.len() - rest.len())
    }

    pub fn split(self, rows: usize) -> (Run<'a>, Run<'a>) {
        let (before, after) = self.rows.split_at(rows);
        let cut = self.from + before.iter().map(|row| u32::from(row.id_len)).sum::<u32>();
        let first = self.first + rows as u32;
        (Run { rows: before, until: cut, ..self }, Run { rows: after, from: cut, first, ..self })
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

impl Packed {
    fn at(&self) -> Time {
        Time(i64::from(self.at_high) << 32 | i64::from(self.at_low))
    }

    fn event(&self, About { product, detail, channel }: About, points: i64) -> Event {
        let kind = EventKind::ALL[usize::from(self.what) & ((1 << KIND_BITS) - 1)].0;
        let result = match self.what >> KIND_BITS {
            0 => None,
            result => Some(result == 2),
        };
        let other = self.other.checked_sub(1).map(CustomerIx);
        Event { kind, product, other, result, detail, channel, points }
    }
}

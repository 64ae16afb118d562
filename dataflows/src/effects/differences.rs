//! How the effects of campaigns differ between a chunk as it was settled and as it is now.
//!
//! Of a customer whose rows changed only the campaigns of those rows are looked at; of one who is another than he was
//! (his class, his city, a segment) all of them, and of those effect_by alone.

use std::sync::Arc;

use super::by::{By, Value};
use super::life::{Counted, Life, Scratch, Share};
use super::{Dimension, Effect};
use crate::customers::SegmentPlaces;
use crate::rules::compiled::Compiled;
use crate::table::Chunk;
use crate::table::chunk::{ABSENT, CITY};
use crate::table::column::{Bits, Slots};
use crate::tiers;
use crate::types::{Diff, Word};
use crate::views::Counts;

/// A chunk, and what it was decided under.
type Side<'a> = (&'a Chunk, &'a Compiled);

/// What the changes of a pass are gathered in.
#[derive(Default)]
pub struct Gathered {
    by: By,
    was: Scratch,
    is: Scratch,
    /// Campaigns of rows that changed.
    campaigns: Vec<Word>,
    cells: Vec<(Effect, Diff)>,
}

impl Gathered {
    /// Tells what is gathered.
    pub fn tell(&mut self, counts: &mut Counts) {
        self.by.tell(counts);
    }

    /// Counts what changed. Customers outside `slots` have kept their rows, class and city; whoever entered or left a
    /// segment is found by himself.
    pub fn gather(
        &mut self,
        sides: (Side<'_>, Side<'_>),
        slots: &Slots,
        segments: &[SegmentPlaces],
        counts: &mut Counts,
    ) {
        let ((before, _), (after, _)) = sides;
        if is_empty(before) && is_empty(after) {
            return;
        }
        let same_rows = Arc::ptr_eq(&before.contacts, &after.contacts)
            && Arc::ptr_eq(&before.handoffs, &after.handoffs)
            && Arc::ptr_eq(&before.feedbacks, &after.feedbacks);
        let mut was_of = People::new(sides.0, segments, |places| places.old, &mut self.by);
        let mut is_of = People::new(sides.1, segments, |places| places.new, &mut self.by);
        for slot in visited((before, after), slots, segments).slots() {
            was_of.look(slot, &mut self.by);
            is_of.look(slot, &mut self.by);
            let (was, is) = (Life::of(before, slot), Life::of(after, slot));
            self.campaigns.clear();
            if !same_rows {
                was.differences(&is, &mut self.campaigns);
            }
            if was_of.who != is_of.who {
                self.move_customer((&was, &is), (&was_of.who, &is_of.who), counts);
            } else if !self.campaigns.is_empty() {
                self.count_customer((&was, &is), &is_of.who, counts);
            }
        }
        if self.by.is_full() {
            self.by.tell(counts);
        }
    }

    /// A customer whose rows changed, and nothing else.
    fn count_customer(&mut self, (was, is): (&Life<'_>, &Life<'_>), who: &[Value], counts: &mut Counts) {
        let Gathered { by, was: before, is: after, campaigns, cells } = self;
        was.count(Some(campaigns), before, &mut |cell| counts.add(cell, -1));
        is.count(Some(campaigns), after, &mut |cell| counts.add(cell, 1));
        pairs(before.by_channel(), after.by_channel(), Share::key, |share, was, is| {
            is.difference(was, cells);
            cells.iter().for_each(|(effect, diff)| counts.add(share.cell(*effect), *diff));
        });
        pairs(before.by_arm(), after.by_arm(), Share::key, |share, was, is| {
            is.difference(was, cells);
            if !cells.is_empty() {
                by.add((share.campaign, share.group), who, cells, 1);
            }
        });
    }

    /// A customer who is another than he was.
    fn move_customer(
        &mut self,
        (was, is): (&Life<'_>, &Life<'_>),
        (from, to): (&[Value], &[Value]),
        counts: &mut Counts,
    ) {
        if !self.campaigns.is_empty() {
            // As who he was; then he moves.
            self.count_customer((was, is), from, counts);
        }
        let Gathered { by, is: after, cells, .. } = self;
        is.count(None, after, &mut |_| {});
        let left: Vec<Value> = from.iter().copied().filter(|of| !to.contains(of)).collect();
        let joined: Vec<Value> = to.iter().copied().filter(|of| !from.contains(of)).collect();
        for share in after.by_arm() {
            share.counted.difference(&Counted::default(), cells);
            by.add((share.campaign, share.group), &left, cells, -1);
            by.add((share.campaign, share.group), &joined, cells, 1);
        }
    }
}

/// Calls `each` with the shares that have a key, before and after; who has none there counts nothing.
fn pairs<K: Ord>(
    before: &[Share],
    after: &[Share],
    key: impl Fn(&Share) -> K,
    mut each: impl FnMut(&Share, &Counted, &Counted),
) {
    let (none, mut before, mut after) = (Counted::default(), before.iter().peekable(), after.iter().peekable());
    loop {
        let order = match (before.peek(), after.peek()) {
            (None, None) => return,
            (Some(_), None) => std::cmp::Ordering::Less,
            (None, Some(_)) => std::cmp::Ordering::Greater,
            (Some(was), Some(is)) => key(was).cmp(&key(is)),
        };
        let was = if order.is_le() { before.next() } else { None };
        let is = if order.is_ge() { after.next() } else { None };
        if let Some(share) = is.or(was) {
            each(share, was.map_or(&none, |share| &share.counted), is.map_or(&none, |share| &share.counted));
        }
    }
}

fn is_empty(chunk: &Chunk) -> bool {
    chunk.contacts.is_empty() && chunk.handoffs.is_empty() && chunk.feedbacks.is_empty()
}

/// Customers with rows who may count otherwise than before.
fn visited((before, after): (&Chunk, &Chunk), slots: &Slots, segments: &[SegmentPlaces]) -> Bits {
    let mut visited = Bits::none();
    (0..slots.len()).for_each(|place| visited.set(slots.slot(place), true));
    let nobody = Arc::new(Bits::none());
    for SegmentPlaces { old, new, .. } in segments {
        let was = old.and_then(|place| before.segments.get(place)).unwrap_or(&nobody);
        let is = new.and_then(|place| after.segments.get(place)).unwrap_or(&nobody);
        if !Arc::ptr_eq(was, is) {
            is.differences(was).for_each(|(slot, _)| visited.set(slot, true));
        }
    }
    if visited.count() > FEW {
        // Most customers of most chunks were never contacted: they are told by a look at each row of those who were.
        let mut strangers = Bits::all();
        [before, after].iter().for_each(|chunk| strangers.subtract(&concerned(chunk)));
        visited.subtract(&strangers);
    }
    visited
}

/// Customers of whom there is any row.
pub(super) fn concerned(chunk: &Chunk) -> Bits {
    let mut concerned = Bits::none();
    let contacts = chunk.contacts.rows().iter().map(|((slot, ..), _)| *slot);
    let handoffs = chunk.handoffs.rows().iter().map(|((slot, ..), _)| *slot);
    let feedbacks = chunk.feedbacks.rows().iter().map(|((slot, ..), _)| *slot);
    contacts.chain(handoffs).chain(feedbacks).for_each(|slot| concerned.set(usize::from(slot), true));
    concerned
}

/// Customers whose rows are found by a search each, at most.
const FEW: usize = 64;

/// Who customers of a chunk are, for effect_by.
struct People<'a> {
    chunk: &'a Chunk,
    /// By class code.
    tiers: Vec<Value>,
    /// Segments with their members.
    segments: Vec<(&'a Bits, Value)>,
    /// The city met last.
    city: Option<(u32, Value)>,
    /// The values of whoever was looked at last.
    who: Vec<Value>,
}

impl<'a> People<'a> {
    fn new(
        (chunk, rules): Side<'a>,
        segments: &[SegmentPlaces],
        place: impl Fn(&SegmentPlaces) -> Option<usize>,
        by: &mut By,
    ) -> People<'a> {
        let codes = tiers::words(rules).len() as u8;
        let tier = |code: u8| if code == ABSENT { Word::NULL } else { tiers::word(rules, code) };
        let members = |places: &SegmentPlaces| {
            let members = chunk.segments.get(place(places)?)?;
            Some((&**members, places.segment))
        };
        People {
            chunk,
            tiers: (0..codes.max(ABSENT + 1)).map(|code| by.value(Dimension::Tier, tier(code))).collect(),
            segments: (segments.iter().filter_map(members))
                .map(|(members, segment)| (members, by.value(Dimension::Segment, segment)))
                .collect(),
            city: None,
            who: Vec::new(),
        }
    }

    fn look(&mut self, slot: usize, by: &mut By) {
        let city = self.chunk.customers.texts[CITY].get(slot);
        let of_city = match self.city {
            Some((met, value)) if met == city => value,
            _ => by.value(Dimension::City, Word(city)),
        };
        self.city = Some((city, of_city));
        self.who.clear();
        self.who.push(of_city);
        self.who.extend(self.tiers.get(usize::from(self.chunk.class[slot])));
        self.who.extend(self.segments.iter().filter(|(members, _)| members.get(slot)).map(|(_, value)| *value));
    }
}

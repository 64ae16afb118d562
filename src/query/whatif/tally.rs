//! How chunks as they are tried differ from chunks as they are: customers who come and go, by list.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use dataflows::customers::{SegmentPlaces, cell};
use dataflows::rules::compiled::Compiled;
use dataflows::table::column::CHUNK;
use dataflows::targets::codes::{OUTSIDE, is_target};
use dataflows::targets::{Column, Listing};
use dataflows::types::{CustomerIx, Word};
use dataflows::views::Change;

use super::kept::{Kept, Kind, Limits, Side};
use super::shape::{CampaignPlaces, Shape};
use super::trials::Tried;
use crate::store::Names;

/// Who comes to a list and who goes from it.
pub(super) struct Moved<'n> {
    pub added: u64,
    pub removed: u64,
    /// Of a target list: who stays with another product, channel or arm.
    pub changed: u64,
    pub came: Kept<'n>,
    pub went: Kept<'n>,
}

/// What some chunks come to.
pub(super) struct Tally<'n> {
    names: &'n Names,
    limits: Limits,
    shape: Option<Arc<Shape>>,
    pub segments: BTreeMap<Word, Moved<'n>>,
    /// The null class is the null word.
    pub tiers: BTreeMap<Word, Moved<'n>>,
    /// From tier to tier; none where there is no row.
    pub moves: BTreeMap<(Option<Word>, Option<Word>), u64>,
    pub lists: BTreeMap<Word, Moved<'n>>,
    /// Of target_count, target_excluded and rank_count.
    pub cells: HashMap<Change, i64>,
    /// Customers with another balance of points.
    pub balances: u64,
}

impl<'n> Moved<'n> {
    fn new(limits: Limits, kind: Kind, of: Word) -> Moved<'n> {
        let kept = |side| Kept::new(limits.most(kind, of, side));
        Moved { added: 0, removed: 0, changed: 0, came: kept(Side::Added), went: kept(Side::Removed) }
    }

    fn merge(&mut self, other: Moved<'n>) {
        self.added += other.added;
        self.removed += other.removed;
        self.changed += other.changed;
        self.came.merge(other.came);
        self.went.merge(other.went);
    }

    /// One customer comes, or goes.
    fn add(&mut self, comes: bool, id: impl FnOnce() -> &'n str) {
        let (count, kept) = if comes { (&mut self.added, &mut self.came) } else { (&mut self.removed, &mut self.went) };
        *count += 1;
        kept.keep(id);
    }
}

impl<'n> Tally<'n> {
    pub fn new(names: &'n Names, limits: Limits) -> Tally<'n> {
        Tally {
            names,
            limits,
            shape: None,
            segments: BTreeMap::new(),
            tiers: BTreeMap::new(),
            moves: BTreeMap::new(),
            lists: BTreeMap::new(),
            cells: HashMap::new(),
            balances: 0,
        }
    }

    pub fn add(&mut self, tried: &Tried<'_>) {
        if std::ptr::eq(tried.before, tried.after) {
            return;
        }
        let shape = self.shape.get_or_insert_with(|| Arc::new(Shape::of(tried.rules.0, tried.rules.1))).clone();
        shape.segments.iter().for_each(|places| self.segment(tried, places, &shape));
        self.classes(tried, &shape);
        self.points(tried, &shape);
        shape.campaigns.iter().for_each(|places| self.list(tried, places, &shape));
    }

    pub fn merge(&mut self, other: Tally<'n>) {
        for (held, others) in
            [(&mut self.segments, other.segments), (&mut self.tiers, other.tiers), (&mut self.lists, other.lists)]
        {
            for (of, moved) in others {
                match held.entry(of) {
                    std::collections::btree_map::Entry::Vacant(entry) => drop(entry.insert(moved)),
                    std::collections::btree_map::Entry::Occupied(mut entry) => entry.get_mut().merge(moved),
                }
            }
        }
        other.moves.into_iter().for_each(|(key, count)| *self.moves.entry(key).or_default() += count);
        other.cells.into_iter().for_each(|(cell, diff)| *self.cells.entry(cell).or_default() += diff);
        self.balances += other.balances;
    }

    fn id(names: &'n Names, customer: CustomerIx) -> &'n str {
        names.customers.text(customer.0).unwrap_or_default()
    }

    fn segment(&mut self, tried: &Tried<'_>, places: &SegmentPlaces, shape: &Shape) {
        let was = places.old.and_then(|place| tried.before.segments.get(place)).unwrap_or(&shape.nobody);
        let is = places.new.and_then(|place| tried.after.segments.get(place)).unwrap_or(&shape.nobody);
        if Arc::ptr_eq(was, is) {
            return;
        }
        let (limits, names) = (self.limits, self.names);
        for (slot, comes) in is.differences(was) {
            let moved = self.segments.entry(places.segment);
            let moved = moved.or_insert_with(|| Moved::new(limits, Kind::Segment, places.segment));
            moved.add(comes, || Tally::id(names, (tried.customer)(slot)));
        }
    }

    fn classes(&mut self, tried: &Tried<'_>, shape: &Shape) {
        let (was, is) = (&tried.before.class, &tried.after.class);
        if shape.same_tiers && (Arc::ptr_eq(was, is) || was == is) {
            return;
        }
        let (limits, names) = (self.limits, self.names);
        let row = |tiers: &[Option<Word>], code: u8| tiers.get(usize::from(code)).copied().flatten();
        for slot in 0..CHUNK {
            let tiers = (row(&shape.tiers.0, was[slot]), row(&shape.tiers.1, is[slot]));
            if tiers.0 == tiers.1 {
                continue;
            }
            *self.moves.entry(tiers).or_default() += 1;
            for (tier, comes) in [(tiers.0, false), (tiers.1, true)] {
                let Some(tier) = tier else { continue };
                let moved = self.tiers.entry(tier).or_insert_with(|| Moved::new(limits, Kind::Tier, tier));
                moved.add(comes, || Tally::id(names, (tried.customer)(slot)));
            }
        }
    }

    fn points(&mut self, tried: &Tried<'_>, shape: &Shape) {
        let (before, after) = (&tried.before.points, &tried.after.points);
        if shape.same_ranks && Arc::ptr_eq(before, after) {
            return;
        }
        for slot in 0..CHUNK {
            let balances = (before.get(slot), after.get(slot));
            let left = (balances.0.map(|balance| balance.left), balances.1.map(|balance| balance.left));
            self.balances += u64::from(left.0 != left.1);
            for (balance, rules, diff) in [(balances.0, tried.rules.0, -1), (balances.1, tried.rules.1, 1)] {
                if let Some(member) = balance.filter(|balance| balance.member && rules.points.counts_ranks()) {
                    let cell = Change::RankCount { rank: rules.points.rank(member.left) };
                    *self.cells.entry(cell).or_default() += diff;
                }
            }
        }
    }

    fn list(&mut self, tried: &Tried<'_>, places: &CampaignPlaces, shape: &Shape) {
        let column = |of: &'_ dataflows::table::Chunk, place: Option<usize>| -> Column {
            place.and_then(|place| of.targets.columns.get(place)).unwrap_or(&shape.nothing).clone()
        };
        let (was, is) = (column(tried.before, places.old), column(tried.after, places.new));
        if places.same && was.is(&is) {
            return;
        }
        let old = places.old.map(|place| &tried.rules.0.targets.listings[place]);
        let new = places.new.map(|place| &tried.rules.1.targets.listings[place]);
        let (limits, names) = (self.limits, self.names);
        let mut counts = [[0i64; 256]; 2];
        for slot in 0..CHUNK {
            let codes = (was.code[slot], is.code[slot]);
            let stays = places.same && codes.0 == codes.1;
            if codes == (OUTSIDE, OUTSIDE) || stays && !(is_target(codes.1) && is.differs_in_product(&was, slot)) {
                continue;
            }
            counts[0][usize::from(codes.0)] += 1;
            counts[1][usize::from(codes.1)] += 1;
            let target = |column: &Column, listing: Option<&Listing>| column.target(slot, listing?);
            let targets = (target(&was, old), target(&is, new));
            if targets.0 == targets.1 {
                continue;
            }
            let moved = self.lists.entry(places.campaign);
            let moved = moved.or_insert_with(|| Moved::new(limits, Kind::Campaign, places.campaign));
            match targets {
                (Some(_), Some(_)) => moved.changed += 1,
                (from, _) => moved.add(from.is_none(), || Tally::id(names, (tried.customer)(slot))),
            }
        }
        self.cells(&counts[0], (tried.rules.0, old), -1);
        self.cells(&counts[1], (tried.rules.1, new), 1);
    }

    /// Adds the cells that codes are of.
    fn cells(&mut self, counts: &[i64; 256], (rules, listing): (&Compiled, Option<&Listing>), sign: i64) {
        let Some(listing) = listing else { return };
        for (code, count) in (0..=u8::MAX).zip(counts).filter(|(_, count)| **count != 0) {
            if let Some(cell) = cell(rules, listing, code) {
                *self.cells.entry(cell).or_default() += sign * count;
            }
        }
    }
}

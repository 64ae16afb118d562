//! The differences between a chunk as it was settled and as it is now.

use std::sync::Arc;

use hashbrown::HashMap;

use super::Told;
use crate::points::Books;
use crate::rules::compiled::Compiled;
use crate::stages::Stage;
use crate::table::chunk::{ABSENT, CITY, Chunk, Classes, FIRST_CLASS};
use crate::table::column::{Bits, CHUNK, Slots};
use crate::tiers;
use crate::types::{Clock, CustomerIx, Diff, Month, Time, Word};
use crate::views::{Change, Counts};

/// Customers by a small key (a city's word, a pair of classes) within one chunk: a few compares in
/// the place of a hash, since a chunk knows few of them.
#[derive(Default)]
struct Tally<K>(Vec<(K, Diff)>);

impl<K: Copy + PartialEq> Tally<K> {
    fn add(&mut self, key: K, diff: Diff) {
        match self.0.iter_mut().find(|(held, _)| *held == key) {
            Some((_, count)) => *count += diff,
            None => self.0.push((key, diff)),
        }
    }
}

/// Where a segment stood in the programme before an epoch, and where it stands after it.
pub struct SegmentPlaces {
    pub segment: Word,
    pub old: Option<usize>,
    pub new: Option<usize>,
}

impl SegmentPlaces {
    /// Of the segments of one programme.
    pub fn unchanged(rules: &Compiled) -> Vec<SegmentPlaces> {
        let places = |(place, (segment, _)): (usize, &(Word, _))| SegmentPlaces {
            segment: *segment,
            old: Some(place),
            new: Some(place),
        };
        rules.segments.iter().enumerate().map(places).collect()
    }

    /// Of every segment that either programme has.
    pub fn between(old: &Compiled, new: &Compiled) -> Vec<SegmentPlaces> {
        let by_word = |rules: &Compiled| -> HashMap<Word, usize, foldhash::fast::RandomState> {
            rules.segments.iter().enumerate().map(|(place, (segment, _))| (*segment, place)).collect()
        };
        let (olds, news) = (by_word(old), by_word(new));
        let fresh = new.segments.iter().filter(|(segment, _)| !olds.contains_key(segment));
        let places = |(segment, _): &(Word, _)| SegmentPlaces {
            segment: *segment,
            old: olds.get(segment).copied(),
            new: news.get(segment).copied(),
        };
        old.segments.iter().chain(fresh).map(places).collect()
    }
}

/// Where rows go, if anybody reads them.
pub struct Rows<'a> {
    pub emit: &'a mut Vec<(Told, Diff)>,
    /// Rows of `tier` that came, and went.
    pub tiers: (usize, usize),
    /// By segment: members that came, and went.
    pub members: &'a mut HashMap<Word, (usize, usize), foldhash::fast::RandomState>,
    /// By campaign: targets that came, and went.
    pub targets: &'a mut HashMap<Word, (usize, usize), foldhash::fast::RandomState>,
    pub are_read: bool,
}

/// A chunk, what it was decided under, and when.
type Side<'a> = (&'a Chunk, &'a Compiled, Clock);

/// A chunk before and after an epoch.
pub struct Sides<'a> {
    pub before: Side<'a>,
    pub after: Side<'a>,
    /// Codes of classes mean the same on both.
    pub same_tiers: bool,
}

impl Sides<'_> {
    /// Rows of `tier`, and the counts by city. Customers outside `slots` have not changed.
    pub fn tiers(
        &self,
        slots: &Slots,
        customer: &impl Fn(usize) -> CustomerIx,
        counts: &mut Counts,
        rows: &mut Rows<'_>,
    ) {
        let as_of = (self.before.2.as_of, self.after.2.as_of);
        let (before, after) = (self.before.0, self.after.0);
        let cities = (&before.customers.texts[CITY], &after.customers.texts[CITY]);
        let same_cities = Arc::ptr_eq(&before.customers, &after.customers);
        let all = matches!(slots, Slots::All);
        let runs = all.then(|| (tiers::runs(&before.history, as_of.0), tiers::runs(&after.history, as_of.1)));
        let mut tally: Tally<(u32, u8, bool)> = Tally::default();
        let has_row = |rules: &Compiled, class: u8| class != ABSENT && !rules.tiers.is_empty();
        for place in 0..slots.len() {
            let slot = slots.slot(place);
            let run = match &runs {
                Some((before, after)) => (before[slot], after[slot]),
                None => (tiers::run_of(&before.history, as_of.0, slot), tiers::run_of(&after.history, as_of.1, slot)),
            };
            let class = (before.class[slot], after.class[slot]);
            let since = (tiers::since(as_of.0, run.0), tiers::since(as_of.1, run.1));
            let same_class = self.same_tiers && class.0 == class.1;
            if !(same_class && since.0 == since.1) {
                let row = |rules: &Compiled, class: u8, since| {
                    let tier = tiers::word(rules, class);
                    has_row(rules, class).then_some(Change::Tier { customer: customer(slot), tier, since })
                };
                let changed = (row(self.before.1, class.0, since.0), row(self.after.1, class.1, since.1));
                if changed.0 != changed.1 {
                    rows.tiers.0 += usize::from(changed.1.is_some());
                    rows.tiers.1 += usize::from(changed.0.is_some());
                    if rows.are_read {
                        rows.emit.extend(changed.0.map(|row| (row.into(), -1)));
                        rows.emit.extend(changed.1.map(|row| (row.into(), 1)));
                    }
                }
            }
            if !same_class || !same_cities {
                if has_row(self.before.1, class.0) {
                    tally.add((cities.0.get(slot), class.0, false), -1);
                }
                if has_row(self.after.1, class.1) {
                    tally.add((cities.1.get(slot), class.1, true), 1);
                }
            }
        }
        for ((city, class, is_after), diff) in tally.0 {
            let rules = if is_after { self.after.1 } else { self.before.1 };
            counts.add(Change::TierCount { city: Word(city), tier: tiers::word(rules, class) }, diff);
        }
    }

    /// What customers hold, earned and lost. Customers outside `slots` have kept their points.
    pub fn books(&self, slots: &Slots, books: &mut Books) {
        let were = self.before.1.points.is_there;
        let are = self.after.1.points.is_there;
        if were == are && Arc::ptr_eq(&self.before.0.points, &self.after.0.points) {
            return;
        }
        for ((chunk, ..), is_there, times) in [(self.before, were, -1), (self.after, are, 1)] {
            let balances = (0..slots.len()).filter_map(|place| chunk.points.get(slots.slot(place)));
            balances.filter(|_| is_there).for_each(|balance| books.add(&balance, times));
        }
    }

    /// Members by rank. Customers outside `slots` have kept their points, and their ranks.
    pub fn ranks(&self, slots: &Slots, counts: &mut Counts) {
        let same_rules = std::ptr::eq(self.before.1, self.after.1);
        if same_rules && Arc::ptr_eq(&self.before.0.points, &self.after.0.points) {
            return;
        }
        let mut tally: Tally<Word> = Tally::default();
        for ((chunk, rules, _), diff) in [(self.before, -1), (self.after, 1)] {
            for slot in (0..slots.len()).map(|place| slots.slot(place)) {
                let member = chunk.points.get(slot).filter(|balance| balance.member && rules.points.counts_ranks());
                member.iter().for_each(|member| tally.add(rules.points.rank(member.left), diff));
            }
        }
        tally.0.into_iter().for_each(|(rank, diff)| counts.add(Change::RankCount { rank }, diff));
    }

    /// Members by stage and city. Those outside `slots` have kept both: passing days have touched whoever they
    /// put in another stage.
    pub fn stages(&self, slots: &Slots, counts: &mut Counts) {
        let today = |side: &Side<'_>| side.2.now.map(Time::day);
        let same_cities = Arc::ptr_eq(&self.before.0.customers, &self.after.0.customers);
        let same_points = Arc::ptr_eq(&self.before.0.points, &self.after.0.points);
        let same_rules = self.before.1.programme.stages == self.after.1.programme.stages;
        if same_cities && same_points && same_rules && today(&self.before) == today(&self.after) {
            return;
        }
        let mut tally: Tally<(Stage, u32)> = Tally(Vec::new());
        for ((chunk, rules, clock), diff) in [(self.before, -1), (self.after, 1)] {
            for slot in (0..slots.len()).map(|place| slots.slot(place)) {
                let stage = chunk.points.get(slot).and_then(|of| rules.programme.stages.stage(&of, clock.now));
                if let Some(stage) = stage {
                    tally.add((stage, chunk.customers.texts[CITY].get(slot)), diff);
                }
            }
        }
        for ((stage, city), diff) in tally.0 {
            counts.add(Change::MemberStage { stage, city: Word(city) }, diff);
        }
    }

    /// Users of services. A product costs the comparison of two pointers where neither its orders nor the use
    /// of it has changed, and all of them four where no order and no use has.
    pub fn services(&self, counts: &mut Counts) {
        let (before, after) = (self.before.0, self.after.0);
        let as_of = (self.before.2.as_of, self.after.2.as_of);
        if std::ptr::eq(self.before.1, self.after.1)
            && as_of.0 == as_of.1
            && Arc::ptr_eq(&before.orders, &after.orders)
            && Arc::ptr_eq(&before.usage, &after.usage)
        {
            return;
        }
        let gone = before.orders.keys().filter(|product| !after.orders.contains_key(*product));
        for product in after.orders.keys().chain(gone) {
            let was = self.before.1.services.side(before, *product, as_of.0);
            let is = self.after.1.services.side(after, *product, as_of.1);
            if was.is(&is) {
                continue;
            }
            for ((users, was), (_, is)) in was.users().into_iter().zip(is.users()) {
                counts.add(Change::ServiceHealth { product: *product, users }, is - was);
            }
        }
    }

    /// Customers by class, drive and sign. Those outside `slots` have kept their class and their drives.
    pub fn drives(&self, slots: &Slots, counts: &mut Counts) {
        if self.before.0.drives.is_empty() && self.after.0.drives.is_empty() {
            return;
        }
        let is_kept = self.same_tiers
            && std::ptr::eq(self.before.1, self.after.1)
            && Arc::ptr_eq(&self.before.0.drives, &self.after.0.drives);
        for ((chunk, rules, _), diff) in [(self.before, -1), (self.after, 1)] {
            if rules.tiers.is_empty() {
                continue;
            }
            // A cell for each class, and in it one for each drive and each of its signs.
            let width: usize = rules.drives.iter().map(|drive| drive.signs.len() + 1).sum();
            let mut cells: Vec<Diff> = vec![0; width * (rules.tiers.len() + usize::from(FIRST_CLASS))];
            for slot in (0..slots.len()).map(|place| slots.slot(place)) {
                let class = chunk.class[slot];
                if class == ABSENT || is_kept && self.before.0.class[slot] == self.after.0.class[slot] {
                    continue;
                }
                let mut cell = usize::from(class) * width;
                for driven in chunk.drives.iter() {
                    if driven.holds.get(slot) {
                        cells[cell] += diff;
                        let signs = driven.signs.iter().zip(&mut cells[cell + 1..]);
                        signs.for_each(|(sign, cell)| *cell += if sign.get(slot) { diff } else { 0 });
                    }
                    cell += driven.signs.len() + 1;
                }
            }
            for (class, cells) in cells.chunks(width.max(1)).enumerate() {
                let tier = tiers::word(rules, class as u8);
                let keys = rules.drives.iter().flat_map(|drive| {
                    [Word::NULL]
                        .into_iter()
                        .chain(drive.signs.iter().map(|(sign, _)| *sign))
                        .map(|sign| (drive.id, sign))
                });
                for ((drive, sign), count) in keys.zip(cells) {
                    counts.add(Change::DriveShare { tier, drive, sign }, *count);
                }
            }
        }
    }

    /// Changes of class from a month to the next. History shares its columns while they stand, so
    /// a month that nothing reached costs the comparison of two pointers.
    pub fn moves(&self, counts: &mut Counts) {
        let mut months: Vec<Month> = [self.before, self.after]
            .iter()
            .flat_map(|(chunk, ..)| chunk.history.iter().map(|(month, _)| *month))
            .collect();
        months.sort_unstable();
        months.dedup();
        for month in months {
            let [before, after] = [self.before.0, self.after.0].map(|chunk| pair(chunk, month));
            if self.same_tiers
                && let (Some(before), Some(after)) = (before, after)
                && Arc::ptr_eq(before.0, after.0)
                && Arc::ptr_eq(before.1, after.1)
            {
                continue;
            }
            for (pair, rules, diff) in [(before, self.before.1, -1), (after, self.after.1, 1)] {
                let Some((from, to)) = pair else { continue };
                let mut tally: Tally<(u8, u8)> = Tally::default();
                for (from, to) in from.iter().zip(to.iter()) {
                    if from != to && *from != ABSENT && *to != ABSENT {
                        tally.add((*from, *to), diff);
                    }
                }
                for ((from, to), diff) in tally.0 {
                    let (from, to) = (tiers::word(rules, from), tiers::word(rules, to));
                    counts.add(Change::TierMove { month, from, to }, diff);
                }
            }
        }
    }

    /// Rows of `segment_member`, and the counts by city.
    pub fn members(
        &self,
        segments: &[SegmentPlaces],
        customer: &impl Fn(usize) -> CustomerIx,
        counts: &mut Counts,
        rows: &mut Rows<'_>,
    ) {
        let (before, after) = (self.before.0, self.after.0);
        if std::ptr::eq(self.before.1, self.after.1)
            && Arc::ptr_eq(&before.segments, &after.segments)
            && Arc::ptr_eq(&before.customers, &after.customers)
        {
            return;
        }
        let moved = self.movers();
        let nobody = Arc::new(Bits::none());
        for SegmentPlaces { segment, old, new } in segments {
            let was = old.and_then(|place| before.segments.get(place)).unwrap_or(&nobody);
            let is = new.and_then(|place| after.segments.get(place)).unwrap_or(&nobody);
            if Arc::ptr_eq(was, is) && moved.is_empty() {
                continue;
            }
            let common = was.count_common(is);
            let (came, went) = (is.count() - common, was.count() - common);
            if came + went > 0 {
                let told = rows.members.entry(*segment).or_default();
                *told = (told.0 + came, told.1 + went);
            }
            if rows.are_read {
                let row = |(slot, enters)| {
                    let row = Change::Member { segment: *segment, customer: customer(slot) };
                    (row.into(), if enters { 1 } else { -1 })
                };
                rows.emit.extend(is.differences(was).map(row));
            }
            self.count_members(*segment, was, is, &moved, counts);
        }
    }

    /// The counts by city of one segment.
    fn count_members(&self, segment: Word, was: &Bits, is: &Bits, moved: &[usize], counts: &mut Counts) {
        let (before, after) = (&self.before.0.customers, &self.after.0.customers);
        if let (Some(cities_before), Some(cities_after)) = (before.cities.bits(), after.cities.bits()) {
            if Arc::ptr_eq(before, after) {
                for (city, customers) in cities_after {
                    let diff = is.count_common(customers) as Diff - was.count_common(customers) as Diff;
                    counts.add(Change::SegmentCount { segment, city: *city }, diff);
                }
                return;
            }
            for (city, customers) in cities_before {
                counts.add(Change::SegmentCount { segment, city: *city }, -(was.count_common(customers) as Diff));
            }
            for (city, customers) in cities_after {
                counts.add(Change::SegmentCount { segment, city: *city }, is.count_common(customers) as Diff);
            }
            return;
        }
        let mut tally: Tally<u32> = Tally::default();
        let (before, after) = (&before.texts[CITY], &after.texts[CITY]);
        for (slot, enters) in is.differences(was) {
            let (city, diff) = if enters { (after.get(slot), 1) } else { (before.get(slot), -1) };
            tally.add(city, diff);
        }
        for slot in moved.iter().filter(|slot| was.get(**slot) && is.get(**slot)) {
            tally.add(before.get(*slot), -1);
            tally.add(after.get(*slot), 1);
        }
        for (city, diff) in tally.0 {
            counts.add(Change::SegmentCount { segment, city: Word(city) }, diff);
        }
    }

    /// Customers whose city changed.
    fn movers(&self) -> Vec<usize> {
        let (before, after) = (&self.before.0.customers, &self.after.0.customers);
        if Arc::ptr_eq(before, after) {
            return Vec::new();
        }
        (0..CHUNK).filter(|slot| before.texts[CITY].get(*slot) != after.texts[CITY].get(*slot)).collect()
    }
}

/// The classes of the month before and of the month, where history has both.
fn pair(chunk: &Chunk, month: Month) -> Option<(&Classes, &Classes)> {
    let index = chunk.history.binary_search_by_key(&month, |(month, _)| *month).ok()?;
    let (earlier, from) = chunk.history.get(index.checked_sub(1)?)?;
    (*earlier == month.plus(-1)).then_some((from, &chunk.history[index].1))
}

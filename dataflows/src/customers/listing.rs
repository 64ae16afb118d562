//! What an epoch means for target lists: which campaigns decide anew for everybody, and how lists differ.

use std::sync::Arc;

use hashbrown::HashMap;

use super::Customers;
use super::difference::{Rows, Sides};
use crate::attributes::{Frame, Moment};
use crate::rules::compiled::Compiled;
use crate::table::catalog::Catalog;
use crate::table::chunk::{ABSENT, Chunk};
use crate::table::column::{CHUNK, Slots};
use crate::targets::{Candidates, Column, Grounds, Listing, Targets, codes};
use crate::tiers;
use crate::types::{Clock, CustomerIx, Diff, Word};
use crate::views::{Change, Counts};

/// What campaigns stood under, or stand.
type Side<'a> = (&'a Compiled, &'a Arc<Catalog>, Clock);

/// What campaigns are to decide in an epoch.
pub struct Listings {
    /// By place: where the campaign stood in the programme before, if it did.
    before: Vec<Option<usize>>,
    /// Places that have gone: campaigns that the programme no longer has.
    gone: Vec<usize>,
    /// Whether a campaign stands word for word, by place: then so do its codes' meanings.
    same: Vec<bool>,
    /// Places of those that decide anew for everybody.
    anew: Vec<usize>,
    /// Whether arms may differ, by place.
    redrawn: Vec<bool>,
    /// Places in the order of arbitration.
    order: Vec<usize>,
    /// Everybody is arbitrated anew.
    is_reordered: bool,
    /// Campaigns stand in other places than before.
    is_moved: bool,
}

impl Listings {
    /// What differs between two sides.
    pub fn between(old: Side<'_>, new: Side<'_>) -> Listings {
        let (olds, news) = (&old.0.targets.listings, &new.0.targets.listings);
        let (programmes, is_edited) = ((&old.0.programme, &new.0.programme), !std::ptr::eq(old.0, new.0));
        let before = places_before(olds, news, is_edited);
        let order = new.0.targets.order(new.1, new.2);
        let same_limits = !is_edited || programmes.0.limits == programmes.1.limits;
        let same_holdout = !is_edited || programmes.0.limits.holdout == programmes.1.limits.holdout;
        let same_packs = !is_edited || programmes.0.packs == programmes.1.packs && same_tiers(old.0, new.0);
        let same_products = Arc::ptr_eq(old.1, new.1) || old.1.same_requirements(new.1);
        // Time that goes back closes again what had opened.
        let stands = same_limits && same_packs && same_products && old.2.now <= new.2.now;
        let is_same = |(place, before): (usize, &Option<usize>)| {
            !is_edited
                || before.is_some_and(|before| {
                    programmes.0.campaigns[before] == programmes.1.campaigns[place]
                        && olds[before].rivals == news[place].rivals
                })
        };
        let same: Vec<bool> = before.iter().enumerate().map(is_same).collect();
        let is_anew = |place: &usize| {
            let was_over = before[*place].map(|before| olds[before].is_over(old.1, old.2));
            !(stands && same[*place] && was_over == Some(news[*place].is_over(new.1, new.2)))
        };
        let anew: Vec<usize> = (0..news.len()).filter(is_anew).collect();
        let gone: Vec<usize> = (0..olds.len()).filter(|place| is_edited && !before.contains(&Some(*place))).collect();
        let is_moved = before.iter().enumerate().any(|(place, before)| *before != Some(place)) || !gone.is_empty();
        let may_be_reordered = is_edited || !Arc::ptr_eq(old.1, new.1) || old.2.now != new.2.now;
        let is_reordered = may_be_reordered && {
            let was = old.0.targets.order(old.1, old.2);
            !was.iter().map(|place| olds[*place].id).eq(order.iter().map(|place| news[*place].id))
        };
        Listings {
            redrawn: same.iter().map(|same| !(*same && same_holdout)).collect(),
            is_reordered: is_reordered || is_moved,
            is_moved,
            before,
            gone,
            same,
            anew,
            order,
        }
    }

    /// Whether anything is decided anew for everybody.
    pub fn is_any(&self) -> bool {
        self.is_reordered || !self.anew.is_empty()
    }

    /// Brings the columns of a chunk, as they were, to the places that campaigns have now.
    pub fn place(&self, chunk: &mut Chunk) {
        if !self.is_moved {
            return;
        }
        let of = |before: &Option<usize>| before.and_then(|before| chunk.targets.columns.get(before).cloned());
        let columns = self.before.iter().map(|before| of(before).unwrap_or_else(Column::empty)).collect();
        chunk.targets = Arc::new(chunk.targets.with_columns(columns));
    }
}

/// Where each campaign stood before, by its place now.
fn places_before(olds: &[Listing], news: &[Listing], is_edited: bool) -> Vec<Option<usize>> {
    if !is_edited {
        return (0..news.len()).map(Some).collect();
    }
    let places: HashMap<Word, usize, foldhash::fast::RandomState> =
        olds.iter().enumerate().map(|(place, listing)| (listing.id, place)).collect();
    news.iter().map(|listing| places.get(&listing.id).copied()).collect()
}

/// Whether the classes by which packs are chosen have the same codes.
fn same_tiers(old: &Compiled, new: &Compiled) -> bool {
    old.tiers.iter().map(|(tier, _)| tier).eq(new.tiers.iter().map(|(tier, _)| tier))
}

impl Customers {
    /// Lists of a chunk with every campaign decided for the selected customers.
    pub(super) fn list(
        &self,
        listings: &Listings,
        frame: &Frame<'_>,
        chunk: &Chunk,
        slots: &Slots,
        (population, classes): (&[u8], &[u8]),
    ) -> Arc<Targets> {
        let places: Vec<usize> = (0..self.rules.targets.listings.len()).collect();
        if places.is_empty() {
            return chunk.targets.clone();
        }
        let candidates = Candidates::new(self.grounds(), chunk, frame, slots, (population, classes));
        let is_redrawn = |place: usize| listings.redrawn[place];
        let targets = self.columns(chunk);
        Arc::new(targets.decide(candidates, &places, &is_redrawn, &listings.order))
    }

    /// Decides for everybody of a chunk what an edit, a state or the clock has changed of campaigns.
    pub(super) fn relist(&self, listings: &Listings, moment: Moment, chunk: &mut Chunk) {
        if !listings.is_any() || self.rules.targets.listings.is_empty() {
            return;
        }
        let population: Vec<u8> = chunk.class.iter().map(|code| u8::from(*code != ABSENT)).collect();
        let mut frame = self.frame(chunk, &Slots::All, moment);
        frame.set_tiers(chunk.class.to_vec(), tiers::words(&self.rules));
        let candidates =
            Candidates::new(self.grounds(), chunk, &frame, &Slots::All, (&population, chunk.class.as_slice()));
        let is_redrawn = |place: usize| listings.redrawn[place];
        let targets = self.columns(chunk).decide(candidates, &listings.anew, &is_redrawn, &listings.order);
        drop(frame);
        chunk.targets = Arc::new(targets);
    }

    /// The lists of a chunk, one for each campaign: a chunk that is new has none.
    fn columns(&self, chunk: &Chunk) -> Targets {
        let mut targets = Targets::clone(&chunk.targets);
        targets.columns.resize_with(self.rules.targets.listings.len(), Column::empty);
        targets
    }

    fn grounds(&self) -> Grounds<'_> {
        Grounds {
            rules: &self.rules.targets,
            catalog: &self.table.catalog,
            words: &self.table.words,
            clock: self.table.clock,
        }
    }
}

/// Codes that are compared together.
const BLOCK: usize = 64;

impl Sides<'_> {
    /// Rows of `target`, and the counts behind target_count and target_excluded.
    pub fn targets(
        &self,
        listings: &Listings,
        customer: &impl Fn(usize) -> CustomerIx,
        counts: &mut Counts,
        rows: &mut Rows<'_>,
    ) {
        let (before, after) = (&self.before.0.targets, &self.after.0.targets);
        if Arc::ptr_eq(before, after) && !listings.is_any() {
            return;
        }
        let nobody = Column::empty();
        let of = |targets: &Targets, place: Option<usize>| {
            place.and_then(|place| targets.columns.get(place)).unwrap_or(&nobody).clone()
        };
        for (place, was) in listings.before.iter().enumerate() {
            let sides = (of(before, *was), of(after, Some(place)));
            if listings.same[place] && sides.0.is(&sides.1) {
                continue;
            }
            let old = was.map(|was| &self.before.1.targets.listings[was]);
            let new = Some(&self.after.1.targets.listings[place]);
            self.list((&sides.0, old), (&sides.1, new), listings.same[place], customer, counts, rows);
        }
        for gone in &listings.gone {
            let old = Some(&self.before.1.targets.listings[*gone]);
            self.list((&of(before, Some(*gone)), old), (&nobody, None), false, customer, counts, rows);
        }
    }

    /// One campaign's.
    fn list(
        &self,
        (was, old): (&Column, Option<&Listing>),
        (is, new): (&Column, Option<&Listing>),
        is_same: bool,
        customer: &impl Fn(usize) -> CustomerIx,
        counts: &mut Counts,
        rows: &mut Rows<'_>,
    ) {
        let mut tally = [[0 as Diff; 256]; 2];
        let Some(id) = new.or(old).map(|listing| listing.id) else { return };
        let (mut came, mut went) = (0, 0);
        let target = |column: &Column, listing: Option<&Listing>, slot| column.target(slot, listing?);
        // Most blocks of most chunks stand as they were.
        let stands = |block: usize| is_same && was.code[block..block + BLOCK] == is.code[block..block + BLOCK];
        let blocks = (0..CHUNK).step_by(BLOCK).filter(|block| is.has_products() || !stands(*block));
        for slot in blocks.flat_map(|block| block..block + BLOCK) {
            let codes = (was.code[slot], is.code[slot]);
            if is_same && codes.0 == codes.1 && !(codes::is_target(codes.1) && is.differs_in_product(was, slot)) {
                continue;
            }
            tally[0][usize::from(codes.0)] += 1;
            tally[1][usize::from(codes.1)] += 1;
            let targets = (target(was, old, slot), target(is, new, slot));
            if targets.0 == targets.1 {
                continue;
            }
            went += usize::from(targets.0.is_some());
            came += usize::from(targets.1.is_some());
            if rows.are_read {
                let row = |(channel, arm, product)| Change::Target {
                    campaign: id,
                    customer: customer(slot),
                    product,
                    channel,
                    arm,
                };
                rows.emit.extend(targets.0.map(|target| (row(target).into(), -1)));
                rows.emit.extend(targets.1.map(|target| (row(target).into(), 1)));
            }
        }
        if came + went > 0 {
            let told = rows.targets.entry(id).or_default();
            *told = (told.0 + came, told.1 + went);
        }
        for (codes, rules, listing, sign) in [(&tally[0], self.before.1, old, -1), (&tally[1], self.after.1, new, 1)] {
            let Some(listing) = listing else { continue };
            for (code, count) in (0..=u8::MAX).zip(codes).filter(|(_, count)| **count != 0) {
                if let Some(cell) = cell(rules, listing, code) {
                    counts.add(cell, sign * count);
                }
            }
        }
    }
}

/// The count that a code of a campaign is of; none where it is of somebody outside.
pub fn cell(rules: &Compiled, listing: &Listing, code: u8) -> Option<Change> {
    let campaign = listing.id;
    if let Some((channel, arm)) = codes::target(code) {
        return Some(Change::TargetCount { campaign, channel: listing.channels.get(channel)?.0, arm });
    }
    let reason = match codes::list(code) {
        Some(list) => listing.lists.get(list)?.1,
        None => *rules.targets.reasons.get(usize::from(code).checked_sub(1)?)?,
    };
    Some(Change::TargetExcluded { campaign, reason })
}

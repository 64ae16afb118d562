//! What an epoch asks of every chunk.

use std::rc::Rc;

use super::Customers;
use super::difference::SegmentPlaces;
use super::listing::Listings;
use crate::effects;
use crate::programme::{Programme, Segment};
use crate::table::column::Bits;
use crate::views::Counts;

/// An epoch being settled.
pub(super) struct Pass {
    /// Everybody's classes and segments are decided anew.
    pub(super) everybody: bool,
    /// No chunk is left out.
    pub(super) every_chunk: bool,
    /// Every month's classes too, not only the months that history lacks.
    pub(super) every_class: bool,
    /// Every balance of points too.
    pub(super) every_balance: bool,
    /// For each segment of the programme, whether its members can only have changed for the customers
    /// touched.
    pub(super) kept: Vec<bool>,
    /// Where each segment stood, and where it stands.
    pub(super) segments: Vec<SegmentPlaces>,
    /// What campaigns are to decide.
    pub(super) listings: Rc<Listings>,
    /// Chunks in which points are to be counted, each with whose, where it is not of all that are touched.
    pub(super) counting: Vec<(usize, Option<Bits>)>,
    /// Chunks to go, last first, once points are counted.
    pub(super) chunks: Option<Vec<usize>>,
    /// Changes of counts so far: a month close moves everybody between a few dozen cells, so they are
    /// emitted once.
    pub(super) counts: Counts,
    /// The same of effect_by, before it is told.
    pub(super) effects: effects::Gathered,
}

impl Customers {
    pub(super) fn begin(&mut self) -> Pass {
        self.table.clock.now.inspect(|now| self.table.touch_due(*now));
        let (old, new) = (self.old_rules(), &self.rules);
        let is_edited = self.settled_rules.is_some();
        let (before, now) = (self.settled_clock.now, self.table.clock.now);
        // Time that goes back gives back what had expired.
        let goes_back = new.points.follow_time() && before > now;
        let every_balance = is_edited && new.differs_in_points(old) || goes_back;
        let every_rank = every_balance || is_edited && new.differs_in_ranks(old);
        let every_response = new.asks_responses && !self.settled_catalog.same_categories(&self.table.catalog)
            || is_edited && new.differs_in_responses(old);
        let every_service = every_response
            || is_edited && (new.differs_in_services(old) || new.differs_in_drives(old) || new.differs_in_stages(old));
        let every_class =
            is_edited && new.differs_in_classes(old) || (every_rank || every_service) && new.population_is_of_now;
        let everybody =
            every_class || every_rank || every_service || self.table.clock.as_of != self.settled_clock.as_of;
        let (places, kept) = if is_edited {
            (SegmentPlaces::between(old, new), kept_segments(&old.programme, &new.programme))
        } else {
            (SegmentPlaces::unchanged(new), vec![true; new.segments.len()])
        };
        let stays = |places: &SegmentPlaces| places.old == places.new;
        let listings = Listings::between(
            (self.old_rules(), &self.settled_catalog, self.settled_clock),
            (&self.rules, &self.table.catalog, self.table.clock),
        );
        let is_edited = !(kept.iter().all(|kept| *kept) && places.iter().all(stays));
        let every_chunk = everybody || is_edited || listings.is_any();
        let counting: Vec<usize> =
            if every_balance { (0..self.table.chunks.len()).collect() } else { self.table.touched.clone() };
        Pass {
            everybody,
            every_chunk,
            every_class,
            every_balance,
            kept,
            segments: places,
            listings: Rc::new(listings),
            counting: counting.into_iter().map(|chunk| (chunk, None)).collect(),
            chunks: None,
            counts: Counts::default(),
            effects: effects::Gathered::default(),
        }
    }
}

/// For each segment of `new`, whether `old` has it word for word.
fn kept_segments(old: &Programme, new: &Programme) -> Vec<bool> {
    let old: std::collections::HashMap<&str, &Segment> =
        old.segments.iter().map(|segment| (segment.id.as_str(), segment)).collect();
    new.segments.iter().map(|segment| old.get(segment.id.as_str()) == Some(&segment)).collect()
}

//! What a chunk comes to: classes month by month, members of segments, drives, lists.

use std::sync::Arc;

use super::{Customers, Pass};
use crate::attributes::Moment;
use crate::drives;
use crate::segments;
use crate::table::Touch;
use crate::table::chunk::{ABSENT, Chunk};
use crate::table::column::{Bits, CHUNK, Slots};
use crate::tiers;
use crate::types::Month;

use super::difference::SegmentPlaces;
use super::same;

impl Customers {
    /// Brings the classes of the months before `as_of` up to date. Those of `as_of` itself come with
    /// the class as of now.
    pub(super) fn settle_history(
        &self,
        pass: &Pass,
        touch: Option<&Touch>,
        touched: &Slots,
        listed: &Bits,
        moment: Moment,
        chunk: &mut Chunk,
    ) {
        let Some(as_of) = moment.month else {
            chunk.history.clear();
            return;
        };
        let first = as_of.plus(1 - self.rules.programme.history as i32);
        chunk.history.retain(|(month, _)| (first..=as_of).contains(month));
        for month in (first.0..as_of.0).map(Month) {
            let held = chunk.history.binary_search_by_key(&month, |(month, _)| *month);
            let reached = touch.is_some_and(|touch| self.rules.population_is_of_now || touch.reaches(month));
            let everybody = pass.every_class || held.is_err();
            if !everybody && !reached {
                continue;
            }
            let started = chunk.billed_by(month);
            if started.is_none() {
                held.map(|index| chunk.history.remove(index)).ok();
                continue;
            }
            let slots = if everybody { &Slots::All } else { touched };
            let frame = self.frame(chunk, slots, Moment { month: Some(month), ..moment });
            let population = tiers::population(&self.rules, &frame, slots, listed);
            let decided = tiers::classes(&self.rules, &frame, &population);
            let mut classes = held.map_or([ABSENT; CHUNK], |index| *chunk.history[index].1);
            for (place, class) in decided.into_iter().enumerate() {
                let slot = slots.slot(place);
                classes[slot] = if started.get(slot) { class } else { ABSENT };
            }
            let classes = Arc::new(classes);
            match held {
                Ok(index) => chunk.history[index].1 = classes,
                Err(index) => chunk.history.insert(index, (month, classes)),
            }
        }
    }

    /// Decides the class as of now, which is the history's of `as_of`, and the segments.
    pub(super) fn settle_now(&self, pass: &Pass, slots: &Slots, listed: &Bits, moment: Moment, chunk: &mut Chunk) {
        let mut members = self.kept_members(pass, chunk);
        if !slots.is_empty() {
            let mut class = *chunk.class;
            let started = moment.month.map(|as_of| chunk.billed_by(as_of));
            let held = moment.month.and_then(|as_of| {
                let held = chunk.history.binary_search_by_key(&as_of, |(month, _)| *month);
                held.ok().map(|index| *chunk.history[index].1)
            });
            let mut history = held.unwrap_or([ABSENT; CHUNK]);
            let mut frame = self.frame(chunk, slots, moment);
            let population = tiers::population(&self.rules, &frame, slots, listed);
            let decided = tiers::classes(&self.rules, &frame, &population);
            for (place, (code, within)) in decided.iter().zip(&population).enumerate() {
                let slot = slots.slot(place);
                class[slot] = if *within == 1 { *code } else { ABSENT };
                history[slot] = if started.as_ref().is_some_and(|started| started.get(slot)) { *code } else { ABSENT };
            }
            frame.set_tiers(decided, tiers::words(&self.rules));
            let driven = drives::decide(&self.rules.drives, &frame, slots, &chunk.drives);
            segments::decide(&self.rules, 0..members.len(), &frame, &population, slots, &mut members);
            let classes: Vec<u8> = (0..slots.len()).map(|place| class[slots.slot(place)]).collect();
            let listed = self.list(&pass.listings, &frame, chunk, slots, (&population, &classes));
            drop(frame);
            chunk.targets = listed;
            chunk.drives = driven;
            set_history(chunk, moment.month, held, history, started.is_some_and(|started| !started.is_none()));
            if class != *chunk.class {
                chunk.class = Arc::new(class);
            }
        }
        if !pass.everybody {
            self.decide_edited(pass, moment, chunk, &mut members);
            self.relist(&pass.listings, moment, chunk);
        }
        if !same(&members, &chunk.segments) {
            chunk.segments = Arc::new(members);
        }
    }

    /// The members of a chunk in which nothing has changed but the programme's segments.
    pub(super) fn edited_members(&self, pass: &Pass, moment: Moment, chunk: &Chunk) -> Vec<Arc<Bits>> {
        let mut members = self.kept_members(pass, chunk);
        self.decide_edited(pass, moment, chunk, &mut members);
        members
    }

    /// The members as they were, in the places that segments have in the programme now.
    fn kept_members(&self, pass: &Pass, chunk: &Chunk) -> Vec<Arc<Bits>> {
        let mut members = vec![self.nobody.clone(); pass.kept.len()];
        for SegmentPlaces { old, new, .. } in &pass.segments {
            if let (Some(new), Some(bits)) = (*new, old.and_then(|old| chunk.segments.get(old))) {
                members[new] = bits.clone();
            }
        }
        members
    }

    /// Decides the edited segments for everybody. Classes stand, and the population is who has one,
    /// the null class included.
    fn decide_edited(&self, pass: &Pass, moment: Moment, chunk: &Chunk, members: &mut [Arc<Bits>]) {
        if pass.kept.iter().all(|kept| *kept) {
            return;
        }
        let mut frame = self.frame(chunk, &Slots::All, moment);
        let population: Vec<u8> = chunk.class.iter().map(|code| u8::from(*code != ABSENT)).collect();
        frame.set_tiers(chunk.class.to_vec(), tiers::words(&self.rules));
        let places = (0..members.len()).filter(|place| !pass.kept[*place]);
        segments::decide(&self.rules, places, &frame, &population, &Slots::All, members);
    }
}

/// Puts a month's column in its place, or takes it out where nobody's history had begun by then.
fn set_history(
    chunk: &mut Chunk,
    month: Option<Month>,
    held: Option<[u8; CHUNK]>,
    classes: [u8; CHUNK],
    is_begun: bool,
) {
    let Some(month) = month else { return };
    match chunk.history.binary_search_by_key(&month, |(month, _)| *month) {
        Ok(index) if !is_begun => drop(chunk.history.remove(index)),
        Ok(index) if held != Some(classes) => chunk.history[index].1 = Arc::new(classes),
        Err(index) if is_begun => chunk.history.insert(index, (month, Arc::new(classes))),
        _ => {}
    }
}

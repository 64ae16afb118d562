//! How the effects of campaigns differ between a chunk as it was settled and as it is now.

use std::sync::Arc;

use super::Dimension;
use super::life::{Life, Share};
use crate::customers::SegmentPlaces;
use crate::rules::compiled::Compiled;
use crate::table::Chunk;
use crate::table::chunk::{ABSENT, CITY};
use crate::table::column::{Bits, Slots};
use crate::tiers;
use crate::types::{Diff, Word};
use crate::views::{Change, Counts};

/// A chunk, and what it was decided under.
type Side<'a> = (&'a Chunk, &'a Compiled);

/// Counts what changed. Customers outside `slots` have kept their rows, class and city; whoever entered or left a
/// segment is found by himself.
pub fn tell(sides: (Side<'_>, Side<'_>), slots: &Slots, segments: &[SegmentPlaces], counts: &mut Counts) {
    let ((before, _), (after, _)) = sides;
    if is_empty(before) && is_empty(after) {
        return;
    }
    let same_rows = Arc::ptr_eq(&before.contacts, &after.contacts)
        && Arc::ptr_eq(&before.handoffs, &after.handoffs)
        && Arc::ptr_eq(&before.feedbacks, &after.feedbacks);
    for slot in visited((before, after), slots, segments).slots() {
        let (was, is) = (Life::of(before, slot), Life::of(after, slot));
        let (from, to) =
            (who(sides.0, slot, |places| places.old, segments), who(sides.1, slot, |places| places.new, segments));
        if same_rows || was.is(&is) {
            if from != to {
                let shares = Share::by_arm(is.count(&mut |_| {}));
                let left = from.iter().filter(|of| !to.contains(of)).map(|of| (of, -1));
                let joined = to.iter().filter(|of| !from.contains(of)).map(|of| (of, 1));
                left.chain(joined).for_each(|(of, times)| add_by(&shares, *of, times, counts));
            }
            continue;
        }
        for (life, of, times) in [(was, from, -1), (is, to, 1)] {
            let shares = life.count(&mut |cell| counts.add(cell, times));
            shares.iter().flat_map(Share::effects).for_each(|(cell, diff)| counts.add(cell, diff * times));
            let shares = Share::by_arm(shares);
            of.into_iter().for_each(|of| add_by(&shares, of, times, counts));
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
    // Most customers of most chunks were never contacted: they are told by a look at each row of those who were.
    let mut strangers = Bits::all();
    for chunk in [before, after] {
        let contacts = chunk.contacts.rows().iter().map(|((slot, ..), _)| *slot);
        let handoffs = chunk.handoffs.rows().iter().map(|((slot, ..), _)| *slot);
        let feedbacks = chunk.feedbacks.rows().iter().map(|((slot, ..), _)| *slot);
        contacts.chain(handoffs).chain(feedbacks).for_each(|slot| strangers.set(usize::from(slot), false));
    }
    visited.subtract(&strangers);
    visited
}

/// What effect_by counts a customer under.
fn who(
    (chunk, rules): Side<'_>,
    slot: usize,
    place: impl Fn(&SegmentPlaces) -> Option<usize>,
    segments: &[SegmentPlaces],
) -> Vec<(Dimension, Word)> {
    let city = Word(chunk.customers.texts[CITY].get(slot));
    let class = chunk.class[slot];
    let tier = if class == ABSENT { Word::NULL } else { tiers::word(rules, class) };
    let mut of = vec![(Dimension::City, city), (Dimension::Tier, tier)];
    let is_member = |places: &&SegmentPlaces| {
        place(places).and_then(|place| chunk.segments.get(place)).is_some_and(|members| members.get(slot))
    };
    of.extend(segments.iter().filter(is_member).map(|places| (Dimension::Segment, places.segment)));
    of
}

fn add_by(shares: &[Share], (dimension, value): (Dimension, Word), times: Diff, counts: &mut Counts) {
    for Share { campaign, group, counted, .. } in shares {
        let (campaign, group) = (*campaign, *group);
        for (what, diff) in counted.cells() {
            counts.add(Change::EffectBy { campaign, group, dimension, value, what }, diff * times);
        }
    }
}

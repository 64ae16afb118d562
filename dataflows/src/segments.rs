//! Segments: who is in which, as of now.
//!
//! Reads   the table, the classes as of `as_of`, the programme's `[[segment]]`
//! Gives   the members of each segment, one bit a customer

use std::sync::Arc;

use crate::attributes::Frame;
use crate::rules::compiled::Compiled;
use crate::rules::evaluate::{TRUE, evaluate};
use crate::table::column::{Bits, Slots};

/// Decides the segments at `places` of the programme, for the selected customers, writing their
/// bits into `members`. The frame knows the tiers already.
pub fn decide(
    rules: &Compiled,
    places: impl Iterator<Item = usize>,
    frame: &Frame<'_>,
    population: &[u8],
    slots: &Slots,
    members: &mut [Arc<Bits>],
) {
    for segment in places {
        let truths = evaluate(&rules.segments[segment].1, frame);
        let holds: Vec<u8> =
            truths.iter().zip(population).map(|(truth, within)| u8::from(*truth == TRUE) & within).collect();
        let decided = match slots {
            Slots::All => Bits::of(&holds),
            Slots::Some(_) => {
                let mut decided = Bits::clone(&members[segment]);
                holds.iter().enumerate().for_each(|(place, holds)| decided.set(slots.slot(place), *holds == 1));
                decided
            }
        };
        // Members that stand keep their place in memory, by which whoever compares knows them.
        if decided != *members[segment] {
            members[segment] = Arc::new(decided);
        }
    }
}

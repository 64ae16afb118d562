//! Segments: who is in which, as of now.
//!
//! Reads   the table, the classes as of `as_of`, the programme's `[[segment]]`
//! Gives   the members of each segment, one bit a customer

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
    members: &mut [Bits],
) {
    for segment in places {
        let truths = evaluate(&rules.segments[segment].1, frame);
        for (place, (truth, within)) in truths.iter().zip(population).enumerate() {
            members[segment].set(slots.slot(place), *truth == TRUE && *within == 1);
        }
    }
}

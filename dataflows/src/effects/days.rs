//! Effects day by day: what of today's numbers was so by the end of each day, as it is known now.
//!
//! A customer counts from the day on which he first did, by rows up to its last second. Rows that come late are of the
//! day that they tell of. Nothing is remembered of a chunk: it would be more than its contacts are.

use super::life::{Life, Scratch};
use super::{Effect, Group};
use crate::table::Chunk;
use crate::types::{Day, Diff, Word};

/// Campaign, arm, channel.
pub type Of = (Word, Group, Word);

/// Calls `add` with what each day added to the effects of each of a chunk's customers.
pub fn days(chunk: &Chunk, mut add: impl FnMut(Of, Day, Effect, Diff)) {
    let mut scratch = Scratch::default();
    for slot in super::differences::concerned(chunk).slots() {
        Life::of(chunk, slot).days(&mut scratch, &mut add);
    }
}

//! Effects day by day: what of today's numbers was so by the end of each day, as it is known now.
//!
//! A customer counts from the day on which he first did, by rows up to its last second. Rows that come late are of the
//! day that they tell of. Like [penetration](crate::penetration), a chunk is counted when it is first read.

use std::sync::Arc;

use hashbrown::HashMap;

use super::life::{Life, Scratch};
use super::{Effect, Group};
use crate::table::{self, Chunk};
use crate::types::{Day, Diff, Word};

/// Campaign, arm, channel.
pub type Of = (Word, Group, Word);

/// What each day adds.
pub type Days = Vec<((Of, Day, Effect), Diff)>;

/// A chunk's days.
pub type Memo = table::Memo<(), Days>;

/// What each day added to the effects of a chunk's customers, by key; nothing that is 0.
pub fn days(chunk: &Chunk) -> Arc<Days> {
    chunk.effect_days.get((), |(), ()| true, || count(chunk))
}

fn count(chunk: &Chunk) -> Days {
    let mut sums: HashMap<(Of, Day, Effect), Diff, foldhash::fast::FixedState> = HashMap::default();
    let mut scratch = Scratch::default();
    for slot in super::differences::concerned(chunk).slots() {
        Life::of(chunk, slot).days(&mut scratch, &mut |of, day, effect, diff| {
            *sums.entry((of, day, effect)).or_insert(0) += diff;
        });
    }
    let mut days: Days = sums.into_iter().filter(|(_, diff)| *diff != 0).collect();
    days.sort_unstable_by_key(|(key, _)| *key);
    days
}

//! What the table of customers emits: differences of views and of the counts behind them.

use hashbrown::HashMap;
use serde::{Deserialize, Serialize};

use crate::types::{CustomerIx, Diff, Month, Word};

/// A row, or the key of a count, that the table changes. Counts come with their change as the
/// difference: the count *is* the multiplicity.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub enum Change {
    /// A row of `tier`.
    Tier { customer: CustomerIx, tier: Word, since: Option<Month> },
    /// A row of `segment_member`.
    Member { segment: Word, customer: CustomerIx },
    /// One customer of `tier_count`.
    TierCount { city: Word, tier: Word },
    /// One customer of `tier_move`: from the month before `month` to `month`.
    TierMove { month: Month, from: Word, to: Word },
    /// One customer of `segment_count`.
    SegmentCount { segment: Word, city: Word },
    /// One member of `rank_count`.
    RankCount { rank: Word },
}

/// Changes of counts, summed before they are emitted.
#[derive(Default)]
pub struct Counts(HashMap<Change, Diff, foldhash::fast::RandomState>);

impl Counts {
    pub(crate) fn add(&mut self, cell: Change, diff: Diff) {
        if diff != 0 {
            *self.0.entry(cell).or_insert(0) += diff;
        }
    }

    /// Emits what does not cancel out.
    pub(crate) fn emit(self, emit: &mut Vec<(Change, Diff)>) {
        emit.extend(self.0.into_iter().filter(|(_, diff)| *diff != 0));
    }
}

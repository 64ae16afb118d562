//! What the table of customers emits: differences of views and of the counts behind them.

use serde::{Deserialize, Serialize};

use crate::types::{CustomerIx, Month, Word};

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

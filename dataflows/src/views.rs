//! What the table of customers and the forest of referrals emit: differences of views and of the counts behind them.

use hashbrown::HashMap;
use serde::{Deserialize, Serialize};

use crate::effects::{Dimension, Effect, Group, Rated};
use crate::records::Arm;
use crate::stages::Stage;
use crate::types::{CustomerIx, Day, Diff, Month, Word};

/// A row, or the key of a count, that changes. Counts come with their change as the
/// difference: the count *is* the multiplicity.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub enum Change {
    /// A row of `tier`.
    Tier { customer: CustomerIx, tier: Word, since: Option<Month> },
    /// A row of `target`.
    Target { campaign: Word, customer: CustomerIx, product: Word, channel: Word, arm: Arm },
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
    /// For `referral_rate`: one customer of that city who first registered in the month.
    Registered { month: Month, city: Word },
    /// One referral without product, by somebody of that city.
    Invited { month: Month, city: Word },
    /// One customer brought in by a referral of that month, by somebody of that city.
    Joined { month: Month, city: Word },
    /// One customer of `drive_share`; without a sign, one of those it is a share of.
    DriveShare { tier: Word, drive: Word, sign: Word },
    /// One member of `member_stage`.
    MemberStage { stage: Stage, city: Word },
    /// One customer of `target_count`.
    TargetCount { campaign: Word, channel: Word, arm: Arm },
    /// One customer of `target_excluded`.
    TargetExcluded { campaign: Word, reason: Word },
    /// One user of `service_health`, or one order.
    ServiceHealth { product: Word, users: Users },
    /// One customer of `effect`, or what his rows there add up to.
    Effect { campaign: Word, channel: Word, group: Group, what: Effect },
    /// The same by who customers are now, whatever the channel.
    EffectBy { campaign: Word, group: Group, dimension: Dimension, value: Word, what: Effect },
    /// One customer of `effect_rate`.
    EffectRate { campaign: Word, arm: Arm, what: Rated },
    /// One customer who first ordered from the campaign that day; the product where his order names it.
    FirstOrder { campaign: Word, product: Word, day: Day },
    /// One complaint about the campaign.
    Complaint { campaign: Word, group: Group, reason: Word },
    /// One contact of `channel_workload`.
    Workload { channel: Word, day: Day },
}

impl Change {
    /// Whether it is a row of a view, and no cell of a count.
    pub fn is_row(&self) -> bool {
        matches!(self, Change::Tier { .. } | Change::Target { .. } | Change::Member { .. })
    }

    /// Which cells it is read with.
    pub fn family(&self) -> Family {
        match self {
            Change::Effect { .. } => Family::Effect,
            Change::EffectBy { .. } => Family::EffectBy,
            Change::EffectRate { .. } => Family::EffectRate,
            Change::FirstOrder { .. } => Family::FirstOrder,
            Change::Complaint { .. } => Family::Complaint,
            Change::Workload { .. } => Family::Workload,
            _ => Family::Others,
        }
    }

    /// Whether it adds up amounts, which may be negative, and does not count.
    pub fn is_sum(&self) -> bool {
        let (Change::Effect { what, .. } | Change::EffectBy { what, .. }) = self else { return false };
        matches!(what, Effect::Revenue(_) | Effect::Satisfaction(_))
    }
}

/// Cells that are read together. Those that are few are one family.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Family {
    Others,
    Effect,
    EffectBy,
    EffectRate,
    FirstOrder,
    Complaint,
    Workload,
}

impl Family {
    /// Its name, for who watches memory.
    pub fn name(self) -> &'static str {
        match self {
            Family::Others => "others",
            Family::Effect => "effect",
            Family::EffectBy => "effect_by",
            Family::EffectRate => "effect_rate",
            Family::FirstOrder => "first_order",
            Family::Complaint => "complaint",
            Family::Workload => "workload",
        }
    }
}

/// What a product's users are counted by. Its row is there while there are orders.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub enum Users {
    Orders,
    Held,
    Active,
    Idle,
    BundledIdle,
    Trying,
    Converted,
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
    pub(crate) fn emit<R: From<Change>>(self, emit: &mut Vec<(R, Diff)>) {
        let changes = self.0.into_iter().filter(|(_, diff)| *diff != 0);
        emit.extend(changes.map(|(change, diff)| (change.into(), diff)));
    }
}

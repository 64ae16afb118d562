//! Receipts: what came and went, view by view, between two sets of views.
//!
//! Rows are told apart as views print them: a row that changed is one that went and one that came. Chunks that are the
//! same memory are not looked at; of the others a few at a time are printed twice, so that a receipt costs time in
//! proportion to what was touched, and little memory.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{Sources, View, is_by_customer, rows, view};
use crate::engine::Published;
use crate::store::StoreError;

/// Rows that came, and went.
#[derive(Serialize, Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct Moved {
    #[serde(rename = "in")]
    pub came: u64,
    #[serde(rename = "out")]
    pub went: u64,
}

impl Moved {
    fn add(&mut self, other: Moved) {
        self.came += other.came;
        self.went += other.went;
    }

    fn is_none(self) -> bool {
        self == Moved::default()
    }
}

/// What changed.
#[derive(Serialize, Default, PartialEq, Eq, Debug)]
pub struct Receipt {
    /// By view, those that changed.
    pub views: BTreeMap<&'static str, Moved>,
    /// The same of segment_member by segment.
    pub segments: BTreeMap<String, Moved>,
    /// The same of target by campaign.
    pub targets: BTreeMap<String, Moved>,
    pub points: Points,
    pub as_of: [Option<String>; 2],
}

/// All balances together, before and after.
#[derive(Serialize, Default, PartialEq, Eq, Debug)]
pub struct Points {
    pub before: String,
    pub after: String,
}

/// Views of which each row is of one customer: printed of those alone whose chunks changed.
const BY_CUSTOMER: [&str; 9] = [
    "customer_attribute",
    "tier",
    "segment_member",
    "points_entry",
    "points_balance",
    "points_spendable",
    "points_lot",
    "target",
    "care_task",
];

/// Views that are printed whole: there are few rows of each, but of referrals.
const WHOLE: [&str; 18] = [
    "tier_count",
    "tier_move",
    "segment_count",
    "rank_count",
    "member_stage",
    "drive_share",
    "service_health",
    "target_count",
    "target_excluded",
    "effect",
    "effect_by",
    "effect_rate",
    "channel_workload",
    "goal_progress",
    "penetration",
    "referral",
    "referral_tree",
    "care_count",
];

/// Chunks that are printed at a time.
const CHUNKS: usize = 8;

/// What changed between two sets of views under the same programme. `sources` has the names, and what no row here is of.
pub fn receipt(before: &Published, after: &Published, sources: Sources<'_>) -> Result<Receipt, StoreError> {
    let mut told = Told::default();
    for part in after.changed_since(before).chunks(CHUNKS) {
        let of = [before.near(part), after.near(part)];
        for name in BY_CUSTOMER {
            told.compare(name, [&of[0], &of[1]], sources)?;
        }
    }
    for name in WHOLE {
        told.compare(name, [before, after], sources)?;
    }
    let as_of = [before, after].map(|published| published.clock.as_of.map(|month| month.to_string()));
    let points = [before, after].map(|published| published.books.members.to_string());
    let [before, after] = points;
    let mut receipt = Receipt { as_of, points: Points { before, after }, ..told.0 };
    receipt.views.retain(|_, moved| !moved.is_none());
    for moved in [&mut receipt.segments, &mut receipt.targets] {
        moved.retain(|_, moved| !moved.is_none());
    }
    Ok(receipt)
}

#[derive(Default)]
struct Told(Receipt);

impl Told {
    fn compare(&mut self, name: &'static str, of: [&Published; 2], sources: Sources<'_>) -> Result<(), StoreError> {
        let Some(view) = view(name) else { return Ok(()) };
        debug_assert!(is_by_customer(view) || WHOLE.contains(&name), "{name}");
        // By row: how many times it stands after, less how many times before.
        let mut counts: BTreeMap<String, (String, i64)> = BTreeMap::new();
        for (published, sign) in of.into_iter().zip([-1, 1]) {
            print(view, Sources { published, ..sources }, &mut |row, key| {
                counts.entry(row).or_insert_with(|| (key, 0)).1 += sign;
            })?;
        }
        for (key, count) in counts.into_values() {
            let moved = Moved { came: count.max(0).unsigned_abs(), went: count.min(0).unsigned_abs() };
            self.0.views.entry(name).or_default().add(moved);
            match name {
                "segment_member" => self.0.segments.entry(key).or_default().add(moved),
                "target" => self.0.targets.entry(key).or_default().add(moved),
                _ => {}
            }
        }
        Ok(())
    }
}

/// Prints rows, each with its first column.
fn print(view: &View, sources: Sources<'_>, visit: &mut dyn FnMut(String, String)) -> Result<(), StoreError> {
    rows(view, sources, &mut |cells| {
        // No text has this character: control characters are refused.
        let row = cells.iter().map(ToString::to_string).collect::<Vec<_>>().join("\u{1f}");
        visit(row, cells.first().map(ToString::to_string).unwrap_or_default());
        Ok(())
    })
}

impl Receipt {
    /// Whether nothing changed at all.
    pub fn is_empty(&self) -> bool {
        self.views.is_empty() && self.points.before == self.points.after && self.as_of[0] == self.as_of[1]
    }
}

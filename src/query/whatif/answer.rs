//! What an edit would change, as it is told.

use dataflows::types::Epoch;
use serde::Serialize;

/// What publishing a programme at an epoch would change.
#[derive(Serialize, Clone, PartialEq, Eq, Debug)]
pub struct Answer {
    pub epoch: Epoch,
    /// Every segment of either programme, by id.
    pub segments: Vec<Group>,
    /// Every tier of either programme, by id; the null class has none.
    pub tiers: Vec<Group>,
    pub tier_moves: Vec<TierMove>,
    /// Members of each rank, where points or ranks are edited.
    pub ranks: Vec<Rank>,
    /// Customers with another balance of points.
    pub balances_changed: u64,
    /// The target list of every campaign of either programme, by id.
    pub targets: Vec<List>,
    /// Contacts by channel, whatever the campaign.
    pub channels: Vec<Load>,
    /// Whom caps keep from lists that they would otherwise be on, over all campaigns.
    pub over_cap: Span,
    pub cost: Cost,
    /// What the edit may change beside, which is not told.
    pub not_told: Vec<NotTold>,
}

/// Ids of customers, in the order of their bytes.
#[derive(Serialize, Clone, PartialEq, Eq, Debug, Default)]
pub struct Members {
    pub added: Vec<String>,
    pub removed: Vec<String>,
}

/// Customers of a segment or a tier.
#[derive(Serialize, Clone, PartialEq, Eq, Debug)]
pub struct Group {
    pub id: Option<String>,
    #[serde(flatten)]
    pub change: Change,
}

/// How many are on a list and would be, and who comes and goes.
#[derive(Serialize, Clone, PartialEq, Eq, Debug)]
pub struct Change {
    pub before: u64,
    pub after: u64,
    pub added: u64,
    pub removed: u64,
    /// The first by id, as many as were asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub members: Option<Members>,
}

/// Customers who would be of another tier, none where they have no row in `tier`.
#[derive(Serialize, Clone, PartialEq, Eq, Debug)]
pub struct TierMove {
    pub from: Standing,
    pub to: Standing,
    pub customers: u64,
}

/// A tier, or none.
#[derive(Serialize, Clone, PartialEq, Eq, Debug)]
#[serde(untagged)]
pub enum Standing {
    Tier(String),
    /// The null class, or no row at all.
    None {
        row: bool,
    },
}

/// Members of a rank; of none, the null rank.
#[derive(Serialize, Clone, PartialEq, Eq, Debug)]
pub struct Rank {
    pub id: Option<String>,
    pub before: i64,
    pub after: i64,
}

/// A campaign's target list.
#[derive(Serialize, Clone, PartialEq, Eq, Debug)]
pub struct List {
    pub id: String,
    #[serde(flatten)]
    pub change: Change,
    /// Who stays on it with another product, channel or arm.
    pub changed: u64,
    pub arms: Vec<Arms>,
    /// Why others of the audience are not on it.
    pub excluded: Vec<Excluded>,
    pub cost: Cost,
}

#[derive(Serialize, Clone, PartialEq, Eq, Debug)]
pub struct Arms {
    pub arm: &'static str,
    pub before: i64,
    pub after: i64,
}

#[derive(Serialize, Clone, PartialEq, Eq, Debug)]
pub struct Excluded {
    pub reason: String,
    pub before: i64,
    pub after: i64,
}

/// Contacts on a channel if everybody listed were contacted once.
#[derive(Serialize, Clone, PartialEq, Eq, Debug)]
pub struct Load {
    pub channel_id: String,
    pub before: i64,
    pub after: i64,
    /// Most contacts of a day, where the channel has such a number.
    pub daily_capacity: Option<i64>,
    /// Of the contacts, those that a day has no room for.
    pub over_capacity: Option<Span>,
}

#[derive(Serialize, Clone, Copy, PartialEq, Eq, Debug)]
pub struct Span {
    pub before: i64,
    pub after: i64,
}

/// In yuan with two places, as text.
#[derive(Serialize, Clone, PartialEq, Eq, Debug)]
pub struct Cost {
    pub before: String,
    pub after: String,
    pub change: String,
}

/// Something that the answer does not tell.
#[derive(Serialize, Clone, PartialEq, Eq, Debug)]
pub struct NotTold {
    /// Views, by their names, or what else it is.
    pub what: &'static str,
    pub why: String,
}

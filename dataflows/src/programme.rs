//! The programme as the dataflow needs it: settings that decide views, tiers, segments.
//!
//! Made by the application from the planner's TOML, where every error has been refused already.
//! Meaning: contract, "Programme".

use crate::rules::Expr;

/// What the planner decides. Equal programmes give equal views.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Programme {
    /// Months of the window W.
    pub window: u32,
    /// Months from the baseline's end to `as_of`.
    pub lag: u32,
    /// Months that tier history reaches back.
    pub history: u32,
    /// Limits tier and segment; everybody where none.
    pub population: Option<Expr>,
    /// In the order in which they are tested.
    pub tiers: Vec<Tier>,
    pub segments: Vec<Segment>,
}

/// Bounds of the settings in months: a century is more than any operator keeps, and keeps sums
/// over a window within 64 bits.
pub const MONTHS_MAX: u32 = 120;

/// Most tiers of a programme: a class is a byte, and two values are taken.
pub const TIERS_MAX: usize = 200;

/// One class.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Tier {
    pub id: String,
    /// None on the last tier only: it takes the rest.
    pub when: Option<Expr>,
}

/// One segment.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Segment {
    pub id: String,
    pub when: Expr,
}

impl Default for Programme {
    fn default() -> Programme {
        Programme { window: 3, lag: 3, history: 12, population: None, tiers: Vec::new(), segments: Vec::new() }
    }
}

//! Stages of members: new, active, silent, lapsed, by the days since they came and since they were heard of.
//!
//! Reads   balances of points (when a membership began, the last event), `now`, the programme's `stages`
//! Gives   `member_stage`, and the cells of the view of that name
//!
//! Decided here, where the contract is silent:
//! - Days are differences of local calendar days, so a stage changes at midnight and never between.
//! - Any event counts as heard of, of whatever kind, also one before the membership began.
//! - Who has been silent for long enough is silent or lapsed even while new: silence comes first.
//! - Without a clock no time has passed.
//! - Members count whether or not another feed names them, as in rank_count; their city may be null.
//!
//! Nothing is kept: a stage is a function of two days and of today, so the passing of a day costs a look at
//! each member's two days, and touches those alone whose stage it changes.

use crate::points::Balance;
use crate::types::{Day, Time};

use serde::{Deserialize, Serialize};

/// What a member is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub enum Stage {
    New,
    Active,
    Silent,
    Lapsed,
}

/// The values of `member_stage`, by stage; null for who is no member.
pub const STAGES: [&str; 4] = ["new", "active", "silent", "lapsed"];

impl Stage {
    /// As rules and views name it.
    pub fn name(self) -> &'static str {
        STAGES[self as usize]
    }
}

/// When one stage becomes another, in days.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Stages {
    /// For how many days from its beginning a membership is new.
    pub new_days: u32,
    /// After how many days without an event a member is silent.
    pub silent_days: u32,
    /// And after how many lapsed; no fewer.
    pub lapsed_days: u32,
}

impl Default for Stages {
    fn default() -> Stages {
        Stages { new_days: 30, silent_days: 30, lapsed_days: 90 }
    }
}

impl Stages {
    /// The stage of a customer; none where he is no member.
    pub fn stage(&self, balance: &Balance, now: Option<Time>) -> Option<Stage> {
        let began = balance.began?;
        let days_since = |day: Day| now.map_or(0, |now| i64::from(now.day().0) - i64::from(day.0));
        let silent = days_since(balance.last.unwrap_or(began));
        Some(match () {
            () if silent >= i64::from(self.lapsed_days) => Stage::Lapsed,
            () if silent >= i64::from(self.silent_days) => Stage::Silent,
            () if days_since(began) < i64::from(self.new_days) => Stage::New,
            () => Stage::Active,
        })
    }
}

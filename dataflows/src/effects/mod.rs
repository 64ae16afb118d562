//! Effects: what campaigns did to customers, and what these did then.
//!
//! Reads   contacts, control hand-offs, feedback; classes, segments and cities as they are now
//! Gives   cells of effect, effect_by, effect_rate, complaints by reason, first orders by day, channel_workload
//!
//! ```text
//! a customer's rows ─► one campaign after the other, in time ─► shares by channel and arm ─┬─► effect
//!                                                                                          └─► effect_by, by who he is
//! ```
//!
//! Everything is summed customer by customer: a row that comes, goes or is corrected takes away what its customer's
//! rows told before and adds what they tell now. Nobody else is looked at.
//!
//! Decided here, where the contract is silent:
//! - A control hand-off is a withheld contact of the control arm, until a row of `contact` under its id says otherwise:
//!   no channel reports whom it was not given. Other hand-offs are contacts once their channel reports them.
//! - Between a contact and a feedback of the same second the contact came first.
//! - effect_by counts as effect does, whatever the channel, and has a row wherever a customer of that class, city or
//!   segment has a contact or a feedback. Who has no class, or no city, is counted under null.
//! - A first order is the earliest `order` feedback of a customer to a campaign that did not reach him as its control.

mod by;
pub mod days;
mod differences;
pub(crate) mod life;

use serde::{Deserialize, Serialize};

pub use differences::Gathered;

use crate::records::{Arm, FeedbackKind};
use crate::types::Diff;

/// The arm that a feedback is counted to: that of the contact before it, if any.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize)]
pub enum Group {
    Target,
    Control,
    Random,
    /// Nobody had contacted him.
    #[default]
    None,
}

impl Group {
    /// All of them.
    pub const ALL: [Group; 4] = [Group::Target, Group::Control, Group::Random, Group::None];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Group::Target => Arm::Target.name(),
            Group::Control => Arm::Control.name(),
            Group::Random => Arm::Random.name(),
            Group::None => "none",
        }
    }
}

impl From<Arm> for Group {
    fn from(arm: Arm) -> Group {
        match arm {
            Arm::Target => Group::Target,
            Arm::Control => Group::Control,
            Arm::Random => Group::Random,
        }
    }
}

/// How many counts there are.
pub const EFFECTS: usize = 19;

/// What is counted of a campaign.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub enum Effect {
    /// Customers with any contact or feedback there.
    There,
    Contacted,
    Delivered,
    Withheld,
    Opened,
    Shown,
    Consulted,
    Ordered,
    Declined,
    Later,
    Complained,
    OptedOut,
    Surveyed,
    /// Contacts, delivered or failed: what is paid for.
    Contacts,
    /// What orders brought, in fen.
    Revenue(Part),
    /// Answers to surveys that have a value.
    Answers,
    /// What they add up to, in hundredths.
    Satisfaction(Part),
}

impl Effect {
    /// Those that count customers.
    pub const OF_CUSTOMERS: [Effect; 13] = [
        Effect::There,
        Effect::Contacted,
        Effect::Delivered,
        Effect::Withheld,
        Effect::Opened,
        Effect::Shown,
        Effect::Consulted,
        Effect::Ordered,
        Effect::Declined,
        Effect::Later,
        Effect::Complained,
        Effect::OptedOut,
        Effect::Surveyed,
    ];

    /// All of them: those of customers, then the others.
    pub const ALL: [Effect; EFFECTS] = {
        let mut all = [Effect::There; EFFECTS];
        let mut place = 0;
        while place < Effect::OF_CUSTOMERS.len() {
            all[place] = Effect::OF_CUSTOMERS[place];
            place += 1;
        }
        all[13] = Effect::Contacts;
        all[14] = Effect::Revenue(Part::Low);
        all[15] = Effect::Revenue(Part::High);
        all[16] = Effect::Answers;
        all[17] = Effect::Satisfaction(Part::Low);
        all[18] = Effect::Satisfaction(Part::High);
        all
    };

    /// Its place among them.
    pub fn place(self) -> usize {
        match self {
            Effect::There => 0,
            Effect::Contacted => 1,
            Effect::Delivered => 2,
            Effect::Withheld => 3,
            Effect::Opened => 4,
            Effect::Shown => 5,
            Effect::Consulted => 6,
            Effect::Ordered => 7,
            Effect::Declined => 8,
            Effect::Later => 9,
            Effect::Complained => 10,
            Effect::OptedOut => 11,
            Effect::Surveyed => 12,
            Effect::Contacts => 13,
            Effect::Revenue(Part::Low) => 14,
            Effect::Revenue(Part::High) => 15,
            Effect::Answers => 16,
            Effect::Satisfaction(Part::Low) => 17,
            Effect::Satisfaction(Part::High) => 18,
        }
    }

    /// What a feedback makes of a customer.
    pub fn of(kind: FeedbackKind) -> Effect {
        match kind {
            FeedbackKind::Open => Effect::Opened,
            FeedbackKind::Shown => Effect::Shown,
            FeedbackKind::Consult => Effect::Consulted,
            FeedbackKind::Order => Effect::Ordered,
            FeedbackKind::Decline => Effect::Declined,
            FeedbackKind::Later => Effect::Later,
            FeedbackKind::Complaint => Effect::Complained,
            FeedbackKind::Optout => Effect::OptedOut,
            FeedbackKind::Survey => Effect::Surveyed,
        }
    }
}

/// A part of a sum of amounts. Ten thousand rows of the largest amount would overflow one integer of 64 bits; of
/// two, each is safe for as many rows as a log can hold.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub enum Part {
    /// The lower 32 bits of each amount.
    Low,
    /// The rest, rounded toward negative infinity.
    High,
}

impl Part {
    /// The parts of an amount.
    fn of(amount: i64) -> [(Part, Diff); 2] {
        [(Part::Low, (amount & 0xffff_ffff) as Diff), (Part::High, (amount >> 32) as Diff)]
    }

    /// What parts add up to.
    pub fn sum(low: i64, high: i64) -> i128 {
        (i128::from(high) << 32) + i128::from(low)
    }
}

/// What effect_rate counts of an arm.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub enum Rated {
    /// Customers delivered to; of the control arm, kept back.
    Reached,
    /// Of them, who ordered since.
    Succeeded,
    /// Of them, who complained since.
    Complained,
}

/// By what effect_by tells customers apart.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub enum Dimension {
    City,
    Segment,
    Tier,
}

impl Dimension {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Dimension::City => "city",
            Dimension::Segment => "segment",
            Dimension::Tier => "tier",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_effect_stands_at_its_place() {
        for (place, effect) in Effect::ALL.into_iter().enumerate() {
            assert_eq!(effect.place(), place, "{effect:?}");
        }
    }
}

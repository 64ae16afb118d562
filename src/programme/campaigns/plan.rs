//! What of a campaign decides how and when it is handed off; whom it lists is the dataflow's `Campaign`.

use std::collections::BTreeMap;

use dataflows::records::State;
use dataflows::types::Time;

use super::dates::Quiet;
use crate::programme::ladder::Level;

/// How a campaign is carried out.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Plan {
    /// Its campaign's.
    pub id: String,
    pub name: Option<String>,
    pub goal: Option<Goal>,
    pub level: Level,
    /// At least one; the first is always carried out.
    pub steps: Vec<Step>,
    /// Nothing is handed off before it.
    pub from: Option<Time>,
    pub quiet: Vec<Quiet>,
    pub baseline: Option<Baseline>,
    pub seed: Option<Seed>,
    /// What hand-offs may cost together, in fen.
    pub budget: Option<i64>,
    /// Most hand-offs of a local day, by channel.
    pub capacity: BTreeMap<String, u32>,
    pub prize: Option<Prize>,
    /// The model whose score says who goes first where there is not room for all; by customer id alone where it names
    /// none.
    pub score: Option<String>,
    /// Those that it goes through, ascending; approved and running are among them.
    pub stages: Vec<State>,
    /// Those of them that a city leaves out.
    pub skip_stages: BTreeMap<String, Vec<State>>,
}

impl Plan {
    /// Whether nothing is handed off at that second of local time.
    pub fn is_quiet(&self, at: Time) -> bool {
        self.quiet.iter().any(|quiet| quiet.contains(at))
    }
}

/// What a campaign is for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Goal {
    /// The id of a `[[goal]]`.
    Standing(String),
    Own(OwnGoal),
}

/// A goal that a campaign has for itself.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OwnGoal {
    pub kpi: String,
    pub product: Option<String>,
    /// In hundredths.
    pub target: Option<i64>,
    pub driver: Option<String>,
    pub strategy: Option<String>,
}

/// One contact of a campaign with a customer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Step {
    pub channel: String,
    /// Days of 86,400 seconds since the hand-off of the step before it. 0 for the first.
    pub after_days: u32,
    pub condition: Condition,
    /// The id of a `[[content]]` that has a text for the channel.
    pub content: Option<String>,
}

/// What must have become of the step before for a step to be carried out.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Condition {
    #[default]
    Always,
    /// No feedback of the customer to the campaign.
    NoResponse,
    Opened,
    Delivered,
    Failed,
    NotOrdered,
}

impl Condition {
    /// With their words.
    pub const ALL: [(Condition, &'static str); 6] = [
        (Condition::Always, "always"),
        (Condition::NoResponse, "no_response"),
        (Condition::Opened, "opened"),
        (Condition::Delivered, "delivered"),
        (Condition::Failed, "failed"),
        (Condition::NotOrdered, "not_ordered"),
    ];

    /// As the programme writes it.
    pub fn name(self) -> &'static str {
        Condition::ALL[self as usize].1
    }

    /// Whether it holds as long as nothing comes, so that it means nothing without days to wait.
    pub fn is_of_silence(self) -> bool {
        matches!(self, Condition::NoResponse | Condition::NotOrdered)
    }
}

/// The old rate, which the campaign is compared with.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Baseline {
    /// Of 10,000.
    Rate(u32),
    Campaign(String),
}

/// The few who are contacted first. Shares are of 10,000.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Seed {
    pub size: u32,
    /// Least share of them that must have been delivered to.
    pub min_delivery: u32,
    /// Greatest share of those delivered to that may have complained.
    pub max_complaints: u32,
}

/// Drawn among those who order; by SHA-256, so that anybody can draw again.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Prize {
    /// Most that are given.
    pub quota: u32,
}

//! What effect_rate divides: whom each arm of a campaign reached, and what that cost.

use std::collections::BTreeMap;

use dataflows::effects::{Effect, Group, Rated};
use dataflows::records::Arm;
use dataflows::types::Word;
use dataflows::views::{Change, Family};

use super::{Sources, cost};
use crate::programme::Baseline;

/// An arm of a campaign.
#[derive(Clone, Copy, Default)]
pub struct Reached {
    /// Customers delivered to; of the control arm, kept back.
    pub customers: i64,
    pub succeeded: i64,
    pub complained: i64,
    /// Contacts, delivered or failed.
    pub contacts: i64,
    /// What they cost, in fen.
    pub cost: i128,
}

/// The arms of a campaign, by number.
pub type Arms = [Reached; 3];

/// The arms of each campaign.
pub fn arms(sources: Sources<'_>) -> BTreeMap<Word, Arms> {
    let mut campaigns: BTreeMap<Word, Arms> = BTreeMap::new();
    for (cell, count) in sources.published.counts_of(Family::EffectRate) {
        let Change::EffectRate { campaign, arm, what } = cell else { continue };
        let reached = &mut campaigns.entry(campaign).or_default()[arm as usize];
        match what {
            Rated::Reached => reached.customers = count as i64,
            Rated::Succeeded => reached.succeeded = count as i64,
            Rated::Complained => reached.complained = count as i64,
        }
    }
    for (cell, count) in sources.published.counts_of(Family::Effect) {
        let Change::Effect { campaign, channel, group, what: Effect::Contacts } = cell else { continue };
        let arm = Arm::ALL.into_iter().find(|arm| Group::from(*arm) == group);
        let (Some(arm), Some(arms)) = (arm, campaigns.get_mut(&campaign)) else { continue };
        arms[arm as usize].contacts += count as i64;
        arms[arm as usize].cost += cost(sources, channel, count as i64);
    }
    campaigns
}

impl Reached {
    /// Those who ordered, and of how many.
    pub fn successes(&self) -> (i64, i64) {
        (self.succeeded, self.customers)
    }
}

/// The arm that the target arm is compared with.
pub fn compared(arms: &Arms) -> Option<(Arm, &Reached)> {
    let found = [Arm::Control, Arm::Random].map(|arm| (arm, &arms[arm as usize]));
    found.into_iter().find(|(_, reached)| reached.customers > 0)
}

/// The rate of old: a part, and of how many.
pub fn old_rate(sources: Sources<'_>, campaigns: &BTreeMap<Word, Arms>, campaign: Word) -> Option<(i64, i64)> {
    let name = sources.names.words.text(campaign.0)?;
    let plan = sources.document.plans.iter().find(|plan| plan.id == name);
    match plan.and_then(|plan| plan.baseline.as_ref()) {
        Some(Baseline::Rate(rate)) => Some((i64::from(*rate), i64::from(dataflows::targets::WHOLE))),
        Some(Baseline::Campaign(id)) => {
            let of = campaigns.iter().find(|(word, _)| sources.names.words.text(word.0) == Some(id))?;
            Some(of.1[Arm::Target as usize].successes())
        }
        None => campaigns.get(&campaign).map(|arms| arms[Arm::Random as usize].successes()),
    }
}

//! How far campaigns have come: every standing row, by campaign. There are few of them.

use std::collections::BTreeMap;
use std::sync::Arc;

use dataflows::records::{CampaignStateRow, State};
use dataflows::types::{Time, Word};

use super::owners::{ByKey, Index, PartitionNo};

/// Rows of a campaign in the order in which they stand over one another: the last counts.
type Changes = BTreeMap<(Time, Box<str>), Arc<CampaignStateRow>>;

/// Holders by change, and the rows themselves by campaign.
#[derive(Default)]
pub struct ByCampaign {
    holders: ByKey<Box<str>, Arc<CampaignStateRow>>,
    /// Without campaigns of no row.
    campaigns: BTreeMap<Word, Changes>,
}

impl ByCampaign {
    /// The state of a campaign as a whole. Rows of a city say no more than that it accepted.
    pub fn state(&self, campaign: Word) -> Option<State> {
        let changes = self.campaigns.get(&campaign)?;
        changes.values().rev().find(|row| row.city.is_null()).map(|row| row.state)
    }

    /// The standing rows of each campaign, the one that counts last.
    pub fn rows(&self) -> impl Iterator<Item = (Word, impl Iterator<Item = &CampaignStateRow>)> {
        self.campaigns.iter().map(|(campaign, changes)| (*campaign, changes.values().map(|row| &**row)))
    }
}

impl Index<Box<str>, Arc<CampaignStateRow>> for ByCampaign {
    fn get(&self, key: &Box<str>) -> Option<(PartitionNo, Arc<CampaignStateRow>)> {
        self.holders.get(key)
    }

    fn set(&mut self, key: Box<str>, holder: Option<(PartitionNo, Arc<CampaignStateRow>)>) {
        if let Some((_, before)) = self.holders.get(&key)
            && let Some(changes) = self.campaigns.get_mut(&before.campaign)
        {
            changes.remove(&(before.at, key.clone()));
            if changes.is_empty() {
                self.campaigns.remove(&before.campaign);
            }
        }
        if let Some((_, row)) = &holder {
            self.campaigns.entry(row.campaign).or_default().insert((row.at, key.clone()), row.clone());
        }
        self.holders.set(key, holder);
    }

    fn latest(&self, at: fn(&Box<str>, &Arc<CampaignStateRow>) -> Option<Time>) -> Option<Time> {
        self.holders.latest(at)
    }
}

//! What stands, as others than the dataflow ask for it: looks into memory.

use std::collections::HashMap;
use std::sync::Arc;

use dataflows::facts::{Channel, Product};
use dataflows::records::{CampaignStateRow, Feed, ProvisioningRow, RowKey};
use dataflows::types::{CustomerIx, Word};

use super::partitions::Version;
use super::{ByRequest, Store};
use crate::ingest::Partition;

impl Store {
    /// Whether anything of a feed was ever taken. Whoever only deletes has told nothing of it.
    pub fn has_partition(&self, feed: Feed) -> bool {
        let only_deletes = |version: &Version| version.rows == 0 && version.deleted > 0;
        let mut of_feed = self.live.iter().filter(|live| live.partition.feed == feed);
        of_feed.any(|live| !live.standing.as_ref().is_some_and(only_deletes))
    }

    /// How many of the keys that a partition is to delete stand all the same: partitions that are greater hold them.
    pub fn outranked<'k>(&self, partition: &Partition, deleted: impl Iterator<Item = &'k RowKey>) -> usize {
        deleted.filter(|key| !self.goes(partition, key) && self.inputs.holder(key).is_some()).count()
    }

    /// Whether a row of a key stands that goes where a partition deletes it.
    fn goes(&self, partition: &Partition, key: &RowKey) -> bool {
        self.inputs.holder(key).is_some_and(|holder| self.live[holder as usize].partition < *partition)
    }

    /// Of lists, and of purposes of consents, that lose more than a fifth of what stands where a partition deletes keys of
    /// theirs: how many rows stand, and how many then would. None where none does.
    pub fn shrinks<'k>(&self, partition: &Partition, deleted: impl Iterator<Item = &'k RowKey>) -> Option<(u64, u64)> {
        let mut going: HashMap<Word, u64> = HashMap::new();
        for key in deleted.filter(|key| self.goes(partition, key)) {
            match key {
                RowKey::Listing(_, group) | RowKey::Consent(_, group, ..) => *going.entry(*group).or_default() += 1,
                _ => {}
            }
        }
        if going.is_empty() {
            return None;
        }
        let standing = self.inputs.counts(partition.feed);
        let counts = going.into_iter().map(|(group, going)| {
            let before = standing.get(&group).copied().unwrap_or_default();
            (before, before.saturating_sub(going))
        });
        let shrinking = counts.filter(|(before, after)| after * 5 < before * 4);
        shrinking.reduce(|one, other| (one.0 + other.0, one.1 + other.1))
    }

    /// Whether a hand-off of that id stands; exact, and a look into memory.
    pub fn has_handoff(&self, contact_id: &str) -> bool {
        self.inputs.has_handoff(contact_id)
    }

    /// What customers ordered here, and how far each request has come.
    pub fn order_requests(&self) -> &ByRequest {
        self.inputs.order_requests()
    }

    /// What whoever provisions answered, in no order.
    pub fn answers(&self) -> impl Iterator<Item = &Arc<ProvisioningRow>> {
        self.inputs.answers()
    }

    /// Whether whoever provisions answered a request of that id.
    pub fn has_answer(&self, request_id: &str) -> bool {
        self.inputs.has_answer(request_id)
    }

    /// Whether an order, a contact or a feedback of an id stands, or did until it was deleted: whoever makes such rows makes
    /// none again that somebody took away.
    pub fn has_ever(&self, key: &RowKey) -> bool {
        self.inputs.holder(key).is_some() || self.inputs.is_deleted(key)
    }

    /// Whether a feedback of that id stands.
    pub fn has_feedback(&self, feedback_id: &str) -> bool {
        self.inputs.has_feedback(feedback_id)
    }

    /// Products of which a row stands, in no order.
    pub fn products(&self) -> impl Iterator<Item = Word> {
        self.inputs.products()
    }

    /// What of a product decides to whom it may be offered; none where no row of it stands.
    pub fn product(&self, product: Word) -> Option<Product> {
        self.inputs.product(product)
    }

    /// Whose a contact of that id is, where one is told.
    pub fn contacted(&self, contact_id: &str) -> Option<CustomerIx> {
        self.inputs.contacted(contact_id)
    }

    /// Whose a hand-off of that id is, where one stands.
    pub fn handed_off(&self, contact_id: &str) -> Option<CustomerIx> {
        self.inputs.handed_off(contact_id)
    }

    /// The category of a product; none where no row of it stands, or that names none.
    pub fn category(&self, product: Word) -> Option<Word> {
        self.inputs.category(product)
    }

    /// What a channel costs and takes; none where no row of it stands.
    pub fn channel(&self, channel: Word) -> Option<Channel> {
        self.inputs.channel(channel)
    }

    /// How far a campaign has come, as a whole.
    pub fn campaign_state(&self, campaign: Word) -> dataflows::records::State {
        self.inputs.campaign_state(campaign)
    }

    /// The standing changes of each campaign's state, in the order of (at, change_id), those of cities among them.
    pub fn campaign_states(&self) -> impl Iterator<Item = (Word, impl Iterator<Item = &CampaignStateRow>)> {
        self.inputs.campaign_states()
    }
}

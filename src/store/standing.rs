//! What stands, as others than the dataflow ask for it: looks into memory.

use std::sync::Arc;

use dataflows::facts::{Channel, Product};
use dataflows::records::{CampaignStateRow, ProvisioningRow};
use dataflows::types::{CustomerIx, Word};

use super::{ByRequest, Store};

impl Store {
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

    /// Whether an order of that id stands.
    pub fn has_order(&self, order_id: &str) -> bool {
        self.inputs.has_order(order_id)
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

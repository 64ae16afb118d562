//! What a channel is given: a line for each contact.

use dataflows::records::{Arm, Handoff, HandoffRow};
use dataflows::types::{CustomerIx, Time, Word};
use sha2::{Digest, Sha256};

/// The id of a contact: the same campaign, step, customer and channel have the same for ever, so that nobody is
/// contacted twice for one, whoever sends it again.
pub fn contact_id(campaign: &str, step: u8, customer: &str, channel: &str) -> Box<str> {
    let hash = Sha256::new()
        .chain_update(campaign)
        .chain_update([0, step, 0])
        .chain_update(customer)
        .chain_update([0])
        .chain_update(channel)
        .finalize();
    HandoffRow::id(std::array::from_fn(|place| hash[place]))
}

/// A contact that is being handed off.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Message {
    pub contact_id: Box<str>,
    pub campaign: Named,
    /// From 0.
    pub step: u8,
    pub customer: CustomerIx,
    pub customer_id: Box<str>,
    /// What stands for his phone number.
    pub number: Option<String>,
    pub channel: Named,
    pub arm: Arm,
    pub at: Time,
    /// In fen.
    pub cost: i64,
    /// What is sent; nothing to whom is kept back.
    pub body: Option<Body>,
}

/// A name with its number.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Named {
    pub word: Word,
    pub name: std::rc::Rc<str>,
}

/// What is sent: a text, or a link to a terminal that opens it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Body {
    pub version: u32,
    pub text: std::rc::Rc<str>,
    pub is_link: bool,
}

impl Message {
    /// As the store keeps it.
    pub fn row(&self) -> HandoffRow {
        let Message { campaign, step, channel, arm, cost, .. } = self;
        let handoff = Handoff { campaign: campaign.word, step: *step, channel: channel.word, arm: *arm, cost: *cost };
        HandoffRow { contact_id: self.contact_id.clone(), customer: self.customer, at: self.at, handoff }
    }
}

/// The columns of an outbox file.
pub const COLUMNS: [&str; 10] = [
    "contact_id",
    "campaign_id",
    "step",
    "customer_id",
    "number",
    "channel_id",
    "content_version",
    "kind",
    "content",
    "at",
];

impl Message {
    /// A line of an outbox file. Steps are told from 1.
    pub fn fields(&self) -> [String; 10] {
        let body = self.body.as_ref();
        [
            self.contact_id.to_string(),
            self.campaign.name.to_string(),
            (u16::from(self.step) + 1).to_string(),
            self.customer_id.to_string(),
            self.number.clone().unwrap_or_default(),
            self.channel.name.to_string(),
            body.map_or(String::new(), |body| body.version.to_string()),
            body.map_or("", |body| if body.is_link { "link" } else { "text" }).to_owned(),
            body.map_or(String::new(), |body| body.text.to_string()),
            self.at.to_string(),
        ]
    }
}

//! What a customer says to an offer that was made to him in person.

use dataflows::records::Feed;
use dataflows::types::{Epoch, Word};

use super::entry::{Entry, feedback_id, id_of};
use super::page::{Page, offers};
use super::replies::person;
use super::requests::{Asked, Told, unsigned};
use crate::ingest::Partition;
use crate::intake::Intake;
use crate::intake::edits::NO_CAMPAIGN;
use crate::intake::requests::{Before, Seal};
use crate::store::StoreError;

/// What he says.
#[derive(
    Clone, Copy, PartialEq, Eq, Debug, serde::Deserialize, serde::Serialize, clap::ValueEnum, schemars::JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Accepted {
    Accepted,
    Declined,
    Later,
    /// Nothing: it was shown.
    Shown,
}

impl Accepted {
    /// The kind of feedback that it is; none of what makes a request.
    fn kind(self) -> Option<&'static str> {
        match self {
            Accepted::Accepted => None,
            Accepted::Declined => Some("decline"),
            Accepted::Later => Some("later"),
            Accepted::Shown => Some("shown"),
        }
    }
}

/// An answer to an offer.
pub struct OfferAnswer<'r> {
    pub customer: &'r str,
    pub product: &'r str,
    pub campaign: Option<&'r str>,
    pub channel: Option<&'r str>,
    pub answer: Accepted,
    /// Who made the offer.
    pub by: &'r str,
    pub key: Option<&'r str>,
    pub body: &'r [u8],
}

/// What became of it.
pub enum Taken {
    Ordered(Told),
    /// A feedback stands. None where it did before.
    Noted(Option<(Epoch, Partition)>),
    KeyReused,
    UnknownCustomer,
    /// No product of that id is known.
    UnknownProduct,
    /// The programme holds no such campaign.
    UnknownCampaign,
    Bad(String),
    Failed,
}

impl Intake {
    /// What may be offered to a customer; none where he is not known. Nothing that was accepted is missed.
    pub fn offers(&self, customer: &str, number: usize) -> Option<Page> {
        let store = self.store().lock();
        if !self.hub().settle() {
            return None;
        }
        let (names, published, document) = (self.names(), self.hub().published(), self.document());
        let names = names.read();
        let (_, person) = person(customer, &published, &names)?;
        Some(offers(&person, &published, &store, &document, number))
    }

    /// Takes an answer: durable when this returns.
    pub fn answer_offer(&self, answer: &OfferAnswer<'_>) -> Result<Taken, StoreError> {
        if let Some(wrong) = unsigned(answer.by) {
            return Ok(Taken::Bad(wrong));
        }
        let seal = |feed| Seal::new(feed, &format!("offer {}", answer.customer), answer.key, answer.body);
        let mut store = self.store().lock();
        for before in [Feed::OrderRequest, Feed::Feedback].map(|feed| seal(feed).before(&store)) {
            match before {
                None => {}
                Some(Before::KeyReused) => return Ok(Taken::KeyReused),
                Some(Before::Done { partition, .. }) => {
                    let told = self.told(&store, &partition)?;
                    return Ok(told.map_or(Taken::Noted(None), Taken::Ordered));
                }
            }
        }
        if !self.hub().settle() {
            return Ok(Taken::Failed);
        }
        let (published, campaign) = (self.hub().published(), answer.campaign.unwrap_or_default());
        if !campaign.is_empty() && !published.programme.campaigns.iter().any(|known| known.id == campaign) {
            return Ok(Taken::UnknownCampaign);
        }
        let (customer, product) = {
            let names = self.names();
            let names = names.read();
            let Some((customer, _)) = person(answer.customer, &published, &names) else {
                return Ok(Taken::UnknownCustomer);
            };
            (customer, names.words.find(answer.product).map(Word))
        };
        let in_pack =
            || published.programme.packs.iter().any(|pack| pack.products.iter().any(|of| of == answer.product));
        let Some(product) = product.filter(|product| store.product(*product).is_some() || in_pack()) else {
            return Ok(Taken::UnknownProduct);
        };
        let stamp = answer.key.map_or_else(|| self.wall_stamp(), |key| format!("key {key}"));
        let kind = answer.answer.kind();
        let id = id_of(&["offer", kind.unwrap_or_default(), answer.customer, answer.product, campaign, &stamp]);
        let channel = answer.channel.unwrap_or_default();
        let Some(kind) = kind else {
            let asked = Asked { id, customer, product, campaign, channel, by: answer.by };
            let told = self.request(&mut store, &asked, seal(Feed::OrderRequest))?;
            return Ok(told.map_or_else(Taken::Bad, Taken::Ordered));
        };
        let (_, wall) = self.settings();
        let at = self.clock(store.clock()).now.unwrap_or(wall).to_string();
        let campaign = if campaign.is_empty() { NO_CAMPAIGN } else { campaign };
        let mut entry = Entry::default();
        let id = feedback_id(kind, &id);
        entry.add(Feed::Feedback, [&id, campaign, answer.customer, kind, &at, channel, answer.product, answer.by]);
        let entered = self.write_down(&mut store, &entry, seal(Feed::Feedback))?;
        Ok(entered.map_or_else(Taken::Bad, |entered| Taken::Noted(Some(entered))))
    }
}

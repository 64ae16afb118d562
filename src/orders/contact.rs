//! The contact that a customer replies to, and what it offers him.

use dataflows::programme::Programme;
use dataflows::records::{Arm, Outcome};
use dataflows::table::moments::of_slot;
use dataflows::targets::{Campaign, Offer};
use dataflows::types::{Time, Word};

use super::fit::Person;
use crate::engine::Published;
use crate::query::tier_of;
use crate::store::Store;

/// A contact with a customer, whoever made it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Contacted<'a> {
    pub at: Time,
    pub id: &'a str,
    pub campaign: Word,
    pub channel: Word,
}

impl<'a> Person<'a> {
    /// The contact of an id, or the latest of a campaign; of neither there is none. Who was kept back was not contacted.
    pub fn contacted(&self, contact: Option<&str>, campaign: Option<&str>) -> Option<Contacted<'a>> {
        let campaign = campaign.map(|campaign| self.names.words.find(campaign).map(Word));
        let is_meant = |found: &Contacted<'_>| match (contact, campaign) {
            (Some(contact), _) => found.id == contact,
            (None, Some(campaign)) => Some(found.campaign) == campaign,
            (None, None) => false,
        };
        let handed = of_slot(&self.chunk.handoffs, self.slot).iter();
        let handed = handed.filter(|(_, handoff)| handoff.arm != Arm::Control).map(|((_, at, id), handoff)| {
            Contacted { at: *at, id, campaign: handoff.campaign, channel: handoff.channel }
        });
        let reported = of_slot(&self.chunk.contacts, self.slot).iter();
        let reported =
            reported.filter(|(_, contact)| contact.outcome != Outcome::Withheld).map(|((_, at, id), contact)| {
                Contacted { at: *at, id, campaign: contact.campaign, channel: contact.channel }
            });
        handed.chain(reported).filter(is_meant).max()
    }

    /// What a campaign has for him: the product of the target list, else the first of its own that he does not hold and
    /// can use, else its first.
    pub fn offered(&self, published: &Published, place: usize, store: &Store) -> Option<Word> {
        let campaign = published.programme.campaigns.get(place)?;
        if let Some(product) = self.listed(published, place) {
            return Some(product);
        }
        let products = self.products(published, campaign);
        let mut fresh = products.iter().filter(|product| !self.holds(**product) && self.can_use(**product, store));
        fresh.next().or(products.first()).copied()
    }

    /// The product that the target list of a campaign has for him; none where it does not list him to be contacted.
    pub fn listed(&self, published: &Published, place: usize) -> Option<Word> {
        let campaign = published.programme.campaigns.get(place)?;
        let column = self.chunk.targets.columns.get(place)?;
        let (_, arm, product) = column.named(self.slot, campaign, |word| self.names.words.text(word.0))?;
        let product = product.filter(|_| arm == Arm::Target)?;
        self.names.words.find(product).map(Word)
    }

    /// What a campaign may offer him, the best first.
    fn products(&self, published: &Published, campaign: &Campaign) -> Vec<Word> {
        let programme: &Programme = &published.programme;
        let names: &[String] = match &campaign.offer {
            Offer::Nothing => &[],
            Offer::Product(product) => std::slice::from_ref(product),
            Offer::Pack(id) => {
                programme.packs.iter().find(|pack| pack.id == *id).map_or(&[], |pack| pack.products.as_slice())
            }
            Offer::PackByTier => self.pack(published),
        };
        names.iter().filter_map(|name| self.names.words.find(name).map(Word)).collect()
    }

    /// The pack of his class; nothing where it has none.
    pub fn pack<'p>(&self, published: &'p Published) -> &'p [String] {
        let Some((Some(tier), _)) = tier_of(published, self.chunk, self.slot) else { return &[] };
        let pack = published.programme.packs.iter().find(|pack| pack.tier.as_deref() == Some(tier));
        pack.map_or(&[], |pack| pack.products.as_slice())
    }
}

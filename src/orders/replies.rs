//! Replies: what a customer answers to a contact, word by word.

use dataflows::records::{Feed, Rows};
use dataflows::types::{CustomerIx, Epoch, Word};

use super::contact::Contacted;
use super::entry::Entry;
use super::fit::Person;
use super::heard::{decline_id, reply_id};
use super::requests::{Asked, Told, Words, unsigned};
use super::said::{Said, said};
use crate::engine::Published;
use crate::ingest::Partition;
use crate::intake::Intake;
use crate::intake::edits::{Edit, Edited, OptOut, Request};
use crate::intake::requests::{Before, Seal};
use crate::programme::Document;
use crate::store::{Dictionary, Store, StoreError};

/// What a customer replied, and to what.
pub struct Reply<'r> {
    pub customer: &'r str,
    pub text: &'r str,
    /// One of the two: the latest contact of the campaign is meant, or this one.
    pub campaign: Option<&'r str>,
    pub contact: Option<&'r str>,
    /// By which he replied; that of the contact where it is not told.
    pub channel: Option<&'r str>,
    /// Who relays it.
    pub by: &'r str,
    /// By which it is known when it comes again.
    pub key: Option<&'r str>,
    /// The bytes in which it came.
    pub body: &'r [u8],
}

/// What became of a reply.
pub enum Replied {
    /// A request stands, made by it or before.
    Ordered(Box<Told>),
    /// A decline stands. None where it did before.
    Declined(Option<(Epoch, Partition)>),
    OptedOut(Edited),
    /// It was not understood, and this is what the campaign says.
    Prompt(Words),
    /// Another reply came under the same key.
    KeyReused,
    UnknownCustomer,
    /// He has no such contact.
    UnknownContact,
    /// The campaign has nothing that he could order.
    NothingOffered,
    /// What is wrong with it.
    Bad(String),
    /// A worker has failed.
    Failed,
}

/// Said where a campaign has no text for the channel.
const PROMPT: &str = "Reply Y to order, N to decline, STOP to be left alone.";

/// What a reply is about.
struct About {
    customer: CustomerIx,
    contact_id: String,
    campaign: String,
    channel: String,
    product: Option<Word>,
    prompt: Words,
}

impl Intake {
    /// Takes a reply. What it orders, declines or forbids is durable when this returns.
    pub fn reply(&self, reply: &Reply<'_>) -> Result<Replied, StoreError> {
        if let Some(wrong) = unsigned(reply.by) {
            return Ok(Replied::Bad(wrong));
        }
        let said = said(reply.text);
        if reply.contact.is_none() && reply.campaign.is_none() && said != Some(Said::OptOut) {
            return Ok(Replied::Bad("a reply is to a contact_id, or to a campaign_id".to_owned()));
        }
        let seal = |feed| Seal::new(feed, "reply", reply.key, reply.body);
        if said == Some(Said::OptOut) {
            let is_another = seal(Feed::OrderRequest).before(&self.store().lock()).is_some();
            return if is_another { Ok(Replied::KeyReused) } else { self.reply_optout(reply).map(Replied::OptedOut) };
        }
        let mut store = self.store().lock();
        for before in [Feed::OrderRequest, Feed::Feedback].map(|feed| seal(feed).before(&store)) {
            match before {
                None => {}
                Some(Before::KeyReused) => return Ok(Replied::KeyReused),
                Some(Before::Done { partition, .. }) => {
                    let told = self.told(&store, &partition)?;
                    return Ok(told.map_or(Replied::Declined(None), |told| Replied::Ordered(Box::new(told))));
                }
            }
        }
        if !self.hub().settle() {
            return Ok(Replied::Failed);
        }
        let (published, document) = (self.hub().published(), self.document());
        let about = match about(reply, &store, &published, &document, &self.names().read()) {
            Ok(about) => about,
            Err(replied) => return Ok(replied),
        };
        match (said, about.product) {
            (Some(Said::Order), None) => Ok(Replied::NothingOffered),
            (Some(Said::Order), Some(product)) => {
                let asked = Asked {
                    id: reply_id(&about.contact_id),
                    customer: about.customer,
                    product,
                    campaign: &about.campaign,
                    channel: &about.channel,
                    by: reply.by,
                };
                let told = self.request(&mut store, &asked, seal(Feed::OrderRequest))?;
                Ok(told.map_or_else(Replied::Bad, |told| Replied::Ordered(Box::new(told))))
            }
            (Some(Said::Decline), _) => self.decline(&mut store, reply, &about, seal(Feed::Feedback)),
            _ => Ok(Replied::Prompt(about.prompt)),
        }
    }

    /// The request that a partition made, as it stands; none where it made none.
    pub(crate) fn told(&self, store: &Store, partition: &Partition) -> Result<Option<Told>, StoreError> {
        let held = store.partition(partition)?;
        let id = match held.as_ref().map(|(_, content)| &content.rows) {
            Some(Rows::OrderRequest(rows)) => rows.first().map(|row| row.request_id.clone()),
            _ => None,
        };
        let standing = id.and_then(|id| store.order_requests().request(&id));
        Ok(standing.map(|row| Told::of(row, &self.names().read())))
    }

    fn reply_optout(&self, reply: &Reply<'_>) -> Result<Edited, StoreError> {
        let campaign = {
            let (names, published) = (self.names(), self.hub().published());
            let names = names.read();
            let person = person(reply.customer, &published, &names);
            let contacted = person.and_then(|(_, person)| person.contacted(reply.contact, reply.campaign));
            let of = contacted.and_then(|contacted| names.words.text(contacted.campaign.0)).map(str::to_owned);
            of.or_else(|| reply.campaign.map(str::to_owned))
        };
        let channel = reply.channel.map(str::to_owned);
        let edit = Edit::OptOut(OptOut { customer: reply.customer.to_owned(), campaign, channel });
        let (by, reason) = (reply.by, reply.text.trim());
        self.edit(&Request { edit: &edit, by, reason, key: reply.key, body: reply.body })
    }

    fn decline(&self, store: &mut Store, reply: &Reply<'_>, about: &About, seal: Seal) -> Result<Replied, StoreError> {
        let id = decline_id(&about.contact_id);
        if store.has_feedback(&id) {
            return Ok(Replied::Declined(None));
        }
        let (_, wall) = self.settings();
        let at = self.clock(store.clock()).now.unwrap_or(wall).to_string();
        let mut entry = Entry::default();
        {
            let names = self.names();
            let names = names.read();
            let product = about.product.and_then(|product| names.words.text(product.0)).unwrap_or_default();
            let (campaign, channel) = (&about.campaign, &about.channel);
            entry.add(Feed::Feedback, [&id, campaign, reply.customer, "decline", &at, channel, product, reply.by]);
        }
        let entered = self.write_down(store, &entry, seal)?;
        Ok(entered.map_or_else(Replied::Bad, |entered| Replied::Declined(Some(entered))))
    }
}

pub(crate) fn person<'a>(
    id: &str,
    published: &'a Published,
    names: &'a Dictionary,
) -> Option<(CustomerIx, Person<'a>)> {
    let customer = CustomerIx(names.customers.find(id)?);
    let (chunk, slot) = published.customer(customer)?;
    Some((customer, Person { chunk, slot, names, now: published.clock.now }))
}

/// Finds what a reply is about; what to answer where there is no such thing.
fn about(
    reply: &Reply<'_>,
    store: &Store,
    published: &Published,
    document: &Document,
    names: &Dictionary,
) -> Result<About, Replied> {
    let (customer, person) = person(reply.customer, published, names).ok_or(Replied::UnknownCustomer)?;
    let contacted = person.contacted(reply.contact, reply.campaign);
    let Contacted { id, campaign, channel, .. } = contacted.ok_or(Replied::UnknownContact)?;
    let text = |word: Word| names.words.text(word.0).unwrap_or_default();
    let (campaign, channel) = (text(campaign), reply.channel.unwrap_or(text(channel)));
    let place = published.programme.campaigns.iter().position(|known| known.id == campaign);
    let plan = document.plans.iter().find(|plan| plan.id == campaign);
    let content = plan.and_then(|plan| document.content(campaign, plan.steps.first()?, channel));
    let link = content.and_then(|content| content.link.as_ref()).filter(|_| person.opens_links());
    let said = link.or(content.map(|content| &content.text)).map_or(PROMPT, String::as_str);
    Ok(About {
        customer,
        contact_id: id.to_owned(),
        campaign: campaign.to_owned(),
        channel: channel.to_owned(),
        product: place.and_then(|place| person.offered(published, place, store)),
        prompt: Words { text: said.to_owned(), is_link: link.is_some() },
    })
}

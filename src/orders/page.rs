//! What a customer who calls, or comes, is offered.

use std::collections::{BTreeMap, BTreeSet};

use dataflows::records::{Arm, State};
use dataflows::targets::{DO_NOT_CONTACT, Past, is_opted_out};
use dataflows::types::{Time, Word};

use super::fit::Person;
use crate::engine::Published;
use crate::programme::Document;
use crate::store::Store;

/// Offers of his pack and of campaigns on the first page, and of others on each.
const FIRST: usize = 5;
const MORE: usize = 50;

/// Where an offer comes from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Why {
    Pack,
    Campaign,
    Product,
}

impl Why {
    pub fn name(self) -> &'static str {
        match self {
            Why::Pack => "pack",
            Why::Campaign => "campaign",
            Why::Product => "product",
        }
    }
}

/// A product that may be offered.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Offer {
    pub product: String,
    pub why: Why,
    /// The campaign that lists him for it, and over which channel.
    pub campaign: Option<String>,
    pub channel: Option<String>,
    /// What the campaign says there.
    pub text: Option<String>,
}

/// A page of them.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Page {
    /// Why nothing may be offered to him.
    pub closed: Option<&'static str>,
    pub offers: Vec<Offer>,
    pub more: Vec<Offer>,
    /// What is not to be offered to him, and why; by product.
    pub not: Vec<(String, NotWhy)>,
}

/// Why a product is not to be offered to somebody.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum NotWhy {
    /// He holds it.
    Held,
    /// He said no, or later, not long ago.
    Declined,
    /// His terminal cannot use it.
    Terminal,
}

impl NotWhy {
    pub fn name(self) -> &'static str {
        match self {
            NotWhy::Held => "held",
            NotWhy::Declined => "declined",
            NotWhy::Terminal => "terminal",
        }
    }
}

/// The page of a number, from 1.
pub(crate) fn offers(
    person: &Person<'_>,
    published: &Published,
    store: &Store,
    document: &Document,
    page: usize,
) -> Page {
    let past = Past::of(person.chunk, person.slot);
    let closed = if is_opted_out(person.chunk, person.slot, &past) {
        Some("optout")
    } else {
        person.is_on(DO_NOT_CONTACT).then_some("do_not_contact")
    };
    if closed.is_some() {
        return Page { closed, ..Page::default() };
    }
    let mut shelf = Shelf {
        person,
        published,
        store,
        document,
        past,
        listed: Vec::new(),
        seen: BTreeSet::new(),
        not: BTreeMap::new(),
    };
    shelf.listed = shelf.campaigns();
    let mut all = shelf.pack();
    all.extend(shelf.of_campaigns());
    let mut rest = all.split_off(all.len().min(FIRST));
    rest.extend(shelf.products());
    let skip = page.saturating_sub(1).saturating_mul(MORE);
    let more = rest.into_iter().skip(skip).take(MORE).collect();
    let text = |product: &Word| person.names.words.text(product.0).unwrap_or_default().to_owned();
    let mut not: Vec<(String, NotWhy)> = shelf.not.iter().map(|(product, why)| (text(product), *why)).collect();
    not.sort();
    Page { closed: None, offers: if page == 1 { all } else { Vec::new() }, more, not }
}

/// What is put on pages, each product once.
struct Shelf<'a> {
    person: &'a Person<'a>,
    published: &'a Published,
    store: &'a Store,
    document: &'a Document,
    past: Past<'a>,
    /// Campaigns that list him, by place, with what they offer him: the greater priority first, then by id.
    listed: Vec<(usize, Word)>,
    seen: BTreeSet<Word>,
    /// What was left out, and why.
    not: BTreeMap<Word, NotWhy>,
}

impl Shelf<'_> {
    fn campaigns(&self) -> Vec<(usize, Word)> {
        let campaigns = &self.published.programme.campaigns;
        let mut places: Vec<(usize, Word)> = (0..campaigns.len())
            .filter(|place| self.runs(*place))
            .filter_map(|place| Some((place, self.person.listed(self.published, place)?)))
            .collect();
        places.sort_by_key(|(place, _)| {
            let campaign = &campaigns[*place];
            (std::cmp::Reverse(campaign.priority), &campaign.id)
        });
        places
    }

    /// Whether a campaign runs, and has begun. Its end is the target list's to know.
    fn runs(&self, place: usize) -> bool {
        let Some(plan) = self.document.plans.get(place) else { return false };
        let word = self.person.names.words.find(&plan.id).map(Word);
        let is_running = word.is_some_and(|word| self.store.campaign_state(word) == State::Running);
        let has_begun = plan.from.is_none_or(|from| self.person.now.is_some_and(|now| from <= now));
        is_running && has_begun
    }

    /// An offer of a product that was not made yet and that he may have.
    fn offer(&mut self, product: Word, why: Why, place: Option<usize>) -> Option<Offer> {
        let person = self.person;
        let place = place.or_else(|| self.listed.iter().find(|(_, of)| *of == product).map(|(place, _)| *place));
        let campaign = place.and_then(|place| self.published.programme.campaigns.get(place));
        let word = campaign.and_then(|campaign| person.names.words.find(&campaign.id)).map_or(Word::NULL, Word);
        let limits = &self.published.programme.limits;
        let until = self.past.declined_until(word, product, (limits.decline_days, limits.later_days));
        let is_declined = until.is_some_and(|until| person.now.unwrap_or(Time(i64::MIN)) < until);
        let not = if person.holds(product) {
            Some(NotWhy::Held)
        } else if !person.can_use(product, self.store) {
            Some(NotWhy::Terminal)
        } else {
            is_declined.then_some(NotWhy::Declined)
        };
        if let Some(not) = not {
            self.not.insert(product, not);
            return None;
        }
        if !self.seen.insert(product) {
            return None;
        }
        // What one campaign may not offer yet, another may.
        self.not.remove(&product);
        let text = |word: Word| person.names.words.text(word.0).unwrap_or_default().to_owned();
        let column = place.and_then(|place| person.chunk.targets.columns.get(place));
        let listed = column
            .zip(campaign)
            .and_then(|(column, campaign)| column.named(person.slot, campaign, |word| person.names.words.text(word.0)));
        let channel = listed.filter(|(_, arm, _)| *arm == Arm::Target).map(|(channel, ..)| channel.to_owned());
        let plan = place.and_then(|place| self.document.plans.get(place));
        let content = plan.zip(channel.as_deref());
        let content = content.and_then(|(plan, channel)| self.document.content(&plan.id, plan.steps.first()?, channel));
        Some(Offer {
            product: text(product),
            why,
            campaign: campaign.map(|campaign| campaign.id.clone()),
            channel,
            text: content.map(|content| content.text.clone()),
        })
    }

    fn pack(&mut self) -> Vec<Offer> {
        let products = self.person.pack(self.published);
        let find = |product: &String| self.person.names.words.find(product).map(Word);
        let products: Vec<Word> = products.iter().filter_map(find).collect();
        products.into_iter().filter_map(|product| self.offer(product, Why::Pack, None)).collect()
    }

    fn of_campaigns(&mut self) -> Vec<Offer> {
        let listed = self.listed.clone();
        listed.into_iter().filter_map(|(place, product)| self.offer(product, Why::Campaign, Some(place))).collect()
    }

    /// The other products: the greatest value first, then by id.
    fn products(&mut self) -> Vec<Offer> {
        let value = |product: Word| self.store.product(product).and_then(|product| product.value);
        let mut products: Vec<Word> = self.store.products().collect();
        let text = |product: &Word| self.person.names.words.text(product.0);
        products.sort_by(|one, other| value(*other).cmp(&value(*one)).then_with(|| text(one).cmp(&text(other))));
        products.into_iter().filter_map(|product| self.offer(product, Why::Product, None)).collect()
    }
}

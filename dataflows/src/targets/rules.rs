//! Campaigns, compiled: words for names, and the order in which they are arbitrated.

use std::borrow::Cow;
use std::cell::RefCell;
use std::sync::Arc;

use hashbrown::HashMap;

use super::codes::REASONS;
use super::past::Count;
use super::{Campaign, DO_NOT_CONTACT, Offer};
use crate::programme::Programme;
use crate::rules::plan::{Plan, plan};
use crate::table::catalog::Catalog;
use crate::table::chunk::FIRST_CLASS;
use crate::types::{Clock, Time, Word};

/// The campaigns of a programme.
pub struct Rules {
    /// In the programme's order.
    pub listings: Vec<Listing>,
    pub do_not_contact: Option<Word>,
    pub reasons: [Word; REASONS.len()],
    pub caps: Vec<Count>,
    pub open_max: u32,
    /// That of the global control group.
    pub holdout: u32,
    /// Days of a decline, and of a "later".
    pub answer_days: (u32, u32),
    usable: RefCell<HashMap<(Word, Word), bool, foldhash::fast::RandomState>>,
}

/// A campaign.
pub struct Listing {
    pub id: Word,
    pub name: String,
    pub audience: Plan,
    pub cities: Vec<Word>,
    pub offering: Offering,
    pub excludes_holders: bool,
    pub excludes_terminals: bool,
    /// Lists, where any input has ever named them, with the reasons that they are.
    pub lists: Vec<(Option<Word>, Word)>,
    /// The purpose, where it needs a consent to one.
    pub consent: Option<Option<Word>>,
    /// Campaigns that it is never with, whichever of the two says so; and those of them in the programme, by place.
    pub rivals: Vec<Word>,
    rival_places: Vec<usize>,
    pub not_after: Vec<(Word, u32)>,
    /// Each with what it asks of a terminal, which may be nothing.
    pub channels: Vec<(Word, Word)>,
    pub until: Option<Time>,
    pub is_capped: bool,
    pub priority: i64,
    pub holdout: u32,
    pub random: u32,
}

/// What a campaign offers.
#[derive(PartialEq, Eq, Debug)]
pub enum Offering {
    Nothing,
    Product(Word),
    Pack(Vec<Word>),
    /// By class code.
    ByClass(Vec<Vec<Word>>),
}

impl Offering {
    /// What a customer of a class may be offered, best first.
    pub fn products(&self, class: u8) -> &[Word] {
        match self {
            Offering::Nothing => &[],
            Offering::Product(product) => std::slice::from_ref(product),
            Offering::Pack(products) => products,
            Offering::ByClass(packs) => packs.get(usize::from(class)).map_or(&[], |products| products),
        }
    }

    /// Whether what is offered differs from customer to customer.
    pub fn is_pack(&self) -> bool {
        matches!(self, Offering::Pack(_) | Offering::ByClass(_))
    }
}

impl Rules {
    /// Those of a programme. `word` gives the number of a name, where it has one.
    pub fn new(programme: &Programme, word: &dyn Fn(&str) -> Option<Word>) -> Rules {
        let id = |name: &str| word(name).unwrap_or_default();
        let limits = &programme.limits;
        let listing = |campaign: &Campaign| listing(campaign, programme, word);
        let caps = limits.caps.iter().map(|cap| Count {
            channel: cap.channel.as_deref().map(id),
            contacts: cap.contacts,
            span: cap.span,
        });
        Rules {
            listings: programme.campaigns.iter().map(listing).collect(),
            do_not_contact: word(DO_NOT_CONTACT),
            reasons: REASONS.map(id),
            caps: caps.collect(),
            open_max: limits.open_max,
            holdout: limits.holdout,
            answer_days: (limits.decline_days, limits.later_days),
            usable: RefCell::default(),
        }
    }

    /// Whether a terminal that supports one word of capabilities has all of another.
    pub fn is_usable(&self, supports: Word, requires: Word, words: &[Arc<str>]) -> bool {
        if requires.is_null() {
            return true;
        }
        let text = |word: Word| words.get(word.0 as usize).map_or("", |word| word);
        *self.usable.borrow_mut().entry((supports, requires)).or_insert_with(|| {
            text(requires).split(';').all(|needed| text(supports).split(';').any(|has| has == needed))
        })
    }

    /// The places of campaigns as they are arbitrated: approved ones before drafts, the greater priority first, then by
    /// id. Those that are over are left out.
    pub fn order(&self, catalog: &Catalog, clock: Clock) -> Vec<usize> {
        let mut order: Vec<usize> =
            (0..self.listings.len()).filter(|place| !self.listings[*place].is_over(catalog, clock)).collect();
        order.sort_by(|one, other| {
            let (one, other) = (&self.listings[*one], &self.listings[*other]);
            let is_live = |listing: &Listing| catalog.state(listing.id).is_live();
            is_live(other)
                .cmp(&is_live(one))
                .then_with(|| other.priority.cmp(&one.priority))
                .then_with(|| one.name.cmp(&other.name))
        });
        order
    }
}

impl Listing {
    /// Whether it is closed, or its end has come.
    pub fn is_over(&self, catalog: &Catalog, clock: Clock) -> bool {
        let has_ended = self.until.zip(clock.now).is_some_and(|(until, now)| until <= now);
        has_ended || catalog.state(self.id) == crate::records::State::Closed
    }

    /// The campaigns of the programme that it is never with.
    pub fn rival_places(&self) -> &[usize] {
        &self.rival_places
    }
}

/// What a channel asks of a terminal: its name says it.
pub fn needs(channel: &str) -> Option<&'static str> {
    match channel {
        "mms" => Some("mms"),
        "wap" | "wap_push" => Some("wap"),
        _ => None,
    }
}

/// What channels ask of terminals: words that the vocabulary must hold.
const NEEDS: [&str; 2] = ["mms", "wap"];

fn listing(campaign: &Campaign, programme: &Programme, word: &dyn Fn(&str) -> Option<Word>) -> Listing {
    let id = |name: &str| word(name).unwrap_or_default();
    let ids = |names: &[String]| -> Vec<Word> { names.iter().map(|name| id(name)).collect() };
    let is_rival = |other: &&Campaign| {
        other.id != campaign.id && (campaign.never_with.contains(&other.id) || other.never_with.contains(&campaign.id))
    };
    let mut rivals: Vec<Word> = campaign.never_with.iter().map(|rival| id(rival)).collect();
    rivals.extend(programme.campaigns.iter().filter(is_rival).map(|rival| id(&rival.id)));
    rivals.sort_unstable();
    rivals.dedup();
    let offering = match &campaign.offer {
        Offer::Nothing => Offering::Nothing,
        Offer::Product(product) => Offering::Product(id(product)),
        Offer::Pack(of) => Offering::Pack(
            programme.packs.iter().find(|pack| pack.id == *of).map_or_else(Vec::new, |pack| ids(&pack.products)),
        ),
        Offer::PackByTier => {
            let of = |tier: &str| programme.packs.iter().find(|pack| pack.tier.as_deref() == Some(tier));
            let none = (0..FIRST_CLASS).map(|_| Vec::new());
            let packs =
                programme.tiers.iter().map(|tier| of(&tier.id).map_or_else(Vec::new, |pack| ids(&pack.products)));
            Offering::ByClass(none.chain(packs).collect())
        }
    };
    let reason = |list: &String| (word(list), id(&reason_of_list(list)));
    let channel = |channel: &String| (id(channel), needs(channel).map_or(Word::NULL, id));
    Listing {
        id: id(&campaign.id),
        name: campaign.id.clone(),
        audience: plan(&campaign.audience, word),
        cities: campaign.cities.iter().map(|city| id(city)).collect(),
        offering,
        excludes_holders: campaign.excludes_holders,
        excludes_terminals: campaign.excludes_terminals,
        lists: campaign.excludes_lists.iter().map(reason).collect(),
        consent: campaign.consent.as_deref().map(word),
        rivals,
        rival_places: (programme.campaigns.iter().enumerate())
            .filter(|(_, other)| is_rival(other))
            .map(|(place, _)| place)
            .collect(),
        not_after: campaign.not_after.iter().map(|(what, days)| (id(what), *days)).collect(),
        channels: campaign.channels.iter().map(channel).collect(),
        until: campaign.until,
        is_capped: !programme.limits.exempt.contains(&campaign.kind),
        priority: campaign.priority,
        holdout: campaign.holdout,
        random: campaign.random,
    }
}

/// The reason that a list is.
pub fn reason_of_list(list: &str) -> String {
    format!("list:{list}")
}

/// Every name that campaigns need as a word.
pub fn names(programme: &Programme) -> Vec<Cow<'_, str>> {
    let mut names: Vec<&str> = Vec::new();
    if !programme.campaigns.is_empty() {
        names.extend(REASONS.iter().chain(&NEEDS).chain([&DO_NOT_CONTACT]));
    }
    for campaign in &programme.campaigns {
        names.extend([&campaign.id].into_iter().chain(&campaign.cities).chain(&campaign.channels).map(String::as_str));
        names.extend(
            campaign.never_with.iter().chain(&campaign.excludes_lists).chain(&campaign.consent).map(String::as_str),
        );
        names.extend(campaign.not_after.iter().map(|(what, _)| what.as_str()));
        if let Offer::Product(product) = &campaign.offer {
            names.push(product);
        }
    }
    names.extend(programme.packs.iter().flat_map(|pack| pack.products.iter().map(String::as_str)));
    names.extend(programme.limits.caps.iter().filter_map(|cap| cap.channel.as_deref()));
    let lists = programme.campaigns.iter().flat_map(|campaign| &campaign.excludes_lists);
    let reasons = lists.map(|list| Cow::Owned(reason_of_list(list)));
    names.into_iter().map(Cow::Borrowed).chain(reasons).collect()
}

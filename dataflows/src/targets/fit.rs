//! What each campaign makes of customers by itself, before others are looked at.

use std::cell::{OnceCell, RefCell};
use std::sync::Arc;

use super::arms::{EVERY_CAMPAIGN, draw, is_control};
use super::codes::{self, OUTSIDE, Reason};
use super::past::Past;
use super::rules::{Listing, Offering, Rules};
use super::{Column, WHOLE};
use crate::attributes::Frame;
use crate::records::Arm;
use crate::rules::evaluate::{Columns, TRUE, evaluate};
use crate::rules::plan::Textual;
use crate::table::Chunk;
use crate::table::catalog::Catalog;
use crate::table::chunk::CITY;
use crate::table::column::{Bits, Slots};
use crate::types::{Clock, Time, Word};

/// What decisions are made on beside the customer.
#[derive(Clone, Copy)]
pub struct Grounds<'a> {
    pub rules: &'a Rules,
    pub catalog: &'a Catalog,
    pub words: &'a [Arc<str>],
    pub clock: Clock,
}

/// The selected customers of a chunk, with what campaigns ask of all of them.
pub struct Candidates<'a> {
    pub grounds: Grounds<'a>,
    pub chunk: &'a Chunk,
    pub frame: &'a Frame<'a>,
    pub slots: &'a Slots,
    /// Who is in the population, by place: 0 or 1.
    population: &'a [u8],
    /// Class codes by place.
    classes: &'a [u8],
    /// Whoever has a past, by place.
    pasts: Vec<Option<Past<'a>>>,
    /// Whom no campaign may contact, by place.
    barred: Vec<Option<Reason>>,
    supports: Vec<u32>,
    /// When something opens again by itself, the earliest, by place.
    dues: RefCell<Vec<Option<Time>>>,
    /// By channel: until when caps keep it closed, by place; of each channel once, whichever campaigns ask.
    closed: Vec<(Word, OnceCell<Vec<Option<Time>>>)>,
}

/// What a campaign makes of the selected customers, by place.
pub struct Fit {
    pub codes: Vec<u8>,
    /// What they would be offered, where that differs between them.
    pub products: Option<Vec<u32>>,
}

impl<'a> Candidates<'a> {
    /// Those at `slots`.
    pub fn new(
        grounds: Grounds<'a>,
        chunk: &'a Chunk,
        frame: &'a Frame<'a>,
        slots: &'a Slots,
        (population, classes): (&'a [u8], &'a [u8]),
    ) -> Candidates<'a> {
        let pasts = pasts(chunk, slots);
        let forbidden = frame.listed(grounds.rules.do_not_contact);
        let barred = |place: usize| match &pasts[place] {
            Some(past) if is_opted_out(chunk, slots.slot(place), past) => Some(Reason::Optout),
            _ => (forbidden[place] == 1).then_some(Reason::DoNotContact),
        };
        let barred = (0..slots.len()).map(barred).collect();
        let (supports, dues) = (frame.supports(), RefCell::new(vec![None; slots.len()]));
        let mut channels: Vec<Word> =
            grounds.rules.listings.iter().flat_map(|listing| &listing.channels).map(|(channel, _)| *channel).collect();
        channels.sort_unstable();
        channels.dedup();
        let closed = channels.into_iter().map(|channel| (channel, OnceCell::new())).collect();
        Candidates { grounds, chunk, frame, slots, population, classes, pasts, barred, supports, dues, closed }
    }

    /// What happened with the customer at a place, if anything did.
    pub fn past(&self, place: usize) -> Option<&Past<'a>> {
        self.pasts[place].as_ref()
    }

    /// When something opens again by itself, by place.
    pub fn dues(self) -> Vec<Option<Time>> {
        self.dues.into_inner()
    }

    /// What a campaign makes of them. Whoever was listed in `held` has the arm that he had there.
    pub fn fit(&self, listing: &Listing, held: Option<&Column>) -> Fit {
        let mut codes = vec![OUTSIDE; self.slots.len()];
        let mut products = listing.offering.is_pack().then(|| vec![Word::NULL.0; self.slots.len()]);
        if listing.is_over(self.grounds.catalog, self.grounds.clock) {
            return Fit { codes, products };
        }
        let asks = Asks::of(self, listing);
        for place in 0..codes.len() {
            if self.population[place] == 0 || !asks.is_there(place) {
                continue;
            }
            let is_inside = asks.truths[place] == TRUE;
            if !is_inside && !self.is_drawn(listing, place) {
                continue;
            }
            let (code, product) = match asks.decide(place) {
                Ok((channel, product)) => {
                    let arm = if is_inside { self.arm(listing, place, held) } else { Arm::Random };
                    (codes::of_target(channel, arm), product)
                }
                Err(code) => (code, Word::NULL),
            };
            codes[place] = code;
            products.iter_mut().for_each(|products| products[place] = product.0);
        }
        Fit { codes, products }
    }

    /// Whether somebody outside the audience is taken to compare with.
    fn is_drawn(&self, listing: &Listing, place: usize) -> bool {
        let id = || self.chunk.ids.get(self.slots.slot(place));
        listing.random > 0 && draw(&listing.name, id()) >= WHOLE - listing.random
    }

    fn arm(&self, listing: &Listing, place: usize, held: Option<&Column>) -> Arm {
        let slot = self.slots.slot(place);
        let had = held.and_then(|held| codes::target(held.fit[slot])).map(|(_, arm)| arm);
        if let Some(arm @ (Arm::Target | Arm::Control)) = had {
            return arm;
        }
        let id = self.chunk.ids.get(slot);
        let is_kept = self.is_kept_from_all(slot) || is_control(&listing.name, id, listing.holdout, 0);
        if is_kept { Arm::Control } else { Arm::Target }
    }

    /// Whether somebody is of the global control group: drawn once, however many campaigns ask.
    fn is_kept_from_all(&self, slot: usize) -> bool {
        let holdout = self.grounds.rules.holdout;
        // A draw is below 10,000.
        holdout > 0 && u32::from(self.chunk.ids.drawn(slot, |id| draw(EVERY_CAMPAIGN, id) as u16)) < holdout
    }

    /// Until when caps keep a channel closed for the customer at a place, whatever asks.
    fn closed_until(&self, place: usize, channel: Word) -> Option<Time> {
        let (caps, now) = (&self.grounds.rules.caps, self.grounds.clock.now.unwrap_or(Time(i64::MIN)));
        let of = |past: &Option<Past<'_>>| {
            let past = past.as_ref()?;
            caps.iter().filter_map(|cap| past.capped_until(cap, channel, now)).max()
        };
        let known = self.closed.binary_search_by_key(&channel, |(of, _)| *of).ok().map(|at| &self.closed[at].1);
        known.and_then(|known| known.get_or_init(|| self.pasts.iter().map(of).collect())[place])
    }

    fn is_due(&self, place: usize, at: Time) {
        let due = &mut self.dues.borrow_mut()[place];
        *due = Some(due.map_or(at, |due: Time| due.min(at)));
    }
}

/// What one campaign asks of the selected customers, in columns.
struct Asks<'a> {
    candidates: &'a Candidates<'a>,
    listing: &'a Listing,
    now: Time,
    truths: Vec<u8>,
    cities: Option<std::rc::Rc<Vec<u32>>>,
    /// Who is on each list that is left out, with the list's code.
    lists: Vec<(u8, Vec<u8>)>,
    /// Who consents on each channel; none where the campaign needs no consent.
    consents: Option<Vec<Option<&'a Bits>>>,
    /// Who holds each product that may be offered, and what it asks of a terminal.
    holders: Vec<(Word, Option<&'a Bits>, Word)>,
}

impl<'a> Asks<'a> {
    fn of(candidates: &'a Candidates<'a>, listing: &'a Listing) -> Asks<'a> {
        let Candidates { grounds, chunk, frame, .. } = *candidates;
        let said = |purpose: Option<Word>| purpose.and_then(|purpose| chunk.consents.get(&purpose));
        let given = |purpose| -> Vec<Option<&Bits>> {
            let said = said(purpose);
            listing.channels.iter().map(|(channel, _)| said.map(|said| said.given_on(*channel))).collect()
        };
        let lists = listing.lists.iter().enumerate().filter(|(_, (list, _))| list.is_some());
        let mut products: Vec<Word> = match &listing.offering {
            Offering::ByClass(packs) => packs.concat(),
            offering => offering.products(0).to_vec(),
        };
        products.sort_unstable();
        products.dedup();
        Asks {
            candidates,
            listing,
            now: grounds.clock.now.unwrap_or(Time(i64::MIN)),
            truths: evaluate(&listing.audience, frame),
            cities: (!listing.cities.is_empty()).then(|| frame.words(Textual::Field(CITY))),
            lists: lists.map(|(place, (list, _))| (codes::of_list(place), frame.listed(*list))).collect(),
            consents: listing.consent.map(given),
            holders: products
                .into_iter()
                .map(|product| {
                    let holders = chunk.orders.get(&product).map(|orders| &orders.holders);
                    (product, holders, grounds.catalog.requires(product))
                })
                .collect(),
        }
    }

    /// Whether the customer lives where the campaign is.
    fn is_there(&self, place: usize) -> bool {
        self.cities.as_ref().is_none_or(|cities| self.listing.cities.contains(&Word(cities[place])))
    }

    /// The channel and product of a target, or the code of the first reason against one.
    fn decide(&self, place: usize) -> Result<(usize, Word), u8> {
        let no = |reason: Reason| Err(reason as u8);
        let (candidates, listing) = (self.candidates, self.listing);
        let past = candidates.pasts[place].as_ref();
        if let Some(reason) = candidates.barred[place] {
            return no(reason);
        }
        if let Some((code, _)) = self.lists.iter().find(|(_, flags)| flags[place] == 1) {
            return Err(*code);
        }
        let slot = candidates.slots.slot(place);
        let consents = |channel: usize| {
            self.consents.as_ref().is_none_or(|given| given[channel].is_some_and(|given| given.get(slot)))
        };
        let channels = 0..listing.channels.len();
        if !channels.clone().any(consents) {
            return no(Reason::Consent);
        }
        let product = self.product(place, slot, past)?;
        if let Some(past) = past {
            if past.touched().any(|touched| listing.rivals.contains(&touched.campaign)) {
                return no(Reason::NeverWith);
            }
            if let Some(until) = past.waits_until(listing.id, &listing.not_after).filter(|until| self.now < *until) {
                candidates.is_due(place, until);
                return no(Reason::NotAfter);
            }
        }
        let Some(product) = product else { return no(Reason::Declined) };
        let takes = |channel: &usize| {
            let supports = Word(candidates.supports[place]);
            candidates.grounds.rules.is_usable(supports, listing.channels[*channel].1, candidates.grounds.words)
        };
        let mut left = channels.filter(|channel| consents(*channel)).filter(takes).peekable();
        if left.peek().is_none() {
            return no(Reason::Channel);
        }
        let open = left.find(|channel| self.is_open(place, listing.channels[*channel].0, past));
        open.map_or_else(|| no(Reason::Cap), |channel| Ok((channel, product)))
    }

    /// What is offered: none where all that is left was declined.
    fn product(&self, place: usize, slot: usize, past: Option<&Past<'_>>) -> Result<Option<Word>, u8> {
        let (candidates, listing) = (self.candidates, self.listing);
        let (rules, days) = (candidates.grounds.rules, candidates.grounds.rules.answer_days);
        let is_declined = |product: Word| {
            let until = past.and_then(|past| past.declined_until(listing.id, product, days));
            let until = until.filter(|until| self.now < *until);
            until.inspect(|until| candidates.is_due(place, *until)).is_some()
        };
        if listing.offering == Offering::Nothing {
            return Ok((!is_declined(Word::NULL)).then_some(Word::NULL));
        }
        // A pack has something else to offer than what is held, or cannot be used.
        let is_pack = listing.offering.is_pack();
        let (leaves_held, asks_terminals) =
            (is_pack || listing.excludes_holders, is_pack || listing.excludes_terminals);
        let holds = |product: &Word| {
            let held = self.holders.iter().find(|(of, ..)| of == product).and_then(|(_, held, _)| *held);
            held.is_some_and(|held| held.get(slot))
        };
        let supports = Word(candidates.supports[place]);
        let usable = |product: &Word| {
            let requires = self.holders.iter().find(|(of, ..)| of == product).map_or(Word::NULL, |(.., asks)| *asks);
            !asks_terminals || rules.is_usable(supports, requires, candidates.grounds.words)
        };
        let fresh = listing
            .offering
            .products(candidates.classes[place])
            .iter()
            .filter(|product| !leaves_held || !holds(product));
        let mut first = Err(Reason::Holders as u8);
        for product in fresh {
            if !usable(product) {
                first = if first == Ok(None) { first } else { Err(Reason::Terminal as u8) };
            } else if is_declined(*product) {
                first = Ok(None);
            } else {
                return Ok(Some(*product));
            }
        }
        first
    }

    /// Whether no cap keeps a channel closed. Whom the campaign has taken on stays on its list whatever the caps:
    /// they are asked again when he is contacted.
    fn is_open(&self, place: usize, channel: Word, past: Option<&Past<'_>>) -> bool {
        let (candidates, listing) = (self.candidates, self.listing);
        let caps = &candidates.grounds.rules.caps;
        let until = match past {
            Some(past) if listing.is_capped && !past.is_taken_by(listing.id) => candidates.closed_until(place, channel),
            Some(_) => None,
            None => caps
                .iter()
                .filter(|cap| listing.is_capped && cap.contacts == 0 && cap.channel.is_none_or(|of| of == channel))
                .map(|_| Time(i64::MAX))
                .next(),
        };
        until.inspect(|until| candidates.is_due(place, *until)).is_none()
    }
}

/// Whoever has a past, by place.
fn pasts<'a>(chunk: &'a Chunk, slots: &Slots) -> Vec<Option<Past<'a>>> {
    let mut pasts = vec![None; slots.len()];
    match slots {
        // Few have one: they are found by their rows.
        Slots::All => {
            let contacts = chunk.contacts.rows().iter().map(|((slot, ..), _)| *slot);
            let handoffs = chunk.handoffs.rows().iter().map(|((slot, ..), _)| *slot);
            let feedbacks = chunk.feedbacks.rows().iter().map(|((slot, ..), _)| *slot);
            for slot in contacts.chain(handoffs).chain(feedbacks).map(usize::from) {
                pasts[slot].get_or_insert_with(|| Past::of(chunk, slot));
            }
        }
        Slots::Some(slots) => {
            for (past, slot) in pasts.iter_mut().zip(slots) {
                *past = Some(Past::of(chunk, usize::from(*slot))).filter(|past| !past.is_none());
            }
        }
    }
    pasts
}

/// Whether a customer's latest opt-out stands: it does until he consents to something, on whatever channel, at a later
/// second.
pub fn is_opted_out(chunk: &Chunk, slot: usize, past: &Past<'_>) -> bool {
    past.opted_out().is_some_and(|out| {
        let said = chunk.consents.values().flat_map(|said| said.rows.range(|(of, ..)| usize::from(*of).cmp(&slot)));
        !said.into_iter().any(|((_, at, _), given)| *given && *at > out)
    })
}

//! Whom campaigns list, customer by customer.

use std::collections::{BTreeMap, BTreeSet};

use num_bigint::BigUint;
use sha2::{Digest, Sha256};

use super::attributes::Asked;
use super::points::own;
use super::{Standing, rules};
use crate::records::{Arm, FeedbackKind, Outcome, State};
use crate::targets::{Campaign, Offer, Span};
use crate::types::{CustomerIx, Diff, SECONDS_PER_DAY, Time, Word};
use crate::views::Change;

/// What a campaign makes of a customer.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Said {
    Outside,
    Excluded(String),
    Listed { channel: String, arm: Arm, product: Word },
}

/// A contact of a customer: when, by which campaign, on which channel.
type Contacted = (Time, Word, Word);

impl Standing {
    /// Adds one customer's targets, and the customer to their counts. `asked` knows the class.
    pub(super) fn add_targets(&self, asked: &Asked<'_>, views: &mut BTreeMap<Change, Diff>) {
        let customer = asked.customer;
        for (campaign, said) in self.programme.campaigns.iter().zip(self.targets(asked)) {
            let campaign = self.word(&campaign.id);
            match said {
                Said::Outside => {}
                Said::Excluded(reason) => {
                    let reason = self.word(&reason);
                    *views.entry(Change::TargetExcluded { campaign, reason }).or_insert(0) += 1;
                }
                Said::Listed { channel, arm, product } => {
                    let channel = self.word(&channel);
                    views.insert(Change::Target { campaign, customer, product, channel, arm }, 1);
                    *views.entry(Change::TargetCount { campaign, channel, arm }).or_insert(0) += 1;
                }
            }
        }
    }

    /// What each campaign makes of a customer, in the programme's order.
    fn targets(&self, asked: &Asked<'_>) -> Vec<Said> {
        let campaigns = &self.programme.campaigns;
        let mut said: Vec<Said> = campaigns.iter().map(|campaign| self.fits(campaign, asked)).collect();
        let state = |campaign: &Campaign| self.state(&campaign.id);
        let is_live = |campaign: &Campaign| (State::Approved..State::Closed).contains(&state(campaign));
        let mut turns: Vec<usize> = (0..campaigns.len()).collect();
        turns.sort_by_key(|place| {
            let campaign = &campaigns[*place];
            let is_taken = self.was_taken_on(asked.customer, &campaign.id);
            (!is_taken, !is_live(campaign), std::cmp::Reverse(campaign.priority), campaign.id.clone())
        });
        let mut lists: Vec<usize> = Vec::new();
        for place in turns {
            if !matches!(said[place], Said::Listed { .. }) {
                continue;
            }
            let never = |one: usize, other: usize| campaigns[one].never_with.contains(&campaigns[other].id);
            if lists.iter().any(|listed| never(place, *listed) || never(*listed, place)) {
                said[place] = Said::Excluded("never_with".to_owned());
            } else if lists.len() as u32 >= self.programme.limits.open_max {
                said[place] = Said::Excluded("max_open".to_owned());
            } else {
                lists.push(place);
            }
        }
        said
    }

    /// What a campaign makes of a customer if there is no other.
    fn fits(&self, campaign: &Campaign, asked: &Asked<'_>) -> Said {
        let ended = campaign.until.is_some_and(|until| self.clock.now.is_some_and(|now| now >= until));
        let city = self.customers.get(&asked.customer).map_or(Word::NULL, |fields| fields.city);
        let is_there = campaign.cities.is_empty() || campaign.cities.iter().any(|name| self.word(name) == city);
        if ended || self.state(&campaign.id) == State::Closed || !is_there {
            return Said::Outside;
        }
        let id = &self.ids[&asked.customer];
        let arm = if rules::holds(&campaign.audience, asked) {
            let is_kept = drawn(&campaign.id, id) < campaign.holdout || drawn("*", id) < self.programme.limits.holdout;
            if is_kept { Arm::Control } else { Arm::Target }
        } else if drawn(&campaign.id, id) + campaign.random >= 10_000 && campaign.random > 0 {
            Arm::Random
        } else {
            return Said::Outside;
        };
        match self.excluded(campaign, asked) {
            Err(reason) => Said::Excluded(reason),
            Ok((channel, product)) => Said::Listed { channel, arm, product },
        }
    }

    /// The channel and product of a target, or the first reason against one.
    fn excluded(&self, campaign: &Campaign, asked: &Asked<'_>) -> Result<(String, Word), String> {
        let no = |reason: &str| Err(reason.to_owned());
        let customer = asked.customer;
        if self.opted_out(customer) {
            return no("optout");
        }
        for list in ["do_not_contact"].into_iter().chain(campaign.excludes_lists.iter().map(String::as_str)) {
            if asked.on_list(list) {
                return Err(format!("list:{list}"));
            }
        }
        let consented: Vec<&String> = campaign
            .channels
            .iter()
            .filter(|channel| {
                campaign.consent.as_ref().is_none_or(|purpose| self.consents_on(customer, purpose, channel))
            })
            .collect();
        if consented.is_empty() {
            return no("consent");
        }
        let is_pack = matches!(campaign.offer, Offer::Pack(_) | Offer::PackByTier);
        let leaves_held = is_pack || campaign.excludes_holders;
        let offered = self.offered(campaign, asked);
        let fresh: Vec<Word> =
            offered.iter().copied().filter(|product| !(leaves_held && self.is_held(asked, *product))).collect();
        if fresh.is_empty() && !offered.is_empty() || offered.is_empty() && campaign.offer != Offer::Nothing {
            return no("holders");
        }
        let usable: Vec<Word> = fresh
            .iter()
            .copied()
            .filter(|product| !(is_pack || campaign.excludes_terminals) || self.can_use(asked, *product))
            .collect();
        if usable.is_empty() && !fresh.is_empty() {
            return no("terminal");
        }
        let contacts = self.contacted(customer);
        let own = self.word(&campaign.id);
        let rivals: BTreeSet<Word> = self
            .programme
            .campaigns
            .iter()
            .filter(|other| other.never_with.contains(&campaign.id))
            .map(|other| &other.id)
            .chain(&campaign.never_with)
            .map(|rival| self.word(rival))
            .collect();
        if contacts.iter().any(|(_, of, _)| rivals.contains(of)) {
            return no("never_with");
        }
        let waits = |(at, of, channel): &Contacted| {
            let waits = |(what, days): &(String, u32)| {
                let what = self.word(what);
                (*of == what || *channel == what) && !self.has_passed(*at, *days)
            };
            *of != own && campaign.not_after.iter().any(waits)
        };
        if contacts.iter().any(waits) {
            return no("not_after");
        }
        let product = if campaign.offer == Offer::Nothing {
            Some(Word::NULL).filter(|product| !self.declined(customer, own, *product))
        } else {
            usable.into_iter().find(|product| !self.declined(customer, own, *product))
        };
        let Some(product) = product else { return no("declined") };
        let takes = |channel: &&&String| match channel.as_str() {
            "mms" => asked.terminal("mms"),
            "wap" | "wap_push" => asked.terminal("wap"),
            _ => true,
        };
        let able: Vec<&&String> = consented.iter().filter(takes).collect();
        if able.is_empty() {
            return no("channel");
        }
        let is_free =
            self.programme.limits.exempt.contains(&campaign.kind) || self.was_taken_on(customer, &campaign.id);
        let open = able.into_iter().find(|channel| is_free || !self.is_capped(&contacts, channel));
        open.map_or_else(|| no("cap"), |channel| Ok(((*channel).clone(), product)))
    }

    /// What a campaign may offer a customer, best first.
    fn offered(&self, campaign: &Campaign, asked: &Asked<'_>) -> Vec<Word> {
        let packs = &self.programme.packs;
        let names = match &campaign.offer {
            Offer::Nothing => return Vec::new(),
            Offer::Product(product) => vec![product.clone()],
            // The programme's checker refuses one that there is not; it would offer nothing.
            Offer::Pack(id) => {
                packs.iter().find(|pack| pack.id == *id).map_or_else(Vec::new, |pack| pack.products.clone())
            }
            Offer::PackByTier => {
                let tier =
                    asked.tier.filter(|tier| !tier.is_null()).map(|tier| self.words[tier.0 as usize].to_string());
                let of = tier.and_then(|tier| packs.iter().find(|pack| pack.tier.as_ref() == Some(&tier)));
                of.map_or_else(Vec::new, |pack| pack.products.clone())
            }
        };
        names.iter().map(|name| self.word(name)).collect()
    }

    fn is_held(&self, asked: &Asked<'_>, product: Word) -> bool {
        asked.held(&self.words[product.0 as usize]).is_some()
    }

    fn can_use(&self, asked: &Asked<'_>, product: Word) -> bool {
        let requires = self.products.get(&product).map_or(Word::NULL, |product| product.requires);
        requires.is_null() || self.words[requires.0 as usize].split(';').all(|capability| asked.terminal(capability))
    }

    fn state(&self, campaign: &str) -> State {
        self.states.get(&self.word(campaign)).copied().unwrap_or(State::Draft)
    }

    fn opted_out(&self, customer: CustomerIx) -> bool {
        let outs = own(&self.feedbacks, customer).filter(|(_, feedback)| feedback.kind == FeedbackKind::Optout);
        let Some(out) = outs.map(|((_, at, _), _)| *at).max() else { return false };
        !self.consents_of(customer).any(|((_, _, _, at), given)| *given && *at > out)
    }

    fn consents_on(&self, customer: CustomerIx, purpose: &str, channel: &str) -> bool {
        let counts = |of: Word| ["*", channel].contains(&&*self.words[of.0 as usize]);
        let said: Vec<(Time, bool)> = self
            .consents_of(customer)
            .filter(|((_, about, on, _), _)| &*self.words[about.0 as usize] == purpose && counts(*on))
            .map(|((_, _, _, at), given)| (*at, *given))
            .collect();
        let latest = said.iter().map(|(at, _)| *at).max();
        latest.is_some() && said.iter().filter(|(at, _)| Some(*at) == latest).all(|(_, given)| *given)
    }

    fn consents_of(&self, customer: CustomerIx) -> impl Iterator<Item = (&(CustomerIx, Word, Word, Time), &bool)> {
        let (first, last) = (Word(0), Word(u32::MAX));
        self.consents.range((customer, first, first, Time(i64::MIN))..=(customer, last, last, Time(i64::MAX)))
    }

    /// Contacts of a customer: delivered, failed, or handed off; one that both tell of is one.
    fn contacted(&self, customer: CustomerIx) -> Vec<Contacted> {
        let mut contacts = Vec::new();
        let mut ids = BTreeSet::new();
        for ((_, at, id), contact) in own(&self.contacts, customer) {
            ids.insert(id);
            if contact.outcome != Outcome::Withheld {
                contacts.push((*at, contact.campaign, contact.channel));
            }
        }
        for ((_, at, id), handoff) in own(&self.handoffs, customer) {
            if handoff.arm != Arm::Control && !ids.contains(id) {
                contacts.push((*at, handoff.campaign, handoff.channel));
            }
        }
        contacts
    }

    fn was_taken_on(&self, customer: CustomerIx, campaign: &str) -> bool {
        let campaign = self.word(campaign);
        own(&self.contacts, customer).any(|(_, contact)| contact.campaign == campaign)
            || own(&self.handoffs, customer).any(|(_, handoff)| handoff.campaign == campaign)
    }

    fn declined(&self, customer: CustomerIx, campaign: Word, product: Word) -> bool {
        let limits = &self.programme.limits;
        own(&self.feedbacks, customer).any(|((_, at, _), feedback)| {
            let days = match feedback.kind {
                FeedbackKind::Decline => limits.decline_days,
                FeedbackKind::Later => limits.later_days,
                _ => return false,
            };
            let is_about =
                if feedback.product.is_null() { feedback.campaign == campaign } else { feedback.product == product };
            is_about && !self.has_passed(*at, days)
        })
    }

    fn is_capped(&self, contacts: &[Contacted], channel: &str) -> bool {
        let week = |at: Time| (at.day().0 + 3).div_euclid(7);
        self.programme.limits.caps.iter().any(|cap| {
            let counts = |(at, _, on): &&Contacted| {
                let is_recent = match (cap.span, self.clock.now) {
                    (_, None) => true,
                    (Span::Days(days), Some(_)) => !self.has_passed(*at, days),
                    (Span::Weeks(weeks), Some(now)) => week(*at) > week(now) - weeks as i32,
                };
                is_recent && cap.channel.as_ref().is_none_or(|of| self.word(of) == *on)
            };
            cap.channel.as_deref().is_none_or(|of| of == channel)
                && contacts.iter().filter(counts).count() >= cap.contacts as usize
        })
    }

    /// Whether so many days have passed since.
    fn has_passed(&self, at: Time, days: u32) -> bool {
        self.clock.now.is_some_and(|now| now.0 - at.0 >= i64::from(days) * SECONDS_PER_DAY)
    }
}

/// Of 10,000, where a customer falls in a campaign.
fn drawn(campaign: &str, customer: &str) -> u32 {
    let hash = Sha256::digest(format!("{campaign}:{customer}"));
    let number = BigUint::from_bytes_be(&hash[..8]) % 10_000u32;
    number.try_into().expect("below 10,000")
}

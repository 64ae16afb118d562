//! The same views by plain loops over rows.
//!
//! What the dataflow maintains is here written down once more as the contract says it: no columns,
//! no history, no differences, numbers of any length. It is slow and it is the measure: tests, and
//! `verify`, compare the dataflow with it.

mod attributes;
mod care;
mod effects;
mod fit;
mod goals;
mod members;
mod penetration;
mod points;
mod referrals;
mod responses;
mod reviews;
mod rules;
mod services;
mod targets;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, OnceLock};

pub use attributes::Asked;
pub use care::CareRow;
pub use goals::Tallied;
pub use members::DeedRow;
pub use penetration::Penetration;
pub use points::{PointsAccount, PointsEntry, PointsLot, PointsRow};
pub use referrals::{ReferralRow, TreeRow};
pub use reviews::{Shares, Sums};

use crate::facts::{Channel, Facts, Interval, MomentFact, Product};
use crate::programme::Programme;
use crate::records::{Bill, Contact, Customer, Event, Feedback, Handoff, Order, State};
use crate::types::{Clock, CustomerIx, Day, Diff, Month, Time, Word};
use crate::views::Change;

/// Everything that stands: the accepted rows that no other row hides.
#[derive(Clone, Default, Debug)]
pub struct Standing {
    pub customers: BTreeMap<CustomerIx, Customer>,
    pub bills: BTreeMap<(CustomerIx, Month), Bill>,
    pub usage: BTreeMap<(CustomerIx, Word, Month), i64>,
    /// By measure and day, of all.
    pub volumes: BTreeMap<(Word, Day), i64>,
    pub terminals: BTreeMap<(CustomerIx, Day), Word>,
    pub orders: BTreeMap<(CustomerIx, Word, Time, Box<str>), Order>,
    pub events: points::Moments<Event>,
    /// The events that are about somebody, by whom they are about; kept by `apply`.
    pub named: BTreeSet<referrals::Named>,
    pub adjustments: points::Moments<i64>,
    /// Computed where it is first asked for after `apply`.
    handed: OnceLock<points::Handed>,
    pub listings: BTreeMap<(CustomerIx, Word), Interval>,
    /// By customer, purpose, channel, time.
    pub consents: BTreeMap<(CustomerIx, Word, Word, Time), bool>,
    /// By customer and model, in hundredths.
    pub scores: BTreeMap<(CustomerIx, Word), i64>,
    pub contacts: points::Moments<Contact>,
    pub feedbacks: points::Moments<Feedback>,
    pub handoffs: points::Moments<Handoff>,
    pub ids: BTreeMap<CustomerIx, String>,
    pub products: BTreeMap<Word, Product>,
    pub channels: BTreeMap<Word, Channel>,
    pub states: BTreeMap<Word, State>,
    pub words: Vec<Arc<str>>,
    pub clock: Clock,
    pub programme: Arc<Programme>,
}

impl Standing {
    /// Without rows, under a programme and clock; `words` has the programme's names.
    pub fn under(words: Vec<Arc<str>>, clock: Clock, programme: Arc<Programme>) -> Standing {
        Standing { words, clock, programme, ..Standing::default() }
    }

    /// What stands after facts.
    pub fn apply(&mut self, facts: &Facts) {
        self.handed = OnceLock::new();
        self.words.extend(facts.words.iter().cloned());
        facts.customers.iter().for_each(|(customer, fields)| put(&mut self.customers, *customer, *fields));
        facts.bills.iter().for_each(|(customer, month, bill)| put(&mut self.bills, (*customer, *month), *bill));
        facts.terminals.iter().for_each(|(customer, day, word)| put(&mut self.terminals, (*customer, *day), *word));
        facts.listings.iter().for_each(|(customer, list, row)| put(&mut self.listings, (*customer, *list), *row));
        facts.scores.iter().for_each(|(customer, model, value)| put(&mut self.scores, (*customer, *model), *value));
        for consent in &facts.consents {
            let key = (consent.customer, consent.purpose, consent.channel, consent.at);
            put(&mut self.consents, key, consent.given);
        }
        for order in &facts.orders {
            let key = (order.customer, order.product, order.at, order.order_id.clone());
            put(&mut self.orders, key, order.order);
        }
        for event in &facts.events {
            let key = (event.customer, event.at, event.event_id.clone());
            let named = |event: &Event| Some((event.other?, key.1, key.2.clone(), key.0));
            if let Some(gone) = self.events.get(&key).and_then(named) {
                self.named.remove(&gone);
            }
            self.named.extend(event.event.as_ref().and_then(named));
            put(&mut self.events, key, event.event);
        }
        for adjustment in &facts.adjustments {
            let key = (adjustment.customer, adjustment.at, adjustment.adjustment_id.clone());
            put(&mut self.adjustments, key, adjustment.points);
        }
        moments(&mut self.contacts, &facts.contacts);
        moments(&mut self.feedbacks, &facts.feedbacks);
        moments(&mut self.handoffs, &facts.handoffs);
        self.ids.extend(facts.ids.iter().map(|(customer, id)| (customer, id.to_owned())));
        facts.products.iter().for_each(|(product, row)| put(&mut self.products, *product, *row));
        facts.channels.iter().for_each(|(channel, row)| put(&mut self.channels, *channel, *row));
        facts.campaigns.iter().for_each(|(campaign, state)| put(&mut self.states, *campaign, *state));
        for (customer, month, measure, change) in &facts.usage {
            let sum = self.usage.entry((*customer, *measure, *month)).or_insert(0);
            *sum += change;
            if *sum == 0 {
                self.usage.remove(&(*customer, *measure, *month));
            }
        }
        facts.volumes.iter().for_each(|(key, change)| *self.volumes.entry(*key).or_insert(0) += change);
        self.volumes.retain(|_, sum| *sum != 0);
        self.clock = facts.clock.unwrap_or(self.clock);
        if let Some(programme) = &facts.programme {
            self.programme = programme.clone();
        }
    }

    /// The views: rows once each, cells of counts with how many customers they hold.
    pub fn views(&self) -> BTreeMap<Change, Diff> {
        let mut views = BTreeMap::new();
        for customer in self.everybody() {
            self.add_customer(customer, &mut views);
        }
        views
    }

    /// Who has a row in customer_attribute.
    pub fn listed(&self) -> Vec<CustomerIx> {
        let mut listed: Vec<CustomerIx> = self.customers.keys().copied().collect();
        listed.extend(self.bills.keys().map(|(customer, _)| *customer));
        listed.sort_unstable();
        listed.dedup();
        listed
    }

    /// Who has a row in any view.
    pub fn everybody(&self) -> Vec<CustomerIx> {
        let mut everybody = self.listed();
        everybody.extend(self.events.keys().map(|(customer, ..)| *customer));
        everybody.extend(self.adjustments.keys().map(|(customer, ..)| *customer));
        everybody.extend(self.orders.keys().map(|(customer, ..)| *customer));
        everybody.extend(self.contacts.keys().map(|(customer, ..)| *customer));
        everybody.extend(self.handoffs.keys().map(|(customer, ..)| *customer));
        everybody.extend(self.feedbacks.keys().map(|(customer, ..)| *customer));
        everybody.extend(self.handed().values().map(|(customer, _)| *customer));
        everybody.sort_unstable();
        everybody.dedup();
        everybody
    }

    /// Whether a customer has a row in customer_attribute.
    pub fn is_listed(&self, customer: CustomerIx) -> bool {
        let mut bills = self.bills.range((customer, Month(i32::MIN))..=(customer, Month(i32::MAX)));
        self.customers.contains_key(&customer) || bills.next().is_some()
    }

    /// Adds one customer's rows, and the customer to the counts.
    pub fn add_customer(&self, customer: CustomerIx, views: &mut BTreeMap<Change, Diff>) {
        self.count_referrals(customer, views);
        self.add_effects(customer, views);
        if let Some(rank) = self.counted_rank(customer) {
            *views.entry(Change::RankCount { rank }).or_insert(0) += 1;
        }
        self.add_services(customer, views);
        if let Some(stage) = self.member_stage(customer) {
            let city = self.customers.get(&customer).map_or(Word::NULL, |fields| fields.city);
            *views.entry(Change::MemberStage { stage, city }).or_insert(0) += 1;
        }
        if !self.is_listed(customer) {
            return;
        }
        let city = self.customers.get(&customer).map_or(Word::NULL, |fields| fields.city);
        let history = self.history(customer);
        for pair in history.windows(2) {
            let ((_, from), (month, to)) = (pair[0], pair[1]);
            if from != to {
                *views.entry(Change::TierMove { month, from, to }).or_insert(0) += 1;
            }
        }
        let asked = Asked { standing: self, customer, month: self.clock.as_of, tier: None };
        let Some(tier) = self.class(&asked) else { return };
        let run = history.iter().rev().take_while(|(_, class)| *class == tier).last();
        let since = run.map(|(month, _)| *month);
        if !self.programme.tiers.is_empty() {
            views.insert(Change::Tier { customer, tier, since }, 1);
            *views.entry(Change::TierCount { city, tier }).or_insert(0) += 1;
        }
        let asked = Asked { tier: Some(tier), ..asked };
        self.add_targets(&asked, views);
        for drive in self.programme.drives.iter().filter(|drive| !self.programme.tiers.is_empty() && asked.has(drive)) {
            let signs = drive.signs.iter().filter(|sign| rules::holds(&sign.when, &asked));
            for sign in signs.map(|sign| self.word(&sign.id)).chain([Word::NULL]) {
                *views.entry(Change::DriveShare { tier, drive: self.word(&drive.id), sign }).or_insert(0) += 1;
            }
        }
        for segment in &self.programme.segments {
            if rules::holds(&segment.when, &asked) {
                let segment = self.word(&segment.id);
                views.insert(Change::Member { segment, customer }, 1);
                *views.entry(Change::SegmentCount { segment, city }).or_insert(0) += 1;
            }
        }
    }

    /// The class of each month of history, from the customer's first bill on.
    fn history(&self, customer: CustomerIx) -> Vec<(Month, Word)> {
        let bills = self.bills.range((customer, Month(i32::MIN))..=(customer, Month(i32::MAX)));
        let (Some(as_of), Some(first_bill)) = (self.clock.as_of, bills.map(|((_, month), _)| *month).min()) else {
            return Vec::new();
        };
        let first = as_of.plus(1 - self.programme.history as i32).max(first_bill);
        let months = (first.0..=as_of.0).map(Month);
        let class = |month| {
            let asked = Asked { standing: self, customer, month: Some(month), tier: None };
            (month, self.class(&asked).unwrap_or(Word::NULL))
        };
        months.map(class).collect()
    }

    /// The class as of the month asked for: none outside the population, null where no tier holds.
    fn class(&self, asked: &Asked<'_>) -> Option<Word> {
        if !self.programme.population.as_ref().is_none_or(|rule| rules::holds(rule, asked)) {
            return None;
        }
        let takes = |tier: &&crate::programme::Tier| tier.when.as_ref().is_none_or(|rule| rules::holds(rule, asked));
        Some(self.programme.tiers.iter().find(takes).map_or(Word::NULL, |tier| self.word(&tier.id)))
    }

    fn word(&self, text: &str) -> Word {
        Word(self.words.iter().position(|word| &**word == text).expect("ids of the programme are words") as u32)
    }
}

fn moments<T: Copy>(rows: &mut points::Moments<T>, facts: &[MomentFact<T>]) {
    facts.iter().for_each(|fact| put(rows, (fact.customer, fact.at, fact.id.clone()), fact.value));
}

fn put<K: Ord, V>(rows: &mut BTreeMap<K, V>, key: K, value: Option<V>) {
    match value {
        Some(value) => drop(rows.insert(key, value)),
        None => drop(rows.remove(&key)),
    }
}

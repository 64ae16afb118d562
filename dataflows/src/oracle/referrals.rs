//! Who brought whom in, from rows: every referral that names somebody is looked at in turn.

use std::collections::BTreeMap;

use super::Standing;
use super::points::own;
use crate::records::{Event, EventKind};
use crate::referrals::Referral;
use crate::types::{CustomerIx, Diff, Month, Time, Word};
use crate::views::Change;

/// A row of referral.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct ReferralRow {
    pub referrer: CustomerIx,
    pub referred: CustomerIx,
    pub at: Time,
    pub event_id: String,
    pub product: Word,
    pub result: Option<bool>,
    pub points: i64,
}

impl ReferralRow {
    /// What the view shows of a referrer's referral, in the form of a recompute.
    pub fn shown(referrer: CustomerIx, row: Referral<'_>) -> ReferralRow {
        let Referral { referred, at, product, event_id, result, points } = row;
        ReferralRow { referrer, referred, at, event_id: event_id.to_owned(), product, result, points }
    }
}

/// A row of referral_tree.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct TreeRow {
    pub direct: u32,
    pub total: u32,
    pub depth: u32,
}

/// Who is named by an event, and by whose: referred, time, id, referrer.
pub type Named = (CustomerIx, Time, Box<str>, CustomerIx);

impl Standing {
    /// The referrals that a customer made.
    pub fn referrals(&self, referrer: CustomerIx) -> Vec<ReferralRow> {
        let entries = self.points(referrer).map(|account| account.entries).unwrap_or_default();
        let rules = self.programme.points.as_deref().unwrap_or_default();
        let row = |((_, at, id), event): (&(CustomerIx, Time, Box<str>), &Event)| {
            let own = entries.iter().filter(|entry| entry.id == **id && entry.at == *at);
            let earned = own.filter(|entry| rules.iter().any(|rule| rule.id == entry.rule));
            let points = earned.map(|entry| entry.points).sum();
            let (product, result) = (event.product, event.result);
            Some(ReferralRow {
                referrer,
                referred: event.other?,
                at: *at,
                event_id: id.to_string(),
                product,
                result,
                points,
            })
        };
        own(&self.events, referrer).filter(|(_, event)| event.kind == EventKind::Refer).filter_map(row).collect()
    }

    /// When a customer first registered without being barred.
    fn registered(&self, customer: CustomerIx) -> Option<Time> {
        let registers = own(&self.events, customer).filter(|(_, event)| event.kind == EventKind::Register);
        registers.map(|((_, at, _), _)| *at).find(|at| !self.is_listed_at(customer, "registration", *at))
    }

    /// Who brought a customer in, and when.
    pub fn brought_in(&self, customer: CustomerIx) -> Option<(CustomerIx, Time)> {
        let registered = self.registered(customer)?;
        let least = (customer, Time(i64::MIN), Box::from(""), CustomerIx(0));
        let named = self.named.range(least..).take_while(|(referred, ..)| *referred == customer);
        for (_, at, id, referrer) in named {
            let Event { kind, product, result, .. } = self.events[&(*referrer, *at, id.clone())];
            let invites = kind == EventKind::Refer && product.is_null() && result == Some(true);
            if invites && *at < registered && self.registered(*referrer).is_some_and(|first| first <= *at) {
                return Some((*referrer, *at));
            }
        }
        None
    }

    /// referral_tree: from those who registered last to those who did first, each hands what is below
    /// him to who brought him in.
    pub fn tree(&self) -> BTreeMap<CustomerIx, TreeRow> {
        let mut registered: Vec<(Time, CustomerIx)> =
            self.everybody().into_iter().filter_map(|customer| Some((self.registered(customer)?, customer))).collect();
        registered.sort_unstable();
        let mut tree: BTreeMap<CustomerIx, TreeRow> = BTreeMap::new();
        for (_, child) in registered.into_iter().rev() {
            let Some((parent, _)) = self.brought_in(child) else { continue };
            let below = tree.get(&child).copied().unwrap_or_default();
            let row = tree.entry(parent).or_default();
            row.direct += 1;
            row.total += below.total + 1;
            row.depth = row.depth.max(below.depth + 1);
        }
        tree
    }

    /// Adds a customer to the counts by month and city: as a member, as who invites, as who joined.
    pub(super) fn count_referrals(&self, customer: CustomerIx, views: &mut BTreeMap<Change, Diff>) {
        let city = |customer| self.customers.get(&customer).map_or(Word::NULL, |fields| fields.city);
        let month = |at: Time| -> Month { at.day().month() };
        let mut count = |cell| *views.entry(cell).or_insert(0) += 1;
        if let Some(at) = self.registered(customer) {
            count(Change::Registered { month: month(at), city: city(customer) });
        }
        for ((_, at, _), event) in own(&self.events, customer) {
            if event.kind == EventKind::Refer && event.product.is_null() && event.other.is_some() {
                count(Change::Invited { month: month(*at), city: city(customer) });
            }
        }
        if let Some((referrer, at)) = self.brought_in(customer) {
            count(Change::Joined { month: month(at), city: city(referrer) });
        }
    }
}

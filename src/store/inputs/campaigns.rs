//! The rows of the feeds of campaigns: keys, what is kept, facts.

use std::sync::Arc;

use dataflows::facts::{Facts, MomentFact};
use dataflows::records::*;
use dataflows::types::{CustomerIx, Time};

use super::Row;
use crate::store::moments::{ByMoment, Moment};
use crate::store::owners::ByKey;
use crate::store::states::ByCampaign;

/// What a change of a moment tells: what stood goes first, as it does with orders.
fn tell<T>(facts: &mut Vec<MomentFact<T>>, id: &str, before: Option<Moment>, now: Option<(CustomerIx, Time, T)>) {
    let fact = |customer, at, value| MomentFact { customer, at, id: id.into(), value };
    facts.extend(before.map(|kept| fact(kept.customer, kept.at, None)));
    facts.extend(now.map(|(customer, at, value)| fact(customer, at, Some(value))));
}

impl Row for ContactRow {
    type Key = Box<str>;
    type Kept = Moment;
    type Index = ByMoment;
    fn key(&self) -> Box<str> {
        self.contact_id.clone()
    }
    named!(RowKey::Contact(id) => id.clone());
    fn kept(&self) -> Moment {
        Moment { customer: self.customer, at: self.at }
    }
    fn at(_: &Box<str>, kept: &Moment) -> Option<Time> {
        Some(kept.at)
    }
    fn reserve(facts: &mut Facts, rows: usize) {
        facts.contacts.reserve(rows);
    }
    fn tell(key: &Box<str>, before: Option<Moment>, now: Option<&Self>, facts: &mut Facts) {
        tell(&mut facts.contacts, key, before, now.map(|row| (row.customer, row.at, row.contact)));
    }
}

impl Row for FeedbackRow {
    type Key = Box<str>;
    type Kept = Moment;
    type Index = ByMoment;
    fn key(&self) -> Box<str> {
        self.feedback_id.clone()
    }
    named!(RowKey::Feedback(id) => id.clone());
    fn kept(&self) -> Moment {
        Moment { customer: self.customer, at: self.at }
    }
    fn at(_: &Box<str>, kept: &Moment) -> Option<Time> {
        Some(kept.at)
    }
    fn reserve(facts: &mut Facts, rows: usize) {
        facts.feedbacks.reserve(rows);
    }
    fn tell(key: &Box<str>, before: Option<Moment>, now: Option<&Self>, facts: &mut Facts) {
        tell(&mut facts.feedbacks, key, before, now.map(|row| (row.customer, row.at, row.feedback)));
    }
}

/// Known by all 16 bytes that an id spells, and not by a hash of them: whether somebody was handed off must be
/// exact, or he is contacted twice or never.
impl Row for HandoffRow {
    type Key = [u8; 16];
    type Kept = Moment;
    type Index = ByKey<[u8; 16], Moment>;
    fn key(&self) -> [u8; 16] {
        // Neither ingest nor the codec lets another id through.
        let digest = HandoffRow::digest(&self.contact_id);
        debug_assert!(digest.is_some(), "{}", self.contact_id);
        digest.unwrap_or_default()
    }
    fn named(_: &RowKey) -> Option<Self::Key> {
        None
    }
    fn kept(&self) -> Moment {
        Moment { customer: self.customer, at: self.at }
    }
    fn at(_: &[u8; 16], kept: &Moment) -> Option<Time> {
        Some(kept.at)
    }
    fn reserve(facts: &mut Facts, rows: usize) {
        facts.handoffs.reserve(rows);
    }
    fn tell(key: &[u8; 16], before: Option<Moment>, now: Option<&Self>, facts: &mut Facts) {
        let id = HandoffRow::id(*key);
        tell(&mut facts.handoffs, &id, before, now.map(|row| (row.customer, row.at, row.handoff)));
    }
}

/// What a campaign has come to hangs on all its rows: here it is only told that they changed, and
/// [`super::Inputs::replace`] says to what.
impl Row for CampaignStateRow {
    type Key = Box<str>;
    type Kept = Arc<CampaignStateRow>;
    type Index = ByCampaign;
    fn key(&self) -> Box<str> {
        self.change_id.clone()
    }
    fn named(_: &RowKey) -> Option<Self::Key> {
        None
    }
    fn kept(&self) -> Arc<CampaignStateRow> {
        Arc::new(self.clone())
    }
    fn at(_: &Box<str>, kept: &Arc<CampaignStateRow>) -> Option<Time> {
        Some(kept.at)
    }
    fn tell(_: &Box<str>, before: Option<Self::Kept>, now: Option<&Self>, facts: &mut Facts) {
        facts.campaigns.extend(before.map(|kept| (kept.campaign, None)));
        facts.campaigns.extend(now.map(|row| (row.campaign, None)));
    }
}

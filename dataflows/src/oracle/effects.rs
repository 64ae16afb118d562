//! What campaigns did to one customer, from rows.

use std::collections::{BTreeMap, BTreeSet};

use super::points::own;
use super::{Asked, Standing, rules};
use crate::effects::{Dimension, Effect, Group, Part, Rated};
use crate::records::{Arm, FeedbackKind, Outcome};
use crate::types::{CustomerIx, Diff, Time, Word};
use crate::views::Change;

/// A contact as effects see it.
struct Seen<'a> {
    at: Time,
    id: &'a str,
    campaign: Word,
    channel: Word,
    arm: Arm,
    outcome: Outcome,
}

type Views = BTreeMap<Change, Diff>;

fn add(views: &mut Views, cell: Change, diff: Diff) {
    let count = views.entry(cell).or_insert(0);
    *count += diff;
    if *count == 0 {
        views.remove(&cell);
    }
}

impl Standing {
    /// Adds a customer to the cells of effects. `tier` is null outside the population.
    pub(super) fn add_effects(&self, customer: CustomerIx, views: &mut Views) {
        let contacts = self.seen(customer);
        let feedbacks: Vec<_> =
            own(&self.feedbacks, customer).map(|((_, at, id), feedback)| (*at, &**id, feedback)).collect();
        for contact in contacts.iter().filter(|contact| contact.outcome != Outcome::Withheld) {
            add(views, Change::Workload { channel: contact.channel, day: contact.at.day() }, 1);
        }
        let campaigns: BTreeSet<Word> = contacts
            .iter()
            .map(|contact| contact.campaign)
            .chain(feedbacks.iter().map(|(.., of)| of.campaign))
            .collect();
        let who = if campaigns.is_empty() { Vec::new() } else { self.who(customer) };
        for campaign in campaigns {
            let own: Vec<&Seen<'_>> = contacts.iter().filter(|contact| contact.campaign == campaign).collect();
            // Each row with where it belongs and what it counts as: customers once, sums as often as there are rows.
            let mut cells: Vec<(Word, Group, Effect, Diff)> = Vec::new();
            for contact in &own {
                let mut put = |effect, diff| cells.push((contact.channel, contact.arm.into(), effect, diff));
                put(Effect::There, 1);
                if contact.outcome == Outcome::Withheld {
                    put(Effect::Withheld, 1);
                } else {
                    put(Effect::Contacted, 1);
                    put(Effect::Contacts, 1);
                }
                if contact.outcome == Outcome::Delivered {
                    put(Effect::Delivered, 1);
                }
            }
            let mut first: Option<(Time, &str, Word)> = None;
            for (at, id, feedback) in feedbacks.iter().filter(|(.., feedback)| feedback.campaign == campaign) {
                let before = own.iter().filter(|contact| contact.at <= *at);
                let latest = before.max_by_key(|contact| (contact.at, contact.id));
                let (channel, group) =
                    latest.map_or((Word::NULL, Group::None), |contact| (contact.channel, contact.arm.into()));
                let mut put = |effect, diff| cells.push((channel, group, effect, diff));
                put(Effect::There, 1);
                put(Effect::of(feedback.kind), 1);
                match feedback.kind {
                    FeedbackKind::Order => {
                        let amount = feedback.amount.unwrap_or(0) as i128;
                        put(Effect::Revenue(Part::Low), amount.rem_euclid(1 << 32) as Diff);
                        put(Effect::Revenue(Part::High), amount.div_euclid(1 << 32) as Diff);
                        if group != Group::Control {
                            let order = (*at, *id, feedback.product);
                            first = Some(first.map_or(order, |first| first.min(order)));
                        }
                    }
                    FeedbackKind::Survey => {
                        let value = feedback.value.unwrap_or(0) as i128;
                        put(Effect::Answers, Diff::from(feedback.value.is_some()));
                        put(Effect::Satisfaction(Part::Low), value.rem_euclid(1 << 32) as Diff);
                        put(Effect::Satisfaction(Part::High), value.div_euclid(1 << 32) as Diff);
                    }
                    FeedbackKind::Complaint => {
                        add(views, Change::Complaint { campaign, group, reason: feedback.reason }, 1);
                    }
                    _ => {}
                }
            }
            if let Some((at, _, product)) = first {
                add(views, Change::FirstOrder { campaign, product, day: at.day() }, 1);
            }
            for ((channel, group, what), diff) in once(cells.iter().map(|cell| ((cell.0, cell.1, cell.2), cell.3))) {
                add(views, Change::Effect { campaign, channel, group, what }, diff);
            }
            for ((group, what), diff) in once(cells.iter().map(|cell| ((cell.1, cell.2), cell.3))) {
                for (dimension, value) in &who {
                    let (dimension, value) = (*dimension, *value);
                    add(views, Change::EffectBy { campaign, group, dimension, value, what }, diff);
                }
            }
            for arm in Arm::ALL {
                let reaches = if arm == Arm::Control { Outcome::Withheld } else { Outcome::Delivered };
                let reached = own.iter().filter(|contact| contact.arm == arm && contact.outcome == reaches);
                let Some(since) = reached.map(|contact| contact.at).min() else { continue };
                add(views, Change::EffectRate { campaign, arm, what: Rated::Reached }, 1);
                for (kind, what) in
                    [(FeedbackKind::Order, Rated::Succeeded), (FeedbackKind::Complaint, Rated::Complained)]
                {
                    let mut after = feedbacks.iter().filter(|(at, ..)| *at >= since);
                    if after.any(|(.., feedback)| feedback.campaign == campaign && feedback.kind == kind) {
                        add(views, Change::EffectRate { campaign, arm, what }, 1);
                    }
                }
            }
        }
    }

    /// A customer's contacts, and the control hand-offs that no contact reports.
    fn seen(&self, customer: CustomerIx) -> Vec<Seen<'_>> {
        let reported = own(&self.contacts, customer).map(|((_, at, id), contact)| Seen {
            at: *at,
            id,
            campaign: contact.campaign,
            channel: contact.channel,
            arm: contact.arm,
            outcome: contact.outcome,
        });
        let mut seen: Vec<Seen<'_>> = reported.collect();
        let ids: BTreeSet<&str> = seen.iter().map(|contact| contact.id).collect();
        for ((_, at, id), handoff) in own(&self.handoffs, customer) {
            if handoff.arm == Arm::Control && !ids.contains(&**id) {
                let (campaign, channel) = (handoff.campaign, handoff.channel);
                seen.push(Seen { at: *at, id, campaign, channel, arm: Arm::Control, outcome: Outcome::Withheld });
            }
        }
        seen
    }

    /// What effect_by counts a customer under.
    fn who(&self, customer: CustomerIx) -> Vec<(Dimension, Word)> {
        let city = self.customers.get(&customer).map_or(Word::NULL, |fields| fields.city);
        let asked = Asked { standing: self, customer, month: self.clock.as_of, tier: None };
        let class = self.is_listed(customer).then(|| self.class(&asked)).flatten();
        let mut who = vec![(Dimension::City, city), (Dimension::Tier, class.unwrap_or(Word::NULL))];
        if let Some(tier) = class {
            let asked = Asked { tier: Some(tier), ..asked };
            let segments = self.programme.segments.iter().filter(|segment| rules::holds(&segment.when, &asked));
            who.extend(segments.map(|segment| (Dimension::Segment, self.word(&segment.id))));
        }
        who
    }
}

/// Customers are counted once however many rows say the same; sums are sums.
fn once<K: OfEffect>(cells: impl Iterator<Item = (K, Diff)>) -> BTreeMap<K, Diff> {
    let mut counts: BTreeMap<K, Diff> = BTreeMap::new();
    for (key, diff) in cells {
        let count = counts.entry(key).or_insert(0);
        *count = if Effect::OF_CUSTOMERS.contains(&key.effect()) { 1 } else { *count + diff };
    }
    counts
}

trait OfEffect: Ord + Copy {
    fn effect(&self) -> Effect;
}

impl OfEffect for (Word, Group, Effect) {
    fn effect(&self) -> Effect {
        self.2
    }
}

impl OfEffect for (Group, Effect) {
    fn effect(&self) -> Effect {
        self.1
    }
}

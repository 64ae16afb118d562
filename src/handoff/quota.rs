//! How much may still be handed off: capacity by channel and day, budget, the seed.

use std::collections::{BTreeSet, HashMap};

use dataflows::records::{Arm, FeedbackKind, Outcome};
use dataflows::table::moments::of_slot;
use dataflows::types::{CustomerIx, Day, Time, Word};

use crate::engine::Published;
use crate::programme::{Plan, Seed};

/// What a campaign has used, and what channels have today.
#[derive(Default, Debug)]
pub struct Used {
    /// Of the campaign's budget, in fen.
    cost: i64,
    /// Contacts of the campaign today, by channel.
    own: HashMap<Word, u64>,
    /// Contacts of all campaigns today, by channel.
    all: HashMap<Word, u64>,
    /// Customers whom the campaign has contacted.
    contacted: usize,
}

impl Used {
    /// Counts what stands.
    pub fn of(published: &Published, campaign: Word, today: Day) -> Used {
        let mut used = Used::default();
        for (chunk, _) in published.chunks() {
            for ((_, at, _), handoff) in chunk.handoffs.rows() {
                if handoff.arm != Arm::Control {
                    used.add(
                        (handoff.campaign == campaign, handoff.step == 0),
                        handoff.channel,
                        handoff.cost,
                        at.day() == today,
                    );
                }
            }
        }
        used
    }

    fn add(&mut self, (is_own, is_first): (bool, bool), channel: Word, cost: i64, is_today: bool) {
        if is_own {
            self.cost = self.cost.saturating_add(cost);
            self.contacted += usize::from(is_first);
            *self.own.entry(channel).or_default() += u64::from(is_today);
        }
        *self.all.entry(channel).or_default() += u64::from(is_today);
    }
}

/// What keeps a contact for later.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Full {
    /// The campaign's capacity of the day, on that channel.
    Capacity,
    /// The channel's own.
    Channel,
    Budget,
    /// The few who are contacted first are, and what came of it is not good enough, or not there yet.
    Seed,
}

impl Full {
    /// As answers name it.
    pub fn name(self) -> &'static str {
        match self {
            Full::Capacity => "capacity",
            Full::Channel => "channel_capacity",
            Full::Budget => "budget",
            Full::Seed => "seed",
        }
    }
}

/// What there is room for.
pub struct Room<'a> {
    pub plan: &'a Plan,
    pub used: Used,
    /// Most customers whom the campaign may contact while its seed stands.
    pub seed: Option<usize>,
}

impl Room<'_> {
    /// Takes room for a contact, or tells what there is none of. `daily` is the channel's own capacity.
    pub fn take(
        &mut self,
        step: usize,
        (channel, name): (Word, &str),
        cost: i64,
        daily: Option<i64>,
    ) -> Result<(), Full> {
        let of = |counts: &HashMap<Word, u64>| counts.get(&channel).copied().unwrap_or(0);
        if self.plan.capacity.get(name).is_some_and(|most| of(&self.used.own) >= u64::from(*most)) {
            return Err(Full::Capacity);
        }
        if daily.is_some_and(|most| of(&self.used.all) >= most.max(0) as u64) {
            return Err(Full::Channel);
        }
        if self.plan.budget.is_some_and(|budget| self.used.cost.saturating_add(cost) > budget) {
            return Err(Full::Budget);
        }
        if step == 0 && self.seed.is_some_and(|most| self.used.contacted >= most) {
            return Err(Full::Seed);
        }
        self.used.add((true, step == 0), channel, cost, true);
        Ok(())
    }
}

/// What is known of those whom a campaign contacted first.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Seeded {
    pub contacted: usize,
    pub delivered: usize,
    pub complained: usize,
}

impl Seeded {
    /// Of the first of a campaign's contacts, by time and id.
    pub fn of(published: &Published, campaign: Word, seed: &Seed) -> Seeded {
        let mut first: Vec<(Time, Box<str>, CustomerIx)> = Vec::new();
        for (chunk, customer) in published.chunks() {
            let own = chunk.handoffs.rows().iter();
            let own = own.filter(|(_, handoff)| {
                handoff.campaign == campaign && handoff.step == 0 && handoff.arm != Arm::Control
            });
            first.extend(own.map(|((slot, at, id), _)| (*at, id.clone(), customer(usize::from(*slot)))));
        }
        first.sort_unstable();
        first.truncate(seed.size as usize);
        let mut seeded = Seeded { contacted: first.len(), ..Seeded::default() };
        let mut complained = BTreeSet::new();
        for (_, id, customer) in &first {
            let Some((chunk, slot)) = published.customer(*customer) else { continue };
            let mut contacts = of_slot(&chunk.contacts, slot).iter();
            let is_delivered = contacts.any(|((_, _, of), contact)| of == id && contact.outcome == Outcome::Delivered);
            seeded.delivered += usize::from(is_delivered);
            let mut answers = of_slot(&chunk.feedbacks, slot).iter();
            let has_complained =
                answers.any(|(_, feedback)| feedback.campaign == campaign && feedback.kind == FeedbackKind::Complaint);
            if has_complained {
                complained.insert(*customer);
            }
        }
        seeded.complained = complained.len();
        seeded
    }

    /// Whether the others may be contacted.
    pub fn is_good(&self, seed: &Seed) -> bool {
        let share = |part: usize, whole: usize| (part as u64 * 10_000, whole as u64);
        let (delivered, contacted) = share(self.delivered, self.contacted);
        let (complained, reached) = share(self.complained, self.delivered);
        self.contacted >= seed.size as usize
            && delivered >= u64::from(seed.min_delivery) * contacted
            && complained <= u64::from(seed.max_complaints) * reached
    }
}

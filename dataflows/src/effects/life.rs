//! What campaigns and one customer did to each other.

use super::{Effect, Group, Part, Rated};
use crate::records::{Arm, Contact, Feedback, FeedbackKind, Handoff, Outcome};
use crate::table::Chunk;
use crate::table::moments::{MomentKey, of_slot};
use crate::types::{Day, Diff, Time, Word};
use crate::views::Change;

/// A customer's rows, in their order.
#[derive(Clone, Copy)]
pub struct Life<'a> {
    contacts: &'a [(MomentKey, Contact)],
    handoffs: &'a [(MomentKey, Handoff)],
    feedbacks: &'a [(MomentKey, Feedback)],
}

/// What happened at a moment.
#[derive(Clone, Copy)]
enum Happened<'a> {
    Contact(Contact),
    Feedback(&'a Feedback),
}

/// Sorts as a campaign's history goes: contacts before the feedback of their second, and in the order of their ids.
type Step<'a> = (Word, Time, bool, &'a str, Happened<'a>);

/// What of a customer counts on one channel in one arm of a campaign.
#[derive(Clone, Copy)]
pub struct Share {
    pub campaign: Word,
    channel: Word,
    pub group: Group,
    pub counted: Counted,
}

/// The customer in each count, and what his rows add up to.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct Counted {
    /// By place in [`Effect::OF_CUSTOMERS`].
    bits: u16,
    contacts: Diff,
    revenue: [Diff; 2],
    answers: Diff,
    satisfaction: [Diff; 2],
}

impl Counted {
    fn set(&mut self, effect: Effect) {
        let place = Effect::OF_CUSTOMERS.iter().position(|of| *of == effect);
        self.bits |= place.map_or(0, |place| 1 << place);
    }

    fn has(&self, effect: Effect) -> bool {
        let place = Effect::OF_CUSTOMERS.iter().position(|of| *of == effect);
        place.is_some_and(|place| self.bits >> place & 1 == 1)
    }

    fn merge(&mut self, other: &Counted) {
        self.bits |= other.bits;
        self.contacts += other.contacts;
        self.answers += other.answers;
        for part in 0..2 {
            self.revenue[part] += other.revenue[part];
            self.satisfaction[part] += other.satisfaction[part];
        }
    }

    fn contact(contact: &Contact) -> Counted {
        let mut counted = Counted::default();
        counted.set(Effect::There);
        let effects: &[Effect] = match contact.outcome {
            Outcome::Delivered => &[Effect::Contacted, Effect::Delivered],
            Outcome::Failed => &[Effect::Contacted],
            Outcome::Withheld => &[Effect::Withheld],
        };
        effects.iter().for_each(|effect| counted.set(*effect));
        counted.contacts = Diff::from(contact.outcome != Outcome::Withheld);
        counted
    }

    fn feedback(feedback: &Feedback) -> Counted {
        let mut counted = Counted::default();
        counted.set(Effect::There);
        counted.set(Effect::of(feedback.kind));
        match feedback.kind {
            FeedbackKind::Order => {
                counted.revenue = Part::of(feedback.amount.unwrap_or_default()).map(|(_, part)| part);
            }
            FeedbackKind::Survey => {
                counted.answers = Diff::from(feedback.value.is_some());
                counted.satisfaction = Part::of(feedback.value.unwrap_or_default()).map(|(_, part)| part);
            }
            _ => {}
        }
        counted
    }

    /// Each count with what the customer adds to it.
    pub fn cells(&self) -> impl Iterator<Item = (Effect, Diff)> + use<> {
        let bits = self.bits;
        let customers = Effect::OF_CUSTOMERS.into_iter().enumerate().filter(move |(place, _)| bits >> place & 1 == 1);
        let [revenue_low, revenue_high] = self.revenue;
        let [low, high] = self.satisfaction;
        let sums = [
            (Effect::Contacts, self.contacts),
            (Effect::Revenue(Part::Low), revenue_low),
            (Effect::Revenue(Part::High), revenue_high),
            (Effect::Answers, self.answers),
            (Effect::Satisfaction(Part::Low), low),
            (Effect::Satisfaction(Part::High), high),
        ];
        customers.map(|(_, effect)| (effect, 1)).chain(sums.into_iter().filter(|(_, sum)| *sum != 0))
    }
}

impl<'a> Life<'a> {
    /// That of a slot.
    pub fn of(chunk: &'a Chunk, slot: usize) -> Life<'a> {
        Life {
            contacts: of_slot(&chunk.contacts, slot),
            handoffs: of_slot(&chunk.handoffs, slot),
            feedbacks: of_slot(&chunk.feedbacks, slot),
        }
    }

    /// What of it was before a second.
    pub fn until(&self, end: Time) -> Life<'a> {
        fn before<T>(rows: &[(MomentKey, T)], end: Time) -> &[(MomentKey, T)] {
            &rows[..rows.partition_point(|((_, at, _), _)| *at < end)]
        }
        Life {
            contacts: before(self.contacts, end),
            handoffs: before(self.handoffs, end),
            feedbacks: before(self.feedbacks, end),
        }
    }

    /// The campaigns that were delivered to him outside their control arms, by channel; and whether he ordered there.
    pub fn delivered(&self) -> Vec<(Word, Word, bool)> {
        let mut shares = self.count(&mut |_| {});
        shares.retain(|share| matches!(share.group, Group::Target | Group::Random));
        shares.sort_unstable_by_key(|share| (share.campaign, share.channel));
        shares.dedup_by(|next, kept| {
            let is_same = (kept.campaign, kept.channel) == (next.campaign, next.channel);
            if is_same {
                kept.counted.merge(&next.counted);
            }
            is_same
        });
        let delivered = shares.iter().filter(|share| share.counted.has(Effect::Delivered));
        delivered.map(|share| (share.campaign, share.channel, share.counted.has(Effect::Ordered))).collect()
    }

    /// Whether another life is the same.
    pub fn is(&self, other: &Life<'_>) -> bool {
        self.contacts == other.contacts && self.handoffs == other.handoffs && self.feedbacks == other.feedbacks
    }

    /// The steps of each campaign, one campaign after the other.
    fn steps(&self) -> Vec<Step<'a>> {
        let contacts = self.contacts;
        let reported = contacts
            .iter()
            .map(|((_, at, id), contact)| (contact.campaign, *at, false, &**id, Happened::Contact(*contact)));
        let is_new = |id: &str| contacts.iter().all(|((_, _, reported), _)| **reported != *id);
        let kept_back = self.handoffs.iter().filter(|(_, handoff)| handoff.arm == Arm::Control);
        let kept_back = kept_back.filter(|((_, _, id), _)| is_new(id)).map(|((_, at, id), handoff)| {
            let Handoff { campaign, channel, arm, .. } = *handoff;
            let contact = Contact { campaign, channel, arm, outcome: Outcome::Withheld };
            (campaign, *at, false, &**id, Happened::Contact(contact))
        });
        let answers = self
            .feedbacks
            .iter()
            .map(|((_, at, id), feedback)| (feedback.campaign, *at, true, &**id, Happened::Feedback(feedback)));
        let mut steps: Vec<Step<'a>> = reported.chain(kept_back).chain(answers).collect();
        steps.sort_unstable_by_key(|(campaign, at, is_feedback, id, _)| (*campaign, *at, *is_feedback, *id));
        steps
    }

    /// Adds the customer to the cells of every campaign, and gives what counts of him by campaign and arm.
    pub fn count(&self, add: &mut impl FnMut(Change)) -> Vec<Share> {
        let steps = self.steps();
        let mut shares = Vec::with_capacity(steps.len());
        for steps in steps.chunk_by(|one, other| one.0 == other.0) {
            self.campaign(steps, &mut shares, add);
        }
        shares.sort_unstable_by_key(|share| (share.campaign, share.group, share.channel));
        shares.dedup_by(|next, kept| {
            let is_same = (kept.campaign, kept.group, kept.channel) == (next.campaign, next.group, next.channel);
            if is_same {
                kept.counted.merge(&next.counted);
            }
            is_same
        });
        shares
    }

    /// One campaign's steps: a share for each, and the cells that depend on their order.
    fn campaign(&self, steps: &[Step<'a>], shares: &mut Vec<Share>, add: &mut impl FnMut(Change)) {
        let (mut channel, mut group) = (Word::NULL, Group::None);
        let mut rated = [[false; 3]; 3];
        let mut ordered: Option<(Word, Day)> = None;
        for (campaign, at, _, _, happened) in steps {
            let campaign = *campaign;
            let counted = match happened {
                Happened::Contact(contact) => {
                    (channel, group) = (contact.channel, contact.arm.into());
                    let reaches = if contact.arm == Arm::Control { Outcome::Withheld } else { Outcome::Delivered };
                    rated[contact.arm as usize][Rated::Reached as usize] |= contact.outcome == reaches;
                    if contact.outcome != Outcome::Withheld {
                        add(Change::Workload { channel, day: at.day() });
                    }
                    Counted::contact(contact)
                }
                Happened::Feedback(feedback) => {
                    let since = match feedback.kind {
                        FeedbackKind::Order => Some(Rated::Succeeded),
                        FeedbackKind::Complaint => Some(Rated::Complained),
                        _ => None,
                    };
                    let reached = rated.iter_mut().filter(|arm| arm[Rated::Reached as usize]);
                    since.inspect(|what| reached.for_each(|arm| arm[*what as usize] = true));
                    if feedback.kind == FeedbackKind::Complaint {
                        add(Change::Complaint { campaign, group, reason: feedback.reason });
                    }
                    let is_order = feedback.kind == FeedbackKind::Order && group != Group::Control;
                    ordered = ordered.or_else(|| is_order.then(|| (feedback.product, at.day())));
                    Counted::feedback(feedback)
                }
            };
            shares.push(Share { campaign, channel, group, counted });
        }
        let Some((campaign, ..)) = steps.first() else { return };
        let campaign = *campaign;
        for (arm, rated) in Arm::ALL.into_iter().zip(rated) {
            for what in [Rated::Reached, Rated::Succeeded, Rated::Complained] {
                if rated[what as usize] {
                    add(Change::EffectRate { campaign, arm, what });
                }
            }
        }
        if let Some((product, day)) = ordered {
            add(Change::FirstOrder { campaign, product, day });
        }
    }
}

impl Share {
    /// Its cells of effect.
    pub fn effects(&self) -> impl Iterator<Item = (Change, Diff)> + use<> {
        let Share { campaign, channel, group, counted } = *self;
        counted.cells().map(move |(what, diff)| (Change::Effect { campaign, channel, group, what }, diff))
    }

    /// The same whatever the channel: shares come by campaign and arm.
    pub fn by_arm(mut shares: Vec<Share>) -> Vec<Share> {
        shares.dedup_by(|next, kept| {
            let is_same = (kept.campaign, kept.group) == (next.campaign, next.group);
            if is_same {
                kept.counted.merge(&next.counted);
            }
            is_same
        });
        shares
    }
}

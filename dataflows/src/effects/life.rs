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

/// What happened, by its place among a customer's rows. Sorts as a campaign's history goes: contacts before the
/// feedback of their second, and in the order of their ids.
#[derive(Clone, Copy)]
struct Step {
    campaign: Word,
    at: Time,
    kind: Kind,
    place: u32,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Contact,
    KeptBack,
    Feedback,
}

/// What counting one customer works with, kept for the next.
#[derive(Default)]
pub struct Scratch {
    steps: Vec<Step>,
    shares: Vec<Share>,
    by_arm: Vec<Share>,
}

impl Scratch {
    /// What counts of the customer, by campaign, arm and channel.
    pub fn by_channel(&self) -> &[Share] {
        &self.shares
    }

    /// The same whatever the channel.
    pub fn by_arm(&self) -> &[Share] {
        &self.by_arm
    }
}

/// What of a customer counts on one channel in one arm of a campaign.
#[derive(Clone, Copy)]
pub struct Share {
    pub campaign: Word,
    channel: Word,
    pub group: Group,
    /// Of one row: when it was.
    day: Day,
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

    /// How much more this counts than another, count by count; those that are alike are left out.
    pub fn difference(&self, other: &Counted, cells: &mut Vec<(Effect, Diff)>) {
        cells.clear();
        let mut bits = self.bits ^ other.bits;
        while bits != 0 {
            let place = bits.trailing_zeros() as usize;
            bits &= bits - 1;
            cells.push((Effect::OF_CUSTOMERS[place], if self.bits >> place & 1 == 1 { 1 } else { -1 }));
        }
        let [low, high] = [Part::Low, Part::High];
        let sums = [
            (Effect::Contacts, self.contacts - other.contacts),
            (Effect::Revenue(low), self.revenue[0] - other.revenue[0]),
            (Effect::Revenue(high), self.revenue[1] - other.revenue[1]),
            (Effect::Answers, self.answers - other.answers),
            (Effect::Satisfaction(low), self.satisfaction[0] - other.satisfaction[0]),
            (Effect::Satisfaction(high), self.satisfaction[1] - other.satisfaction[1]),
        ];
        cells.extend(sums.into_iter().filter(|(_, sum)| *sum != 0));
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
    pub fn delivered(&self, scratch: &mut Scratch, mut each: impl FnMut(Word, Word, bool)) {
        self.count(None, scratch, &mut |_| {});
        let shares = &mut scratch.shares;
        shares.retain(|share| matches!(share.group, Group::Target | Group::Random));
        shares.sort_unstable_by_key(|share| (share.campaign, share.channel));
        merge(shares, |share| (share.campaign, share.channel));
        for share in shares.iter().filter(|share| share.counted.has(Effect::Delivered)) {
            each(share.campaign, share.channel, share.counted.has(Effect::Ordered));
        }
    }

    /// Adds the campaigns of rows that differ in another life, each once.
    pub fn differences(&self, other: &Life<'_>, campaigns: &mut Vec<Word>) {
        differing(self.contacts, other.contacts, |contact| contact.campaign, campaigns);
        let are_contacts_same = campaigns.is_empty();
        differing(self.feedbacks, other.feedbacks, |feedback| feedback.campaign, campaigns);
        differing(self.handoffs, other.handoffs, |handoff| handoff.campaign, campaigns);
        if !are_contacts_same {
            // A contact may stand for a hand-off, whatever campaign either names.
            campaigns.extend(self.handoffs.iter().chain(other.handoffs).map(|(_, handoff)| handoff.campaign));
        }
        campaigns.sort_unstable();
        campaigns.dedup();
    }

    /// The steps of each campaign, or of those that are asked for, one campaign after the other.
    fn steps(&self, campaigns: Option<&[Word]>, steps: &mut Vec<Step>) {
        let is_asked = |campaign: &Word| campaigns.is_none_or(|asked| asked.contains(campaign));
        let step = |(campaign, at, kind, place)| Step { campaign, at, kind, place };
        let contacts = (0..).zip(self.contacts);
        let contacts = contacts.map(|(place, ((_, at, _), contact))| (contact.campaign, *at, Kind::Contact, place));
        let feedbacks = (0..).zip(self.feedbacks);
        let feedbacks =
            feedbacks.map(|(place, ((_, at, _), feedback))| (feedback.campaign, *at, Kind::Feedback, place));
        let is_new = |id: &str| self.contacts.iter().all(|((_, _, reported), _)| **reported != *id);
        let handoffs = (0..).zip(self.handoffs);
        let kept_back = handoffs.filter(|(_, ((_, _, id), handoff))| handoff.arm == Arm::Control && is_new(id));
        let kept_back = kept_back.map(|(place, ((_, at, _), handoff))| (handoff.campaign, *at, Kind::KeptBack, place));
        steps.clear();
        steps.extend(contacts.chain(kept_back).chain(feedbacks).filter(|(campaign, ..)| is_asked(campaign)).map(step));
        steps.sort_unstable_by(|one, other| {
            let key = |step: &Step| (step.campaign, step.at, step.kind == Kind::Feedback);
            // Rows of one kind come by their ids already.
            let ids = || match one.kind == other.kind {
                true => one.place.cmp(&other.place),
                false => self.id(one).cmp(self.id(other)),
            };
            key(one).cmp(&key(other)).then_with(ids)
        });
    }

    fn id(&self, step: &Step) -> &str {
        let place = step.place as usize;
        match step.kind {
            Kind::Contact => &self.contacts[place].0.2,
            Kind::KeptBack => &self.handoffs[place].0.2,
            Kind::Feedback => &self.feedbacks[place].0.2,
        }
    }

    /// Adds the customer to the cells that depend on the order of what happened, in every campaign or in those that
    /// are asked for; what counts of him beside is left in `scratch`.
    pub fn count(&self, campaigns: Option<&[Word]>, scratch: &mut Scratch, add: &mut impl FnMut(Change)) {
        let Scratch { steps, shares, by_arm } = scratch;
        self.steps(campaigns, steps);
        shares.clear();
        for steps in steps.chunk_by(|one, other| one.campaign == other.campaign) {
            self.campaign(steps, shares, add);
        }
        shares.sort_unstable_by_key(Share::key);
        merge(shares, Share::key);
        by_arm.clear();
        by_arm.extend(shares.iter().map(|share| Share { channel: Word::NULL, ..*share }));
        merge(by_arm, Share::key);
    }

    /// What each day adds to effects, by key.
    pub fn days(&self, scratch: &mut Scratch, add: &mut impl FnMut((Word, Group, Word), Day, Effect, Diff)) {
        let Scratch { steps, shares, .. } = scratch;
        let mut cells = Vec::new();
        self.steps(None, steps);
        for steps in steps.chunk_by(|one, other| one.campaign == other.campaign) {
            shares.clear();
            self.campaign(steps, shares, &mut |_| {});
            // Of one key, as they came.
            shares.sort_by_key(Share::key);
            for shares in shares.chunk_by(|one, other| one.key() == other.key()) {
                let mut known = Counted::default();
                for share in shares {
                    let mut now = known;
                    now.merge(&share.counted);
                    now.difference(&known, &mut cells);
                    cells.iter().for_each(|(effect, diff)| add(share.key(), share.day, *effect, *diff));
                    known = now;
                }
            }
        }
    }

    /// The contact of a step.
    fn contact(&self, kind: Kind, place: usize) -> Contact {
        match kind {
            Kind::KeptBack => {
                let Handoff { campaign, channel, arm, .. } = self.handoffs[place].1;
                Contact { campaign, channel, arm, outcome: Outcome::Withheld }
            }
            _ => self.contacts[place].1,
        }
    }

    /// One campaign's steps: a share for each, and the cells that depend on their order.
    fn campaign(&self, steps: &[Step], shares: &mut Vec<Share>, add: &mut impl FnMut(Change)) {
        let (mut channel, mut group) = (Word::NULL, Group::None);
        let mut rated = [[false; 3]; 3];
        let mut ordered: Option<(Word, Day)> = None;
        for step in steps {
            let Step { campaign, at, kind, place } = *step;
            let counted = match kind {
                Kind::Contact | Kind::KeptBack => {
                    let contact = self.contact(kind, place as usize);
                    (channel, group) = (contact.channel, contact.arm.into());
                    let reaches = if contact.arm == Arm::Control { Outcome::Withheld } else { Outcome::Delivered };
                    rated[contact.arm as usize][Rated::Reached as usize] |= contact.outcome == reaches;
                    if contact.outcome != Outcome::Withheld {
                        add(Change::Workload { channel, day: at.day() });
                    }
                    Counted::contact(&contact)
                }
                Kind::Feedback => {
                    let feedback = &self.feedbacks[place as usize].1;
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
            shares.push(Share { campaign, channel, group, day: at.day(), counted });
        }
        let Some(Step { campaign, .. }) = steps.first().copied() else { return };
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
    /// By what shares are told apart, and sorted.
    pub fn key(&self) -> (Word, Group, Word) {
        (self.campaign, self.group, self.channel)
    }

    /// A cell of effect.
    pub fn cell(&self, what: Effect) -> Change {
        Change::Effect { campaign: self.campaign, channel: self.channel, group: self.group, what }
    }
}

/// Makes one of neighbours with the same key.
fn merge<K: PartialEq>(shares: &mut Vec<Share>, key: impl Fn(&Share) -> K) {
    shares.dedup_by(|next, kept| {
        let is_same = key(kept) == key(next);
        if is_same {
            kept.counted.merge(&next.counted);
        }
        is_same
    });
}

/// Adds the campaigns of rows that only one of two sorted lists has, or that both have with other values.
fn differing<T: PartialEq>(
    one: &[(MomentKey, T)],
    other: &[(MomentKey, T)],
    campaign: impl Fn(&T) -> Word,
    campaigns: &mut Vec<Word>,
) {
    let common = one.iter().zip(other).take_while(|(one, other)| one == other).count();
    let (one, other) = (&one[common..], &other[common..]);
    let after = one.iter().rev().zip(other.iter().rev()).take_while(|(one, other)| one == other).count();
    let (one, other) = (&one[..one.len() - after], &other[..other.len() - after]);
    campaigns.extend(one.iter().chain(other).map(|(_, value)| campaign(value)));
}

//! What campaigns did with a customer, and what he said to it.
//!
//! A contact is one whatever came of it, unless it was withheld; a hand-off is one from the moment it is reserved,
//! and the channel's report of it, under the same id, is no second one.

use crate::records::{Arm, Contact, Feedback, FeedbackKind, Handoff, Outcome};
use crate::table::Chunk;
use crate::table::moments::{MomentKey, of_slot};
use crate::types::{SECONDS_PER_DAY, Time, Word};

use super::Span;

/// A customer's contacts and feedback, in their order.
#[derive(Clone, Copy)]
pub struct Past<'a> {
    contacts: &'a [(MomentKey, Contact)],
    handoffs: &'a [(MomentKey, Handoff)],
    feedbacks: &'a [(MomentKey, Feedback)],
}

/// A contact that counts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Touched {
    pub at: Time,
    pub campaign: Word,
    pub channel: Word,
}

/// What a cap counts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Count {
    /// Of this channel, where it is of one.
    pub channel: Option<Word>,
    pub contacts: u32,
    pub span: Span,
}

impl<'a> Past<'a> {
    /// That of a slot.
    pub fn of(chunk: &'a Chunk, slot: usize) -> Past<'a> {
        Past {
            contacts: of_slot(&chunk.contacts, slot),
            handoffs: of_slot(&chunk.handoffs, slot),
            feedbacks: of_slot(&chunk.feedbacks, slot),
        }
    }

    /// Whether nothing ever happened.
    pub fn is_none(&self) -> bool {
        self.contacts.is_empty() && self.handoffs.is_empty() && self.feedbacks.is_empty()
    }

    /// Contacts that count.
    pub fn touched(&self) -> impl Iterator<Item = Touched> + use<'a> {
        let contacts = self.contacts;
        let reported = contacts.iter().filter(|(_, contact)| contact.outcome != Outcome::Withheld);
        let reported = reported.map(|((_, at, _), contact)| (*at, contact.campaign, contact.channel));
        let is_new = move |id: &str| contacts.iter().all(|((_, _, reported), _)| **reported != *id);
        let reserved =
            self.handoffs.iter().filter(move |((_, _, id), handoff)| handoff.arm != Arm::Control && is_new(id));
        let reserved = reserved.map(|((_, at, _), handoff)| (*at, handoff.campaign, handoff.channel));
        reported.chain(reserved).map(|(at, campaign, channel)| Touched { at, campaign, channel })
    }

    /// Whether a campaign has taken him on already: contacted, or kept back. He stays its.
    pub fn is_taken_by(&self, campaign: Word) -> bool {
        self.contacts.iter().any(|(_, contact)| contact.campaign == campaign)
            || self.handoffs.iter().any(|(_, handoff)| handoff.campaign == campaign)
    }

    /// When he last opted out.
    pub fn opted_out(&self) -> Option<Time> {
        let latest = self.feedbacks.iter().rev().find(|(_, feedback)| feedback.kind == FeedbackKind::Optout);
        latest.map(|((_, at, _), _)| *at)
    }

    /// Until when a campaign and its product are kept away by what he answered. `days` are those of a decline and of
    /// a "later". An answer that names a product is about that product; one that does not, about its campaign.
    pub fn declined_until(&self, campaign: Word, product: Word, days: (u32, u32)) -> Option<Time> {
        let is_about = |feedback: &Feedback| match feedback.product {
            Word::NULL => feedback.campaign == campaign,
            declined => declined == product,
        };
        let until = |((_, at, _), feedback): &(MomentKey, Feedback)| {
            let days = match feedback.kind {
                FeedbackKind::Decline => days.0,
                FeedbackKind::Later => days.1,
                _ => return None,
            };
            is_about(feedback).then(|| after_days(*at, days))
        };
        self.feedbacks.iter().filter_map(until).max()
    }

    /// Until when a campaign waits for what came before it, which its own contacts are not.
    pub fn waits_until(&self, campaign: Word, not_after: &[(Word, u32)]) -> Option<Time> {
        let until = |touched: Touched| {
            let waits = not_after.iter().filter(|(what, _)| [touched.campaign, touched.channel].contains(what));
            let days = waits.map(|(_, days)| *days).max().filter(|_| touched.campaign != campaign)?;
            Some(after_days(touched.at, days))
        };
        self.touched().filter_map(until).max()
    }

    /// Until when a cap keeps a channel closed at `now`; for ever where it allows no contact. None where it is open.
    pub fn capped_until(&self, cap: &Count, channel: Word, now: Time) -> Option<Time> {
        if cap.channel.is_some_and(|of| of != channel) {
            return None;
        }
        let Some(spare) = cap.contacts.checked_sub(1).map(|spare| spare as usize) else { return Some(Time(i64::MAX)) };
        let is_of = |touched: &Touched| cap.channel.is_none_or(|channel| touched.channel == channel);
        let ends = || {
            let ends = self.touched().filter(is_of).map(|touched| counts_until(touched.at, cap.span));
            ends.filter(|end| *end > now)
        };
        // Most are below it.
        ends().nth(spare)?;
        let mut ends: Vec<Time> = ends().collect();
        ends.sort_unstable_by(|one, other| other.cmp(one));
        // It opens when as few are left as it allows, and one more.
        ends.get(spare).copied()
    }
}

/// The second from which so many days have passed.
pub fn after_days(at: Time, days: u32) -> Time {
    Time(at.0.saturating_add(i64::from(days) * SECONDS_PER_DAY))
}

/// The second from which a contact counts no longer.
fn counts_until(at: Time, span: Span) -> Time {
    match span {
        Span::Days(days) => after_days(at, days),
        Span::Weeks(weeks) => {
            // 1970-01-01 was a Thursday: three days after a Monday.
            let monday = Time(at.0 - (at.0 + 3 * SECONDS_PER_DAY).rem_euclid(7 * SECONDS_PER_DAY));
            after_days(monday, 7 * weeks)
        }
    }
}

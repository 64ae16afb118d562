//! The second check: whether a customer may be contacted now.
//!
//! It stands between a target and its hand-off, and asks rows as they were delivered, not what was derived of them:
//! lists, consents, opt-outs, contacts. Whoever reserves holds everything still while he asks.

use std::sync::Arc;

use super::codes::Reason;
use super::fit::is_opted_out;
use super::past::Past;
use super::rules::{Listing, Rules};
use crate::points::holds;
use crate::table::Chunk;
use crate::table::moments::of_slot;
use crate::types::{Time, Word};

/// The check on the customers of a chunk.
#[derive(Clone, Copy)]
pub struct Gate<'a> {
    pub rules: &'a Rules,
    pub words: &'a [Arc<str>],
    pub now: Option<Time>,
    pub chunk: &'a Chunk,
    /// The channel of consents that are of all.
    pub any: Option<Word>,
}

/// Why a customer is not contacted.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Refused {
    Reason(Reason),
    /// The place of the list among those that the campaign leaves out.
    List(usize),
}

impl Gate<'_> {
    /// Why a campaign must not contact the customer in a slot on a channel, which asks `needs` of terminals; none where
    /// it may.
    pub fn refuses(&self, listing: &Listing, slot: usize, channel: (Word, Word)) -> Option<Refused> {
        if let Some(refused) = self.forbids(listing, slot, channel) {
            return Some(refused);
        }
        let past = Past::of(self.chunk, slot);
        let now = self.now.unwrap_or(Time(i64::MIN));
        if past.waits_until(listing.id, &listing.not_after).is_some_and(|until| now < until) {
            return Some(Refused::Reason(Reason::NotAfter));
        }
        let is_capped = self.rules.caps.iter().any(|cap| past.capped_until(cap, channel.0, now).is_some());
        (listing.is_capped && is_capped).then_some(Refused::Reason(Reason::Cap))
    }

    /// The same, where the contact itself stands already and counts: what time alone keeps away is not asked.
    pub fn forbids(&self, listing: &Listing, slot: usize, (channel, needs): (Word, Word)) -> Option<Refused> {
        let past = Past::of(self.chunk, slot);
        let no = |reason: Reason| Some(Refused::Reason(reason));
        if is_opted_out(self.chunk, slot, &past) {
            return no(Reason::Optout);
        }
        // Without a clock a list that has a beginning has begun.
        let is_on = |list: Option<Word>| {
            let row = list.and_then(|list| self.chunk.listings.get(&list)?.get(&(slot as u16)).copied());
            row.is_some() && self.now.is_none_or(|now| holds(row, now))
        };
        if is_on(self.rules.do_not_contact) {
            return no(Reason::DoNotContact);
        }
        if let Some(place) = listing.lists.iter().position(|(list, _)| is_on(*list)) {
            return Some(Refused::List(place));
        }
        if listing.consent.is_some_and(|purpose| !self.consents(purpose, slot, channel)) {
            return no(Reason::Consent);
        }
        if past.touched().any(|touched| listing.rivals.contains(&touched.campaign)) {
            return no(Reason::NeverWith);
        }
        let latest = self.chunk.terminals.range(|(of, _)| usize::from(*of).cmp(&slot)).last();
        let supports = latest.map_or(Word::NULL, |(_, supports)| *supports);
        if !self.rules.is_usable(supports, needs, self.words) {
            return no(Reason::Channel);
        }
        None
    }

    /// When time alone next forbids what nothing forbids now: a listing begins, or the campaign ends.
    pub fn forbids_from(&self, listing: &Listing, slot: usize) -> Option<Time> {
        let lists = listing.lists.iter().map(|(list, _)| *list).chain([self.rules.do_not_contact]);
        let rows = lists.filter_map(|list| self.chunk.listings.get(&list?)?.get(&(slot as u16)).copied());
        let begins = rows.filter_map(|(from, _)| from);
        begins.chain(listing.until).filter(|at| self.now.is_none_or(|now| *at > now)).min()
    }

    /// Whether the latest that a customer said of a channel, or of all, is a yes.
    fn consents(&self, purpose: Option<Word>, slot: usize, channel: Word) -> bool {
        let said = purpose.and_then(|purpose| self.chunk.consents.get(&purpose));
        let said = said.map_or(&[][..], |said| said.rows.range(|(of, ..)| usize::from(*of).cmp(&slot)));
        let counts = |of: Word| of == channel || Some(of) == self.any;
        let counted = || said.iter().filter(|((_, _, of), _)| counts(*of));
        let latest = counted().map(|((_, at, _), _)| *at).max();
        latest.is_some() && counted().filter(|((_, at, _), _)| Some(*at) == latest).all(|(_, given)| *given)
    }
}

/// How far a campaign has come with a customer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Progress<'a> {
    /// Steps that are done.
    pub steps: usize,
    /// When the last was, and its id; none where a contact that is not ours stands for the first.
    pub last: Option<(Time, Option<&'a str>)>,
    /// He is kept back.
    pub is_control: bool,
}

impl<'a> Progress<'a> {
    /// That of a campaign with the customer in a slot.
    pub fn of(chunk: &'a Chunk, slot: usize, campaign: Word) -> Progress<'a> {
        let handoffs = of_slot(&chunk.handoffs, slot).iter().filter(|(_, handoff)| handoff.campaign == campaign);
        let mut contacts = of_slot(&chunk.contacts, slot).iter().filter(|(_, contact)| contact.campaign == campaign);
        let mut progress = Progress { steps: 0, last: None, is_control: false };
        for ((_, at, id), handoff) in handoffs {
            progress.is_control |= handoff.arm == crate::records::Arm::Control;
            progress.steps = progress.steps.max(usize::from(handoff.step) + 1);
            progress.last = progress.last.max(Some((*at, Some(&**id))));
        }
        if progress.steps == 0
            && let Some(((_, at, _), _)) = contacts.next_back()
        {
            (progress.steps, progress.last) = (1, Some((*at, None)));
        }
        progress
    }
}

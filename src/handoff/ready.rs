//! Whether anything may be handed off: it may not while an input that could forbid it is missing, waits, or is held.
//!
//! Inputs that forbid are the feeds listing, consent, contact and feedback. What is missing could name anybody, so
//! nothing is released without it: an operator without a list lands an empty one and thereby says so.

use std::collections::BTreeMap;

use dataflows::records::Feed;
use parking_lot::Mutex;

use crate::store::Store;

/// The feeds whose rows forbid contacts.
pub const FORBIDDING: [Feed; 4] = [Feed::Listing, Feed::Consent, Feed::Contact, Feed::Feedback];

/// Files of such feeds that have landed and are not taken, with why; none where nobody has looked yet.
#[derive(Default)]
pub struct Waiting(Mutex<Option<BTreeMap<String, &'static str>>>);

impl Waiting {
    /// Notes what was found in the landing directory.
    pub fn set(&self, files: BTreeMap<String, &'static str>) {
        *self.0.lock() = Some(files);
    }

    /// Nothing is known of the landing directory any more.
    pub fn forget(&self) {
        *self.0.lock() = None;
    }

    fn reasons(&self) -> Vec<String> {
        match &*self.0.lock() {
            None => vec!["the landing directory has not been looked at yet; wait for the next look".to_owned()],
            Some(files) => files.iter().map(|(file, why)| format!("{file:?} {why}")).collect(),
        }
    }
}

/// What nothing may be released for; empty where nothing stands against it. A campaign that asks for consent needs the
/// feed of consents too.
pub fn reasons(store: &Store, waiting: &Waiting, needs_consent: bool) -> Vec<String> {
    let mut reasons = waiting.reasons();
    let needed = [(Feed::Listing, true), (Feed::Consent, needs_consent)];
    for (feed, _) in needed.into_iter().filter(|(feed, is_needed)| *is_needed && !store.has_partition(*feed)) {
        let feed = feed.name();
        reasons.push(format!("nothing of the feed {feed} was ever taken; land it, or a file of its header alone"));
    }
    for (file, entry) in store.ledger().held() {
        if FORBIDDING.contains(&entry.partition.feed) {
            reasons.push(format!("{file:?} is held, since it shrinks; `cohortflow confirm` lets it in"));
        }
    }
    reasons
}

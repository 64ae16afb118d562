//! The hand-off: targets become contacts, at most once each, and nobody suppressed is among them.
//!
//! ```text
//! target list ─► due ─► check again ─► room ─► prepare ─► reserve (store) ─► publish ─► a channel takes it
//!                                                 ▲                            │
//!                       opt-outs, lists, consents ┴──── withdraw ◄─────────────┘ while it lies there
//! ```
//!
//! Decided here, where the contract is silent:
//! - A contact is handed off when its channel takes the file that it is in, by renaming the file. Until then it is
//!   withdrawn before an opt-out, a list edit or a file that forbids it is acknowledged.
//! - A contact that is withdrawn was none: its reservation is taken back, and it may be made later. One that somebody has
//!   told of was made, though its file was never taken: it is taken out of the file, and its reservation stands. Where it
//!   was withdrawn before that was told, it is reserved again.
//! - Before a campaign runs, and once it is approved, it may be sent to a few on trial: real contacts, made once like all.
//! - A campaign that is paused or closed withdraws what lies in the outbox.
//! - What is reserved and was not shown when the machine stopped is checked again before it is shown.
//! - Capacity counts reservations of the local day of the programme's clock, and not what channels report. Budget counts
//!   the unit cost that a channel had when its contact was reserved; 0 where none was delivered.
//! - While a campaign's seed stands, only so many customers get the first step. Then all that were contacted first must
//!   have been delivered to, and have complained, within the campaign's bounds.
//! - Whoever is kept back is written down once as such, with the first release that would have contacted him.
//! - A contact that another system reports stands for the first step.
//! - A disk that is full stops no opt-out: what cannot be noted beside the outbox, or written anew in it, is hidden and
//!   tried again, and nothing is released until then.
//! - Who was erased is contacted by nobody: by his id, and by what stands for his number.
//! - Numbers leave as tokens: the store never knew the clear form. The channel's own directory knows whose they are.

mod adopt;
mod due;
mod edits;
mod grounds;
mod message;
mod outbox;
pub(crate) mod planted;
mod quota;
pub mod ready;
mod release;
#[cfg(test)]
mod tests;
pub mod webhook;
mod withdraw;

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::io;
use std::path::{Path, PathBuf};

use dataflows::facts::Facts;
use dataflows::types::{CustomerIx, Time, Word};
use parking_lot::Mutex;

pub(crate) use adopt::Withdrawn;
pub(crate) use grounds::Grounds;
pub use message::contact_id;
pub use release::{Answer, Released, Request, TRIAL_CONTACTS_MAX};

pub use edits::Told;

use message::Message;
use outbox::{Batch, Outbox};
use ready::Waiting;
use webhook::DeadLetters;

/// What hand-offs share.
pub struct Handoffs {
    outbox: Mutex<Outbox>,
    /// Contacts that no channel has taken, as far as is known.
    lying: Mutex<HashMap<CustomerIx, Vec<Lying>>>,
    /// When time alone next forbids one of them; some time past where that has not been looked at.
    next: Mutex<Option<Time>>,
    /// Held by whoever releases.
    releasing: Mutex<()>,
    pub waiting: Waiting,
    trouble: Option<String>,
    /// Edits that forbid contacts and that the journal does not have yet, with what is wrong.
    untold: Mutex<Untold>,
    /// Files that were taken away from their channels and could not be written anew: batch, channel.
    stuck: Mutex<BTreeSet<(Batch, Box<str>)>>,
    /// Files that are posted to webhooks, in directories of channels.
    posting: PathBuf,
    pub dead: Mutex<DeadLetters>,
}

/// Edits that wait for the journal. They are durable in the store's log.
#[derive(Default)]
struct Untold {
    edits: VecDeque<Told>,
    why: Option<io::Error>,
}

/// A contact in the outbox.
#[derive(Clone, Debug)]
struct Lying {
    batch: Batch,
    contact_id: Box<str>,
    campaign: Word,
    channel: Box<str>,
}

impl Handoffs {
    /// Over the outbox directory of a store; `mark` is a file outside of it and of the data.
    pub fn open(root: &Path, mark: &Path, store: &str) -> io::Result<Handoffs> {
        let outbox = Outbox::open(root, mark, store)?;
        let missing = outbox.missing()?;
        let trouble = (missing > 0).then(|| {
            format!(
                "the journal of the outbox {root:?} lacks {missing} of the batches that were handed off: bring it back from a newer copy, or remove {mark:?} where they are known not to matter"
            )
        });
        let posting = root.join(webhook::POSTING);
        let dead = DeadLetters::new(root.join("dead"), posting.clone());
        dead.mend()?;
        Ok(Handoffs {
            posting,
            dead: Mutex::new(dead),
            outbox: Mutex::new(outbox),
            lying: Mutex::default(),
            next: Mutex::default(),
            releasing: Mutex::new(()),
            waiting: Waiting::default(),
            trouble,
            untold: Mutex::default(),
            stuck: Mutex::default(),
        })
    }

    /// What is wrong with the outbox. Nothing is released meanwhile.
    pub fn trouble(&self) -> Vec<String> {
        let mut trouble: Vec<String> = self.trouble.iter().cloned().collect();
        if let Untold { edits, why: Some(why) } = &*self.untold.lock() {
            let waiting = edits.len();
            trouble.push(format!(
                "the journal of edits in the outbox could not be written ({why}); {waiting} wait for it, and it is tried again: free some space on its disk"
            ));
        }
        let stuck = self.stuck.lock().len();
        if stuck > 0 {
            trouble.push(format!(
                "{stuck} files of the outbox could not be written anew without contacts that are forbidden, and are hidden from their channels: free some space on its disk"
            ));
        }
        trouble
    }

    /// Contacts that lie in the outbox, as far as is known.
    pub fn lying(&self) -> usize {
        self.lying.lock().values().map(Vec::len).sum()
    }

    /// Notes an edit that forbids contacts, outside of the data. Durable when this returns, or trouble: it is held
    /// against every release until it is noted.
    pub fn tell(&self, told: Told) {
        self.untold.lock().edits.push_back(told);
        self.catch_up();
    }

    /// Notes what could not be noted before.
    pub fn catch_up(&self) {
        let mut untold = self.untold.lock();
        while let Some(told) = untold.edits.front() {
            if let Err(error) = self.outbox.lock().edits().tell(told) {
                if untold.why.is_none() {
                    tracing::error!("the journal of edits could not be written: {error}");
                }
                untold.why = Some(error);
                return;
            }
            untold.edits.pop_front();
        }
        untold.why = None;
    }

    fn lies(&self, batch: &Batch, messages: &[Message]) {
        *self.next.lock() = messages.first().map(|message| message.at);
        let mut lying = self.lying.lock();
        for message in messages.iter().filter(|message| message.body.is_some()) {
            lying.entry(message.customer).or_default().push(Lying {
                batch: batch.clone(),
                contact_id: message.contact_id.clone(),
                campaign: message.campaign.word,
                channel: (*message.channel.name).into(),
            });
        }
    }

    /// Those with a contact in the outbox of whom facts tell something.
    pub fn touched(&self, facts: &Facts) -> Touched {
        let lying = self.lying.lock();
        if lying.is_empty() {
            return Touched::Nobody;
        }
        if facts.programme.is_some() || !facts.campaigns.is_empty() || !facts.products.is_empty() {
            return Touched::Everybody;
        }
        let mut touched: Vec<CustomerIx> = Vec::new();
        let mut touch = |customer: CustomerIx| {
            if lying.contains_key(&customer) {
                touched.push(customer);
            }
        };
        facts.customers.iter().for_each(|(customer, _)| touch(*customer));
        facts.bills.iter().for_each(|(customer, ..)| touch(*customer));
        facts.usage.iter().for_each(|(customer, ..)| touch(*customer));
        facts.terminals.iter().for_each(|(customer, ..)| touch(*customer));
        facts.orders.iter().for_each(|fact| touch(fact.customer));
        facts.events.iter().for_each(|fact| touch(fact.customer));
        facts.adjustments.iter().for_each(|fact| touch(fact.customer));
        facts.listings.iter().for_each(|(customer, ..)| touch(*customer));
        facts.consents.iter().for_each(|fact| touch(fact.customer));
        facts.scores.iter().for_each(|(customer, ..)| touch(*customer));
        facts.contacts.iter().for_each(|fact| touch(fact.customer));
        facts.feedbacks.iter().for_each(|fact| touch(fact.customer));
        touched.sort_unstable();
        touched.dedup();
        if touched.is_empty() { Touched::Nobody } else { Touched::Some(touched) }
    }
}

/// Whose contacts in the outbox are to be looked at.
#[derive(PartialEq, Eq, Debug)]
pub enum Touched {
    Nobody,
    Some(Vec<CustomerIx>),
    Everybody,
}

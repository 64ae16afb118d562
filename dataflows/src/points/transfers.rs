//! Transfers: points that one member hands to another.
//!
//! Reads   what walks of lives say, and what other members' lives have said
//! Gives   [`Note`]s to other members, until nobody has anything new to say
//!
//! A transfer is decided on both sides: the sender's life says whether he can spend the points, the
//! receiver's whether he is a member then. Each tells the other, and walks again when told. What
//! somebody is told of a moment bears on nothing before it, so that with every round at least one
//! more transfer is decided for good, in the order of time: they come to rest.
//!
//! Nothing here is input: all of it is told again where it is lost.

use std::sync::{Arc, LazyLock};

use serde::{Deserialize, Serialize};

use crate::table::Sorted;
use crate::types::{CustomerIx, Time};

/// Slot, when, id of the event, and who is on the other side.
pub type TransferKey = (u16, Time, Box<str>, CustomerIx);

/// What a sender hands over.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Offer {
    pub points: i64,
    /// It was carried out already, whoever the receiver is.
    pub is_done: bool,
}

/// The transfers of a chunk's customers. Rows of a key are sorted.
#[derive(Clone, Default)]
pub struct Transfers {
    /// What they hand over, as they have told the receivers.
    pub offered: Sorted<TransferKey, Offer>,
    /// Of that, what the receivers do not take, as these have told.
    pub declined: Sorted<TransferKey, ()>,
    /// What others hand over to them, as these have told.
    pub received: Sorted<TransferKey, Offer>,
    /// Of that, what they do not take, as they have told.
    pub declining: Sorted<TransferKey, ()>,
}

/// What a customer tells another of one transfer.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Note {
    pub to: CustomerIx,
    pub from: CustomerIx,
    pub at: Time,
    pub id: Box<str>,
    pub said: Said,
}

/// What stands from now on.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Said {
    /// By the sender: an offer, or none.
    Offers(Option<Offer>),
    /// By the receiver: whether he does not take it.
    Declines(bool),
}

/// One customer's, as a walk of his life reads them.
#[derive(Clone, Copy, Default)]
pub struct TransfersOf<'a> {
    pub received: &'a [(TransferKey, Offer)],
    pub declined: &'a [(TransferKey, ())],
}

/// What a walk says: of which transfer, and to whom.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Spoken<'a> {
    pub at: Time,
    pub id: &'a str,
    pub to: CustomerIx,
    pub said: Said,
}

impl TransfersOf<'_> {
    pub fn is_empty(&self) -> bool {
        self.received.is_empty() && self.declined.is_empty()
    }

    /// Whether the receiver does not take what is handed over.
    pub fn is_declined(&self, id: &str, at: Time, to: CustomerIx) -> bool {
        self.declined.binary_search_by(|((_, when, of, by), ())| (*when, &**of, *by).cmp(&(at, id, to))).is_ok()
    }
}

impl Transfers {
    /// Of a chunk in which there are none. Shared, since most chunks are so.
    pub fn none() -> Arc<Transfers> {
        static NONE: LazyLock<Arc<Transfers>> = LazyLock::new(Arc::default);
        NONE.clone()
    }

    /// One customer's.
    pub fn of(&self, slot: usize) -> TransfersOf<'_> {
        TransfersOf { received: of(&self.received, slot), declined: of(&self.declined, slot) }
    }

    /// Whether a customer has told nobody anything of a transfer.
    pub fn is_silent(&self, slot: usize) -> bool {
        of(&self.offered, slot).is_empty() && of(&self.declining, slot).is_empty()
    }

    /// How what a customer now says, in the order of (at, id), differs from what he has told.
    pub fn news<'a>(&self, slot: usize, spoken: &[Spoken<'a>]) -> Vec<(TransferKey, Said)> {
        let (offered, declining) = (of(&self.offered, slot), of(&self.declining, slot));
        if spoken.is_empty() && offered.is_empty() && declining.is_empty() {
            return Vec::new();
        }
        let says = |key: &TransferKey, of: fn(Said) -> bool| {
            let first = spoken.partition_point(|spoken| (spoken.at, spoken.id) < (key.1, &*key.2));
            let same = spoken[first..].iter().take_while(|spoken| (spoken.at, spoken.id) == (key.1, &*key.2));
            same.into_iter().any(|spoken| of(spoken.said) && spoken.to == key.3)
        };
        // What is no longer said goes before what is: an event may have changed its receiver.
        let withdrawn = offered.iter().filter(|(key, _)| !says(key, |said| matches!(said, Said::Offers(_))));
        let taken = declining.iter().filter(|(key, ())| !says(key, |said| matches!(said, Said::Declines(_))));
        let mut news: Vec<(TransferKey, Said)> = withdrawn.map(|(key, _)| (key.clone(), Said::Offers(None))).collect();
        news.extend(taken.map(|(key, ())| (key.clone(), Said::Declines(false))));
        for Spoken { at, id, to, said } in spoken {
            let key = (slot as u16, *at, Box::from(*id), *to);
            let told = match said {
                Said::Offers(offer) => self.offered.get(&key).copied() == *offer,
                Said::Declines(_) => self.declining.get(&key).is_some(),
            };
            if !told {
                news.push((key, *said));
            }
        }
        news
    }

    /// Remembers what its customers have told.
    pub fn tell(&mut self, news: &[(TransferKey, Said)]) {
        let (mut offered, mut declining) = (Vec::new(), Vec::new());
        for (key, said) in news.iter().cloned() {
            match said {
                Said::Offers(offer) => offered.push((key, offer)),
                Said::Declines(declines) => declining.push((key, declines.then_some(()))),
            }
        }
        self.offered.apply(offered);
        self.declining.apply(declining);
    }

    /// Takes what its customers are told, with the slots of these. Of notes on one matter the last holds.
    pub fn hear(&mut self, notes: impl IntoIterator<Item = (u16, Note)>) {
        let (mut received, mut declined) = (Vec::new(), Vec::new());
        for (slot, Note { from, at, id, said, .. }) in notes {
            let key = (slot, at, id, from);
            match said {
                Said::Offers(offer) => received.push((key, offer)),
                Said::Declines(declines) => declined.push((key, declines.then_some(()))),
            }
        }
        self.received.apply(received);
        self.declined.apply(declined);
    }
}

fn of<V>(rows: &Sorted<TransferKey, V>, slot: usize) -> &[(TransferKey, V)] {
    rows.range(|(held, ..)| held.cmp(&(slot as u16)))
}

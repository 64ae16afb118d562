//! Referrals: who brought whom into the community, directly and through others.
//!
//! Reads   chunks of customers before and after an epoch
//! Gives   [`rows()`] of referral, read off a chunk; the [`Forest`], off which referral_tree is read;
//!         counts by month and city, off which referral_rate is computed
//!
//! Contract, "Views" and issue 3. A referral brings a customer in if it is about no product, it
//! succeeded, the referrer had registered at or before it, and the referred registers for the first
//! time after it; the earliest such referral makes the referrer his parent. Both conditions compare
//! with *first* registrations, so along an edge from parent to child first registrations strictly
//! increase (referrer's <= referral's time < referred's). A walk upwards therefore never comes
//! back: the graph is a forest whatever the input, and nobody refers himself.
//!
//! ```text
//! table of customers ─► links (registrations, referrals that may count) ─► forest on worker 0
//!   each worker its own     differences, exchanged                           ─► referral_rate's joined
//! ```
//!
//! The facts do not go to the forest directly: the table has the ids of events already, by which a
//! row that is told twice or taken back is known, and each worker decides for its own customers
//! whether a referrer had registered. What is exchanged are differences of few rows, and the forest
//! keeps no event but the referrals that may count.
//!
//! Decided here, where the contract is silent:
//! - Who registered is who has an event `register` outside every time in which the list
//!   `registration` held for him. Deregistering later does not undo it.
//! - Of referrals at the same second the one of the least event id, by bytes, is the earliest.
//! - A referral's points are those that the event earned: an adjustment of the same id is none of
//!   them.

mod forest;
mod lane;
mod links;
mod rows;
mod tree;

use serde::{Deserialize, Serialize};

use crate::facts::Interval;
use crate::points::holds;
use crate::records::EventKind;
use crate::table::events::EventsOf;
use crate::types::{CustomerIx, Time, Word};

pub use forest::Forest;
pub use links::tell;
pub use rows::{Referral, rows};
pub use tree::{Branches, Node};

/// What decides the forest. Of each customer at most one registration stands, of each event at most
/// one referral.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Link {
    /// When a customer first registered.
    Registered { customer: CustomerIx, at: Time },
    /// A referral that succeeded, about no product, by somebody who had registered. It brings
    /// `referred` in if it is the earliest and he had not registered yet.
    Referral {
        referred: CustomerIx,
        at: Time,
        event_id: Box<str>,
        referrer: CustomerIx,
        /// The referrer's.
        city: Word,
    },
}

/// When the first registration among a customer's events took effect. `barred` is when the list
/// `registration` holds for him.
pub fn first_registration(events: EventsOf<'_>, barred: Option<Interval>) -> Option<Time> {
    let mut registers = events.iter().filter(|row| row.event.kind == EventKind::Register).map(|row| row.at);
    registers.find(|at| !holds(barred, *at))
}

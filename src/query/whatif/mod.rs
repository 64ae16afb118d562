//! What if: what an edit of the programme would change, before it is published.
//!
//! ```text
//! programme ─► proposal (words) ─► trials on every core ─► tallies ─► answer
//! ```
//!
//! Chunks as they are published are settled under the edited programme by the functions of an epoch, on copies: what is
//! told is what publishing would give at that epoch. The workers are asked nothing and know nothing of it; what the edit
//! cannot have changed is not looked at.
//!
//! Decided here, where the contract is silent:
//! - Added and removed are customers. Of a target list those who come and go; who stays with another product, channel or
//!   arm is `changed`.
//! - A target costs one contact over the channel that he is listed for, at its unit cost as it stands, nothing where there is
//!   none. The control arm costs nothing. Later steps of a campaign are not in it.
//! - `over_cap` are customers of an audience who are not listed since a cap keeps every channel closed. A channel's
//!   `over_capacity` is what one day would have no room for, were everybody listed contacted on it.
//! - The clock is that of the epoch: an edit that is published later meets a later `now`.
//! - One such question is answered at a time: two would but take the cores from each other.

mod answer;
mod bounds;
mod diff;
mod kept;
mod proposal;
mod question;
mod shape;
mod sweep;
mod tally;
#[cfg(test)]
mod tests;
mod trials;
mod untold;

use parking_lot::Mutex;

pub use answer::{
    Answer, Arms, Change, Cost, Excluded, Group, List, Load, Members, NotTold, Rank, Span, Standing, TierMove,
};
pub use kept::{Kind, Side, Wanted};
pub use sweep::{AT_MAX, At, Swept, sweep};

use super::Reading;
use crate::programme::Document;
use dataflows::types::Word;
use kept::Limits;
use proposal::Proposal;
use tally::Tally;

/// Most ids of a side of a list that are told beside its counts.
pub const MEMBERS_MAX: usize = 1_000;

/// Whose turn it is.
static TURN: Mutex<()> = Mutex::new(());

/// What publishing a programme at the epoch that is read would change.
pub fn diff(reading: &Reading, document: &Document, wanted: &Wanted) -> Answer {
    let _turn = TURN.lock();
    let proposal = Proposal::new(reading, document.programme.clone());
    let limits = match wanted {
        Wanted::First(first) => Limits { first: *first, all: None },
        Wanted::All(kind, id, side) => {
            let word = if id.is_empty() { Some(Word::NULL) } else { proposal.word(id) };
            Limits { first: 0, all: word.map(|word| (*kind, word, *side)) }
        }
    };
    let fresh = || Tally::new(&reading.names, limits);
    let tallies = trials::on_every_core(&reading.published, &proposal, fresh, Tally::add, |tally| tally);
    let mut all = fresh();
    tallies.into_iter().for_each(|tally| all.merge(tally));
    let mut answer = diff::answer(&reading.published, &proposal, all, *wanted != Wanted::First(0));
    answer.not_told = untold::untold(&reading.published, &proposal, (&reading.document, document));
    answer
}

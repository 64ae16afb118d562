//! Who is whose parent, decided anew where links change.
//!
//! Reads   differences of [`Link`]s, all of them on one worker
//! Gives   [`Change::Joined`], and [`Branches`] off which readers take a snapshot
//!
//! A customer's parent is the first of the referrals that may count for him, where that was before
//! he registered: if the first was not, none was.
//!
//! Memory: 18 bytes a customer here and in the tree's columns, at most 16 for the tree's lines, and
//! for a referral that may count 40 and its event's id.

use std::collections::BTreeMap;

use super::Link;
use super::tree::{Branches, Move, Tree};
use crate::keyed::Keyed;
use crate::table::Sorted;
use crate::table::column::{Bits, CHUNK, Column};
use crate::types::{CustomerIx, Diff, Month, Time, Word};
use crate::views::{Change, Counts};

/// A referral that may bring in the customer in a slot, in the order in which the earliest is found.
type Candidate = (u16, Time, Box<str>, CustomerIx);

/// What is known of 2048 customers.
struct Members {
    /// Who has registered, and when first.
    registered: Bits,
    at: Column<i64>,
    /// With the referrer's city.
    candidates: Sorted<Candidate, Word>,
    /// Of who was brought in: the month of the referral, and the city, that he is counted in.
    months: Column<u32>,
    cities: Column<u32>,
}

/// The forest. All links go to the worker that has it.
#[derive(Default)]
pub struct Forest {
    pending: Vec<(Link, Diff)>,
    members: Vec<Members>,
    tree: Tree,
}

impl Forest {
    /// The forest as last settled.
    pub fn snapshot(&self) -> Branches {
        self.tree.branches().clone()
    }

    fn members(&mut self, customer: CustomerIx) -> (&mut Members, usize) {
        let (chunk, slot) = (customer.0 as usize / CHUNK, customer.0 as usize % CHUNK);
        if chunk >= self.members.len() {
            self.members.resize_with(chunk + 1, Members::none);
        }
        (&mut self.members[chunk], slot)
    }

    /// Takes the links that changed. Gives whose parent to decide, by customer.
    fn take(&mut self, mut links: Vec<(Link, Diff)>) -> Vec<CustomerIx> {
        // What goes before what comes, since a registration that moves is one of each.
        links.sort_by_key(|(_, diff)| *diff);
        let mut touched = Vec::with_capacity(links.len());
        let mut candidates: BTreeMap<usize, Vec<(Candidate, Option<Word>)>> = BTreeMap::new();
        for (link, diff) in links {
            match link {
                Link::Registered { customer, at } => {
                    let (members, slot) = self.members(customer);
                    members.registered.set(slot, diff > 0);
                    members.at.set(slot, if diff > 0 { at.0 } else { 0 });
                    touched.push(customer);
                }
                Link::Referral { referred, at, event_id, referrer, city } => {
                    let (chunk, slot) = (referred.0 as usize / CHUNK, (referred.0 as usize % CHUNK) as u16);
                    let change = ((slot, at, event_id, referrer), (diff > 0).then_some(city));
                    candidates.entry(chunk).or_default().push(change);
                    touched.push(referred);
                }
            }
        }
        for (chunk, changes) in candidates {
            self.members(CustomerIx((chunk * CHUNK) as u32)).0.candidates.apply(changes);
        }
        touched.sort_unstable();
        touched.dedup();
        touched
    }
}

impl Members {
    fn none() -> Members {
        Members {
            registered: Bits::none(),
            at: Column::zeros(),
            candidates: Sorted::default(),
            months: Column::zeros(),
            cities: Column::zeros(),
        }
    }

    /// Who brought in the customer in a slot; with the cell that he is counted in.
    fn brought_in(&self, slot: usize) -> Option<(CustomerIx, Change)> {
        let own = self.candidates.range(|(held, ..)| held.cmp(&(slot as u16)));
        let ((_, at, _, referrer), city) = own.first()?;
        let joins = self.registered.get(slot) && at.0 < self.at.get(slot);
        joins.then_some((*referrer, Change::Joined { month: at.day().month(), city: *city }))
    }

    fn cell(&self, slot: usize) -> Change {
        Change::Joined { month: Month(self.months.get(slot) as i32), city: Word(self.cities.get(slot)) }
    }

    fn set_cell(&mut self, slot: usize, cell: Option<Change>) {
        let (month, city) = match cell {
            Some(Change::Joined { month, city }) => (month.0 as u32, city.0),
            _ => (0, 0),
        };
        self.months.set(slot, month);
        self.cities.set(slot, city);
    }
}

impl Keyed for Forest {
    type Part = (Link, Diff);
    type Row = Change;

    fn apply(&mut self, link: (Link, Diff)) {
        self.pending.push(link);
    }

    fn settle(&mut self, emit: &mut Vec<(Change, Diff)>) -> bool {
        let links = std::mem::take(&mut self.pending);
        let (mut counts, mut moves) = (Counts::default(), Vec::new());
        for customer in self.take(links) {
            let from = self.tree.branches().parent(customer);
            let (members, slot) = self.members(customer);
            let is = members.brought_in(slot);
            let (was, to) = (from.map(|_| members.cell(slot)), is.map(|(referrer, _)| referrer));
            let is = is.map(|(_, cell)| cell);
            if was != is {
                members.set_cell(slot, is);
                was.into_iter().for_each(|cell| counts.add(cell, -1));
                is.into_iter().for_each(|cell| counts.add(cell, 1));
            }
            if from != to {
                moves.push(Move { child: customer, from, to });
            }
        }
        self.tree.move_all(&moves);
        counts.emit(emit);
        true
    }
}

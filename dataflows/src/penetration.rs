//! Penetration: who held a product at a month's end, and who used it in the month.
//!
//! Reads   a chunk: orders, usage, members of segments; the programme's active measures and history
//! Gives   how many of its customers used each product, by month and segment
//!
//! ```text
//! orders, usage ─► bits of users by product, kind and month ─► common with each segment ─► counts of the chunk
//! ```
//!
//! A month close moves members of every segment, and each would be counted anew under every product and month: more
//! work than the close itself. So nothing of this is kept up: a chunk is counted when it is first read, remembers
//! that, and forgets it with the change that makes it another chunk. Who reads after an order counts one chunk.
//!
//! Decided here, where the contract is silent:
//! - Months are those of `history` up to `as_of`. A product has a row for a month and kind in which anybody at all
//!   used it, and then for every segment, those without users included.
//! - "All" is everybody in customer_attribute, whatever the population; who is not there is no user.
//! - The last order up to the month's last second decides whether a product is held at its end.

use std::sync::Arc;

use crate::records::Action;
use crate::services::Services;
use crate::table::column::Bits;
use crate::table::orders::Orders;
use crate::table::{self, Chunk};
use crate::types::{Month, Word};

/// How a product is used.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Kind {
    Active,
    Held,
}

impl Kind {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Active => "active",
            Kind::Held => "held",
        }
    }
}

/// What is counted: product, kind, month.
pub type Use = (Word, Kind, Month);

/// What a chunk adds. Numbers are of all customers first, then of each segment by its place in the programme.
#[derive(Default, PartialEq, Eq, Debug)]
pub struct Users {
    pub customers: Vec<u32>,
    /// Ascending, and none without users.
    pub users: Vec<(Use, Vec<u32>)>,
}

/// The users of a chunk by the rules, and the month.
pub type Memo = table::Memo<(Arc<Services>, Option<Month>), Users>;

/// The users of a chunk, under rules and as of a month.
pub fn users(chunk: &Chunk, services: &Arc<Services>, as_of: Option<Month>) -> Arc<Users> {
    let is_same = |of: &(Arc<Services>, _), asked: &(Arc<Services>, _)| Arc::ptr_eq(&of.0, &asked.0) && of.1 == asked.1;
    chunk.users.get((services.clone(), as_of), is_same, || count(chunk, services, as_of))
}

fn count(chunk: &Chunk, services: &Services, as_of: Option<Month>) -> Users {
    let listed = chunk.listed();
    if listed.is_none() {
        return Users::default();
    }
    let groups = || [&listed].into_iter().chain(chunk.segments.iter().map(|members| &**members));
    let mut users = Vec::new();
    if let Some(as_of) = as_of {
        let first = as_of.plus(1 - services.history as i32);
        let mut add = |used: Use, bits: &Bits| {
            let counts: Vec<u32> = groups().map(|group| bits.count_common(group) as u32).collect();
            if counts[0] > 0 {
                users.push((used, counts));
            }
        };
        for (product, orders) in chunk.orders.iter() {
            for (month, bits) in (first.0..).map(Month).zip(held(orders, first, as_of)) {
                add((*product, Kind::Held, month), &bits);
            }
        }
        for (product, measure) in services.measures() {
            for ((_, month), sums) in chunk.usage.range((measure, first)..=(measure, as_of)) {
                add((product, Kind::Active, *month), &sums.above_zero());
            }
        }
    }
    users.sort_unstable_by_key(|(used, _)| *used);
    Users { customers: groups().map(|group| group.count() as u32).collect(), users }
}

/// Who held a product at the end of each month from `first` to `last`.
pub(crate) fn held(orders: &Orders, first: Month, last: Month) -> Vec<Bits> {
    let months = (last.0 - first.0 + 1).max(0) as usize;
    let mut held = vec![Bits::none(); months];
    let mut rows = orders.rows.rows().iter().peekable();
    while let Some(((slot, at, _), order)) = rows.next() {
        let next = rows.peek().filter(|((of, ..), _)| of == slot).map(|((_, at, _), _)| at.day().month());
        if order.action == Action::Cancel {
            continue;
        }
        let from = at.day().month().max(first);
        // What follows in a month stands at its end.
        let until = next.unwrap_or(Month(i32::MAX)).min(last.plus(1));
        for month in from.0..until.0 {
            held[(month - first.0) as usize].set(usize::from(*slot), true);
        }
    }
    held
}

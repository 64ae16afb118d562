//! The members of a chunk, as they were seen last.

use std::sync::{Arc, Weak};

use dataflows::points::Balances;
use dataflows::table::Chunk;
use dataflows::table::chunk::{CITY, Customers};
use dataflows::types::{CustomerIx, Word};

use super::order::Entry;

/// A member: his entry, and his city, null included.
pub type Member = (Entry, Word);

/// Members of a chunk, and what they were read off. What is pointed at from here is never written
/// to, so that the same pointer is the same content.
#[derive(Clone)]
pub struct Seen {
    /// The customer in slot 0.
    pub first: CustomerIx,
    chunk: Weak<Chunk>,
    points: Weak<Balances>,
    customers: Weak<Customers>,
    /// Ascending by customer.
    pub members: Arc<[Member]>,
}

impl Seen {
    /// Those of a chunk whose slots hold the customers that `customer` gives.
    pub fn of(chunk: &Arc<Chunk>, customer: impl Fn(usize) -> CustomerIx) -> Seen {
        let member = |slot: usize| {
            let balance = chunk.points.get(slot).map_or(0, |balance| balance.left);
            ((balance, customer(slot)), city(chunk, slot))
        };
        Seen {
            first: customer(0),
            chunk: Arc::downgrade(chunk),
            points: Arc::downgrade(&chunk.points),
            customers: Arc::downgrade(&chunk.customers),
            members: chunk.points.members.slots().map(member).collect(),
        }
    }

    /// Whether a chunk is the one that was seen.
    pub fn is_of(&self, chunk: &Arc<Chunk>) -> bool {
        std::ptr::eq(self.chunk.as_ptr(), Arc::as_ptr(chunk))
    }

    /// The same members, where nothing that is read off a chunk has changed.
    pub fn kept(&self, chunk: &Arc<Chunk>) -> Option<Seen> {
        let is_same = std::ptr::eq(self.points.as_ptr(), Arc::as_ptr(&chunk.points))
            && std::ptr::eq(self.customers.as_ptr(), Arc::as_ptr(&chunk.customers));
        is_same.then(|| Seen { chunk: Arc::downgrade(chunk), ..self.clone() })
    }
}

/// The city of a customer, null included.
pub fn city(chunk: &Chunk, slot: usize) -> Word {
    Word(chunk.customers.texts[CITY].get(slot))
}

/// Calls `changed` with each member who is another than he was, as he was and as he is.
pub fn differences(before: &[Member], after: &[Member], mut changed: impl FnMut(Option<Member>, Option<Member>)) {
    let (mut before, mut after) = (before.iter().copied().peekable(), after.iter().copied().peekable());
    loop {
        let of = |member: Option<&Member>| member.map(|((_, customer), _)| *customer);
        let (was, is) = (of(before.peek()), of(after.peek()));
        let Some(next) = was.into_iter().chain(is).min() else { return };
        let was = before.next_if(|((_, customer), _)| *customer == next);
        let is = after.next_if(|((_, customer), _)| *customer == next);
        if was != is {
            changed(was, is);
        }
    }
}

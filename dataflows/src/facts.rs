//! What changes at one epoch: the input of the dataflow.
//!
//! Facts are upserts by key (a value replaces, `None` takes back), made by the store from whatever
//! came in, so that a fact says how things stand and never how they came to be so. Usage alone is
//! a change of a sum: its rows are as fine as days, and the views only ever ask for months.
//!
//! One epoch's facts are shared by all workers; each takes the customers that are its own.

use std::sync::Arc;

use crate::programme::Programme;
use crate::records::{Bill, Contact, Customer, Event, Feedback, Handoff, Order, ProductRow, State};
use crate::types::{Clock, CustomerIx, Day, Month, Time, Word};

/// A change of one order. Orders are told apart by their ids.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OrderFact {
    pub customer: CustomerIx,
    pub product: Word,
    pub at: Time,
    pub order_id: Box<str>,
    /// `None` takes the order back.
    pub order: Option<Order>,
}

/// A change of one member's event. Events are told apart by their ids.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct EventFact {
    pub customer: CustomerIx,
    pub at: Time,
    pub event_id: Box<str>,
    /// `None` takes the event back.
    pub event: Option<Event>,
}

/// A change of one adjustment of points.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AdjustmentFact {
    pub customer: CustomerIx,
    pub at: Time,
    pub adjustment_id: Box<str>,
    /// `None` takes the adjustment back.
    pub points: Option<i64>,
}

/// A change of what one customer said of one purpose on one channel at one second.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ConsentFact {
    pub customer: CustomerIx,
    pub purpose: Word,
    pub channel: Word,
    pub at: Time,
    /// `None` takes it back, as if it had never been said.
    pub given: Option<bool>,
}

/// A change of something that is told apart by an id, of one customer at one second.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MomentFact<T> {
    pub customer: CustomerIx,
    pub at: Time,
    pub id: Box<str>,
    /// `None` takes it back.
    pub value: Option<T>,
}

/// What of a product views ask for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Product {
    /// Capabilities that a terminal must have, as one word.
    pub requires: Word,
    /// 0 to 100, in hundredths.
    pub value: Option<i64>,
    /// In fen.
    pub monthly_price: Option<i64>,
    pub category: Word,
    pub stage: Word,
}

impl From<&ProductRow> for Product {
    fn from(row: &ProductRow) -> Product {
        let ProductRow { requires, value, monthly_price, category, stage, .. } = *row;
        Product { requires, value, monthly_price, category, stage }
    }
}

/// What a channel costs, and how much of it there is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Channel {
    /// Of a contact, in fen.
    pub unit_cost: Option<i64>,
    /// Most contacts of a local day.
    pub daily_capacity: Option<i64>,
}

/// Ids of customers, packed: those from `first` on, in the order of their numbers.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Ids {
    first: u32,
    text: String,
    ends: Vec<usize>,
}

impl Ids {
    /// None yet; the next is that of the customer with this number.
    pub fn from(first: u32) -> Ids {
        Ids { first, ..Ids::default() }
    }

    /// Adds the next customer's.
    pub fn push(&mut self, id: &str) {
        self.text.push_str(id);
        self.ends.push(self.text.len());
    }

    /// Each with its customer.
    pub fn iter(&self) -> impl Iterator<Item = (CustomerIx, &str)> {
        let starts = [0].into_iter().chain(self.ends.iter().copied());
        let texts = starts.zip(&self.ends).map(|(start, end)| &self.text[start..*end]);
        (self.first..).map(CustomerIx).zip(texts)
    }

    /// How many.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }
}

/// From and until of a listing; none is unbounded.
pub type Interval = (Option<Time>, Option<Time>);

/// Changes of what all customers together use, by measure and day.
pub type VolumeChanges = hashbrown::HashMap<(Word, Day), i64, foldhash::fast::FixedState>;

/// The facts of one epoch, or a part of them. Parts of an epoch apply in the order given.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Facts {
    /// Texts that the vocabulary has gained, in the order of their numbers. The first facts of all
    /// begin with the empty text, [`Word::NULL`].
    pub words: Vec<Arc<str>>,
    pub clock: Option<Clock>,
    pub programme: Option<Arc<Programme>>,
    pub customers: Vec<(CustomerIx, Option<Customer>)>,
    pub bills: Vec<(CustomerIx, Month, Option<Bill>)>,
    /// Customer, month, measure, change of the sum.
    pub usage: Vec<(CustomerIx, Month, Word, i64)>,
    /// The same by measure and day, of all customers.
    pub volumes: VolumeChanges,
    /// Customer, seen on, capabilities.
    pub terminals: Vec<(CustomerIx, Day, Option<Word>)>,
    pub orders: Vec<OrderFact>,
    pub events: Vec<EventFact>,
    pub adjustments: Vec<AdjustmentFact>,
    /// Customer, list, when it holds.
    pub listings: Vec<(CustomerIx, Word, Option<Interval>)>,
    pub consents: Vec<ConsentFact>,
    /// Customer, model, value in hundredths.
    pub scores: Vec<(CustomerIx, Word, Option<i64>)>,
    pub contacts: Vec<MomentFact<Contact>>,
    pub feedbacks: Vec<MomentFact<Feedback>>,
    pub handoffs: Vec<MomentFact<Handoff>>,
    /// Ids that the dictionary has gained. Arms are drawn by them.
    pub ids: Ids,
    pub products: Vec<(Word, Option<Product>)>,
    pub channels: Vec<(Word, Option<Channel>)>,
    /// How far campaigns have come; `None` is that nothing was ever said of it.
    pub campaigns: Vec<(Word, Option<State>)>,
}

impl Facts {
    /// How many rows they change.
    pub fn len(&self) -> usize {
        self.customers.len()
            + self.bills.len()
            + self.usage.len()
            + self.terminals.len()
            + self.orders.len()
            + self.events.len()
            + self.adjustments.len()
            + self.listings.len()
            + self.consents.len()
            + self.scores.len()
            + self.contacts.len()
            + self.feedbacks.len()
            + self.handoffs.len()
            + self.products.len()
            + self.channels.len()
            + self.campaigns.len()
    }

    /// Whether they change nothing at all, clock and programme included.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
            && self.words.is_empty()
            && self.ids.is_empty()
            && self.clock.is_none()
            && self.programme.is_none()
    }
}

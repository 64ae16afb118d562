//! The rows of each feed: which key tells them apart, what their successor must know, and the fact that they
//! make.

use dataflows::facts::{AdjustmentFact, Channel, ConsentFact, EventFact, Facts, OrderFact, Product};
use dataflows::records::*;
use dataflows::types::{CustomerIx, Day, Month, Time, Word};

use super::Row;
use crate::store::moments::{ByMoment, Moment};
use crate::store::owners::{ByCustomer, ByKey, ByMonth};

impl Row for CustomerRow {
    type Key = CustomerIx;
    type Kept = ();
    type Index = ByCustomer;
    fn key(&self) -> CustomerIx {
        self.customer
    }
    named!(RowKey::Customer(customer) => *customer);
    fn kept(&self) {}
    fn reserve(facts: &mut Facts, rows: usize) {
        facts.customers.reserve(rows);
    }
    fn tell(key: &CustomerIx, _: Option<()>, now: Option<&Self>, facts: &mut Facts) {
        facts.customers.push((*key, now.map(|row| row.fields)));
    }
}

impl Row for BillRow {
    type Key = (CustomerIx, Month);
    type Kept = ();
    type Index = ByMonth;
    fn key(&self) -> (CustomerIx, Month) {
        (self.customer, self.month)
    }
    named!(RowKey::Bill(customer, month) => (*customer, *month));
    fn kept(&self) {}
    fn reserve(facts: &mut Facts, rows: usize) {
        facts.bills.reserve(rows);
    }
    fn tell((customer, month): &(CustomerIx, Month), _: Option<()>, now: Option<&Self>, facts: &mut Facts) {
        facts.bills.push((*customer, *month, now.map(|row| row.bill)));
    }
}

impl Row for TerminalRow {
    type Key = (CustomerIx, Day);
    type Kept = ();
    type Index = ByKey<Self::Key, ()>;
    fn key(&self) -> (CustomerIx, Day) {
        (self.customer, self.seen_on)
    }
    named!(RowKey::Terminal(customer, day) => (*customer, *day));
    fn kept(&self) {}
    fn tell((customer, day): &(CustomerIx, Day), _: Option<()>, now: Option<&Self>, facts: &mut Facts) {
        facts.terminals.push((*customer, *day, now.map(|row| row.supports)));
    }
}

impl Row for UsageRow {
    type Key = (CustomerIx, Day, Word);
    type Kept = i64;
    type Index = ByKey<Self::Key, i64>;
    fn key(&self) -> Self::Key {
        (self.customer, self.day, self.measure)
    }
    named!(RowKey::Usage(customer, day, measure) => (*customer, *day, *measure));
    fn kept(&self) -> i64 {
        self.quantity
    }
    fn reserve(facts: &mut Facts, rows: usize) {
        facts.usage.reserve(rows);
    }
    fn tell((customer, day, measure): &Self::Key, before: Option<i64>, now: Option<&Self>, facts: &mut Facts) {
        // Quantities are bounded by COUNT_MAX.
        let change = now.map_or(0, |row| row.quantity) - before.unwrap_or(0);
        facts.usage.push((*customer, day.month(), *measure, change));
        *facts.volumes.entry((*measure, *day)).or_insert(0) += change;
    }
}

/// What a standing order was.
#[derive(Clone)]
pub struct KeptOrder {
    customer: CustomerIx,
    product: Word,
    at: Time,
}

impl Row for OrderRow {
    type Key = Box<str>;
    type Kept = KeptOrder;
    type Index = ByKey<Box<str>, KeptOrder>;
    fn key(&self) -> Box<str> {
        self.order_id.clone()
    }
    named!(RowKey::Order(id) => id.clone());
    fn kept(&self) -> KeptOrder {
        KeptOrder { customer: self.customer, product: self.product, at: self.at }
    }
    fn at(_: &Box<str>, kept: &KeptOrder) -> Option<Time> {
        Some(kept.at)
    }
    fn tell(key: &Box<str>, before: Option<KeptOrder>, now: Option<&Self>, facts: &mut Facts) {
        let fact = |kept: KeptOrder, order| OrderFact {
            customer: kept.customer,
            product: kept.product,
            at: kept.at,
            order_id: key.clone(),
            order,
        };
        // What stood goes first: it may be the very key that comes back with another action.
        facts.orders.extend(before.map(|kept| fact(kept, None)));
        facts.orders.extend(now.map(|row| fact(row.kept(), Some(row.order()))));
    }
}

impl Row for MemberEventRow {
    type Key = Box<str>;
    type Kept = Moment;
    type Index = ByMoment;
    fn key(&self) -> Box<str> {
        self.event_id.clone()
    }
    named!(RowKey::MemberEvent(id) => id.clone());
    fn kept(&self) -> Moment {
        Moment { customer: self.customer, at: self.at }
    }
    fn at(_: &Box<str>, kept: &Moment) -> Option<Time> {
        Some(kept.at)
    }
    fn reserve(facts: &mut Facts, rows: usize) {
        facts.events.reserve(rows);
    }
    fn tell(key: &Box<str>, before: Option<Moment>, now: Option<&Self>, facts: &mut Facts) {
        let fact =
            |kept: Moment, event| EventFact { customer: kept.customer, at: kept.at, event_id: key.clone(), event };
        // As with orders: what stood goes first.
        facts.events.extend(before.map(|kept| fact(kept, None)));
        facts.events.extend(now.map(|row| fact(row.kept(), Some(row.event))));
    }
}

impl Row for AdjustmentRow {
    type Key = Box<str>;
    type Kept = Moment;
    type Index = ByMoment;
    fn key(&self) -> Box<str> {
        self.adjustment_id.clone()
    }
    named!(RowKey::Adjustment(id) => id.clone());
    fn kept(&self) -> Moment {
        Moment { customer: self.customer, at: self.at }
    }
    fn at(_: &Box<str>, kept: &Moment) -> Option<Time> {
        Some(kept.at)
    }
    fn tell(key: &Box<str>, before: Option<Moment>, now: Option<&Self>, facts: &mut Facts) {
        let fact = |kept: Moment, points| AdjustmentFact {
            customer: kept.customer,
            at: kept.at,
            adjustment_id: key.clone(),
            points,
        };
        facts.adjustments.extend(before.map(|kept| fact(kept, None)));
        facts.adjustments.extend(now.map(|row| fact(row.kept(), Some(row.points))));
    }
}

impl Row for ListingRow {
    type Key = (CustomerIx, Word);
    type Kept = ();
    type Index = ByKey<Self::Key, ()>;
    fn key(&self) -> (CustomerIx, Word) {
        (self.customer, self.list)
    }
    named!(RowKey::Listing(customer, list) => (*customer, *list));
    fn kept(&self) {}
    fn tell((customer, list): &(CustomerIx, Word), _: Option<()>, now: Option<&Self>, facts: &mut Facts) {
        facts.listings.push((*customer, *list, now.map(|row| (row.from, row.until))));
    }
}

impl Row for ConsentRow {
    type Key = (CustomerIx, Word, Word, Time);
    type Kept = ();
    type Index = ByKey<Self::Key, ()>;
    fn key(&self) -> Self::Key {
        (self.customer, self.purpose, self.channel, self.at)
    }
    named!(RowKey::Consent(customer, purpose, channel, at) => (*customer, *purpose, *channel, *at));
    fn kept(&self) {}
    fn at((.., at): &Self::Key, _: &()) -> Option<Time> {
        Some(*at)
    }
    fn reserve(facts: &mut Facts, rows: usize) {
        facts.consents.reserve(rows);
    }
    fn tell(key: &Self::Key, _: Option<()>, now: Option<&Self>, facts: &mut Facts) {
        let (customer, purpose, channel, at) = *key;
        facts.consents.push(ConsentFact { customer, purpose, channel, at, given: now.map(|row| row.given) });
    }
}

impl Row for ScoreRow {
    type Key = (CustomerIx, Word);
    type Kept = Option<Time>;
    type Index = ByKey<Self::Key, Option<Time>>;
    fn key(&self) -> (CustomerIx, Word) {
        (self.customer, self.model)
    }
    named!(RowKey::Score(customer, model) => (*customer, *model));
    fn kept(&self) -> Option<Time> {
        self.at
    }
    fn at(_: &Self::Key, at: &Option<Time>) -> Option<Time> {
        *at
    }
    fn reserve(facts: &mut Facts, rows: usize) {
        facts.scores.reserve(rows);
    }
    fn tell((customer, model): &(CustomerIx, Word), _: Option<Self::Kept>, now: Option<&Self>, facts: &mut Facts) {
        facts.scores.push((*customer, *model, now.map(|row| row.value)));
    }
}

impl Row for ProductRow {
    type Key = Word;
    type Kept = Product;
    type Index = ByKey<Word, Product>;
    fn key(&self) -> Word {
        self.product
    }
    named!(RowKey::Product(product) => *product);
    fn kept(&self) -> Product {
        Product::from(self)
    }
    fn tell(product: &Word, _: Option<Product>, now: Option<&Self>, facts: &mut Facts) {
        facts.products.push((*product, now.map(Row::kept)));
    }
}

impl Row for ChannelRow {
    type Key = Word;
    type Kept = Channel;
    type Index = ByKey<Word, Channel>;
    fn key(&self) -> Word {
        self.channel
    }
    named!(RowKey::Channel(channel) => *channel);
    fn kept(&self) -> Channel {
        Channel { unit_cost: self.unit_cost, daily_capacity: self.daily_capacity }
    }
    fn tell(channel: &Word, _: Option<Channel>, now: Option<&Self>, facts: &mut Facts) {
        facts.channels.push((*channel, now.map(Row::kept)));
    }
}

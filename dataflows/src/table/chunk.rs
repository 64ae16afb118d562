//! The state of 2048 customers, in columns.
//!
//! Every part stands behind an `Arc`: a reader's snapshot is a clone of the pointers, and a write
//! copies the part it touches while a reader still holds it, and only then. What is *derived* (a
//! class for each month of history, membership of segments) stands beside what was delivered,
//! because the difference between what was published and what is now true is taken here.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::drives::Driven;
use crate::facts::Interval;
use crate::fit;
use crate::goals;
use crate::penetration;
use crate::points::Balances;
use crate::points::transfers::Transfers;
use crate::records::{Bill, Contact, Customer, Feedback, Handoff};
use crate::targets::Targets;
use crate::types::{Day, Month, Token, Word};

use super::column::{Bits, CHUNK, Column, Slots};
use super::consents::Consents;
use super::events::{Events, EventsOf};
use super::moments::{IdsOf, MomentKey, Moments, of_slot};
use super::orders::Orders;
use super::sorted::Sorted;

/// The five measures of a bill, as places in [`Bills::fees`].
pub const FEES: usize = 5;
pub const TOTAL_FEE: usize = 0;
pub const ROAMING_FEE: usize = 1;
pub const SMS_FEE: usize = 2;
pub const VAS_FEE: usize = 3;
pub const DATA_KB: usize = 4;

/// A class code: not taking part in that month's history (no bill yet), or, as a current class, no
/// row in the view at all.
pub const ABSENT: u8 = 0;
/// The code of the null class: no tier's condition holds, or outside the population.
pub const NO_CLASS: u8 = 1;
/// The code of the programme's first tier; the others follow.
pub const FIRST_CLASS: u8 = 2;

/// One class code for each customer.
pub type Classes = Arc<[u8; CHUNK]>;

/// State of a chunk.
#[derive(Clone)]
pub struct Chunk {
    pub customers: Arc<Customers>,
    /// Ascending by month; a month stands here only while some customer has a bill in it.
    pub bills: Vec<(Month, Arc<Bills>)>,
    pub usage: Arc<BTreeMap<(Word, Month), Arc<Sums>>>,
    /// By slot and day: the last of a slot stands.
    pub terminals: Arc<Sorted<(u16, Day), Word>>,
    pub orders: Arc<BTreeMap<Word, Arc<Orders>>>,
    pub events: Arc<Events>,
    pub adjustments: Arc<Moments<i64>>,
    /// Derived, with those of other customers.
    pub transfers: Arc<Transfers>,
    pub listings: Arc<BTreeMap<Word, Arc<Sorted<u16, Interval>>>>,
    /// By purpose.
    pub consents: Arc<BTreeMap<Word, Arc<Consents>>>,
    /// By model and slot, in hundredths.
    pub scores: Arc<BTreeMap<Word, Arc<Sorted<u16, i64>>>>,
    /// Their ids, by which arms are drawn.
    pub ids: Arc<IdsOf>,
    pub contacts: Arc<Moments<Contact>>,
    pub feedbacks: Arc<Moments<Feedback>>,
    pub handoffs: Arc<Moments<Handoff>>,
    /// Derived: class codes by month of history, ascending.
    pub history: Vec<(Month, Classes)>,
    /// Derived: the class as of `as_of`, [`ABSENT`] outside the population.
    pub class: Classes,
    /// Derived: the members, by place of the segment in the programme.
    pub segments: Arc<Vec<Arc<Bits>>>,
    /// Derived: who has which drive, by its place in the programme.
    pub drives: Arc<Vec<Driven>>,
    /// Derived: the balances of points.
    pub points: Arc<Balances>,
    /// Derived: whom campaigns list.
    pub targets: Arc<Targets>,
    /// Derived, once it is read: how many use which product.
    pub users: penetration::Memo,
    /// Derived, once it is read: its part of the rates of fit.
    pub summary: fit::Memo,
    /// What it adds to goals, once that was asked.
    pub tally: goals::Memo,
}

impl Chunk {
    /// Nobody known, nothing delivered.
    pub fn empty() -> Chunk {
        Chunk {
            customers: Arc::new(Customers::empty()),
            bills: Vec::new(),
            usage: Arc::default(),
            terminals: Arc::default(),
            orders: Arc::default(),
            events: Arc::default(),
            adjustments: Arc::default(),
            transfers: Transfers::none(),
            listings: Arc::default(),
            consents: Arc::default(),
            scores: Arc::default(),
            ids: Arc::default(),
            contacts: Arc::default(),
            feedbacks: Arc::default(),
            handoffs: Arc::default(),
            history: Vec::new(),
            class: Arc::new([ABSENT; CHUNK]),
            segments: Arc::default(),
            drives: Arc::default(),
            points: Balances::none(),
            targets: Arc::default(),
            users: penetration::Memo::default(),
            summary: fit::Memo::default(),
            tally: goals::Memo::default(),
        }
    }

    /// A customer's events, in their order.
    pub fn events_of(&self, slot: usize) -> EventsOf<'_> {
        self.events.of(slot)
    }

    /// A customer's adjustments, in their order.
    pub fn adjustments_of(&self, slot: usize) -> &[(MomentKey, i64)] {
        of_slot(&self.adjustments, slot)
    }

    /// The bills of a month, where there are any.
    pub fn bills_of(&self, month: Month) -> Option<&Bills> {
        self.bills.binary_search_by_key(&month, |(month, _)| *month).ok().map(|index| &*self.bills[index].1)
    }

    /// Sets or takes back bills of one month, marking their slots. Says whether somebody's having a
    /// bill in that month changed.
    pub fn set_bills(
        &mut self,
        month: Month,
        changes: impl Iterator<Item = (usize, Option<Bill>)>,
        touched: &mut Bits,
    ) -> bool {
        let index = match self.bills.binary_search_by_key(&month, |(month, _)| *month) {
            Ok(index) => index,
            Err(index) => {
                self.bills.insert(index, (month, Arc::new(Bills::empty())));
                index
            }
        };
        let bills = Arc::make_mut(&mut self.bills[index].1);
        let mut changed = false;
        for (slot, bill) in changes {
            touched.set(slot, true);
            changed |= bills.present.get(slot) != bill.is_some();
            bills.present.set(slot, bill.is_some());
            // An absent bill is 0 everywhere, so that sums need not ask who is present.
            let bill = bill.unwrap_or_default();
            let fees = [bill.total_fee, bill.roaming_fee, bill.sms_fee, bill.vas_fee, bill.data_kb];
            bills.fees.iter_mut().zip(fees).for_each(|(column, fee)| column.set(slot, fee));
        }
        if bills.present.is_none() {
            self.bills.remove(index);
        }
        changed
    }

    /// Who has a bill in `month` or before it.
    pub fn billed_by(&self, month: Month) -> Bits {
        let mut billed = Bits::none();
        self.bills
            .iter()
            .take_while(|(billed, _)| *billed <= month)
            .for_each(|(_, bills)| billed.union(&bills.present));
        billed
    }

    /// Who has a row in customer_attribute: named by `customer` or by a bill.
    pub fn listed(&self) -> Bits {
        let mut listed = self.customers.known.clone();
        self.bills.iter().for_each(|(_, bills)| listed.union(&bills.present));
        listed
    }

    /// Adds to a sum of usage.
    pub fn add_usage(&mut self, measure: Word, month: Month, slot: usize, change: i64) {
        let usage = Arc::make_mut(&mut self.usage);
        let sums = usage.entry((measure, month)).or_default();
        if Arc::make_mut(sums).add(slot, change) {
            usage.remove(&(measure, month));
        }
    }
}

thread_local! {
    /// The chunk before there is one.
    pub static CHUNK_EMPTY: Arc<Chunk> = Arc::new(Chunk::empty());
}

/// Master data. A customer known from elsewhere only has nulls here.
#[derive(Clone)]
pub struct Customers {
    /// Who is named by the customer feed.
    pub known: Bits,
    /// Packed dates, [`NO_DATE`] where null.
    pub birth_date: Box<[i32; CHUNK]>,
    pub joined_on: Box<[i32; CHUNK]>,
    /// What stands for phone numbers.
    pub numbers: Numbers,
    /// The text attributes, in the order of [`TEXTS`].
    pub texts: [Column<u32>; TEXTS],
    /// Derived: who is in which city.
    pub cities: Cities,
}

/// Tokens of phone numbers, 16 bytes a customer from the first one on. That of zeros, which stands for
/// no number, is none.
#[derive(Clone)]
pub struct Numbers(Option<Box<[Token; CHUNK]>>);

const NO_NUMBER: Token = Token([0; 16]);

impl Numbers {
    /// The token in a slot, where there is one.
    pub fn get(&self, slot: usize) -> Option<Token> {
        self.0.as_ref().map(|tokens| tokens[slot]).filter(|token| *token != NO_NUMBER)
    }

    fn set(&mut self, slot: usize, token: Option<Token>) {
        if token.is_some() || self.0.is_some() {
            let tokens = self.0.get_or_insert_with(|| Box::new([NO_NUMBER; CHUNK]));
            tokens[slot] = token.unwrap_or(NO_NUMBER);
        }
    }
}

/// The customers of each city of a chunk, null among them: counts by city are then counts of common
/// bits. None where there are too many for that to be worth its memory.
#[derive(Clone)]
pub struct Cities(Option<Vec<(Word, Bits)>>);

/// Cities of a chunk that are told apart by bits: at most 8 bytes a customer.
const CITIES_MAX: usize = 64;

impl Cities {
    /// The cities with their customers, if they are kept.
    pub fn bits(&self) -> Option<&[(Word, Bits)]> {
        self.0.as_deref()
    }

    fn move_customer(&mut self, slot: usize, from: Word, to: Word) {
        let Some(cities) = &mut self.0 else { return };
        if from == to {
            return;
        }
        if let Some(place) = cities.iter().position(|(city, _)| *city == from) {
            cities[place].1.set(slot, false);
            if cities[place].1.is_none() {
                cities.swap_remove(place);
            }
        }
        let bits = match cities.iter().position(|(city, _)| *city == to) {
            Some(place) => &mut cities[place].1,
            None if cities.len() == CITIES_MAX => {
                self.0 = None;
                return;
            }
            None => &mut cities.push_mut((to, Bits::none())).1,
        };
        bits.set(slot, true);
    }
}

/// Number of text attributes of a customer.
pub const TEXTS: usize = 9;
/// The place of the city among them.
pub const CITY: usize = 1;
/// The place of the status.
pub const STATUS: usize = 3;
/// The packed null date.
pub const NO_DATE: i32 = i32::MIN;

/// A date as year, month and day in one integer that orders as dates do.
pub fn packed(day: Day) -> i32 {
    let (year, month, day) = day.civil();
    year * 512 + (month * 32 + day) as i32
}

/// Month and day of a packed date, in one integer that orders as they do; and its year.
pub fn unpacked(date: i32) -> (i32, i32) {
    (date >> 9, date & 511)
}

impl Customers {
    fn empty() -> Customers {
        Customers {
            known: Bits::none(),
            birth_date: Box::new([NO_DATE; CHUNK]),
            joined_on: Box::new([NO_DATE; CHUNK]),
            numbers: Numbers(None),
            texts: std::array::from_fn(|_| Column::zeros()),
            cities: Cities(Some(vec![(Word::NULL, Bits::all())])),
        }
    }

    /// Sets or takes back a customer's master data.
    pub fn set(&mut self, slot: usize, customer: Option<Customer>) {
        self.known.set(slot, customer.is_some());
        let customer = customer.unwrap_or_default();
        self.birth_date[slot] = customer.birth_date.map_or(NO_DATE, packed);
        self.joined_on[slot] = customer.joined_on.map_or(NO_DATE, packed);
        self.numbers.set(slot, customer.number);
        let Customer { gender, city, district, status, brand, group_type, occupation, employer, income_band, .. } =
            customer;
        self.cities.move_customer(slot, Word(self.texts[CITY].get(slot)), city);
        let texts = [gender, city, district, status, brand, group_type, occupation, employer, income_band];
        self.texts.iter_mut().zip(texts).for_each(|(column, word)| column.set(slot, word.0));
    }
}

/// Bills of one month.
#[derive(Clone)]
pub struct Bills {
    pub present: Bits,
    /// Fen; kilobytes at [`DATA_KB`]. 0 where there is no bill.
    pub fees: [Column<i64>; FEES],
}

impl Bills {
    fn empty() -> Bills {
        Bills { present: Bits::none(), fees: std::array::from_fn(|_| Column::zeros()) }
    }
}

/// Sums of one measure over one month. Few customers use most measures: a list until an eighth of
/// the chunk is in it, a column from then on.
#[derive(Clone)]
pub enum Sums {
    Few(Sorted<u16, i64>),
    Many(Column<i64>),
}

impl Default for Sums {
    fn default() -> Self {
        Sums::Few(Sorted::default())
    }
}

impl Sums {
    const FEW_MAX: usize = CHUNK / 8;

    /// The sum of a slot.
    pub fn get(&self, slot: usize) -> i64 {
        match self {
            Sums::Many(column) => column.get(slot),
            Sums::Few(rows) => rows.get(&(slot as u16)).copied().unwrap_or(0),
        }
    }

    /// The slots whose sum is above 0.
    pub fn above_zero(&self) -> Bits {
        let mut bits = Bits::none();
        match self {
            Sums::Many(column) => column.read(&Slots::All, |slot, sum| bits.set(slot, sum > 0)),
            Sums::Few(rows) => rows.rows().iter().for_each(|(slot, sum)| bits.set(usize::from(*slot), *sum > 0)),
        }
        bits
    }

    /// Adds to the sum of a slot. Says whether nothing is left.
    fn add(&mut self, slot: usize, change: i64) -> bool {
        match self {
            Sums::Many(column) => column.set(slot, column.get(slot) + change),
            Sums::Few(rows) => {
                let key = slot as u16;
                let sum = rows.get(&key).copied().unwrap_or(0) + change;
                rows.apply(vec![(key, (sum != 0).then_some(sum))]);
                if rows.rows().len() > Sums::FEW_MAX {
                    let mut column = Column::zeros();
                    rows.rows().iter().for_each(|(slot, sum)| column.set(usize::from(*slot), *sum));
                    *self = Sums::Many(column);
                }
            }
        }
        matches!(self, Sums::Few(rows) if rows.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cities_follow_their_column_until_there_are_too_many() {
        let mut random = fastrand::Rng::with_seed(3);
        for (words, is_kept) in [(5, true), (CITIES_MAX as u32, true), (400, false)] {
            let mut customers = Customers::empty();
            for _ in 0..6_000 {
                let city = Word(random.u32(0..words));
                customers.set(random.usize(0..CHUNK), Some(Customer { city, ..Customer::default() }));
            }
            let Some(cities) = customers.cities.bits() else {
                assert!(!is_kept, "{words} cities are too many");
                continue;
            };
            assert!(is_kept, "{words} cities are kept");
            let of_column = |slot: usize| Word(customers.texts[CITY].get(slot));
            assert!(cities.iter().all(|(city, bits)| bits.slots().all(|slot| of_column(slot) == *city)));
            assert_eq!(cities.iter().map(|(_, bits)| bits.count()).sum::<usize>(), CHUNK);
        }
    }
}

//! What a chunk adds to quantities.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Counted, Measure, Rules};
use crate::penetration::held;
use crate::table::chunk::{CITY, DATA_KB};
use crate::table::column::{Bits, CHUNK};
use crate::table::{self, Chunk};
use crate::types::{Clock, Month, Word};

/// Numbers by city, each for every quantity by its [place](Rules::place) and then for every month.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct Tally {
    /// From the first month to the last.
    pub months: Vec<Month>,
    pub cities: BTreeMap<Word, Vec<i64>>,
}

impl Tally {
    /// A number of a city.
    pub fn number(&self, city: Word, quantity: usize, month: usize) -> i64 {
        self.cities.get(&city).map_or(0, |numbers| numbers[quantity * self.months.len() + month])
    }

    /// Adds those of another over the same quantities and months.
    pub fn add(&mut self, other: &Tally) {
        if self.months.is_empty() {
            self.months.clone_from(&other.months);
        }
        for (city, numbers) in &other.cities {
            let sums = self.cities.entry(*city).or_insert_with(|| vec![0; numbers.len()]);
            sums.iter_mut().zip(numbers).for_each(|(sum, number)| *sum += number);
        }
    }
}

/// A chunk's numbers by the rules, and by the months that the clock tells.
pub type Memo = table::Memo<(Arc<Rules>, Clock), Tally>;

/// The months of history up to `as_of`, and on to that of `now`.
fn months(clock: Clock, history: u32) -> Vec<Month> {
    let last = clock.as_of.into_iter().chain(clock.now.map(|now| now.day().month())).max();
    let Some(last) = last else { return Vec::new() };
    let first = clock.as_of.unwrap_or(last).plus(1 - history as i32);
    // A clock far ahead of the bills tells of no more months than history has.
    let first = first.max(last.plus(-2 * history as i32));
    (first.0..=last.0).map(Month).collect()
}

/// The numbers of a chunk, under rules at a time. Within a month they are the same.
pub fn tally(chunk: &Chunk, rules: &Arc<Rules>, clock: Clock) -> Arc<Tally> {
    let months_of = |clock: &Clock| (clock.as_of, clock.now.map(|now| now.day().month()));
    let is_same = |of: &(Arc<Rules>, Clock), asked: &(Arc<Rules>, Clock)| {
        Arc::ptr_eq(&of.0, &asked.0) && months_of(&of.1) == months_of(&asked.1)
    };
    chunk.tally.get((rules.clone(), clock), is_same, || count(chunk, rules, &months(clock, rules.history)))
}

/// Adds numbers to those of the cities that slots are of.
struct Sums<'a> {
    /// By slot: the place of his city; none who is no customer.
    places: Vec<Option<u16>>,
    /// By place.
    cities: Vec<Vec<i64>>,
    chunk: &'a Chunk,
    months: &'a [Month],
}

impl Sums<'_> {
    fn add(&mut self, slot: usize, (quantity, month): (usize, usize), number: i64) {
        if let Some(place) = self.places[slot] {
            self.cities[usize::from(place)][quantity * self.months.len() + month] += number;
        }
    }

    fn bits(&mut self, cell: (usize, usize), bits: &Bits) {
        bits.slots().for_each(|slot| self.add(slot, cell, 1));
    }

    /// Who uses how much of a measure in a month; nobody who uses nothing.
    fn used(&self, measure: Measure, month: Month, mut each: impl FnMut(usize, i64)) {
        let mut some = |slot: usize, quantity: i64| {
            if quantity != 0 {
                each(slot, quantity);
            }
        };
        match measure {
            Measure::Billed => {
                let bills = self.chunk.bills_of(month);
                bills.iter().for_each(|bills| (0..CHUNK).for_each(|slot| some(slot, bills.fees[DATA_KB].get(slot))));
            }
            Measure::Used(measure) => {
                let sums = self.chunk.usage.get(&(measure, month));
                sums.iter().for_each(|sums| (0..CHUNK).for_each(|slot| some(slot, sums.get(slot))));
            }
        }
    }
}

fn count(chunk: &Chunk, rules: &Rules, months: &[Month]) -> Tally {
    let listed = chunk.listed();
    if months.is_empty() || rules.is_empty() || listed.is_none() {
        return Tally { months: months.to_vec(), cities: BTreeMap::new() };
    }
    let mut cities: Vec<Word> = Vec::new();
    let mut places = vec![None; CHUNK];
    for slot in listed.slots() {
        let city = Word(chunk.customers.texts[CITY].get(slot));
        let place = cities.iter().position(|known| *known == city).unwrap_or_else(|| {
            cities.push(city);
            cities.len() - 1
        });
        places[slot] = Some(place as u16);
    }
    let numbers = vec![vec![0; rules.len() * months.len()]; cities.len()];
    let mut sums = Sums { places, cities: numbers, chunk, months };
    for (quantity, counted) in rules.counted.iter().enumerate() {
        one(*counted, quantity, &listed, &mut sums);
    }
    Tally { months: months.to_vec(), cities: cities.into_iter().zip(sums.cities).collect() }
}

/// Counts one quantity over all months.
fn one(counted: Counted, quantity: usize, listed: &Bits, sums: &mut Sums<'_>) {
    let (chunk, months) = (sums.chunk, sums.months);
    match counted {
        Counted::Elsewhere | Counted::Active(None) => {}
        Counted::Customers => (0..months.len()).for_each(|month| sums.bits((quantity, month), listed)),
        Counted::Sum(measure) => {
            for (place, month) in months.iter().enumerate() {
                let mut found = Vec::new();
                sums.used(measure, *month, |slot, used| found.push((slot, used)));
                found.into_iter().for_each(|(slot, used)| sums.add(slot, (quantity, place), used));
            }
        }
        Counted::AtLeast(measure, least) => {
            for (place, month) in months.iter().enumerate() {
                let mut found = Bits::none();
                sums.used(measure, *month, |slot, used| found.set(slot, used >= least));
                sums.bits((quantity, place), &found);
            }
        }
        Counted::Active(Some(measure)) => {
            for (place, month) in months.iter().enumerate() {
                if let Some(used) = chunk.usage.get(&(measure, *month)) {
                    sums.bits((quantity, place), &used.above_zero());
                }
            }
        }
        Counted::Held(product, before, is_still) => {
            let Some(orders) = chunk.orders.get(&product) else { return };
            let ago = before.unwrap_or(0) as usize;
            let (first, last) = (months[0].plus(-(ago as i32)), months[months.len() - 1]);
            let held = held(orders, first, last);
            for place in 0..months.len() {
                let (then, now) = (&held[place], &held[place + ago]);
                match (before, is_still) {
                    (None, _) => sums.bits((quantity, place), now),
                    (Some(_), false) => sums.bits((quantity, place), then),
                    (Some(_), true) => {
                        then.slots()
                            .filter(|slot| now.get(*slot))
                            .for_each(|slot| sums.add(slot, (quantity, place), 1));
                    }
                }
            }
        }
    }
}

//! What goals count, from rows.

use std::collections::BTreeMap;

use super::{Asked, Standing};
use crate::goals::{BILLED, Goal, Quantity};
use crate::records::{Action, Order};
use crate::types::{CustomerIx, Month, Time, Word};

/// By quantity, city and month; nothing that is 0.
pub type Tallied = BTreeMap<(Quantity, Word, Month), i64>;

/// A customer's rows that goals ask for.
struct Own<'a> {
    standing: &'a Standing,
    customer: CustomerIx,
    usage: BTreeMap<(&'a str, Month), i64>,
    orders: BTreeMap<&'a str, Vec<(Time, Order)>>,
}

impl Standing {
    /// Adds what a customer is of every quantity.
    pub fn add_goals(&self, customer: CustomerIx, tallied: &mut Tallied) {
        let running = self.clock.now.map(|now| now.day().month());
        let Some(last) = self.clock.as_of.max(running).filter(|_| self.is_listed(customer)) else { return };
        // Two goals may ask the same.
        let mut asked: Vec<&Quantity> = self.programme.goals.iter().flat_map(Goal::quantities).collect();
        asked.sort();
        asked.dedup();
        let history = self.programme.history as i32;
        let first = self.clock.as_of.unwrap_or(last).0 - history + 1;
        let city = self.customers.get(&customer).map_or(Word::NULL, |row| row.city);
        let own = Own::of(self, customer, &asked);
        for month in (first.max(last.0 - 2 * history)..=last.0).map(Month) {
            for quantity in &asked {
                let number = own.number(quantity, month);
                if number != 0 {
                    *tallied.entry(((*quantity).clone(), city, month)).or_insert(0) += number;
                }
            }
        }
        tallied.retain(|_, number| *number != 0);
    }
}

impl<'a> Own<'a> {
    fn of(standing: &'a Standing, customer: CustomerIx, asked: &[&'a Quantity]) -> Own<'a> {
        let least = (customer, Word(0), Month(i32::MIN));
        let usage = standing.usage.range(least..).take_while(|((who, ..), _)| *who == customer);
        let person = Asked { standing, customer, month: None, tier: None };
        let products = asked.iter().filter_map(|quantity| match quantity {
            Quantity::Held(product) | Quantity::HeldBefore(product, _) | Quantity::Still(product, _) => {
                Some(&**product)
            }
            _ => None,
        });
        Own {
            standing,
            customer,
            usage: usage.map(|((_, of, month), sum)| ((&*standing.words[of.0 as usize], *month), *sum)).collect(),
            orders: products.map(|product| (product, person.orders(product))).collect(),
        }
    }

    fn number(&self, quantity: &Quantity, month: Month) -> i64 {
        let is = i64::from;
        let before = |months: &u32| month.plus(-(*months as i32));
        match quantity {
            Quantity::Customers => 1,
            Quantity::Holidays(_) => 0,
            Quantity::Sum(measure) => self.uses(measure, month),
            Quantity::AtLeast(measure, least) => is(self.uses(measure, month) >= *least),
            Quantity::Held(product) => is(self.held(product, month)),
            Quantity::HeldBefore(product, months) => is(self.held(product, before(months))),
            Quantity::Still(product, months) => is(self.held(product, before(months)) && self.held(product, month)),
            Quantity::Active(product) => {
                let measure = self.standing.programme.active_measures.get(product);
                is(measure.is_some_and(|measure| self.used(measure, month) > 0))
            }
        }
    }

    fn uses(&self, measure: &str, month: Month) -> i64 {
        match measure == BILLED {
            true => self.standing.bills.get(&(self.customer, month)).map_or(0, |bill| bill.data_kb),
            false => self.used(measure, month),
        }
    }

    fn used(&self, measure: &str, month: Month) -> i64 {
        self.usage.get(&(measure, month)).copied().unwrap_or(0)
    }

    fn held(&self, product: &str, month: Month) -> bool {
        let mut until = self.orders[product].iter().filter(|(at, _)| *at <= month.last_second());
        until.next_back().is_some_and(|(_, order)| order.action != Action::Cancel)
    }
}

//! One customer's services, from rows.

use std::collections::{BTreeMap, BTreeSet};

use super::{Asked, Standing};
use crate::records::{Action, Order};
use crate::types::{CustomerIx, Diff, Month, Time, Word};
use crate::views::{Change, Users};

impl Asked<'_> {
    pub(super) fn trial(&self, product: &str) -> &'static str {
        let mut became = "none";
        for (at, order) in self.orders(product) {
            became = match (order.action, became) {
                (Action::Trial, _) if self.is_used_from(product, at.day().month()) => "used",
                (Action::Trial, _) => "unused",
                (Action::Subscribe, "used" | "unused") => "converted",
                (Action::Cancel, "used" | "unused") => "ended",
                _ => became,
            };
        }
        became
    }

    pub(super) fn health(&self, product: &str) -> Option<&'static str> {
        let held = self.held(product)?;
        let measure = self.standing.programme.active_measures.get(product)?;
        let is_active = self.month.is_some_and(|month| self.used(measure, month..=month));
        Some(match (is_active, held.bundled) {
            (true, _) => "active",
            (false, true) => "bundled_idle",
            (false, false) => "idle",
        })
    }

    /// The order by which a product is held.
    pub(super) fn held(&self, product: &str) -> Option<Order> {
        self.orders(product).last().map(|(_, order)| *order).filter(|order| order.action != Action::Cancel)
    }

    fn is_used_from(&self, product: &str, month: Month) -> bool {
        let measure = self.standing.programme.active_measures.get(product);
        measure.is_some_and(|measure| self.used(measure, month..=Month(i32::MAX)))
    }

    /// Whether a measure was above 0 in one of the months.
    fn used(&self, measure: &str, months: std::ops::RangeInclusive<Month>) -> bool {
        self.first_used(measure, *months.start()).is_some_and(|month| months.contains(&month))
    }

    /// The first month from one on in which a measure was above 0.
    pub(super) fn first_used(&self, measure: &str, from: Month) -> Option<Month> {
        let least = (self.customer, Word(0), Month(i32::MIN));
        let own = self.standing.usage.range(least..).take_while(|((who, ..), _)| *who == self.customer);
        own.filter(|((_, of, month), _)| *month >= from && &*self.standing.words[of.0 as usize] == measure)
            .filter(|(_, sum)| **sum > 0)
            .map(|((_, _, month), _)| *month)
            .min()
    }

    /// The orders of a product, in the order in which they count.
    pub(super) fn orders(&self, product: &str) -> Vec<(Time, Order)> {
        let own = self.standing.orders_of(self.customer);
        let of = own.filter(|((_, of, ..), _)| &*self.standing.words[of.0 as usize] == product);
        let mut orders: Vec<_> = of.map(|((_, _, at, id), order)| ((*at, id), *order)).collect();
        orders.sort_by_key(|(key, _)| *key);
        orders.into_iter().map(|((at, _), order)| (at, order)).collect()
    }
}

type OrderKey = (CustomerIx, Word, Time, Box<str>);

impl Standing {
    pub(super) fn orders_of(&self, customer: CustomerIx) -> impl Iterator<Item = (&OrderKey, &Order)> {
        let least = (customer, Word(0), Time(i64::MIN), Box::from(""));
        self.orders.range(least..).take_while(move |((who, ..), _)| *who == customer)
    }

    /// Adds a customer to the cells of service_health.
    pub(super) fn add_services(&self, customer: CustomerIx, views: &mut BTreeMap<Change, Diff>) {
        let mut add = |product, users| *views.entry(Change::ServiceHealth { product, users }).or_insert(0) += 1;
        let products: BTreeSet<Word> = self.orders_of(customer).map(|((_, product, ..), _)| *product).collect();
        self.orders_of(customer).for_each(|((_, product, ..), _)| add(*product, Users::Orders));
        let asked = Asked { standing: self, customer, month: self.clock.as_of, tier: None };
        for product in products {
            let name = &*self.words[product.0 as usize];
            if asked.held(name).is_some() {
                add(product, Users::Held);
            }
            match asked.health(name) {
                Some("active") => add(product, Users::Active),
                Some("idle") => add(product, Users::Idle),
                Some(_) => add(product, Users::BundledIdle),
                None => {}
            }
            match asked.trial(name) {
                "used" | "unused" => add(product, Users::Trying),
                "converted" => add(product, Users::Converted),
                _ => {}
            }
        }
    }
}

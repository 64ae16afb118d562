//! What products one customer used in which month, from rows.

use std::collections::{BTreeMap, BTreeSet};

use super::{Asked, Standing, rules};
use crate::penetration::{Kind, Use};
use crate::records::Action;
use crate::types::{CustomerIx, Month, Word};

/// Users by place of the segment in the programme; of none is of all.
pub type Penetration = BTreeMap<(Use, Option<usize>), usize>;

impl Standing {
    /// Adds a customer to the users of what he used.
    pub fn add_penetration(&self, customer: CustomerIx, users: &mut Penetration) {
        let Some(as_of) = self.clock.as_of.filter(|_| self.is_listed(customer)) else { return };
        let asked = Asked { standing: self, customer, month: Some(as_of), tier: None };
        let class = self.class(&asked);
        let asked = Asked { tier: class, ..asked };
        let segments = self.programme.segments.iter().enumerate();
        let is_member = |segment: &crate::programme::Segment| class.is_some() && rules::holds(&segment.when, &asked);
        let of: Vec<Option<usize>> = [None]
            .into_iter()
            .chain(segments.filter(|(_, segment)| is_member(segment)).map(|(place, _)| Some(place)))
            .collect();
        let first = as_of.plus(1 - self.programme.history as i32);
        let products: BTreeSet<Word> = self.orders_of(customer).map(|((_, product, ..), _)| *product).collect();
        for month in (first.0..=as_of.0).map(Month) {
            let mut used: Vec<Use> = Vec::new();
            for product in &products {
                let until =
                    self.orders_of(customer).filter(|((_, of, at, _), _)| of == product && *at <= month.last_second());
                let last = until.max_by_key(|((_, _, at, id), _)| (*at, id.clone()));
                if last.is_some_and(|(_, order)| order.action != Action::Cancel) {
                    used.push((*product, Kind::Held, month));
                }
            }
            for (product, measure) in &self.programme.active_measures {
                let key = (customer, self.word(measure), month);
                if self.usage.get(&key).is_some_and(|sum| *sum > 0) {
                    used.push((self.word(product), Kind::Active, month));
                }
            }
            for used in used {
                of.iter().for_each(|segment| *users.entry((used, *segment)).or_insert(0) += 1);
            }
        }
    }
}

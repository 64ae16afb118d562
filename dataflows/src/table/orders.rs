//! Orders of one product, for the customers of a chunk.

use super::column::Bits;
use super::sorted::{Change, Sorted};
use crate::records::{Action, Order};
use crate::types::Time;

/// Slot, time, order id.
pub type OrderKey = (u16, Time, Box<str>);

/// Orders of one product.
#[derive(Clone)]
pub struct Orders {
    /// By slot, time and order id (bytes): the last of a slot stands.
    pub rows: Sorted<OrderKey, Order>,
    /// Derived: whose last order is no cancellation.
    pub holders: Bits,
    /// Derived: of the holders, those whose last order came with another product.
    pub bundled: Bits,
    /// Derived: whose trial runs.
    pub trying: Bits,
    /// Derived: whose trial was followed by a subscription.
    pub converted: Bits,
}

/// How far the latest trial of a customer has come, by orders alone.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Trial {
    /// There was none.
    None,
    /// Since that second.
    Runs(Time),
    Converted,
    Ended,
}

impl Default for Orders {
    fn default() -> Self {
        Orders {
            rows: Sorted::default(),
            holders: Bits::none(),
            bundled: Bits::none(),
            trying: Bits::none(),
            converted: Bits::none(),
        }
    }
}

impl Orders {
    /// Applies changes and decides anew what is derived, for the customers they touch.
    pub fn apply(&mut self, changes: Vec<Change<OrderKey, Order>>) {
        let mut slots: Vec<u16> = changes.iter().map(|((slot, ..), _)| *slot).collect();
        slots.sort_unstable();
        slots.dedup();
        self.rows.apply(changes);
        for slot in slots.into_iter().map(usize::from) {
            let held = self.of(slot).last().map(|(_, order)| *order).filter(|order| order.action != Action::Cancel);
            self.holders.set(slot, held.is_some());
            self.bundled.set(slot, held.is_some_and(|order| order.bundled));
            let trial = self.trial(slot);
            self.trying.set(slot, matches!(trial, Trial::Runs(_)));
            self.converted.set(slot, trial == Trial::Converted);
        }
    }

    /// The latest trial of a customer: what follows it first tells what became of it.
    pub fn trial(&self, slot: usize) -> Trial {
        let orders = self.of(slot);
        let Some(place) = orders.iter().rposition(|(_, order)| order.action == Action::Trial) else {
            return Trial::None;
        };
        match orders.get(place + 1).map(|(_, order)| order.action) {
            None => Trial::Runs(orders[place].0.1),
            Some(Action::Cancel) => Trial::Ended,
            Some(_) => Trial::Converted,
        }
    }

    /// When a customer opened what he holds: the first order after any cancellation. None where he holds nothing.
    pub fn opened(&self, slot: usize) -> Option<Time> {
        let orders = self.of(slot);
        let holding = orders.rsplit(|(_, order)| order.action == Action::Cancel).next()?;
        holding.first().map(|((_, at, _), _)| *at)
    }

    fn of(&self, slot: usize) -> &[(OrderKey, Order)] {
        self.rows.range(|(held, ..)| usize::from(*held).cmp(&slot))
    }
}

//! Services: trials of a product, and whether what is held of it is used.
//!
//! Reads   orders, usage, the programme's active measures
//! Gives   `trial.PRODUCT`, `health.PRODUCT`, and the cells of service_health
//!
//! Decided here, where the contract is silent:
//! - A trial is used once there is usage of the product's active measure in the month of the trial or any
//!   later one: usage is kept by month, so what was used earlier in that month counts too.
//! - What follows the latest trial first decides it: a subscription converts it, whatever comes after; a
//!   cancellation ends it.
//! - Trials are as of now; health is of what is held now, and of usage in the month of `as_of`. Where there
//!   is no `as_of`, nothing is active.
//! - Of a product without an active measure a trial is never `used`, health is null, and service_health has
//!   nulls in active, idle and bundled_idle.
//! - service_health has a row for every product with an order, and counts every customer who has one,
//!   whether or not another feed names him and whatever the population.

use std::sync::Arc;

use hashbrown::HashMap;

use crate::programme::Programme;
use crate::table::Chunk;
use crate::table::chunk::Sums;
use crate::table::column::Bits;
use crate::table::orders::{Orders, Trial};
use crate::types::{Diff, Month, Word};
use crate::views::Users;

/// The values of `trial.PRODUCT`.
pub const TRIALS: [&str; 5] = ["none", "unused", "used", "converted", "ended"];
/// The values of `health.PRODUCT`; null where it is not held.
pub const HEALTHS: [&str; 3] = ["active", "idle", "bundled_idle"];

/// What rules of services are decided by, in words.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct Services {
    /// By product.
    measures: HashMap<Word, Word, foldhash::fast::RandomState>,
    /// Months that penetration reaches back.
    pub history: u32,
    /// In the order of [`TRIALS`]; null where no rule asks.
    trials: [Word; 5],
    /// In the order of [`HEALTHS`], likewise.
    healths: [Word; 3],
}

impl Services {
    /// `word` gives the number of a name, where it has one.
    pub fn new(programme: &Programme, word: &dyn Fn(&str) -> Option<Word>) -> Services {
        let measures = programme.active_measures.iter();
        Services {
            measures: measures.filter_map(|(product, measure)| Some((word(product)?, word(measure)?))).collect(),
            history: programme.history,
            trials: TRIALS.map(|name| word(name).unwrap_or_default()),
            healths: HEALTHS.map(|name| word(name).unwrap_or_default()),
        }
    }

    /// Products with the measures that show their use, in no order.
    pub fn measures(&self) -> impl Iterator<Item = (Word, Word)> + '_ {
        self.measures.iter().map(|(product, measure)| (*product, *measure))
    }

    fn measure(&self, product: Word) -> Option<Word> {
        self.measures.get(&product).copied()
    }

    /// The word of `trial.PRODUCT` of a customer.
    pub fn trial(&self, chunk: &Chunk, product: Option<Word>, slot: usize) -> Word {
        let orders = product.and_then(|product| Some((product, chunk.orders.get(&product)?)));
        let [none, unused, used, converted, ended] = self.trials;
        let Some((product, orders)) = orders else { return none };
        match orders.trial(slot) {
            Trial::None => none,
            Trial::Converted => converted,
            Trial::Ended => ended,
            Trial::Runs(since) => {
                let is_used = self.measure(product).is_some_and(|measure| {
                    let months = (measure, since.day().month())..=(measure, Month(i32::MAX));
                    chunk.usage.range(months).any(|(_, sums)| sums.get(slot) > 0)
                });
                if is_used { used } else { unused }
            }
        }
    }

    /// The word of `health.PRODUCT` of a customer.
    pub fn health(&self, chunk: &Chunk, product: Option<Word>, month: Option<Month>, slot: usize) -> Word {
        let orders = product.and_then(|product| Some((self.measure(product)?, chunk.orders.get(&product)?)));
        let Some((measure, orders)) = orders.filter(|(_, orders)| orders.holders.get(slot)) else { return Word::NULL };
        let sums = month.and_then(|month| chunk.usage.get(&(measure, month)));
        let [active, idle, bundled_idle] = self.healths;
        match () {
            () if sums.is_some_and(|sums| sums.get(slot) > 0) => active,
            () if orders.bundled.get(slot) => bundled_idle,
            () => idle,
        }
    }

    /// What the users of a product in a chunk are counted by.
    pub fn side<'a>(&self, chunk: &'a Chunk, product: Word, as_of: Option<Month>) -> Side<'a> {
        let measure = self.measure(product);
        Side {
            orders: chunk.orders.get(&product),
            is_measured: measure.is_some(),
            sums: measure.zip(as_of).and_then(|key| chunk.usage.get(&key)),
        }
    }
}

/// A product in a chunk.
pub struct Side<'a> {
    orders: Option<&'a Arc<Orders>>,
    is_measured: bool,
    /// Of its active measure in the month of `as_of`.
    sums: Option<&'a Arc<Sums>>,
}

impl Side<'_> {
    /// Whether the counts are the same, as far as two pointers tell.
    pub fn is(&self, other: &Side<'_>) -> bool {
        fn same<T>(one: Option<&Arc<T>>, other: Option<&Arc<T>>) -> bool {
            one.map(Arc::as_ptr) == other.map(Arc::as_ptr)
        }
        self.is_measured == other.is_measured && same(self.orders, other.orders) && same(self.sums, other.sums)
    }

    /// Its users, in each cell that they are counted in.
    pub fn users(&self) -> [(Users, Diff); 7] {
        let none = Orders::default();
        let orders = self.orders.map_or(&none, |orders| orders);
        let used = self.sums.map_or_else(Bits::none, |sums| sums.above_zero());
        let held = orders.holders.count();
        let active = orders.holders.count_common(&used);
        let bundled_idle = orders.bundled.count() - orders.bundled.count_common(&used);
        let measured = |count: usize| if self.is_measured { count } else { 0 };
        [
            (Users::Orders, orders.rows.rows().len()),
            (Users::Held, held),
            (Users::Active, measured(active)),
            (Users::Idle, measured(held - active - bundled_idle)),
            (Users::BundledIdle, measured(bundled_idle)),
            (Users::Trying, orders.trying.count()),
            (Users::Converted, orders.converted.count()),
        ]
        .map(|(users, count)| (users, count as Diff))
    }
}

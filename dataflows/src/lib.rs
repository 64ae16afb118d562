//! The views of Cohortflow as one pure dataflow.
//!
//! Facts go in, differences of views come out: no files, no clock, no threads, so nothing here can
//! fail. The whole graph is [`build`].
//!
//! ```text
//! facts ─► customers (keyed) ─┬─► tier, segment_member          rows
//!                             └─► tier_count, tier_move,        counts
//!                                 segment_count, rank_count
//! ```
//!
//! customer_attribute, points_balance and points_entry are no collections: they are pure functions
//! of the table of customers, read off a snapshot of it.

#![forbid(unsafe_code)]

pub mod attributes;
pub mod customers;
pub mod facts;
pub mod keyed;
pub mod oracle;
pub mod points;
pub mod programme;
pub mod records;
pub mod rules;
pub mod segments;
pub mod table;
pub mod tiers;
pub mod types;
pub mod views;

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

use differential_dataflow::operators::CountTotal;
use timely::dataflow::Stream;

use customers::Customers;
use facts::Facts;
use types::{Collection, Epoch};
use views::Change;

/// What the dataflow gives: differences, epoch by epoch.
pub struct Views<'scope> {
    /// [`Change::Tier`] and [`Change::Member`].
    pub rows: Collection<'scope, Change>,
    /// Cells of counts, with how many customers they hold.
    pub counts: Collection<'scope, (Change, isize)>,
}

/// The graph. Each worker is given all facts and takes what is its own.
pub fn build<'scope>(
    facts: Stream<'scope, Epoch, Vec<Arc<Facts>>>,
    customers: Rc<RefCell<Customers>>,
) -> Views<'scope> {
    let changes = keyed::keyed(facts, customers);
    let rows = changes.clone().filter(|change| matches!(change, Change::Tier { .. } | Change::Member { .. }));
    let counts = changes.filter(|change| !matches!(change, Change::Tier { .. } | Change::Member { .. })).count_total();
    Views { rows, counts }
}

//! The views of Cohortflow as one pure dataflow.
//!
//! Facts go in, differences of views come out: no files, no clock, no threads, so nothing here can
//! fail. The whole graph is [`build`].
//!
//! ```text
//! facts ─► customers (agreed)─┬─► tier, segment_member, target  rows
//!                             ├─► tier_count, tier_move,        counts
//!                             │   segment_count, rank_count,
//!                             │   target_count, target_excluded,
//!                             │   service_health, drive_share,
//!                             │   member_stage, effect, effect_by,
//!                             │   effect_rate, channel_workload,
//!                             │   for referral_rate: members, invited
//!                             └─► forest (keyed, worker 0) ─► joined
//! ```
//!
//! customer_attribute, points_balance, points_entry, referral, the events of members, care, penetration and fit are no
//! collections: they are pure functions of the table of customers, read off a snapshot of it; referral_tree is read off one of
//! the forest.

#![forbid(unsafe_code)]

pub mod agreement;
pub mod attributes;
pub mod care;
pub mod customers;
pub mod drives;
pub mod effects;
pub mod facts;
pub mod fit;
pub mod goals;
pub mod keyed;
pub mod members;
pub mod oracle;
pub mod penetration;
pub mod points;
pub mod profile;
pub mod programme;
pub mod reader;
pub mod records;
pub mod referrals;
pub mod responses;
pub mod review;
pub mod rules;
pub mod segments;
pub mod services;
pub mod stages;
pub mod table;
pub mod targets;
pub mod tiers;
pub mod types;
pub mod views;

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

use differential_dataflow::AsCollection;
use differential_dataflow::operators::CountTotal;
use timely::dataflow::Stream;
use timely::dataflow::operators::{Exchange, OkErr};

use customers::{Customers, Told};
use facts::Facts;
use referrals::Forest;
use types::{Collection, Epoch};
use views::Change;

/// What the dataflow gives: differences, epoch by epoch.
pub struct Views<'scope> {
    /// [`Change::Tier`], [`Change::Member`] and [`Change::Target`].
    pub rows: Collection<'scope, Change>,
    /// Cells of counts, with how many customers they hold.
    pub counts: Collection<'scope, (Change, isize)>,
}

/// The graph. Each worker is given all facts and takes what is its own; the forest of referrals is
/// that of worker 0.
pub fn build<'scope>(
    facts: Stream<'scope, Epoch, Vec<Arc<Facts>>>,
    customers: Rc<RefCell<Customers>>,
    forest: Rc<RefCell<Forest>>,
) -> Views<'scope> {
    let (changes, links) =
        agreement::agreed(facts, customers).inner.ok_err::<Vec<_>, _, Vec<_>, _, _>(|(told, epoch, diff)| match told {
            Told::Change(change) => Ok((change, epoch, diff)),
            Told::Link(link) => Err((link, diff)),
        });
    // Whole on worker 0: an edge of a tree knows no sharding.
    let joined = keyed::keyed(links.exchange(|_| 0), forest);
    let changes = changes.as_collection().concat(joined);
    let rows = changes.clone().filter(Change::is_row);
    let counts = changes.filter(|change| !change.is_row()).count_total();
    Views { rows, counts }
}

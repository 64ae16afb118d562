//! How much stands in a chunk, for who watches memory: lengths, and no row is read.

use super::chunk::Sums;
use super::column::CHUNK;
use super::{Chunk, Sorted};

/// Kinds of rows that are told apart.
pub const KINDS: [&str; 12] = [
    "customers",
    "bills",
    "usage",
    "orders",
    "events",
    "adjustments",
    "listings",
    "consents",
    "scores",
    "contacts",
    "feedbacks",
    "segment_members",
];

impl Chunk {
    /// Rows of each kind, in the order of [`KINDS`].
    pub fn held(&self) -> [usize; KINDS.len()] {
        let sums = |sums: &Sums| match sums {
            Sums::Few(rows) => rows.rows().len(),
            Sums::Many(_) => CHUNK,
        };
        fn rows<K: Ord, V>(sorted: &Sorted<K, V>) -> usize {
            sorted.rows().len()
        }
        [
            self.customers.known.count(),
            self.bills.iter().map(|(_, bills)| bills.present.count()).sum(),
            self.usage.values().map(|of| sums(of)).sum(),
            self.orders.values().map(|orders| rows(&orders.rows)).sum(),
            (0..CHUNK).map(|slot| self.events.of(slot).len()).sum(),
            self.adjustments.rows().len(),
            self.listings.values().map(|listing| rows(listing)).sum(),
            self.consents.values().map(|consents| rows(&consents.rows)).sum(),
            self.scores.values().map(|scores| rows(scores)).sum(),
            self.contacts.rows().len(),
            self.feedbacks.rows().len(),
            self.segments.iter().map(|members| members.count()).sum(),
        ]
    }
}

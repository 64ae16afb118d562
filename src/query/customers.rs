//! Customers in the order of their ids, and what is read off their chunks.

use std::collections::BTreeMap;

use dataflows::attributes::{AttributeRow, Moment, rows};
use dataflows::table::Chunk;
use dataflows::table::column::{Bits, Slots};
use dataflows::types::CustomerIx;

use crate::engine::Published;
use crate::store::Names;

/// Customers whose rows are made at a time: enough that whole chunks are made at once where ids
/// came in their own order, few enough that nothing is held for long.
const BATCH: usize = 8192;

/// Everybody with a row in customer_attribute, by id.
pub fn listed(published: &Published, names: &Names) -> Vec<CustomerIx> {
    by_id(published, names, Chunk::listed)
}

/// The customers whom `choose` finds in each chunk, by id.
pub fn by_id(published: &Published, names: &Names, choose: impl Fn(&Chunk) -> Bits) -> Vec<CustomerIx> {
    let text = |customer: CustomerIx| (names.customers.text(customer.0).unwrap_or_default(), customer);
    let mut listed: Vec<(&str, CustomerIx)> = published
        .chunks()
        .flat_map(|(chunk, customer)| choose(chunk).slots().map(|slot| text(customer(slot))).collect::<Vec<_>>())
        .collect();
    listed.sort_unstable();
    listed.into_iter().map(|(_, customer)| customer).collect()
}

/// Visits the attributes of customers, in the order given.
pub fn attributes<E>(
    published: &Published,
    customers: &[CustomerIx],
    mut visit: impl FnMut(CustomerIx, AttributeRow) -> Result<(), E>,
) -> Result<(), E> {
    let programme = &published.programme;
    let moment = Moment::of(published.clock, programme.window, programme.lag);
    for batch in customers.chunks(BATCH) {
        let mut by_chunk: BTreeMap<*const _, (_, Vec<(u16, usize)>)> = BTreeMap::new();
        for (index, customer) in batch.iter().enumerate() {
            if let Some((chunk, slot)) = published.customer(*customer) {
                let entry = by_chunk.entry(std::sync::Arc::as_ptr(chunk)).or_insert_with(|| (chunk, Vec::new()));
                entry.1.push((slot as u16, index));
            }
        }
        let mut made: Vec<Option<AttributeRow>> = vec![None; batch.len()];
        for (chunk, mut wanted) in by_chunk.into_values() {
            wanted.sort_unstable();
            let slots = Slots::Some(wanted.iter().map(|(slot, _)| *slot).collect());
            for ((_, index), row) in wanted.iter().zip(rows(chunk, &slots, moment)) {
                made[*index] = Some(row);
            }
        }
        for (customer, row) in batch.iter().zip(made) {
            if let Some(row) = row {
                visit(*customer, row)?;
            }
        }
    }
    Ok(())
}

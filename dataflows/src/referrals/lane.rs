//! A number for each customer, shared with readers.

use std::sync::Arc;

use crate::table::column::{CHUNK, Column};
use crate::types::CustomerIx;

/// Numbers by customer, 0 until set. A clone is a clone of one pointer; a write copies the chunk it
/// falls in while a reader still holds it: 4 or 8 KB.
#[derive(Clone, Default)]
pub struct Lane(Arc<Vec<Arc<Column<u32>>>>);

impl Lane {
    pub fn get(&self, customer: CustomerIx) -> u32 {
        let customer = customer.0 as usize;
        self.0.get(customer / CHUNK).map_or(0, |column| column.get(customer % CHUNK))
    }

    pub fn set(&mut self, customer: CustomerIx, value: u32) {
        let (chunk, slot) = (customer.0 as usize / CHUNK, customer.0 as usize % CHUNK);
        if chunk >= self.0.len() {
            if value == 0 {
                return;
            }
            Arc::make_mut(&mut self.0).resize_with(chunk + 1, || Arc::new(Column::zeros()));
        }
        if self.0[chunk].get(slot) != value {
            Arc::make_mut(&mut Arc::make_mut(&mut self.0)[chunk]).set(slot, value);
        }
    }

    /// Sets the number of every customer; those beyond `values` are 0 already. Chunks in which
    /// nothing changes stay shared.
    pub fn set_all(&mut self, values: &[u32]) {
        for (number, values) in values.chunks(CHUNK).enumerate() {
            for (slot, value) in values.iter().enumerate() {
                self.set(CustomerIx((number * CHUNK + slot) as u32), *value);
            }
        }
    }

    /// Customers for whom there is room; all others have 0.
    pub fn len(&self) -> usize {
        self.0.len() * CHUNK
    }

    /// Everybody whose number is not 0, with it, by customer.
    pub fn iter(&self) -> impl Iterator<Item = (CustomerIx, u32)> + '_ {
        self.0.iter().enumerate().flat_map(|(number, column)| {
            let numbered = move |slot| (CustomerIx((number * CHUNK + slot) as u32), column.get(slot));
            (0..CHUNK).map(numbered).filter(|(_, value)| *value != 0)
        })
    }
}

//! What happened to customers of a chunk at some second, told apart by ids; and the customers' own ids.

use super::column::CHUNK;
use super::sorted::Sorted;
use crate::types::Time;

/// Slot, time, id: of an adjustment, a contact, a feedback, a hand-off.
pub type MomentKey = (u16, Time, Box<str>);

/// Rows by slot, time and id.
pub type Moments<T> = Sorted<MomentKey, T>;

/// A customer's rows, in their order.
pub fn of_slot<T>(rows: &Moments<T>, slot: usize) -> &[(MomentKey, T)] {
    rows.range(|(held, ..)| usize::from(*held).cmp(&slot))
}

/// Ids of the customers of a chunk, packed. They come in the order of the slots.
#[derive(Clone, Default)]
pub struct IdsOf {
    text: String,
    ends: Vec<u32>,
}

impl IdsOf {
    /// Sets the id of a slot behind those that have one.
    pub(crate) fn put(&mut self, slot: usize, id: &str) {
        debug_assert!(slot < CHUNK && slot >= self.ends.len(), "ids come in the order of their customers");
        self.ends.resize(slot, self.text.len() as u32);
        self.text.push_str(id);
        self.ends.push(self.text.len() as u32);
    }

    /// The id of a slot; empty where nobody is in it.
    pub fn get(&self, slot: usize) -> &str {
        let Some(end) = self.ends.get(slot) else { return "" };
        let start = slot.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.text[start as usize..*end as usize]
    }
}

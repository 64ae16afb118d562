//! Rows that are delivered over HTTP: a partition of its own for each batch, taken whole or not at all.
//!
//! Its period is the day that it was accepted, its part a running number of that day: of rows with the same key in others,
//! the one of the greatest (period, part) stands, as with files. Bills are no batches: a bill belongs to its month's
//! partition, and `as_of` follows from those.

use dataflows::records::Feed;
use dataflows::types::Epoch;

use super::Intake;
use super::requests::{Before, Seal};
use crate::handoff::ready::FORBIDDING;
use crate::ingest::Partition;
use crate::store::StoreError;

/// A batch.
pub struct Batch<'b> {
    pub feed: Feed,
    /// By which it is known when it comes again.
    pub key: Option<&'b str>,
    /// As it came.
    pub body: &'b [u8],
    /// As a file would hold it.
    pub text: &'b [u8],
}

/// What became of one.
pub enum Taken {
    /// It is durable.
    Done { epoch: Epoch, partition: Partition, rows: u64, is_repeated: bool },
    /// Another one came under its key.
    KeyReused,
    /// What is wrong with it: nothing of it was taken.
    Refused(String),
}

impl Intake {
    pub fn deliver(&self, batch: &Batch<'_>) -> Result<Taken, StoreError> {
        let seal = Seal::new(batch.feed, "batch", batch.key, batch.body);
        let mut store = self.store.lock();
        match seal.before(&store) {
            Some(Before::Done { epoch, partition, rows }) => {
                return Ok(Taken::Done { epoch, partition, rows, is_repeated: true });
            }
            Some(Before::KeyReused) => return Ok(Taken::KeyReused),
            None => {}
        }
        let (_, wall) = self.settings();
        let partition = store.next_partition(batch.feed, &wall.day().to_string());
        let entered = match self.enter(&mut store, &partition, batch.text, seal)? {
            Ok(entered) => entered,
            Err(why) => return Ok(Taken::Refused(why)),
        };
        let (epoch, rows) = (entered.epoch, entered.rows);
        self.tell(&mut store, entered, FORBIDDING.contains(&batch.feed))?;
        Ok(Taken::Done { epoch, partition, rows, is_repeated: false })
    }
}

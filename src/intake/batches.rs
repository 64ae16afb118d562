//! Rows that are delivered over HTTP: a partition of its own for each batch, taken whole or not at all.
//!
//! Its period is the day that it was accepted, its part a running number of that day: of rows with the same key in others,
//! the one of the greatest (period, part) stands, as with files. A row that deletes takes its key away in the same order:
//! the key counts as absent until a partition of a greater (period, part) has it, and what lower ones have of it is hidden.
//!
//! Decided here, where the contract is silent:
//! - A key stands once in a batch, as a row or deleted: a batch that names one twice is refused, as any that has a row
//!   that cannot be read.
//! - A key that nobody has may be deleted. It stays so for what comes later under a lower (period, part). One that a greater
//!   (period, part) has stands all the same, and is counted as outranked.
//! - Bills are of a month, and `as_of` follows from the periods of their partitions. So a batch of bills is of one month,
//!   which is its period; its part is a running number behind a `z`. It stands over the files of its month, those that
//!   come later too, but for a part that begins with `z` and is greater. The same month has both: so `as_of` is the
//!   greatest month of a partition with a bill in it, as with files. A bill that is deleted is none, and one that is hidden
//!   by it still is one.
//! - Lists, and consents of one purpose, of which keys that are deleted take more than a fifth wait as files that shrink
//!   do: until the batch comes again with the numbers that a person has seen. Nothing of it is taken before.
//! - Who only deletes has not told of a feed: where nothing else came of one that forbids contacts, it is still missing.
//! - A batch that deletes is no more urgent than others on a disk that is full: what stands goes on to forbid.

use dataflows::records::Feed;
use dataflows::types::{Epoch, Month};

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
    pub text: Vec<u8>,
    /// The month of its rows, where they are bills.
    pub month: Option<Month>,
    /// How many rows a person has seen of the lists or consents that it shrinks, and how many it would leave.
    pub confirmed: Option<(u64, u64)>,
}

/// What became of one.
pub enum Taken {
    /// It is durable, and entered under the name of a file. Of the keys that it deletes `outranked` stand all the same;
    /// none where it had been done before.
    Done { epoch: Epoch, partition: Partition, file: String, rows: u64, outranked: Option<usize> },
    /// Another one came under its key.
    KeyReused,
    /// It waits for a person to confirm how many rows there are of what it shrinks, and how many then would be.
    Held { before: u64, after: u64 },
    /// What is wrong with it: nothing of it was taken.
    Refused(String),
}

impl Intake {
    pub fn deliver(&self, batch: Batch<'_>) -> Result<Taken, StoreError> {
        let seal = Seal::new(batch.feed, "batch", batch.key, batch.body);
        let mut store = self.store.lock();
        match seal.before(&store) {
            Some(Before::Done { epoch, partition, rows }) => {
                let file = seal.file(&partition, &self.names().read());
                return Ok(Taken::Done { epoch, partition, file, rows, outranked: None });
            }
            Some(Before::KeyReused) => return Ok(Taken::KeyReused),
            None => {}
        }
        let (_, wall) = self.settings();
        let period = batch.month.map_or_else(|| wall.day().to_string(), |month| month.to_string());
        let partition = store.next_partition(batch.feed, &period);
        let (file, part) = (seal.file(&partition, &self.names().read()), [(partition, batch.text)]);
        let extracts = match self.read_all(&part) {
            Ok(extracts) => extracts,
            Err(why) => return Ok(Taken::Refused(why)),
        };
        let (deleted, of) = (|| extracts.iter().flat_map(|(extract, _)| &extract.deleted), &part[0].0);
        let outranked = Some(store.outranked(of, deleted()));
        if let Some((before, after)) = store.shrinks(of, deleted())
            && batch.confirmed != Some((before, after))
        {
            return Ok(Taken::Held { before, after });
        }
        let entered = match self.enter_read(&mut store, extracts, seal)? {
            Ok(entered) => entered,
            Err(why) => return Ok(Taken::Refused(why)),
        };
        let (epoch, rows, [(partition, _)]) = (entered.epoch, entered.rows, part);
        self.tell(&mut store, entered, FORBIDDING.contains(&batch.feed))?;
        Ok(Taken::Done { epoch, partition, file, rows, outranked })
    }
}

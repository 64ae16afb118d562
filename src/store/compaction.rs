//! Compaction: the log written anew, without what is dead.

use super::dictionary::Extent;
use super::records::{self, Kind};
use super::{Store, StoreError};

/// A log is compacted when more than half of it is dead, and worth it.
const DEAD_BYTES_MIN: u64 = 64 << 20;

impl Store {
    /// Writes the log anew without what is dead, superseded partitions and programmes before the
    /// last, where more than half of it is.
    pub fn compact_if_worth_it(&mut self) -> Result<(), StoreError> {
        if self.dead_bytes < DEAD_BYTES_MIN || self.dead_bytes * 2 < self.log.end() {
            return Ok(());
        }
        self.compact()
    }

    /// Compacts at once, however little is dead.
    pub fn compact(&mut self) -> Result<(), StoreError> {
        let (all, none) = (self.names(Extent::default(), self.durable), self.names(self.durable, self.durable));
        let mut key = none.clone();
        key.bytes.extend_from_slice(&self.dictionary.read().key_fingerprint());
        let Store { log, epoch, live, ledger, programme, .. } = self;
        let locations = log.rewrite(|log, append| {
            append(Kind::Names as u8, *epoch, &all.bytes)?;
            append(Kind::Key as u8, *epoch, &key.bytes)?;
            let mut locations = Vec::with_capacity(live.len());
            for live in live.iter() {
                locations.push(append(Kind::Partition as u8, *epoch, &log.read(live.location)?)?);
            }
            // Last, so that they have the last word on what the partitions' own entries say.
            let mut entries = none.clone();
            ledger.entries().for_each(|entry| entry.write(&mut entries));
            append(Kind::Entries as u8, *epoch, &entries.bytes)?;
            if let Some(sources) = programme {
                let mut writer = none.clone();
                records::write_sources(sources, &mut writer);
                append(Kind::Programme as u8, *epoch, &writer.bytes)?;
            }
            Ok(locations)
        })?;
        self.live.iter_mut().zip(locations).for_each(|(live, location)| live.location = location);
        self.dead_bytes = 0;
        Ok(())
    }
}

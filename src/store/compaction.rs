//! Compaction: the log written anew, without what is dead.

use std::collections::BTreeMap;

use super::codec::{Reader, Writer};
use super::dictionary::{Extent, Gone};
use super::erasure::{Anew, read_kept};
use super::ledger::{Entry, Key};
use super::partitions::Live;
use super::records::{self, Kind};
use super::room::{Purpose, is_full};
use super::{LogError, Store, StoreError, erased, undo};

/// A log is compacted when more than half of it is dead, and worth it.
const DEAD_BYTES_MIN: u64 = 64 << 20;

impl Store {
    /// Writes the log anew without what is dead, where more than half of it is: versions that neither stand nor stood last
    /// before what does, and programmes before the last.
    pub fn compact_if_worth_it(&mut self) -> Result<(), StoreError> {
        if self.dead_bytes < DEAD_BYTES_MIN || self.dead_bytes * 2 < self.log.end() {
            return Ok(());
        }
        // The old log stands until the new one does, which is hardly longer than half of it: what is live, and all
        // names once more.
        if let Err(full) = self.room.check(self.log.end(), Purpose::Any) {
            self.put_off(&full);
            return Ok(());
        }
        match self.compact() {
            // Something else has filled the disk meanwhile. The log as it was stands, and takes more.
            Err(StoreError::Log(LogError::Io { source, .. })) if is_full(&source) && self.log.goes_on().is_ok() => {
                self.put_off(&source);
                Ok(())
            }
            compacted => compacted,
        }
    }

    /// Goes on with the log as it is, and tells so once.
    fn put_off(&mut self, why: &dyn std::fmt::Display) {
        if !std::mem::replace(&mut self.is_compaction_due, true) {
            tracing::warn!(
                dead_bytes = self.dead_bytes,
                "the log is not written anew, though half of it is dead: {why}"
            );
        }
    }

    /// Compacts at once, however little is dead.
    pub fn compact(&mut self) -> Result<(), StoreError> {
        self.write_anew(None)
    }

    /// Writes the log anew without what is dead, and without whom it names that `without` takes out of it. Names stand
    /// at its beginning and nowhere else.
    pub(super) fn write_anew(&mut self, mut without: Option<Anew<'_>>) -> Result<(), StoreError> {
        let none = self.names(self.durable, self.durable);
        let (all, facts) = {
            let (dictionary, nobody) = (self.dictionary.read(), Gone::default());
            let gone = without.as_ref().map_or(&nobody, |without| &without.gone);
            let mut all = Writer::default();
            all.part(|writer| dictionary.write_without(Extent::default(), self.durable, gone, writer));
            let more = without.as_ref().map_or(&[][..], |without| without.facts);
            (all, dictionary.erased().facts().into_iter().chain(more.iter().copied()).collect::<Vec<_>>())
        };
        let mut key = none.clone();
        key.bytes.extend_from_slice(&self.dictionary.read().key_fingerprint());
        let (durable, is_erasing) = (self.durable, without.is_some());
        let is_finished = !self.is_erasure_unfinished && !is_erasing;
        let Store { log, epoch, live, ledger, programme, .. } = self;
        // The ledger's entries that are others then.
        let mut changed: BTreeMap<Key, Entry> = BTreeMap::new();
        if let Some(without) = &without {
            let renamed = ledger.entries().filter_map(|entry| Some((entry.key(), (without.rename)(entry)?)));
            changed.extend(renamed);
        }
        let written = log.rewrite(|log, append| {
            append(Kind::Names as u8, *epoch, &all.bytes)?;
            append(Kind::Key as u8, *epoch, &key.bytes)?;
            let mut written = Vec::with_capacity(live.len());
            for (number, live) in (0..).zip(live.iter()) {
                for version in live.kept() {
                    let (mut rows, mut deleted) = (version.rows, version.deleted);
                    let mut payload = none.bytes.clone();
                    let kept = match &mut without {
                        Some(without) => {
                            let mut kept = read_kept(log, durable, version).map_err(corrupt)?;
                            let is_other = (without.take)(number, &mut kept, live.standing.as_ref() == Some(version));
                            is_other.then_some(kept)
                        }
                        None => None,
                    };
                    if let Some(kept) = kept {
                        let key = kept.entry.key();
                        if let Some(entry) = changed.get(&key).or(ledger.get(&key.0, key.1, key.2)) {
                            let (rows, erased) = (kept.entry.rows, kept.entry.erased);
                            changed.insert(key, Entry { rows, erased, ..entry.clone() });
                        }
                        (rows, deleted) = (kept.content.rows.len() as u64, kept.content.deleted.len() as u64);
                        payload = kept.write(none.clone());
                    } else {
                        let held = log.read(version.location)?;
                        let mut reader = Reader::new(&held);
                        let names = reader.part();
                        names
                            .map_err(|damage| LogError::Corrupt { offset: version.location.offset, what: damage.0 })?;
                        payload.extend_from_slice(reader.rest());
                    }
                    written.push((append(Kind::Partition as u8, *epoch, &payload)?, rows, deleted));
                }
                let undone = live.undone.as_ref();
                let undone = undone.and_then(|undone| ledger.get(&live.partition, undone.version, undone.sha256));
                if let Some(entry) = undone {
                    let mut writer = none.clone();
                    let stands = live.standing.as_ref().map(|version| (version.version, version.sha256));
                    undo::write(changed.get(&entry.key()).unwrap_or(entry), stands, &mut writer);
                    append(Kind::Undo as u8, *epoch, &writer.bytes)?;
                }
            }
            // Behind them, so that they have the last word on what the partitions' own entries say.
            let mut entries = none.clone();
            ledger.entries().for_each(|entry| changed.get(&entry.key()).unwrap_or(entry).write(&mut entries));
            append(Kind::Entries as u8, *epoch, &entries.bytes)?;
            if let Some(sources) = programme {
                let mut writer = none.clone();
                records::write_sources(sources, &mut writer);
                append(Kind::Programme as u8, *epoch, &writer.bytes)?;
            }
            if !facts.is_empty() {
                let mut writer = none.clone();
                erased::write(&facts, is_finished, &mut writer);
                append(Kind::Erased as u8, *epoch + u64::from(is_erasing), &writer.bytes)?;
            }
            Ok(written)
        })?;
        let kept = self.live.iter_mut().flat_map(Live::kept_mut);
        for (version, (location, rows, deleted)) in kept.zip(written) {
            (version.location, version.rows, version.deleted) = (location, rows, deleted);
        }
        changed.into_values().for_each(|entry| self.ledger.enter(entry));
        (self.dead_bytes, self.is_compaction_due) = (0, false);
        Ok(())
    }
}

fn corrupt(error: StoreError) -> LogError {
    match error {
        StoreError::Log(error) => error,
        StoreError::Record { offset, damage } => LogError::Corrupt { offset, what: damage.0 },
        _ => LogError::Stopped,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use dataflows::records::{Action, Feed, OrderRow, Rows};
    use dataflows::types::{CustomerIx, Time, Word};

    use super::*;
    use crate::ingest::{Extract, Intern, Partition, Took};
    use crate::store::Outcome;
    use crate::store::memory::{Fault, Memory};

    /// A version of a partition whose rows take so many megabytes.
    fn version(version: u32, megabytes: usize) -> Extract {
        let order = |number: usize| OrderRow {
            order_id: format!("{number}{}", "x".repeat(1 << 20)).into(),
            customer: CustomerIx(0),
            product: Word::NULL,
            action: Action::Subscribe,
            channel: Word::NULL,
            at: Time(0),
            bundled: None,
        };
        Extract {
            partition: Partition { feed: Feed::Order, period: "2009-07".to_owned(), part: String::new() },
            version,
            rows: Rows::Order((0..megabytes).map(order).collect()),
            deleted: Vec::new(),
            lines: Default::default(),
            rejects: Vec::new(),
            reasons: Default::default(),
            erased: 0,
            sha256: [version as u8; 32],
            file: format!("order_2009-07.v{version}.csv"),
            took: Took::default(),
            warnings: Vec::new(),
        }
    }

    fn accept(store: &mut Store, extract: &Extract) {
        let names = {
            let names = store.dictionary();
            let mut names = names.write();
            names.customer("c1");
            names.extent()
        };
        let outcome = store.accept(extract, names, Time(0), false).expect("nothing fails");
        assert!(matches!(outcome, Outcome::Accepted { .. }), "{outcome:?}");
    }

    /// A log of 70 dead megabytes, one that lives and one that stood before it.
    fn half_dead(memory: &Memory) -> Store {
        let mut store = Store::open(Arc::new(memory.clone()), [7; 32]).expect("the store opens");
        accept(&mut store, &version(1, 70));
        accept(&mut store, &version(2, 1));
        accept(&mut store, &version(3, 1));
        store
    }

    #[test]
    fn a_full_disk_puts_a_compaction_off() {
        let memory = Memory::single();
        let mut store = half_dead(&memory);
        let (bytes, dead) = store.log_bytes();
        memory.set_available(bytes);
        store.compact_if_worth_it().expect("it goes on");
        assert_eq!(store.log_bytes(), (bytes, dead));
        // Room that something else takes meanwhile.
        memory.set_available(u64::MAX);
        memory.fail_at(memory.calls() + 4, Fault::Full);
        store.compact_if_worth_it().expect("it goes on");
        assert_eq!((store.log_bytes(), memory.bytes("log.next")), ((bytes, dead), None));
        accept(&mut store, &version(4, 2));
        store.compact_if_worth_it().expect("there is room");
        let (bytes, dead) = store.log_bytes();
        assert!(bytes < 4 << 20 && dead == 0, "{bytes} bytes, {dead} dead");
    }
}

//! Opening a store: what the log holds, and what of it the dataflow is told.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use dataflows::facts::Facts;
use dataflows::types::{Clock, Epoch};
use parking_lot::RwLock;

use super::codec::{Damaged, Reader, Writer};
use super::content::Content;
use super::inputs::Inputs;
use super::owners::PartitionNo;
use super::partitions::{Live, Version};
use super::records::{self, Head, Kind};
use super::room::{RESERVE_BYTES, Room};
use super::vfs::Vfs;
use super::{Dictionary, Entry, Extent, Ledger, Log, Store, StoreError, erased, undo};
use crate::ingest::Partition;

/// No log gets this far; what is read is not trusted to stay below it.
const EPOCH_MAX: Epoch = 1 << 62;

impl Store {
    /// Opens the store of a directory. What stands is then told by [`Store::hydrate`].
    pub fn open(vfs: Arc<dyn Vfs>, token_key: [u8; 32]) -> Result<Store, StoreError> {
        let mut dictionary = Dictionary::new(token_key);
        let (mut live, mut numbers): (Vec<Live>, HashMap<Partition, PartitionNo>) = Default::default();
        let (mut ledger, mut programme, mut epoch, mut dead_bytes) = (Ledger::default(), None, 0, 0);
        let mut is_erasure_unfinished = false;
        let (fingerprint, mut has_fingerprint) = (dictionary.key_fingerprint(), false);
        let room = Room::new(vfs.clone(), RESERVE_BYTES);
        let mut log = Log::open(vfs, |frame| {
            let damaged = |damage| StoreError::Record { offset: frame.location.offset, damage };
            if !(epoch..=EPOCH_MAX).contains(&frame.epoch) {
                return Err(damaged(Damaged("its epoch is out of order")));
            }
            let mut reader = Reader::new(frame.payload);
            dictionary.read(&mut reader.part().map_err(damaged)?).map_err(damaged)?;
            match Kind::read(frame.kind).map_err(damaged)? {
                Kind::Partition => {
                    let head = Head::read(&mut reader).map_err(damaged)?;
                    let deleted = head.deleted().map_err(damaged)?;
                    let entry = head.entry;
                    ledger.supersede(&entry.partition);
                    let version = Version {
                        version: entry.version,
                        sha256: entry.sha256,
                        location: frame.location,
                        rows: entry
                            .rows
                            .map_or(0, |(rows, bad_rows)| rows.saturating_sub(bad_rows.saturating_add(deleted))),
                        deleted,
                    };
                    let number = *numbers.entry(entry.partition.clone()).or_insert_with(|| {
                        live.push(Live::new(entry.partition.clone()));
                        live.len() as PartitionNo - 1
                    });
                    dead_bytes += live[number as usize].stand(version);
                    ledger.enter(entry);
                }
                Kind::Undo => {
                    let (entry, stands) = undo::read(&mut reader).map_err(damaged)?;
                    let live = numbers.get(&entry.partition).map(|number| &mut live[*number as usize]);
                    let was = Some((entry.version, entry.sha256));
                    let live = live.filter(|live| undo::is_one(live.standing.as_ref(), was));
                    let live = live.ok_or(damaged(Damaged("what was undone did not stand")))?;
                    dead_bytes = u64::saturating_add_signed(dead_bytes, live.undo());
                    if !undo::is_one(live.standing.as_ref(), stands) {
                        return Err(damaged(Damaged("what stood before is not there")));
                    }
                    if let Some((version, sha256)) = stands {
                        ledger.stands_again(&entry.partition, version, sha256);
                    }
                    ledger.enter(entry);
                }
                Kind::Entries => {
                    while !reader.is_at_end() {
                        ledger.enter(Entry::read(&mut reader).map_err(damaged)?);
                    }
                }
                Kind::Programme => programme = Some(records::read_sources(&mut reader).map_err(damaged)?),
                Kind::Names => {}
                Kind::Erased => {
                    let (facts, is_finished) = erased::read(&mut reader).map_err(damaged)?;
                    dictionary.add_erased(facts);
                    is_erasure_unfinished = !is_finished;
                }
                Kind::Key => {
                    has_fingerprint = true;
                    if reader.bytes() != Ok(fingerprint) {
                        return Err(StoreError::Key);
                    }
                }
            }
            epoch = frame.epoch;
            Ok::<(), StoreError>(())
        })?;
        let durable = dictionary.extent();
        if !has_fingerprint {
            let mut writer = Writer::default();
            writer.part(|writer| dictionary.write(durable, durable, writer));
            writer.bytes.extend_from_slice(&fingerprint);
            log.append(Kind::Key as u8, epoch, &writer.bytes)?;
        }
        let mut store = Store {
            log,
            room,
            is_compaction_due: false,
            dictionary: Arc::new(RwLock::new(dictionary)),
            durable,
            told: Extent::default(),
            epoch,
            live,
            numbers,
            inputs: Inputs::default(),
            ledger,
            last_parts: HashMap::new(),
            billed: BTreeMap::new(),
            programme,
            clock: Clock::default(),
            dead_bytes,
            leaving: HashMap::new(),
            is_erasure_unfinished,
        };
        store.compact_if_worth_it()?;
        Ok(store)
    }

    /// Tells everything that stands, in parts, after opening.
    pub fn hydrate(&mut self, mut tell: impl FnMut(Facts)) -> Result<(), StoreError> {
        self.told = Extent::default();
        tell(self.new_names());
        for number in 0..self.live.len() {
            let content = self.read_content(number as PartitionNo)?;
            let (nothing, mut facts) = (Content::empty(content.rows.feed()), Facts::default());
            self.replace(number as PartitionNo, (nothing.held(), content.held()), &mut facts)?;
            tell(facts);
        }
        self.clock = self.clock_now();
        tell(Facts { clock: Some(self.clock), ..Facts::default() });
        Ok(())
    }
}

//! The store: accepted extracts, durable, and the inputs as they stand.
//!
//! ```text
//! extract ─► versions, equal content ─► log (durable) ─► inputs ─► facts, with an epoch
//! ```
//!
//! The log of accepted records is the ground truth; the rest is derived from it. A record is one
//! frame: the names that it is the first to use, then what it says. It is acknowledged when the
//! log's sync has returned, and only then do its facts leave here.

mod beside;
pub mod changes;
pub mod codec;
mod compaction;
pub mod content;
mod dictionary;
pub mod directory;
pub mod erased;
pub mod erasure;
mod inputs;
mod ledger;
mod log;
pub mod memory;
mod moments;
mod opening;
pub mod origins;
mod owners;
mod partitions;
pub mod receipts;
mod records;
pub mod reports;
mod requests;
pub mod room;
mod rows;
mod running;
mod standing;
mod states;
#[cfg(test)]
mod tests;
pub mod undo;
pub mod vfs;

use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Instant;

use dataflows::facts::Facts;
use dataflows::records::Feed;
use dataflows::types::{Clock, CustomerIx, Epoch, Month, SECONDS_PER_DAY, Time};
use parking_lot::RwLock;

use crate::ingest::{Extract, Partition, Reject};
use changes::{Beside, Changes};
use codec::{Damaged, Reader, Writer};
use content::{Content, Held};
pub use dictionary::{Dictionary, ERASED, Extent, Interner, Names, Texts};
use inputs::{Inputs, Partitions};
pub use ledger::{Entry, Ledger, Newest, REQUEST, Status};
pub use log::{Log, LogError};
use owners::PartitionNo;
use partitions::{Live, Version};
use receipts::Receipts;
use records::{Head, Kind};
use reports::{Reports, ReportsFile};
pub use requests::ByRequest;
use room::{Full, Purpose, Room};

/// Why the store cannot do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error(transparent)]
    Log(#[from] LogError),
    #[error(
        "record at byte {offset} of the log cannot be read: {damage}\nhint: restore the data directory from a copy"
    )]
    Record { offset: u64, damage: Damaged },
    #[error(
        "the outbox could not be written: {0}\nhint: nothing more is handed off until the service is started again; what is reserved is shown then"
    )]
    Outbox(#[source] std::io::Error),
    /// Nothing was written, and the store goes on.
    #[error(transparent)]
    Full(#[from] Full),
    #[error(
        "the key beside the data directory is not the one its phone numbers were made into tokens with\nhint: bring back the key file that belongs to it, <directory>.key; under another key the same number would be another customer's"
    )]
    Key,
}

/// A text of a programme, as it was published: file name and content.
pub type Source = (String, String);

/// What became of an extract.
#[derive(Debug)]
pub enum Outcome {
    /// Durable since `durable_at`; the facts are what it changes.
    Accepted { epoch: Epoch, facts: Box<Facts>, durable_at: Instant },
    /// A higher version of its partition is live; entered in the ledger.
    Superseded,
    /// The same version with the same rows is live: nothing changed.
    Duplicate,
    /// The same version with other rows is live, or was undone: entered in the ledger, nothing else changed.
    Conflict,
    /// It was undone, and stays so: nothing changed.
    Undone,
    /// It shrinks a list, or what is known of consents, by more than a fifth, and waits for a person.
    Held { before: u64, now: u64 },
}

/// The open store.
pub struct Store {
    log: Log,
    room: Room,
    /// Since a compaction was put off for want of room.
    is_compaction_due: bool,
    dictionary: Arc<RwLock<Dictionary>>,
    /// Names that are durable, and those of them that the dataflow was told.
    durable: Extent,
    told: Extent,
    epoch: Epoch,
    live: Vec<Live>,
    numbers: HashMap<Partition, PartitionNo>,
    inputs: Inputs,
    ledger: Ledger,
    /// The period that was asked for last of a feed, and a number up to which its parts are taken: nobody looks
    /// at all of them for each.
    last_parts: HashMap<Feed, (String, u64)>,
    /// Live bill partitions with a row, by period.
    billed: BTreeMap<Month, usize>,
    programme: Option<Vec<Source>>,
    clock: Clock,
    dead_bytes: u64,
    /// What the log no longer has, by partition, while what stood of them is taken back.
    leaving: HashMap<PartitionNo, Content>,
    /// Whether something beside the log may name who was erased.
    is_erasure_unfinished: bool,
}

impl Store {
    /// The names, shared with ingest and readers.
    pub fn dictionary(&self) -> Arc<RwLock<Dictionary>> {
        self.dictionary.clone()
    }

    /// The programme last published, where there is one.
    pub fn programme(&self) -> Option<&[Source]> {
        self.programme.as_deref()
    }

    pub fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    pub fn epoch(&self) -> Epoch {
        self.epoch
    }

    /// The room on the disk.
    pub fn room(&self) -> &Room {
        &self.room
    }

    /// Keeps so many bytes of the disk for what forbids contacts.
    pub fn keep_free(&mut self, bytes: u64) {
        self.room = Room::new(self.log.vfs(), bytes);
    }

    /// The data clock.
    pub fn clock(&self) -> Clock {
        self.clock
    }

    /// Rows that are live.
    pub fn live_rows(&self) -> u64 {
        self.live.iter().filter_map(|live| live.standing.as_ref()).map(|version| version.rows).sum()
    }

    /// Bytes of the log, and those of them that are dead.
    pub fn log_bytes(&self) -> (u64, u64) {
        (self.log.end(), self.dead_bytes)
    }

    /// The file of entries of points that changed, which lies beside the log.
    pub fn changes(&self) -> std::io::Result<Changes> {
        let dictionary = self.dictionary.read();
        let (fingerprint, customers) = (dictionary.key_fingerprint(), self.durable.customers);
        let mut changes = Changes::open(self.log.vfs(), &Beside { fingerprint, epoch: self.epoch, customers })?;
        let told = changes.latest().iter().flat_map(|changed| &changed.entries).map(|entry| entry.customer);
        let is_erased = |customer: &CustomerIx| dictionary.customers.text(customer.0) == Some(dictionary::ERASED);
        let erased: Vec<CustomerIx> = told.filter(is_erased).collect();
        drop(dictionary);
        changes.forget(erased)?;
        Ok(changes)
    }

    /// The file of effects as they were when days closed, which lies beside the log, and what is in it.
    pub fn reports(&self) -> std::io::Result<(ReportsFile, Reports)> {
        let fingerprint = self.dictionary.read().key_fingerprint();
        let beside = reports::Beside { fingerprint, epoch: self.epoch, words: self.durable.words };
        ReportsFile::open(self.log.vfs(), &beside)
    }

    /// The file of receipts, which lies beside the log.
    pub fn receipts(&self) -> std::io::Result<Receipts> {
        let fingerprint = self.dictionary.read().key_fingerprint();
        let beside = receipts::Beside { fingerprint, epoch: self.epoch, words: self.durable.words };
        Receipts::open(self.log.vfs(), &beside)
    }

    /// Takes an extract. `names` is how far its names reach, `at` the wall time, local.
    pub fn accept(
        &mut self,
        extract: &Extract,
        names: Extent,
        at: Time,
        replaces_same_version: bool,
    ) -> Result<Outcome, StoreError> {
        self.accept_for(Purpose::of(Held::of(extract)), extract, names, at, replaces_same_version)
    }

    /// The same, with room as for a purpose: that of the whole that it is a part of.
    pub fn accept_for(
        &mut self,
        purpose: Purpose,
        extract: &Extract,
        names: Extent,
        at: Time,
        replaces_same_version: bool,
    ) -> Result<Outcome, StoreError> {
        // Past a failed write what stands in memory may be ahead of the log: nothing is read off it.
        self.log.goes_on()?;
        let known = self.numbers.get(&extract.partition).copied();
        let (mut old, new) = (Rc::new(Content::empty(extract.partition.feed)), Held::of(extract));
        if let Some(number) = known {
            let live = &self.live[number as usize];
            let (version, standing) = (live.version(), live.standing.as_ref().map(|standing| standing.version));
            let undone = live.undone.clone().filter(|undone| undone.version == extract.version);
            // An overtaken version is never read, but for one that stands again since a later one was undone.
            if extract.version < version && standing != Some(extract.version) {
                self.enter(extract, Status::Superseded, at, String::new())?;
                return Ok(Outcome::Superseded);
            }
            old = self.read_content(number)?;
            if standing == Some(extract.version) && old.held().is_same(new) {
                return Ok(Outcome::Duplicate);
            }
            if extract.version < version {
                self.enter(extract, Status::Superseded, at, String::new())?;
                return Ok(Outcome::Superseded);
            }
            if let Some(undone) = undone
                && (undone.sha256 == extract.sha256 || self.read_version(&undone)?.held().is_same(new))
            {
                return Ok(Outcome::Undone);
            }
            if extract.version == version && !replaces_same_version {
                let reason = "the same version with other content; raise the version".to_owned();
                self.enter(extract, Status::Rejected, at, reason)?;
                return Ok(Outcome::Conflict);
            }
            let (before, now) = (old.rows.len() as u64, extract.rows.len() as u64);
            let waits = matches!(extract.partition.feed, Feed::Listing | Feed::Consent);
            if waits && now * 5 < before * 4 && !self.is_confirmed(extract) {
                let reason = format!(
                    "{now} rows instead of {before}: a list, or a file of consents, that shrinks by more than a fifth waits for a person"
                );
                self.enter(extract, Status::Held, at, reason)?;
                return Ok(Outcome::Held { before, now });
            }
        }
        let entry = self.entry(extract, Status::Accepted, at, String::new());
        let payload = records::partition(self.names(self.durable, names), &entry, extract);
        self.room.check(payload.len() as u64, purpose)?;
        // What the rows change is found before they are durable, so that nothing but the dataflow
        // stands between durable and visible. Should the append fail, the process ends with it.
        let number = known.unwrap_or(self.live.len() as PartitionNo);
        if known.is_none() {
            self.numbers.insert(extract.partition.clone(), number);
            self.live.push(Live::new(extract.partition.clone()));
        }
        let mut facts = Facts::default();
        let replaced = self.replace(number, (old.held(), new), &mut facts);
        if replaced.is_err() {
            // What stands in memory is neither the one nor the other: only a restart tells.
            self.log.stop();
        }
        replaced?;
        let clock = self.clock_now();
        if clock != self.clock {
            self.clock = clock;
            facts.clock = Some(clock);
        }
        let location = self.log.append(Kind::Partition as u8, self.epoch + 1, &payload)?;
        let durable_at = Instant::now();
        self.epoch += 1;
        let (rows, deleted) = (extract.rows.len() as u64, extract.deleted.len() as u64);
        let version = Version { version: extract.version, sha256: extract.sha256, location, rows, deleted };
        self.dead_bytes += self.live[number as usize].stand(version);
        self.durable = max_extent(self.durable, names);
        let names = self.new_names();
        (facts.words, facts.ids) = (names.words, names.ids);
        self.ledger.supersede(&extract.partition);
        self.ledger.enter(entry);
        Ok(Outcome::Accepted { epoch: self.epoch, facts: Box::new(facts), durable_at })
    }

    /// The greatest version of a partition that ever stood.
    pub fn version(&self, partition: &Partition) -> Option<u32> {
        self.numbers.get(partition).map(|number| self.live[*number as usize].version())
    }

    /// The greatest version of a partition that ever stood, and what it holds now.
    pub fn partition(&self, partition: &Partition) -> Result<Option<(u32, Rc<Content>)>, StoreError> {
        let Some(number) = self.numbers.get(partition).copied() else { return Ok(None) };
        Ok(Some((self.live[number as usize].version(), self.read_content(number)?)))
    }

    /// Lets in a file that is held: durable, and taken when the same content is read again. False
    /// where no file of that name is held.
    pub fn confirm(&mut self, file: &str) -> Result<bool, StoreError> {
        let Some(entry) = self.ledger.held().get(file).copied().cloned() else { return Ok(false) };
        let reason = "a person let it in".to_owned();
        // Only lists and consents are held.
        let entry = Entry { status: Status::Confirmed, epoch: self.epoch + 1, reason, ..entry };
        self.append_entry(entry, Purpose::Forbids)?;
        Ok(true)
    }

    fn is_confirmed(&self, extract: &Extract) -> bool {
        let entry = self.ledger.get(&extract.partition, extract.version, extract.sha256);
        entry.is_some_and(|entry| entry.status == Status::Confirmed)
    }

    /// Enters a file that was refused before it came here. Nothing else changes.
    pub fn refuse(&mut self, entry: Entry) -> Result<(), StoreError> {
        if self.ledger.get(&entry.partition, entry.version, entry.sha256).is_some() {
            return Ok(());
        }
        let entry = Entry { epoch: self.epoch + 1, ..entry };
        self.append_entry(entry, Purpose::Any)
    }

    /// Publishes a programme: its texts become durable, `names` become words. The facts carry the
    /// words; the programme itself is its reader's to add.
    pub fn publish<'a>(
        &mut self,
        sources: Vec<Source>,
        names: impl Iterator<Item = &'a str>,
    ) -> Result<(Epoch, Facts), StoreError> {
        let (payload, until) = {
            let mut dictionary = self.dictionary.write();
            for name in names {
                dictionary.words.intern(name);
            }
            let until = Extent { words: dictionary.words.len(), ..self.durable };
            let mut writer = Writer::default();
            writer.part(|writer| dictionary.write(self.durable, until, writer));
            records::write_sources(&sources, &mut writer);
            (writer.bytes, until)
        };
        self.room.check(payload.len() as u64, Purpose::Any)?;
        self.log.append(Kind::Programme as u8, self.epoch + 1, &payload)?;
        self.durable = until;
        self.epoch += 1;
        self.programme = Some(sources);
        Ok((self.epoch, self.new_names()))
    }

    /// Words, and ids of customers, that the dataflow has not been told: those of the programme in force, which
    /// a restart reads again, are known since it was published.
    fn new_names(&mut self) -> Facts {
        let (told, durable) = (self.told, self.durable);
        let dictionary = self.dictionary.read();
        let words = dictionary.words_from(told.words, durable.words);
        let ids = dictionary.ids_from(told.customers, durable.customers);
        drop(dictionary);
        self.told = durable;
        Facts { words, ids, ..Facts::default() }
    }

    /// The rejected rows of live partitions, with the file each came in.
    pub fn quarantine(&self, mut visit: impl FnMut(&str, &Reject)) -> Result<(), StoreError> {
        for live in self.live.iter().filter_map(|live| live.standing.as_ref()) {
            let payload = self.log.read(live.location)?;
            let damaged = |damage| StoreError::Record { offset: live.location.offset, damage };
            let mut reader = Reader::new(&payload);
            reader.part().map_err(damaged)?;
            let head = Head::read(&mut reader).map_err(damaged)?;
            head.rejects().map_err(damaged)?.iter().for_each(|reject| visit(&head.entry.file, reject));
        }
        Ok(())
    }

    /// What every live partition holds, for a recompute that shares nothing with the inputs.
    pub fn live_partitions(
        &self,
        mut visit: impl FnMut(&Partition, Rc<Content>) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        for (number, live) in self.live.iter().enumerate() {
            visit(&live.partition, self.read_content(number as PartitionNo)?)?;
        }
        Ok(())
    }

    fn entry(&self, extract: &Extract, status: Status, at: Time, reason: String) -> Entry {
        Entry {
            partition: extract.partition.clone(),
            version: extract.version,
            sha256: extract.sha256,
            status,
            file: extract.file.clone(),
            rows: Some((extract.data_rows(), extract.rejects.len() as u64)),
            erased: extract.erased,
            accepted_at: at.0,
            epoch: self.epoch + 1,
            reason,
        }
    }

    fn enter(&mut self, extract: &Extract, status: Status, at: Time, reason: String) -> Result<(), StoreError> {
        match self.ledger.get(&extract.partition, extract.version, extract.sha256) {
            Some(_) => Ok(()),
            None => self.append_entry(self.entry(extract, status, at, reason), Purpose::of(Held::of(extract))),
        }
    }

    /// A payload's beginning: the names between two extents. The dictionary is let go of at once:
    /// whoever reads a card waits for its lock, and rows take long to pack.
    fn names(&self, from: Extent, until: Extent) -> Writer {
        let mut writer = Writer::default();
        let dictionary = self.dictionary.read();
        writer.part(|writer| dictionary.write(from, until, writer));
        writer
    }

    fn append_entry(&mut self, entry: Entry, purpose: Purpose) -> Result<(), StoreError> {
        let mut writer = self.names(self.durable, self.durable);
        entry.write(&mut writer);
        self.room.check(writer.bytes.len() as u64, purpose)?;
        self.log.append(Kind::Entries as u8, self.epoch + 1, &writer.bytes)?;
        self.epoch += 1;
        self.ledger.enter(entry);
        Ok(())
    }

    fn replace(
        &mut self,
        number: PartitionNo,
        (old, new): (Held<'_>, Held<'_>),
        facts: &mut Facts,
    ) -> Result<(), StoreError> {
        let mut inputs = std::mem::take(&mut self.inputs);
        let replaced = inputs.replace(number, (old, new), self, facts);
        self.inputs = inputs;
        if new.rows.feed() == Feed::Bill
            && let Some(month) = Month::parse(&self.live[number as usize].partition.period)
        {
            self.count_billed(month, !old.rows.is_empty(), !new.rows.is_empty());
        }
        replaced
    }

    /// Counts a partition of bills that has rows, or has none any more. A bill that is deleted is none.
    fn count_billed(&mut self, month: Month, had_rows: bool, has_rows: bool) {
        let count = self.billed.entry(month).or_insert(0);
        *count = *count + usize::from(has_rows) - usize::from(had_rows);
        if *count == 0 {
            self.billed.remove(&month);
        }
    }

    fn clock_now(&mut self) -> Clock {
        let as_of = self.billed.last_key_value().map(|(month, _)| *month);
        let end = as_of.map(|month| Time(month.last_day().start().0 + SECONDS_PER_DAY - 1));
        Clock { as_of, now: end.max(self.inputs.latest_at()) }
    }

    /// What a partition holds that stands.
    fn read_content(&self, number: PartitionNo) -> Result<Rc<Content>, StoreError> {
        let live = &self.live[number as usize];
        match &live.standing {
            Some(version) => self.read_version(version),
            None => Ok(Rc::new(Content::empty(live.partition.feed))),
        }
    }

    fn read_version(&self, version: &Version) -> Result<Rc<Content>, StoreError> {
        let payload = self.log.read(version.location)?;
        let damaged = |damage| StoreError::Record { offset: version.location.offset, damage };
        let mut reader = Reader::new(&payload);
        reader.part().map_err(damaged)?;
        let head = Head::read(&mut reader).map_err(damaged)?;
        Ok(Rc::new(head.content(self.durable).map_err(damaged)?))
    }
}

impl Partitions for Store {
    fn outranks(&self, one: PartitionNo, other: PartitionNo) -> bool {
        self.live[one as usize].partition > self.live[other as usize].partition
    }

    fn content(&self, partition: PartitionNo) -> Result<Rc<Content>, StoreError> {
        let content = self.read_content(partition)?;
        let Some(leaving) = self.leaving.get(&partition) else { return Ok(content) };
        let mut content = (*content).clone();
        erasure::append(&mut content, leaving);
        Ok(Rc::new(content))
    }
}

fn max_extent(one: Extent, other: Extent) -> Extent {
    Extent { customers: one.customers.max(other.customers), words: one.words.max(other.words) }
}

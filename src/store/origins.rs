//! Where a row came from: the file, its version, and the line.
//!
//! ```text
//! key ─► who holds it (memory) ─► that partition's frame (log) ─► the row's place ─► its line
//! ```
//!
//! Nothing of it is kept in memory: a frame knows the lines of its rows as runs, a few bytes a file, and whoever asks
//! pays for reading the frames that hold what he asks for, each once: about as long as it takes to decode them at a
//! start. Frames are read outside of the store's lock, off the log as it stood.

use std::collections::{BTreeMap, HashMap};
use std::hash::Hash;
use std::sync::Arc;

use dataflows::records::{ConsentRow, RowKey, Rows};

use super::codec::Reader;
use super::inputs::Inputs;
use super::log::{Location, Snapshot};
use super::owners::PartitionNo;
use super::records::Head;
use super::{Extent, Store, StoreError};
use crate::ingest::Partition;

/// Where a row came from.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Origin {
    pub partition: Partition,
    pub version: u32,
    /// As the ledger has it.
    pub file: Arc<str>,
    /// The physical line on which it begins, the header being line 1; its number in Parquet. None where the file was
    /// taken before lines were kept, and for rows that were made here.
    pub line: Option<u64>,
}

/// Rows that are looked for, and the log as it stood when they were asked for.
pub struct Origins {
    log: Snapshot,
    names: Extent,
    frames: BTreeMap<PartitionNo, (Location, Vec<RowKey>)>,
}

impl Store {
    /// Notes which frames hold the standing rows of keys: looks into memory, one for each key.
    pub fn origins(&self, keys: impl IntoIterator<Item = RowKey>) -> Origins {
        let mut frames: BTreeMap<PartitionNo, (Location, Vec<RowKey>)> = BTreeMap::new();
        for key in keys {
            if let Some(number) = self.inputs.holder(&key) {
                let Some(standing) = &self.live[number as usize].standing else { continue };
                frames.entry(number).or_insert((standing.location, Vec::new())).1.push(key);
            }
        }
        Origins { log: self.log.snapshot(), names: self.durable, frames }
    }
}

impl Origins {
    /// Reads the frames, and finds the rows in them.
    pub fn find(&self) -> Result<HashMap<RowKey, Origin>, StoreError> {
        let mut found = HashMap::new();
        for (location, keys) in self.frames.values() {
            let payload = self.log.read(*location)?;
            let damaged = |damage| StoreError::Record { offset: location.offset, damage };
            let mut reader = Reader::new(&payload);
            reader.part().map_err(damaged)?;
            let head = Head::read(&mut reader).map_err(damaged)?;
            let (content, lines) = (head.content(self.names).map_err(damaged)?, head.lines().map_err(damaged)?);
            let file: Arc<str> = Arc::from(&*head.entry.file);
            for (place, key) in places(&content.rows, keys) {
                let line = lines.as_ref().and_then(|lines| lines.of(u32::try_from(place).ok()?));
                let (partition, version) = (head.entry.partition.clone(), head.entry.version);
                found.insert(key.clone(), Origin { partition, version, file: file.clone(), line });
            }
        }
        Ok(found)
    }
}

impl Inputs {
    /// The partition whose row of a key stands.
    pub(super) fn holder(&self, key: &RowKey) -> Option<PartitionNo> {
        match key {
            RowKey::Customer(customer) => self.holds_customer(customer),
            RowKey::Terminal(customer, day) => self.holds_terminal(&(*customer, *day)),
            RowKey::Bill(customer, month) => self.holds_bill(&(*customer, *month)),
            RowKey::Usage(customer, day, measure) => self.holds_usage(&(*customer, *day, *measure)),
            RowKey::Product(product) => self.holds_product(product),
            RowKey::Channel(channel) => self.holds_channel(channel),
            RowKey::Order(id) => self.holds_order(id),
            RowKey::MemberEvent(id) => self.holds_event(id),
            RowKey::Adjustment(id) => self.holds_adjustment(id),
            RowKey::Listing(customer, list) => self.holds_listing(&(*customer, *list)),
            RowKey::Consent(customer, purpose, channel, at) => {
                self.holds_consent(&(*customer, *purpose, *channel, *at))
            }
            RowKey::Score(customer, model) => self.holds_score(&(*customer, *model)),
            RowKey::Contact(id) => self.holds_contact(id),
            RowKey::Feedback(id) => self.holds_feedback(id),
            RowKey::Handoff(id) => self.holds_handoff(&dataflows::records::HandoffRow::digest(id)?),
        }
    }
}

/// Where rows of keys stand among those of a partition.
fn places<'a>(rows: &'a Rows, keys: &'a [RowKey]) -> Vec<(usize, &'a RowKey)> {
    macro_rules! found {
        ($rows:ident, $key:pat => $wanted:expr, $row:ident => $of:expr) => {{
            let wanted = |key: &'a RowKey| if let $key = key { Some($wanted) } else { None };
            scan($rows, keys, wanted, |$row| $of)
        }};
    }
    match rows {
        Rows::Customer(rows) => found!(rows, RowKey::Customer(of) => *of, row => row.customer),
        Rows::Terminal(rows) => {
            found!(rows, RowKey::Terminal(of, day) => (*of, *day), row => (row.customer, row.seen_on))
        }
        Rows::Bill(rows) => found!(rows, RowKey::Bill(of, month) => (*of, *month), row => (row.customer, row.month)),
        Rows::Usage(rows) => {
            found!(rows, RowKey::Usage(of, day, what) => (*of, *day, *what), row => (row.customer, row.day, row.measure))
        }
        Rows::Product(rows) => found!(rows, RowKey::Product(of) => *of, row => row.product),
        Rows::Channel(rows) => found!(rows, RowKey::Channel(of) => *of, row => row.channel),
        Rows::Order(rows) => found!(rows, RowKey::Order(id) => &**id, row => &*row.order_id),
        Rows::MemberEvent(rows) => found!(rows, RowKey::MemberEvent(id) => &**id, row => &*row.event_id),
        Rows::Adjustment(rows) => found!(rows, RowKey::Adjustment(id) => &**id, row => &*row.adjustment_id),
        Rows::Listing(rows) => found!(rows, RowKey::Listing(of, list) => (*of, *list), row => (row.customer, row.list)),
        Rows::Consent(rows) => {
            let of = |row: &ConsentRow| (row.customer, row.purpose, row.channel, row.at);
            found!(rows, RowKey::Consent(who, what, by, at) => (*who, *what, *by, *at), row => of(row))
        }
        Rows::Score(rows) => found!(rows, RowKey::Score(of, model) => (*of, *model), row => (row.customer, row.model)),
        Rows::Contact(rows) => found!(rows, RowKey::Contact(id) => &**id, row => &*row.contact_id),
        Rows::Feedback(rows) => found!(rows, RowKey::Feedback(id) => &**id, row => &*row.feedback_id),
        Rows::Handoff(rows) => found!(rows, RowKey::Handoff(id) => &**id, row => &*row.contact_id),
        _ => Vec::new(),
    }
}

/// Looks at each row once, by a key that costs no copy of its texts.
fn scan<'a, R, K: Hash + Eq>(
    rows: &'a [R],
    keys: &'a [RowKey],
    wanted: impl Fn(&'a RowKey) -> Option<K>,
    of: impl Fn(&'a R) -> K,
) -> Vec<(usize, &'a RowKey)> {
    let keyed = keys.iter().filter_map(|key| Some((wanted(key)?, key)));
    let keyed: hashbrown::HashMap<K, &RowKey, foldhash::fast::RandomState> = keyed.collect();
    rows.iter().enumerate().filter_map(|(place, row)| Some((place, *keyed.get(&of(row))?))).collect()
}

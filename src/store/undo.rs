//! Undo: a file is corrected to what stood before it.
//!
//! The partition's version before the file's stands again, or the partition has no row. It is one record, durable like
//! any other, and names what then stands, so that a log that does not fit it is refused and not guessed at.
//!
//! Decided here, where the contract is silent:
//! - What stands is undone, by the name under which the ledger has it. What a later version replaced is not: that one
//!   is to be undone first.
//! - What was undone stays so until a higher version comes: the same file again changes nothing, a lower version is
//!   superseded, and the same version with other content is rejected with the advice to raise it, but where
//!   `same_version = "replace"` says that other content is enough.
//! - What was asked by hand is not undone but answered by another request: it says by whom, and why. Batches of the feeds
//!   that staff edit (adjustment, listing, feedback, contact, order) count as such. Rows that are made
//!   here of what has left the house (hand-offs, order requests, states of campaigns) are not undone at all.
//! - The log keeps what stood before each version that stands. What stood before that may be gone: then it is refused,
//!   and nothing is guessed.

use std::rc::Rc;
use std::time::Instant;

use dataflows::facts::Facts;
use dataflows::records::Feed;
use dataflows::types::Epoch;

use super::codec::{Damaged, Reader, Writer};
use super::content::Content;
use super::owners::PartitionNo;
use super::partitions::Version;
use super::records::Kind;
use super::room::Purpose;
use super::running::PART_DIGITS;
use super::{Entry, Ledger, REQUEST, Status, Store, StoreError};

/// Why a file cannot be undone.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Refused {
    #[error("no file of that name was ever delivered; `cohortflow ledger` lists those that were")]
    Unknown,
    #[error("it was undone already, and stays so until a higher version comes")]
    Already,
    #[error("it is {0}, and changes nothing: there is nothing to undo")]
    NotStanding(Status),
    #[error("version {0} of it stands; undo that one first")]
    Replaced(u32),
    #[error("it was asked by hand; make a request that says the opposite, with who asks for it and why")]
    ByHand,
    #[error("it tells what has left the house (hand-offs, order requests) or what staff decided, and stands")]
    Ours,
    #[error("what stood before it is no longer kept; deliver that again under a higher version")]
    Gone,
}

/// An undo that may be done, and what it changes.
pub struct Plan {
    number: PartitionNo,
    /// Of the file that is undone.
    pub entry: Entry,
    /// The ledger's of what stands then; none where the partition has no row then.
    pub stands: Option<Entry>,
    old: Rc<Content>,
    new: Rc<Content>,
}

impl Plan {
    /// Rows of the partition now, and then.
    pub fn rows(&self) -> (u64, u64) {
        (self.old.len() as u64, self.new.len() as u64)
    }
}

impl Store {
    /// What undoing a file would come to.
    pub fn plan_undo(&self, file: &str) -> Result<Result<Plan, Refused>, StoreError> {
        // Past a failed write what stands in memory may be ahead of the log: nothing is read off it.
        self.log.goes_on()?;
        let entry = match self.undoable(file) {
            Ok(entry) => entry.clone(),
            Err(refused) => return Ok(Err(refused)),
        };
        let Some(number) = self.numbers.get(&entry.partition).copied() else { return Ok(Err(Refused::Unknown)) };
        let live = &self.live[number as usize];
        let before = live.before.last();
        if before.is_none() && stood_before(&self.ledger, &entry) {
            return Ok(Err(Refused::Gone));
        }
        let old = self.read_content(number)?;
        let new = match before {
            Some(version) => self.read_version(version)?,
            None => Rc::new(Content::empty(entry.partition.feed)),
        };
        let stands = before.and_then(|before| self.ledger.get(&entry.partition, before.version, before.sha256));
        Ok(Ok(Plan { number, stands: stands.cloned(), old, new, entry }))
    }

    fn undoable(&self, file: &str) -> Result<&Entry, Refused> {
        let of_name = || self.ledger.entries().filter(|entry| entry.file == file);
        let Some(entry) = of_name().find(|entry| entry.status == Status::Accepted) else {
            let last = of_name().max_by_key(|entry| entry.epoch).ok_or(Refused::Unknown)?;
            let standing =
                self.numbers.get(&last.partition).and_then(|number| self.live[*number as usize].standing.as_ref());
            return Err(match (last.status, standing) {
                (Status::Undone, _) => Refused::Already,
                (Status::Superseded, Some(standing)) => Refused::Replaced(standing.version),
                (status, _) => Refused::NotStanding(status),
            });
        };
        let of = &entry.partition;
        match of.feed {
            Feed::CampaignState | Feed::Handoff | Feed::OrderRequest | Feed::Provisioning => Err(Refused::Ours),
            _ if is_by_hand(entry) => Err(Refused::ByHand),
            _ => Ok(entry),
        }
    }

    /// What an undo would tell the dataflow, and what would take that back. Nothing is changed.
    pub fn rehearse_undo(&mut self, plan: &Plan) -> Result<(Facts, Facts), StoreError> {
        let (mut there, mut back) = (Facts::default(), Facts::default());
        let clock = self.clock;
        self.change(plan.number, (&plan.old, &plan.new), &mut there)?;
        there.clock = Some(self.clock_now());
        self.change(plan.number, (&plan.new, &plan.old), &mut back)?;
        back.clock = Some(clock);
        debug_assert_eq!(self.clock_now(), clock);
        Ok((there, back))
    }

    /// Undoes a file: durable when this returns, with the facts that it changes.
    pub fn undo(&mut self, plan: &Plan) -> Result<(Epoch, Facts, Instant), StoreError> {
        let epoch = self.epoch + 1;
        let reason = match &plan.stands {
            Some(stands) => format!("undone in epoch {epoch}; version {} stands again", stands.version),
            None => format!("undone in epoch {epoch}; nothing stood before it"),
        };
        // Its epoch stays that in which it was taken: what it changed then is known by it.
        let entry = Entry { status: Status::Undone, reason, ..plan.entry.clone() };
        let mut writer = self.names(self.durable, self.durable);
        write(&entry, plan.stands.as_ref().map(|stands| (stands.version, stands.sha256)), &mut writer);
        self.room.check(writer.bytes.len() as u64, Purpose::of(plan.new.held()))?;
        let mut facts = Facts::default();
        self.change(plan.number, (&plan.old, &plan.new), &mut facts)?;
        let clock = self.clock_now();
        if clock != self.clock {
            self.clock = clock;
            facts.clock = Some(clock);
        }
        self.log.append(Kind::Undo as u8, self.epoch + 1, &writer.bytes)?;
        let durable_at = Instant::now();
        self.epoch += 1;
        let dead = self.live[plan.number as usize].undo();
        self.dead_bytes = self.dead_bytes.saturating_add_signed(dead);
        self.ledger.enter(entry);
        if let Some(stands) = &plan.stands {
            self.ledger.enter(Entry { status: Status::Accepted, ..stands.clone() });
        }
        Ok((self.epoch, facts, durable_at))
    }

    fn change(
        &mut self,
        number: PartitionNo,
        (old, new): (&Content, &Content),
        facts: &mut Facts,
    ) -> Result<(), StoreError> {
        let replaced = self.replace(number, (old.held(), new.held()), facts);
        if replaced.is_err() {
            // What stands in memory is neither the one nor the other: only a restart tells.
            self.log.stop();
        }
        replaced
    }
}

/// Whether something stood before a file that the log no longer has: it was taken earlier, and replaced.
fn stood_before(ledger: &Ledger, entry: &Entry) -> bool {
    let was = |other: &&Entry| other.status == Status::Superseded && other.epoch < entry.epoch;
    ledger.of(&entry.partition).filter(was).any(|other| other.version <= entry.version)
}

/// Whether it came as a request, or under the name that parts of requests have, in a feed that staff edit. In others
/// a request is a batch, which nobody signs.
fn is_by_hand(entry: &Entry) -> bool {
    let part = &entry.partition.part;
    let is_number = part.len() == PART_DIGITS && part.bytes().all(|byte| byte.is_ascii_digit());
    let is_edited =
        matches!(entry.partition.feed, Feed::Adjustment | Feed::Listing | Feed::Feedback | Feed::Contact | Feed::Order);
    is_edited && (entry.file.starts_with(REQUEST) || is_number)
}

/// What stands after an undo: its version and content; none where nothing does.
pub type Stands = Option<(u32, [u8; 32])>;

pub fn write(entry: &Entry, stands: Stands, writer: &mut Writer) {
    entry.write(writer);
    writer.u8(u8::from(stands.is_some()));
    let (version, sha256) = stands.unwrap_or_default();
    writer.u32(version);
    writer.bytes.extend_from_slice(&sha256);
}

pub fn read(reader: &mut Reader<'_>) -> Result<(Entry, Stands), Damaged> {
    let (entry, is_some) = (Entry::read(reader)?, reader.u8()? != 0);
    let stands = (reader.u32()?, reader.bytes()?);
    Ok((entry, is_some.then_some(stands)))
}

/// Whether a version is the one that is told.
pub fn is_one(version: Option<&Version>, told: Stands) -> bool {
    version.map(|version| (version.version, version.sha256)) == told
}

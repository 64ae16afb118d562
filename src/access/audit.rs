//! The record of what was done, and by whom: each entry holds the hash of the one before it, so that none is changed, left
//! out or put elsewhere without its being seen.
//!
//! An entry is a line of JSON. `hash` is BLAKE3, keyed by a key made of the store's, of all that stands before it in the
//! line: whoever can write the file and does not have the key cannot make one that agrees. Entries of reads are written
//! before the answer leaves and synced within a second, those of changes synced before: a killed process has lost none.
//!
//! A customer is told by a keyed token of his id: the record of who looked at him outlives his erasure, and names nobody.

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use serde::{Deserialize, Serialize};

use super::rights::Role;
use super::viewer::Viewer;
use crate::store::vfs::{Vfs, VfsFile};

/// Where entries stand.
const FILE: &str = "audit.jsonl";

/// Longest entry, in bytes.
const ENTRY_MAX: usize = 4096;

/// Time after which what was written is synced with the next entry.
const UNSYNCED: Duration = Duration::from_secs(1);

/// Time between two entries of those whom nobody knows: what a stranger writes to the disk is bounded.
const STRANGERS: Duration = Duration::from_secs(1);

/// Bytes read at a time when all is looked through.
const PIECE: usize = 1 << 20;

/// What was done.
#[derive(Clone, Debug, Default)]
pub struct Act<'a> {
    /// A route's method and template, a statement, a login.
    pub action: &'a str,
    /// What it was done to: a name, never a customer's id.
    pub object: Option<&'a str>,
    /// A customer it was about.
    pub customer: Option<&'a str>,
    /// Where it was asked from.
    pub from: Option<std::net::IpAddr>,
    pub outcome: Outcome,
    /// Rows about persons that were given.
    pub rows: Option<u64>,
}

/// What came of it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    #[default]
    Done,
    /// He may not.
    Denied,
    /// It could not be done.
    Failed,
}

/// An entry.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Entry {
    pub number: u64,
    /// Universal time.
    pub at: String,
    /// The account; none: whoever keeps the service.
    pub who: Option<String>,
    pub role: Option<Role>,
    pub from: Option<std::net::IpAddr>,
    pub action: String,
    pub object: Option<String>,
    /// A token of the customer's id.
    pub customer: Option<String>,
    pub outcome: Outcome,
    pub rows: Option<u64>,
    /// The hash of the entry before.
    pub before: String,
    pub hash: String,
}

/// Why the record does not hold.
#[derive(Debug, thiserror::Error)]
pub enum AuditError {
    #[error("could not read or write the record of what was done: {0}")]
    Io(#[from] io::Error),
    #[error("entry {number} of the record of what was done is not what was written")]
    Altered { number: u64 },
}

/// The record.
pub struct Audit {
    key: [u8; 32],
    customers: [u8; 32],
    held: Mutex<Held>,
    /// When one whom nobody knows was noted last, and how many came since.
    strangers: Mutex<(Option<Instant>, u64)>,
}

struct Held {
    file: Box<dyn VfsFile>,
    end: u64,
    number: u64,
    hash: String,
    synced: Instant,
}

impl Audit {
    /// Opens the record of a directory, or begins one. `key` is the store's.
    pub fn open(vfs: &Arc<dyn Vfs>, key: &[u8; 32]) -> Result<Audit, AuditError> {
        let held = Held { file: vfs.open(FILE)?, end: 0, number: 0, hash: String::new(), synced: Instant::now() };
        let audit = Audit {
            key: blake3::derive_key("cohortflow 2026 the record of what was done", key),
            customers: blake3::derive_key("cohortflow 2026 customers in the record of what was done", key),
            held: Mutex::new(held),
            strangers: Mutex::default(),
        };
        let (mut end, mut number, mut hash) = (0, 0, String::new());
        // A line that a kill tore was no entry yet, and its answer never left.
        audit.visit(|entry, at| {
            (end, number) = (at, entry.number);
            hash.clone_from(&entry.hash);
        })?;
        {
            let mut held = audit.held.lock();
            held.file.truncate(end)?;
            (held.end, held.number, held.hash) = (end, number, hash);
        }
        vfs.sync_names()?;
        Ok(audit)
    }

    /// Notes something before its answer leaves; `is_change`: synced, for it cannot be asked again.
    pub fn note(&self, viewer: Option<&Viewer>, act: &Act<'_>, is_change: bool) -> Result<(), AuditError> {
        let mut held = self.held.lock();
        let mut entry = Entry {
            number: held.number + 1,
            at: jiff::Timestamp::now().to_string(),
            who: viewer.and_then(Viewer::name).map(str::to_owned),
            role: viewer.and_then(Viewer::role),
            from: act.from,
            action: short(act.action),
            object: act.object.map(short),
            customer: act.customer.map(|id| self.customer(id)),
            outcome: act.outcome,
            rows: act.rows,
            before: held.hash.clone(),
            hash: String::new(),
        };
        entry.hash = self.hash(&entry);
        let mut line = serde_json::to_vec(&entry).map_err(io::Error::other)?;
        line.push(b'\n');
        let end = held.end;
        if let Err(error) = held.file.write_at(end, &line) {
            // Half of it may be there; what comes next is written over it.
            held.file.truncate(end)?;
            return Err(error.into());
        }
        held.end += line.len() as u64;
        (held.number, held.hash) = (entry.number, entry.hash);
        if is_change || held.synced.elapsed() > UNSYNCED {
            held.file.sync()?;
            held.synced = Instant::now();
        }
        Ok(())
    }

    /// Notes what was refused to somebody whom nobody knows: the first in a second, and with the next how many came between.
    pub fn note_stranger(&self, act: &Act<'_>) -> Result<(), AuditError> {
        let others = {
            let mut strangers = self.strangers.lock();
            if strangers.0.is_some_and(|noted| noted.elapsed() < STRANGERS) {
                strangers.1 += 1;
                return Ok(());
            }
            strangers.0 = Some(Instant::now());
            std::mem::take(&mut strangers.1)
        };
        let object = (others > 0).then(|| format!("and {others} others before"));
        self.note(None, &Act { object: object.as_deref().or(act.object), ..act.clone() }, false)
    }

    /// What stands for a customer.
    pub fn customer(&self, id: &str) -> String {
        blake3::keyed_hash(&self.customers, id.as_bytes()).to_hex()[..32].to_owned()
    }

    /// What stands for a name that somebody said and nobody has: it may be a password in the wrong field, or a phone
    /// number. Who tries one name again and again is seen all the same.
    pub fn stranger(&self, name: &str) -> String {
        let mut hasher = blake3::Hasher::new_keyed(&self.customers);
        let token = hasher.update(b"name ").update(name.as_bytes()).finalize().to_hex();
        format!("a name that nobody has: {}", &token[..16])
    }

    /// The latest entry's number and hash: whoever keeps them elsewhere sees later whether the record was cut.
    pub fn head(&self) -> (u64, String) {
        let held = self.held.lock();
        (held.number, held.hash.clone())
    }

    /// Holds every entry against the one before it, and one against what was kept of it elsewhere: its number and its hash.
    /// Whoever has the key too could have written all of them anew, but not what he cannot reach.
    pub fn verify(&self, kept: Option<(u64, &str)>) -> Result<u64, AuditError> {
        let (mut count, mut holds) = (0, kept.is_none());
        self.visit(|entry, _| {
            count += 1;
            holds |= kept == Some((entry.number, &entry.hash));
        })?;
        let written = self.held.lock().number;
        if count < written {
            return Err(AuditError::Altered { number: count + 1 });
        }
        match kept {
            Some((number, _)) if !holds => Err(AuditError::Altered { number }),
            _ => Ok(count),
        }
    }

    /// The latest entries that `choose` takes, at most so many, the latest last.
    pub fn latest(&self, most: usize, choose: impl Fn(&Entry) -> bool) -> Result<Vec<Entry>, AuditError> {
        let mut latest = std::collections::VecDeque::new();
        self.visit(|entry, _| {
            if choose(entry) {
                if latest.len() == most {
                    latest.pop_front();
                }
                latest.push_back(entry.clone());
            }
        })?;
        Ok(latest.into())
    }

    /// Visits all entries that are whole, each with where it ends.
    fn visit(&self, mut visit: impl FnMut(&Entry, u64)) -> Result<(), AuditError> {
        let (mut at, mut rest, mut number, mut hash) = (0, Vec::new(), 0, String::new());
        loop {
            let piece = {
                let held = self.held.lock();
                let size = held.file.size()?;
                let begin = at + rest.len() as u64;
                let mut piece = vec![0; PIECE.min(size.saturating_sub(begin) as usize)];
                held.file.read_at(begin, &mut piece)?;
                piece
            };
            if piece.is_empty() {
                return Ok(());
            }
            rest.extend(piece);
            let mut begin = 0;
            while let Some(len) = memchr::memchr(b'\n', &rest[begin..]) {
                number += 1;
                let altered = || AuditError::Altered { number };
                let line = &rest[begin..begin + len];
                let entry: Entry = serde_json::from_slice(line).map_err(|_| altered())?;
                // What stands there otherwise than it was written says the same, or seems to.
                let is_as_written = serde_json::to_vec(&entry).is_ok_and(|written| written == line);
                if !is_as_written || entry.number != number || entry.before != hash || entry.hash != self.hash(&entry) {
                    return Err(altered());
                }
                begin += len + 1;
                at += (len + 1) as u64;
                visit(&entry, at);
                hash = entry.hash;
            }
            rest.drain(..begin);
            if rest.len() > 2 * ENTRY_MAX {
                return Err(AuditError::Altered { number: number + 1 });
            }
        }
    }

    fn hash(&self, entry: &Entry) -> String {
        let unsigned = Entry { hash: String::new(), ..entry.clone() };
        // An entry is always text.
        let text = serde_json::to_vec(&unsigned).unwrap_or_default();
        blake3::keyed_hash(&self.key, &text).to_hex().to_string()
    }
}

/// Bounds what somebody else chose.
fn short(text: &str) -> String {
    const MOST: usize = 256;
    text.chars().filter(|sign| !sign.is_control()).take(MOST).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::memory::Memory;

    fn opened(vfs: &Arc<dyn Vfs>) -> Result<Audit, AuditError> {
        Audit::open(vfs, &[3; 32])
    }

    fn act(action: &str) -> Act<'_> {
        Act { action, customer: Some("c1"), ..Act::default() }
    }

    fn begun(count: usize) -> (Arc<dyn Vfs>, Audit) {
        let vfs: Arc<dyn Vfs> = Arc::new(Memory::default());
        let audit = opened(&vfs).expect("opened");
        for number in 0..count {
            audit.note(None, &act(&format!("look {number}")), false).expect("noted");
        }
        (vfs, audit)
    }

    #[test]
    fn entries_go_on_after_another_opening_and_a_torn_one_is_none() {
        let (vfs, audit) = begun(3);
        assert_eq!(audit.verify(None).expect("holds"), 3);
        drop(audit);
        let file = vfs.open(FILE).expect("opened");
        file.write_at(file.size().expect("size"), b"{\"number\":4,\"at").expect("written");
        let audit = opened(&vfs).expect("opened");
        audit.note(None, &act("look again"), true).expect("noted");
        assert_eq!(audit.verify(None).expect("holds"), 4);
        let latest = audit.latest(2, |_| true).expect("read");
        let told: Vec<&str> = latest.iter().map(|entry| entry.action.as_str()).collect();
        assert_eq!(told, ["look 2", "look again"]);
        assert!(latest.iter().all(|entry| entry.customer.as_deref() == Some(&*audit.customer("c1"))));
        assert!(!audit.customer("c1").contains("c1"));
    }

    #[test]
    fn strangers_write_no_more_than_so_much() {
        let (_, audit) = begun(0);
        let denied = Act { action: "look", outcome: Outcome::Denied, ..Act::default() };
        for _ in 0..1000 {
            audit.note_stranger(&denied).expect("noted");
        }
        let count = audit.verify(None).expect("holds");
        // One, and another for each second that this took.
        assert!((1..100).contains(&count), "{count}");
    }

    #[test]
    fn whatever_is_altered_left_out_or_cut_is_seen() {
        let (vfs, audit) = begun(5);
        let file = vfs.open(FILE).expect("opened");
        let mut whole = vec![0; file.size().expect("size") as usize];
        file.read_at(0, &mut whole).expect("read");
        let lines: Vec<&[u8]> = whole.split_inclusive(|byte| *byte == b'\n').collect();
        let write = |bytes: &[u8]| {
            file.truncate(0).expect("cut");
            file.write_at(0, bytes).expect("written");
        };
        for place in (0..whole.len()).step_by(7) {
            let mut bytes = whole.clone();
            bytes[place] ^= 1;
            write(&bytes);
            assert!(matches!(audit.verify(None), Err(AuditError::Altered { .. })), "byte {place}");
        }
        write(&[lines[0], lines[2], lines[3]].concat());
        assert!(matches!(audit.verify(None), Err(AuditError::Altered { number: 2 })));
        write(&[lines[0], lines[2], lines[1], lines[3], lines[4]].concat());
        assert!(matches!(audit.verify(None), Err(AuditError::Altered { number: 2 })));
        write(&lines[..3].concat());
        assert!(matches!(audit.verify(None), Err(AuditError::Altered { number: 4 })));
        write(&whole);
        assert_eq!(audit.verify(None).expect("holds"), 5);
        let (number, hash) = audit.head();
        audit.verify(Some((number, &hash))).expect("as it was kept");
        let third = audit.latest(3, |_| true).expect("read").swap_remove(0);
        audit.verify(Some((third.number, &third.hash))).expect("as it was kept");
        assert!(matches!(audit.verify(Some((3, &hash))), Err(AuditError::Altered { number: 3 })));
        assert!(matches!(audit.verify(Some((6, &hash))), Err(AuditError::Altered { number: 6 })));
        // Another key's record is none of ours.
        assert!(Audit::open(&vfs, &[4; 32]).is_err());
    }
}

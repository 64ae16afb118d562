//! The entries of points that changed after they were shown: the latest, in a file beside the log.
//!
//! ```text
//! header   "COHORTCH", format u32, what the tokens' key is known by (16 bytes), crc u32
//! frame    len u32, crc of payload u32, payload: the epochs, whether it is cut, a column of each field
//! ```
//!
//! What a service saw change follows from nothing else: the log does not tell what was shown before. Nor does
//! anything depend on it, so it costs no input and no view to lose: what cannot be read is begun anew, a
//! torn end is cut off. Changes are written after their epoch is visible, by a thread of their own, and
//! synced when the file is written anew and when the service ends; as with the log's mark, a kill loses nothing that
//! was written, and a power cut may lose the latest. No change comes twice: an epoch that is read again from the log
//! after a restart tells none.

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;

use dataflows::points::EntryChange;
use dataflows::types::{CustomerIx, Epoch, Time};

use super::codec::{Damaged, Reader, Writer};
use super::vfs::{Vfs, VfsFile};

/// Entries of points that one epoch changed.
pub struct Changed {
    /// The epochs that became visible together: after the first, up to the second.
    pub epochs: (Epoch, Epoch),
    pub entries: Vec<EntryChange>,
    /// Whether there were more than are told.
    pub is_cut: bool,
}

/// The latest changes, oldest first.
pub type Latest = VecDeque<Arc<Changed>>;

/// Most changes of entries that are kept, and most epochs of them.
const CHANGES_MAX: usize = 100_000;
const EPOCHS_MAX: usize = 1_000;

/// Adds changes, and lets go of the oldest that are too many.
pub fn keep(latest: &mut Latest, changed: Arc<Changed>) {
    latest.push_back(changed);
    while latest.len() > EPOCHS_MAX || latest.len() > 1 && entries(latest) > CHANGES_MAX {
        latest.pop_front();
    }
}

fn entries(latest: &Latest) -> usize {
    latest.iter().map(|changed| changed.entries.len()).sum()
}

const FILE: &str = "changes";
const FILE_NEXT: &str = "changes.next";
/// What another build, or the store of another key, left there.
const FILE_ASIDE: &str = "changes.aside";
const MAGIC: &[u8; 8] = b"COHORTCH";
/// Every change of what stands in the file raises this.
const FORMAT: u32 = 1;
const HEADER: usize = 32;
const FRAME: usize = 8;
/// No value of points is this.
const ABSENT: i64 = i64::MIN;
/// A file of more bytes is not one of ours: it is written anew long before.
const BYTES_MAX: u64 = 1 << 30;

/// What a file of changes must fit: the store that it lies beside.
pub(super) struct Beside {
    pub fingerprint: [u8; 16],
    pub epoch: Epoch,
    pub customers: usize,
}

/// The file of changes, and what is in it.
pub struct Changes {
    vfs: Arc<dyn Vfs>,
    file: Box<dyn VfsFile>,
    header: [u8; HEADER],
    end: u64,
    latest: Latest,
    /// Entries and epochs in the file, those that are no longer among the latest included.
    written: (usize, usize),
}

impl Changes {
    /// Opens the file, or begins one.
    pub(super) fn open(vfs: Arc<dyn Vfs>, beside: &Beside) -> io::Result<Changes> {
        let header = header(beside.fingerprint);
        let file = vfs.open(FILE)?;
        let mut changes = Changes { vfs, file, header, end: HEADER as u64, latest: Latest::new(), written: (0, 0) };
        let len = changes.file.size()?;
        let bytes = if len <= BYTES_MAX {
            let mut bytes = vec![0; len as usize];
            changes.file.read_at(0, &mut bytes)?;
            bytes
        } else {
            Vec::new()
        };
        if len > 0 && !changes.read(&bytes, beside) {
            changes.vfs.rename(FILE, FILE_ASIDE)?;
            changes.file = changes.vfs.open(FILE)?;
            (changes.end, changes.latest, changes.written) = (HEADER as u64, Latest::new(), (0, 0));
        }
        if changes.latest.is_empty() {
            changes.file.truncate(0)?;
            changes.file.write_at(0, &header)?;
        } else {
            changes.file.truncate(changes.end)?;
        }
        Ok(changes)
    }

    /// The latest changes, oldest first.
    pub fn latest(&self) -> &Latest {
        &self.latest
    }

    /// Reads the frames up to the first that is not whole. False where they are not of this store.
    fn read(&mut self, bytes: &[u8], beside: &Beside) -> bool {
        let Some((head, mut rest)) = bytes.split_first_chunk::<HEADER>() else {
            // Begun and torn.
            return self.header.starts_with(bytes);
        };
        if *head != self.header {
            return false;
        }
        while let Some((frame, after)) = rest.split_first_chunk::<FRAME>() {
            let [len, crc] =
                [0, 4].map(|at| u32::from_le_bytes([frame[at], frame[at + 1], frame[at + 2], frame[at + 3]]));
            let Some(payload) = after.get(..len as usize).filter(|payload| crc32c::crc32c(payload) == crc) else {
                break;
            };
            let Ok(changed) = read(&mut Reader::new(payload)) else { break };
            let customers = changed.entries.iter().map(|entry| entry.customer.0 as usize);
            // Of a time that the log, brought back from a copy, knows nothing of.
            if changed.epochs.1 > beside.epoch || customers.max().is_some_and(|customer| customer >= beside.customers) {
                return false;
            }
            self.end += (FRAME + payload.len()) as u64;
            self.written = (self.written.0 + changed.entries.len(), self.written.1 + 1);
            keep(&mut self.latest, Arc::new(changed));
            rest = &after[payload.len()..];
        }
        true
    }

    /// Writes changes behind the others; all of the latest anew, where the file holds twice as many.
    pub fn write(&mut self, changed: &Arc<Changed>) -> io::Result<()> {
        keep(&mut self.latest, changed.clone());
        self.written = (self.written.0 + changed.entries.len(), self.written.1 + 1);
        if self.written.0 > 2 * CHANGES_MAX.max(entries(&self.latest)) || self.written.1 > 2 * EPOCHS_MAX {
            return self.rewrite();
        }
        let frame = frame(changed);
        self.file.write_at(self.end, &frame)?;
        self.end += frame.len() as u64;
        Ok(())
    }

    fn rewrite(&mut self) -> io::Result<()> {
        let next = self.vfs.open(FILE_NEXT)?;
        next.truncate(0)?;
        next.write_at(0, &self.header)?;
        let mut end = HEADER as u64;
        for changed in &self.latest {
            let frame = frame(changed);
            next.write_at(end, &frame)?;
            end += frame.len() as u64;
        }
        next.sync()?;
        self.vfs.rename(FILE_NEXT, FILE)?;
        self.vfs.sync_names()?;
        (self.file, self.end) = (next, end);
        self.written = (entries(&self.latest), self.latest.len());
        Ok(())
    }
}

impl Drop for Changes {
    fn drop(&mut self) {
        // What is lost here is less than a power cut may take.
        let _ = self.file.sync().and_then(|()| self.vfs.sync_names());
    }
}

fn header(fingerprint: [u8; 16]) -> [u8; HEADER] {
    let mut bytes = [0; HEADER];
    bytes[..8].copy_from_slice(MAGIC);
    bytes[8..12].copy_from_slice(&FORMAT.to_le_bytes());
    bytes[12..28].copy_from_slice(&fingerprint);
    let crc = crc32c::crc32c(&bytes[..28]);
    bytes[28..].copy_from_slice(&crc.to_le_bytes());
    bytes
}

fn frame(changed: &Changed) -> Vec<u8> {
    let mut writer = Writer { bytes: vec![0; FRAME] };
    let entries = &changed.entries;
    writer.u64(changed.epochs.0);
    writer.u64(changed.epochs.1);
    writer.u8(u8::from(changed.is_cut));
    writer.u64(entries.len() as u64);
    writer.column(entries.iter().map(|entry| i64::from(entry.customer.0)));
    writer.column(entries.iter().map(|entry| entry.at.0));
    writer.optional_column(entries.iter().map(|entry| entry.before), ABSENT);
    writer.optional_column(entries.iter().map(|entry| entry.after), ABSENT);
    writer.texts(entries.iter().map(|entry| Some(&*entry.entry_id)));
    writer.texts(entries.iter().map(|entry| Some(&*entry.rule)));
    let mut bytes = writer.bytes;
    // An epoch's changes are bounded where they are noted.
    let len = (bytes.len() - FRAME) as u32;
    let crc = crc32c::crc32c(&bytes[FRAME..]);
    bytes[..4].copy_from_slice(&len.to_le_bytes());
    bytes[4..FRAME].copy_from_slice(&crc.to_le_bytes());
    bytes
}

fn read(reader: &mut Reader<'_>) -> Result<Changed, Damaged> {
    let epochs = (reader.u64()?, reader.u64()?);
    if epochs.0 > epochs.1 {
        return Err(Damaged("epochs are out of order"));
    }
    let is_cut = reader.u8()? != 0;
    let count = usize::try_from(reader.u64()?).map_err(|_| Damaged("too many changes"))?;
    let [customer, at, before, after] = {
        let mut column = || reader.column_of(count);
        [column()?, column()?, column()?, column()?]
    };
    let (entry_id, rule) = (reader.texts(count)?, reader.texts(count)?);
    let entry = |place: usize| {
        let text = |texts: &[Option<&str>]| texts[place].unwrap_or_default().into();
        let points = |column: &[i64]| Some(column[place]).filter(|points| *points != ABSENT);
        let customer = u32::try_from(customer[place]).map_err(|_| Damaged("no such customer"))?;
        Ok(EntryChange {
            customer: CustomerIx(customer),
            entry_id: text(&entry_id),
            at: Time(at[place]),
            rule: text(&rule),
            before: points(&before),
            after: points(&after),
        })
    };
    Ok(Changed { epochs, entries: (0..count).map(entry).collect::<Result<_, _>>()?, is_cut })
}

#[cfg(test)]
mod tests {
    use super::super::memory::{Loss, Memory};
    use super::*;

    const BESIDE: Beside = Beside { fingerprint: [7; 16], epoch: 10_000, customers: 100 };

    fn changed(epoch: Epoch, entries: usize) -> Arc<Changed> {
        let entry = |number: usize| EntryChange {
            customer: CustomerIx((number % 100) as u32),
            entry_id: format!("e{epoch}-{number}").into(),
            at: Time(number as i64 * 86_400),
            rule: ["登录", "expiry"][number % 2].into(),
            before: (!number.is_multiple_of(3)).then_some(-5),
            after: (number % 3 < 2).then_some(number as i64),
        };
        Arc::new(Changed {
            epochs: (epoch - 1, epoch),
            entries: (0..entries).map(entry).collect(),
            is_cut: entries == 3,
        })
    }

    fn open(memory: &Memory, beside: &Beside) -> Changes {
        Changes::open(Arc::new(memory.clone()), beside).expect("opened")
    }

    fn same(changes: &Changes, expected: &[Arc<Changed>]) {
        let told = |changed: &Arc<Changed>| (changed.epochs, changed.entries.clone(), changed.is_cut);
        assert!(changes.latest().iter().map(told).eq(expected.iter().map(told)));
    }

    #[test]
    fn what_was_written_is_there_again_and_goes_on() {
        let memory = Memory::default();
        let mut all = Vec::new();
        for round in 0..4 {
            let mut changes = open(&memory, &BESIDE);
            same(&changes, &all);
            for entries in [0, 1, 3] {
                all.push(changed(round * 3 + entries as u64 + 1, entries));
                changes.write(&all[all.len() - 1]).expect("written");
            }
        }
        // It is synced when the service ends; a power cut before that takes what came since.
        same(&open(&memory.crash(Loss::All), &BESIDE), &all);
        let mut changes = open(&memory, &BESIDE);
        changes.write(&changed(20, 1)).expect("written");
        assert_eq!(open(&memory.crash(Loss::Nothing), &BESIDE).latest().len(), all.len() + 1);
        same(&open(&memory.crash(Loss::All), &BESIDE), &all);
    }

    #[test]
    fn a_torn_end_is_cut_wherever_it_is_torn() {
        let memory = Memory::default();
        let all = [changed(1, 2), changed(2, 5)];
        let mut changes = open(&memory, &BESIDE);
        let mut ends = vec![changes.end as usize];
        for changed in &all {
            changes.write(changed).expect("written");
            ends.push(changes.end as usize);
        }
        let bytes = memory.bytes(FILE).expect("a file");
        for len in 0..bytes.len() {
            let torn = Memory::default();
            torn.put(FILE, bytes[..len].to_vec());
            let whole = ends[1..].iter().filter(|end| **end <= len).count();
            let mut changes = open(&torn, &BESIDE);
            same(&changes, &all[..whole]);
            changes.write(&changed(3, 1)).expect("written");
            assert_eq!(open(&torn, &BESIDE).latest().len(), whole + 1, "{len}");
            assert!(torn.bytes(FILE_ASIDE).is_none());
        }
    }

    #[test]
    fn changed_bytes_never_panic() {
        let memory = Memory::default();
        open(&memory, &BESIDE).write(&changed(1, 9)).expect("written");
        let bytes = memory.bytes(FILE).expect("a file");
        let mut rng = fastrand::Rng::with_seed(5);
        for _ in 0..500 {
            let mut bytes = bytes.clone();
            let places = HEADER + FRAME..bytes.len();
            (0..3).for_each(|_| bytes[rng.usize(places.clone())] = rng.u8(..));
            let crc = crc32c::crc32c(&bytes[HEADER + FRAME..]);
            bytes[HEADER + 4..HEADER + FRAME].copy_from_slice(&crc.to_le_bytes());
            let memory = Memory::default();
            memory.put(FILE, bytes);
            open(&memory, &BESIDE);
        }
    }

    #[test]
    fn a_file_that_is_not_of_this_store_is_put_aside() {
        let others = [
            Beside { fingerprint: [8; 16], ..BESIDE },
            Beside { epoch: 4, ..BESIDE },
            Beside { customers: 2, ..BESIDE },
        ];
        for beside in others {
            let memory = Memory::default();
            open(&memory, &BESIDE).write(&changed(5, 9)).expect("written");
            let bytes = memory.bytes(FILE);
            same(&open(&memory, &beside), &[]);
            assert_eq!(memory.bytes(FILE_ASIDE), bytes);
            open(&memory, &beside).write(&changed(1, 1)).expect("written");
            assert_eq!(open(&memory, &beside).latest().len(), 1);
        }
        let memory = Memory::default();
        memory.put(FILE, vec![b'x'; 40]);
        same(&open(&memory, &BESIDE), &[]);
        assert_eq!(memory.bytes(FILE_ASIDE), Some(vec![b'x'; 40]));
    }

    #[test]
    fn the_latest_are_kept_and_the_file_stays_small() {
        let memory = Memory::default();
        let mut changes = open(&memory, &BESIDE);
        for epoch in 1..=40 {
            changes.write(&changed(epoch, 10_000)).expect("written");
            assert!(changes.written.0 <= 2 * CHANGES_MAX);
        }
        let epochs = |changes: &Changes| changes.latest().iter().map(|changed| changed.epochs.1).collect::<Vec<_>>();
        assert_eq!(epochs(&changes), (31..=40).collect::<Vec<_>>());
        assert_eq!(epochs(&open(&memory, &BESIDE)), (31..=40).collect::<Vec<_>>());
        for epoch in 41..=3_000 {
            changes.write(&changed(epoch, 1)).expect("written");
        }
        assert_eq!(epochs(&open(&memory, &BESIDE)), (2_001..=3_000).collect::<Vec<_>>());
        assert!(changes.written.1 <= 2 * EPOCHS_MAX);
    }
}

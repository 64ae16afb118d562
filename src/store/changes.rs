//! The entries of points that changed after they were shown: the latest, in a file beside the log.
//!
//! ```text
//! frame    the epochs, whether it is cut, a column of each field
//! ```
//!
//! The log does not tell what was shown before. Changes are written after their epoch is visible, by a thread of their
//! own, into a file beside it. No change comes twice: an epoch that is read again from the log after a
//! restart tells none.

use std::collections::{HashSet, VecDeque};
use std::io;
use std::sync::Arc;

use dataflows::points::EntryChange;
use dataflows::types::{CustomerIx, Epoch, Time};

use super::beside::{Frames, Kind, Taken};
use super::codec::{Damaged, Reader, Writer};
use super::vfs::Vfs;

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

const FILE: Kind =
    Kind { name: "changes", next: "changes.next", aside: "changes.aside", magic: b"COHORTCH", format: 1 };
/// No value of points is this.
const ABSENT: i64 = i64::MIN;
/// What a file of changes must fit: the store that it lies beside.
pub(super) struct Beside {
    pub fingerprint: [u8; 16],
    pub epoch: Epoch,
    pub customers: usize,
}

/// The file of changes, and what is in it.
pub struct Changes {
    frames: Frames,
    kept: Kept,
    /// Who was erased: nothing of theirs is in the file, and nothing comes into it.
    erased: HashSet<CustomerIx>,
}

/// What is in the file.
#[derive(Default)]
struct Kept {
    latest: Latest,
    /// Entries and epochs in the file, those that are no longer among the latest included.
    written: (usize, usize),
}

impl Kept {
    fn add(&mut self, changed: Arc<Changed>) {
        self.written = (self.written.0 + changed.entries.len(), self.written.1 + 1);
        keep(&mut self.latest, changed);
    }
}

impl Changes {
    /// Opens the file, or begins one.
    pub(super) fn open(vfs: Arc<dyn Vfs>, beside: &Beside) -> io::Result<Changes> {
        let mut kept = Kept::default();
        let (frames, is_foreign) = Frames::open(vfs, &FILE, beside.fingerprint, |payload| {
            let Ok(changed) = read(&mut Reader::new(payload)) else { return Taken::Damaged };
            let customers = changed.entries.iter().map(|entry| entry.customer.0 as usize);
            // Of a time that the log, brought back from a copy, knows nothing of.
            if changed.epochs.1 > beside.epoch || customers.max().is_some_and(|customer| customer >= beside.customers) {
                return Taken::Foreign;
            }
            kept.add(Arc::new(changed));
            Taken::Kept
        })?;
        let kept = if is_foreign { Kept::default() } else { kept };
        Ok(Changes { frames, kept, erased: HashSet::new() })
    }

    /// The latest changes, oldest first.
    pub fn latest(&self) -> &Latest {
        &self.kept.latest
    }

    /// Takes the entries of those who were erased out of the file, and lets none of theirs in.
    pub fn forget(&mut self, customers: impl IntoIterator<Item = CustomerIx>) -> io::Result<()> {
        self.erased.extend(customers);
        let Changes { frames, kept, erased } = self;
        let is_his = |changed: &Arc<Changed>| changed.entries.iter().any(|entry| erased.contains(&entry.customer));
        // What is no longer among the latest may be in the file still.
        let is_all = kept.written == (entries(&kept.latest), kept.latest.len());
        if !erased.is_empty() && (!is_all || kept.latest.iter().any(is_his)) {
            kept.latest = kept.latest.iter().map(|changed| without(changed, erased)).collect();
            frames.rewrite(kept.latest.iter().map(|changed| payload(changed)))?;
            kept.written = (entries(&kept.latest), kept.latest.len());
        }
        Ok(())
    }

    /// Writes changes behind the others; all of the latest anew, where the file holds twice as many.
    pub fn write(&mut self, changed: &Arc<Changed>) -> io::Result<()> {
        let changed = &without(changed, &self.erased);
        self.kept.add(changed.clone());
        let Kept { latest, written } = &mut self.kept;
        if written.0 > 2 * CHANGES_MAX.max(entries(latest)) || written.1 > 2 * EPOCHS_MAX {
            self.frames.rewrite(latest.iter().map(|changed| payload(changed)))?;
            *written = (entries(latest), latest.len());
            return Ok(());
        }
        self.frames.append(&payload(changed))
    }
}

/// Changes without the entries of those who were erased.
fn without(changed: &Arc<Changed>, erased: &HashSet<CustomerIx>) -> Arc<Changed> {
    let is_his = |entry: &EntryChange| erased.contains(&entry.customer);
    if !changed.entries.iter().any(is_his) {
        return changed.clone();
    }
    let entries = changed.entries.iter().filter(|entry| !is_his(entry)).cloned().collect();
    Arc::new(Changed { epochs: changed.epochs, entries, is_cut: changed.is_cut })
}

fn payload(changed: &Changed) -> Vec<u8> {
    let mut writer = Writer { bytes: Vec::new() };
    // An epoch's changes are bounded where they are noted.
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
    writer.bytes
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
    use super::super::beside::{FRAME, HEADER};
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
        let mut ends = vec![changes.frames.end() as usize];
        for changed in &all {
            changes.write(changed).expect("written");
            ends.push(changes.frames.end() as usize);
        }
        let bytes = memory.bytes(FILE.name).expect("a file");
        for len in 0..bytes.len() {
            let torn = Memory::default();
            torn.put(FILE.name, bytes[..len].to_vec());
            let whole = ends[1..].iter().filter(|end| **end <= len).count();
            let mut changes = open(&torn, &BESIDE);
            same(&changes, &all[..whole]);
            changes.write(&changed(3, 1)).expect("written");
            assert_eq!(open(&torn, &BESIDE).latest().len(), whole + 1, "{len}");
            assert!(torn.bytes(FILE.aside).is_none());
        }
    }

    #[test]
    fn changed_bytes_never_panic() {
        let memory = Memory::default();
        open(&memory, &BESIDE).write(&changed(1, 9)).expect("written");
        let bytes = memory.bytes(FILE.name).expect("a file");
        let mut rng = fastrand::Rng::with_seed(5);
        for _ in 0..500 {
            let mut bytes = bytes.clone();
            let places = HEADER + FRAME..bytes.len();
            (0..3).for_each(|_| bytes[rng.usize(places.clone())] = rng.u8(..));
            let crc = crc32c::crc32c(&bytes[HEADER + FRAME..]);
            bytes[HEADER + 4..HEADER + FRAME].copy_from_slice(&crc.to_le_bytes());
            let memory = Memory::default();
            memory.put(FILE.name, bytes);
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
            let bytes = memory.bytes(FILE.name);
            same(&open(&memory, &beside), &[]);
            assert_eq!(memory.bytes(FILE.aside), bytes);
            open(&memory, &beside).write(&changed(1, 1)).expect("written");
            assert_eq!(open(&memory, &beside).latest().len(), 1);
        }
        let memory = Memory::default();
        memory.put(FILE.name, vec![b'x'; 40]);
        same(&open(&memory, &BESIDE), &[]);
        assert_eq!(memory.bytes(FILE.aside), Some(vec![b'x'; 40]));
    }

    #[test]
    fn the_latest_are_kept_and_the_file_stays_small() {
        let memory = Memory::default();
        let mut changes = open(&memory, &BESIDE);
        for epoch in 1..=40 {
            changes.write(&changed(epoch, 10_000)).expect("written");
            assert!(changes.kept.written.0 <= 2 * CHANGES_MAX);
        }
        let epochs = |changes: &Changes| changes.latest().iter().map(|changed| changed.epochs.1).collect::<Vec<_>>();
        assert_eq!(epochs(&changes), (31..=40).collect::<Vec<_>>());
        assert_eq!(epochs(&open(&memory, &BESIDE)), (31..=40).collect::<Vec<_>>());
        for epoch in 41..=3_000 {
            changes.write(&changed(epoch, 1)).expect("written");
        }
        assert_eq!(epochs(&open(&memory, &BESIDE)), (2_001..=3_000).collect::<Vec<_>>());
        assert!(changes.kept.written.1 <= 2 * EPOCHS_MAX);
    }
    #[test]
    fn who_was_erased_is_in_the_file_no_more() {
        let memory = Memory::default();
        let mut changes = open(&memory, &BESIDE);
        changes.write(&changed(1, 9)).expect("written");
        let whose = |changes: &Changes, customer: CustomerIx| {
            let entries = changes.latest().iter().flat_map(|changed| &changed.entries);
            entries.filter(|entry| entry.customer == customer).count()
        };
        let customer = changed(1, 9).entries[0].customer;
        let all = changes.latest().iter().map(|changed| changed.entries.len()).sum::<usize>();
        let his = whose(&changes, customer);
        assert!(his > 0);
        changes.forget([customer]).expect("written");
        changes.write(&changed(2, 9)).expect("written");
        let again = open(&memory.crash(Loss::Nothing), &BESIDE);
        assert_eq!((whose(&changes, customer), whose(&again, customer)), (0, 0));
        assert_eq!(again.latest().iter().map(|changed| changed.entries.len()).sum::<usize>(), 2 * (all - his));
    }
}

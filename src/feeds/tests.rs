//! What is kept on disk is what was told, whatever is lost.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::journal::{Journal, JournalError, Place};
use super::row::{Gathered, Part, Row};
use super::segment::{Frame, Mark};
use crate::query::{View, view};
use crate::store::memory::{Fault, Loss, Memory};

fn place(memory: &Memory) -> Place {
    Place { vfs: Arc::new(memory.clone()), store: [7; 16], reserve: 0 }
}

fn tier() -> &'static View {
    view("tier").expect("a view")
}

fn row(number: u64) -> Row {
    format!("[\"c{number}\"]").into()
}

fn mark(upper: u64) -> Mark {
    Mark { upper, epoch: 10 * upper, digest: upper.to_le_bytes() }
}

/// The rows at a time: some come and go with each step, and each of them is long.
fn rows(upper: u64) -> Vec<Row> {
    (upper..upper + 5).map(row).collect()
}

fn step(upper: u64) -> Vec<Arc<Part>> {
    let (gone, come) = (vec![row(upper)], vec![row(upper + 5)]);
    vec![Arc::new(Part { gone, come: Vec::new() }), Arc::new(Part { gone: Vec::new(), come })]
}

fn base(upper: u64) -> impl Iterator<Item = Result<Part, JournalError>> {
    rows(upper).into_iter().map(|row| Ok(Part { gone: Vec::new(), come: vec![row] }))
}

/// What a reader gathers who had the rows of a time, and how far he comes.
fn read_on(journal: &Journal, from: u64) -> (Vec<Row>, u64) {
    let mut gathered = Gathered::default();
    gathered.take(Part { gone: Vec::new(), come: rows(from) });
    let (_, mut cursor) = journal.find(from).expect("kept");
    let mut upper = from;
    while let Some(frame) = journal.read(&mut cursor).expect("read") {
        match frame {
            Frame::Part(part) => gathered.take(part),
            Frame::Mark(mark) => upper = mark.upper,
        }
    }
    (gathered.rows(), upper)
}

#[test]
fn whoever_goes_on_from_any_mark_that_is_kept_comes_to_the_same_rows() {
    let memory = Memory::default();
    let mut journal = Journal::begin(&place(&memory), tier(), base(1), mark(1)).expect("begun");
    let mut turned = Vec::new();
    for upper in 1..=60 {
        journal.append(&step(upper), mark(upper + 1)).expect("appended");
        if upper % 20 == 0 {
            journal.turn(base(upper + 1)).expect("turned");
            turned.push(upper + 1);
        }
        // The latest two files are kept.
        let oldest = turned.iter().rev().nth(1).copied().unwrap_or(1);
        for from in 1..=upper + 1 {
            if from < oldest {
                assert!(journal.find(from).is_none());
                continue;
            }
            assert_eq!(journal.find(from).map(|(mark, _)| mark), Some(mark(from)));
            let mut expected = rows(upper + 1);
            expected.sort_unstable();
            assert_eq!(read_on(&journal, from), (expected, upper + 1), "from {from}");
        }
        if upper % 7 == 0 {
            let (again, found) = Journal::open(&place(&memory), tier()).expect("opened").expect("there");
            let mut expected = rows(upper + 1);
            expected.sort_unstable();
            assert_eq!((found, again.last()), (expected, Some(mark(upper + 1))));
            journal = again;
        }
    }
    assert!(journal.find(62).is_none());
    let mut gone = journal.find(61).expect("kept").1;
    journal.remove().expect("removed");
    assert!(Journal::open(&place(&memory), tier()).expect("opened").is_none());
    let anew = Journal::begin(&place(&memory), tier(), base(1), mark(1)).expect("begun");
    assert_eq!(anew.read(&mut gone).map(|_| ()).expect_err("gone").kind(), std::io::ErrorKind::NotFound);
}

#[test]
fn what_was_told_is_there_after_any_call_failed_and_the_power_was_cut() {
    let run = |memory: &Memory| -> u64 {
        let Ok(mut journal) = Journal::begin(&place(memory), tier(), base(1), mark(1)) else { return 0 };
        let mut told = 1;
        for upper in 1..=6 {
            if journal.append(&step(upper), mark(upper + 1)).is_err() {
                return told;
            }
            told = upper + 1;
            if upper == 3 && journal.turn(base(told)).is_err() {
                return told;
            }
        }
        told
    };
    let whole = Memory::default();
    assert_eq!(run(&whole), 7);
    let mut seen: BTreeMap<u64, usize> = BTreeMap::new();
    for call in 0..whole.calls() {
        for fault in [Fault::Error, Fault::Full, Fault::Crash] {
            let memory = Memory::default();
            memory.fail_at(call, fault);
            let told = run(&memory);
            for loss in [Loss::Nothing, Loss::All, Loss::Some(call)] {
                let after = memory.crash(loss);
                let opened = Journal::open(&place(&after), tier()).expect("opened");
                let Some((journal, found)) = opened else {
                    assert_eq!(told, 0, "call {call}: what was told is lost");
                    continue;
                };
                // One that failed at its very end may be there, and was told to nobody.
                let last = journal.last().expect("a mark").upper;
                assert!(last == told || last == told + 1, "call {call}: {last} of {told}");
                let mut expected = rows(last);
                expected.sort_unstable();
                assert_eq!(found, expected);
                *seen.entry(last).or_default() += 1;
            }
        }
    }
    assert!(seen.len() > 5, "{seen:?}");
}

#[test]
fn a_view_without_rows_is_gone_on_from() {
    let memory = Memory::default();
    let nobody = || (0..3).map(|_| Ok(Part::default()));
    let mut journal = Journal::begin(&place(&memory), tier(), nobody(), mark(1)).expect("begun");
    journal.append(&[Arc::new(Part::default())], mark(2)).expect("appended");
    let (journal, rows) = Journal::open(&place(&memory), tier()).expect("opened").expect("there");
    assert_eq!((rows, journal.last()), (Vec::new(), Some(mark(2))));
}

#[test]
fn files_of_another_store_or_of_other_columns_are_not_gone_on_from() {
    let memory = Memory::default();
    drop(Journal::begin(&place(&memory), tier(), base(1), mark(1)).expect("begun"));
    let other = Place { store: [8; 16], ..place(&memory) };
    assert!(Journal::open(&other, tier()).expect("opened").is_none());
    let bytes = memory.bytes("tier.1").expect("a file");
    for at in 0..bytes.len() {
        let mut damaged = bytes.clone();
        damaged[at] ^= 0x55;
        let memory = Memory::default();
        memory.put("tier.1", damaged);
        assert!(Journal::open(&place(&memory), tier()).expect("opened").is_none(), "byte {at}");
        // It is begun anew beside it, and what was there goes.
        drop(Journal::begin(&place(&memory), tier(), base(3), mark(3)).expect("begun"));
        let (journal, _) = Journal::open(&place(&memory), tier()).expect("opened").expect("there");
        assert_eq!(journal.last(), Some(mark(3)));
        assert_eq!(memory.bytes("tier.1"), None);
    }
}

#[test]
fn a_full_disk_is_said_before_anything_is_written() {
    let memory = Memory::default();
    let mut journal = Journal::begin(&place(&memory), tier(), base(1), mark(1)).expect("begun");
    memory.set_available(1000);
    let writes = memory.writes();
    assert!(matches!(journal.append(&step(1), mark(2)), Err(JournalError::Full)));
    assert_eq!(memory.writes(), writes);
    assert_eq!(journal.last(), Some(mark(1)));
    // Of rows for which there is room for a part alone, nothing stays.
    let memory = Memory::default();
    memory.set_available((1 << 20) + 100);
    let large = || Ok(Part { gone: Vec::new(), come: vec!["x".repeat(200).into()] });
    let rows = base(1).chain(std::iter::once_with(large));
    assert!(matches!(Journal::begin(&place(&memory), tier(), rows, mark(1)), Err(JournalError::Full)));
    assert_eq!([memory.bytes("tier.1"), memory.bytes("tier.1.next")], [None, None]);
    memory.put("tier.2.next", b"half".to_vec());
    assert!(Journal::open(&place(&memory), tier()).expect("opened").is_none());
    assert_eq!(memory.bytes("tier.2.next"), None);
}

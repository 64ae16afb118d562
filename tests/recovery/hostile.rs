//! Records whose checksums agree and whose content does not add up.

use std::sync::Arc;

use cohortflow::store::memory::Memory;
use cohortflow::store::{Log, LogError, Store, StoreError};
use fastrand::Rng;

use crate::setting;
use crate::subject::{Subject, workload};

/// Kind, epoch and payload of a frame.
type Record = (u8, u64, Vec<u8>);

fn records(memory: &Memory) -> Vec<Record> {
    let mut records = Vec::new();
    Log::open(Arc::new(memory.clone()), |frame| {
        records.push((frame.kind, frame.epoch, frame.payload.to_vec()));
        Ok::<(), LogError>(())
    })
    .expect("it opens");
    records
}

fn with_records(records: &[Record]) -> Memory {
    let memory = Memory::default();
    let mut log = Log::open(Arc::new(memory.clone()), |_| Ok::<(), LogError>(())).expect("a fresh log opens");
    for (kind, epoch, payload) in records {
        log.append(*kind, *epoch, payload).expect("nothing fails");
    }
    memory
}

/// Opens, and reads everything that can be read. Whether it was refused, with a place.
fn is_refused(records: &[Record]) -> bool {
    let read = Subject::open(&with_records(records)).and_then(|subject| {
        subject.store.quarantine(|_, _| {})?;
        subject.store.live_partitions(|_, _| Ok(()))
    });
    match read {
        Ok(()) => false,
        Err(error @ StoreError::Record { .. }) => {
            assert!(error.to_string().starts_with("record at byte "), "{error}");
            true
        }
        Err(StoreError::Key) => true,
        Err(error) => panic!("{error}"),
    }
}

#[test]
fn a_store_is_not_opened_with_the_key_of_another() {
    let memory = Memory::default();
    let open = |key: u8| Store::open(Arc::new(memory.clone()), [key; 32]);
    for _ in 0..2 {
        open(1).expect("its own key").compact().expect("nothing fails");
        assert!(matches!(open(2), Err(StoreError::Key)));
    }
    // A store that was begun before keys were noted takes the one it is opened with.
    let memory = with_records(&[]);
    let open = |key: u8| Store::open(Arc::new(memory.clone()), [key; 32]).map(drop);
    assert!(open(3).is_ok() && open(3).is_ok());
    assert!(matches!(open(4), Err(StoreError::Key)));
}

fn finished() -> Vec<Record> {
    let memory = Memory::default();
    let mut subject = Subject::open(&memory).expect("a fresh store opens");
    for step in workload() {
        subject.step(&step).expect("nothing fails");
    }
    records(&memory)
}

#[test]
fn random_payloads_are_refused() {
    let mut rng = Rng::with_seed(1);
    for _ in 0..setting("HISTORIES", 200) * 10 {
        let payload: Vec<u8> = (0..rng.usize(0..200)).map(|_| rng.u8(..) & rng.u8(..) & rng.u8(..)).collect();
        is_refused(&[(rng.u8(0..6), 1, payload)]);
    }
    assert!(is_refused(&[(1, 1, Vec::new())]));
    assert!(is_refused(&[(9, 1, vec![0; 64])]));
}

#[test]
fn changed_payloads_never_end_in_a_panic() {
    let mut rng = Rng::with_seed(2);
    let records = finished();
    let mut refused = 0;
    for _ in 0..setting("HISTORIES", 200) * 20 {
        let mut records = records.clone();
        let record = rng.usize(0..records.len());
        let payload = &mut records[record].2;
        for _ in 0..rng.usize(1..4) {
            let at = rng.usize(0..payload.len());
            payload[at] = [0, 1, 0x7f, 0x80, 0xff, rng.u8(..)][rng.usize(0..6)];
        }
        if rng.u8(0..4) == 0 {
            payload.truncate(rng.usize(0..payload.len()));
        }
        refused += u64::from(is_refused(&records));
    }
    assert!(refused > 0);
}

#[test]
fn epochs_that_no_log_reaches_are_refused() {
    // A part of six numbers, all 0: no customers, no words.
    let names = vec![48, 0, 0, 0, 0, 0, 0, 0].into_iter().chain([0; 48]).collect::<Vec<u8>>();
    for (epochs, expected) in [([4, 4], false), ([4, 5], false), ([4, u64::MAX], true), ([5, 4], true)] {
        let records: Vec<Record> = epochs.into_iter().map(|epoch| (4, epoch, names.clone())).collect();
        assert_eq!(is_refused(&records), expected, "{epochs:?}");
    }
}

/// Columns of equal values cost no bytes, so thirty bytes could have gigabytes set aside for them.
#[test]
fn more_names_than_a_record_has_bytes_are_refused_before_they_are_looked_for() {
    // A part of names: a hundred thousand customers from the first on, the lengths of whose ids are all 1.
    let count = 100_000_u64.to_le_bytes();
    let mut names = [0_u64.to_le_bytes(), count, count].concat();
    names.extend([0, 0]);
    names.extend(1_i64.to_le_bytes());
    let payload = [&(names.len() as u64).to_le_bytes()[..], &names].concat();
    let error = Subject::open(&with_records(&[(4, 1, payload)])).map(|_| ()).expect_err("refused").to_string();
    assert!(error.contains("it announces more than follows"), "{error}");
}

//! A log from anywhere: it is refused, or what opens can be read whole, compacted, and read again the same.

use std::sync::Arc;

use cohortflow::store::memory::Memory;
use cohortflow::store::{Log, LogError, Store, StoreError};
use dataflows::oracle::Standing;

/// An even first byte: the others are the file. An odd one: they are records (kind, step of the epoch, two
/// bytes of length, payload), whose checksums are made to agree.
pub fn log_open(bytes: &[u8]) {
    let Some((choice, bytes)) = bytes.split_first() else { return };
    let memory = Memory::default();
    if choice % 2 == 0 {
        memory.put("log", bytes.to_vec());
    } else if !write(&memory, bytes) {
        return;
    }
    // A record whose content does not add up is told when it is read.
    let Ok(before) = everything(&memory) else { return };
    assert_eq!(everything(&memory).as_ref(), Ok(&before), "reading changed what is read");
    let mut store = open(&memory).expect("it opened before");
    store.compact().expect("what can be read can be written anew");
    drop(store);
    assert_eq!(everything(&memory).as_ref(), Ok(&before), "compacting changed what is read");
}

/// Appends the records. Whether the log took them all.
fn write(memory: &Memory, mut bytes: &[u8]) -> bool {
    let mut log = Log::open(Arc::new(memory.clone()), |_| Ok::<(), LogError>(())).expect("a fresh log opens");
    let mut epoch = 0;
    while let [kind, step, low, high, rest @ ..] = bytes {
        let length = usize::from(u16::from_le_bytes([*low, *high])).min(rest.len());
        let (payload, rest) = rest.split_at(length);
        epoch += u64::from(*step);
        if log.append(*kind, epoch, payload).is_err() {
            return false;
        }
        bytes = rest;
    }
    true
}

fn open(memory: &Memory) -> Result<Store, StoreError> {
    Store::open(Arc::new(memory.clone()), [7; 32])
}

/// Everything that can be read off a log, in one text; or why it cannot be.
fn everything(memory: &Memory) -> Result<String, String> {
    let read = || -> Result<String, StoreError> {
        let mut store = open(memory)?;
        let mut standing = Standing::default();
        store.hydrate(|facts| standing.apply(&facts))?;
        let mut text = format!("{standing:?}\n{:?}\n{:?}\n", store.programme(), store.clock());
        let ledger: Vec<_> = store.ledger().entries().collect();
        text.push_str(&format!("{ledger:?}\n"));
        store.quarantine(|file, reject| text.push_str(&format!("{file}: {reject:?}\n")))?;
        store.live_partitions(|partition, content| {
            text.push_str(&format!("{partition:?}: {content:?}\n"));
            Ok(())
        })?;
        Ok(text)
    };
    read().map_err(|error| error.to_string())
}

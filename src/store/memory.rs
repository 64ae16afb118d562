//! A directory in memory that forgets what was not synced.
//!
//! Two images of everything: what programs see, and what would be there after the power came back.
//! [`Memory::crash`] drops to the second, with as much of the unsynced part as a [`Loss`] leaves.
//! Every call is numbered; [`Memory::fail_at`] makes one of them fail, or end everything.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;

use parking_lot::Mutex;

use super::vfs::{Vfs, VfsFile};

/// What happens to writes that no sync has made durable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loss {
    /// All gone.
    All,
    /// Each write stays or goes by a coin that this seed throws.
    Some(u64),
    /// All stay but the last one of all files, of which only whole sectors before its middle stay.
    Torn,
    /// None: a process was killed. What no sync made durable is there to be read, and can still be
    /// lost by the next power cut.
    Nothing,
}

/// What becomes of the call with a given number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It fails, having done nothing. What a failed sync should have made durable never will be.
    Error,
    /// The same, for want of room.
    Full,
    /// It and every later call fail: the machine is gone.
    Crash,
}

/// Sectors are written whole or not at all.
const SECTOR: usize = 512;

#[derive(Clone, Default)]
struct Content {
    seen: Vec<u8>,
    durable: Vec<u8>,
    /// Since the last sync, in order.
    unsynced: Vec<Write>,
}

#[derive(Clone)]
struct Write {
    /// Its number among the writes to all files.
    number: u64,
    offset: usize,
    /// Bytes, or the length the file was cut to.
    change: Result<Vec<u8>, usize>,
}

#[derive(Clone, Default)]
struct State {
    /// Files by number, which a name is given to.
    files: Vec<Content>,
    names: BTreeMap<String, usize>,
    durable_names: BTreeMap<String, usize>,
    calls: u64,
    writes: u64,
    fault: Option<(u64, Fault)>,
    /// What the call was that was made to fail.
    failed: Option<&'static str>,
    gone: bool,
    /// Bytes that are left; without a bound where it is none.
    available: Option<u64>,
    /// No second image is kept: for one-shot runs, which end with the process.
    single: bool,
}

/// A directory in memory. Clones are the same directory.
#[derive(Clone, Default)]
pub struct Memory(Arc<Mutex<State>>);

struct MemoryFile {
    state: Arc<Mutex<State>>,
    file: usize,
}

impl Memory {
    /// A directory that cannot crash, and so needs no second image.
    pub fn single() -> Memory {
        Memory(Arc::new(Mutex::new(State { single: true, ..State::default() })))
    }

    /// Calls made so far.
    pub fn calls(&self) -> u64 {
        self.0.lock().calls
    }

    /// Lets the call with that number, counted from 0, fail.
    pub fn fail_at(&self, call: u64, fault: Fault) {
        self.0.lock().fault = Some((call, fault));
    }

    /// Leaves room for so many bytes. What is written does not count against it.
    pub fn set_available(&self, bytes: u64) {
        self.0.lock().available = Some(bytes);
    }

    /// Writes made so far, cuts included.
    pub fn writes(&self) -> u64 {
        self.0.lock().writes
    }

    /// The method whose call was made to fail, once it was.
    pub fn failed(&self) -> Option<&'static str> {
        self.0.lock().failed
    }

    /// The directory as it stands when the process, or the machine, is started again.
    pub fn crash(&self, loss: Loss) -> Memory {
        let state = self.0.lock();
        if loss == Loss::Nothing {
            let after = State { calls: 0, fault: None, failed: None, gone: false, ..state.clone() };
            return Memory(Arc::new(Mutex::new(after)));
        }
        let coin = std::cell::Cell::new(match loss {
            Loss::Some(seed) => seed,
            _ => 0,
        });
        let throw = || {
            // SplitMix64 (Steele, Lea, Flood 2014).
            coin.set(coin.get().wrapping_add(0x9e37_79b9_7f4a_7c15));
            let mut bits = coin.get();
            bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            (bits ^ (bits >> 31)) & 1 == 1
        };
        let last = state.files.iter().flat_map(|content| &content.unsynced).map(|write| write.number).max();
        let survive = |content: &Content| {
            let mut bytes = content.durable.clone();
            for write in &content.unsynced {
                let is_last = Some(write.number) == last;
                let kept = match (loss, &write.change) {
                    (Loss::All, _) => None,
                    (Loss::Some(_), change) => throw().then(|| change.clone()),
                    (Loss::Torn, Ok(written)) if is_last => {
                        let whole = (write.offset + written.len() / 2) / SECTOR * SECTOR;
                        Some(Ok(written[..whole.saturating_sub(write.offset).min(written.len())].to_vec()))
                    }
                    (Loss::Torn, Err(_)) if is_last => None,
                    (_, change) => Some(change.clone()),
                };
                if let Some(change) = kept {
                    apply(&mut bytes, write.offset, &change);
                }
            }
            Content { seen: bytes.clone(), durable: bytes, unsynced: Vec::new() }
        };
        let files = state.files.iter().map(survive).collect();
        let names = match loss {
            Loss::All => state.durable_names.clone(),
            Loss::Some(_) if throw() => state.durable_names.clone(),
            _ => state.names.clone(),
        };
        let after = State { files, durable_names: names.clone(), names, ..State::default() };
        Memory(Arc::new(Mutex::new(after)))
    }

    /// Puts a file in the place of another, durably: for tests of what notices it.
    pub fn put(&self, name: &str, bytes: Vec<u8>) {
        let mut state = self.0.lock();
        let file = state.files.len();
        state.files.push(Content { seen: bytes.clone(), durable: bytes, unsynced: Vec::new() });
        state.names.insert(name.to_owned(), file);
        state.durable_names.insert(name.to_owned(), file);
    }

    /// The bytes of a file.
    pub fn bytes(&self, name: &str) -> Option<Vec<u8>> {
        let state = self.0.lock();
        Some(state.files[*state.names.get(name)?].seen.clone())
    }
}

fn apply(bytes: &mut Vec<u8>, offset: usize, write: &Result<Vec<u8>, usize>) {
    match write {
        Err(len) => bytes.resize(*len, 0),
        Ok(written) => {
            if bytes.len() < offset + written.len() {
                bytes.resize(offset + written.len(), 0);
            }
            bytes[offset..offset + written.len()].copy_from_slice(written);
        }
    }
}

impl State {
    fn call(&mut self, method: &'static str) -> io::Result<()> {
        let call = self.calls;
        self.calls += 1;
        if self.gone {
            return Err(io::Error::other("the machine is gone"));
        }
        match self.fault {
            Some((at, fault)) if at == call => {
                self.failed = Some(method);
                self.gone = fault == Fault::Crash;
                Err(match fault {
                    Fault::Full => io::ErrorKind::StorageFull.into(),
                    _ => io::Error::other("this call was made to fail"),
                })
            }
            _ => Ok(()),
        }
    }
}

impl Vfs for Memory {
    fn open(&self, name: &str) -> io::Result<Box<dyn VfsFile>> {
        let mut state = self.0.lock();
        state.call("open")?;
        let fresh = state.files.len();
        let file = *state.names.entry(name.to_owned()).or_insert(fresh);
        if file == fresh {
            state.files.push(Content::default());
        }
        Ok(Box::new(MemoryFile { state: self.0.clone(), file }))
    }

    fn list(&self) -> io::Result<Vec<String>> {
        let mut state = self.0.lock();
        state.call("list")?;
        Ok(state.names.keys().cloned().collect())
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        let mut state = self.0.lock();
        state.call("rename")?;
        let file = state.names.remove(from).ok_or(io::ErrorKind::NotFound)?;
        state.names.insert(to.to_owned(), file);
        Ok(())
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        let mut state = self.0.lock();
        state.call("remove")?;
        state.names.remove(name).map(drop).ok_or(io::ErrorKind::NotFound.into())
    }

    fn sync_names(&self) -> io::Result<()> {
        let mut state = self.0.lock();
        state.call("sync_names")?;
        state.durable_names = state.names.clone();
        Ok(())
    }

    /// Asking is no call: it changes nothing, and a disk that does not tell is written to all the same.
    fn available(&self) -> io::Result<u64> {
        Ok(self.0.lock().available.unwrap_or(u64::MAX))
    }
}

impl VfsFile for MemoryFile {
    fn size(&self) -> io::Result<u64> {
        let mut state = self.state.lock();
        state.call("size")?;
        Ok(state.files[self.file].seen.len() as u64)
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        let mut state = self.state.lock();
        state.call("read_at")?;
        let from = usize::try_from(offset).map_err(io::Error::other)?;
        let content = state.files[self.file].seen.get(from..).and_then(|rest| rest.get(..buffer.len()));
        buffer.copy_from_slice(content.ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }

    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let mut state = self.state.lock();
        state.call("write_at")?;
        let offset = usize::try_from(offset).map_err(io::Error::other)?;
        self.change(&mut state, offset, Ok(bytes.to_vec()));
        Ok(())
    }

    fn truncate(&self, len: u64) -> io::Result<()> {
        let mut state = self.state.lock();
        state.call("truncate")?;
        let len = usize::try_from(len).map_err(io::Error::other)?;
        self.change(&mut state, 0, Err(len));
        Ok(())
    }

    fn sync(&self) -> io::Result<()> {
        let mut state = self.state.lock();
        let called = state.call("sync");
        if state.gone {
            return called;
        }
        let content = &mut state.files[self.file];
        let unsynced = std::mem::take(&mut content.unsynced);
        // As Linux does it: what could not be written counts as written from then on, and a second
        // sync says nothing of it.
        called?;
        for write in unsynced {
            apply(&mut content.durable, write.offset, &write.change);
        }
        Ok(())
    }
}

impl MemoryFile {
    fn change(&self, state: &mut State, offset: usize, change: Result<Vec<u8>, usize>) {
        let (single, number) = (state.single, state.writes);
        state.writes += 1;
        let content = &mut state.files[self.file];
        apply(&mut content.seen, offset, &change);
        if !single {
            content.unsynced.push(Write { number, offset, change });
        }
    }
}

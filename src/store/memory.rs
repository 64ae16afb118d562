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
    /// All stay but the last, of which only whole sectors before its middle stay.
    Torn,
    /// All stay, as when a process is killed.
    Nothing,
}

/// What becomes of the call with a given number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It fails, having done nothing.
    Error,
    /// It and every later call fail: the machine is gone.
    Crash,
}

/// Sectors are written whole or not at all.
const SECTOR: usize = 512;

#[derive(Clone, Default)]
struct Content {
    seen: Vec<u8>,
    durable: Vec<u8>,
    /// Writes since the last sync: offset, and bytes, or the length it was cut to.
    unsynced: Vec<(usize, Result<Vec<u8>, usize>)>,
}

#[derive(Default)]
struct State {
    /// Files by number, which a name is given to.
    files: Vec<Content>,
    names: BTreeMap<String, usize>,
    durable_names: BTreeMap<String, usize>,
    calls: u64,
    fault: Option<(u64, Fault)>,
    gone: bool,
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

    /// The directory as it stands after the power came back.
    pub fn crash(&self, loss: Loss) -> Memory {
        let state = self.0.lock();
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
        let last = state.files.iter().rposition(|content| !content.unsynced.is_empty());
        let survive = |(number, content): (usize, &Content)| {
            let mut bytes = content.durable.clone();
            let writes = content.unsynced.len();
            for (index, (offset, write)) in content.unsynced.iter().enumerate() {
                let is_last = Some(number) == last && index + 1 == writes;
                let kept = match (loss, write) {
                    (Loss::All, _) => None,
                    (Loss::Some(_), write) => throw().then(|| write.clone()),
                    (Loss::Torn, Ok(written)) if is_last => {
                        let whole = (offset + written.len() / 2) / SECTOR * SECTOR;
                        Some(Ok(written[..whole.saturating_sub(*offset).min(written.len())].to_vec()))
                    }
                    (Loss::Torn, Err(_)) if is_last => None,
                    (_, write) => Some(write.clone()),
                };
                if let Some(write) = kept {
                    apply(&mut bytes, *offset, &write);
                }
            }
            Content { seen: bytes.clone(), durable: bytes, unsynced: Vec::new() }
        };
        let files = state.files.iter().enumerate().map(survive).collect();
        let names = match loss {
            Loss::All => state.durable_names.clone(),
            Loss::Some(_) if throw() => state.durable_names.clone(),
            _ => state.names.clone(),
        };
        let after = State { files, durable_names: names.clone(), names, ..State::default() };
        Memory(Arc::new(Mutex::new(after)))
    }

    /// Changes a byte of a file, for tests of what notices it. Says whether there is such a byte.
    pub fn damage(&self, name: &str, offset: usize, change: u8) -> bool {
        let mut state = self.0.lock();
        let Some(file) = state.names.get(name).copied() else { return false };
        let content = &mut state.files[file];
        let (Some(seen), Some(durable)) = (content.seen.get_mut(offset), content.durable.get_mut(offset)) else {
            return false;
        };
        *seen ^= change;
        *durable ^= change;
        true
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
    fn call(&mut self) -> io::Result<()> {
        let call = self.calls;
        self.calls += 1;
        if self.gone {
            return Err(io::Error::other("the machine is gone"));
        }
        match self.fault {
            Some((at, Fault::Error)) if at == call => Err(io::Error::other("this call was made to fail")),
            Some((at, Fault::Crash)) if at == call => {
                self.gone = true;
                Err(io::Error::other("the machine is gone"))
            }
            _ => Ok(()),
        }
    }
}

impl Vfs for Memory {
    fn open(&self, name: &str) -> io::Result<Box<dyn VfsFile>> {
        let mut state = self.0.lock();
        state.call()?;
        let fresh = state.files.len();
        let file = *state.names.entry(name.to_owned()).or_insert(fresh);
        if file == fresh {
            state.files.push(Content::default());
        }
        Ok(Box::new(MemoryFile { state: self.0.clone(), file }))
    }

    fn list(&self) -> io::Result<Vec<String>> {
        let mut state = self.0.lock();
        state.call()?;
        Ok(state.names.keys().cloned().collect())
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        let mut state = self.0.lock();
        state.call()?;
        let file = state.names.remove(from).ok_or(io::ErrorKind::NotFound)?;
        state.names.insert(to.to_owned(), file);
        Ok(())
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        let mut state = self.0.lock();
        state.call()?;
        state.names.remove(name).map(drop).ok_or(io::ErrorKind::NotFound.into())
    }

    fn sync_names(&self) -> io::Result<()> {
        let mut state = self.0.lock();
        state.call()?;
        state.durable_names = state.names.clone();
        Ok(())
    }
}

impl VfsFile for MemoryFile {
    fn size(&self) -> io::Result<u64> {
        let mut state = self.state.lock();
        state.call()?;
        Ok(state.files[self.file].seen.len() as u64)
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        let mut state = self.state.lock();
        state.call()?;
        let from = usize::try_from(offset).map_err(io::Error::other)?;
        let content = state.files[self.file].seen.get(from..).and_then(|rest| rest.get(..buffer.len()));
        buffer.copy_from_slice(content.ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }

    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let mut state = self.state.lock();
        state.call()?;
        let offset = usize::try_from(offset).map_err(io::Error::other)?;
        self.change(&mut state, offset, Ok(bytes.to_vec()));
        Ok(())
    }

    fn truncate(&self, len: u64) -> io::Result<()> {
        let mut state = self.state.lock();
        state.call()?;
        let len = usize::try_from(len).map_err(io::Error::other)?;
        self.change(&mut state, 0, Err(len));
        Ok(())
    }

    fn sync(&self) -> io::Result<()> {
        let mut state = self.state.lock();
        state.call()?;
        let content = &mut state.files[self.file];
        for (offset, write) in std::mem::take(&mut content.unsynced) {
            apply(&mut content.durable, offset, &write);
        }
        Ok(())
    }
}

impl MemoryFile {
    fn change(&self, state: &mut State, offset: usize, write: Result<Vec<u8>, usize>) {
        let single = state.single;
        let content = &mut state.files[self.file];
        apply(&mut content.seen, offset, &write);
        if !single {
            content.unsynced.push((offset, write));
        }
    }
}

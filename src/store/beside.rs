//! Files of frames that lie beside the log.
//!
//! ```text
//! header   magic (8 bytes), format u32, what the tokens' key is known by (16 bytes), crc u32
//! frame    len u32, crc of payload u32, payload
//! ```
//!
//! What a service saw follows from nothing else, and nothing depends on it, so it costs no input and no view to lose:
//! what cannot be read is begun anew, a torn end is cut off. Frames are not synced one by one: as with the log's mark, a
//! kill loses nothing that was written, and a power cut may lose the latest.

use std::io;
use std::sync::Arc;

use super::vfs::{Vfs, VfsFile};

/// What a file is of.
pub(super) struct Kind {
    pub name: &'static str,
    /// What it is written anew as, before it takes its place.
    pub next: &'static str,
    /// Where goes what another build, or the store of another key, left there.
    pub aside: &'static str,
    pub magic: &'static [u8; 8],
    /// Every change of what stands in the file raises this.
    pub format: u32,
}

/// What was made of a payload.
#[derive(PartialEq, Eq)]
pub(super) enum Taken {
    Kept,
    /// It cannot be read: it and what follows is cut off.
    Damaged,
    /// It is of another store, or of a time that this one knows nothing of.
    Foreign,
}

pub(super) const HEADER: usize = 32;
pub(super) const FRAME: usize = 8;

/// A file of more bytes is not one of ours: it is written anew long before.
const BYTES_MAX: u64 = 1 << 30;

/// An open file.
pub(super) struct Frames {
    vfs: Arc<dyn Vfs>,
    kind: &'static Kind,
    file: Box<dyn VfsFile>,
    header: [u8; HEADER],
    end: u64,
}

impl Frames {
    /// Opens a file or begins one, and gives each whole payload to `take`. True where what was there is not of this
    /// store: it was put aside, and whatever was taken of it is to be forgotten.
    pub fn open(
        vfs: Arc<dyn Vfs>,
        kind: &'static Kind,
        fingerprint: [u8; 16],
        mut take: impl FnMut(&[u8]) -> Taken,
    ) -> io::Result<(Frames, bool)> {
        let header = header(kind, fingerprint);
        let file = vfs.open(kind.name)?;
        let mut frames = Frames { vfs, kind, file, header, end: HEADER as u64 };
        let len = frames.file.size()?;
        let mut bytes = vec![0; if len <= BYTES_MAX { len as usize } else { 0 }];
        frames.file.read_at(0, &mut bytes)?;
        let is_foreign = len > 0 && !frames.read(&bytes, &mut take);
        if is_foreign {
            frames.vfs.rename(kind.name, kind.aside)?;
            frames.file = frames.vfs.open(kind.name)?;
            frames.end = HEADER as u64;
        }
        if frames.end == HEADER as u64 {
            frames.file.truncate(0)?;
            frames.file.write_at(0, &header)?;
        } else {
            frames.file.truncate(frames.end)?;
        }
        Ok((frames, is_foreign))
    }

    /// Reads the frames up to the first that is not whole. False where they are not of this store.
    fn read(&mut self, bytes: &[u8], take: &mut impl FnMut(&[u8]) -> Taken) -> bool {
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
            match take(payload) {
                Taken::Kept => {}
                Taken::Damaged => break,
                Taken::Foreign => return false,
            }
            self.end += (FRAME + payload.len()) as u64;
            rest = &after[payload.len()..];
        }
        true
    }

    /// Writes a payload behind the others; it is bounded where it is made.
    pub fn append(&mut self, payload: &[u8]) -> io::Result<()> {
        let frame = frame(payload);
        self.file.write_at(self.end, &frame)?;
        self.end += frame.len() as u64;
        Ok(())
    }

    /// Writes the file anew.
    pub fn rewrite(&mut self, payloads: impl Iterator<Item = Vec<u8>>) -> io::Result<()> {
        let next = self.vfs.open(self.kind.next)?;
        next.truncate(0)?;
        next.write_at(0, &self.header)?;
        let mut end = HEADER as u64;
        for payload in payloads {
            let frame = frame(&payload);
            next.write_at(end, &frame)?;
            end += frame.len() as u64;
        }
        next.sync()?;
        self.vfs.rename(self.kind.next, self.kind.name)?;
        self.vfs.sync_names()?;
        (self.file, self.end) = (next, end);
        Ok(())
    }

    #[cfg(test)]
    pub fn end(&self) -> u64 {
        self.end
    }
}

impl Drop for Frames {
    fn drop(&mut self) {
        // What is lost here is less than a power cut may take.
        let _ = self.file.sync().and_then(|()| self.vfs.sync_names());
    }
}

fn header(kind: &Kind, fingerprint: [u8; 16]) -> [u8; HEADER] {
    let mut bytes = [0; HEADER];
    bytes[..8].copy_from_slice(kind.magic);
    bytes[8..12].copy_from_slice(&kind.format.to_le_bytes());
    bytes[12..28].copy_from_slice(&fingerprint);
    let crc = crc32c::crc32c(&bytes[..28]);
    bytes[28..].copy_from_slice(&crc.to_le_bytes());
    bytes
}

fn frame(payload: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(FRAME + payload.len());
    bytes.extend((payload.len() as u32).to_le_bytes());
    bytes.extend(crc32c::crc32c(payload).to_le_bytes());
    bytes.extend(payload);
    bytes
}

//! The log: accepted records, in order, each whole or not there.
//!
//! ```text
//! header   "COHORTFL", format u32, generation u64, crc u32
//! frame    magic u32, kind u8, epoch u64, len u64, crc of payload u32,
//!          crc of these 29 bytes u32 (bytes 25 to 28 are 0), payload
//! ```
//!
//! A frame is acknowledged when the sync after it has returned. How far that is, is also noted in a
//! small file of its own (`acked`), which is not synced: after a kill it is exact, after a power cut
//! it may be behind, never ahead. So a damaged frame below the mark is corruption, and refused, as is
//! a log that is older than the mark or gone; a frame beyond the mark that is not whole is a write
//! nobody was told of, and is cut off, unless a whole frame follows it, which no torn write leaves
//! behind.
//!
//! What is read back at opening counts as accepted from then on, and a killed process may have left
//! it in the page cache alone, or failed to sync it: opening writes what stands beyond the mark once
//! more, and syncs file and names, before anybody is told of it.

use std::io;
use std::sync::Arc;

use super::vfs::{Vfs, VfsFile};

/// Format of the log; every change of what stands in it raises this. Earlier ones are read, and written on as this one:
/// 2 knows the lines of rows, and undoes; 3 knows who was erased; 4 knows keys that are deleted.
pub const FORMAT: u32 = 4;

const HEADER: usize = 24;
const FRAME: usize = 33;
const MAGIC: u32 = u32::from_le_bytes(*b"CFrm");
const LOG: &str = "log";
const LOG_NEXT: &str = "log.next";
const ACKED: &str = "acked";

/// Why a log cannot be opened or written.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    #[error("could not {doing} the log: {source}")]
    Io { doing: &'static str, source: io::Error },
    #[error(
        "the log is damaged at byte {offset}: {what}\nhint: restore the data directory from a copy; nothing was changed"
    )]
    Corrupt { offset: u64, what: &'static str },
    #[error("the log has format {found}, this build reads 1 to {FORMAT}\nhint: open it with the build that wrote it")]
    Format { found: u32 },
    #[error(
        "a write could not be made durable: {0}\nhint: nothing since the last acknowledged batch was taken; check the disk, then start again"
    )]
    Sync(io::Error),
    #[error("an earlier write failed; the store takes nothing more until it is started again")]
    Stopped,
}

fn io_error(doing: &'static str) -> impl Fn(io::Error) -> LogError {
    move |source| LogError::Io { doing, source }
}

/// Where a frame's payload stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Location {
    pub offset: u64,
    pub len: u64,
}

/// A frame as it is read back.
pub struct Frame<'a> {
    pub kind: u8,
    pub epoch: u64,
    pub payload: &'a [u8],
    pub location: Location,
}

/// The open log.
pub struct Log {
    vfs: Arc<dyn Vfs>,
    file: Arc<dyn VfsFile>,
    acked: Box<dyn VfsFile>,
    generation: u64,
    end: u64,
    stopped: bool,
}

impl Log {
    /// Opens the log, or begins one, and gives every frame to `visit`, in order. What nobody was
    /// told of is cut off.
    pub fn open<E: From<LogError>>(
        vfs: Arc<dyn Vfs>,
        mut visit: impl FnMut(Frame<'_>) -> Result<(), E>,
    ) -> Result<Log, E> {
        let (mut log, acked) = Log::open_file(vfs)?;
        let len = log.file.size().map_err(io_error("read"))?;
        let mut offset = HEADER as u64;
        while offset < len {
            match log.read_frame(offset, len)? {
                Ok((kind, epoch, payload)) => {
                    let location = Location { offset: offset + FRAME as u64, len: payload.len() as u64 };
                    if offset >= acked {
                        log.write_frame(offset, kind, epoch, &payload)?;
                    }
                    visit(Frame { kind, epoch, payload: &payload, location })?;
                    offset = location.offset + location.len;
                }
                Err(what) => {
                    if offset < acked || log.has_frame_after(offset, len)? {
                        return Err(LogError::Corrupt { offset, what }.into());
                    }
                    log.file.truncate(offset).map_err(io_error("cut"))?;
                    break;
                }
            }
        }
        if offset < acked {
            return Err(LogError::Corrupt { offset, what: "acknowledged frames are missing" }.into());
        }
        log.file.sync().map_err(LogError::Sync)?;
        log.vfs.sync_names().map_err(LogError::Sync)?;
        log.end = offset;
        log.write_acked();
        Ok(log)
    }

    /// The log's file, its header checked or begun, and how far it was acknowledged.
    fn open_file(vfs: Arc<dyn Vfs>) -> Result<(Log, u64), LogError> {
        let names = vfs.list().map_err(io_error("look for"))?;
        let acked = vfs.open(ACKED).map_err(io_error("open"))?;
        let mark = read_mark(&*acked)?;
        if mark.is_some() && !names.iter().any(|name| name == LOG) {
            return Err(LogError::Corrupt { offset: 0, what: "the file `log` is missing" });
        }
        if names.iter().any(|name| name == LOG_NEXT) {
            // A compaction that did not come to its end; the log as it was stands.
            vfs.remove(LOG_NEXT).map_err(io_error("tidy up beside"))?;
        }
        let file: Arc<dyn VfsFile> = Arc::from(vfs.open(LOG).map_err(io_error("open"))?);
        let len = file.size().map_err(io_error("read"))?;
        let mut log = Log { vfs, file, acked, generation: 1, end: HEADER as u64, stopped: false };
        if len < HEADER as u64 {
            // Begun, perhaps, but nothing was ever acknowledged from it.
            if mark.is_some() {
                return Err(LogError::Corrupt { offset: 0, what: "the header is missing" });
            }
            log.file.truncate(0).map_err(io_error("begin"))?;
            log.file.write_at(0, &header(1)).map_err(io_error("begin"))?;
            return Ok((log, 0));
        }
        let mut bytes = [0; HEADER];
        log.file.read_at(0, &mut bytes).map_err(io_error("read"))?;
        let (found, generation) = (u32_at(&bytes, 8), u64_at(&bytes, 12));
        if !bytes.starts_with(b"COHORTFL") || crc32c::crc32c(&bytes[..20]) != u32_at(&bytes, 20) {
            return Err(LogError::Corrupt { offset: 0, what: "the header does not agree with its checksum" });
        }
        if !(1..=FORMAT).contains(&found) {
            return Err(LogError::Format { found });
        }
        let bytes = header(generation);
        if found != FORMAT {
            // A sector is written whole or not at all: a build that knows less never reads what is appended from here on.
            log.file.write_at(0, &bytes).map_err(io_error("write"))?;
        }
        log.generation = generation;
        match mark {
            Some(mark) if mark.generation > generation => {
                Err(LogError::Corrupt { offset: 0, what: "it is older than the file `acked` beside it" })
            }
            Some(mark) if mark.generation == generation => Ok((log, mark.end)),
            // The mark of an earlier generation says nothing of this one.
            _ => {
                log.file.write_at(0, &bytes).map_err(io_error("write"))?;
                Ok((log, 0))
            }
        }
    }

    fn write_acked(&self) {
        let mut bytes = [0; 20];
        bytes[..8].copy_from_slice(&self.generation.to_le_bytes());
        bytes[8..16].copy_from_slice(&self.end.to_le_bytes());
        let crc = crc32c::crc32c(&bytes[..16]);
        bytes[16..].copy_from_slice(&crc.to_le_bytes());
        // A mark that is behind is worth less and nothing more, so a failure here is none.
        let _ = self.acked.write_at(0, &bytes);
    }

    fn write_frame(&self, at: u64, kind: u8, epoch: u64, payload: &[u8]) -> Result<(), LogError> {
        self.file.write_at(at, &frame_header(kind, epoch, payload)).map_err(io_error("write"))?;
        self.file.write_at(at + FRAME as u64, payload).map_err(io_error("write"))
    }

    #[expect(clippy::type_complexity, reason = "a frame, or what is wrong with it")]
    fn read_frame(&self, offset: u64, len: u64) -> Result<Result<(u8, u64, Vec<u8>), &'static str>, LogError> {
        read_frame(&*self.file, offset, len)
    }

    /// Whether the head of a frame stands anywhere after `offset`.
    fn has_frame_after(&self, offset: u64, len: u64) -> Result<bool, LogError> {
        const BLOCK: u64 = 1 << 20;
        let mut from = offset + 1;
        while from + FRAME as u64 <= len {
            let until = (from + BLOCK + FRAME as u64).min(len);
            let mut bytes = vec![0; (until - from) as usize];
            self.file.read_at(from, &mut bytes).map_err(io_error("read"))?;
            let heads = bytes.windows(FRAME).filter(|head| head.starts_with(&MAGIC.to_le_bytes()));
            for head in heads {
                if head.first_chunk().is_some_and(|head| parse_frame_header(head).is_some()) {
                    return Ok(true);
                }
            }
            from += BLOCK;
        }
        Ok(false)
    }

    /// Appends a frame and makes it durable. When this returns the frame is acknowledged.
    pub fn append(&mut self, kind: u8, epoch: u64, payload: &[u8]) -> Result<Location, LogError> {
        self.goes_on()?;
        let at = self.end;
        // Whatever fails from here on leaves unknown bytes behind the end.
        self.stopped = true;
        self.write_frame(at, kind, epoch, payload)?;
        self.file.sync().map_err(LogError::Sync)?;
        self.stopped = false;
        self.end = at + (FRAME + payload.len()) as u64;
        self.write_acked();
        Ok(Location { offset: at + FRAME as u64, len: payload.len() as u64 })
    }

    /// The payload of a frame read or appended before. Its checksum is checked again.
    pub fn read(&self, location: Location) -> Result<Vec<u8>, LogError> {
        read_payload(&*self.file, location, self.end)
    }

    /// The log as it stands, to be read while more is appended, and after it was written anew.
    pub fn snapshot(&self) -> Snapshot {
        Snapshot { file: self.file.clone(), end: self.end }
    }

    /// The directory that it lies in.
    pub(super) fn vfs(&self) -> Arc<dyn Vfs> {
        self.vfs.clone()
    }

    /// Whether anything more is taken.
    pub fn goes_on(&self) -> Result<(), LogError> {
        if self.stopped { Err(LogError::Stopped) } else { Ok(()) }
    }

    /// Takes nothing more: what stands in memory is no longer what the log says.
    pub fn stop(&mut self) {
        self.stopped = true;
    }

    /// Bytes of the log: where the next frame begins.
    pub fn end(&self) -> u64 {
        self.end
    }

    /// Writes the log anew from what `write` appends, and makes it the log. Frames keep their order
    /// and lose what is dead; where they now stand is told by `write`'s own bookkeeping.
    pub fn rewrite<T>(
        &mut self,
        write: impl FnOnce(&Log, &mut dyn FnMut(u8, u64, &[u8]) -> Result<Location, LogError>) -> Result<T, LogError>,
    ) -> Result<T, LogError> {
        if self.stopped {
            return Err(LogError::Stopped);
        }
        let next = self.vfs.open(LOG_NEXT).map_err(io_error("compact"))?;
        next.truncate(0).map_err(io_error("compact"))?;
        next.write_at(0, &header(self.generation + 1)).map_err(io_error("compact"))?;
        let mut end = HEADER as u64;
        let mut append = |kind: u8, epoch: u64, payload: &[u8]| {
            next.write_at(end, &frame_header(kind, epoch, payload)).map_err(io_error("compact"))?;
            next.write_at(end + FRAME as u64, payload).map_err(io_error("compact"))?;
            let location = Location { offset: end + FRAME as u64, len: payload.len() as u64 };
            end = location.offset + location.len;
            Ok(location)
        };
        let told = match write(self, &mut append) {
            Ok(told) => told,
            Err(error) => {
                // It takes room that the log itself may need; should it stay, the next opening removes it.
                let _ = self.vfs.remove(LOG_NEXT);
                return Err(error);
            }
        };
        // From the first sync on a failure may have lost either log: stop.
        self.stopped = true;
        next.sync().map_err(LogError::Sync)?;
        self.vfs.rename(LOG_NEXT, LOG).map_err(io_error("compact"))?;
        self.vfs.sync_names().map_err(LogError::Sync)?;
        self.stopped = false;
        self.file = Arc::from(next);
        self.generation += 1;
        self.end = end;
        self.write_acked();
        Ok(told)
    }
}

/// The log as it stood: its frames stay where they are, whatever becomes of the log.
pub struct Snapshot {
    file: Arc<dyn VfsFile>,
    end: u64,
}

impl Snapshot {
    /// The payload of a frame that was there. Its checksum is checked again.
    pub fn read(&self, location: Location) -> Result<Vec<u8>, LogError> {
        read_payload(&*self.file, location, self.end)
    }
}

fn read_payload(file: &dyn VfsFile, location: Location, end: u64) -> Result<Vec<u8>, LogError> {
    let offset = location.offset - FRAME as u64;
    match read_frame(file, offset, end)? {
        Ok((_, _, payload)) if payload.len() as u64 == location.len => Ok(payload),
        Ok(_) => Err(LogError::Corrupt { offset, what: "a frame has another length" }),
        Err(what) => Err(LogError::Corrupt { offset, what }),
    }
}

#[expect(clippy::type_complexity, reason = "a frame, or what is wrong with it")]
fn read_frame(file: &dyn VfsFile, offset: u64, len: u64) -> Result<Result<(u8, u64, Vec<u8>), &'static str>, LogError> {
    let Some(header) = read_frame_header(file, offset, len)? else {
        return Ok(Err("the head of a frame does not agree with its checksum"));
    };
    let (kind, epoch, payload_len, crc) = header;
    if payload_len > len - offset - FRAME as u64 {
        return Ok(Err("a frame ends after the file"));
    }
    let mut payload = vec![0; payload_len as usize];
    file.read_at(offset + FRAME as u64, &mut payload).map_err(io_error("read"))?;
    if crc32c::crc32c(&payload) != crc {
        return Ok(Err("a frame does not agree with its checksum"));
    }
    Ok(Ok((kind, epoch, payload)))
}

fn read_frame_header(file: &dyn VfsFile, offset: u64, len: u64) -> Result<Option<(u8, u64, u64, u32)>, LogError> {
    if len - offset < FRAME as u64 {
        return Ok(None);
    }
    let mut bytes = [0; FRAME];
    file.read_at(offset, &mut bytes).map_err(io_error("read"))?;
    Ok(parse_frame_header(&bytes))
}

/// How far frames of a generation were acknowledged, as far as is known.
struct Mark {
    generation: u64,
    end: u64,
}

fn read_mark(acked: &dyn VfsFile) -> Result<Option<Mark>, LogError> {
    const MARK: u64 = 20;
    let len = acked.size().map_err(io_error("read the mark of"))?;
    if len == 0 {
        return Ok(None);
    }
    let mut bytes = [0; MARK as usize];
    if len == MARK {
        acked.read_at(0, &mut bytes).map_err(io_error("read the mark of"))?;
        if bytes == [0; MARK as usize] {
            // Its length outlived a power cut, and its content did not.
            return Ok(None);
        }
    }
    if len != MARK || crc32c::crc32c(&bytes[..16]) != u32_at(&bytes, 16) {
        return Err(LogError::Corrupt {
            offset: 0,
            what: "the file `acked` beside it does not agree with its checksum",
        });
    }
    Ok(Some(Mark { generation: u64_at(&bytes, 0), end: u64_at(&bytes, 8) }))
}

fn header(generation: u64) -> [u8; HEADER] {
    let mut bytes = [0; HEADER];
    bytes[..8].copy_from_slice(b"COHORTFL");
    bytes[8..12].copy_from_slice(&FORMAT.to_le_bytes());
    bytes[12..20].copy_from_slice(&generation.to_le_bytes());
    let crc = crc32c::crc32c(&bytes[..20]);
    bytes[20..].copy_from_slice(&crc.to_le_bytes());
    bytes
}

fn frame_header(kind: u8, epoch: u64, payload: &[u8]) -> [u8; FRAME] {
    let mut bytes = [0; FRAME];
    bytes[..4].copy_from_slice(&MAGIC.to_le_bytes());
    bytes[4] = kind;
    bytes[5..13].copy_from_slice(&epoch.to_le_bytes());
    bytes[13..21].copy_from_slice(&(payload.len() as u64).to_le_bytes());
    bytes[21..25].copy_from_slice(&crc32c::crc32c(payload).to_le_bytes());
    let crc = crc32c::crc32c(&bytes[..29]);
    bytes[29..].copy_from_slice(&crc.to_le_bytes());
    bytes
}

fn parse_frame_header(bytes: &[u8; FRAME]) -> Option<(u8, u64, u64, u32)> {
    let agrees = u32_at(bytes, 0) == MAGIC && crc32c::crc32c(&bytes[..29]) == u32_at(bytes, 29);
    agrees.then(|| (bytes[4], u64_at(bytes, 5), u64_at(bytes, 13), u32_at(bytes, 21)))
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    bytes.get(at..).and_then(|rest| rest.first_chunk()).map_or(0, |bytes| u32::from_le_bytes(*bytes))
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    bytes.get(at..).and_then(|rest| rest.first_chunk()).map_or(0, |bytes| u64::from_le_bytes(*bytes))
}

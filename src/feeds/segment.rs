//! A file of a feed: the rows that a view had, and what they became.
//!
//! ```text
//! header   magic (8 bytes), format u32, len u32, crc u32, what the feed is of (JSON)
//! frame    len u32, crc of payload u32, payload
//! payload  a part: lines of rows, + and -        or
//!          a mark: "= upper epoch mark", which closes the parts before it
//! ```
//!
//! The parts before the first mark are all rows of that moment; those before another are what became of them since the
//! mark before. Parts that no mark closes were told to nobody, and are cut off.

use std::io;
use std::sync::Arc;

use super::row::Part;
use crate::store::vfs::{Vfs, VfsFile};

const MAGIC: &[u8; 8] = b"COHORTFD";
const FORMAT: u32 = 1;
const HEADER: usize = 20;
const FRAME: usize = 8;

/// Largest payload, in bytes: a part with one row of the longest texts there are.
const PAYLOAD_MAX: usize = 64 << 20;

/// How the name of a file ends that is not whole yet.
pub const HALF: &str = ".next";

/// How far a feed has been told.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Mark {
    /// Everything that lies before is told.
    pub upper: u64,
    /// The epoch that was visible then.
    pub epoch: u64,
    /// What the feed has told so far, as a digest: another history has another.
    pub digest: [u8; 8],
}

/// A frame, taken apart.
pub enum Frame {
    Part(Part),
    Mark(Mark),
}

impl Frame {
    fn read(payload: &[u8]) -> Option<Frame> {
        let text = std::str::from_utf8(payload).ok()?;
        let Some(mark) = text.strip_prefix('=') else { return Part::read(text).map(Frame::Part) };
        let mut words = mark.split_whitespace();
        let (upper, epoch) = (words.next()?.parse().ok()?, words.next()?.parse().ok()?);
        let mut digest = [0; 8];
        hex::decode_to_slice(words.next()?, &mut digest).ok()?;
        words.next().is_none().then_some(Frame::Mark(Mark { upper, epoch, digest }))
    }
}

/// An open file.
pub struct Segment {
    pub name: String,
    file: Box<dyn VfsFile>,
    /// Behind the last mark.
    end: u64,
    /// The marks, each with where what follows it begins.
    marks: Vec<(Mark, u64)>,
}

impl Segment {
    /// Opens a file that is of the same as `of`, and gives the parts that each mark closes to `take`. None where it is
    /// of something else, or has no whole rows to begin with.
    pub fn open(
        vfs: &Arc<dyn Vfs>,
        name: String,
        of: &str,
        mut take: impl FnMut(Vec<Part>),
    ) -> io::Result<Option<Segment>> {
        let file = vfs.open(&name)?;
        let (len, head) = (file.size()?, header(of));
        let mut bytes = vec![0; head.len()];
        if len < head.len() as u64 || {
            file.read_at(0, &mut bytes)?;
            bytes != head
        } {
            return Ok(None);
        }
        let mut segment = Segment { name, file, end: head.len() as u64, marks: Vec::new() };
        let (mut at, mut parts) = (segment.end, Vec::new());
        while let Some((frame, after)) = segment.read(at, len)? {
            at = after;
            match frame {
                Frame::Part(part) => parts.push(part),
                Frame::Mark(mark) => {
                    take(std::mem::take(&mut parts));
                    segment.marks.push((mark, at));
                    segment.end = at;
                }
            }
        }
        if segment.marks.is_empty() {
            return Ok(None);
        }
        segment.file.truncate(segment.end)?;
        // What is read back may be in the cache alone, and is told from now on.
        segment.file.sync()?;
        Ok(Some(segment))
    }

    /// Begins a file with all rows of a moment. It appears whole or not at all.
    pub fn begin<E: From<io::Error>>(
        vfs: &Arc<dyn Vfs>,
        name: String,
        of: &str,
        rows: impl Iterator<Item = Result<Part, E>>,
        mark: Mark,
    ) -> Result<Segment, E> {
        let half = format!("{name}{HALF}");
        let file = vfs.open(&half)?;
        file.truncate(0)?;
        let head = header(of);
        file.write_at(0, &head)?;
        let mut segment = Segment { name, file, end: head.len() as u64, marks: Vec::new() };
        for part in rows {
            segment.part(&part?)?;
        }
        segment.close(mark)?;
        vfs.rename(&half, &segment.name)?;
        vfs.sync_names()?;
        Ok(segment)
    }

    /// Writes parts and the mark that closes them, durably.
    pub fn append(&mut self, parts: &[Arc<Part>], mark: Mark) -> io::Result<()> {
        for part in parts {
            self.part(part)?;
        }
        self.close(mark)
    }

    /// Writes a part. One without rows is none.
    fn part(&mut self, part: &Part) -> io::Result<()> {
        let lines = part.lines();
        if lines.is_empty() { Ok(()) } else { self.write(lines.as_bytes()) }
    }

    fn close(&mut self, mark: Mark) -> io::Result<()> {
        let text = format!("={} {} {}", mark.upper, mark.epoch, hex::encode(mark.digest));
        self.write(text.as_bytes())?;
        self.file.sync()?;
        self.marks.push((mark, self.end));
        Ok(())
    }

    fn write(&mut self, payload: &[u8]) -> io::Result<()> {
        let mut frame = Vec::with_capacity(FRAME + payload.len());
        frame.extend((payload.len() as u32).to_le_bytes());
        frame.extend(crc32c::crc32c(payload).to_le_bytes());
        frame.extend(payload);
        self.file.write_at(self.end, &frame)?;
        self.end += frame.len() as u64;
        Ok(())
    }

    /// The frame at a place before `len`, and where the next one begins; none where no whole one is there.
    fn read(&self, at: u64, len: u64) -> io::Result<Option<(Frame, u64)>> {
        let mut head = [0; FRAME];
        if len.saturating_sub(at) < FRAME as u64 {
            return Ok(None);
        }
        self.file.read_at(at, &mut head)?;
        let [bytes, crc] = [0, 4].map(|at| u32::from_le_bytes([head[at], head[at + 1], head[at + 2], head[at + 3]]));
        let after = at + FRAME as u64 + u64::from(bytes);
        // None is empty: zeros that a power cut left behind agree with their checksum.
        if bytes == 0 || bytes as usize > PAYLOAD_MAX || after > len {
            return Ok(None);
        }
        let mut payload = vec![0; bytes as usize];
        self.file.read_at(at + FRAME as u64, &mut payload)?;
        let frame = if crc32c::crc32c(&payload) == crc { Frame::read(&payload) } else { None };
        Ok(frame.map(|frame| (frame, after)))
    }

    /// The frame at a place that was told to stand there.
    pub fn frame(&self, at: u64) -> io::Result<Option<(Frame, u64)>> {
        if at >= self.end {
            return Ok(None);
        }
        self.read(at, self.end)?
            .map(Some)
            .ok_or_else(|| io::Error::other(format!("{} is damaged at byte {at}", self.name)))
    }

    /// The mark of everything before a place in time, and where what follows it begins.
    pub fn mark(&self, upper: u64) -> Option<(Mark, u64)> {
        let place = self.marks.binary_search_by_key(&upper, |(mark, _)| mark.upper).ok()?;
        self.marks.get(place).copied()
    }

    /// The first mark, behind which nothing but changes stands, and the last.
    pub fn first(&self) -> Option<(Mark, u64)> {
        self.marks.first().copied()
    }

    pub fn last(&self) -> Option<Mark> {
        self.marks.last().map(|(mark, _)| *mark)
    }

    /// Bytes of rows, and of what became of them.
    pub fn bytes(&self) -> (u64, u64) {
        let rows = self.marks.first().map_or(0, |(_, at)| *at);
        (rows, self.end - rows)
    }
}

fn header(of: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(HEADER + of.len());
    bytes.extend(MAGIC);
    bytes.extend(FORMAT.to_le_bytes());
    bytes.extend((of.len() as u32).to_le_bytes());
    bytes.extend(crc32c::crc32c(of.as_bytes()).to_le_bytes());
    bytes.extend(of.as_bytes());
    bytes
}

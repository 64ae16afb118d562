//! Containers: the bytes of a source, unpacked, in blocks, within bounds.
//!
//! What a file is packed in is read off its first bytes. Bounds hold while unpacking, so that a file
//! of a few kilobytes that unpacks to gigabytes costs neither memory nor much time.

use std::cell::Cell;
use std::fmt;
use std::io::{self, BufReader, Read};

use sha2::{Digest, Sha256};

use super::error::{Code, Failure, Refused, Retry};
use super::source::Source;

/// Bytes read at a time; the unit in which everything below works.
pub(super) const BLOCK_BYTES: usize = 256 << 10;
/// Unpacked bytes that a file may have whatever its own size.
const BOMB_BYTES_MIN: u64 = 16 << 20;
/// Times its own size that a file may unpack to beyond that. Bills of one shape reach 60.
const BOMB_RATIO_MAX: u64 = 200;

/// What a file is, by its first bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    Text,
    Gzip,
    Zstd,
    Parquet,
    /// Known, and not taken.
    Other(&'static str),
}

impl Kind {
    /// The kind that a file's first bytes show.
    pub(super) fn of(head: &[u8]) -> Kind {
        match head {
            [0x1F, 0x8B, ..] => Kind::Gzip,
            [0x28, 0xB5, 0x2F, 0xFD, ..] | [0x50..=0x5F, 0x2A, 0x4D, 0x18, ..] => Kind::Zstd,
            [b'P', b'A', b'R', b'1', ..] => Kind::Parquet,
            [b'P', b'K', 3 | 5, 4 | 6, ..] => Kind::Other("a zip archive"),
            [b'B', b'Z', b'h', b'1'..=b'9', ..] => Kind::Other("bzip2"),
            [0xFD, b'7', b'z', b'X', b'Z', 0, ..] => Kind::Other("xz"),
            [b'7', b'z', 0xBC, 0xAF, ..] => Kind::Other("a 7z archive"),
            [0x04, 0x22, 0x4D, 0x18, ..] => Kind::Other("lz4"),
            _ => Kind::Text,
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Kind::Text => "plain text",
            Kind::Gzip => "gzip",
            Kind::Zstd => "zstd",
            Kind::Parquet => "Parquet",
            Kind::Other(name) => name,
        })
    }
}

/// What has been read of the raw bytes, shared with the reader that is buried in the unpacker.
#[derive(Default)]
pub(super) struct Tally {
    bytes: Cell<u64>,
    /// Of every pass: two passes that differ have not read the same file.
    crc: Cell<u32>,
    /// Set where the reading itself failed, which says nothing about the content.
    failed: Cell<Option<io::Error>>,
}

/// Reads raw bytes and keeps the tally; `hash` only on the pass that needs it.
struct Raw<'a> {
    inner: Box<dyn Read + 'a>,
    tally: &'a Tally,
    hash: Option<&'a Cell<Sha256>>,
}

impl Read for Raw<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = match self.inner.read(buffer) {
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return Err(error),
            Err(error) => {
                self.tally.failed.set(Some(error));
                return Err(io::ErrorKind::Other.into());
            }
        };
        let bytes = buffer.get(..count).unwrap_or_default();
        self.tally.bytes.set(self.tally.bytes.get().saturating_add(count as u64));
        self.tally.crc.set(crc32c::crc32c_append(self.tally.crc.get(), bytes));
        if let Some(cell) = self.hash {
            let mut hash = cell.take();
            hash.update(bytes);
            cell.set(hash);
        }
        Ok(count)
    }
}

/// The raw side of one pass: lives as long as the [`Stream`] that reads through it.
#[derive(Default)]
pub(super) struct Pass {
    tally: Tally,
    hash: Cell<Sha256>,
}

impl Pass {
    /// SHA-256 of what was read, where the stream was opened to compute it.
    pub(super) fn sha256(&self) -> [u8; 32] {
        self.hash.take().finalize().into()
    }

    /// A checksum of what was read.
    pub(super) fn crc(&self) -> u32 {
        self.tally.crc.get()
    }
}

/// Unpacked bytes.
pub(super) struct Stream<'a> {
    inner: Box<dyn Read + 'a>,
    kind: Kind,
    tally: &'a Tally,
    unpacked: u64,
    unpacked_max: u64,
    progress: &'a mut dyn FnMut(u64),
}

impl<'a> Stream<'a> {
    /// Unpacks `source` from its start. `progress` hears how many raw bytes have been read.
    pub(super) fn open(
        source: &'a Source<'_>,
        kind: Kind,
        pass: &'a Pass,
        hashed: bool,
        unpacked_max: u64,
        progress: &'a mut dyn FnMut(u64),
    ) -> Result<Stream<'a>, Failure> {
        let raw = Raw { inner: source.reader()?, tally: &pass.tally, hash: hashed.then_some(&pass.hash) };
        let inner: Box<dyn Read + 'a> = match kind {
            Kind::Gzip => Box::new(flate2::bufread::MultiGzDecoder::new(BufReader::with_capacity(BLOCK_BYTES, raw))),
            Kind::Zstd => Box::new(zstd::stream::read::Decoder::new(raw).map_err(Retry::from)?),
            _ => Box::new(raw),
        };
        Ok(Stream { inner, kind, tally: &pass.tally, unpacked: 0, unpacked_max, progress })
    }

    /// Fills `buffer` as far as there are bytes; less than all of it only at the end.
    pub(super) fn fill(&mut self, buffer: &mut [u8]) -> Result<usize, Failure> {
        let mut filled = 0;
        while let Some(rest) = buffer.get_mut(filled..).filter(|rest| !rest.is_empty()) {
            match self.inner.read(rest) {
                Ok(0) => break,
                Ok(count) => filled += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(self.failure(&error)),
            }
        }
        self.unpacked = self.unpacked.saturating_add(filled as u64);
        self.check_bounds()?;
        (self.progress)(self.tally.bytes.get());
        Ok(filled)
    }

    /// The unpacker's errors are the file's fault unless the reading below it failed.
    fn failure(&self, error: &io::Error) -> Failure {
        if let Some(error) = self.tally.failed.take() {
            return Retry::from(error).into();
        }
        let fact = match error.kind() {
            io::ErrorKind::UnexpectedEof => format!("it is truncated: the {} data ends too early", self.kind),
            _ => format!("its {} data is damaged", self.kind),
        };
        Refused::new(Code::Corrupt, fact).into()
    }

    fn check_bounds(&self) -> Result<(), Failure> {
        let packed = if self.kind == Kind::Text { u64::MAX } else { self.tally.bytes.get() };
        Ok(check_unpacked(self.unpacked, packed, self.unpacked_max)?)
    }
}

/// The most that `packed` bytes may unpack to.
pub(super) fn natural_max(packed: u64) -> u64 {
    packed.saturating_mul(BOMB_RATIO_MAX).max(BOMB_BYTES_MIN)
}

/// Fails where more has been unpacked than is allowed, or than `packed` bytes naturally hold.
pub(super) fn check_unpacked(unpacked: u64, packed: u64, unpacked_max: u64) -> Result<(), Refused> {
    if unpacked > unpacked_max {
        let fact = format!("it holds more than {unpacked_max} bytes, the most that is allowed");
        return Err(Refused::new(Code::TooBig, fact).hint("Deliver it in several parts."));
    }
    if unpacked > natural_max(packed) {
        let fact = format!("it unpacks to more than {BOMB_RATIO_MAX} times its size");
        return Err(Refused::new(Code::Bomb, fact).hint("Deliver it as plain CSV."));
    }
    Ok(())
}

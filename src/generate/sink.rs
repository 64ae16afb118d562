//! Where a file's bytes go: packed, hashed, onto the disk.
//!
//! What is packed is packed the same everywhere: gzip with stored blocks and no time (a deflater may
//! choose its matches by what the processor can do), zstd at a fixed level by the one library that
//! the build pins. A new version of either library may write other bytes.

use std::fs::File;
use std::io::{self, BufWriter, Write};

use flate2::write::GzEncoder;
use flate2::{Compression, GzBuilder};
use sha2::{Digest, Sha256};

/// What a file is packed in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Container {
    Plain,
    Gzip,
    Zstd,
}

/// Fast, and packs digits to a fifth.
const ZSTD_LEVEL: i32 = 3;
/// Bytes gathered before the disk is asked.
const BUFFER_BYTES: usize = 256 << 10;

/// What packs the bytes.
pub(super) enum Sink {
    Plain(Hashed),
    Gzip(GzEncoder<Hashed>),
    Zstd(zstd::Encoder<'static, Hashed>),
}

impl Sink {
    pub(super) fn new(file: File, container: Container) -> io::Result<Sink> {
        let hashed = Hashed::new(file);
        Ok(match container {
            Container::Plain => Sink::Plain(hashed),
            // Neither a time nor a name nor a system in its header.
            Container::Gzip => {
                Sink::Gzip(GzBuilder::new().mtime(0).operating_system(255).write(hashed, Compression::none()))
            }
            Container::Zstd => Sink::Zstd(zstd::Encoder::new(hashed, ZSTD_LEVEL)?),
        })
    }

    pub(super) fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Sink::Plain(sink) => sink.write_all(bytes),
            Sink::Gzip(sink) => sink.write_all(bytes),
            Sink::Zstd(sink) => sink.write_all(bytes),
        }
    }

    /// Ends the file, and gives its size in bytes and its SHA-256.
    pub(super) fn finish(self) -> io::Result<(u64, [u8; 32])> {
        match self {
            Sink::Plain(sink) => sink,
            Sink::Gzip(sink) => sink.finish()?,
            Sink::Zstd(sink) => sink.finish()?,
        }
        .finish()
    }
}

/// A file and the hash of what went into it.
pub(super) struct Hashed {
    file: BufWriter<File>,
    sha256: Sha256,
    bytes: u64,
}

impl Hashed {
    fn new(file: File) -> Hashed {
        Hashed { file: BufWriter::with_capacity(BUFFER_BYTES, file), sha256: Sha256::new(), bytes: 0 }
    }

    fn finish(mut self) -> io::Result<(u64, [u8; 32])> {
        self.file.flush()?;
        Ok((self.bytes, self.sha256.finalize().into()))
    }
}

impl Write for Hashed {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write_all(bytes)?;
        self.sha256.update(bytes);
        self.bytes += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

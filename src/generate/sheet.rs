//! A file as an operator's system would write it: delimiter, encoding, container, control file.
//!
//! A file appears under its name when it is whole, and its control file after it, so a directory that
//! a service watches can be written to. A file without a row is left out. What stood under its name
//! before goes, its control file first, so that neither ever speaks of the other's bytes.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use super::cells::Cells;
use super::damage::Damage;
use super::feeds::Feed;
use super::sink::{Container, Sink};

/// How a file's characters are written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Encoding {
    Utf8,
    /// UTF-8 with a byte order mark.
    Marked,
    Gb18030,
}

/// How a feed's files look.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Shape {
    pub(super) delimiter: char,
    pub(super) encoding: Encoding,
    pub(super) container: Container,
}

impl Shape {
    pub(super) const PLAIN: Shape = Shape { delimiter: ',', encoding: Encoding::Utf8, container: Container::Plain };

    /// What a file name ends in.
    pub(super) fn extension(self) -> &'static str {
        match self.container {
            Container::Plain => "csv",
            Container::Gzip => "csv.gz",
            Container::Zstd => "csv.zst",
        }
    }
}

/// Text that is kept before it is encoded, in bytes.
const BLOCK_BYTES: usize = 64 << 10;

/// A file being written.
pub(super) struct Sheet {
    path: PathBuf,
    half: PathBuf,
    feed: Feed,
    shape: Shape,
    damage: Damage,
    text: String,
    /// Where the last row begins in `text`, and where each of its cells ends.
    start: usize,
    ends: Vec<usize>,
    rows: u64,
    sink: Sink,
}

/// What a file that was written holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Written {
    pub(super) rows: u64,
    pub(super) bytes: u64,
}

impl Sheet {
    /// Begins `directory/name` with the header.
    pub(super) fn create(directory: &Path, name: &str, feed: Feed, shape: Shape, damage: Damage) -> io::Result<Sheet> {
        let half = half(directory, name);
        let sink = Sink::new(File::create(&half)?, shape.container)?;
        let mut text = String::with_capacity(BLOCK_BYTES + 4096);
        if shape.encoding == Encoding::Marked {
            text.push('\u{FEFF}');
        }
        for (place, (column, _)) in feed.columns().iter().enumerate() {
            if place > 0 {
                text.push(shape.delimiter);
            }
            text.push_str(column);
        }
        text.push('\n');
        let path = directory.join(name);
        Ok(Sheet { path, half, feed, shape, damage, text, start: 0, ends: Vec::new(), rows: 0, sink })
    }

    /// Writes a row: `fill` gives its cells in the order of the feed's columns.
    pub(super) fn row(&mut self, fill: impl FnOnce(&mut Cells<'_>)) -> io::Result<()> {
        self.start = self.text.len();
        self.ends.clear();
        fill(&mut Cells { text: &mut self.text, ends: &mut self.ends, delimiter: self.shape.delimiter });
        debug_assert_eq!(self.ends.len(), self.feed.columns().len(), "{}", self.feed);
        // The delimiter after the last cell becomes the end of the line.
        self.text.pop();
        self.text.push('\n');
        self.rows += 1;
        if self.damage.is_due() {
            self.damaged();
        }
        if self.text.len() >= BLOCK_BYTES { self.pass_on() } else { Ok(()) }
    }

    fn damaged(&mut self) {
        let end = self.text.len();
        match self.damage.cell(self.feed.columns()) {
            None => self.text.extend_from_within_(self.start, end),
            Some((place, cell)) => {
                let from = if place == 0 { self.start } else { self.ends[place - 1] + 1 };
                self.text.extend_from_within_(self.start, from);
                self.text.push_str(cell);
                self.text.extend_from_within_(self.ends[place], end);
            }
        }
        self.rows += 1;
    }

    fn pass_on(&mut self) -> io::Result<()> {
        match self.shape.encoding {
            Encoding::Utf8 | Encoding::Marked => self.sink.write_all(self.text.as_bytes())?,
            Encoding::Gb18030 => self.sink.write_all(&encoding_rs::GB18030.encode(&self.text).0)?,
        }
        self.text.clear();
        Ok(())
    }

    /// Ends the file: it and its control file appear, or nothing does where it has no row.
    pub(super) fn finish(mut self, control: bool) -> io::Result<Written> {
        self.pass_on()?;
        let (bytes, sha256) = self.sink.finish()?;
        let control_path = with_ok(&self.path);
        remove(&control_path)?;
        if self.rows == 0 {
            remove(&self.path)?;
            fs::remove_file(&self.half)?;
            return Ok(Written::default());
        }
        fs::rename(&self.half, &self.path)?;
        if control {
            let sha256 = hex::encode(sha256);
            let half = with_ok(&self.half);
            fs::write(&half, format!("rows={}\nsha256={sha256}\n", self.rows))?;
            fs::rename(half, control_path)?;
        }
        Ok(Written { rows: self.rows, bytes })
    }
}

/// Where a file is written until it is whole: a name that nobody looks at.
pub(super) fn half(directory: &Path, name: &str) -> PathBuf {
    directory.join(format!(".{name}.tmp"))
}

fn with_ok(path: &Path) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(".ok");
    PathBuf::from(name)
}

/// Removes a file, if it is there.
fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// [`Vec::extend_from_within`] for text.
trait ExtendFromWithin {
    fn extend_from_within_(&mut self, from: usize, to: usize);
}

impl ExtendFromWithin for String {
    fn extend_from_within_(&mut self, from: usize, to: usize) {
        let copy = self[from..to].to_owned();
        self.push_str(&copy);
    }
}

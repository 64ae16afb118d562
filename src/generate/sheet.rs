//! A file as an operator's system would write it: delimiter, encoding, container, control file.
//!
//! A file appears under its name when it is whole, and its control file after it, so a directory that
//! a service watches can be written to. A file without a row is left out.
//!
//! What is packed is packed the same everywhere: gzip with stored blocks and no time (a deflater may
//! choose its matches by what the processor can do), zstd at a fixed level by the one library that
//! the build pins. A new version of either library may write other bytes.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use dataflows::types::{Day, Month, SECONDS_PER_DAY, Time};
use flate2::write::GzEncoder;
use flate2::{Compression, GzBuilder};
use sha2::{Digest, Sha256};

use super::damage::Damage;
use super::feeds::Feed;

/// How a file's characters are written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Encoding {
    Utf8,
    /// UTF-8 with a byte order mark.
    Marked,
    Gb18030,
}

/// What a file is packed in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Container {
    Plain,
    Gzip,
    Zstd,
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
/// Fast, and packs digits to a fifth.
const ZSTD_LEVEL: i32 = 3;

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
        let half = directory.join(format!(".{name}.tmp"));
        let sink = Sink::new(Hashed::new(File::create(&half)?), shape.container)?;
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
        let hashed = self.sink.finish()?;
        if self.rows == 0 {
            fs::remove_file(&self.half)?;
            return Ok(Written::default());
        }
        let (bytes, sha256) = hashed.finish()?;
        fs::rename(&self.half, &self.path)?;
        if control {
            let sha256: String = sha256.iter().map(|byte| format!("{byte:02x}")).collect();
            let (mut path, mut half) = (self.path.into_os_string(), self.half.into_os_string());
            path.push(".ok");
            half.push(".ok");
            fs::write(&half, format!("rows={}\nsha256={sha256}\n", self.rows))?;
            fs::rename(half, path)?;
        }
        Ok(Written { rows: self.rows, bytes })
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

/// The cells of a row, written one after the other.
pub(super) struct Cells<'a> {
    text: &'a mut String,
    ends: &'a mut Vec<usize>,
    delimiter: char,
}

impl Cells<'_> {
    fn end(&mut self) -> &mut Self {
        self.ends.push(self.text.len());
        self.text.push(self.delimiter);
        self
    }

    /// Text that needs no quotes.
    pub(super) fn text(&mut self, text: &str) -> &mut Self {
        debug_assert!(!text.contains([',', '|', '\t', '"', '\n']), "{text:?} needs quotes");
        self.text.push_str(text);
        self.end()
    }

    /// An empty cell.
    pub(super) fn none(&mut self) -> &mut Self {
        self.end()
    }

    /// A letter and a number of a fixed width, as ids are.
    pub(super) fn id(&mut self, letter: char, number: u64, width: usize) -> &mut Self {
        self.text.push(letter);
        self.digits(number, width);
        self.end()
    }

    /// A customer.
    pub(super) fn customer(&mut self, number: u64) -> &mut Self {
        self.id('C', number, CUSTOMER_DIGITS)
    }

    /// An id of what a customer did: a letter, the customer, the month, and which of it.
    pub(super) fn event(&mut self, letter: char, customer: u64, month: Month, number: u32) -> &mut Self {
        self.text.push(letter);
        self.digits(customer, CUSTOMER_DIGITS);
        self.text.push('-');
        self.digits(month.0 as u64, 5);
        self.text.push('-');
        self.digits(u64::from(number), 2);
        self.end()
    }

    pub(super) fn count(&mut self, count: u64) -> &mut Self {
        self.digits(count, 1);
        self.end()
    }

    pub(super) fn integer(&mut self, integer: i64) -> &mut Self {
        if integer < 0 {
            self.text.push('-');
        }
        self.count(integer.unsigned_abs())
    }

    /// Hundredths: fen as yuan.
    pub(super) fn money(&mut self, hundredths: i64) -> &mut Self {
        if hundredths < 0 {
            self.text.push('-');
        }
        self.digits(hundredths.unsigned_abs() / 100, 1);
        self.text.push('.');
        self.digits(hundredths.unsigned_abs() % 100, 2);
        self.end()
    }

    pub(super) fn boolean(&mut self, boolean: bool) -> &mut Self {
        self.text(if boolean { "true" } else { "false" })
    }

    pub(super) fn month(&mut self, month: Month) -> &mut Self {
        self.digits(month.year() as u64, 4);
        self.text.push('-');
        self.digits(u64::from(month.month()), 2);
        self.end()
    }

    fn push_day(&mut self, day: Day) {
        let (year, month, day) = day.civil();
        self.digits(year as u64, 4);
        self.text.push('-');
        self.digits(u64::from(month), 2);
        self.text.push('-');
        self.digits(u64::from(day), 2);
    }

    pub(super) fn day(&mut self, day: Day) -> &mut Self {
        self.push_day(day);
        self.end()
    }

    pub(super) fn time(&mut self, time: Time) -> &mut Self {
        self.push_day(time.day());
        let second = time.0.rem_euclid(SECONDS_PER_DAY) as u64;
        for (sign, part) in [(' ', second / 3600), (':', second / 60 % 60), (':', second % 60)] {
            self.text.push(sign);
            self.digits(part, 2);
        }
        self.end()
    }

    /// A number with at least `width` digits.
    fn digits(&mut self, mut number: u64, width: usize) {
        let mut digits = [b'0'; 20];
        let mut at = digits.len();
        while number > 0 || digits.len() - at < width {
            at -= 1;
            digits[at] = b'0' + (number % 10) as u8;
            number /= 10;
        }
        self.text.extend(digits[at..].iter().map(|&digit| char::from(digit)));
    }
}

/// Digits of a customer's number, so that ids sort as numbers do.
const CUSTOMER_DIGITS: usize = 9;

/// What packs the bytes.
enum Sink {
    Plain(Hashed),
    Gzip(GzEncoder<Hashed>),
    Zstd(zstd::Encoder<'static, Hashed>),
}

impl Sink {
    fn new(hashed: Hashed, container: Container) -> io::Result<Sink> {
        Ok(match container {
            Container::Plain => Sink::Plain(hashed),
            // Neither a time nor a name nor a system in its header.
            Container::Gzip => {
                Sink::Gzip(GzBuilder::new().mtime(0).operating_system(255).write(hashed, Compression::none()))
            }
            Container::Zstd => Sink::Zstd(zstd::Encoder::new(hashed, ZSTD_LEVEL)?),
        })
    }

    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Sink::Plain(sink) => sink.write_all(bytes),
            Sink::Gzip(sink) => sink.write_all(bytes),
            Sink::Zstd(sink) => sink.write_all(bytes),
        }
    }

    fn finish(self) -> io::Result<Hashed> {
        match self {
            Sink::Plain(sink) => Ok(sink),
            Sink::Gzip(sink) => sink.finish(),
            Sink::Zstd(sink) => sink.finish(),
        }
    }
}

/// A file and the hash of what went into it.
struct Hashed {
    file: BufWriter<File>,
    sha256: Sha256,
    bytes: u64,
}

impl Hashed {
    fn new(file: File) -> Hashed {
        Hashed { file: BufWriter::with_capacity(256 << 10, file), sha256: Sha256::new(), bytes: 0 }
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

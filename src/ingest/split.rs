//! Splitting: a file's text into records, by a CSV parser that never holds more than one.
//!
//! Line numbers are physical: CR, LF and CRLF end a line each, also inside quotes, and a record has
//! the number of the line on which it begins. The parser is csv-core; what it does not tell (where
//! a record begins, whether a quote was left open) is found here from how much it has read.
//!
//! Invariant: at any time, memory holds one block of text and one record of at most
//! [`RECORD_BYTES_MAX`].

use csv_core::{ReadRecordResult, Reader, ReaderBuilder, Terminator};
use dataflows::records::Feed;

use super::batch::{Batch, Record};
use super::encoding::Text;
use super::error::{Code, Failure, Refused};
use super::schema::columns;
use super::stream::BLOCK_BYTES;

/// Longest field. An unclosed quote runs on until it meets this.
const FIELD_BYTES_MAX: usize = 64 << 10;
/// Most line ends in a quoted field.
const FIELD_LINES_MAX: u64 = 100;
/// Longest record, quotes aside.
const RECORD_BYTES_MAX: usize = 1 << 20;
/// Most fields of a record.
const RECORD_FIELDS_MAX: usize = 1024;
/// The delimiters, in the order in which they win where the header says nothing.
const DELIMITERS: [u8; 3] = [b',', b'|', b'\t'];

/// Counts line ends: CR, LF, or both as one.
#[derive(Clone, Copy, Default)]
struct Lines {
    ended: u64,
    after_cr: bool,
}

impl Lines {
    fn advance(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            if byte == b'\r' || (byte == b'\n' && !self.after_cr) {
                self.ended += 1;
            }
            self.after_cr = byte == b'\r';
        }
    }

    fn of(bytes: &[u8]) -> u64 {
        let mut lines = Lines::default();
        lines.advance(bytes);
        lines.ended
    }
}

/// Reads records one after the other.
pub(super) struct Records<'a> {
    text: Text<'a>,
    reader: Reader,
    delimiter: u8,
    block: Vec<u8>,
    from: usize,
    to: usize,
    /// Where the next quote stands in the block, or its end; behind `from` where it must be looked for.
    quote: usize,
    has_ended: bool,
    lines: Lines,
    line: u64,
    /// The record's fields, one after the other, and where each ends.
    fields: Vec<u8>,
    ends: Vec<usize>,
    fields_len: usize,
    ends_len: usize,
}

impl<'a> Records<'a> {
    /// Reads `text`; the delimiter is the one that finds most of the feed's columns in the header.
    pub(super) fn new(mut text: Text<'a>, feed: Feed) -> Result<Records<'a>, Failure> {
        let mut block = vec![0; BLOCK_BYTES];
        let to = text.fill(&mut block)?;
        let head = block.get(..to).unwrap_or_default();
        let known = |delimiter: &u8| known_columns(head, *delimiter, feed);
        let delimiter = DELIMITERS.into_iter().rev().max_by_key(known).unwrap_or(b',');
        Ok(Records {
            text,
            reader: reader(delimiter),
            delimiter,
            block,
            from: 0,
            to,
            quote: 0,
            has_ended: to == 0,
            lines: Lines::default(),
            line: 1,
            fields: vec![0; RECORD_BYTES_MAX],
            ends: vec![0; RECORD_FIELDS_MAX],
            fields_len: 0,
            ends_len: 0,
        })
    }

    /// The delimiter.
    pub(super) fn delimiter(&self) -> u8 {
        self.delimiter
    }

    /// The block in which the records of a batch stand.
    pub(super) fn block(&self) -> &[u8] {
        &self.block
    }

    /// The record's fields, one after the other.
    fn fields(&self) -> &[u8] {
        self.fields.get(..self.fields_len).unwrap_or_default()
    }

    /// Where each field ends.
    fn ends(&self) -> &[usize] {
        self.ends.get(..self.ends_len).unwrap_or_default()
    }

    /// The text behind the last record: none, once there are no more.
    pub(super) fn into_text(self) -> Text<'a> {
        self.text
    }

    /// Reads the next record by itself; none at the end.
    pub(super) fn first(&mut self) -> Result<Option<Record<'_>>, Failure> {
        if !self.skip_blank_lines()? || !self.read_record()? {
            return Ok(None);
        }
        Ok(Some(Record { line: self.line, bytes: self.fields(), ends: self.ends(), gap: 0 }))
    }

    /// Fills `batch` with the next records; none of them at the end. What it gives stands in
    /// [`Records::block`] until the next call.
    pub(super) fn fill(&mut self, batch: &mut Batch) -> Result<(), Failure> {
        batch.clear();
        while !batch.is_full() {
            if self.skip_blank_lines_of_block() {
                if batch.is_empty() && self.skip_blank_lines()? {
                    continue;
                }
                break;
            }
            if self.add_plain(batch) {
                continue;
            }
            if batch.has_plain() {
                // It may go on in the next block, and records of this batch stand in this one.
                break;
            }
            if !self.read_record()? {
                break;
            }
            batch.add_copy(self.line, self.fields(), self.ends());
        }
        Ok(())
    }

    /// Adds the record at the next byte as it stands: without a quote, of usual size, and whole in
    /// the block. Says whether it could.
    fn add_plain(&mut self, batch: &mut Batch) -> bool {
        let rest = self.block.get(self.from..self.to).unwrap_or_default();
        if self.quote < self.from {
            self.quote = memchr::memchr(b'"', rest).map_or(self.to, |at| self.from + at);
        }
        let Some(len) = memchr::memchr2(b'\r', b'\n', rest) else { return false };
        if len > FIELD_BYTES_MAX || self.quote < self.from + len {
            return false;
        }
        let record = rest.get(..len).unwrap_or_default();
        let ends = memchr::memchr_iter(self.delimiter, record).chain(std::iter::once(len));
        let line = self.lines.ended + 1;
        if !batch.add_plain(line, (self.from, self.from + len), ends, RECORD_FIELDS_MAX) {
            return false;
        }
        self.lines.advance(rest.get(len..=len).unwrap_or_default());
        self.from += len + 1;
        true
    }

    /// Reads the record that begins at the next byte; false where there is none.
    fn read_record(&mut self) -> Result<bool, Failure> {
        self.line = self.lines.ended + 1;
        (self.fields_len, self.ends_len) = (0, 0);
        loop {
            let input = self.block.get(self.from..self.to).unwrap_or_default();
            // An open quote takes a line end for text; everything else ends at it.
            let input = if self.has_ended { b"\n" } else { input };
            let fields = self.fields.get_mut(self.fields_len..).unwrap_or_default();
            let ends = self.ends.get_mut(self.ends_len..).unwrap_or_default();
            let (result, read, written, ended) = self.reader.read_record(input, fields, ends);
            self.fields_len += written;
            self.ends_len += ended;
            let read_bytes = input.get(..read).unwrap_or_default();
            let is_record = matches!(result, ReadRecordResult::Record);
            if is_record && read == self.fields_len + self.ends_len {
                // Fields and what ends them, and no quote: so no line end but the last byte.
                self.lines.advance(read_bytes.last_chunk::<1>().map(<[u8; 1]>::as_slice).unwrap_or_default());
            } else if !self.has_ended {
                self.lines.advance(read_bytes);
            }
            if !self.has_ended {
                self.from += read;
            }
            match result {
                ReadRecordResult::Record => {
                    self.check_fields()?;
                    return Ok(true);
                }
                ReadRecordResult::InputEmpty if self.has_ended => return Err(self.unclosed().into()),
                ReadRecordResult::InputEmpty => {
                    self.check_open_field()?;
                    self.refill()?;
                }
                ReadRecordResult::OutputFull => {
                    self.check_open_field()?;
                    return Err(self.too_long(format!("a row of more than {RECORD_BYTES_MAX} bytes")).into());
                }
                ReadRecordResult::OutputEndsFull => {
                    return Err(self.too_long(format!("a row of more than {RECORD_FIELDS_MAX} fields")).into());
                }
                ReadRecordResult::End => return Ok(false),
            }
        }
    }

    /// Goes to the first byte of the next record in the block; true where there is none in it.
    fn skip_blank_lines_of_block(&mut self) -> bool {
        let rest = self.block.get(self.from..self.to).unwrap_or_default();
        let blank = rest.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
        self.lines.advance(rest.get(..blank).unwrap_or_default());
        self.from += blank;
        self.from >= self.to
    }

    /// Goes to the first byte of the next record; false where there is none.
    fn skip_blank_lines(&mut self) -> Result<bool, Failure> {
        loop {
            if !self.skip_blank_lines_of_block() {
                return Ok(true);
            }
            if self.has_ended {
                return Ok(false);
            }
            self.refill()?;
        }
    }

    fn refill(&mut self) -> Result<(), Failure> {
        (self.from, self.to) = (0, self.text.fill(&mut self.block)?);
        self.quote = memchr::memchr(b'"', self.block.get(..self.to).unwrap_or_default()).unwrap_or(self.to);
        self.has_ended = self.to == 0;
        Ok(())
    }

    /// Fields that are within bounds only because the record has ended.
    fn check_fields(&self) -> Result<(), Failure> {
        let spans_lines = self.lines.ended.saturating_sub(self.line) > FIELD_LINES_MAX;
        if self.fields_len <= FIELD_BYTES_MAX && !spans_lines {
            return Ok(());
        }
        let mut start = 0;
        for &end in self.ends() {
            self.check_field(start, end)?;
            start = end;
        }
        Ok(())
    }

    fn check_open_field(&self) -> Result<(), Failure> {
        self.check_field(self.ends().last().copied().unwrap_or_default(), self.fields_len)
    }

    fn check_field(&self, start: usize, end: usize) -> Result<(), Failure> {
        let field = self.fields.get(start..end).unwrap_or_default();
        let is_long = field.len() > FIELD_BYTES_MAX;
        if is_long && memchr::memchr2(b'\r', b'\n', field).is_none() {
            return Err(self.too_long(format!("a field of more than {FIELD_BYTES_MAX} bytes")).into());
        }
        if is_long || Lines::of(field) > FIELD_LINES_MAX {
            return Err(self.unclosed_from(start).into());
        }
        Ok(())
    }

    fn unclosed(&self) -> Refused {
        self.unclosed_from(self.ends().last().copied().unwrap_or_default())
    }

    /// An unclosed quote of the field that begins at `start`.
    fn unclosed_from(&self, start: usize) -> Refused {
        let before = Lines::of(self.fields().get(..start).unwrap_or_default());
        Refused::new(Code::UnclosedQuote, "a quoted field is not closed").on_line(self.line + before)
    }

    fn too_long(&self, what: String) -> Refused {
        Refused::new(Code::TooLong, format!("it has {what}")).on_line(self.line)
    }
}

fn reader(delimiter: u8) -> Reader {
    ReaderBuilder::new().delimiter(delimiter).terminator(Terminator::CRLF).build()
}

/// How many names in the first record are columns of the feed, if `delimiter` is the delimiter.
fn known_columns(head: &[u8], delimiter: u8, feed: Feed) -> usize {
    let begin = head.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
    let head = head.get(begin..).unwrap_or_default();
    let (mut fields, mut ends) = (vec![0; FIELD_BYTES_MAX], vec![0; RECORD_FIELDS_MAX]);
    let mut reader = reader(delimiter);
    let (result, _, written, ended) = reader.read_record(head, &mut fields, &mut ends);
    // A file without any line end has its header ended by the end.
    let tail = fields.len().min(written);
    let ended = match result {
        ReadRecordResult::InputEmpty => {
            if let Some(end) = ends.get_mut(ended) {
                *end = tail;
            }
            ended + 1
        }
        _ => ended,
    };
    let mut start = 0;
    let mut known = 0;
    for &end in ends.iter().take(ended) {
        let name = fields.get(start..end).unwrap_or_default();
        known += usize::from(columns(feed).iter().any(|column| column.name.as_bytes() == name));
        start = end;
    }
    known
}

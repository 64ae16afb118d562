//! A row's cells, by the feed's columns.

use std::fmt;

use dataflows::records::{Feed, ID_BYTES_MAX};

use super::batch::Record;
use super::header::Header;
use super::reason::{Bad, Reason};
use super::schema::columns;
use crate::numbers::hidden_freely;

/// Longest other text.
const TEXT_BYTES_MAX: usize = 4096;

/// A record that is sound as text: as many cells as the header, UTF-8, no control characters.
pub(super) struct Row<'a> {
    text: &'a str,
    ends: &'a [usize],
    gap: usize,
    header: &'a Header,
}

impl<'a> Row<'a> {
    /// Takes a record.
    pub(super) fn new(record: Record<'a>, header: &'a Header) -> Result<Row<'a>, Bad> {
        let Record { bytes, ends, gap, .. } = record;
        let text = simdutf8::basic::from_utf8(bytes).map_err(|_| Bad::row(Reason::Encoding))?;
        // Two broken halves in neighbouring fields make a whole character.
        if !ends.iter().all(|&end| text.is_char_boundary(end)) {
            return Err(Bad::row(Reason::Encoding));
        }
        if ends.len() != header.width {
            return Err(Bad::row(Reason::Columns { expected: header.width, found: ends.len() }));
        }
        let row = Row { text, ends, gap, header };
        if has_control(text) { Err(row.control()) } else { Ok(row) }
    }

    /// The first `N` columns of the feed, which are all of them.
    pub(super) fn cells<const N: usize>(&self) -> [Cell<'a>; N] {
        std::array::from_fn(|column| self.cell(column))
    }

    pub(super) fn feed(&self) -> Feed {
        self.header.feed
    }

    /// A column of the feed by its place.
    pub(super) fn cell(&self, column: usize) -> Cell<'a> {
        Cell {
            name: columns(self.header.feed).get(column).map_or("", |column| column.name),
            text: self.header.places.get(column).copied().flatten().map_or("", |place| self.field(place)),
        }
    }

    /// A field by its place in the file.
    pub(super) fn field(&self, place: usize) -> &'a str {
        let before = place.checked_sub(1).and_then(|before| self.ends.get(before));
        let start = before.map_or(0, |end| end + self.gap);
        self.ends.get(place).and_then(|&end| self.text.get(start..end)).unwrap_or_default()
    }

    /// Names the column of ours that holds a control character, if it is one of ours.
    fn control(&self) -> Bad {
        let holds = |place: &Option<usize>| place.is_some_and(|place| has_control(self.field(place)));
        let column = self.header.places.iter().position(holds).and_then(|column| columns(self.header.feed).get(column));
        Bad { column: column.map_or("", |column| column.name), reason: Reason::Control }
    }
}

/// Whether a text has a control character other than a tab or a line end, which only quotes let in.
fn has_control(text: &str) -> bool {
    // Without a branch in it, so that it runs over many bytes at a time.
    let (suspicious, beyond_ascii) = text.bytes().fold((false, false), |(suspicious, beyond_ascii), byte| {
        (suspicious | (byte < 0x20) | (byte == 0x7F), beyond_ascii | (byte >= 0x80))
    });
    let is_control = |character: char| character.is_control() && !matches!(character, '\t' | '\r' | '\n');
    (suspicious || beyond_ascii) && text.chars().any(is_control)
}

/// A cell and the name of its column.
#[derive(Clone, Copy)]
pub(super) struct Cell<'a> {
    name: &'static str,
    text: &'a str,
}

impl fmt::Debug for Cell<'_> {
    // What it holds may be personal.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Cell({})", self.name)
    }
}

impl<'a> Cell<'a> {
    pub(super) fn bad(self, reason: Reason) -> Bad {
        Bad { column: self.name, reason }
    }

    /// A value that must be there.
    pub(super) fn required<T>(self, parse: impl FnOnce(&'a str) -> Result<T, Reason>) -> Result<T, Bad> {
        if self.text.is_empty() {
            return Err(self.bad(Reason::Missing));
        }
        parse(self.text).map_err(|reason| self.bad(reason))
    }

    /// A value that may be absent.
    pub(super) fn optional<T>(self, parse: impl FnOnce(&'a str) -> Result<T, Reason>) -> Result<Option<T>, Bad> {
        if self.text.is_empty() { Ok(None) } else { parse(self.text).map(Some).map_err(|reason| self.bad(reason)) }
    }

    /// An id that must be there.
    pub(super) fn id(self) -> Result<&'a str, Bad> {
        if self.text.is_empty() { Err(self.bad(Reason::Missing)) } else { self.bounded(ID_BYTES_MAX) }
    }

    /// An id that may be absent: then it is empty.
    pub(super) fn optional_id(self) -> Result<&'a str, Bad> {
        self.bounded(ID_BYTES_MAX)
    }

    /// A text that may be absent: then it is empty.
    pub(super) fn text(self) -> Result<&'a str, Bad> {
        self.bounded(TEXT_BYTES_MAX)
    }

    /// A text that somebody wrote, about whomever: without phone numbers. None where it is empty.
    pub(super) fn words(self) -> Result<Option<Box<str>>, Bad> {
        Ok(boxed(&hidden_freely(self.text()?)))
    }

    fn bounded(self, bytes_max: usize) -> Result<&'a str, Bad> {
        if self.text.len() > bytes_max { Err(self.bad(Reason::TooLong { bytes_max })) } else { Ok(self.text) }
    }
}

/// A text that stays text; none where it is empty.
pub(super) fn boxed(text: &str) -> Option<Box<str>> {
    (!text.is_empty()).then(|| text.into())
}

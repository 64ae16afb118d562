//! Records a few hundred at a time.
//!
//! A batch is split first and read then: each in a loop of its own, timed by itself, and the names of
//! a batch are interned under one lock.

/// Records of a batch: few enough that whoever waits for the dictionary does not have to for long.
pub(super) const BATCH_RECORDS: usize = 1024;

/// A record: its fields, and where each ends.
#[derive(Clone, Copy)]
pub(super) struct Record<'a> {
    /// The physical line on which it begins, from 1; its number in Parquet.
    pub(super) line: u64,
    pub(super) bytes: &'a [u8],
    pub(super) ends: &'a [usize],
    /// Bytes between a field and the next: the delimiter, where the record stands as it came; none
    /// where quotes were taken out of it.
    pub(super) gap: usize,
}

impl<'a> Record<'a> {
    /// The fields, one after the other.
    pub(super) fn fields(self) -> impl Iterator<Item = &'a [u8]> {
        let starts = std::iter::once(0).chain(self.ends.iter().map(move |end| end + self.gap));
        starts.zip(self.ends).map(move |(start, &end)| self.bytes.get(start..end).unwrap_or_default())
    }
}

/// Where a record of a batch stands.
struct Span {
    line: u64,
    /// In the block or among the batch's own bytes.
    bytes: (usize, usize),
    ends: (usize, usize),
    is_own: bool,
}

/// Records that have been split.
#[derive(Default)]
pub(super) struct Batch {
    spans: Vec<Span>,
    ends: Vec<usize>,
    own: Vec<u8>,
    has_plain: bool,
}

impl Batch {
    pub(super) fn clear(&mut self) {
        self.has_plain = false;
        self.spans.clear();
        self.ends.clear();
        self.own.clear();
    }

    pub(super) fn is_empty(&self) -> bool {
        self.spans.is_empty()
    }

    /// Whether a record of it stands in the block.
    pub(super) fn has_plain(&self) -> bool {
        self.has_plain
    }

    pub(super) fn is_full(&self) -> bool {
        self.spans.len() >= BATCH_RECORDS
    }

    /// Adds a record without quotes that stands in the block, and whose fields end at `ends`, counted
    /// from its start; false, and nothing added, where it has more fields than `most`.
    pub(super) fn add_plain(
        &mut self,
        line: u64,
        bytes: (usize, usize),
        ends: impl Iterator<Item = usize>,
        most: usize,
    ) -> bool {
        let first = self.ends.len();
        self.ends.extend(ends);
        if self.ends.len() - first > most {
            self.ends.truncate(first);
            return false;
        }
        self.has_plain = true;
        self.spans.push(Span { line, bytes, ends: (first, self.ends.len()), is_own: false });
        true
    }

    /// Adds a copy of a record whose fields stand one after the other.
    pub(super) fn add_copy(&mut self, line: u64, fields: &[u8], ends: &[usize]) {
        let (from, first) = (self.own.len(), self.ends.len());
        self.own.extend_from_slice(fields);
        self.ends.extend_from_slice(ends);
        let (bytes, ends) = ((from, self.own.len()), (first, self.ends.len()));
        self.spans.push(Span { line, bytes, ends, is_own: true });
    }

    /// The records, of which the plain ones stand in `block`.
    pub(super) fn records<'a>(&'a self, block: &'a [u8]) -> impl Iterator<Item = Record<'a>> {
        self.spans.iter().map(move |span| {
            let bytes = if span.is_own { &self.own } else { block };
            Record {
                line: span.line,
                bytes: bytes.get(span.bytes.0..span.bytes.1).unwrap_or_default(),
                ends: self.ends.get(span.ends.0..span.ends.1).unwrap_or_default(),
                gap: usize::from(!span.is_own),
            }
        })
    }
}

//! What ingest hands to the store.

use std::collections::BTreeMap;
use std::time::Duration;

use dataflows::records::{Feed, RowKey, Rows};
use dataflows::types::{CustomerIx, Time, Token, Word};

use super::lines::Lines;

/// The identity of a file's content: contract, "Feeds". A higher version of a partition replaces
/// the lower one. Ordered as rows of different partitions take precedence: (period, part) by bytes.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Hash)]
pub struct Partition {
    pub feed: Feed,
    pub period: String,
    /// Empty where the file name has none.
    pub part: String,
}

/// One file, decoded and validated.
#[derive(Debug)]
pub struct Extract {
    /// The file's own name, without directories.
    pub file: String,
    pub partition: Partition,
    pub version: u32,
    /// The good rows, in the file's order; of equal keys only the first.
    pub rows: Rows,
    /// The keys that it deletes, in its order, none of them a row's. A file deletes none: it lacks a row.
    pub deleted: Vec<RowKey>,
    /// Where they stand in the file; empty where there is none.
    pub lines: Lines,
    /// The others, in the file's order.
    pub rejects: Vec<Reject>,
    /// How many of them there are for each reason.
    pub reasons: Reasons,
    /// Rows that were left out, since whom they name was erased. Nothing else is known of them.
    pub erased: u64,
    /// SHA-256 of the raw bytes.
    pub sha256: [u8; 32],
    pub took: Took,
    /// Told to the operator: unknown columns, a BOM that disagrees, mixed line ends.
    pub warnings: Vec<String>,
}

impl Extract {
    /// Its data rows, but for those that were left out.
    pub fn data_rows(&self) -> u64 {
        (self.rows.len() + self.deleted.len() + self.rejects.len()) as u64
    }
}

/// Rejects by the name of their reason, of which there are few.
pub type Reasons = BTreeMap<&'static str, u64>;

/// How long reading a file took.
#[derive(Clone, Copy, Default, Debug)]
pub struct Took {
    /// Reading, unpacking, decoding, splitting; both passes.
    pub decode: Duration,
    /// From fields to values, or to rejects.
    pub validate: Duration,
}

/// A row that cannot be taken, as the view `quarantine` shows it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Reject {
    /// The physical line it begins on, the header being line 1; the row's number in Parquet.
    pub line: u64,
    /// The column at fault; empty where it is the row as a whole.
    pub column: String,
    /// What was expected, never the value found.
    pub reason: String,
    /// The row as delivered, personal data masked.
    pub row: String,
}

/// By what somebody is known who may have been erased.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Named<'a> {
    /// A customer's id.
    Customer(&'a str),
    /// What stands for his phone number.
    Number(Token),
    /// The id of what he ordered here.
    Request(&'a str),
}

/// Where ids become dense numbers. The store's dictionary outside tests.
pub trait Intern {
    /// The number of a customer's id, taken in order where it is met for the first time.
    fn customer(&mut self, id: &str) -> CustomerIx;
    /// The number of a text of small variety. The empty text is [`Word::NULL`].
    fn word(&mut self, text: &str) -> Word;
    /// A batch of rows is about to be read: whatever many names share may be held until its end.
    fn begin(&mut self) {}
    /// The batch has been read.
    fn end(&mut self) {}
    /// The token that stands for a phone number.
    fn token(&self, msisdn: &str) -> Token;
    /// Whether somebody was erased: no row of his is taken, and nothing of it is kept.
    fn is_erased(&self, _: Named<'_>) -> bool {
        false
    }
    /// Whether anybody was.
    fn has_erased(&self) -> bool {
        false
    }
}

/// What the programme and the operator decide about taking files.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Local time of the programme.
    pub timezone: jiff::tz::TimeZone,
    /// Largest share of bad rows, as an exact fraction (numerator, denominator).
    pub bad_rows_max: (u64, u64),
    /// Whether a file without its control file is refused.
    pub control_required: bool,
    /// Wall time, local: rows later than a day after it are quarantined.
    pub wall: Time,
    /// Largest file after decompression, in bytes.
    pub decoded_bytes_max: u64,
}

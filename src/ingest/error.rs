//! Why a file is not taken: refused for what it holds, or to be tried again.
//!
//! [`Refused`] goes to the ledger as rejected and stays so until other bytes come. [`Retry`] says
//! nothing about the file's content: the same file may well be taken a minute later.

use std::fmt;
use std::io;

use thiserror::Error;

use super::names::shown;

/// What keeps a file from being taken. Shown in three parts: the fact, where, what to do.
#[derive(Debug, Error)]
pub enum ReadError {
    #[error("could not take extract \"{file}\": {refused}")]
    Refused { file: String, refused: Box<Refused> },
    #[error(
        "could not read extract \"{file}\": {retry}\nhint: It is tried again. Nothing from this file has been applied."
    )]
    Retry { file: String, retry: Retry },
}

/// Why a file is refused: stable, for scripts and the ledger.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum Code {
    /// Nothing in it, not even a header.
    Empty,
    /// A directory, link, pipe or device.
    NotAFile,
    /// More bytes than the setting allows, packed or unpacked.
    TooBig,
    /// Unpacks to far more than any extract does.
    Bomb,
    /// Truncated or damaged: container or Parquet.
    Corrupt,
    /// Packed in a way that is not taken, or twice.
    Container,
    /// UTF-16 and the like.
    Encoding,
    /// No header that could be one, or none of ours.
    Header,
    /// Mandatory columns are missing.
    ColumnMissing,
    /// A column stands twice in the header.
    ColumnRepeated,
    /// A column of a type that cannot hold what it must.
    ColumnType,
    /// A quote that nothing closes.
    UnclosedQuote,
    /// A field or row longer than any real one.
    TooLong,
    /// More rows than a file can be counted in.
    TooManyRows,
    /// More unreadable rows than allowed.
    BadRows,
    /// No control file, and one is required.
    ControlMissing,
    /// A control file that cannot be read.
    ControlUnreadable,
    /// The control file counts other rows.
    RowCount,
    /// The control file is of other bytes.
    Checksum,
}

impl Code {
    /// The code as text.
    pub fn as_str(self) -> &'static str {
        match self {
            Code::Empty => "empty",
            Code::NotAFile => "not_a_file",
            Code::TooBig => "too_big",
            Code::Bomb => "bomb",
            Code::Corrupt => "corrupt",
            Code::Container => "container",
            Code::Encoding => "encoding",
            Code::Header => "header",
            Code::ColumnMissing => "column_missing",
            Code::ColumnRepeated => "column_repeated",
            Code::ColumnType => "column_type",
            Code::UnclosedQuote => "unclosed_quote",
            Code::TooLong => "too_long",
            Code::TooManyRows => "too_many_rows",
            Code::BadRows => "bad_rows",
            Code::ControlMissing => "control_missing",
            Code::ControlUnreadable => "control_unreadable",
            Code::RowCount => "row_count",
            Code::Checksum => "checksum",
        }
    }
}

/// Why a file is refused, for a person.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Refused {
    pub code: Code,
    /// One fact, lower case, no stop.
    pub fact: String,
    /// The physical line it is about, where it is about one.
    pub line: Option<u64>,
    /// Where, a line each.
    pub places: Vec<String>,
    /// What to do about it.
    pub hint: &'static str,
    /// Data rows, and the bad ones among them, where it came to counting them.
    pub rows: Option<(u64, u64)>,
}

/// What to do about most refusals.
const DELIVER_AGAIN: &str = "Correct the file and deliver it again.";

impl Refused {
    pub(super) fn new(code: Code, fact: impl Into<String>) -> Refused {
        Refused { code, fact: fact.into(), line: None, places: Vec::new(), hint: DELIVER_AGAIN, rows: None }
    }

    pub(super) fn on_line(self, line: u64) -> Refused {
        Refused { line: Some(line), ..self }
    }

    pub(super) fn at(self, places: Vec<String>) -> Refused {
        Refused { places, ..self }
    }

    pub(super) fn counting(self, rows: u64, bad_rows: u64) -> Refused {
        Refused { rows: Some((rows, bad_rows)), ..self }
    }

    pub(super) fn hint(self, hint: &'static str) -> Refused {
        Refused { hint, ..self }
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.fact)?;
        if let Some(line) = self.line {
            write!(f, "\n  line {line}")?;
        }
        for place in &self.places {
            write!(f, "\n  {place}")?;
        }
        write!(f, "\nhint: {} Nothing from this file has been applied.", self.hint)
    }
}

/// What stood in the way of reading; not the file's content.
#[derive(Debug, Error)]
pub enum Retry {
    #[error("it is no longer there")]
    Vanished,
    #[error("it changed while it was read")]
    Changed,
    #[error("permission denied")]
    Permission,
    #[error("{0}")]
    Io(io::Error),
}

impl From<io::Error> for Retry {
    fn from(error: io::Error) -> Retry {
        match error.kind() {
            io::ErrorKind::NotFound => Retry::Vanished,
            io::ErrorKind::PermissionDenied => Retry::Permission,
            _ => Retry::Io(error),
        }
    }
}

/// Either, before the file's name is put to it.
#[derive(Debug)]
pub(super) enum Failure {
    Refused(Box<Refused>),
    Retry(Retry),
}

impl From<Refused> for Failure {
    fn from(refused: Refused) -> Failure {
        Failure::Refused(Box::new(refused))
    }
}

impl From<Retry> for Failure {
    fn from(retry: Retry) -> Failure {
        Failure::Retry(retry)
    }
}

impl Failure {
    pub(super) fn of(self, file: &str) -> ReadError {
        let file = shown(file.as_bytes());
        match self {
            Failure::Refused(refused) => ReadError::Refused { file, refused },
            Failure::Retry(retry) => ReadError::Retry { file, retry },
        }
    }
}

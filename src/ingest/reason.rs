//! Why a row cannot be taken: a closed set, each saying what was expected.

use std::fmt;

/// A row's fault. Never holds what was found: that may be personal.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Reason {
    Encoding,
    Control,
    HeaderRepeated,
    Columns {
        expected: usize,
        found: usize,
    },
    Missing,
    TooLong {
        bytes_max: usize,
    },
    Money,
    MoneyRange,
    Count,
    CountRange,
    Points,
    PointsRange,
    Value,
    Step,
    Digest,
    Month,
    Day,
    Time,
    OneOf(&'static [&'static str]),
    Capabilities,
    OtherPeriod,
    Future,
    KeyRepeated {
        line: u64,
    },
    /// Rows of the feed are not deleted by their keys.
    NotDeleted,
    /// Never shown: the row is left out.
    Erased,
}

impl Reason {
    /// A name that stays, for who counts them.
    pub(super) fn code(self) -> &'static str {
        match self {
            Reason::Encoding => "encoding",
            Reason::Control => "control_character",
            Reason::HeaderRepeated => "header_repeated",
            Reason::Columns { .. } => "columns",
            Reason::Missing => "missing",
            Reason::TooLong { .. } => "too_long",
            Reason::Money | Reason::Count | Reason::Points | Reason::Value | Reason::Step => "number",
            Reason::MoneyRange | Reason::CountRange | Reason::PointsRange => "out_of_range",
            Reason::Digest => "digest",
            Reason::Month | Reason::Day | Reason::Time => "date",
            Reason::OneOf(_) | Reason::Capabilities => "not_in_set",
            Reason::OtherPeriod => "other_period",
            Reason::Future => "future",
            Reason::KeyRepeated { .. } => "key_repeated",
            Reason::NotDeleted => "not_deleted",
            Reason::Erased => "erased",
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Reason::Encoding => f.write_str("bad encoding: expected text in the file's encoding"),
            Reason::Control => f.write_str("control character: expected none"),
            Reason::HeaderRepeated => f.write_str("header repeated"),
            Reason::Columns { expected, found } => write!(f, "expected {expected} columns, found {found}"),
            Reason::Missing => f.write_str("must not be empty"),
            Reason::TooLong { bytes_max } => write!(f, "expected at most {bytes_max} bytes"),
            Reason::Money => f.write_str("expected a decimal number with at most two places"),
            Reason::MoneyRange => f.write_str("out of range: expected at most 9999999999999.99 either way"),
            Reason::Count => f.write_str("expected an integer from 0"),
            Reason::CountRange => f.write_str("out of range: expected at most 9999999999999"),
            Reason::Points => f.write_str("expected an integer"),
            Reason::PointsRange => f.write_str("out of range: expected at most 999999999999 either way"),
            Reason::Value => f.write_str("expected a number from 0 to 100 with at most two places"),
            Reason::Step => f.write_str("expected an integer from 0 to 255"),
            Reason::Digest => f.write_str("expected 32 hexadecimal digits in lower case"),
            Reason::Month => f.write_str("expected a month YYYY-MM"),
            Reason::Day => f.write_str("expected a day YYYY-MM-DD"),
            Reason::Time => f.write_str("expected YYYY-MM-DD HH:MM:SS, RFC 3339 or YYYY-MM-DD"),
            Reason::OneOf(set) => write!(f, "expected one of {}", set.join(", ")),
            Reason::Capabilities => f.write_str("expected names of letters, digits, '_', '-', '.' with ';' between"),
            Reason::OtherPeriod => f.write_str("expected the month of the file's period"),
            Reason::Future => f.write_str("lies more than a day after wall time"),
            Reason::NotDeleted => f.write_str("rows of this feed are not deleted by their keys"),
            Reason::Erased => f.write_str("names somebody who was erased"),
            Reason::KeyRepeated { line } => write!(f, "key repeated, first on line {line}"),
        }
    }
}

/// A fault and the column it is in; no column where it is the row as a whole.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Bad {
    pub(super) column: &'static str,
    pub(super) reason: Reason,
}

impl Bad {
    /// A fault of the row as a whole.
    pub(super) fn row(reason: Reason) -> Bad {
        Bad { column: "", reason }
    }
}

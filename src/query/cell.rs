//! The values of rows, and how files tell them.

use std::borrow::Cow;
use std::fmt;

use dataflows::types::{Day, Month, Time};

/// A value of a row.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Cell<'a> {
    Null,
    Text(Cow<'a, str>),
    Month(Month),
    Day(Day),
    Time(Time),
    Integer(i64),
    Boolean(bool),
    Hundredths(i128),
    /// In ten-thousandths.
    Rate(i64),
}

impl<'a> Cell<'a> {
    /// A text, null where there is none.
    pub fn text(text: Option<&'a str>) -> Cell<'a> {
        text.map_or(Cell::Null, |text| Cell::Text(Cow::Borrowed(text)))
    }

    pub fn month(month: Option<Month>) -> Cell<'a> {
        month.map_or(Cell::Null, Cell::Month)
    }

    pub fn hundredths(number: Option<impl Into<i128>>) -> Cell<'a> {
        number.map_or(Cell::Null, |number| Cell::Hundredths(number.into()))
    }

    /// A part of a whole, rounded half up to four places; null of nothing.
    pub fn rate(part: i64, whole: i64) -> Cell<'a> {
        let rounded = |whole: i128| (i128::from(part) * 20_000 + whole).div_euclid(2 * whole) as i64;
        if whole == 0 { Cell::Null } else { Cell::Rate(rounded(i128::from(whole))) }
    }

    /// Whole units of a number in hundredths.
    pub fn whole(number: Option<i64>) -> Cell<'a> {
        number.map_or(Cell::Null, |number| Cell::Integer(number.div_euclid(100)))
    }
}

/// As in files: null empty, two places or four, local time, `true` or `false`.
impl fmt::Display for Cell<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Cell::Null => Ok(()),
            Cell::Text(text) => f.write_str(text),
            Cell::Month(month) => month.fmt(f),
            Cell::Day(day) => day.fmt(f),
            Cell::Time(time) => time.fmt(f),
            Cell::Integer(number) => number.fmt(f),
            Cell::Boolean(truth) => truth.fmt(f),
            Cell::Hundredths(number) => {
                let sign = if *number < 0 { "-" } else { "" };
                let digits = number.unsigned_abs();
                write!(f, "{sign}{}.{:02}", digits / 100, digits % 100)
            }
            Cell::Rate(number) => {
                let sign = if *number < 0 { "-" } else { "" };
                let digits = number.unsigned_abs();
                write!(f, "{sign}{}.{:04}", digits / 10_000, digits % 10_000)
            }
        }
    }
}

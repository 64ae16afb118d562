//! The values of rows, and how files tell them.

use std::borrow::Cow;
use std::fmt;

use dataflows::types::{Day, Month, Time};

use super::Kind;

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

    /// The cell of a kind that JSON tells, as views tell theirs. None where it tells another.
    pub fn read(kind: Kind, told: &'a serde_json::Value) -> Option<Cell<'a>> {
        use serde_json::Value;
        Some(match (kind, told) {
            (_, Value::Null) => Cell::Null,
            (Kind::Integer, Value::Number(number)) => Cell::Integer(number.as_i64()?),
            (Kind::Boolean, Value::Bool(truth)) => Cell::Boolean(*truth),
            (Kind::Text | Kind::Token, Value::String(text)) => Cell::text(Some(text)),
            (Kind::Month, Value::String(text)) => Cell::Month(Month::parse(text)?),
            (Kind::Day, Value::String(text)) => Cell::Day(Day::parse(text)?),
            (Kind::Time, Value::String(text)) => {
                let (day, clock) = text.split_once(' ')?;
                let parts: Vec<i64> = clock.split(':').map(str::parse).collect::<Result<_, _>>().ok()?;
                let [hour, minute, second] = parts.try_into().ok()?;
                Cell::Time(Time(Day::parse(day)?.start().0 + hour * 3600 + minute * 60 + second))
            }
            (Kind::Hundredths, Value::String(text)) => Cell::Hundredths(places(text, 2)?),
            (Kind::Rate, Value::String(text)) => Cell::Rate(places(text, 4)?.try_into().ok()?),
            _ => return None,
        })
    }

    /// Whole units of a number in hundredths.
    pub fn whole(number: Option<i64>) -> Cell<'a> {
        number.map_or(Cell::Null, |number| Cell::Integer(number.div_euclid(100)))
    }
}

/// A decimal number of so many places, without its point.
fn places(text: &str, count: usize) -> Option<i128> {
    let (whole, part) = text.split_once('.').filter(|(_, part)| part.len() == count)?;
    format!("{whole}{part}").parse().ok()
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_cell_is_read_as_it_is_told() {
        let month = Month::parse("2009-07").expect("a month");
        let day = Day::parse("2009-07-31").expect("a day");
        for (kind, cell) in [
            (Kind::Text, Cell::text(Some("a"))),
            (Kind::Month, Cell::Month(month)),
            (Kind::Day, Cell::Day(day)),
            (Kind::Time, Cell::Time(Time(day.start().0 + 86_399))),
            (Kind::Time, Cell::Time(Time(-1))),
            (Kind::Hundredths, Cell::Hundredths(-5)),
            (Kind::Hundredths, Cell::Hundredths(123_456)),
            (Kind::Rate, Cell::Rate(-12_345)),
        ] {
            assert_eq!(Cell::read(kind, &json!(cell.to_string())), Some(cell));
        }
        assert_eq!(Cell::read(Kind::Integer, &json!(-7)), Some(Cell::Integer(-7)));
        assert_eq!(Cell::read(Kind::Boolean, &json!(true)), Some(Cell::Boolean(true)));
        assert_eq!(Cell::read(Kind::Day, &json!(null)), Some(Cell::Null));
        let (text, number) = (json!("x"), json!(1));
        for kind in [Kind::Month, Kind::Day, Kind::Time, Kind::Hundredths, Kind::Rate, Kind::Integer, Kind::Boolean] {
            assert_eq!(Cell::read(kind, &text), None);
        }
        assert_eq!(Cell::read(Kind::Text, &number), None);
    }
}

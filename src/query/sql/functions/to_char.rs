//! `to_char` of days and times, by PostgreSQL's templates (its documentation, section "Data Type Formatting
//! Functions"). A template that is not understood whole is refused: an answer that is nearly right is wrong.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, StringArray};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, TimeUnit, TimestampMicrosecondType};
use datafusion::common::{exec_datafusion_err, not_impl_err};
use datafusion::error::Result;
use datafusion::logical_expr::expr_fn::SimpleScalarUDF;
use datafusion::logical_expr::{ColumnarValue, ScalarUDF, Signature, Volatility};
use jiff::civil::DateTime;

/// Bytes of a template.
const TEMPLATE_MAX: usize = 1000;

pub fn function() -> ScalarUDF {
    let signature = Signature::any(2, Volatility::Stable);
    ScalarUDF::from(SimpleScalarUDF::new_with_signature("to_char", signature, DataType::Utf8, Arc::new(to_char)))
}

fn to_char(arguments: &[ColumnarValue]) -> Result<ColumnarValue> {
    let [times, templates] = arguments else { return not_impl_err!("to_char takes a time and a template") };
    match times.data_type() {
        DataType::Date32 | DataType::Date64 | DataType::Timestamp(..) | DataType::Null => {}
        other => return not_impl_err!("to_char of {other} is not supported; of days and times it is"),
    }
    let rows = arguments.iter().find_map(|argument| match argument {
        ColumnarValue::Array(array) => Some(array.len()),
        ColumnarValue::Scalar(_) => None,
    });
    let times = cast(&times.to_array(rows.unwrap_or(1))?, &DataType::Timestamp(TimeUnit::Microsecond, None))?;
    let templates = cast(&templates.to_array(rows.unwrap_or(1))?, &DataType::Utf8)?;
    let (times, templates) = (times.as_primitive::<TimestampMicrosecondType>(), templates.as_string::<i32>());
    let mut texts: Vec<Option<String>> = Vec::with_capacity(times.len());
    let mut last: Option<(&str, Vec<Piece>)> = None;
    for (time, template) in times.iter().zip(templates.iter()) {
        let (Some(time), Some(template)) = (time, template) else {
            texts.push(None);
            continue;
        };
        if last.as_ref().is_none_or(|(known, _)| *known != template) {
            last = Some((template, pieces(template)?));
        }
        let time = jiff::Timestamp::from_microsecond(time)
            .map_err(|_| exec_datafusion_err!("timestamp out of range"))?
            .to_zoned(jiff::tz::TimeZone::UTC)
            .datetime();
        texts.push(last.as_ref().map(|(_, pieces)| pieces.iter().map(|piece| piece.of(time)).collect()));
    }
    let texts = Arc::new(StringArray::from(texts)) as ArrayRef;
    Ok(if rows.is_none() {
        ColumnarValue::Scalar(datafusion::scalar::ScalarValue::try_from_array(&texts, 0)?)
    } else {
        ColumnarValue::Array(texts)
    })
}

/// A part of a template.
#[derive(Clone, PartialEq, Debug)]
enum Piece {
    Text(String),
    /// A field, and whether it is filled up to its width.
    Field(Field, bool),
}

#[derive(Clone, Copy, PartialEq, Debug)]
enum Field {
    Year,
    YearOf2,
    Month,
    MonthName(Case),
    MonthShort(Case),
    Day,
    DayOfYear,
    DayName(Case),
    DayShort(Case),
    /// Sunday is 1.
    WeekdayFromSunday,
    /// Monday is 1.
    WeekdayFromMonday,
    IsoYear,
    IsoWeek,
    /// Weeks of seven days from the year's first.
    WeekOfYear,
    WeekOfMonth,
    Quarter,
    Hour24,
    Hour12,
    Minute,
    Second,
    Millisecond,
    Microsecond,
    Noon(Case),
}

#[derive(Clone, Copy, PartialEq, Debug)]
enum Case {
    Upper,
    Capital,
    Lower,
}

/// The longest of those that begin alike stands first.
const FIELDS: &[(&str, Field)] = &[
    ("YYYY", Field::Year),
    ("yyyy", Field::Year),
    ("IYYY", Field::IsoYear),
    ("iyyy", Field::IsoYear),
    ("YY", Field::YearOf2),
    ("yy", Field::YearOf2),
    ("MONTH", Field::MonthName(Case::Upper)),
    ("Month", Field::MonthName(Case::Capital)),
    ("month", Field::MonthName(Case::Lower)),
    ("MON", Field::MonthShort(Case::Upper)),
    ("Mon", Field::MonthShort(Case::Capital)),
    ("mon", Field::MonthShort(Case::Lower)),
    ("MM", Field::Month),
    ("mm", Field::Month),
    ("MI", Field::Minute),
    ("mi", Field::Minute),
    ("MS", Field::Millisecond),
    ("ms", Field::Millisecond),
    ("DDD", Field::DayOfYear),
    ("ddd", Field::DayOfYear),
    ("DD", Field::Day),
    ("dd", Field::Day),
    ("DAY", Field::DayName(Case::Upper)),
    ("Day", Field::DayName(Case::Capital)),
    ("day", Field::DayName(Case::Lower)),
    ("DY", Field::DayShort(Case::Upper)),
    ("Dy", Field::DayShort(Case::Capital)),
    ("dy", Field::DayShort(Case::Lower)),
    ("D", Field::WeekdayFromSunday),
    ("d", Field::WeekdayFromSunday),
    ("ID", Field::WeekdayFromMonday),
    ("id", Field::WeekdayFromMonday),
    ("IW", Field::IsoWeek),
    ("iw", Field::IsoWeek),
    ("WW", Field::WeekOfYear),
    ("ww", Field::WeekOfYear),
    ("W", Field::WeekOfMonth),
    ("w", Field::WeekOfMonth),
    ("Q", Field::Quarter),
    ("q", Field::Quarter),
    ("HH24", Field::Hour24),
    ("hh24", Field::Hour24),
    ("HH12", Field::Hour12),
    ("hh12", Field::Hour12),
    ("HH", Field::Hour12),
    ("hh", Field::Hour12),
    ("SS", Field::Second),
    ("ss", Field::Second),
    ("US", Field::Microsecond),
    ("us", Field::Microsecond),
    ("AM", Field::Noon(Case::Upper)),
    ("PM", Field::Noon(Case::Upper)),
    ("am", Field::Noon(Case::Lower)),
    ("pm", Field::Noon(Case::Lower)),
];

/// Fields that are not known here, and begin like others.
const UNKNOWN: &[&str] = &["SSSS", "ssss", "IDDD", "iddd"];

fn pieces(template: &str) -> Result<Vec<Piece>> {
    if template.len() > TEMPLATE_MAX {
        return not_impl_err!("a template of to_char has at most {TEMPLATE_MAX} bytes");
    }
    let (mut pieces, mut rest) = (Vec::new(), template);
    while let Some(next) = rest.chars().next() {
        if next == '"' {
            let quoted = rest[1..].split('"').next().unwrap_or_default();
            pieces.push(Piece::Text(quoted.to_owned()));
            rest = rest.get(quoted.len() + 2..).unwrap_or_default();
            continue;
        }
        let filled = rest.strip_prefix("FM").or_else(|| rest.strip_prefix("fm"));
        let after = filled.unwrap_or(rest);
        let is_known = !UNKNOWN.iter().any(|name| after.starts_with(name));
        let field = FIELDS
            .iter()
            .filter(|_| is_known)
            .filter(|(name, _)| after.starts_with(name))
            .max_by_key(|(name, _)| name.len());
        match field {
            Some((name, field)) => {
                rest = &after[name.len()..];
                if rest.starts_with("TH") || rest.starts_with("th") {
                    return not_impl_err!("to_char has no ordinal numbers here (TH in {template:?})");
                }
                pieces.push(Piece::Field(*field, filled.is_none()));
            }
            None if filled.is_some() || next.is_ascii_alphabetic() => {
                return not_impl_err!("to_char does not know {rest:?} of the template {template:?}");
            }
            None => {
                pieces.push(Piece::Text(next.to_string()));
                rest = &rest[next.len_utf8()..];
            }
        }
    }
    Ok(pieces)
}

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
const DAYS: [&str; 7] = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];

impl Piece {
    fn of(&self, time: DateTime) -> String {
        let (field, is_filled) = match self {
            Piece::Text(text) => return text.clone(),
            Piece::Field(field, is_filled) => (*field, *is_filled),
        };
        let number = |number: i64, width: usize| match is_filled {
            true => format!("{number:0width$}"),
            false => number.to_string(),
        };
        let name = |name: &str, case: Case, width: usize| {
            let name = match case {
                Case::Upper => name.to_uppercase(),
                Case::Capital => name.to_owned(),
                Case::Lower => name.to_lowercase(),
            };
            if is_filled { format!("{name:width$}") } else { name }
        };
        let (month, weekday) =
            (MONTHS[time.month() as usize - 1], DAYS[time.weekday().to_monday_zero_offset() as usize]);
        let day_of_year = i64::from(time.day_of_year());
        let hour12 = (i64::from(time.hour()) + 11) % 12 + 1;
        match field {
            Field::Year => number(time.year().into(), 4),
            Field::YearOf2 => number((time.year() % 100).into(), 2),
            Field::Month => number(time.month().into(), 2),
            Field::MonthName(case) => name(month, case, 9),
            Field::MonthShort(case) => name(&month[..3], case, 3),
            Field::Day => number(time.day().into(), 2),
            Field::DayOfYear => number(day_of_year, 3),
            Field::DayName(case) => name(weekday, case, 9),
            Field::DayShort(case) => name(&weekday[..3], case, 3),
            Field::WeekdayFromSunday => number(i64::from(time.weekday().to_sunday_one_offset()), 1),
            Field::WeekdayFromMonday => number(i64::from(time.weekday().to_monday_one_offset()), 1),
            Field::IsoYear => number(time.date().iso_week_date().year().into(), 4),
            Field::IsoWeek => number(time.date().iso_week_date().week().into(), 2),
            Field::WeekOfYear => number((day_of_year - 1) / 7 + 1, 2),
            Field::WeekOfMonth => number((i64::from(time.day()) - 1) / 7 + 1, 1),
            Field::Quarter => number((i64::from(time.month()) - 1) / 3 + 1, 1),
            Field::Hour24 => number(time.hour().into(), 2),
            Field::Hour12 => number(hour12, 2),
            Field::Minute => number(time.minute().into(), 2),
            Field::Second => number(time.second().into(), 2),
            Field::Millisecond => number(i64::from(time.subsec_nanosecond()) / 1_000_000, 3),
            Field::Microsecond => number(i64::from(time.subsec_nanosecond()) / 1000, 6),
            Field::Noon(case) => name(if time.hour() < 12 { "Am" } else { "Pm" }, case, 2),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn templates_give_what_postgresql_gives() {
        let time = jiff::civil::date(2009, 7, 5).at(15, 4, 9, 120_000_000);
        for (template, text) in [
            ("YYYY-MM", "2009-07"),
            ("YYYY-MM-DD HH24:MI:SS", "2009-07-05 15:04:09"),
            ("yyyymmdd", "20090705"),
            ("HH12:MI AM", "03:04 PM"),
            ("FMHH:MI pm", "3:04 pm"),
            ("Day, DD Month YYYY", "Sunday   , 05 July      2009"),
            ("FMDay, FMDD FMMonth", "Sunday, 5 July"),
            ("Dy Mon YY", "Sun Jul 09"),
            ("\"Q\"Q YYYY", "Q3 2009"),
            ("IYYY-IW-ID", "2009-27-7"),
            ("DDD WW W D", "186 27 1 1"),
            ("SS.MS SS.US", "09.120 09.120000"),
            ("年", "年"),
        ] {
            let pieces = pieces(template).unwrap_or_default();
            assert_eq!(pieces.iter().map(|piece| piece.of(time)).collect::<String>(), text, "{template}");
        }
        for template in ["DDth", "TZ", "J", "CC", "SSSS", "IDDD", "Y,YYY", "FMx", "RM", "YYYYX"] {
            assert!(pieces(template).is_err(), "{template} is not understood");
        }
    }
}

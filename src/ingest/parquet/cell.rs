//! From a Parquet value to the text that CSV would have had.

use std::io::Write;

use ::parquet::basic::{ConvertedType, LogicalType, TimeUnit, Type};
use ::parquet::data_type::{ByteArray, FixedLenByteArray, Int96};
use ::parquet::schema::types::ColumnDescriptor;
use dataflows::types::{Day, SECONDS_PER_DAY, Time};
use jiff::tz::TimeZone;

use crate::ingest::fields::instant;

/// Days that have four digits of year, counted from 1970-01-01: the years 0 to 9999.
const DAYS: std::ops::RangeInclusive<i64> = -719_528..=2_932_896;
/// Most decimals that a decimal column may have; 38 digits are all that 128 bits hold.
const SCALE_MAX: u32 = 38;
/// Julian day of 1970-01-01, which INT96 counts days from.
const JULIAN_EPOCH: i64 = 2_440_588;
/// What stands for a value that no text of its column could say; no parser takes it.
const UNSAYABLE: &[u8] = b"?";

/// How the values of a column become text.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Form {
    kind: Kind,
    grain: Grain,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kind {
    /// As it prints: text, signed integers, floats, booleans.
    Plain,
    Unsigned,
    Decimal {
        scale: u32,
    },
    Date,
    Timestamp {
        per_second: i64,
        is_instant: bool,
    },
}

/// What a column's text says of a time: a month, a day, or a second.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Grain {
    Month,
    Day,
    Second,
}

impl Form {
    /// The form of a column; none where its type says nothing that a cell could.
    pub(super) fn of(name: &str, descriptor: &ColumnDescriptor) -> Option<Form> {
        let grain = match name {
            "month" => Grain::Month,
            "day" | "birth_date" | "joined_on" | "seen_on" => Grain::Day,
            _ => Grain::Second,
        };
        let decimal = || {
            let scale = u32::try_from(descriptor.type_scale()).ok().filter(|&scale| scale <= SCALE_MAX)?;
            Some(Kind::Decimal { scale })
        };
        let is_number = matches!(descriptor.physical_type(), Type::INT32 | Type::INT64);
        let is_bytes = descriptor.physical_type() == Type::BYTE_ARRAY;
        let kind = match (descriptor.logical_type_ref(), descriptor.converted_type()) {
            (Some(LogicalType::Decimal(_)), _) | (None, ConvertedType::DECIMAL) => decimal()?,
            (Some(LogicalType::Date), _) | (None, ConvertedType::DATE) => Kind::Date,
            (Some(LogicalType::Timestamp(timestamp)), _) => {
                let per_second = match timestamp.unit {
                    TimeUnit::MILLIS => 1_000,
                    TimeUnit::MICROS => 1_000_000,
                    TimeUnit::NANOS => 1_000_000_000,
                };
                Kind::Timestamp { per_second, is_instant: timestamp.is_adjusted_to_u_t_c }
            }
            (None, ConvertedType::TIMESTAMP_MILLIS) => Kind::Timestamp { per_second: 1_000, is_instant: true },
            (None, ConvertedType::TIMESTAMP_MICROS) => Kind::Timestamp { per_second: 1_000_000, is_instant: true },
            (Some(LogicalType::Integer(integer)), _) if is_number => {
                if integer.is_signed {
                    Kind::Plain
                } else {
                    Kind::Unsigned
                }
            }
            (
                None,
                ConvertedType::UINT_8 | ConvertedType::UINT_16 | ConvertedType::UINT_32 | ConvertedType::UINT_64,
            ) => Kind::Unsigned,
            (None, ConvertedType::INT_8 | ConvertedType::INT_16 | ConvertedType::INT_32 | ConvertedType::INT_64) => {
                Kind::Plain
            }
            (Some(LogicalType::String | LogicalType::Enum | LogicalType::Json), _) if is_bytes => Kind::Plain,
            (None, ConvertedType::UTF8 | ConvertedType::ENUM | ConvertedType::JSON) if is_bytes => Kind::Plain,
            (None, ConvertedType::NONE) if descriptor.physical_type() != Type::FIXED_LEN_BYTE_ARRAY => Kind::Plain,
            // A column of nothing but nulls may be of any type.
            (Some(LogicalType::Unknown), _) => Kind::Plain,
            _ => return None,
        };
        Some(Form { kind, grain })
    }
}

/// A value that can become text.
pub(super) trait Value {
    /// Appends its text.
    fn write(&self, form: Form, timezone: &TimeZone, text: &mut Vec<u8>);
}

impl Value for bool {
    fn write(&self, _: Form, _: &TimeZone, text: &mut Vec<u8>) {
        text.extend_from_slice(if *self { b"true" } else { b"false" });
    }
}

impl Value for i32 {
    fn write(&self, form: Form, timezone: &TimeZone, text: &mut Vec<u8>) {
        match form.kind {
            Kind::Unsigned => print(text, self.cast_unsigned()),
            _ => integer(i64::from(*self), form, timezone, text),
        }
    }
}

impl Value for i64 {
    fn write(&self, form: Form, timezone: &TimeZone, text: &mut Vec<u8>) {
        match form.kind {
            Kind::Unsigned => print(text, self.cast_unsigned()),
            _ => integer(*self, form, timezone, text),
        }
    }
}

impl Value for f32 {
    fn write(&self, _: Form, _: &TimeZone, text: &mut Vec<u8>) {
        print(text, self);
    }
}

// The shortest text that reads back as the same float, and never with an exponent.
impl Value for f64 {
    fn write(&self, _: Form, _: &TimeZone, text: &mut Vec<u8>) {
        print(text, self);
    }
}

impl Value for Int96 {
    fn write(&self, form: Form, timezone: &TimeZone, text: &mut Vec<u8>) {
        let [low, high, day] = *self.data() else { return text.extend_from_slice(UNSAYABLE) };
        let second = (i64::from(high) << 32 | i64::from(low)).div_euclid(1_000_000_000);
        // The day has 32 bits, the second 34: their sum is far from the end of 64.
        let at = (i64::from(day) - JULIAN_EPOCH) * SECONDS_PER_DAY + second;
        time(instant(at, timezone), form.grain, text);
    }
}

impl Value for ByteArray {
    fn write(&self, form: Form, _: &TimeZone, text: &mut Vec<u8>) {
        bytes(self.data(), form, text);
    }
}

impl Value for FixedLenByteArray {
    fn write(&self, form: Form, _: &TimeZone, text: &mut Vec<u8>) {
        bytes(self.data(), form, text);
    }
}

fn print(text: &mut Vec<u8>, value: impl std::fmt::Display) {
    // Writing to memory does not fail.
    let _ = write!(text, "{value}");
}

fn integer(value: i64, form: Form, timezone: &TimeZone, text: &mut Vec<u8>) {
    match form.kind {
        Kind::Plain | Kind::Unsigned => print(text, value),
        Kind::Decimal { scale } => decimal(i128::from(value), scale, text),
        Kind::Date => match DAYS.contains(&value).then_some(value).and_then(|day| i32::try_from(day).ok()) {
            Some(day) => time(Some(Day(day).start()), form.grain, text),
            None => text.extend_from_slice(UNSAYABLE),
        },
        Kind::Timestamp { per_second, is_instant } => {
            let second = value.div_euclid(per_second);
            time(if is_instant { instant(second, timezone) } else { Some(Time(second)) }, form.grain, text);
        }
    }
}

/// A time as its column's text says it; where it says too little, the whole time, which is refused.
fn time(time: Option<Time>, grain: Grain, text: &mut Vec<u8>) {
    let Some(time) = time.filter(|time| DAYS.contains(&time.0.div_euclid(SECONDS_PER_DAY))) else {
        return text.extend_from_slice(UNSAYABLE);
    };
    let day = time.day();
    match grain {
        Grain::Month if time == day.month().first_day().start() => print(text, day.month()),
        Grain::Day if time == day.start() => print(text, day),
        _ => print(text, time),
    }
}

fn bytes(bytes: &[u8], form: Form, text: &mut Vec<u8>) {
    let Kind::Decimal { scale } = form.kind else {
        return text.extend_from_slice(bytes);
    };
    // Big-endian two's complement of any length; what 128 bits do not hold no column takes either.
    let sign = if bytes.first().is_some_and(|&byte| byte >= 0x80) { 0xFF } else { 0 };
    let (extension, significant) = bytes.split_at_checked(bytes.len().saturating_sub(16)).unwrap_or((&[], bytes));
    let mut value = if sign == 0 { 0_i128 } else { -1 };
    for &byte in significant {
        value = value << 8 | i128::from(byte);
    }
    if extension.iter().all(|&byte| byte == sign) && (value < 0) == (sign != 0) {
        decimal(value, scale, text);
    } else {
        text.extend_from_slice(UNSAYABLE);
    }
}

/// A decimal without the zeros at its end.
fn decimal(value: i128, scale: u32, text: &mut Vec<u8>) {
    let one = 10_u128.pow(scale.min(SCALE_MAX));
    let (whole, mut fraction) = (value.unsigned_abs() / one, value.unsigned_abs() % one);
    if value < 0 {
        text.push(b'-');
    }
    print(text, whole);
    let mut places = scale as usize;
    while places > 0 && fraction % 10 == 0 {
        fraction /= 10;
        places -= 1;
    }
    if places > 0 {
        print(text, format_args!(".{fraction:0places$}"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(write: impl FnOnce(&mut Vec<u8>)) -> String {
        let mut text = Vec::new();
        write(&mut text);
        String::from_utf8(text).expect("text")
    }

    #[test]
    fn decimals_are_exact() {
        for (value, scale, expected) in [
            (1250, 2, "12.5"),
            (-1, 2, "-0.01"),
            (12_000, 3, "12"),
            (12_345, 3, "12.345"),
            (7, 0, "7"),
            (i128::MIN, 38, "-1.70141183460469231731687303715884105728"),
        ] {
            assert_eq!(text(|text| decimal(value, scale, text)), expected);
        }
        let money = Form { kind: Kind::Decimal { scale: 2 }, grain: Grain::Second };
        assert_eq!(text(|text| bytes(&[0xFF, 0x38], money, text)), "-2");
        assert_eq!(text(|text| bytes(&[0; 40], money, text)), "0");
        assert_eq!(text(|text| bytes(&[0x7F; 17], money, text)), "?");
        assert_eq!(text(|text| bytes(&[0, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], money, text)), "?");
        assert_eq!(text(|text| bytes(&[], money, text)), "0");
    }

    #[test]
    fn times_are_said_as_coarsely_as_their_column_and_no_coarser_than_they_are() {
        let say = |second, grain| text(|text| time(Some(Time(second)), grain, text));
        assert_eq!(say(0, Grain::Month), "1970-01");
        assert_eq!(say(86_400, Grain::Month), "1970-01-02 00:00:00");
        assert_eq!(say(86_400, Grain::Day), "1970-01-02");
        assert_eq!(say(86_401, Grain::Day), "1970-01-02 00:00:01");
        assert_eq!(say(i64::MAX, Grain::Second), "?");
        assert_eq!(say(i64::MIN, Grain::Second), "?");
    }
}

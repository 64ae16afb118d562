//! The words of the domain: ids, money, time.
//!
//! Everything here is an integer newtype, so that a month is never added to a day and fen never
//! meet yuan. Business time ([`Month`], [`Day`], [`Time`]) is data; [`Epoch`] is the engine's own
//! time and means nothing outside it. No view ever holds a float.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The engine's time: one durable batch, or several that were taken together. Never a date.
pub type Epoch = u64;

/// A change of multiplicity; a retraction is a negative one.
pub type Diff = isize;

/// A differential collection at our time and difference.
pub type Collection<'scope, D> = differential_dataflow::VecCollection<'scope, Epoch, D, Diff>;

/// A customer, by the order in which ingest first met its id. Dense from 0: worker `ix % workers`
/// holds it in slot `ix / workers`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub struct CustomerIx(pub u32);

/// A text of small variety (a city, a product id, a measure) by the order in which it was first
/// met. [`Word::NULL`] is the absent text.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize)]
pub struct Word(pub u32);

impl Word {
    /// The null of text columns. The vocabulary holds the empty text at 0, and no column
    /// delivers an empty text other than as null.
    pub const NULL: Word = Word(0);

    /// Whether this is the null.
    pub fn is_null(self) -> bool {
        self == Word::NULL
    }
}

/// A calendar month, counted from January of year 0.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize)]
pub struct Month(pub i32);

impl Month {
    /// The month of a year, 1 to 12.
    pub fn new(year: i32, month: u32) -> Month {
        debug_assert!((1..=12).contains(&month));
        Month(year * 12 + month as i32 - 1)
    }

    /// Reads `YYYY-MM`, nothing else.
    pub fn parse(text: &str) -> Option<Month> {
        let bytes = text.as_bytes();
        if bytes.len() != 7 || bytes[4] != b'-' {
            return None;
        }
        let (year, month) = (digits(&bytes[..4])?, digits(&bytes[5..])?);
        (1..=12).contains(&month).then(|| Month::new(year as i32, month))
    }

    /// The year.
    pub fn year(self) -> i32 {
        self.0.div_euclid(12)
    }

    /// The month of the year, 1 to 12.
    pub fn month(self) -> u32 {
        self.0.rem_euclid(12) as u32 + 1
    }

    /// The month `months` later (earlier where negative).
    pub fn plus(self, months: i32) -> Month {
        Month(self.0 + months)
    }

    /// Its first day.
    pub fn first_day(self) -> Day {
        Day::from_civil(self.year(), self.month(), 1)
    }

    /// Its last day.
    pub fn last_day(self) -> Day {
        Day(self.plus(1).first_day().0 - 1)
    }

    /// Its last second.
    pub fn last_second(self) -> Time {
        Time(self.plus(1).first_day().start().0 - 1)
    }
}

impl fmt::Display for Month {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}", self.year(), self.month())
    }
}

/// A calendar day, counted from 1970-01-01.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize)]
pub struct Day(pub i32);

impl Day {
    /// The day of a proleptic Gregorian date. Source: Hinnant, "chrono-compatible low-level date
    /// algorithms", days_from_civil.
    pub fn from_civil(year: i32, month: u32, day: u32) -> Day {
        let year = if month <= 2 { year - 1 } else { year };
        let era = year.div_euclid(400);
        let year_of_era = year.rem_euclid(400);
        let day_of_year = (153 * ((month as i32 + 9) % 12) + 2) / 5 + day as i32 - 1;
        let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
        Day(era * 146_097 + day_of_era - 719_468)
    }

    /// Year, month 1 to 12, day of month 1 to 31. Source as above, civil_from_days.
    pub fn civil(self) -> (i32, u32, u32) {
        let days = self.0 + 719_468;
        let era = days.div_euclid(146_097);
        let day_of_era = days.rem_euclid(146_097);
        let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let shifted = (5 * day_of_year + 2) / 153;
        let day = (day_of_year - (153 * shifted + 2) / 5 + 1) as u32;
        let month = if shifted < 10 { shifted + 3 } else { shifted - 9 } as u32;
        let year = year_of_era + era * 400 + i32::from(month <= 2);
        (year, month, day)
    }

    /// Reads `YYYY-MM-DD`, nothing else; a day that the calendar does not have is refused.
    pub fn parse(text: &str) -> Option<Day> {
        let bytes = text.as_bytes();
        if bytes.len() != 10 || bytes[4] != b'-' || bytes[7] != b'-' {
            return None;
        }
        let (year, month) = (digits(&bytes[..4])? as i32, digits(&bytes[5..7])?);
        let day = digits(&bytes[8..])?;
        if !(1..=12).contains(&month) || day < 1 || day > days_in_month(year, month) {
            return None;
        }
        Some(Day::from_civil(year, month, day))
    }

    /// The month it falls in.
    pub fn month(self) -> Month {
        let (year, month, _) = self.civil();
        Month::new(year, month)
    }

    /// Its first second.
    pub fn start(self) -> Time {
        Time(i64::from(self.0) * SECONDS_PER_DAY)
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = self.civil();
        write!(f, "{year:04}-{month:02}-{day:02}")
    }
}

/// Days of a month of the Gregorian calendar.
pub fn days_in_month(year: i32, month: u32) -> u32 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Seconds in a day of local time; the programme's clock knows no leap seconds.
pub const SECONDS_PER_DAY: i64 = 86_400;

/// A second of local time (the programme's timezone), counted from 1970-01-01 00:00:00 local.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize)]
pub struct Time(pub i64);

impl Time {
    /// The day it falls on.
    pub fn day(self) -> Day {
        Day(self.0.div_euclid(SECONDS_PER_DAY) as i32)
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let second = self.0.rem_euclid(SECONDS_PER_DAY);
        let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
        write!(f, "{} {hour:02}:{minute:02}:{second:02}", self.day())
    }
}

/// What a view may depend on beside the input: contract, "Numbers, time, clock".
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Clock {
    /// The greatest period of a live bill partition with a good row.
    pub as_of: Option<Month>,
    /// The second that `on_list` and the like are decided at; none before there is any input.
    pub now: Option<Time>,
}

/// A keyed token that stands for a phone number; the key is kept outside the data.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Token(pub [u8; 16]);

impl Token {
    /// As it is shown: 32 hexadecimal digits.
    pub fn hex(&self) -> String {
        hex::encode(self.0)
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

fn digits(bytes: &[u8]) -> Option<u32> {
    bytes.iter().try_fold(0, |sum, byte| byte.is_ascii_digit().then(|| sum * 10 + u32::from(byte - b'0')))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_civil_dates_agree() {
        assert_eq!(Day::from_civil(1970, 1, 1), Day(0));
        assert_eq!(Day::from_civil(2000, 3, 1), Day(11_017));
        for day in -800_000..800_000 {
            let (year, month, of_month) = Day(day).civil();
            assert_eq!(Day::from_civil(year, month, of_month), Day(day));
            assert!(of_month <= days_in_month(year, month));
        }
    }

    #[test]
    fn impossible_dates_are_refused() {
        for text in ["2009-02-29", "2009-13-01", "2009-00-10", "2009-04-31", "2009-1-01", "20090101", "", "２009-01-01"]
        {
            assert_eq!(Day::parse(text), None, "{text}");
        }
        assert_eq!(Day::parse("2008-02-29").map(|day| day.to_string()).as_deref(), Some("2008-02-29"));
        assert_eq!(Month::parse("2009-13"), None);
    }

    #[test]
    fn months_end_where_the_next_begins() {
        assert_eq!(Month::new(2008, 2).last_day(), Day::from_civil(2008, 2, 29));
        assert_eq!(Month::new(2009, 12).last_day(), Day::from_civil(2009, 12, 31));
        assert_eq!(Month::new(2009, 1).plus(-1).to_string(), "2008-12");
    }
}

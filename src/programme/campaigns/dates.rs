//! From and until of a campaign, and the times of day at which it is quiet. All are local.

use std::fmt;

use dataflows::types::{Day, SECONDS_PER_DAY, Time};
use toml::de::DeValue;

use crate::programme::diagnostic::{Problems, quoted};
use crate::programme::outline::{Entry, kind_of};
use crate::programme::values;

/// A part of every day at which nothing is handed off.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Quiet {
    /// Minutes since midnight, 0 to 1,439.
    from: u16,
    /// The first minute after it, 0 to 1,440. Not after `from` where it passes midnight.
    until: u16,
}

const MINUTES_PER_DAY: u16 = 1_440;

impl Quiet {
    /// Whether a second of local time falls in it.
    pub fn contains(self, at: Time) -> bool {
        // Less than a day's minutes.
        self.contains_minute((at.0.rem_euclid(SECONDS_PER_DAY) / 60) as u16)
    }

    fn contains_minute(self, minute: u16) -> bool {
        let (is_begun, is_over) = (minute >= self.from, minute >= self.until);
        if self.from < self.until { is_begun && !is_over } else { is_begun || !is_over }
    }

    /// Reads `HH:MM-HH:MM`. None too where it would be nothing, or the whole day.
    fn parse(text: &str) -> Option<Quiet> {
        let (from, until) = text.split_once('-')?;
        let (from, until) = (minute(from)?, minute(until)?);
        let quiet = Quiet { from, until };
        (from != until && until.abs_diff(from) < MINUTES_PER_DAY && from < MINUTES_PER_DAY).then_some(quiet)
    }
}

/// As the programme writes it.
impl fmt::Display for Quiet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [from, until] = [self.from, self.until].map(|minute| (minute / 60, minute % 60));
        write!(f, "{:02}:{:02}-{:02}:{:02}", from.0, from.1, until.0, until.1)
    }
}

/// Minutes since midnight of `HH:MM`, up to 24:00.
fn minute(text: &str) -> Option<u16> {
    let (hour, minute) = text.split_once(':')?;
    let (hour, minute) = (two_digits(hour)?, two_digits(minute)?);
    let minutes = hour.checked_mul(60)?.checked_add(minute)?;
    (minute < 60 && minutes <= MINUTES_PER_DAY).then_some(minutes)
}

fn two_digits(text: &str) -> Option<u16> {
    let is_digits = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
    if is_digits { text.parse().ok() } else { None }
}

/// The times of day of `quiet`, which must leave some.
pub(super) fn quiet(entry: &Entry<'_>, problems: &mut Problems<'_>) -> Vec<Quiet> {
    /// More than anybody takes meals.
    const TIMES_MAX: usize = 24;
    let elements = values::elements(entry, "times of day", problems);
    if elements.len() > TIMES_MAX {
        let message = format!("quiet holds {} times of day, {TIMES_MAX} are allowed", elements.len());
        problems.error(entry.place, message, None);
        return Vec::new();
    }
    let mut times = Vec::with_capacity(elements.len());
    for element in &elements {
        let Some(text) = values::text(element, "a time of day HH:MM-HH:MM", problems) else { continue };
        match Quiet::parse(text) {
            Some(time) => times.push(time),
            None => {
                let message = format!("quiet holds {}, expected a time of day HH:MM-HH:MM", quoted(text));
                let hint = "from 00:00 to 24:00, and less than a day: \"22:00-08:00\" passes midnight".to_owned();
                problems.error(element.place, message, hint);
            }
        }
    }
    if (0..MINUTES_PER_DAY).all(|minute| times.iter().any(|time| time.contains_minute(minute))) {
        let message = "quiet leaves no time of day at which anything is handed off";
        problems.error(entry.place, message, None);
    }
    times
}

/// `dates`: the first second, and the first second after it.
pub(super) fn dates(entry: &Entry<'_>, problems: &mut Problems<'_>) -> Option<(Time, Time)> {
    const EXPECTED: &str = "two dates, from and until";
    let elements = values::elements(entry, EXPECTED, problems);
    let [from, until] = elements.as_slice() else {
        if matches!(entry.value, DeValue::Array(_)) {
            let message = format!("dates holds {} of them, expected {EXPECTED}", elements.len());
            problems.error(entry.place, message, "write dates = [\"2009-08-01\", \"2009-08-24\"]".to_owned());
        }
        return None;
    };
    let mut bound = |entry: &Entry<'_>, day_ends: bool| {
        moment(entry.value, day_ends).or_else(|| {
            let found = match entry.value {
                DeValue::String(text) => quoted(text),
                DeValue::Datetime(at) => at.to_string(),
                other => kind_of(other).to_owned(),
            };
            let expected = "expected a day YYYY-MM-DD or a time YYYY-MM-DD HH:MM:SS that there is";
            let hint = "times are local, without an offset; 24:00:00 is the end of a day".to_owned();
            problems.error(entry.place, format!("dates holds {found}, {expected}"), hint);
            None
        })
    };
    let (from_at, until_at) = (bound(from, false), bound(until, true));
    let (from_at, until_at) = (from_at?, until_at?);
    if from_at >= until_at {
        let message = format!("dates end at {until_at}, not after their begin, which is {from_at}");
        problems.error(until.place, message, None);
    }
    Some((from_at, until_at))
}

/// A date or a time. A day without a time is its first second, or the first after it where the day `ends`.
fn moment(value: &DeValue<'_>, ends: bool) -> Option<Time> {
    let (day, second) = match value {
        DeValue::String(text) => {
            let (day, rest) = text.split_at_checked(10)?;
            let second = match rest.strip_prefix([' ', 'T']) {
                Some(time) => Some(second(time)?),
                None if rest.is_empty() => None,
                None => return None,
            };
            (Day::parse(day)?, second)
        }
        DeValue::Datetime(at) if at.offset.is_none() => {
            let second = match at.time {
                // A leap second, which the programme's clock does not know.
                Some(time) if time.second == Some(60) => return None,
                Some(time) => {
                    let (hour, minute) = (i64::from(time.hour), i64::from(time.minute));
                    Some(hour * 3_600 + minute * 60 + i64::from(time.second.unwrap_or(0)))
                }
                None => None,
            };
            (Day::parse(&at.date?.to_string())?, second)
        }
        _ => return None,
    };
    let second = second.unwrap_or(if ends { SECONDS_PER_DAY } else { 0 });
    Some(Time(day.start().0.saturating_add(second)))
}

/// The second of the day of `HH:MM:SS`, up to 24:00:00.
fn second(text: &str) -> Option<i64> {
    let (minute_of_day, second) = text.rsplit_once(':')?;
    let (minute, second) = (i64::from(minute(minute_of_day)?), i64::from(two_digits(second)?));
    let seconds = minute * 60 + second;
    (second < 60 && seconds <= SECONDS_PER_DAY).then_some(seconds)
}

#[cfg(test)]
mod tests {
    use dataflows::types::Time;
    use toml::de::{DeTable, DeValue};

    use super::{Quiet, moment};

    #[track_caller]
    fn check(written: &str, from: Option<&str>, until: Option<&str>) {
        let text = format!("at = {written}");
        let table = DeTable::parse(&text).expect("TOML");
        let value: &DeValue<'_> = table.get_ref().get("at").expect("the key").get_ref();
        assert_eq!(moment(value, false).map(|at| at.to_string()).as_deref(), from, "{written} as from");
        assert_eq!(moment(value, true).map(|at| at.to_string()).as_deref(), until, "{written} as until");
    }

    #[test]
    fn dates_are_read_in_every_form() {
        let both = |written, at| check(written, Some(at), Some(at));
        check("2009-08-24", Some("2009-08-24 00:00:00"), Some("2009-08-25 00:00:00"));
        check("\"2009-08-24\"", Some("2009-08-24 00:00:00"), Some("2009-08-25 00:00:00"));
        check("\"2008-02-29\"", Some("2008-02-29 00:00:00"), Some("2008-03-01 00:00:00"));
        both("2009-08-24T09:30:00", "2009-08-24 09:30:00");
        both("2009-08-24 09:30:59.75", "2009-08-24 09:30:59");
        both("\"2009-08-24 09:30:00\"", "2009-08-24 09:30:00");
        both("\"2009-08-24T23:59:59\"", "2009-08-24 23:59:59");
        both("\"2009-12-31T24:00:00\"", "2010-01-01 00:00:00");
        both("\"2009-12-31 24:00:00\"", "2010-01-01 00:00:00");
        for written in [
            "\"2009-02-29\"",
            "\"2009-8-24\"",
            "\"2009-08-24 24:00:01\"",
            "\"2009-08-24 09:60:00\"",
            "\"2009-08-24 09:30:60\"",
            "\"2009-08-24 09:30\"",
            "\"2009-08-24 9:30:00\"",
            "\"2009-08-24 +9:30:00\"",
            "\"2009-08-24T09:30:00Z\"",
            "\"2009-08-24x\"",
            "\"二〇〇九年八月\"",
            "\"\"",
            "2009-08-24T09:30:00+08:00",
            "2009-08-24T09:30:60",
            "09:30:00",
            "20090824",
        ] {
            check(written, None, None);
        }
    }

    #[test]
    fn quiet_times_may_pass_midnight() {
        let quiet = |text: &str, at: i64| Quiet::parse(text).expect("a time of day").contains(Time(at));
        let (eight, ten) = (8 * 3_600, 22 * 3_600);
        for day in [0, 86_400, -86_400] {
            assert!(quiet("22:00-08:00", day + ten) && !quiet("22:00-08:00", day + ten - 1));
            assert!(quiet("22:00-08:00", day + eight - 1) && !quiet("22:00-08:00", day + eight));
            assert!(quiet("08:00-22:00", day + eight) && !quiet("08:00-22:00", day + ten));
            assert!(quiet("22:00-24:00", day + 86_399) && !quiet("22:00-24:00", day));
            assert!(quiet("22:00-00:00", day + 86_399) && !quiet("22:00-00:00", day));
        }
        let refused = ["08:00-08:00", "00:00-24:00", "24:00-08:00", "8:00-9:00", "08:60-09:00", "08:00-24:01", "08:00"];
        assert!(refused.iter().all(|text| Quiet::parse(text).is_none()));
    }
}

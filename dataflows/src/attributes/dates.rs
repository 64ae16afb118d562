//! Ages, tenures and birthdays, from packed dates.

use crate::table::chunk::{packed, unpacked};
use crate::types::Day;

/// Full years at a day. Whoever was born on 29 February is a year older on 1 March of other years,
/// which comparing (month, day) gives by itself.
pub fn age(birth: i32, at: Day) -> i64 {
    let ((born, birthday), (year, today)) = (unpacked(birth), unpacked(packed(at)));
    i64::from(year - born) - i64::from(today < birthday)
}

/// Calendar months since joining, less 1 if the day of the month has not been reached.
pub fn tenure(joined: i32, at: Day) -> i64 {
    let months = |date: i32| ((date >> 9) * 12 + (date >> 5 & 15), date & 31);
    let ((joined, joined_day), (month, day)) = (months(joined), months(packed(at)));
    i64::from(month - joined) - i64::from(day < joined_day)
}

/// Days until the next birthday, 0 on the day itself.
pub fn days_to_birthday(birth: i32, at: Day) -> i64 {
    let (_, birthday) = unpacked(birth);
    let (year, _, _) = at.civil();
    let next = (year..).map(|year| birthday_in(year, birthday)).find(|day| *day >= at);
    next.map_or(0, |day| i64::from(day.0 - at.0))
}

/// Packed dates in the order of ages or tenures: years, or months, counted back from a day.
#[derive(Clone, Copy)]
pub struct Cutoff {
    /// Of the day that is counted from: units since year 0, and what a date has beside its unit.
    units: i64,
    rest: i32,
    is_months: bool,
}

impl Cutoff {
    /// For [`age`] at a day.
    pub fn of_age(at: Day) -> Cutoff {
        let (year, birthday) = unpacked(packed(at));
        Cutoff { units: i64::from(year), rest: birthday, is_months: false }
    }

    /// For [`tenure`] at a day.
    pub fn of_tenure(at: Day) -> Cutoff {
        let (year, month, day) = at.civil();
        Cutoff { units: i64::from(year) * 12 + i64::from(month) - 1, rest: day as i32, is_months: true }
    }

    /// The latest packed date of which at least `count` whole units have passed.
    pub fn latest_of(self, count: i64) -> i32 {
        // Farther than any two dates are apart, and within 32 bits once packed.
        let count = count.clamp(-240_000, 240_000);
        let unit = (self.units - count) as i32;
        if self.is_months {
            (unit.div_euclid(12) << 9) + ((unit.rem_euclid(12) + 1) << 5) + self.rest
        } else {
            (unit << 9) + self.rest
        }
    }
}

fn birthday_in(year: i32, birthday: i32) -> Day {
    let (month, day) = ((birthday >> 5) as u32, (birthday & 31) as u32);
    let last = crate::types::days_in_month(year, month);
    let first_of_month = Day::from_civil(year, month, 1);
    // 29 February where the year has none: day 29 of it is 1 March.
    debug_assert!(day <= last || (month == 2 && day == 29));
    Day(first_of_month.0 + day as i32 - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> Day {
        Day::parse(text).unwrap_or_else(|| panic!("{text} is no day"))
    }

    #[test]
    fn ages_turn_on_the_birthday() {
        for (birth, at, years) in [
            ("1980-02-29", "2009-02-28", 28),
            ("1980-02-29", "2012-02-29", 32),
            ("1980-03-31", "2009-03-31", 29),
            ("1980-04-01", "2009-03-31", 28),
            ("2010-01-01", "2009-12-31", -1),
        ] {
            assert_eq!(age(packed(day(birth)), day(at)), years, "born {birth}, at {at}");
        }
    }

    #[test]
    fn tenure_counts_whole_months() {
        for (joined, at, months) in [
            ("2009-01-31", "2009-02-28", 0),
            ("2009-01-28", "2009-02-28", 1),
            ("2009-05-02", "2009-04-30", -1),
            ("2009-05-30", "2009-04-30", -1),
            ("2009-05-31", "2009-04-30", -2),
        ] {
            assert_eq!(tenure(packed(day(joined)), day(at)), months, "joined {joined}, at {at}");
        }
    }

    #[test]
    fn birthdays_come_round() {
        for (birth, at, days) in [
            ("1980-03-01", "2009-02-28", 1),
            ("1980-02-29", "2009-02-28", 1),
            ("1980-02-29", "2012-02-29", 0),
            ("1980-02-28", "2009-02-28", 0),
            ("1980-02-27", "2009-02-28", 364),
            ("1980-12-31", "2009-12-31", 0),
        ] {
            assert_eq!(days_to_birthday(packed(day(birth)), day(at)), days, "born {birth}, at {at}");
        }
    }
}

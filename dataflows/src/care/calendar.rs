//! Working days: Monday to Friday, less holidays, and the weekends that are worked.
//!
//! Days are counted and found by arithmetic and bisection, not walked: a case may have been open for
//! years, and a list of cases asks it for each.

use std::collections::BTreeSet;

use crate::types::Day;

/// What the programme says of days.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Calendar {
    pub holidays: BTreeSet<Day>,
    /// Worked although they are weekends. None of the holidays is one.
    pub workdays: BTreeSet<Day>,
}

/// Most days of either list: a century of them.
pub const CALENDAR_DAYS_MAX: usize = 10_000;

/// A calendar by which days are counted.
pub struct WorkingDays {
    /// Mondays to Fridays that are not worked, ascending.
    off: Vec<Day>,
    /// Weekends that are, ascending.
    extra: Vec<Day>,
}

/// From Monday, 0 to 6. The first of January 1970 was a Thursday.
fn weekday(day: Day) -> i64 {
    (i64::from(day.0) + 3).rem_euclid(7)
}

impl WorkingDays {
    pub fn of(calendar: &Calendar) -> WorkingDays {
        let Calendar { holidays, workdays } = calendar;
        WorkingDays {
            off: holidays.difference(workdays).copied().filter(|day| weekday(*day) < 5).collect(),
            extra: workdays.iter().copied().filter(|day| weekday(*day) >= 5).collect(),
        }
    }

    /// Working days from some day long ago to this one, which counts.
    fn through(&self, day: Day) -> i64 {
        let weeks = (i64::from(day.0) + 3).div_euclid(7);
        let upto = |days: &[Day]| days.partition_point(|of| *of <= day) as i64;
        weeks * 5 + (weekday(day) + 1).min(5) - upto(&self.off) + upto(&self.extra)
    }

    /// Working days after the first day and up to the second.
    pub fn between(&self, from: Day, until: Day) -> i64 {
        (self.through(until) - self.through(from)).max(0)
    }

    /// The `count`-th working day after a day; `count` is at least 1.
    pub fn nth_after(&self, day: Day, count: i64) -> Day {
        // Any seven days in a row have five of Monday to Friday.
        let enough = (count + self.off.len() as i64) * 2 + 7;
        let (mut before, mut reached) = (day.0, day.0.saturating_add(i32::try_from(enough).unwrap_or(i32::MAX)));
        while before + 1 < reached {
            let middle = before + (reached - before) / 2;
            if self.between(day, Day(middle)) < count { before = middle } else { reached = middle }
        }
        Day(reached)
    }

    /// The day itself where it is worked, else the next one that is.
    pub fn first_from(&self, day: Day) -> Day {
        self.nth_after(Day(day.0 - 1), 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counting_agrees_with_walking() {
        let mut random = fastrand::Rng::with_seed(5);
        for _ in 0..200 {
            let start = Day::from_civil(2009, 1, 1).0 + random.i32(-20_000..20_000);
            let mut some = |most: usize| -> BTreeSet<Day> {
                (0..random.usize(0..most)).map(|_| Day(start + random.i32(0..120))).collect()
            };
            let holidays = some(60);
            let workdays: BTreeSet<Day> = some(20).difference(&holidays).copied().collect();
            let days = WorkingDays::of(&Calendar { holidays: holidays.clone(), workdays: workdays.clone() });
            let is_worked = |day: Day| workdays.contains(&day) || weekday(day) < 5 && !holidays.contains(&day);
            let mut count = 0;
            for day in (start + 1..start + 150).map(Day) {
                count += i64::from(is_worked(day));
                assert_eq!(days.between(Day(start), day), count);
                if is_worked(day) {
                    assert_eq!(days.nth_after(Day(start), count), day);
                    assert_eq!(days.first_from(day), day);
                }
            }
        }
    }

    #[test]
    fn weekdays_are_those_of_the_calendar() {
        // A Thursday, and the Saturday after it.
        assert_eq!(weekday(Day::from_civil(2009, 10, 1)), 3);
        assert_eq!(weekday(Day::from_civil(2009, 10, 10)), 5);
        assert_eq!(weekday(Day::from_civil(1969, 12, 28)), 6);
    }
}

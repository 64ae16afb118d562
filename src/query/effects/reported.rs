//! Effects as they stood when each day closed, beside what is known of that day now.
//!
//! A row stands for the day on which either came to something else, and holds until the next of its key. Of a day that
//! closed before anything was noted of it, as in a one-shot run, what is known now is what was first reported.

use std::collections::{BTreeMap, BTreeSet};

use dataflows::effects::{Part, days};
use dataflows::types::Day;

use super::{Cell, Sources, Visit, cost, sorted, text};
use crate::store::reports::{Figures, NOTED, Reports, Series};

/// The counts of customers among what is noted: all but whether he is there, contacts, and the parts of revenue.
const CUSTOMERS: std::ops::Range<usize> = 1..8;
const CONTACTS: usize = 8;
const REVENUE: [usize; 2] = [9, 10];
const _: () = assert!(NOTED.len() == REVENUE[1] + 1);

pub(in crate::query) fn effect_first_reported<E>(sources: Sources<'_>, visit: Visit<'_, E>) -> Result<(), E> {
    let (known, reports) = (sources.published.effect_days(), sources.published.reports.load());
    // Where nothing was noted it is what stands that closes days, whatever was there and has been taken back.
    let latest = known.values().filter_map(|series| series.keys().next_back().copied()).max();
    let before = |day: Day| Day(day.0 - 1);
    let over = latest.zip(sources.published.clock.now).map(|(latest, now)| before(latest.min(now.day())));
    let Some(closed) = over.max(reports.closed) else { return Ok(()) };
    let none = Series::new();
    let keys: BTreeSet<days::Of> = known.keys().chain(reports.series.keys()).copied().collect();
    let rows = keys.into_iter().flat_map(|of| {
        let (known, noted) = (known.get(&of).unwrap_or(&none), reports.series.get(&of).unwrap_or(&none));
        let rows = of_key(known, noted, reports.closed, closed);
        rows.into_iter().map(move |(day, (first, is_revised))| row(sources, of, day, &first, is_revised))
    });
    sorted(rows, visit)
}

/// What was first reported of each day on which something changed, and whether it is known otherwise now.
fn of_key(known: &Series, noted: &Series, last: Option<Day>, closed: Day) -> BTreeMap<Day, (Figures, bool)> {
    let is_noted = |day: Day| last.is_some_and(|last| day <= last);
    let days: BTreeSet<Day> = known.keys().chain(noted.keys()).copied().filter(|day| *day <= closed).collect();
    let of = |day: Day| {
        let now = Reports::by(known, day);
        let first = if is_noted(day) { Reports::by(noted, day) } else { now };
        (day, (first, first != now))
    };
    // The first day after those that were noted shows whatever had been corrected by then.
    let next = last.map(|last| Day(last.0 + 1)).filter(|next| *next <= closed);
    let is_other = |day: &Day| last.is_some_and(|last| Reports::by(noted, last) != Reports::by(known, *day));
    days.into_iter().chain(next.filter(is_other)).map(of).collect()
}

fn row<'a>(sources: Sources<'a>, of: days::Of, day: Day, first: &Figures, is_revised: bool) -> Vec<Cell<'a>> {
    let (campaign, group, channel) = of;
    let mut row = vec![text(sources, campaign), text(sources, channel), Cell::text(Some(group.name())), Cell::Day(day)];
    row.extend(CUSTOMERS.map(|place| Cell::Integer(first[place])));
    let revenue = Part::sum(first[REVENUE[0]], first[REVENUE[1]]);
    row.extend([Cell::Hundredths(cost(sources, channel, first[CONTACTS])), Cell::Hundredths(revenue)]);
    row.push(Cell::Boolean(is_revised));
    row
}

#[cfg(test)]
mod tests {
    use super::*;

    fn series(steps: &[(i32, i64)]) -> Series {
        steps.iter().map(|(day, contacted)| (Day(*day), [1, *contacted, 0, 0, 0, 0, 0, 0, 0, 0, 0])).collect()
    }

    fn told(known: &[(i32, i64)], noted: &[(i32, i64)], last: Option<i32>, closed: i32) -> Vec<(i32, i64, bool)> {
        let rows = of_key(&series(known), &series(noted), last.map(Day), Day(closed));
        rows.into_iter().map(|(day, (first, is_revised))| (day.0, first[1], is_revised)).collect()
    }

    #[test]
    fn what_was_never_noted_is_reported_as_it_is_known() {
        assert_eq!(told(&[(3, 1), (5, 2), (9, 4)], &[], None, 8), [(3, 1, false), (5, 2, false)]);
    }

    #[test]
    fn what_came_late_leaves_the_day_as_it_was_and_marks_it() {
        let known = [(3, 2), (4, 3), (6, 5)];
        assert_eq!(told(&known, &[(4, 1), (6, 5)], Some(6), 7), [(3, 0, true), (4, 1, true), (6, 5, false)]);
        // After the last that was noted the correction shows, on the first day that was not.
        assert_eq!(told(&[(3, 2)], &[(3, 1)], Some(6), 9), [(3, 1, true), (7, 2, false)]);
    }
}

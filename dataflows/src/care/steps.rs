//! The steps of care, and the days on which they are due.

use super::{Case, WorkingDays};
use crate::types::{Day, Month};

/// How a customer is approached.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Approach {
    Sms,
    Call,
    StoreReminder,
    PlanOffer,
}

/// As programmes and views name them.
pub const APPROACHES: [(&str, Approach); 4] = [
    ("sms", Approach::Sms),
    ("call", Approach::Call),
    ("store_reminder", Approach::StoreReminder),
    ("plan_offer", Approach::PlanOffer),
];

impl Approach {
    pub fn name(self) -> &'static str {
        APPROACHES[self as usize].0
    }
}

/// A step of a care.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Step {
    pub approach: Approach,
    pub due: Due,
}

/// When a step is due.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Due {
    /// After every so many working days, at least one.
    EveryWorkingDays(u32),
    /// On the first working day of a month that is at least so many days after the opening.
    Monthly { after_days: u32 },
    /// After a step that failed, which nothing delivers yet.
    AfterFailed(Approach),
    /// After the month of first use.
    AfterUse,
}

/// Most working days between two steps.
pub const EVERY_MAX: u32 = 1_000;

/// Most days before the first monthly step.
pub const AFTER_DAYS_MAX: u32 = 3_650;

/// Whether the day of a task has come.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum State {
    Planned,
    Due,
}

impl State {
    /// As the view names it.
    pub fn name(self) -> &'static str {
        match self {
            State::Planned => "planned",
            State::Due => "due",
        }
    }
}

/// Something to be done for a customer.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Task {
    pub approach: Approach,
    pub due: Day,
    pub state: State,
}

impl Step {
    pub(super) fn tasks(&self, case: &Case, today: Option<Day>, days: &WorkingDays) -> impl Iterator<Item = Task> {
        let (last, next) = match (self.due, case.used_in) {
            (Due::EveryWorkingDays(every), None) => recurring(i64::from(every), case.opened_on, today, days),
            (Due::Monthly { after_days }, None) => monthly(Day(case.opened_on.0 + after_days as i32), today, days),
            (Due::AfterUse, Some(used_in)) => {
                let due = days.first_from(used_in.plus(1).first_day());
                if today.is_some_and(|today| due <= today) { (Some(due), None) } else { (None, Some(due)) }
            }
            _ => (None, None),
        };
        let task = |due, state| Task { approach: self.approach, due, state };
        let (last, next) = (last.map(|due| task(due, State::Due)), next.map(|due| task(due, State::Planned)));
        last.into_iter().chain(next)
    }
}

/// The latest day that has come, and the next one.
type Days = (Option<Day>, Option<Day>);

fn recurring(every: i64, opened_on: Day, today: Option<Day>, days: &WorkingDays) -> Days {
    let times = today.map_or(0, |today| days.between(opened_on, today) / every);
    let day = |times: i64| days.nth_after(opened_on, times * every);
    ((times > 0).then(|| day(times)), Some(day(times + 1)))
}

/// First working days of months, none before `from`.
fn monthly(from: Day, today: Option<Day>, days: &WorkingDays) -> Days {
    let first = |month: i32| Some(days.first_from(Month(month).first_day())).filter(|day| day.month().0 == month);
    let month = from.month().0;
    let Some(today) = today else {
        return (None, (month..).filter_map(first).find(|day| from <= *day));
    };
    let current = today.month().0;
    let last = (month..=current).rev().filter_map(first).find(|day| *day <= today);
    let next = (month.max(current)..).filter_map(first).find(|day| from.max(Day(today.0 + 1)) <= *day);
    (last.filter(|day| from <= *day), next)
}

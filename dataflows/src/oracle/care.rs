//! One customer's care, from rows, day by day.

use std::collections::BTreeMap;

use super::{Asked, Standing, rules};
use crate::care::{Approach, Case, Due, Reader, State, Task};
use crate::records::Action;
use crate::table::Chunk;
use crate::types::{CustomerIx, Day, Month};

/// What is known of a customer who holds the product of a care.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CareRow {
    pub product: String,
    pub opened_on: Day,
    pub used_in: Option<Month>,
    /// Why it is not used, where it is not and that is known.
    pub reason: Option<String>,
    /// By the names of steps, then by day.
    pub tasks: Vec<Task>,
}

impl CareRow {
    /// What a reader tells of the customers of a chunk by slot, each in the order of the programme.
    pub fn of(reader: &Reader, chunk: &Chunk) -> BTreeMap<usize, Vec<CareRow>> {
        let mut rows: BTreeMap<usize, Vec<CareRow>> = BTreeMap::new();
        for (place, care) in reader.cares().iter().enumerate() {
            let open: BTreeMap<usize, Option<&str>> =
                reader.open(chunk, place).into_iter().map(|(case, reason)| (case.slot, reason)).collect();
            for case in reader.cases(chunk, place) {
                assert_eq!(open.contains_key(&case.slot), case.used_in.is_none(), "{case:?}");
                let Case { slot, opened_on, used_in, .. } = case;
                let reason = open.get(&slot).copied().flatten().map(str::to_owned);
                let product = care.product.clone();
                let row = CareRow { product, opened_on, used_in, reason, tasks: reader.tasks(&case) };
                rows.entry(slot).or_default().push(row);
            }
        }
        rows
    }
}

impl Standing {
    /// The cases of a customer, in the order of the programme.
    pub fn cares(&self, customer: CustomerIx) -> Vec<CareRow> {
        let mut rows = Vec::new();
        let asked = Asked { standing: self, customer, month: self.clock.as_of, tier: None };
        for care in &self.programme.cares {
            let mut opened_on = None;
            for (at, order) in asked.orders(&care.product) {
                opened_on = if order.action == Action::Cancel { None } else { opened_on.or(Some(at.day())) };
            }
            let Some(opened_on) = opened_on else { continue };
            let used_in = asked.first_used(&care.used_by, opened_on.month());
            let class = || if self.is_listed(customer) { self.class(&asked) } else { None };
            let reason = used_in.is_none().then(|| {
                let asked = Asked { tier: class(), ..asked };
                let shows = care.diagnose.iter().find(|diagnosis| rules::holds(&diagnosis.when, &asked));
                shows.map(|diagnosis| diagnosis.reason.clone())
            });
            let mut tasks = Vec::new();
            for step in &care.steps {
                let due = |due: Day, state| Task { approach: step.approach, due, state };
                let (last, next) = self.due(step.due, opened_on, used_in);
                tasks.extend(last.map(|day| due(day, State::Due)));
                tasks.extend(next.map(|day| due(day, State::Planned)));
            }
            tasks.sort_by_key(|task| (name(task.approach), task.due));
            rows.push(CareRow { product: care.product.clone(), opened_on, used_in, reason: reason.flatten(), tasks });
        }
        rows
    }

    /// The last day of a step that has come, and the first that has not.
    fn due(&self, due: Due, opened_on: Day, used_in: Option<Month>) -> (Option<Day>, Option<Day>) {
        let today = self.clock.now.map_or(Day(i32::MIN), |now| now.day());
        let mut last = None;
        let mut worked = 0;
        let begins = match (due, used_in) {
            (Due::EveryWorkingDays(_), None) => Day(opened_on.0 + 1),
            (Due::Monthly { .. }, None) => opened_on,
            (Due::AfterUse, Some(month)) => month.plus(1).first_day(),
            _ => return (None, None),
        };
        for day in (begins.0..).map(Day) {
            worked += u32::from(self.is_worked(day));
            let is_due = self.is_worked(day)
                && match due {
                    Due::EveryWorkingDays(every) => worked % every == 0,
                    Due::Monthly { after_days } => {
                        let is_first = (day.month().first_day().0..day.0).all(|earlier| !self.is_worked(Day(earlier)));
                        is_first && i64::from(day.0) - i64::from(opened_on.0) >= i64::from(after_days)
                    }
                    _ => true,
                };
            match (is_due, day <= today) {
                (true, true) if due == Due::AfterUse => return (Some(day), None),
                (true, true) => last = Some(day),
                (true, false) => return (last, Some(day)),
                _ => {}
            }
        }
        unreachable!("holidays end")
    }

    /// Monday to Friday, and as the calendar says.
    fn is_worked(&self, day: Day) -> bool {
        // A Sunday.
        let sunday = Day::from_civil(2009, 10, 4);
        let is_weekend = matches!((day.0 - sunday.0).rem_euclid(7), 0 | 6);
        let calendar = &self.programme.calendar;
        calendar.workdays.contains(&day) || !is_weekend && !calendar.holidays.contains(&day)
    }
}

fn name(approach: Approach) -> &'static str {
    match approach {
        Approach::Call => "call",
        Approach::PlanOffer => "plan_offer",
        Approach::Sms => "sms",
        Approach::StoreReminder => "store_reminder",
    }
}

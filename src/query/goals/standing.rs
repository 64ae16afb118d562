//! Standing goals: their KPIs day by day, or month by month.

use std::collections::{BTreeMap, BTreeSet};

use dataflows::goals::{BILLED, Goal, Quantity, Tally};
use dataflows::types::{Day, Month, Word};

use crate::programme::{Level, StandingGoal};
use crate::query::rows::Sources;

/// What a KPI came to on a day. Numbers are in ten-thousandths.
pub(super) struct Told<'a> {
    /// None: all of the province.
    pub city: Option<Option<&'a str>>,
    pub day: Day,
    /// What of the target was due by then.
    pub due: Option<i64>,
    /// None where it divides by nobody.
    pub actual: Option<i64>,
}

/// What all standing goals are told from.
pub(super) struct Standing<'a> {
    sources: Sources<'a>,
    tally: Tally,
}

const WHOLE: i64 = 10_000;

impl<'a> Standing<'a> {
    pub fn of(sources: Sources<'a>) -> Standing<'a> {
        let is_asked = !sources.published.programme.goals.is_empty();
        Standing { sources, tally: if is_asked { sources.published.tally() } else { Tally::default() } }
    }

    /// The same where nothing is asked of them.
    pub fn nothing(sources: Sources<'a>) -> Standing<'a> {
        Standing { sources, tally: Tally::default() }
    }

    /// The standing goals with their formulas, by id.
    pub fn goals(&self) -> Vec<(&'a StandingGoal, &'a Goal)> {
        let published = self.sources.published;
        let formula = |goal: &StandingGoal| published.programme.goals.iter().find(|formula| formula.id == goal.id);
        let goals = self.sources.document.goals.iter();
        let mut goals: Vec<_> = goals.filter_map(|goal| Some((goal, formula(goal)?))).collect();
        goals.sort_by_key(|(goal, _)| &goal.id);
        goals
    }

    /// What a goal came to: city by city, then of the province, each by day.
    pub fn told(&self, standing: &StandingGoal, goal: &Goal) -> Vec<Told<'a>> {
        let (mut told, target) = (Vec::new(), standing.target);
        if standing.level != Level::Province && !matches!(goal.part, Quantity::Holidays(_)) {
            let text = |city: Word| self.sources.names.words.text(city.0).filter(|_| !city.is_null());
            let mut cities: Vec<(Option<&str>, Word)> =
                self.tally.cities.keys().map(|city| (text(*city), *city)).collect();
            cities.sort_unstable();
            for (name, city) in cities {
                let from = told.len();
                self.by_month(Some(city), goal, target, &mut told);
                told[from..].iter_mut().for_each(|row| row.city = Some(name));
            }
        }
        match (&goal.part, &goal.whole) {
            (Quantity::Holidays(measure), _) => {
                let holidays = &self.sources.published.programme.calendar.holidays;
                self.by_day(measure, target, Some(holidays), &mut told);
            }
            (Quantity::Sum(measure), None) if measure != BILLED => self.by_day(measure, target, None, &mut told),
            _ => self.by_month(None, goal, target, &mut told),
        }
        told
    }

    fn now(&self) -> Option<Day> {
        self.sources.published.clock.now.map(|now| now.day())
    }

    /// The day on which a month is told: its last, or today.
    fn day_of(&self, month: Month) -> Day {
        let last = month.last_day();
        self.now().filter(|now| now.month() == month).map_or(last, |now| now.min(last))
    }

    /// A quantity of a month, in a city or in all.
    fn number(&self, quantity: &Quantity, city: Option<Word>, month: usize) -> i64 {
        let Some(place) = self.sources.published.goals.place(quantity) else { return 0 };
        match city {
            Some(city) => self.tally.number(city, place, month),
            None => self.tally.cities.keys().map(|city| self.tally.number(*city, place, month)).sum(),
        }
    }

    /// From the first month in which anybody at all is counted.
    fn by_month(&self, city: Option<Word>, goal: &Goal, target: Option<i64>, told: &mut Vec<Told<'a>>) {
        let months = self.tally.months.iter().enumerate();
        for (place, month) in months.skip_while(|(place, _)| self.number(&goal.part, None, *place) == 0) {
            let part = self.number(&goal.part, city, place);
            let whole = goal.whole.as_ref().map(|whole| self.number(whole, city, place));
            told.push(Told { city: None, day: self.day_of(*month), due: target, actual: kpi(part, whole) });
        }
    }

    /// What is used, by the days that count: each month's up to then.
    fn by_day(&self, measure: &str, target: Option<i64>, days: Option<&BTreeSet<Day>>, told: &mut Vec<Told<'a>>) {
        let published = self.sources.published;
        let text = |word: &Word| self.sources.names.words.text(word.0) == Some(measure);
        let Some((_, used)) = published.volumes.iter().find(|(word, _)| text(word)) else { return };
        let (Some(first), Some(last)) = (self.tally.months.first(), self.tally.months.last()) else { return };
        let counts = |day: &Day| days.is_none_or(|days| days.contains(day));
        let used: BTreeMap<Day, i64> =
            used.iter().map(|(day, sum)| (*day, *sum)).filter(|(day, _)| counts(day)).collect();
        let Some(begin) = used.keys().map(|day| day.month()).find(|month| month >= first) else { return };
        for month in (begin.0..=last.0).map(Month) {
            let of_month = (month.first_day().0..=month.last_day().0).map(Day).filter(counts);
            let of_month: Vec<Day> = of_month.collect();
            let mut sum = 0i64;
            for (place, day) in of_month.iter().enumerate() {
                if self.now().is_some_and(|now| *day > now) {
                    break;
                }
                sum += used.get(day).copied().unwrap_or(0);
                let due = target.map(|target| share(target, place as i64 + 1, of_month.len() as i64));
                told.push(Told { city: None, day: *day, due, actual: kpi(sum, None) });
            }
        }
    }
}

/// A KPI in ten-thousandths, the half up. Beyond 64 bits it stands at their end.
fn kpi(part: i64, whole: Option<i64>) -> Option<i64> {
    match whole {
        None => Some(part.saturating_mul(WHOLE)),
        Some(0) => None,
        Some(whole) => Some(share(WHOLE, part, whole)),
    }
}

/// So many parts of so many, the half up.
pub(super) fn share(of: i64, parts: i64, all: i64) -> i64 {
    let all = i128::from(all);
    let share = (i128::from(of) * i128::from(parts) * 2 + all).div_euclid(2 * all);
    i64::try_from(share).unwrap_or(i64::MAX)
}

//! Goals, day by day: those of campaigns, and the standing ones.
//!
//! Decided here, where the contract is silent:
//! - `adoption` counts the customers who first ordered from the campaign by the day's end, those kept back left out; of
//!   the goal's product, where it names one and the order does.
//! - Days are those from the campaign's begin, or from its first such order where it has no dates, to its end or `now`.
//! - A campaign for a standing goal has the KPI of the province on its days, where that is a whole number: goal_pace has
//!   those that divide too, and cities. A KPI that is neither has no rows.
//! - Of the target of a campaign as much is due as of its days have come; of a month's target, where what is used is
//!   summed up, likewise; else all of it. Pace is what was reached of what was due.
//! - A standing goal is told of the province day by day where it sums up usage, on holidays where it asks for them; else
//!   month by month, on the last day or today. By city, where its level is not the province, always by month.

mod standing;

use std::collections::BTreeMap;

use dataflows::goals::Goal as Formula;
use dataflows::types::{Day, Time};
use dataflows::views::{Change, Family};

use super::Cell;
use super::rows::{Sources, Visit};
use crate::programme::{Goal, OwnGoal, Plan, StandingGoal};
use standing::{Standing, share};

/// The KPI that counts who ordered from the campaign.
const ADOPTION: &str = "adoption";

/// Of what a row of goal_pace tells.
const PROVINCE: &str = "province";
const CITY: &str = "city";

pub(super) fn goal_progress<E>(sources: Sources<'_>, visit: Visit<'_, E>) -> Result<(), E> {
    // Chunks are counted only where a campaign is for a standing goal.
    let is_asked = sources.document.plans.iter().any(|plan| matches!(plan.goal, Some(Goal::Standing(_))));
    let standing = if is_asked { Standing::of(sources) } else { Standing::nothing(sources) };
    let goals: BTreeMap<&str, (&StandingGoal, &Formula)> =
        standing.goals().into_iter().map(|(goal, formula)| (goal.id.as_str(), (goal, formula))).collect();
    for plan in plans(sources) {
        let row = |kpi: &str, target: Option<i64>, day: Day, actual: i64, visit: Visit<'_, E>| {
            visit(&[
                Cell::text(Some(&plan.id)),
                Cell::Day(day),
                Cell::text(Some(kpi)),
                Cell::hundredths(target),
                Cell::Integer(actual),
            ])
        };
        match &plan.goal {
            Some(Goal::Own(goal)) if goal.kpi == ADOPTION => {
                for (day, reached) in adoption(sources, plan, goal) {
                    row(&goal.kpi, goal.target, day, reached, visit)?;
                }
            }
            Some(Goal::Standing(id)) => {
                let Some((goal, formula)) = goals.get(id.as_str()).filter(|(_, formula)| formula.whole.is_none())
                else {
                    continue;
                };
                let is_meant = |day: Day| {
                    let from = plan.from.is_none_or(|from| from.day() <= day);
                    from && end(sources, plan).is_none_or(|end| day <= end)
                };
                let told = standing.told(goal, formula).into_iter().filter(|told| told.city.is_none());
                for told in told.filter(|told| is_meant(told.day)) {
                    let target = goal.target.map(|target| target.div_euclid(100));
                    row(id, target, told.day, told.actual.unwrap_or(0).div_euclid(10_000), visit)?;
                }
            }
            _ => {}
        }
    }
    Ok(())
}

pub(super) fn goal_pace<E>(sources: Sources<'_>, visit: Visit<'_, E>) -> Result<(), E> {
    type Reached = (Option<i64>, Option<i64>, Option<i64>);
    let fine = |number: Option<i64>| number.map_or(Cell::Null, Cell::Rate);
    let numbers = |(target, due, actual): Reached| {
        let pace = actual.zip(due).map_or(Cell::Null, |(actual, due)| Cell::rate(actual, due));
        [fine(target), fine(due), fine(actual), pace]
    };
    let standing = Standing::of(sources);
    for (goal, formula) in standing.goals() {
        for told in standing.told(goal, formula) {
            let [target, due, actual, pace] = numbers((goal.target, told.due, told.actual));
            let id = Cell::text(Some(&goal.id));
            let level = Cell::text(Some(if told.city.is_some() { CITY } else { PROVINCE }));
            let city = Cell::text(told.city.flatten());
            visit(&[Cell::Null, id, level, city, Cell::Day(told.day), target, due, actual, pace])?;
        }
    }
    for plan in plans(sources) {
        let Some(Goal::Own(goal)) =
            plan.goal.as_ref().filter(|goal| matches!(goal, Goal::Own(own) if own.kpi == ADOPTION))
        else {
            continue;
        };
        let days = plan.from.map(Time::day).zip(until(sources, plan).map(|until| Time(until.0 - 1).day()));
        for (day, reached) in adoption(sources, plan, goal) {
            let target = goal.target.map(|target| target.saturating_mul(100));
            let due = target.zip(days).map(|(target, (from, last))| {
                let (come, all) = (i64::from(day.0 - from.0 + 1), i64::from(last.0 - from.0 + 1));
                share(target, come.clamp(0, all.max(1)), all.max(1))
            });
            let [target, due, actual, pace] = numbers((target, due, Some(reached.saturating_mul(10_000))));
            let (id, kpi) = (Cell::text(Some(&plan.id)), Cell::text(Some(&goal.kpi)));
            let level = Cell::text(Some(PROVINCE));
            visit(&[id, kpi, level, Cell::Null, Cell::Day(day), target, due, actual, pace])?;
        }
    }
    Ok(())
}

/// The plans of campaigns, by id.
fn plans(sources: Sources<'_>) -> Vec<&Plan> {
    let mut plans: Vec<&Plan> = sources.document.plans.iter().collect();
    plans.sort_by_key(|plan| &plan.id);
    plans
}

/// When a campaign ends: the first second after it.
fn until(sources: Sources<'_>, plan: &Plan) -> Option<Time> {
    let campaigns = &sources.published.programme.campaigns;
    campaigns.iter().find(|campaign| campaign.id == plan.id).and_then(|campaign| campaign.until)
}

/// The last day of a campaign that has come.
fn end(sources: Sources<'_>, plan: &Plan) -> Option<Day> {
    let now = sources.published.clock.now?;
    Some(until(sources, plan).map_or(now, |until| Time(until.0 - 1).min(now)).day())
}

/// Customers who have ordered from a campaign by each of its days.
fn adoption(sources: Sources<'_>, plan: &Plan, goal: &OwnGoal) -> Vec<(Day, i64)> {
    let orders = first_orders(sources, plan, goal);
    let first = plan.from.map(Time::day).or_else(|| orders.keys().next().copied());
    let (Some(first), Some(end)) = (first, end(sources, plan)) else { return Vec::new() };
    let mut reached: i64 = orders.range(..first).map(|(_, customers)| customers).sum();
    let days = (first.0..=end.0).map(Day);
    let by = days.map(|day| {
        reached += orders.get(&day).copied().unwrap_or(0);
        (day, reached)
    });
    by.collect()
}

/// Customers who first ordered from a campaign, by day.
fn first_orders(sources: Sources<'_>, plan: &Plan, goal: &OwnGoal) -> BTreeMap<Day, i64> {
    let text = |word: dataflows::types::Word| sources.names.words.text(word.0);
    let mut orders = BTreeMap::new();
    for (cell, count) in sources.published.counts_of(Family::FirstOrder) {
        let Change::FirstOrder { campaign, product, day } = cell else { continue };
        let is_meant = product.is_null() || goal.product.as_deref().is_none_or(|asked| text(product) == Some(asked));
        if is_meant && text(campaign) == Some(&plan.id) {
            *orders.entry(day).or_insert(0) += count as i64;
        }
    }
    orders
}

//! Goals of campaigns, day by day.
//!
//! Decided here, where the contract is silent:
//! - `adoption` counts the customers who first ordered from the campaign by the day's end, those kept back left out; of
//!   the goal's product, where it names one and the order does.
//! - Days are those from the campaign's begin, or from its first such order where it has no dates, to its end or `now`.
//! - A goal that is told by another KPI, or that is a standing one, has no rows: their formulas are not carried yet.

use std::collections::BTreeMap;

use dataflows::types::{Day, Time};
use dataflows::views::{Change, Family};

use super::Cell;
use super::rows::{Sources, Visit};
use crate::programme::{Goal, OwnGoal, Plan};

/// The KPI that counts who ordered from the campaign.
const ADOPTION: &str = "adoption";

pub(super) fn goal_progress<E>(sources: Sources<'_>, visit: Visit<'_, E>) -> Result<(), E> {
    let Some(now) = sources.published.clock.now else { return Ok(()) };
    let campaigns = sources.published.programme.campaigns.iter();
    let ends: BTreeMap<&str, Option<Time>> = campaigns.map(|of| (of.id.as_str(), of.until)).collect();
    let mut goals: Vec<(&Plan, &OwnGoal)> = (sources.document.plans.iter())
        .filter_map(|plan| match &plan.goal {
            Some(Goal::Own(goal)) if goal.kpi == ADOPTION => Some((plan, goal)),
            _ => None,
        })
        .collect();
    goals.sort_by_key(|(plan, _)| &plan.id);
    for (plan, goal) in goals {
        let orders = first_orders(sources, plan, goal);
        let first = plan.from.map(Time::day).or_else(|| orders.keys().next().copied());
        let Some(first) = first else { continue };
        // The end is the first second after.
        let end = ends.get(plan.id.as_str()).copied().flatten().map_or(now, |until| Time(until.0 - 1).min(now)).day();
        let mut reached: i64 = orders.range(..first).map(|(_, customers)| customers).sum();
        for day in (first.0..=end.0).map(Day) {
            reached += orders.get(&day).copied().unwrap_or(0);
            visit(&[
                Cell::text(Some(&plan.id)),
                Cell::Day(day),
                Cell::text(Some(&goal.kpi)),
                Cell::hundredths(goal.target),
                Cell::Integer(reached),
            ])?;
        }
    }
    Ok(())
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

//! effect_rate, and effect_uplift with the intervals that uplift is uncertain by.

use dataflows::records::Arm;
use dataflows::types::Word;

use super::arms::{Reached, arms, compared, old_rate};
use super::{Cell, Sources, Visit, sorted, text};
use crate::query::statistics::{self, Interval, newcombe, sequence};

/// A row for each arm that reached anybody.
pub(in crate::query) fn effect_rate<E>(sources: Sources<'_>, visit: Visit<'_, E>) -> Result<(), E> {
    let campaigns = arms(sources);
    let mut rows = Vec::new();
    for (campaign, arms) in &campaigns {
        for arm in Arm::ALL {
            let reached = &arms[arm as usize];
            if reached.customers == 0 {
                continue;
            }
            let mut row = vec![text(sources, *campaign), Cell::text(Some(arm.name()))];
            row.push(Cell::rate(reached.succeeded, reached.customers));
            row.push(Cell::rate(reached.complained, reached.customers));
            let over = compared(arms).filter(|_| arm == Arm::Target).map(|(_, over)| over);
            row.extend(over.map_or([Cell::Null, Cell::Null, Cell::Null], |over| uplift(reached, over)));
            row.push(quotient(Some(reached.cost * 100), i128::from(reached.succeeded)));
            let old = old_rate(sources, &campaigns, *campaign).filter(|_| arm == Arm::Target);
            row.push(old.map_or(Cell::Null, |old| saving(reached, old)));
            rows.push(row);
        }
    }
    sorted(rows.into_iter(), visit)
}

/// The difference of the success rates, and Newcombe's interval.
fn uplift(target: &Reached, over: &Reached) -> [Cell<'static>; 3] {
    let ((won, of), (won_over, of_over)) = (target.successes(), over.successes());
    let [won, of, won_over, of_over] = [won, of, won_over, of_over].map(i128::from);
    let difference = quotient(Some((won * of_over - won_over * of) * 10_000), of * of_over);
    let [low, high] = bounds(target, over, newcombe::difference);
    [difference, low, high]
}

/// The bounds of the difference of the success rates.
fn bounds(
    target: &Reached,
    over: &Reached,
    interval: impl Fn(statistics::Arm, statistics::Arm) -> Option<Interval>,
) -> [Cell<'static>; 2] {
    let arm = |reached: &Reached| statistics::Arm::new(reached.succeeded, reached.customers);
    let interval = arm(target).zip(arm(over)).and_then(|(target, over)| interval(target, over));
    interval.map_or([Cell::Null, Cell::Null], |Interval { low, high }| [low, high].map(Cell::Rate))
}

/// (new customers / old rate - new customers / new rate) x what a contact cost, in yuan with four places. What was
/// won divided by the new rate is whom it took.
fn saving(target: &Reached, (part, whole): (i64, i64)) -> Cell<'static> {
    if target.succeeded == 0 || whole == 0 {
        return Cell::Null;
    }
    let [succeeded, customers, part, whole] = [target.succeeded, target.customers, part, whole].map(i128::from);
    let spared = (succeeded * whole - customers * part).checked_mul(target.cost).and_then(|fen| fen.checked_mul(100));
    quotient(spared, part * i128::from(target.contacts))
}

/// A number of ten-thousandths, rounded half up; null where nothing is divided by, or where amounts are beyond any
/// that there are.
fn quotient(part: Option<i128>, whole: i128) -> Cell<'static> {
    let rounded = |part: i128| part.checked_mul(2)?.checked_add(whole)?.checked_div_euclid(whole.checked_mul(2)?);
    part.and_then(rounded).and_then(|number| i64::try_from(number).ok()).map_or(Cell::Null, Cell::Rate)
}

/// A row for each campaign whose target arm can be compared: what was counted, the uplift, the interval that holds
/// when it is looked at once, and the one that holds however often it is looked at.
pub(in crate::query) fn effect_uplift<E>(sources: Sources<'_>, visit: Visit<'_, E>) -> Result<(), E> {
    let mut rows = Vec::new();
    for (campaign, arms) in &arms(sources) {
        let campaign: Word = *campaign;
        let target = &arms[Arm::Target as usize];
        let Some((arm, over)) = compared(arms).filter(|_| target.customers > 0) else { continue };
        let mut row = vec![text(sources, campaign), Cell::text(Some(arm.name()))];
        let counts = [target.customers, target.succeeded, over.customers, over.succeeded];
        row.extend(counts.map(Cell::Integer));
        row.extend(uplift(target, over));
        row.extend(bounds(target, over, sequence::difference));
        rows.push(row);
    }
    sorted(rows.into_iter(), visit)
}

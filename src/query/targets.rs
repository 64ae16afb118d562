//! Target lists as rows: who is on which, and why others are not.

use dataflows::views::{Change, Family};

use super::Cell;
use super::customers::listed;
use super::rows::{Sources, Visit, id};

pub(super) fn target<E>(sources: Sources<'_>, visit: Visit<'_, E>) -> Result<(), E> {
    let Sources { published, names, .. } = sources;
    let campaigns = &published.programme.campaigns;
    let mut order: Vec<usize> = (0..campaigns.len()).collect();
    order.sort_by_key(|place| &campaigns[*place].id);
    let customers = if order.is_empty() { Vec::new() } else { listed(published, names) };
    for place in order {
        let campaign = &campaigns[place];
        for customer in &customers {
            let Some((chunk, slot)) = published.customer(*customer) else { continue };
            let Some(column) = chunk.targets.columns.get(place) else { continue };
            let listed = column.named(slot, campaign, |word| names.words.text(word.0));
            let Some((channel, arm, product)) = listed else { continue };
            let [campaign, channel, arm] = [&*campaign.id, channel, arm.name()].map(|text| Cell::text(Some(text)));
            visit(&[campaign, id(names, *customer), Cell::text(product), channel, arm])?;
        }
    }
    Ok(())
}

pub(super) fn target_count<E>(sources: Sources<'_>, visit: Visit<'_, E>) -> Result<(), E> {
    counts(sources, visit, |cell| match cell {
        Change::TargetCount { campaign, channel, arm } => Some((campaign, channel, Some(arm.name()))),
        _ => None,
    })
}

pub(super) fn target_excluded<E>(sources: Sources<'_>, visit: Visit<'_, E>) -> Result<(), E> {
    counts(sources, visit, |cell| match cell {
        Change::TargetExcluded { campaign, reason } => Some((campaign, reason, None)),
        _ => None,
    })
}

/// Two words and a name of a cell, with its count.
fn counts<E>(
    sources: Sources<'_>,
    visit: Visit<'_, E>,
    choose: impl Fn(Change) -> Option<(dataflows::types::Word, dataflows::types::Word, Option<&'static str>)>,
) -> Result<(), E> {
    let Sources { published, names, .. } = sources;
    let mut rows: Vec<Vec<Cell<'_>>> = Vec::new();
    for (cell, count) in published.counts_of(Family::Others) {
        let Some((campaign, of, arm)) = choose(cell) else { continue };
        let mut row = vec![Cell::text(names.words.text(campaign.0)), Cell::text(names.words.text(of.0))];
        row.extend(arm.map(|arm| Cell::text(Some(arm))));
        row.push(Cell::Integer(count as i64));
        rows.push(row);
    }
    rows.sort();
    rows.iter().try_for_each(|row| visit(row))
}

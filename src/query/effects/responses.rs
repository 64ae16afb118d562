//! How customers took a campaign: whom it reached, what they answered, what they complained of.

use std::collections::BTreeMap;

use dataflows::effects::{Dimension, Effect, Group};
use dataflows::types::Word;
use dataflows::views::{Change, Family};

use super::{Cell, Counted, Sources, Visit, by_channel, by_customer, sorted, text};

/// Contact rate, and delivery rate. Who is listed is as of now, and so are the arms: whom a campaign has contacted
/// stays on its list while it runs. Afterwards nobody is listed, and there is no rate.
pub(in crate::query) fn effect_reach<E>(sources: Sources<'_>, visit: Visit<'_, E>) -> Result<(), E> {
    let mut rows: BTreeMap<(Word, Word, &'static str), (i64, Counted)> = BTreeMap::new();
    for (cell, count) in sources.published.counts_of(Family::Others) {
        if let Change::TargetCount { campaign, channel, arm } = cell {
            rows.entry((campaign, channel, arm.name())).or_default().0 = count as i64;
        }
    }
    for ((campaign, channel, group), counted) in by_channel(sources) {
        if group != Group::None {
            rows.entry((campaign, channel, group.name())).or_default().1 = counted;
        }
    }
    let row = |((campaign, channel, arm), (targeted, counted)): ((Word, Word, &'static str), (i64, Counted))| {
        let counts = [Effect::Contacted, Effect::Delivered, Effect::Withheld].map(|effect| counted.get(effect));
        let [contacted, delivered, withheld] = counts;
        let mut row = vec![text(sources, campaign), text(sources, channel), Cell::text(Some(arm))];
        row.extend([targeted, contacted, delivered, withheld].map(Cell::Integer));
        row.extend([Cell::rate(contacted, targeted), Cell::rate(delivered, contacted)]);
        row
    };
    sorted(rows.into_iter().map(row), visit)
}

/// What customers answered to surveys, by segment; and whatever the segment, by campaign and arm.
pub(in crate::query) fn satisfaction<E>(sources: Sources<'_>, visit: Visit<'_, E>) -> Result<(), E> {
    let mut rows: BTreeMap<(Word, Group, Word), (i64, i64, i128)> = BTreeMap::new();
    let mut add = |key, counted: &Counted| {
        let row = rows.entry(key).or_default();
        row.0 += counted.get(Effect::Surveyed);
        row.1 += counted.get(Effect::Answers);
        row.2 += counted.satisfaction();
    };
    for ((campaign, group, dimension, value), counted) in by_customer(sources) {
        match dimension {
            Dimension::Segment => add((campaign, group, value), &counted),
            // Everybody has one class, or none.
            Dimension::Tier => add((campaign, group, Word::NULL), &counted),
            Dimension::City => {}
        }
    }
    let surveyed = rows.into_iter().filter(|(_, (customers, ..))| *customers > 0);
    let row = |((campaign, group, segment), (customers, answers, sum)): ((Word, Group, Word), (i64, i64, i128))| {
        let average = sum.checked_div_euclid(i128::from(answers));
        vec![
            text(sources, campaign),
            Cell::text(Some(group.name())),
            text(sources, segment),
            Cell::Integer(customers),
            Cell::Integer(answers),
            Cell::hundredths(average),
        ]
    };
    sorted(surveyed.map(row), visit)
}

pub(in crate::query) fn complaint_count<E>(sources: Sources<'_>, visit: Visit<'_, E>) -> Result<(), E> {
    let complaints = sources.published.counts_of(Family::Complaint).filter_map(|(cell, count)| {
        let Change::Complaint { campaign, group, reason } = cell else { return None };
        let arm = Cell::text(Some(group.name()));
        Some(vec![text(sources, campaign), arm, text(sources, reason), Cell::Integer(count as i64)])
    });
    sorted(complaints, visit)
}

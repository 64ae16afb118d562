//! What channels had to carry, day by day.

use dataflows::views::{Change, Family};

use super::{Cell, Sources, Visit, sorted, text};

pub(in crate::query) fn channel_workload<E>(sources: Sources<'_>, visit: Visit<'_, E>) -> Result<(), E> {
    let days = sources.published.counts_of(Family::Workload).filter_map(|(cell, count)| {
        let Change::Workload { channel, day } = cell else { return None };
        let capacity = sources.published.catalog.channel(channel).daily_capacity;
        let capacity = capacity.map_or(Cell::Null, Cell::Integer);
        Some(vec![text(sources, channel), Cell::Day(day), Cell::Integer(count as i64), capacity])
    });
    sorted(days, visit)
}

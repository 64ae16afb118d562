//! Effects of campaigns as rows, read off the maintained counts.
//!
//! Decided here, where the contract is silent:
//! - A channel whose unit cost is not known costs nothing.
//! - The unit cost in `saving` is what a contact of the target arm cost on average: that of the channel, where there
//!   is one.
//! - A baseline that is a campaign's id is the success rate of that campaign's target arm.
//! - Where there is no control arm, uplift is over the random arm; and where nobody was reached in either, it is null.

mod arms;
mod rates;
mod reported;
mod responses;
mod revenue;
mod workload;

pub(super) use rates::{effect_rate, effect_uplift};
pub(super) use reported::effect_first_reported;
pub(super) use responses::{complaint_count, effect_reach, satisfaction};
pub(super) use revenue::effect_revenue;
pub(super) use workload::channel_workload;

use dataflows::effects::{Dimension, EFFECTS, Effect, Group, Part};
use dataflows::types::Word;
use dataflows::views::{Change, Family};

use super::Cell;
use super::rows::{Sources, Visit};

/// What is counted in a row, by place of the count.
#[derive(Clone, Copy, Default)]
struct Counted([i64; EFFECTS]);

impl Counted {
    fn get(&self, effect: Effect) -> i64 {
        self.0[effect.place()]
    }

    fn cell(&self, effect: Effect) -> Cell<'static> {
        Cell::Integer(self.get(effect))
    }

    fn revenue(&self) -> i128 {
        Part::sum(self.get(Effect::Revenue(Part::Low)), self.get(Effect::Revenue(Part::High)))
    }

    fn satisfaction(&self) -> i128 {
        Part::sum(self.get(Effect::Satisfaction(Part::Low)), self.get(Effect::Satisfaction(Part::High)))
    }
}

/// Rows by their keys, in no order.
type Rows<K> = hashbrown::HashMap<K, Counted, foldhash::fast::RandomState>;

/// The counts by campaign, channel and arm.
fn by_channel(sources: Sources<'_>) -> Rows<(Word, Word, Group)> {
    let mut rows = Rows::default();
    for (cell, count) in sources.published.counts_of(Family::Effect) {
        if let Change::Effect { campaign, channel, group, what } = cell {
            rows.entry((campaign, channel, group)).or_default().0[what.place()] = count as i64;
        }
    }
    rows
}

/// What contacts on a channel cost, in fen.
fn cost(sources: Sources<'_>, channel: Word, contacts: i64) -> i128 {
    let unit_cost = sources.published.catalog.channel(channel).unit_cost.unwrap_or(0);
    i128::from(contacts) * i128::from(unit_cost)
}

/// The text of a word, null where it is that.
fn text<'a>(sources: Sources<'a>, word: Word) -> Cell<'a> {
    Cell::text(sources.names.words.text(word.0).filter(|_| !word.is_null()))
}

pub(super) fn effect<E>(sources: Sources<'_>, visit: Visit<'_, E>) -> Result<(), E> {
    let row = |((campaign, channel, group), counted): ((Word, Word, Group), Counted)| {
        let mut row = vec![text(sources, campaign), text(sources, channel), Cell::text(Some(group.name()))];
        let counts = [
            Effect::Contacted,
            Effect::Delivered,
            Effect::Opened,
            Effect::Consulted,
            Effect::Ordered,
            Effect::Complained,
            Effect::OptedOut,
        ];
        row.extend(counts.map(|effect| counted.cell(effect)));
        row.push(Cell::Hundredths(cost(sources, channel, counted.get(Effect::Contacts))));
        row.push(Cell::Hundredths(counted.revenue()));
        row
    };
    sorted(by_channel(sources).into_iter().map(row), visit)
}

pub(super) fn effect_by<E>(sources: Sources<'_>, visit: Visit<'_, E>) -> Result<(), E> {
    let row = |((campaign, group, dimension, value), counted): ((Word, Group, Dimension, Word), Counted)| {
        let mut row = vec![text(sources, campaign)];
        row.extend([group.name(), dimension.name()].map(|name| Cell::text(Some(name))));
        row.push(text(sources, value));
        row.extend([Effect::Delivered, Effect::Ordered, Effect::Complained].map(|effect| counted.cell(effect)));
        row
    };
    sorted(by_customer(sources).into_iter().map(row), visit)
}

/// The counts by campaign, arm and who customers are.
fn by_customer(sources: Sources<'_>) -> Rows<(Word, Group, Dimension, Word)> {
    let mut rows = Rows::default();
    for (cell, count) in sources.published.counts_of(Family::EffectBy) {
        if let Change::EffectBy { campaign, group, dimension, value, what } = cell {
            rows.entry((campaign, group, dimension, value)).or_default().0[what.place()] = count as i64;
        }
    }
    rows
}

/// Visits rows by their cells: the key comes first in each.
fn sorted<'a, E>(rows: impl Iterator<Item = Vec<Cell<'a>>>, visit: Visit<'_, E>) -> Result<(), E> {
    let mut rows: Vec<Vec<Cell<'a>>> = rows.collect();
    rows.sort();
    rows.iter().try_for_each(|row| visit(row))
}

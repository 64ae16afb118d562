//! Points as rows: balances as they are kept, entries walked again for whoever reads them.

use dataflows::points::{Entry, Rules, entries};
use dataflows::table::Chunk;
use dataflows::types::CustomerIx;

use super::Cell;
use super::customers::by_id;
use super::rows::{Sources, Visit, id};
use crate::engine::Published;
use crate::store::Names;

/// Everybody with a row in points_balance, by id.
fn holders(published: &Published, names: &Names) -> Vec<CustomerIx> {
    if !published.points.is_there {
        return Vec::new();
    }
    by_id(published, names, |chunk| chunk.points.present.clone())
}

/// A customer's entries, in the order in which they count.
fn entries_of<'a>(chunk: &'a Chunk, slot: usize, rules: &Rules, names: &Names) -> Vec<Entry<'a>> {
    entries(chunk, slot, rules, &|word, name| names.words.text(word.0) == Some(name))
}

/// The name of the rank that a balance has.
fn rank<'n>(rules: &Rules, names: &'n Names, points: i64) -> Option<&'n str> {
    let rank = rules.rank(points);
    names.words.text(rank.0).filter(|_| !rank.is_null())
}

pub(super) fn points_entry<E>(sources: Sources<'_>, visit: Visit<'_, E>) -> Result<(), E> {
    let Sources { published, names, .. } = sources;
    let rules = &*published.points;
    for customer in holders(published, names) {
        let Some((chunk, slot)) = published.customer(customer) else { continue };
        let mut rows: Vec<_> = entries_of(chunk, slot, rules, names)
            .into_iter()
            .map(|entry| (entry.id, entry.at, rules.cause(&entry), entry.points))
            .collect();
        rows.sort_unstable();
        for (entry_id, at, cause, points) in rows {
            let [entry_id, cause] = [entry_id, cause].map(|text| Cell::text(Some(text)));
            visit(&[id(names, customer), entry_id, Cell::Time(at), cause, Cell::Integer(points)])?;
        }
    }
    Ok(())
}

pub(super) fn points_balance<E>(sources: Sources<'_>, visit: Visit<'_, E>) -> Result<(), E> {
    let Sources { published, names, .. } = sources;
    let rules = &*published.points;
    for customer in holders(published, names) {
        let Some((chunk, slot)) = published.customer(customer) else { continue };
        let Some(balance) = chunk.points.get(slot) else { continue };
        visit(&[
            id(names, customer),
            Cell::Integer(balance.points()),
            Cell::Integer(balance.earned),
            Cell::Integer(balance.forfeited),
            Cell::Integer(balance.adjusted),
            Cell::text(rank(rules, names, balance.points())),
            Cell::Boolean(balance.member),
        ])?;
    }
    Ok(())
}

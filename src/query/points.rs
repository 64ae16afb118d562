//! Points as rows: balances as they are kept, entries and lots walked again for whoever reads them.

use std::collections::BTreeMap;

use dataflows::points::{Account, Entry, Lot, account};
use dataflows::types::{CustomerIx, Month, Word};

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

/// A customer's account, walked again. `is_named` compares a word with a text.
pub(super) fn walked<'a>(
    published: &'a Published,
    is_named: &dyn Fn(Word, &str) -> bool,
    customer: CustomerIx,
) -> Option<Account<'a>> {
    let (chunk, slot) = published.customer(customer)?;
    account(chunk, slot, &published.points, published.clock.now, is_named)
}

fn account_of<'a>(published: &'a Published, names: &Names, customer: CustomerIx) -> Option<Account<'a>> {
    walked(published, &|word, name| names.words.text(word.0) == Some(name), customer)
}

/// The name of a rank, null where there is none.
fn rank_name(names: &Names, rank: Word) -> Option<&str> {
    names.words.text(rank.0).filter(|_| !rank.is_null())
}

pub(super) fn points_entry<E>(sources: Sources<'_>, visit: Visit<'_, E>) -> Result<(), E> {
    let Sources { published, names, .. } = sources;
    for customer in holders(published, names) {
        let Some(account) = account_of(published, names, customer) else { continue };
        let cause = |entry: &Entry<'_>| published.points.cause(entry.cause);
        let mut rows: Vec<_> = Vec::with_capacity(account.entries.len());
        rows.extend(account.entries.iter().map(|entry| (entry.id.text(), entry.at, cause(entry), entry.points)));
        rows.sort_unstable();
        for (entry_id, at, cause, points) in rows {
            let [entry_id, cause] = [&*entry_id, cause].map(|text| Cell::text(Some(text)));
            visit(&[id(names, customer), entry_id, Cell::Time(at), cause, Cell::Integer(points)])?;
        }
    }
    Ok(())
}

pub(super) fn points_balance<E>(sources: Sources<'_>, visit: Visit<'_, E>) -> Result<(), E> {
    let Sources { published, names, .. } = sources;
    for customer in holders(published, names) {
        let Some((chunk, slot)) = published.customer(customer) else { continue };
        let Some(balance) = chunk.points.get(slot) else { continue };
        visit(&[
            id(names, customer),
            Cell::Integer(balance.left),
            Cell::Integer(balance.earned),
            Cell::Integer(balance.lost()),
            Cell::Integer(balance.adjusted_net()),
            Cell::text(rank_name(names, published.points.rank(balance.left))),
            Cell::Boolean(balance.member),
        ])?;
    }
    Ok(())
}

pub(super) fn points_spendable<E>(sources: Sources<'_>, visit: Visit<'_, E>) -> Result<(), E> {
    let Sources { published, names, .. } = sources;
    for customer in holders(published, names) {
        let Some(account) = account_of(published, names, customer) else { continue };
        let next = published.points.next_rank(account.balance.left);
        visit(&[
            id(names, customer),
            Cell::Integer(account.spendable),
            Cell::Integer(account.pending),
            Cell::Integer(account.expiring),
            Cell::Integer(account.balance.redeemed),
            Cell::Integer(account.balance.expired),
            Cell::text(next.and_then(|(rank, _)| rank_name(names, rank))),
            next.map_or(Cell::Null, |(_, missing)| Cell::Integer(missing)),
        ])?;
    }
    Ok(())
}

pub(super) fn points_lot<E>(sources: Sources<'_>, visit: Visit<'_, E>) -> Result<(), E> {
    let Sources { published, names, .. } = sources;
    for customer in holders(published, names) {
        let Some(account) = account_of(published, names, customer) else { continue };
        let rule = |lot: &Lot<'_>| published.points.cause(lot.cause);
        let mut rows: Vec<_> = account.lots.iter().map(|lot| (lot.id.text(), rule(lot), *lot)).collect();
        rows.sort_by(|(id, rule, _), (other, other_rule, _)| (id, rule).cmp(&(other, other_rule)));
        for (lot_id, rule, lot) in &rows {
            let [lot_id, rule] = [&**lot_id, *rule].map(|text| Cell::text(Some(text)));
            let [granted, left] = [lot.granted, lot.left].map(Cell::Integer);
            let until = lot.until.map_or(Cell::Null, Cell::Time);
            visit(&[
                id(names, customer),
                lot_id,
                rule,
                Cell::Time(lot.at),
                granted,
                left,
                Cell::Time(lot.from),
                until,
            ])?;
        }
    }
    Ok(())
}

/// Whose balance is not what his entries add up to: nobody.
pub(super) fn points_imbalance<E>(sources: Sources<'_>, visit: Visit<'_, E>) -> Result<(), E> {
    let Sources { published, names, .. } = sources;
    for customer in holders(published, names) {
        let Some((chunk, slot)) = published.customer(customer) else { continue };
        let Some(balance) = chunk.points.get(slot).filter(|balance| balance.left != balance.accounted()) else {
            continue;
        };
        visit(&[id(names, customer), Cell::Integer(balance.left), Cell::Integer(balance.accounted())])?;
    }
    Ok(())
}

pub(super) fn points_account<E>(sources: Sources<'_>, visit: Visit<'_, E>) -> Result<(), E> {
    let published = sources.published;
    if !published.points.is_there {
        return Ok(());
    }
    let mut accounts = published.books.accounts().into_iter().filter(|(_, points)| *points != 0);
    accounts.try_for_each(|(account, points)| {
        // Beyond 64 bits by far more rows than a store holds.
        let points = i64::try_from(points).unwrap_or(if points < 0 { i64::MIN } else { i64::MAX });
        visit(&[Cell::text(Some(account)), Cell::Integer(points)])
    })
}

/// Members by the rank they had at the end of the month before, and at that of the month; null for who
/// was none. Of the months of `history`.
pub(super) fn rank_move<E>(sources: Sources<'_>, visit: Visit<'_, E>) -> Result<(), E> {
    let Sources { published, names, .. } = sources;
    let Some(as_of) = published.clock.as_of.filter(|_| published.points.counts_ranks()) else { return Ok(()) };
    let first = as_of.plus(1 - published.programme.history as i32);
    let mut moves: BTreeMap<(Month, Option<&str>, Option<&str>), i64> = BTreeMap::new();
    for customer in holders(published, names) {
        let Some(account) = account_of(published, names, customer) else { continue };
        let rank = |month: Month| {
            let (balance, is_member) = account.at(month.last_second());
            rank_name(names, published.points.rank(balance)).filter(|_| is_member)
        };
        let mut from = rank(first);
        for month in (first.0 + 1..=as_of.0).map(Month) {
            let to = rank(month);
            if from != to {
                *moves.entry((month, from, to)).or_insert(0) += 1;
            }
            from = to;
        }
    }
    moves.into_iter().try_for_each(|((month, from, to), members)| {
        visit(&[Cell::Month(month), Cell::text(from), Cell::text(to), Cell::Integer(members)])
    })
}

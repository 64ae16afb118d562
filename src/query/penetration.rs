//! Penetration as rows: users of products by segment and month, and how many times those of the first month they are.

use std::collections::BTreeMap;

use dataflows::penetration::{Kind, Use, users};
use dataflows::types::{Month, Word};

use super::Cell;
use super::rows::{Sources, Visit};

/// Users and customers, by product, segment (none: all), month and kind, each by its name.
type Rows<'a> = BTreeMap<(&'a str, Option<&'a str>, Month, &'static str), (i64, i64)>;

fn counted<'a>(sources: Sources<'a>) -> Rows<'a> {
    let Sources { published, names, .. } = sources;
    let segments = &published.programme.segments;
    let mut customers: Vec<i64> = vec![0; segments.len() + 1];
    let mut totals: hashbrown::HashMap<Use, Vec<i64>, foldhash::fast::RandomState> = Default::default();
    let add = |totals: &mut [i64], counts: &[u32]| {
        totals.iter_mut().zip(counts).for_each(|(total, count)| *total += i64::from(*count));
    };
    for (chunk, _) in published.chunks() {
        let of = users(chunk, &published.services, published.clock.as_of);
        add(&mut customers, &of.customers);
        for (used, counts) in &of.users {
            add(totals.entry(*used).or_insert_with(|| vec![0; segments.len() + 1]), counts);
        }
    }
    let groups = || [None].into_iter().chain(segments.iter().map(|segment| Some(segment.id.as_str())));
    let text = |word: Word| names.words.text(word.0).unwrap_or_default();
    let rows = totals.iter().flat_map(|((product, kind, month), counts)| {
        let (product, kind) = (text(*product), Kind::name(*kind));
        let counts = groups().zip(counts.iter().zip(&customers));
        counts.map(move |(segment, (users, customers))| ((product, segment, *month, kind), (*users, *customers)))
    });
    rows.collect()
}

pub(super) fn penetration<E>(sources: Sources<'_>, visit: Visit<'_, E>) -> Result<(), E> {
    for ((product, segment, month, kind), (users, customers)) in counted(sources) {
        let [product, segment, kind] = [Some(product), segment, Some(kind)].map(Cell::text);
        let rate = Cell::rate(users, customers);
        visit(&[product, segment, Cell::Month(month), kind, Cell::Integer(users), Cell::Integer(customers), rate])?;
    }
    Ok(())
}

/// Segments are those of today in every month, so that a rate is to another as their users are.
pub(super) fn penetration_growth<E>(sources: Sources<'_>, visit: Visit<'_, E>) -> Result<(), E> {
    let rows = counted(sources);
    let mut firsts: BTreeMap<(&str, Option<&str>, &str), (Month, i64)> = BTreeMap::new();
    for ((product, segment, month, kind), (users, customers)) in &rows {
        let first = firsts.entry((product, *segment, kind)).or_insert((*month, *users));
        // Months come in their order, but no multiple is of nobody.
        if first.1 == 0 {
            *first = (*month, *users);
        }
        let (first_month, first_users) = *first;
        let [product, segment, kind] = [Some(*product), *segment, Some(*kind)].map(Cell::text);
        visit(&[
            product,
            segment,
            Cell::Month(*month),
            kind,
            Cell::Month(first_month),
            Cell::rate(first_users, *customers),
            Cell::rate(*users, *customers),
            Cell::rate(*users, first_users),
        ])?;
    }
    Ok(())
}

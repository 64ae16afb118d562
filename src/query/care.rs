//! Care as rows: what is to be done for whom, who does not use what he opened and why, and how many they are.

use std::collections::BTreeMap;

use dataflows::care::{Case, Reader};
use dataflows::table::Chunk;
use dataflows::table::chunk::CITY;
use dataflows::types::{CustomerIx, Word};

use super::Cell;
use super::rows::{Sources, Visit, id, words};

/// Reads care off what is published; none where the programme has none.
fn reader(sources: Sources<'_>) -> Option<Reader> {
    let published = sources.published;
    let programme = &published.programme;
    (!programme.cares.is_empty())
        .then(|| Reader::new(programme.clone(), words(sources), published.clock, published.catalog.clone()))
}

/// What is found of a care in a chunk: customer, place of the care, and the rest of it.
type Found<T> = Vec<(CustomerIx, usize, T)>;

/// What `choose` finds in each chunk for each care, by customer and product.
fn by_key<'r, T>(
    sources: Sources<'_>,
    reader: &'r Reader,
    mut choose: impl FnMut(&Chunk, usize, &dyn Fn(usize) -> CustomerIx, &mut Found<T>),
) -> Vec<(CustomerIx, &'r str, T)> {
    let mut found = Vec::new();
    for (chunk, customer) in sources.published.chunks() {
        (0..reader.cares().len()).for_each(|care| choose(chunk, care, &customer, &mut found));
    }
    let product = |care: usize| &*reader.cares()[care].product;
    let text = |customer: CustomerIx| sources.names.customers.text(customer.0);
    found.sort_by_key(|(customer, care, _)| (text(*customer), product(*care)));
    found.into_iter().map(|(customer, care, row)| (customer, product(care), row)).collect()
}

pub(super) fn care_task<E>(sources: Sources<'_>, visit: Visit<'_, E>) -> Result<(), E> {
    let Some(reader) = reader(sources) else { return Ok(()) };
    let cases = by_key(sources, &reader, |chunk, care, customer, found| {
        found.extend(reader.cases(chunk, care).map(|case| (customer(case.slot), care, case)));
    });
    for (customer, product, case) in cases {
        for task in reader.tasks(&case) {
            let [product, step, state] =
                [product, task.approach.name(), task.state.name()].map(|text| Cell::text(Some(text)));
            visit(&[id(sources.names, customer), product, step, Cell::Day(task.due), state])?;
        }
    }
    Ok(())
}

pub(super) fn care_diagnosis<E>(sources: Sources<'_>, visit: Visit<'_, E>) -> Result<(), E> {
    let Some(reader) = reader(sources) else { return Ok(()) };
    let open: Vec<(_, _, (Case, Option<&str>, Word))> = by_key(sources, &reader, |chunk, care, customer, found| {
        let city = |slot: usize| Word(chunk.customers.texts[CITY].get(slot));
        let open = reader.open(chunk, care).into_iter();
        found.extend(open.map(|(case, reason)| (customer(case.slot), care, (case, reason, city(case.slot)))));
    });
    for (customer, product, (case, reason, city)) in open {
        let city = Cell::text(sources.names.words.text(city.0).filter(|_| !city.is_null()));
        let (product, opened_on) = (Cell::text(Some(product)), Cell::Day(case.opened_on));
        visit(&[id(sources.names, customer), product, Cell::text(reason), opened_on, city])?;
    }
    Ok(())
}

pub(super) fn care_count<E>(sources: Sources<'_>, visit: Visit<'_, E>) -> Result<(), E> {
    let Some(reader) = reader(sources) else { return Ok(()) };
    let mut counts: BTreeMap<(&str, Option<&str>), i64> = BTreeMap::new();
    for (chunk, _) in sources.published.chunks() {
        for (place, care) in reader.cares().iter().enumerate() {
            for (_, reason) in reader.open(chunk, place) {
                *counts.entry((&care.product, reason)).or_insert(0) += 1;
            }
        }
    }
    counts.into_iter().try_for_each(|((product, reason), customers)| {
        visit(&[Cell::text(Some(product)), Cell::text(reason), Cell::Integer(customers)])
    })
}

//! Referrals as rows: each as its event tells it, the forest as it is kept, rates from counts.
//!
//! referral_rate is the field's viral coefficient K = invitations a member x their conversion, here
//! by month and by the city that the inviting have today:
//! - `members`: who first registered by the month's end;
//! - `invited`: referrals without product in the month, of any result, by members or not;
//! - `joined`: customers whom a referral of the month brought in, whenever they then registered;
//! - `conversion` = joined / invited, `coefficient` = joined / members, as other rates: four places,
//!   half up, null where nothing is divided by. A coefficient of 1 is a community that doubles
//!   itself in the month.
//!
//! Months are those with any referral without product, up to the month of `now`; a city has a row
//! where it has members by then, or invitations.

use std::collections::{BTreeMap, BTreeSet};

use dataflows::referrals::{Node, rows};
use dataflows::types::{CustomerIx, Month, Word};
use dataflows::views::{Change, Family};

use super::Cell;
use super::community::person;
use super::customers::by_id;
use super::rows::{Sources, Visit, id};

pub(super) fn referral<E>(sources: Sources<'_>, visit: Visit<'_, E>) -> Result<(), E> {
    let Sources { published, names, .. } = sources;
    let is_named = |word: Word, name: &str| names.words.text(word.0) == Some(name);
    let customer = |customer: CustomerIx| names.customers.text(customer.0).unwrap_or_default();
    let kind = |product: Word| if product.is_null() { Some("registration") } else { names.words.text(product.0) };
    for referrer in by_id(published, names, |chunk| chunk.points.present.clone()) {
        let Some((chunk, slot)) = published.customer(referrer) else { continue };
        let mut rows: Vec<_> = rows(chunk, slot, &published.points, &is_named)
            .into_iter()
            .map(|row| (customer(row.referred), row.at, kind(row.product), row.event_id, row.result, row.points))
            .collect();
        rows.sort_unstable();
        for (referred, at, kind, _, result, points) in rows {
            let result = result.map(|success| if success { "success" } else { "failure" });
            let [referred, kind, result] = [Some(referred), kind, result].map(Cell::text);
            visit(&[id(names, referrer), referred, Cell::Time(at), kind, result, Cell::Integer(points)])?;
        }
    }
    Ok(())
}

/// Each referral with who made it, for staff; its event's id tells it apart from others.
pub(super) fn member_referral<E>(sources: Sources<'_>, visit: Visit<'_, E>) -> Result<(), E> {
    let Sources { published, names, .. } = sources;
    let is_named = |word: Word, name: &str| names.words.text(word.0) == Some(name);
    let kind = |product: Word| if product.is_null() { Some("registration") } else { names.words.text(product.0) };
    for referrer in by_id(published, names, |chunk| chunk.points.present.clone()) {
        let Some((chunk, slot)) = published.customer(referrer) else { continue };
        let [number, city, status] = person(chunk, slot, names);
        let mut rows = rows(chunk, slot, &published.points, &is_named);
        rows.sort_unstable_by_key(|row| row.event_id);
        for row in rows {
            let result = row.result.map(|success| if success { "success" } else { "failure" });
            let [kind, result] = [kind(row.product), result].map(Cell::text);
            visit(&[
                id(names, referrer),
                number.clone(),
                city.clone(),
                status.clone(),
                Cell::text(Some(row.event_id)),
                Cell::Time(row.at),
                id(names, row.referred),
                kind,
                result,
                Cell::Integer(row.points),
            ])?;
        }
    }
    Ok(())
}

pub(super) fn referral_tree<E>(sources: Sources<'_>, visit: Visit<'_, E>) -> Result<(), E> {
    let Sources { published, names, .. } = sources;
    let text = |customer: CustomerIx| names.customers.text(customer.0);
    let mut nodes: Vec<(CustomerIx, Node)> = published.forest.nodes().collect();
    nodes.sort_unstable_by_key(|(customer, _)| text(*customer));
    for (customer, Node { direct, total, depth }) in nodes {
        let [direct, total, depth] = [direct, total, depth].map(|count| Cell::Integer(i64::from(count)));
        visit(&[id(names, customer), direct, total, depth])?;
    }
    Ok(())
}

pub(super) fn referral_rate<E>(sources: Sources<'_>, visit: Visit<'_, E>) -> Result<(), E> {
    let Sources { published, names, .. } = sources;
    let Some(last) = published.clock.now.map(|now| now.day().month()) else { return Ok(()) };
    let (mut registered, mut invited, mut joined) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
    for (cell, count) in published.counts_of(Family::Others) {
        let (counts, month, city) = match cell {
            Change::Registered { month, city } => (&mut registered, month, city),
            Change::Invited { month, city } => (&mut invited, month, city),
            Change::Joined { month, city } => (&mut joined, month, city),
            _ => continue,
        };
        counts.insert((month, city), count as i64);
    }
    let months: BTreeSet<Month> = invited.keys().map(|(month, _)| *month).filter(|month| *month <= last).collect();
    let (mut registered, mut members) = (registered.into_iter().peekable(), BTreeMap::new());
    for month in months {
        while let Some(((_, city), count)) = registered.next_if(|((of, _), _)| *of <= month) {
            *members.entry(city).or_insert(0) += count;
        }
        let mut cities: BTreeSet<Word> = members.keys().copied().collect();
        cities.extend(invited.keys().filter(|(of, _)| *of == month).map(|(_, city)| *city));
        let of_month = |counts: &BTreeMap<(Month, Word), i64>, city| counts.get(&(month, city)).copied().unwrap_or(0);
        let name = |city: Word| Cell::text(names.words.text(city.0).filter(|_| !city.is_null()));
        let mut rows: Vec<_> = cities.into_iter().map(|city| (name(city), city)).collect();
        rows.sort();
        for (name, city) in rows {
            let members = members.get(&city).copied().unwrap_or(0);
            let (invited, joined) = (of_month(&invited, city), of_month(&joined, city));
            let [conversion, coefficient] = [invited, members].map(|whole| Cell::rate(joined, whole));
            let [members, invited, joined] = [members, invited, joined].map(Cell::Integer);
            visit(&[Cell::Month(month), name, members, invited, joined, conversion, coefficient])?;
        }
    }
    Ok(())
}

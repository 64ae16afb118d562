//! Arbitration: which of the campaigns that would list a customer do.
//!
//! Campaigns take their turn in one order ([`Rules::order`](super::Rules::order)), those first that have taken the
//! customer on already: what is reserved stays reserved. Each takes whom it would list, while he is on fewer than
//! `max_open` lists and on none of a campaign that it is never with: whom two have taken on where one list is allowed is
//! on that of the first. Control and random arms are lists like any other, or they would not be alike.

use super::Column;
use super::codes::{Reason, is_target};
use super::fit::Candidates;
use crate::table::column::{CHUNK, Slots};

/// The columns with their codes decided at `slots`. `order` has the places of campaigns, first to choose first.
pub fn arbitrate(candidates: &Candidates<'_>, order: &[usize], columns: &mut [Column]) {
    let (rules, slots) = (candidates.grounds.rules, candidates.slots);
    let mut decided: Vec<[u8; CHUNK]> = Vec::new();
    // Whom nobody else wants is listed where he fits: then codes are fits, and are shared.
    let mut wanted = vec![0u32; slots.len()];
    for place in order {
        let fit = &columns[*place].fit;
        wanted.iter_mut().enumerate().for_each(|(at, wanted)| *wanted += u32::from(is_target(fit[slots.slot(at)])));
    }
    let has_rivals = order.iter().any(|place| !rules.listings[*place].rival_places().is_empty());
    let is_contested = |wanted: u32| wanted > rules.open_max || has_rivals && wanted > 1;
    let contested: Vec<usize> = (0..slots.len()).filter(|at| is_contested(wanted[*at])).collect();
    if contested.is_empty() {
        columns.iter_mut().for_each(|column| uncontested(column, slots));
        return;
    }
    for column in columns.iter() {
        let mut codes = *column.code;
        (0..slots.len()).for_each(|at| codes[slots.slot(at)] = column.fit[slots.slot(at)]);
        decided.push(codes);
    }
    for at in contested {
        settle(candidates, order, columns, at, &mut decided);
    }
    for (column, codes) in columns.iter_mut().zip(decided) {
        column.set_codes(codes);
    }
}

/// Decides who lists one customer.
fn settle(candidates: &Candidates<'_>, order: &[usize], columns: &[Column], at: usize, decided: &mut [[u8; CHUNK]]) {
    let rules = candidates.grounds.rules;
    let slot = candidates.slots.slot(at);
    let past = candidates.past(at);
    let is_taken = |place: &usize| past.is_some_and(|past| past.is_taken_by(rules.listings[*place].id));
    let wanting = || order.iter().copied().filter(|place| is_target(columns[*place].fit[slot]));
    let mut taken: Vec<usize> = Vec::new();
    for place in wanting().filter(is_taken).chain(wanting().filter(|place| !is_taken(place))) {
        let is_rival = |other: &usize| rules.listings[place].rival_places().contains(other);
        decided[place][slot] = if taken.iter().any(is_rival) {
            Reason::NeverWith as u8
        } else if taken.len() >= rules.open_max as usize {
            Reason::MaxOpen as u8
        } else {
            taken.push(place);
            columns[place].fit[slot]
        };
    }
}

/// Codes are fits at the slots.
fn uncontested(column: &mut Column, slots: &Slots) {
    if std::sync::Arc::ptr_eq(&column.code, &column.fit) {
        return;
    }
    let mut codes = *column.code;
    (0..slots.len()).for_each(|at| codes[slots.slot(at)] = column.fit[slots.slot(at)]);
    column.set_codes(codes);
}

//! Arbitration: which of the campaigns that would list a customer do.
//!
//! Campaigns take their turn in one order ([`Rules::order`](super::Rules::order)), those first that have taken the
//! customer on already: what is reserved stays reserved. Each takes whom it would list, while he is on fewer than
//! `max_open` lists and on none of a campaign that it is never with: whom two have taken on where one list is allowed is
//! on that of the first. Control and random arms are lists like any other, or they would not be alike.

use super::Column;
use super::codes::{OUTSIDE, Reason, is_target};
use super::fit::Candidates;
use crate::table::column::{CHUNK, Slots};

/// The columns with their codes decided for the candidates. `order` has the places of campaigns, first to choose first.
///
/// A campaign at a time over all customers: bytes compared with bytes, which is vector code. Only those whom one has
/// taken on are looked at one by one.
pub fn arbitrate(candidates: &Candidates<'_>, order: &[usize], columns: &mut [Column]) {
    let (rules, slots) = (candidates.grounds.rules, candidates.slots);
    let most = u8::try_from(rules.open_max).unwrap_or(u8::MAX);
    let mut open = vec![0u8; slots.len()];
    // By place; nothing where the campaign is over.
    let mut decided: Vec<Vec<u8>> = vec![Vec::new(); columns.len()];
    for (turn, place) in order.iter().enumerate() {
        let mut codes = gathered(&columns[*place].fit, slots);
        let rivals = rules.listings[*place].rival_places();
        let earlier: Vec<usize> = order[..turn].iter().copied().filter(|other| rivals.contains(other)).collect();
        for rival in earlier {
            for (code, rival) in codes.iter_mut().zip(&decided[rival]) {
                let is_barred = is_target(*code) & is_target(*rival);
                *code = if is_barred { Reason::NeverWith as u8 } else { *code };
            }
        }
        for (code, open) in codes.iter_mut().zip(&mut open) {
            let wants = is_target(*code);
            let is_full = *open >= most;
            *code = if wants & is_full { Reason::MaxOpen as u8 } else { *code };
            *open += u8::from(wants & !is_full);
        }
        decided[*place] = codes;
    }
    for at in (0..slots.len()).filter(|at| candidates.past(*at).is_some()) {
        settle(candidates, order, columns, at, &mut decided);
    }
    for (column, codes) in columns.iter_mut().zip(decided) {
        column.decide(slots, &codes);
    }
}

fn gathered(codes: &[u8; CHUNK], slots: &Slots) -> Vec<u8> {
    match slots {
        Slots::All => codes.to_vec(),
        Slots::Some(slots) => slots.iter().map(|slot| codes[usize::from(*slot)]).collect(),
    }
}

/// Decides who lists one customer whom campaigns may have taken on.
fn settle(candidates: &Candidates<'_>, order: &[usize], columns: &[Column], at: usize, decided: &mut [Vec<u8>]) {
    let rules = candidates.grounds.rules;
    let slot = candidates.slots.slot(at);
    let past = candidates.past(at);
    let is_taken = |place: &usize| past.is_some_and(|past| past.is_taken_by(rules.listings[*place].id));
    let wanting = || order.iter().copied().filter(|place| is_target(columns[*place].fit[slot]));
    if !wanting().any(|place| is_taken(&place)) {
        return;
    }
    let mut taken: Vec<usize> = Vec::new();
    for place in wanting().filter(is_taken).chain(wanting().filter(|place| !is_taken(place))) {
        let is_rival = |other: &usize| rules.listings[place].rival_places().contains(other);
        decided[place][at] = if taken.iter().any(is_rival) {
            Reason::NeverWith as u8
        } else if taken.len() >= rules.open_max as usize {
            Reason::MaxOpen as u8
        } else {
            taken.push(place);
            columns[place].fit[slot]
        };
    }
}

impl Column {
    /// Sets codes by place; of a campaign that is over there are none, and nobody is of it.
    fn decide(&mut self, slots: &Slots, decided: &[u8]) {
        let is_over = decided.is_empty();
        let mut codes = *self.code;
        match slots {
            Slots::All if is_over => codes = [OUTSIDE; CHUNK],
            Slots::All => codes.copy_from_slice(decided),
            Slots::Some(slots) => {
                for (at, slot) in slots.iter().enumerate() {
                    codes[usize::from(*slot)] = decided.get(at).copied().unwrap_or(OUTSIDE);
                }
            }
        }
        self.set_codes(codes);
    }
}

//! Tiers: the class of each customer, now and in each month of history.
//!
//! Reads   the table, the programme's `[[tier]]` and `population`
//! Gives   class codes; since when a class has held
//!
//! A programme without tiers leaves the views of tiers empty; everybody then has the null class, as far
//! as rules ask.
//!
//! The class of month M is what the current programme gives on the input now accepted, with
//! `as_of` = M and today's master data. It is kept for each of the last `history` months, one byte
//! a customer and month, so that a month close decides one month and a correction the few months
//! its window reaches.

use crate::attributes::Frame;
use crate::rules::compiled::Compiled;
use crate::rules::evaluate::{Columns, TRUE, evaluate};
use crate::table::chunk::{ABSENT, Classes, FIRST_CLASS, NO_CLASS};
use crate::table::column::{Bits, CHUNK, Slots};
use crate::types::{Month, Word};

/// Who is in the population, by place: 0 or 1. `listed` are those who have a row in
/// customer_attribute.
pub fn population(rules: &Compiled, frame: &Frame<'_>, slots: &Slots, listed: &Bits) -> Vec<u8> {
    let listed = (0..slots.len()).map(|place| u8::from(listed.get(slots.slot(place))));
    match &rules.population {
        None => listed.collect(),
        Some(rule) => {
            let truths = evaluate(rule, frame);
            listed.zip(truths).map(|(listed, truth)| listed & u8::from(truth == TRUE)).collect()
        }
    }
}

/// The class code of everybody in the population, by place: the first tier whose condition is TRUE.
/// The others have [`NO_CLASS`].
pub fn classes(rules: &Compiled, frame: &Frame<'_>, population: &[u8]) -> Vec<u8> {
    let mut classes = vec![NO_CLASS; population.len()];
    // All ones while no tier has taken the customer.
    let mut open: Vec<u8> = population.iter().map(|within| 0u8.wrapping_sub(*within)).collect();
    for ((_, condition), code) in rules.tiers.iter().zip(FIRST_CLASS..) {
        if open.iter().all(|open| *open == 0) {
            break;
        }
        let truths = condition.as_ref().map_or_else(|| vec![TRUE; frame.places()], |plan| evaluate(plan, frame));
        for ((class, open), truth) in classes.iter_mut().zip(&mut open).zip(truths) {
            let takes = *open & 0u8.wrapping_sub(u8::from(truth == TRUE));
            *class = *class & !takes | code & takes;
            *open &= !takes;
        }
    }
    classes
}

/// The word of a class code; null for the null class and for no row.
pub fn word(rules: &Compiled, code: u8) -> Word {
    let index = usize::from(code).checked_sub(usize::from(FIRST_CLASS));
    index.and_then(|index| rules.tiers.get(index)).map_or(Word::NULL, |(word, _)| *word)
}

/// The word of every class code, by code.
pub fn words(rules: &Compiled) -> Vec<u32> {
    (0..FIRST_CLASS).map(|_| Word::NULL.0).chain(rules.tiers.iter().map(|(word, _)| word.0)).collect()
}

/// Months of the unbroken run of the class as of `as_of`, by slot; 0 for whom no history has begun.
/// Bytes compared with bytes, a column at a time, which is vector code.
pub fn runs(history: &[(Month, Classes)], as_of: Option<Month>) -> [u8; CHUNK] {
    let mut runs = [0; CHUNK];
    let Some(((month, current), before)) = history.split_last().filter(|((month, _), _)| Some(*month) == as_of) else {
        return runs;
    };
    let mut running = [0u8; CHUNK];
    for (place, class) in current.iter().enumerate() {
        running[place] = u8::from(*class != ABSENT);
        runs[place] = running[place];
    }
    let mut expected = month.plus(-1);
    for (month, classes) in before.iter().rev() {
        // A month without a column is one in which nobody's history had begun.
        if *month != expected {
            break;
        }
        for place in 0..CHUNK {
            running[place] &= u8::from(classes[place] == current[place]);
            runs[place] += running[place];
        }
        expected = month.plus(-1);
    }
    runs
}

/// The first month of a run that lasts until `as_of`; none where there is no run.
pub fn since(as_of: Option<Month>, run: u8) -> Option<Month> {
    as_of.filter(|_| run > 0).map(|as_of| as_of.plus(1 - i32::from(run)))
}

/// The run of one slot.
pub fn run_of(history: &[(Month, Classes)], as_of: Option<Month>, slot: usize) -> u8 {
    let mut run = 0;
    let mut expected = as_of;
    let mut class = None;
    for (month, classes) in history.iter().rev() {
        if Some(*month) != expected || classes[slot] == ABSENT || class.is_some_and(|class| class != classes[slot]) {
            break;
        }
        class = Some(classes[slot]);
        run += 1;
        expected = Some(month.plus(-1));
    }
    run
}

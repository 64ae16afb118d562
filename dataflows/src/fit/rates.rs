//! The rates that scores are computed by: what all chunks tell together.

use std::collections::BTreeMap;

use super::summary::Summary;
use crate::types::Word;

/// The sum of summaries, to which chunks are added and from which they are taken out.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct Rates(Summary);

impl Rates {
    /// Adds a chunk's summary `times` times: 1, or -1 to take it out. What comes to nothing is forgotten.
    pub fn add(&mut self, summary: &Summary, times: i64) {
        let Rates(sum) = self;
        add(&mut sum.customers, &summary.customers, times);
        by_group(&mut sum.holders, &summary.holders, times);
        by_group(&mut sum.used, &summary.used, times);
        by_group(&mut sum.orders, &summary.orders, times);
        by_group(&mut sum.cancels, &summary.cancels, times);
        for (key, count) in &summary.ordered {
            let held = sum.ordered.entry(*key).or_insert(0);
            *held += count * times;
            if *held == 0 {
                sum.ordered.remove(key);
            }
        }
        for (key, (reached, ordered)) in &summary.reached {
            let held = sum.reached.entry(*key).or_default();
            *held = (held.0 + reached * times, held.1 + ordered * times);
            if *held == (0, 0) {
                sum.reached.remove(key);
            }
        }
        let (reached, ordered) = summary.reached_all;
        sum.reached_all = (sum.reached_all.0 + reached * times, sum.reached_all.1 + ordered * times);
    }

    /// The sums.
    pub fn sums(&self) -> &Summary {
        &self.0
    }
}

fn add(sums: &mut Vec<i64>, counts: &[i64], times: i64) {
    if sums.len() < counts.len() {
        sums.resize(counts.len(), 0);
    }
    sums.iter_mut().zip(counts).for_each(|(sum, count)| *sum += count * times);
}

fn by_group(sums: &mut BTreeMap<Word, Vec<i64>>, counts: &BTreeMap<Word, Vec<i64>>, times: i64) {
    for (key, counts) in counts {
        let held = sums.entry(*key).or_default();
        add(held, counts, times);
        if held.iter().all(|sum| *sum == 0) {
            sums.remove(key);
        }
    }
}
